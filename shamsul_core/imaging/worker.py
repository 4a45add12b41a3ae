"""The process that reads files: started by `bounded` as ``python -m shamsul_core.imaging.worker MEMORY_BYTES CPU_S``.

It says an empty message once it has begun. Then it takes what is asked at its standard input and answers at its standard
output: the length of a JSON object (4 bytes, big endian), the object, the length of the content (8 bytes), the content.
It never writes a file, and ends with its parent.
"""

from __future__ import annotations

import json
import os
import select
import struct
import sys
import warnings
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shamsul_core.files.storage import IrregularError, opened_regular
from shamsul_core.imaging.bounded import LARGEST_FILE, received, sent
from shamsul_core.imaging.refusals import DAMAGED, NOT_AN_IMAGE, RefusedError, refuse
from shamsul_core.memory import leave_no_dump

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Answer = tuple[dict[str, Any], bytes]


def _radiograph(content: bytes, _: Mapping[str, Any]) -> Answer:
    if _is_dicom(content):
        from shamsul_core.imaging import dicom

        pixels, facts = dicom.read(dicom.opened(content))
    else:
        from shamsul_core.imaging import pictures

        pixels, facts = pictures.read(content)
    words = facts | {
        "geometry": asdict(facts["geometry"]),
        "shape": pixels.shape,
        "bits": 8 * pixels.itemsize,
        "is_dicom": _is_dicom(content),
    }
    return words, pixels.tobytes()


def _geometry(content: bytes, _: Mapping[str, Any]) -> Answer:
    if _is_dicom(content):
        from shamsul_core.imaging import dicom

        geometry = dicom.geometry(dicom.opened(content))
    else:
        from shamsul_core.imaging import pictures

        geometry = pictures.geometry(content)
    return {"geometry": asdict(geometry)}, b""


def _mask(content: bytes, asked: Mapping[str, Any]) -> Answer:
    from shamsul_core.imaging import masks

    mask = masks.read(content, asked["pathology"], asked["image_name"])
    return {"shape": mask.shape}, mask.tobytes()


def _deidentified(content: bytes, asked: Mapping[str, Any]) -> Answer:
    from shamsul_core.imaging.deidentify import deidentified

    return {}, deidentified(content, bytes.fromhex(asked["secret"]))


_TASKS: dict[str, Callable[[bytes, Mapping[str, Any]], Answer]] = {
    "radiograph": _radiograph,
    "geometry": _geometry,
    "mask": _mask,
    "deidentified": _deidentified,
}


def _is_dicom(content: bytes) -> bool:
    from shamsul_core.imaging.reading import is_dicom

    return is_dicom(content)


def answer(asked: Mapping[str, Any], content: bytes) -> Answer:
    """Return what a file holds, or ``{"refused": sentence}``; an error of memory is ``{"ended": ...}``.

    Parameters
    ----------
    asked
        The ``task``, what it needs, and the ``path`` of a file whose content does not come along.
    content
        The file's bytes, where there is no path.

    Returns
    -------
    tuple
        What is said, for JSON, and bytes: of pixels or of a file.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        if "path" in asked:
            content = _content_of(Path(asked["path"]))
        return _TASKS[asked["task"]](content, asked)
    except RefusedError as error:
        return {"refused": str(error)}, b""
    except UnidentifiedImageError:
        return {"refused": NOT_AN_IMAGE}, b""
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"refused": "it is too large for a chest radiograph"}, b""
    except MemoryError:
        return {"ended": "memory"}, b""
    except Exception as error:  # noqa: BLE001 - decoders raise whatever they like on damaged bytes
        if _is_of_memory(error):
            return {"ended": "memory"}, b""
        return {"refused": DAMAGED, "because": f"{type(error).__name__}: {error}"[:500]}, b""


def _is_of_memory(error: BaseException | None) -> bool:
    """Return whether memory was what lacked, in whatever a library made of it."""
    while error is not None:
        words = str(error).lower()
        if isinstance(error, MemoryError) or "insufficient memory" in words or "cannot allocate" in words:
            return True
        error = error.__cause__ or error.__context__
    return False


def _content_of(path: Path) -> bytes:
    """Return a file's bytes; what is no file, such as a pipe, is refused without waiting for it."""
    try:
        with opened_regular(path) as (file, size):
            if size > LARGEST_FILE:
                refuse(f"it is larger than any radiograph ({size / 1e6:.0f} MB)")
            return file.read(size)
    except (FileNotFoundError, NotADirectoryError):
        refuse("it is missing; put it back or remove its line from the label file")
    except (IsADirectoryError, IrregularError):
        refuse("it is not a file")
    except OSError as error:
        refuse(f"it cannot be opened ({error.strerror}); make it readable")


def _load() -> None:
    """Import what DICOM files need while nothing is asked: it takes seconds."""
    for name in ("pydicom.pixels.utils", "highdicom", "cv2", "shamsul_core.imaging.dicom"):
        # There are systems that cannot look at a pipe without reading
        with suppress(OSError, ValueError):
            if select.select([sys.stdin], [], [], 0)[0]:
                return
        import_module(name)


def _bound_memory(most: int) -> None:
    """Bound what this process may take, where the system can: see `bounded`."""
    with suppress(ImportError, OSError, ValueError, StopIteration):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        lines = Path("/proc/self/status").read_text().splitlines()
        taken = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmSize"))
        resource.setrlimit(resource.RLIMIT_AS, (taken + most,) * 2)


def _bound_time(longest_s: float) -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        longest = int(used.ru_utime + used.ru_stime + longest_s) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (longest, resource.RLIM_INFINITY))


def main(memory_bytes: int, longest_cpu_s: float) -> None:
    """Answer until nothing more is asked.

    Parameters
    ----------
    memory_bytes
        What the process may take over what it starts with.
    longest_cpu_s
        Seconds of the processor that one file may take.
    """
    # Of pydicom and Pillow, of what is refused or of no consequence here
    warnings.simplefilter("ignore")
    source, out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What a decoder prints is no answer
    os.dup2(2, 1)
    # It has begun
    sent(out, {}, b"")
    _load()
    leave_no_dump()
    _bound_memory(memory_bytes)
    while True:
        try:
            asked, content = received(source, LARGEST_FILE)
        except (EOFError, struct.error, json.JSONDecodeError):
            return
        _bound_time(longest_cpu_s)
        words, data = answer(asked, bytes(content))
        del content
        sent(out, words, data)
        if "ended" in words:
            return


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        main(int(sys.argv[1]), float(sys.argv[2]))
