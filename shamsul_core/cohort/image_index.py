"""The image files in a folder by name, wherever in it they lie, found in one walk and without opening any."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cached_property
from itertools import takewhile
from pathlib import PurePath
from typing import TYPE_CHECKING

from shamsul_core.cohort.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom")

_DEEPEST = 8
_MOST_FILES = 3_000_000
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]*")
_FOREIGN = re.compile(r"[^A-Za-z0-9._ -]")


class ImageIndex:
    """The image files of some folders.

    Parameters
    ----------
    folders
        Searched eight folders deep; links are followed, but never into the same folder twice.
    has_bare_dicom
        Whether files without an image's ending count too where they have DICOM's prefix, as many archives write them.
    without
        A folder in these whose images are no radiographs.
    """

    def __init__(self, *folders: Path, has_bare_dicom: bool = False, without: Path | None = None) -> None:
        self.folders = folders
        self._without = None if without is None else str(without)
        self._has_bare_dicom = has_bare_dicom
        self.problems: list[Problem] = []
        self._paths = sorted(path for folder in folders for path in self._walk(str(folder)))

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def find(self, name: str) -> str | None:
        """Return the file that a table names, ``None`` where there is none.

        Parameters
        ----------
        name
            A file's name, with or without folders before it and an ending behind it. Of several files of that name the
            one is returned that shares most folders with it; where these are several, the first, and a problem is added.
        """
        if not self._paths:
            return None
        *folders, wanted = name.lower().replace("\\", "/").split("/")
        # The last, where it was saved anew in another format
        paths = (
            self._by_name.get(wanted) or self._by_stem.get(wanted) or self._by_stem.get(stem_of(wanted)) or []
        )
        if len(paths) < 2:
            return paths[0] if paths else None
        shared = [_shared(folders, path) for path in paths]
        best = paths[shared.index(max(shared))]
        if shared.count(max(shared)) > 1:
            message = f"{shared.count(max(shared))} files are called so; {best} is used"
            self.problems.append(Problem(name, message))
        return best

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped((os.path.basename(path).lower(), path) for path in self._paths)  # noqa: PTH119 - 112,120 files

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped((stem_of(os.path.basename(path)).lower(), path) for path in self._paths)  # noqa: PTH119

    def _walk(self, folder: str) -> Iterator[str]:
        visited: set[tuple[int, int]] = set()
        folders, count = [(folder, 0)], 0
        while folders:
            place, depth = folders.pop()
            for entry in self._entries(place, visited):
                if entry.name.startswith(".") or entry.path == self._without:
                    continue
                if self._is_image(entry):
                    count += 1
                    yield entry.path
                elif depth < _DEEPEST and _is_folder(entry):
                    folders.append((entry.path, depth + 1))
            if count > _MOST_FILES:
                message = f"it holds more than {_MOST_FILES:,} image files; the others are left out"
                self.problems.append(Problem(folder, message))
                return

    def _is_image(self, entry: os.DirEntry[str]) -> bool:
        if entry.name.lower().endswith(IMAGE_ENDINGS):
            return True
        # A number in the place of an ending is the last of a UID
        ending = entry.name.rpartition(".")[2] if "." in entry.name else ""
        return self._has_bare_dicom and (not ending or ending.isdigit()) and _is_dicom(entry)

    def _entries(self, place: str, visited: set[tuple[int, int]]) -> Sequence[os.DirEntry[str]]:
        try:
            status = os.stat(place)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in visited:
                return ()
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(place) as listing:
                return list(listing)
        except OSError as error:
            message = f"this folder cannot be listed ({error.strerror}); make it readable"
            self.problems.append(Problem(place, message))
            return ()


def stem_of(name: str) -> str:
    """Return a file's name without the ending of an image; other dots are part of it.

    >>> stem_of("1.2.276.0.7230010"), stem_of("00000001_000.png")
    ('1.2.276.0.7230010', '00000001_000')
    """
    return name.rpartition(".")[0] if name.lower().endswith(IMAGE_ENDINGS) else name


def id_of(name: str) -> str:
    """Return a radiograph's id from its file's name or path: what may stand in another file's name.

    >>> id_of("tb/tb0005.png")
    'tb_tb0005'
    """
    if _PLAIN.fullmatch(name):
        return stem_of(name)
    stem = stem_of(name.replace("\\", "/").strip("/"))
    image_id = _FOREIGN.sub("_", stem)
    # Names of other scripts would all become one
    if image_id.strip("._ -") and len(stem.encode()) == len(stem) and image_id[0].isalnum():
        return image_id
    digest = hashlib.sha256(stem.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{image_id.strip('._ -') or 'radiograph'}-{digest}"


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    paths_of: dict[str, list[str]] = {}
    for name, path in pairs:
        paths_of.setdefault(name, []).append(path)
    return paths_of


def _shared(folders: Sequence[str], path: str) -> int:
    """Return how many folders before a file's name are these, counted from the last."""
    pairs = zip(reversed(folders), reversed(PurePath(path.lower()).parts[:-1]), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _is_dicom(entry: os.DirEntry[str]) -> bool:
    try:
        # Whatever else has a name, such as a pipe, would not be opened without waiting
        if not entry.is_file():
            return False
        with open(entry.path, "rb") as file:  # noqa: PTH123
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads in a circle
        return False
