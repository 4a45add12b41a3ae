"""A DICOM file's pixels. Compressed ones are decoded in a process of their own, which may end without harm.

The decoders are C and C++: of a damaged stream some end the process and some never come back.
"""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmread
from pydicom.pixels.utils import pixel_array

from shamsul_core.upload import ROOT

if TYPE_CHECKING:
    import numpy.typing as npt
    from pydicom.dataset import Dataset

_LONGEST_S, _LONGEST_S_PER_MEGAPIXEL = 4.0, 0.2


def decoded(image: Dataset, content: bytes) -> npt.NDArray[Any]:
    """Return the pixels of a single frame as they are stored, H × W or H × W × 3.

    Parameters
    ----------
    image
        What `content` was read as.

    Raises
    ------
    ValueError
        If they cannot be decoded; pydicom's own errors where they are not compressed.
    """
    if not image.file_meta.TransferSyntaxUID.is_encapsulated:
        return np.asarray(pixel_array(image))
    longest = _LONGEST_S + _LONGEST_S_PER_MEGAPIXEL * int(image.Rows) * int(image.Columns) / 1e6
    command = [sys.executable, "-m", "shamsul_core.upload.decoding"]
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603
            command, input=content, capture_output=True, timeout=longest, check=True, cwd=ROOT
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        message = "the compressed image cannot be decoded"
        raise ValueError(message) from error
    return np.asarray(np.load(io.BytesIO(done.stdout), allow_pickle=False))


def _decode_for_parent() -> None:
    """Decode what comes in, in DICOM, and put it out as numpy has it."""
    warnings.simplefilter("ignore")
    file = io.BytesIO()
    np.save(file, pixel_array(dcmread(io.BytesIO(sys.stdin.buffer.read()), force=True)), allow_pickle=False)
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    _decode_for_parent()
