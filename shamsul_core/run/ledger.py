"""The ledger: scores and failures as they come in, brought to the run's tables now and then and at the end."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from shamsul_core.localisation.segmentation import SegmentationSettings
    from shamsul_core.run.run import Run
    from shamsul_core.run.tables import TableRow

_SECONDS_BETWEEN_WRITES = 10.0


class Ledger:
    """What is known of each radiograph besides its heatmaps.

    A kill loses at most the entries since the last write, and these are made again from the heatmaps on disk.
    """

    def __init__(
        self, run: Run, segmentation: SegmentationSettings, *, seconds_between_writes: float
    ) -> None:
        self._run = run
        self._segmentation = segmentation
        self._scores: dict[str, Sequence[TableRow]] = {}
        self._failures: dict[str, Sequence[TableRow]] = _by_image(run.failures)
        self._seconds_between_writes = seconds_between_writes
        self._written = time.monotonic()

    @classmethod
    @contextmanager
    def opened(cls, run: Run, segmentation: SegmentationSettings) -> Iterator[Ledger]:
        """Open a run's ledger and bring it to disk now and then, and at the end, also after an error.

        Scores on disk that were made by another segmentation are left out.
        """
        ledger = cls(run, segmentation, seconds_between_writes=_SECONDS_BETWEEN_WRITES)
        if run.segmentation == segmentation.to_json():
            ledger._scores = _by_image(run.scores)
        try:
            yield ledger
        finally:
            ledger.write()

    @classmethod
    @contextmanager
    def anew(cls, run: Run, segmentation: SegmentationSettings) -> Iterator[Ledger]:
        """Begin a run's scores anew; those on disk stay as they are until all is entered, and after an error."""
        ledger = cls(run, segmentation, seconds_between_writes=math.inf)
        yield ledger
        ledger.write()

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._scores

    @property
    def failure_count(self) -> int:
        """Number of failures known."""
        return sum(len(rows) for rows in self._failures.values())

    def enter(self, image_id: str, scores: Sequence[TableRow], failures: Sequence[TableRow]) -> None:
        """Enter a radiograph's scores and failures in place of those known before."""
        for book, rows in ((self._scores, scores), (self._failures, failures)):
            book.pop(image_id, None)
            if rows:
                book[image_id] = rows
        if time.monotonic() - self._written > self._seconds_between_writes:
            self.write()

    def write(self) -> None:
        """Write the run's tables."""
        self._run.write_predictions()
        self._run.write_failures([row for rows in self._failures.values() for row in rows])
        scores = [row for rows in self._scores.values() for row in rows]
        self._run.write_scores(scores, self._segmentation.to_json())
        self._written = time.monotonic()


def _by_image(table: pd.DataFrame) -> dict[str, Sequence[TableRow]]:
    groups = table.astype(object).where(table.notna(), None).groupby("image_id", sort=False)
    return {str(image_id): cast("list[TableRow]", group.to_dict("records")) for image_id, group in groups}
