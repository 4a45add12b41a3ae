"""A scene for the viewer: one radiograph, and what lies over it in each panel, packed into one block of bytes.

The block is a little-endian 32-bit length, a JSON header of that length, and the binary parts that the header points
to by offset (from the end of the header) and length. Relevance travels as signed bytes, each 1/127 of the map's
largest absolute value; the header says what that is.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from shamsul_core.segmentation import resize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from shamsul_core.heatmap import FloatArray

_LONGEST_SIDE = 2048
_SMALLEST_MAP = 224
_JPEG_QUALITY = 92


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure under a panel: what it is, its value as text, and what it means."""

    name: str
    value: str
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture of the row.

    Parameters
    ----------
    key
        Short, for tests and styles: ``"gradcam"``.
    title
        For people.
    relevance
        float32, h × w, signed, the whole radiograph's extent; ``None`` where there is none to show.
    outlines
        Of the mask, each n × 2, x and y in the radiograph's pixels.
    metrics
        Shown under the picture.
    note
        Shown under the picture: why something is missing.
    """

    key: str
    title: str
    relevance: FloatArray | None = None
    outlines: tuple[npt.NDArray[np.int32], ...] = ()
    metrics: tuple[Metric, ...] = ()
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that the viewer shows at once.

    Parameters
    ----------
    pixels
        uint8, H × W.
    expert_outlines
        Each n × 2, x and y in the radiograph's pixels.
    banner
        What a reader must know of everything shown, such as that the network is untrained.
    """

    image_id: str
    pathology: str
    pixels: npt.NDArray[np.uint8]
    expert_outlines: tuple[npt.NDArray[np.integer | np.floating], ...]
    panels: tuple[Panel, ...]
    banner: str | None = None


def encode_scene(scene: Scene) -> bytes:
    """Pack a scene; see the module for the layout."""
    parts: list[bytes] = []
    header = {
        "image_id": scene.image_id,
        "pathology": scene.pathology,
        "banner": scene.banner,
        "size": list(scene.pixels.shape),
        "radiograph": _add(parts, _jpeg(scene.pixels)),
        "expert": _add_outlines(parts, scene.expert_outlines),
        "panels": [_encode_panel(parts, panel, scene.pathology) for panel in scene.panels],
    }
    encoded = json.dumps(header).encode()
    encoded += b" " * (
        -len(encoded) % 4
    )  # the parts begin at a multiple of four, as the browser's arrays want it
    return b"".join([struct.pack("<I", len(encoded)), encoded, *parts])


def decode_header(block: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a packed scene's header and its binary parts."""
    (length,) = struct.unpack_from("<I", block)
    return json.loads(block[4 : 4 + length]), block[4 + length :]


def quantise(relevance: FloatArray) -> tuple[npt.NDArray[np.int8], float]:
    """Return relevance as signed bytes and the largest absolute value, which 127 stands for.

    Maps coarser than 224 on a side are interpolated bilinearly first, so that colours follow the interpolated
    relevance. Zero stays zero.
    """
    if min(relevance.shape) < _SMALLEST_MAP:
        relevance = resize(relevance, (_SMALLEST_MAP, _SMALLEST_MAP))
    largest = float(np.abs(relevance).max())
    if largest == 0:
        return np.zeros(relevance.shape, np.int8), 0.0
    return np.rint(relevance * (127 / largest)).astype(np.int8), largest


def _encode_panel(parts: list[bytes], panel: Panel, pathology: str) -> dict[str, Any]:
    spoken = ", ".join(f"{metric.name} {metric.value}" for metric in panel.metrics)
    return {
        "key": panel.key,
        "title": panel.title,
        "label": ", ".join(part for part in (panel.title, pathology, spoken, panel.note) if part),
        "note": panel.note,
        "metrics": [{"name": one.name, "value": one.value, "help": one.help} for one in panel.metrics],
        "relevance": None if panel.relevance is None else _add_relevance(parts, panel.relevance),
        "outlines": _add_outlines(parts, panel.outlines),
    }


def _add_relevance(parts: list[bytes], relevance: FloatArray) -> dict[str, Any]:
    quantised, largest = quantise(relevance)
    return _add(parts, quantised.tobytes()) | {"shape": list(quantised.shape), "largest": largest}


def _add_outlines(parts: list[bytes], outlines: Sequence[npt.NDArray[Any]]) -> dict[str, Any]:
    points = np.concatenate([*outlines, np.empty((0, 2))]).astype("<f4")
    return _add(parts, points.tobytes()) | {"counts": [len(one) for one in outlines]}


def _add(parts: list[bytes], data: bytes) -> dict[str, Any]:
    offset = sum(map(len, parts))
    parts.append(data + b"\0" * (-len(data) % 4))
    return {"offset": offset, "length": len(data), "hash": hashlib.blake2b(data, digest_size=8).hexdigest()}


def _jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    height, width = pixels.shape
    scale = min(1, _LONGEST_SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    smaller = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return encoded.tobytes()
