"""COCO's run-length encoding of masks, checked before it is decoded.

pycocotools decodes in C and trusts what it gets: a string cut off makes it read past the end, runs that do not sum to
the mask's size make it write there. Nothing from a file reaches it; decoding is done here, on runs that were checked.

Format: ``{"size": [h, w], "counts": ...}``. The counts are the lengths of runs of 0 and 1 in turn, beginning with 0,
down the columns one after the other; as a list, or as text with 5 bits a character from ``"0"`` on, a sixth bit for
"more follow", the sign in the last, and from the fourth run on the difference to the run two before
(``rleToString`` in pycocotools' ``maskApi.c``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, TypedDict

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from shamsul_core.imaging.refusals import MaskError
from shamsul_core.messages import quoted

MaskArray: TypeAlias = npt.NDArray[np.bool_]
Size: TypeAlias = tuple[int, int]
"""Height and width in pixels."""

RunArray: TypeAlias = npt.NDArray[np.int64]

_MOST_PIXELS = 2**28
# 35 bits, beyond any run of a mask this large, and far from overflowing 64
_MOST_CHARACTERS_PER_RUN = 7


class Rle(TypedDict):
    """A mask as CheXlocalize's files hold it."""

    size: list[int]
    counts: str


def encode_mask(mask: npt.NDArray[np.generic]) -> Rle:
    """Encode a mask as CheXlocalize's files do, ready for JSON.

    Parameters
    ----------
    mask
        H × W, bool or numbers of which every one but 0 is inside.

    Returns
    -------
    Rle
        ``{"size": [h, w], "counts": text}``.

    Raises
    ------
    MaskError
        The mask does not have two dimensions or no pixels.

    Examples
    --------
    >>> encode_mask(np.array([[0, 1], [0, 1]]))
    {'size': [2, 2], 'counts': '22'}
    """
    if mask.ndim != 2 or mask.size == 0:
        message = f"a mask must be height × width with at least one pixel, this one has shape {mask.shape}"
        raise MaskError(message)
    inside = (mask != 0).view(np.uint8)
    # Column by column, far faster than numpy's copy
    encoded = coco_mask.encode(cv2.transpose(inside).T)
    return {"size": [int(side) for side in mask.shape], "counts": encoded["counts"].decode("ascii")}


def decode_rle(rle: Mapping[str, object]) -> MaskArray:
    """Decode a mask from COCO's run-length encoding.

    Parameters
    ----------
    rle
        ``size`` [h, w] and ``counts``: text, bytes, or the list of runs.

    Returns
    -------
    numpy.ndarray
        bool, H × W.

    Raises
    ------
    MaskError
        The encoding is malformed; says how.

    Examples
    --------
    >>> decode_rle({"size": [2, 2], "counts": "22"}).tolist()
    [[False, True], [False, True]]
    """
    height, width = size_of_rle(rle)
    runs = run_lengths(rle)
    inside = np.arange(len(runs)) % 2 == 1
    columns = np.repeat(inside, runs).reshape(width, height)
    return np.asarray(cv2.transpose(columns.view(np.uint8)).view(np.bool_))


def area_of_rle(rle: Mapping[str, object]) -> int:
    """Count the pixels inside a mask without decoding it.

    Parameters
    ----------
    rle
        As in `decode_rle`.

    Returns
    -------
    int
        Number of pixels.

    Raises
    ------
    MaskError
        The encoding is malformed; says how.

    Examples
    --------
    >>> area_of_rle({"size": [2, 2], "counts": "22"})
    2
    """
    return int(run_lengths(rle)[1::2].sum())


def size_of_rle(rle: Mapping[str, object]) -> Size:
    """Read the size of a run-length encoded mask.

    Parameters
    ----------
    rle
        As in `decode_rle`; anything else is an error that says so.

    Returns
    -------
    tuple of int
        Height and width.

    Raises
    ------
    MaskError
        There is no such size.
    """
    if not isinstance(rle, Mapping) or "size" not in rle or "counts" not in rle:
        message = f"the mask must be an object with size and counts, it is {quoted(rle)}"
        raise MaskError(message)
    return read_size(rle["size"])


def read_size(value: object) -> Size:
    """Read [height, width] from a file.

    Parameters
    ----------
    value
        What the file has.

    Returns
    -------
    tuple of int
        Height and width, both at least 1.

    Raises
    ------
    MaskError
        It is anything else, or larger than any radiograph.
    """
    if not (isinstance(value, list | tuple) and len(value) == 2 and all(_is_length(side) for side in value)):
        message = f"the size must be [height, width] in whole pixels, it is {quoted(value)}"
        raise MaskError(message)
    height, width = int(value[0]), int(value[1])
    if not 0 < height * width <= _MOST_PIXELS:
        message = f"the size {height} × {width} is not that of a radiograph"
        raise MaskError(message)
    return height, width


def run_lengths(rle: Mapping[str, object]) -> RunArray:
    """Read and check the runs of a mask.

    Parameters
    ----------
    rle
        As in `decode_rle`.

    Returns
    -------
    numpy.ndarray
        int64, (n,): runs outside and inside in turn, none negative, summing to height × width.

    Raises
    ------
    MaskError
        The encoding is malformed; says how.
    """
    height, width = size_of_rle(rle)
    runs = _read_counts(rle["counts"])
    if (runs < 0).any():
        message = f"the mask does not decode: run {int(np.argmax(runs < 0)) + 1} is negative"
        raise MaskError(message)
    if int(runs.sum()) != height * width:
        message = f"the mask does not decode: its runs cover {int(runs.sum())} pixels, its size is {height} × {width}"
        raise MaskError(message)
    return runs


def _is_length(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _read_counts(counts: object) -> RunArray:
    if isinstance(counts, list):
        return _plain_runs(counts)
    if isinstance(counts, str) and counts.isascii():
        return _compressed_runs(counts.encode("ascii"))
    if isinstance(counts, bytes):
        return _compressed_runs(counts)
    message = f"the mask does not decode: its counts are {quoted(counts)}"
    raise MaskError(message)


def _plain_runs(counts: list[object]) -> RunArray:
    for count in counts:
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _MOST_PIXELS:
            message = f"the mask does not decode: {quoted(count)} is not the length of a run"
            raise MaskError(message)
    return np.array(counts, dtype=np.int64)


def _compressed_runs(counts: bytes) -> RunArray:
    digits = np.frombuffer(counts, dtype=np.uint8).astype(np.int64) - ord("0")
    if digits.size == 0 or digits.min() < 0 or digits.max() > 63:
        message = f"the mask does not decode: {quoted(counts)} is not run-length encoded text"
        raise MaskError(message)
    return _undo_differences(_join_digits(digits))


def _join_digits(digits: RunArray) -> RunArray:
    """Put the 5-bit digits of each number together, lowest first, with the sign in its last."""
    last = np.flatnonzero(digits & 32 == 0)
    if last.size == 0 or last[-1] != digits.size - 1:
        message = "the mask does not decode: the encoding is cut off"
        raise MaskError(message)
    first = np.concatenate(([0], last[:-1] + 1))
    length = last - first + 1
    if length.max() > _MOST_CHARACTERS_PER_RUN:
        message = "the mask does not decode: a run is longer than any radiograph"
        raise MaskError(message)
    place = 5 * (np.arange(digits.size) - np.repeat(first, length))
    numbers: RunArray = np.add.reduceat((digits & 31) << place, first)
    is_negative = digits[last] & 16 != 0
    return numbers - np.where(is_negative, np.int64(1) << (5 * length), 0)


def _undo_differences(numbers: RunArray) -> RunArray:
    """Turn differences to the run two before, which begin at the fourth number, into runs."""
    runs = numbers.copy()
    runs[1::2] = np.cumsum(numbers[1::2])
    runs[2::2] = np.cumsum(numbers[2::2])
    return runs
