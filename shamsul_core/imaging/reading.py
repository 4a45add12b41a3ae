"""Reading files in the bounded process: what everything else of the project asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shamsul_core.imaging.bounded import READER, StoppedError
from shamsul_core.imaging.geometry import Geometry
from shamsul_core.imaging.refusals import DAMAGED

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_STOPPED = {
    "memory": "it takes more memory than any radiograph does; save it anew in another format",
    "time": "it takes longer to read than any radiograph does; save it anew in another format",
    "ended": DAMAGED,
    "unstartable": "it cannot be read at the moment, since no process for it can be started; try again",
}


class ImageError(ValueError):
    """A file that is not read; the message ends the sentence "this file: it ..."."""


@dataclass(frozen=True, eq=False)
class Presented:
    """A radiograph as its file presents it.

    Parameters
    ----------
    pixels
        uint8 where the file has no more than 8 bits, else uint16; H × W, bone bright, upright as far as the file tells.
        Black and white are the ends of the file's own window; without one, of the range of its values.
    geometry
        How the pixels lie in the file, and become those shown.
    is_dicom
        Whether it is a DICOM file.
    modality
        DICOM's code of it, such as ``"DX"``; empty where there is none.
    body_part
        The part that the file names, where it is not the chest.
    instance
        DICOM's SOP Instance UID, the same in every copy of the image; empty where there is none.
    view, projection
        How it was taken, ``None`` where the file does not say.
    coloured_share
        Share of pixels that are coloured, 0 to 1.
    remarks
        Sentences that a reader must see with the picture.
    """

    pixels: npt.NDArray[Any]
    geometry: Geometry
    is_dicom: bool = False
    modality: str = ""
    body_part: str | None = None
    instance: str = ""
    view: Literal["frontal", "lateral"] | None = None
    projection: Literal["AP", "PA"] | None = None
    coloured_share: float = 0.0
    remarks: tuple[str, ...] = ()


def is_dicom(content: bytes) -> bool:
    """Return whether it has DICOM's prefix, or begins with one of its first groups, as files without the prefix do."""
    return content[128:132] == b"DICM" or content[:4] in (
        b"\x02\x00\x00\x00",
        b"\x08\x00\x05\x00",
        b"\x08\x00\x08\x00",
    )


def read_radiograph(source: bytes | Path) -> Presented:
    """Read a radiograph.

    Parameters
    ----------
    source
        A file's content, of which nothing stays in the process that reads it; or its path.

    Raises
    ------
    ImageError
        If it is none that can be read, in bounded memory and time.
    """
    words, data = _asked("radiograph", source)
    depth = np.uint8 if words["bits"] == 8 else np.uint16
    return Presented(
        np.frombuffer(data, depth).reshape(words["shape"]),
        _geometry(words["geometry"]),
        words["is_dicom"],
        words.get("modality", ""),
        words.get("body_part"),
        words.get("instance", ""),
        words.get("view"),
        words.get("projection"),
        words["colours"],
        tuple(words.get("remarks", ())),
    )


def read_geometry(source: bytes | Path) -> Geometry:
    """Read how a radiograph's pixels lie, and their number, from its file's header.

    Raises
    ------
    ImageError
        As `read_radiograph`.
    """
    return _geometry(_asked("geometry", source)[0]["geometry"])


def read_mask(content: bytes, pathology: str, image_name: str) -> npt.NDArray[np.bool_]:
    """Read a mask of one pathology, bool, of the size that its file has; for what is read see `masks`.

    Parameters
    ----------
    content
        The file's bytes.
    pathology
        By CheXpert's name.
    image_name
        The radiograph's file name, by which a file that holds masks of several is searched.

    Raises
    ------
    ImageError
        If there is none.
    """
    words, data = _asked("mask", content, pathology=pathology, image_name=image_name)
    return np.frombuffer(data, np.bool_).reshape(words["shape"])


def deidentified(content: bytes, secret: bytes) -> bytes:
    """Return a DICOM file without what could name its patient, see `deidentify`.

    Parameters
    ----------
    secret
        Up to 64 bytes, of which the new UIDs are made.

    Raises
    ------
    ImageError
        As `read_radiograph`.
    """
    return bytes(_asked("deidentified", content, secret=secret.hex())[1])


def to_8_bits(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return grey levels of 16 bits in 8, rounded; of 8 bits as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    # 65535 = 255 × 257, so this is division by 257 rounded to nearest; a shift by 8 would darken by up to one step.
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _asked(task: str, source: bytes | Path, **words: str) -> tuple[dict[str, Any], bytearray]:
    if isinstance(source, bytes):
        content = source
    else:
        content, words = b"", words | {"path": str(source.absolute())}
    try:
        answer, data = READER.ask(words | {"task": task}, content, is_private=isinstance(source, bytes))
    except StoppedError as error:
        raise ImageError(_STOPPED[error.reason]) from error
    if "refused" in answer:
        raise ImageError(str(answer["refused"]))
    return answer, data


def _geometry(stored: dict[str, Any]) -> Geometry:
    sizes = {name: tuple(stored[name]) for name in ("stored", "square")}
    return Geometry(**(stored | sizes))
