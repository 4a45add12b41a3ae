"""COCO's JSON and a folder of images (https://cocodataset.org/#format-data), as CVAT, Label Studio and TBX11K write it.

::

    <folder>/annotations/instances_train.json     any JSON with images, annotations and categories, any number of them
    <folder>/images/**/*.png                      or anywhere else in the folder: found by the name that the file gives

An image is positive of the categories that it has annotations of and negative of the others. Of a category all
annotations are taken for boxes where one is nothing but a box; else they are polygons or masks, crowds like others.
"""

from __future__ import annotations

import json
import mmap
import re
from typing import TYPE_CHECKING, Any

from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.label_table import LabelRow
from shamsul_core.cohort.layouts.splits import ALL, SPLIT_NAMES, choose_split
from shamsul_core.cohort.marks import Mark
from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.cohort.tabular import Tables, TabularCohort
from shamsul_core.imaging.boxes import read_box
from shamsul_core.imaging.refusals import MaskError
from shamsul_core.imaging.rle import read_size
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from shamsul_core.cohort.radiograph import Size

_DEEPEST = 3
_MOST_FILES = 200
_LARGEST_FILE = 2_000_000_000
_KEYS = ("images", "annotations", "categories")


def is_here(folder: Path) -> bool:
    """Return whether any such file is."""
    return next(_files(folder), None) is not None


def open_coco(folder: Path, split: str | None) -> TabularCohort:
    """Open the files of a split, which their names give; by default val, test or train, else all of them together.

    Raises
    ------
    CohortError
        None of them can be read, or there is no such split.
    """
    paths = list(_files(folder))
    splits = {path: _split_of(path, folder) for path in paths}
    named = [name for name in ("val", "test", "train") if name in splits.values()]
    chosen = choose_split(split, (*named, ALL), folder)
    reading = _Reading(folder)
    for path in paths:
        if chosen in (ALL, splits[path]):
            reading.read(path)
    if not reading.files:
        first = (
            reading.problems[0] if reading.problems else "there is no JSON file with images and annotations"
        )
        raise CohortError(str(first), subject=str(folder))
    return TabularCohort(reading.tables(chosen), ImageIndex(folder))


def _files(folder: Path) -> Iterator[Path]:
    patterns = ("*.json", "*/*.json", "*/*/*.json")[:_DEEPEST]
    paths = [path for pattern in patterns for path in sorted(folder.glob(pattern))[:_MOST_FILES]]
    yield from (path for path in paths if _has_keys(path))


def _has_keys(path: Path) -> bool:
    """Return whether a file names the three lists of COCO's, without parsing it."""
    try:
        if not 0 < path.stat().st_size <= _LARGEST_FILE:
            return False
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return all(content.find(f'"{key}"'.encode()) >= 0 for key in _KEYS)
    except (OSError, ValueError):
        return False


def _split_of(path: Path, folder: Path) -> str:
    """Return the split that a file's name gives, else its folder's; ``all_trainval.json`` is of none."""
    for name in (path.stem, path.parent.name if path.parent != folder else ""):
        words = re.findall(r"[a-z]+", name.lower())
        splits = {SPLIT_NAMES.get(word, word) for word in words} & {"train", "val", "test"}
        if splits:
            return splits.pop() if len(splits) == 1 else ALL
    return ALL


class _Reading:
    """What the files say together; an image that several name, by the same path, is one radiograph."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: list[Path] = []
        self.problems: list[Problem] = []
        self._names: dict[str, str] = {}
        self._sizes: dict[str, Size] = {}
        self._marks: dict[str, dict[str, Mark]] = {}
        self._categories: dict[str, None] = {}

    def read(self, path: Path) -> None:
        """Add what a file says."""
        try:
            content = json.loads(path.read_bytes())
        # RecursionError: brackets nested thousands deep
        except (OSError, ValueError, RecursionError) as error:
            self.problems.append(Problem(path.name, f"it cannot be read ({error}); it is left out"))
            return
        if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in _KEYS):
            message = "it must hold the lists images, annotations and categories; it is left out"
            self.problems.append(Problem(path.name, message))
            return
        self.files.append(path)
        categories = {
            str(category.get("id")): canonical_name(str(category.get("name", "")))
            for category in content["categories"]
            if isinstance(category, dict)
        }
        self._categories |= dict.fromkeys(name for name in categories.values() if name)
        images = {
            str(image.get("id")): self._image(image, path)
            for image in content["images"]
            if isinstance(image, dict)
        }
        for annotation in content["annotations"]:
            self._add(annotation, images, categories, path)

    def _image(self, image: dict[str, Any], path: Path) -> str:
        name = str(image.get("file_name", ""))
        image_id = id_of(name)
        # Where each split has its file beside its images, names may be those of another split too
        beside = "" if path.parent == self._folder else f"{path.parent.name}/"
        self._names.setdefault(image_id, beside + name)
        try:
            self._sizes.setdefault(image_id, read_size([image.get("height"), image.get("width")]))
        except MaskError as error:
            if image.get("height") is not None:
                self.problems.append(Problem(f"{path.name} {quoted(name)}", str(error)))
        return image_id

    def _add(self, annotation: Any, images: dict[str, str], categories: dict[str, str], path: Path) -> None:
        about = annotation if isinstance(annotation, dict) else {}
        image_id, name = images.get(str(about.get("image_id"))), categories.get(str(about.get("category_id")))
        subject = f"{path.name} annotation {quoted(about.get('id'))}"
        if image_id is None or not name:
            message = "there is no image or no category of the number that it gives; it is left out"
            self.problems.append(Problem(subject, message))
            return
        segmentation = about.get("segmentation") or None
        try:
            box = _box(about.get("bbox"), segmentation)
        except MaskError as error:
            self.problems.append(Problem(subject, f"{error}; it is left out"))
            return
        mark = Mark(name, box, segmentation)
        # The same in several files is one
        self._marks.setdefault(image_id, {}).setdefault(json.dumps(mark, default=str), mark)

    def tables(self, split: str) -> Tables:
        """Return all of it."""
        marks = {image_id: list(of_image.values()) for image_id, of_image in self._marks.items()}
        positive = {image_id: {mark.pathology for mark in of_image} for image_id, of_image in marks.items()}
        rows = [
            LabelRow(
                line=number,
                image_id=image_id,
                path=name,
                labels={
                    category: float(category in positive.get(image_id, ())) for category in self._categories
                },
            )
            for number, (image_id, name) in enumerate(self._names.items(), 1)
        ]
        return Tables(
            layout="coco",
            folder=self._folder,
            split=split,
            rows=rows,
            observations=tuple(self._categories),
            marks=marks,
            drawn_on=self._sizes,
            source=", ".join(path.name for path in self.files[:3]),
            files={"radiographs": (self._folder,), "annotations": tuple(self.files)},
            problems=self.problems,
        )


def _box(bbox: object, segmentation: object) -> tuple[float, float, float, float] | None:
    """Return an annotation's box, ``None`` where it has a segmentation alone."""
    if isinstance(bbox, list) and bbox:
        return read_box(bbox, is_sized=True)
    if segmentation is None:
        message = "it has neither bbox nor segmentation"
        raise MaskError(message)
    return _around(segmentation) if isinstance(segmentation, list) else None


def _around(polygons: Sequence[object]) -> tuple[float, float, float, float]:
    numbers = [number for polygon in polygons if isinstance(polygon, list) for number in polygon]
    if len(numbers) < 2 or not all(isinstance(number, int | float) for number in numbers):
        message = f"a polygon must be [x0, y0, x1, y1, x2, y2, ...] in pixels, it is {quoted(polygons)}"
        raise MaskError(message)
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
