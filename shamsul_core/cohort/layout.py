"""Where the files of a cohort lie: CheXpert's and CheXlocalize's folders as released.

::

    <folder>/CheXpert/val/patient64541/study1/view1_frontal.jpg    or CheXpert-v1.0(-small)/valid/...
    <folder>/CheXpert/val_labels.csv                               or valid.csv, here or in <folder>
    <folder>/CheXlocalize/gt_segmentations_val.json, gt_annotations_val.json, hb_*_test.json
    <folder>/CheXpert/SIMULATED.txt                                the label of radiographs that are not of patients

`folder` may also be the CheXpert folder itself.
"""

from __future__ import annotations

import filecmp
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from shamsul_core.cohort.problems import CohortError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Split: TypeAlias = Literal["train", "val", "test"]

_BASES = ("CheXpert", "CheXpert-v1.0", "CheXpert-v1.0-small", ".")
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
        Which part of it.
    images
        Folder of the split's radiographs.
    labels
        The label file.
    expert_files
        The annotation files there are: ``gt_segmentations``, ``gt_annotations``, ``hb_segmentations``,
        ``hb_annotations``, ``hb_salient_points``.
    simulated
        The file that says that the radiographs are simulated, where there is one.
    """

    folder: Path
    split: Split
    images: Path
    labels: Path
    expert_files: dict[str, Path]
    simulated: Path | None


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
    chosen = _default_split(folder) if split is None else _known_split(folder, split)
    images = _the_only(_image_folders(folder, chosen), folder, f"folders of {chosen} radiographs")
    labels = _the_only(_label_files(folder, chosen), folder, f"{chosen} label files")
    if images is None or labels is None:
        raise _missing(folder, (chosen,))
    experts = {
        kind: _the_only(paths, folder, paths[0].name) for kind, paths in _expert_files(folder, chosen).items()
    }
    return Layout(
        folder=folder,
        split=chosen,
        images=images,
        labels=labels,
        expert_files={kind: path for kind, path in experts.items() if path is not None},
        simulated=next((path for path in _simulated_files(folder, images) if path.is_file()), None),
    )


def _known_split(folder: Path, split: str) -> Split:
    known = "val" if split == "valid" else split
    if known not in _IMAGE_FOLDERS:
        message = f"there is no split named {split!r}; a cohort has train, val and test"
        raise CohortError(message, subject=str(folder))
    return known


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


def _image_folders(folder: Path, split: Split) -> list[Path]:
    places = [folder / base / name for base in _BASES for name in _IMAGE_FOLDERS[split]]
    return [place for place in places if place.is_dir()]


def _label_files(folder: Path, split: Split) -> list[Path]:
    places = [folder / base / name for base in _BASES for name in _LABEL_FILES[split]]
    return [place for place in places if place.is_file()]


def _expert_files(folder: Path, split: Split) -> dict[str, list[Path]]:
    folders = [folder / "CheXlocalize", folder]
    if folder.resolve().name == "CheXpert":
        folders.append(folder.resolve().parent / "CheXlocalize")
    places = {kind: [place / name.format(split) for place in folders] for kind, name in _EXPERT_FILES.items()}
    found = {kind: [path for path in paths if path.is_file()] for kind, paths in places.items()}
    return {kind: paths for kind, paths in found.items() if paths}


def _simulated_files(folder: Path, images: Path) -> tuple[Path, ...]:
    return images.parent / "SIMULATED.txt", folder / "CheXpert" / "SIMULATED.txt", folder / "SIMULATED.txt"


def _the_only(paths: Sequence[Path], folder: Path, what: str) -> Path | None:
    """Return the one path, or the first of files that are copies of each other; to guess would be to mix cohorts."""
    if any(not _is_copy(paths[0], other) for other in paths[1:]):
        message = f"there are {len(paths)} {what} ({_names(paths, folder)}); keep one of them, or give that one's own folder"
        raise CohortError(message, subject=str(folder))
    return paths[0] if paths else None


def _is_copy(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other) or (path.is_file() and filecmp.cmp(path, other, shallow=False))
    except OSError:
        return False


def _missing(folder: Path, splits: Sequence[Split]) -> CohortError:
    images = [f"CheXpert/{name}/" for split in splits for name in _IMAGE_FOLDERS[split]]
    labels = [name for split in splits for name in _LABEL_FILES[split]]
    found = [
        path for split in splits for path in (*_image_folders(folder, split), *_label_files(folder, split))
    ]
    there = _names(found, folder) if found else f"only {_content(folder)}"
    message = (
        f"looked for radiographs in {' or '.join(images)} with labels in {' or '.join(labels)}; found {there}"
    )
    return CohortError(message, subject=str(folder))


def _names(paths: Sequence[Path], folder: Path) -> str:
    shown = [str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path) for path in paths]
    return ", ".join(shown)


def _content(folder: Path) -> str:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        return f"a folder that cannot be listed ({error.strerror})"
    return (", ".join(names[:8]) + (", ..." if len(names) > 8 else "")) or "an empty folder"
