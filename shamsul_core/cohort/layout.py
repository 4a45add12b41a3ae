"""Where the files of a cohort lie: CheXpert's and CheXlocalize's folders as released.

::

    <folder>/CheXpert/val/patient64541/study1/view1_frontal.jpg    or CheXpert-v1.0(-small)/valid/...
    <folder>/CheXpert/val_labels.csv                               or valid.csv, here or in <folder>
    <folder>/CheXlocalize/gt_segmentations_val.json, gt_annotations_val.json, hb_*_test.json
    <folder>/CheXpert/SIMULATED.txt                                the label of radiographs that are not of patients

As Stanford's archives unpack, where the radiographs of train are spread over three folders::

    <folder>/CheXpert-v1.0 batch 1 (validate & csv)/valid/, valid.csv, train.csv
    <folder>/CheXpert-v1.0 batch 2 (train 1)/patient00001/...      and batch 3 (train 2), batch 4 (train 3)

The test set's labels may be ``groundtruth.csv`` of rajpurkarlab/cheXpert-test-set-labels, a line a study. CheXpert Plus
has one table of all splits, its radiographs in ``PNG/`` and its labels in ``chexbert_labels/``. All of these may lie in
``CheXpert/``, in Kaggle's ``archive/`` or ``chexpert/``, in Stanford's ``chexpertchestxrays-u20210408/``, or in
`folder` itself.
"""

from __future__ import annotations

import filecmp
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from shamsul_core.cohort.problems import CohortError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Split: TypeAlias = Literal["train", "val", "test"]

_DOWNLOADS = ("CheXpert", ".", "archive", "chexpert", "chexpertchestxrays-u20210408")
_RELEASES = (
    ".",
    "CheXpert-v1.0",
    "CheXpert-v1.0-small",
    "CheXpert-v1.0 batch 1 (validate & csv)",
    "PNG",
    "PNG/PNG",
)
_BATCHES = tuple(f"CheXpert-v1.0 batch {number + 1} (train {number})" for number in (1, 2, 3))
_IMAGE_FOLDERS: dict[Split, tuple[str, ...]] = {
    "val": ("val", "valid"),
    "test": ("test",),
    "train": ("train",),
}
_LABEL_FILES: dict[Split, tuple[str, ...]] = {
    "val": ("val_labels.csv", "valid_labels.csv", "valid.csv", "val.csv"),
    "test": ("test_labels.csv", "test.csv"),
    "train": ("train_labels.csv", "train.csv"),
}
_PLUS_TABLE = "df_chexpert_plus_240401.csv"
# Where there is none of those
_OTHER_LABEL_FILES: dict[Split, tuple[str, ...]] = {
    "val": (_PLUS_TABLE,),
    "test": ("groundtruth.csv", "cheXpert-test-set-labels/groundtruth.csv"),
    "train": (_PLUS_TABLE,),
}
# Of the report's impression, as CheXpert's own labels
_PLUS_LABELS = "impression_fixed.json"
_EXPERT_FILES = {
    "gt_segmentations": "gt_segmentations_{}.json",
    "gt_annotations": "gt_annotations_{}.json",
    "hb_segmentations": "hb_segmentations_{}.json",
    "hb_annotations": "hb_annotations_{}.json",
    "hb_salient_points": "hb_salient_pt_{}.json",
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The files of one split of a cohort.

    Parameters
    ----------
    folder
        The folder as it was given.
    split
        ``"train"``, ``"val"`` or ``"test"``.
    images
        Folders of the split's radiographs, more than one where it is released in parts.
    labels
        The label file.
    plus_labels
        CheXpert Plus's labels, which its table does not have, where they lie beside it.
    expert_files
        The annotation files there are: ``gt_segmentations``, ``gt_annotations``, ``hb_segmentations``,
        ``hb_annotations``, ``hb_salient_points``.
    simulated
        The file that says that the radiographs are simulated, where there is one.
    """

    folder: Path
    split: Split
    images: tuple[Path, ...]
    labels: Path
    plus_labels: Path | None
    expert_files: dict[str, Path]
    simulated: Path | None

    @property
    def searched(self) -> str:
        """The folders of radiographs in words."""
        return " or ".join(str(folder) for folder in self.images)

    @property
    def split_names(self) -> tuple[str, ...]:
        """What files call the split."""
        return _IMAGE_FOLDERS[self.split]

    @property
    def remarks(self) -> Iterator[Problem]:
        """What was looked for beside the radiographs and not found."""
        if self.labels.name == _PLUS_TABLE and self.plus_labels is None:
            message = f"it holds no labels and there is no chexbert_labels/{_PLUS_LABELS} beside it; labels are blank"
            yield Problem(self.labels.name, message)
        if self.split != "train" and not any(kind.startswith("gt") for kind in self.expert_files):
            looked_for = f"CheXlocalize/{_EXPERT_FILES['gt_segmentations'].format(self.split)}"
            message = f"there is no {looked_for} beside the radiographs; without contours there is no IoU"
            yield Problem(str(self.folder), message)


def is_here(folder: Path) -> bool:
    """Return whether a folder has a split of it, or a folder of its name."""
    has_split = any(_image_folders(folder, split) and _label_files(folder, split) for split in _IMAGE_FOLDERS)
    names = ("CheXlocalize", *_DOWNLOADS, *_RELEASES, *_BATCHES)
    return has_split or any((folder / name).is_dir() for name in names if name not in (".", "archive", "PNG"))


def find_layout(folder: Path, split: str | None) -> Layout:
    """Find the files of one split.

    Parameters
    ----------
    folder
        See the module's text.
    split
        ``"train"``, ``"val"`` (or ``"valid"``) or ``"test"``. By default the one with expert annotations, else the
        first there is, both in the order val, test, train.

    Returns
    -------
    Layout
        Where everything lies.

    Raises
    ------
    CohortError
        There is no such split, or there are two of it; says what was looked for and what was found.
    """
    if not folder.is_dir():
        message = "there is no such folder; give the one that contains CheXpert/ and CheXlocalize/"
        raise CohortError(message, subject=str(folder))
    chosen = _default_split(folder) if split is None else _named_split(folder, split)
    images = _the_only(_image_folders(folder, chosen), folder, f"folders of {chosen} radiographs")
    labels = _the_only(_singly(_label_files(folder, chosen)), folder, f"{chosen} label files")
    if not images or not labels:
        raise _missing(folder, (chosen,))
    experts = {
        kind: _the_only(_singly(paths), folder, paths[0].name)[0]
        for kind, paths in _expert_files(folder, chosen).items()
    }
    beside = labels[0].parent
    plus_labels = (beside / "chexbert_labels" / _PLUS_LABELS, beside / _PLUS_LABELS)
    return Layout(
        folder=folder,
        split=chosen,
        images=images,
        labels=labels[0],
        plus_labels=next((path for path in plus_labels if path.is_file()), None),
        expert_files=experts,
        simulated=next((path for path in _simulated_files(folder, images) if path.is_file()), None),
    )


def _named_split(folder: Path, split: str) -> Split:
    name = "val" if split == "valid" else split
    if name not in _IMAGE_FOLDERS:
        message = f"there is no split named {split!r}; a cohort has train, val and test"
        raise CohortError(message, subject=str(folder))
    return name


def _default_split(folder: Path) -> Split:
    present = [
        split for split in _IMAGE_FOLDERS if _image_folders(folder, split) and _label_files(folder, split)
    ]
    if not present:
        raise _missing(folder, tuple(_IMAGE_FOLDERS))
    annotated = [
        split for split in present if any(kind.startswith("gt") for kind in _expert_files(folder, split))
    ]
    return (annotated or present)[0]


def _bases(folder: Path) -> list[Path]:
    return [folder / download / release for download in _DOWNLOADS for release in _RELEASES]


def _image_folders(folder: Path, split: Split) -> list[tuple[Path, ...]]:
    """Return the places of a split's radiographs, each the folders that hold them together."""
    places = [base / name for base in _bases(folder) for name in _IMAGE_FOLDERS[split]]
    whole = _singly([place for place in places if place.is_dir()])
    if split != "train":
        return whole
    spread = [tuple(_batches(folder / download)) for download in _DOWNLOADS]
    return whole + [batches for batches in spread if batches]


def _batches(folder: Path) -> Iterator[Path]:
    for name in _BATCHES:
        if (folder / name).is_dir():
            # As some unpack it
            inner = folder / name / "train"
            yield inner if inner.is_dir() else folder / name


def _label_files(folder: Path, split: Split) -> list[Path]:
    usual, unusual = (
        [base / name for base in _bases(folder) for name in names[split] if (base / name).is_file()]
        for names in (_LABEL_FILES, _OTHER_LABEL_FILES)
    )
    return usual or unusual


def _expert_files(folder: Path, split: Split) -> dict[str, list[Path]]:
    folders = [folder / "CheXlocalize", folder]
    if folder.resolve().name in (*_DOWNLOADS, *_RELEASES):
        folders.append(folder.resolve().parent / "CheXlocalize")
    places = {kind: [place / name.format(split) for place in folders] for kind, name in _EXPERT_FILES.items()}
    files = {kind: [path for path in paths if path.is_file()] for kind, paths in places.items()}
    return {kind: paths for kind, paths in files.items() if paths}


def _simulated_files(folder: Path, images: tuple[Path, ...]) -> tuple[Path, ...]:
    return images[0].parent / "SIMULATED.txt", folder / "CheXpert" / "SIMULATED.txt", folder / "SIMULATED.txt"


def _singly(paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    return [(path,) for path in paths]


def _the_only(places: Sequence[tuple[Path, ...]], folder: Path, what: str) -> tuple[Path, ...]:
    """Return the one place, or the first of copies of each other; to guess would be to mix cohorts."""
    if any(not _are_copies(places[0], place) for place in places[1:]):
        names = ", ".join(_names(place, folder, " and ") for place in places)
        message = f"there are {len(places)} {what} ({names}); keep one of them, or give that one's own folder"
        raise CohortError(message, subject=str(folder))
    return places[0] if places else ()


def _are_copies(place: tuple[Path, ...], second: tuple[Path, ...]) -> bool:
    return len(place) == len(second) and all(map(_is_copy, place, second))


def _is_copy(path: Path, second: Path) -> bool:
    try:
        return path.samefile(second) or (path.is_file() and filecmp.cmp(path, second, shallow=False))
    except OSError:
        return False


def _missing(folder: Path, splits: Sequence[Split]) -> CohortError:
    images = [f"CheXpert/{name}/" for split in splits for name in _IMAGE_FOLDERS[split]]
    labels = [name for split in splits for name in _LABEL_FILES[split]]
    paths_there = [
        path
        for split in splits
        for paths in (*_image_folders(folder, split), _label_files(folder, split))
        for path in paths
    ]
    there = _names(paths_there, folder) if paths_there else f"only {_content(folder)}"
    message = (
        f"looked for radiographs in {' or '.join(images)} with labels in {' or '.join(labels)}; found {there}"
    )
    return CohortError(message, subject=str(folder))


def _names(paths: Sequence[Path], folder: Path, between: str = ", ") -> str:
    names = [str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path) for path in paths]
    return between.join(names)


def _content(folder: Path) -> str:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        return f"a folder that cannot be listed ({error.strerror})"
    return (", ".join(names[:8]) + (", ..." if len(names) > 8 else "")) or "an empty folder"
