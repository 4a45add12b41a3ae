"""The radiographs of a cohort, however many."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shamsul_core.cohort.radiograph import Radiograph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.cohort.label_table import LabelRow


class RadiographTable(Mapping[str, Radiograph]):
    """The radiographs by id, each made when asked for: 223,414 paths and dataclasses would take seconds to make.

    Parameters
    ----------
    rows
        For each id its line of the label file and the path of its image file.
    """

    def __init__(self, rows: dict[str, tuple[LabelRow, str]]) -> None:
        self._rows = rows

    def rows(self) -> Iterator[LabelRow]:
        """Go through the lines of the label file."""
        return (row for row, _ in self._rows.values())

    def __getitem__(self, image_id: str) -> Radiograph:
        row, path = self._rows[image_id]
        return Radiograph(
            id=row.image_id,
            path=Path(path),
            labels=row.labels,
            view=row.view,
            projection=row.projection,
            sex=row.sex,
            age=row.age,
        )

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
