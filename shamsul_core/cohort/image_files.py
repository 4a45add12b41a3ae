"""The image files of a split, found in one walk over the folders and without opening any."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from shamsul_core.cohort.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# patient / study / view
_DEPTH = 3
_SHAPE = re.compile(
    r"(?:^|[\\/])(patient\d+)[\\/](study\d+)[\\/](view\d+_(?:frontal|lateral))\.(?:jpe?g|png|tiff?|dcm)\Z",
    re.I,
)
_STUDY = re.compile(r"(?:^|[\\/])(patient\d+)[\\/](study\d+)[\\/]?\Z", re.I)
_ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".dcm")


def image_id_of(path: str) -> str | None:
    """Return the id of the radiograph that a path names, ``None`` where the path has not CheXpert's shape.

    Parameters
    ----------
    path
        Any number of folders, then ``patientN/studyN/viewN_frontal.jpg``.

    Examples
    --------
    >>> image_id_of("CheXpert-v1.0/valid/patient64541/study1/view1_frontal.jpg")
    'patient64541_study1_view1_frontal'
    """
    return _id_of(path, _SHAPE)


def study_id_of(path: str) -> str | None:
    """Return what the ids of a study's radiographs begin with, ``None`` where a path has not the shape of a study's.

    Examples
    --------
    >>> study_id_of("CheXpert-v1.0/test/patient64741/study1")
    'patient64741_study1'
    """
    return _id_of(path, _STUDY)


def _id_of(path: str, shape: re.Pattern[str]) -> str | None:
    match = shape.search(path)
    return "_".join(match.groups()) if match else None


def find_images(folders: Sequence[Path]) -> tuple[dict[str, list[str]], list[Problem]]:
    """List the radiographs in ``patient/study/view`` folders.

    Parameters
    ----------
    folders
        The split's folders.

    Returns
    -------
    paths_of : dict
        For each id the paths of its files, sorted; more than one is a mistake that the caller names.
    problems : list of Problem
        Image files that lie or are named otherwise, and folders that cannot be listed.
    """
    problems: list[Problem] = []
    paths_of: dict[str, list[str]] = {}
    for folder in map(str, folders):
        for path in _walk(folder, problems):
            image_id = image_id_of(path[len(folder) :])
            if image_id is None:
                message = "this image is not at patientN/studyN/viewN_frontal.jpg or _lateral.jpg and is left out; move it"
                problems.append(Problem(path, message))
            else:
                paths_of.setdefault(image_id, []).append(path)
    for paths in paths_of.values():
        paths.sort()
    return paths_of, problems


def _walk(folder: str, problems: list[Problem]) -> list[str]:
    """List the images up to three folders down; links are followed, the fixed depth keeps loops harmless.

    A plain loop, for CheXpert's training set has a quarter of a million folders.
    """
    images: list[str] = []
    folders = [folder]
    for depth in range(_DEPTH + 1):
        deeper: list[str] = []
        for place in folders:
            for entry in _entries(place, problems):
                if entry.name.lower().endswith(_ENDINGS):
                    images.append(entry.path)
                elif depth < _DEPTH and _is_folder(entry):
                    deeper.append(entry.path)
        folders = deeper
    return images


def _entries(folder: str, problems: list[Problem]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return list(listing)
    except OSError as error:
        problems.append(Problem(folder, f"this folder cannot be listed ({error.strerror}); make it readable"))
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads in a circle
        return False
