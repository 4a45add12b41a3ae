"""Masks of one pathology, as drawing tools write them. Runs in the bounded process only.

Read are pictures (PNG, marked where it is not transparent or, without transparency, not black), CheXlocalize's
segmentations (``{image: {task: RLE}}``), COCO files (polygons and both kinds of RLE) and Label Studio's exports (brush and
polygon labels).
"""

from __future__ import annotations

import io
import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from shamsul_core.imaging.contours import fill_contours
from shamsul_core.imaging.levels import check_size
from shamsul_core.imaging.refusals import MaskError, refuse
from shamsul_core.imaging.rle import decode_rle
from shamsul_core.imaging.segmentations import decode_segmentation
from shamsul_core.vocabulary import canonical_name, chexlocalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

_NOT_A_MASK = "it is neither a PNG nor a segmentation of CheXlocalize's, COCO's or Label Studio's"


def read(content: bytes, pathology: str, image_name: str) -> Mask:
    """Return the mask of one pathology, bool, H × W, of the size that the file has.

    Parameters
    ----------
    pathology
        By CheXpert's name.
    image_name
        The radiograph's file name, by which a file with masks of several is searched; of CheXlocalize's the first counts.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (
        b"{",
        b"[",
    ):
        try:
            stored = json.loads(content)
        except (ValueError, RecursionError):
            refuse(_NOT_A_MASK)
        return _of_json(stored, pathology, image_name)
    if content[:4] != b"\x89PNG":
        refuse(_NOT_A_MASK)
    return _of_png(content)


def _of_png(content: bytes) -> Mask:
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        check_size(image.height, image.width)
        if image.has_transparency_data:
            opacity = np.asarray(image.convert("RGBA"))[:, :, 3]
            if opacity.min() != opacity.max():
                return opacity > 0
        if image.mode.startswith("I"):
            return np.asarray(image) > 0
        return np.asarray(image.convert("L")) > 0


def _of_json(stored: Any, pathology: str, image_name: str) -> Mask:
    if (
        isinstance(stored, dict)
        and isinstance(stored.get("annotations"), list)
        and isinstance(stored.get("images"), list)
    ):
        return _of_coco(stored, pathology, image_name)
    if isinstance(stored, list) and any(isinstance(task, dict) and "annotations" in task for task in stored):
        return _of_label_studio(stored, pathology, image_name)
    if isinstance(stored, dict) and "annotations" in stored and "data" in stored:
        return _of_label_studio([stored], pathology, image_name)
    if not isinstance(stored, dict) or not stored:
        refuse("it contains no segmentation")
    masks = next(iter(stored.values()))
    task = chexlocalize_name(pathology)
    if not isinstance(masks, dict) or not isinstance(masks.get(task), dict):
        refuse(f"it contains no segmentation of {task}")
    return decode_rle(masks[task])


# COCO: https://cocodataset.org/#format-data


def _of_coco(stored: dict[str, Any], pathology: str, image_name: str) -> Mask:
    image = _the_one(stored["images"], image_name, lambda entry: str(entry.get("file_name", "")))
    size = (int(image["height"]), int(image["width"]))
    check_size(*size)
    categories = stored.get("categories", [])
    wanted = {category["id"] for category in categories if _is(pathology, str(category.get("name", "")))}
    ours = [mark for mark in stored["annotations"] if mark["image_id"] == image["id"]]
    of_pathology = [mark for mark in ours if mark["category_id"] in wanted]
    segmentations = [mark["segmentation"] for mark in of_pathology if mark.get("segmentation")]
    if not segmentations:
        names = sorted({str(category.get("name", ""))[:40] for category in categories})[:8]
        refuse(
            f"it contains boxes of {pathology} but no contour or mask"
            if any(mark.get("bbox") for mark in of_pathology)
            else f"it contains no segmentation of {pathology} on this radiograph (its categories: {', '.join(names) or 'none'})"
        )
    mask = np.zeros(size, bool)
    for segmentation in segmentations:
        try:
            mask |= decode_segmentation(segmentation, size)
        except MaskError as error:
            refuse(f"one of its masks cannot be used: {error}")
    return mask


# Label Studio: https://labelstud.io/guide/export


def _of_label_studio(tasks: list[Any], pathology: str, image_name: str) -> Mask:
    task = _the_one(
        [task for task in tasks if isinstance(task, dict)],
        image_name,
        lambda task: str(next(iter((task.get("data") or {}).values()), task.get("file_upload", ""))),
    )
    parts = []
    labels = set()
    for result in _results(task):
        value = result.get("value") or {}
        names = value.get("brushlabels") or value.get("polygonlabels") or []
        labels |= {str(name)[:40] for name in names}
        if not any(_is(pathology, str(name)) for name in names):
            continue
        size = (int(result["original_height"]), int(result["original_width"]))
        check_size(*size)
        if "rle" in value:
            parts.append(_of_brush(bytes(value["rle"]), size))
        elif "points" in value:
            parts.append(_of_percent(value["points"], size))
    if not parts:
        names_there = ", ".join(sorted(labels)[:8]) or "none"
        refuse(
            f"it contains no brush or polygon of {pathology} on this radiograph (its labels: {names_there})"
        )
    if len({part.shape for part in parts}) > 1:
        refuse("its masks of this radiograph have several sizes")
    return np.asarray(np.any(parts, axis=0))


def _results(task: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for annotation in task.get("annotations") or []:
        if not annotation.get("was_cancelled"):
            yield from annotation.get("result") or []


def _of_percent(points: list[list[float]], size: tuple[int, int]) -> Mask:
    return fill_contours([np.array(points, np.float64) * np.array([size[1], size[0]]) / 100], size)


def _of_brush(packed: bytes, size: tuple[int, int]) -> Mask:
    """Decode Label Studio's run-length code of an RGBA picture, of which the opacity is the mask.

    The code is that of thi.ng's rle-pack, as label-studio-sdk's ``converter/brush.py`` reads it: 32 bits of how many
    values follow, 5 of their width, four times 4 of the run lengths' widths; then runs, each with one bit of whether one
    value repeats, two of which width its length has, the length less one, and the value or values.
    """
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    at = 0

    def take(count: int) -> int:
        nonlocal at
        if at + count > len(bits):
            refuse("one of its brush masks is cut short")
        value = int("".join(map(str, bits[at : at + count])), 2)
        at += count
        return value

    total, width = take(32), take(5) + 1
    lengths = [take(4) + 1 for _ in range(4)]
    if total != size[0] * size[1] * 4:
        refuse("one of its brush masks does not have the size that it states")
    values = np.zeros(total, np.uint8)
    start = 0
    while start < total:
        repeats, count = take(1), take(lengths[take(2)]) + 1
        if start + count > total:
            refuse("one of its brush masks is longer than it states")
        if repeats:
            values[start : start + count] = min(take(width), 255)
        else:
            if at + count * width > len(bits):
                refuse("one of its brush masks is cut short")
            group = bits[at : at + count * width].reshape(count, width)
            at += count * width
            values[start : start + count] = np.minimum(group @ (1 << np.arange(width)[::-1]), 255)
        start += count
    return values.reshape(*size, 4)[:, :, 3] > 0


def _the_one(entries: list[Any], image_name: str, name_of: Any) -> dict[str, Any]:
    """Return the entry of this radiograph: the only one, or the one with its file name."""
    if len(entries) == 1:
        return dict(entries[0])
    stem = PurePath(image_name).stem
    same = [entry for entry in entries if PurePath(name_of(entry).replace("\\", "/")).stem == stem]
    if len(same) != 1:
        refuse(f"it describes {len(entries)} radiographs, of which {len(same)} are called {stem[:60]!r}")
    return dict(same[0])


def _is(pathology: str, name: str) -> bool:
    """Return whether a name means a pathology, however it is spelt."""
    wanted = {_letters(pathology), _letters(chexlocalize_name(pathology))}
    return _letters(name) in wanted or _letters(canonical_name(name.strip())) in wanted


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
