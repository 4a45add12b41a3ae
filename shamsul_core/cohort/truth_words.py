"""What experts' marks and the scores against them are called: contour and IoU, box and box IoU, point.

A mask's IoU with a box is not its IoU with a contour, so that each is said with every number, and no mean is over both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from shamsul_core.cohort.interface import Cohort


@dataclass(frozen=True, kw_only=True)
class TruthWords:
    """The words for a kind of truth.

    Parameters
    ----------
    noun, plural
        The mark.
    score
        The score's name, as within a sentence.
    in_full
        What its letters stand for.
    counterpart
        What the method's mask is compared with, as it stands after "the experts'".
    definition
        What the score is, with ``{whose}`` in the place of "the experts'".
    """

    noun: str
    plural: str
    score: str
    in_full: str
    counterpart: str
    definition: str

    def defined(self, whose: str = "the experts'") -> str:
        """Return what the score is, without a full stop.

        >>> words_of(["contour"]).defined("your")
        "Intersection over union of the method's mask and your mask, 0 to 1"
        """
        return self.definition.format(whose=whose)

    @property
    def a_score(self) -> str:
        """The score's name with its article.

        >>> words_of(["contour"]).a_score, words_of(["box"]).a_score
        ('an IoU', 'a box IoU')
        """
        return f"{'an' if self.score.startswith('IoU') else 'a'} {self.score}"

    @property
    def score_and_full(self) -> str:
        """The score's name with what its letters stand for.

        >>> words_of(["box"]).score_and_full
        'box IoU (intersection over union of bounding boxes)'
        """
        return f"{self.score} ({self.in_full})"

    @property
    def marked_as(self) -> str:
        """What a picture shows of the experts': a contour, or boxes.

        >>> words_of(["contour"]).marked_as, words_of(["box"]).marked_as
        ('contour', 'boxes')
        """
        return self.noun if self is CONTOUR else self.plural


CONTOUR = TruthWords(
    noun="contour",
    plural="contours",
    score="IoU",
    in_full="intersection over union",
    counterpart="mask",
    definition="Intersection over union of the method's mask and {whose} mask, 0 to 1",
)
BOX = TruthWords(
    noun="box",
    plural="boxes",
    score="box IoU",
    in_full="intersection over union of bounding boxes",
    counterpart="boxes",
    definition=(
        "Intersection over union of each of {whose} boxes with the nearest of the bounding boxes around the regions of the "
        "method's mask, averaged over the boxes, 0 to 1 (as Wang et al. 2017)"
    ),
)
POINT = TruthWords(
    noun="point",
    plural="points",
    score="IoU",
    in_full="intersection over union",
    counterpart="points",
    definition="There is no IoU with {whose} points, which have no area",
)
MIXED = TruthWords(
    noun="mark",
    plural="marks",
    score="IoU or box IoU",
    in_full="intersection over union: of masks where the experts drew contours, of bounding boxes where they drew boxes",
    counterpart="marks",
    definition=f"Contours: {CONTOUR.definition}. Boxes: {BOX.definition}",
)
"""Those for several kinds at once, where no number is said."""

_OF_KIND: Mapping[str, TruthWords] = {"contour": CONTOUR, "polygon": CONTOUR, "box": BOX, "point": POINT}


def words_of(kinds: Iterable[object]) -> TruthWords:
    """Return the words for some kinds of truth, those of contours where there is none.

    Parameters
    ----------
    kinds
        Such as `shamsul_core.cohort.annotation.Kind`; what is missing or unknown does not count.
    """
    known = dict.fromkeys(_OF_KIND[kind] for kind in kinds if isinstance(kind, str) and kind in _OF_KIND)
    return CONTOUR if not known else MIXED if len(known) > 1 else next(iter(known))


def words_of_cohort(cohort: Cohort) -> TruthWords:
    """Return the words for what experts marked in a cohort."""
    return words_of(cohort.truth_kind(name) for name in cohort.marked_pathologies)


def words_of_pathology(cohort: Cohort, pathology: str) -> TruthWords:
    """Return the words for one pathology; the cohort's where it is marked nowhere."""
    is_marked = pathology in cohort.marked_pathologies
    return words_of([cohort.truth_kind(pathology)]) if is_marked else words_of_cohort(cohort)


def words_in(table: pd.DataFrame) -> TruthWords:
    """Return the words for the rows of a table by their column ``truth``, which tables of earlier versions lack."""
    return words_of(table["truth"].dropna().unique()) if "truth" in table else CONTOUR


def words_by_pathology(table: pd.DataFrame) -> dict[str, TruthWords]:
    """Return the words for each pathology of a table with the columns pathology and ``truth``; the table's otherwise."""
    names = [str(name) for name in table["pathology"].unique()]
    known: dict[str, TruthWords] = dict.fromkeys(names, words_in(table))
    if "truth" in table:
        pairs = table[["pathology", "truth"]].dropna().drop_duplicates()
        known |= {str(name): words_of([kind]) for name, kind in pairs.itertuples(index=False)}
    return known


def parts_by_truth(table: pd.DataFrame) -> list[tuple[TruthWords, pd.DataFrame]]:
    """Return the pathologies' rows of a table apart by what they were marked as; a mean over pathologies is of one part.

    Parameters
    ----------
    table
        With the columns pathology and, where it is known, ``truth``.

    Returns
    -------
    list
        The words and the rows of each part, at least one; rows of pathologies that are marked nowhere are in the first.
    """
    by_pathology = words_by_pathology(table)
    different = [words for words in dict.fromkeys(by_pathology.values()) if words is not MIXED]
    if len(different) < 2:
        return [(different[0] if different else words_in(table), table)]
    of_rows = table["pathology"].map(
        {name: different[0] if words is MIXED else words for name, words in by_pathology.items()}
    )
    return [(words, table[of_rows == words]) for words in different]
