"""The cases that show a method or the network at its best, worst or most doubtful.

The first three are the paper's: best IoU, best probability, best multi-label. Each function takes the run's scores
(`shamsul_core.run.SCORE_COLUMNS`) and returns `CASE_COLUMNS`; of equal cases the one whose radiograph's id comes first
is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from shamsul_core.cohort.truth_words import words_by_pathology
from shamsul_core.vocabulary import DECISION_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shamsul_core.cohort.truth_words import TruthWords


class ChosenCase(NamedTuple):
    """A row of a table of cases.

    Parameters
    ----------
    image_id, pathology
        What to look at.
    method
        ``None`` where the case is not about one.
    value
        What it was chosen by.
    reason
        Why, in words.
    """

    image_id: str
    pathology: str
    method: str | None
    value: float
    reason: str


CASE_COLUMNS = ChosenCase._fields


_PER_RADIOGRAPH = ["image_id", "pathology", "label", "probability", "expert_area_px", "truth"]


def best_iou(scores: pd.DataFrame) -> pd.DataFrame:
    """Return, for each pathology and method, the radiograph of highest IoU."""
    return _extremes(
        scores,
        "iou",
        largest=True,
        reason=lambda value, n, truth: f"highest {truth.score} among {_radiographs_in_words(n)}, {value:.2f}",
    )


def worst_iou(scores: pd.DataFrame) -> pd.DataFrame:
    """Return, for each pathology and method, the radiograph of lowest IoU."""
    return _extremes(
        scores,
        "iou",
        largest=False,
        reason=lambda value, n, truth: f"lowest {truth.score} among {_radiographs_in_words(n)}, {value:.2f}",
    )


def best_probability(scores: pd.DataFrame) -> pd.DataFrame:
    """Return, for each pathology, among radiographs on which the experts marked it, the most probable one."""
    marked = _radiographs(scores).query("expert_area_px > 0")
    return _extremes(
        marked,
        "probability",
        largest=True,
        reason=lambda value, n, truth: (
            f"highest probability among {_radiographs_in_words(n)} with an expert {truth.noun}, {value:.2f}"
        ),
    )


def best_multilabel(scores: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return, among radiographs labelled positive for both pathologies, that of highest joint probability.

    The joint probability is the product of the two. The case has a row for each of them.
    """
    positive = _radiographs(scores).query("label == 1").set_index("image_id")
    of_first, of_second = (
        positive.loc[positive["pathology"] == name, "probability"] for name in (first, second)
    )
    joint = (of_first * of_second).dropna()
    if joint.empty:
        return _empty()
    image_id = str(joint.sort_index().idxmax())
    reason = (
        f"highest joint probability among {_radiographs_in_words(len(joint))} labelled positive for both: "
        f"{of_first[image_id]:.2f} × {of_second[image_id]:.2f} = {joint[image_id]:.2f}"
    )
    rows = [(image_id, name, None, joint[image_id], reason) for name in (first, second)]
    return pd.DataFrame(rows, columns=list(CASE_COLUMNS))


def most_disagreed(scores: pd.DataFrame) -> pd.DataFrame:
    """Return, for each pathology, the radiograph on which the methods' IoUs lie furthest apart."""
    by_case = scores.dropna(subset=["iou"]).groupby(["image_id", "pathology"], as_index=False)
    spread = by_case["iou"].agg(lowest="min", highest="max", methods="count").query("methods > 1")
    spread["value"] = spread["highest"] - spread["lowest"]
    cases = _extremes(
        spread,
        "value",
        largest=True,
        reason=lambda _, n, __: f"largest difference between methods among {_radiographs_in_words(n)}",
    )
    ends = cases.merge(spread, on=["image_id", "pathology"], suffixes=("", "_again"))
    truths = words_by_pathology(scores)
    cases["reason"] = [
        f"{row.reason}: {truths[str(row.pathology)].score} {row.lowest:.2f} to {row.highest:.2f}"
        for row in ends.itertuples()
    ]
    return cases


def furthest_from_label(scores: pd.DataFrame) -> pd.DataFrame:
    """Return, for each pathology, the prediction furthest from the label, once each way.

    The highest probability among those labelled negative, and the lowest among those labelled positive; a case is
    shown only where the probability is on the wrong side of `DECISION_THRESHOLD`.
    """
    radiographs = _radiographs(scores)
    negative = radiographs.query("label == 0 and probability >= @DECISION_THRESHOLD")
    positive = radiographs.query("label == 1 and probability < @DECISION_THRESHOLD")
    too_high = _extremes(
        negative,
        "probability",
        largest=True,
        reason=lambda value, *_: f"labelled negative, but the predicted probability is {value:.2f}",
    )
    too_low = _extremes(
        positive,
        "probability",
        largest=False,
        reason=lambda value, *_: f"labelled positive, but the predicted probability is {value:.2f}",
    )
    return pd.concat([too_high, too_low], ignore_index=True)


def in_order(cases: pd.DataFrame, pathologies: Sequence[str]) -> list[ChosenCase]:
    """Return a table of cases row by row, in the order of these pathologies."""
    ordered = cases.sort_values("pathology", key=lambda names: names.map(pathologies.index), kind="stable")
    return [
        ChosenCase(
            str(row.image_id),
            str(row.pathology),
            row.method if isinstance(row.method, str) else None,
            *row[3:],
        )
        for row in ordered[list(CASE_COLUMNS)].itertuples(index=False)
    ]


def _radiographs_in_words(count: int) -> str:
    return "1 radiograph" if count == 1 else f"{count} radiographs"


def _radiographs(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per radiograph and pathology; what the experts marked from a method's row that knows it."""
    first = scores.sort_values("expert_area_px", kind="stable").drop_duplicates(["image_id", "pathology"])
    return first.reindex(columns=_PER_RADIOGRAPH)


def _extremes(
    table: pd.DataFrame, column: str, *, largest: bool, reason: Callable[[float, int, TruthWords], str]
) -> pd.DataFrame:
    """Return the row of largest or smallest value for each pathology, and method where the table has it."""
    by: Sequence[str] = [name for name in ("pathology", "method") if name in table]
    known = table.dropna(subset=[column]).astype({column: "float64"}).sort_values("image_id")
    if known.empty:
        return _empty()
    groups = known.groupby(list(by), sort=False, observed=True)
    place = groups[column].idxmax() if largest else groups[column].idxmin()
    cases = known.loc[place].assign(value=lambda table: table[column])
    sizes = groups.size().reindex(pd.MultiIndex.from_frame(cases[by]) if len(by) > 1 else cases[by[0]])
    truths = words_by_pathology(table)
    cases["reason"] = [
        reason(value, int(count), truths[str(name)])
        for value, count, name in zip(cases["value"], sizes, cases["pathology"], strict=True)
    ]
    if "method" not in cases:
        cases["method"] = None
    return cases[list(CASE_COLUMNS)].reset_index(drop=True)


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=list(CASE_COLUMNS))


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A way to choose cases.

    Parameters
    ----------
    title, meaning
        In a reader's words, the second as a sentence, with ``{score}``, ``{in_full}`` and ``{noun}`` in the place of what
        `TruthWords` says.
    choose
        From scores to cases.
    is_of_one_method
        Whether there is a case for each method.
    needs_marks
        Whether nothing can be chosen where the experts marked nothing.
    """

    title: str
    meaning: str
    choose: Callable[[pd.DataFrame], pd.DataFrame]
    is_of_one_method: bool = False
    needs_marks: bool = True

    def titled(self, truth: TruthWords) -> str:
        """Return the title."""
        return self.title.format(score=truth.score)

    def explained(self, truth: TruthWords) -> str:
        """Return the meaning."""
        return self.meaning.format(score=truth.score, in_full=truth.in_full, noun=truth.noun)


CRITERIA = {
    "best": Criterion(
        title="Best {score}",
        meaning="For each pathology, the radiograph with the highest {score} ({in_full}) of the method's mask and the experts' {noun}.",
        choose=best_iou,
        is_of_one_method=True,
    ),
    "worst": Criterion(
        title="Worst {score}",
        meaning="For each pathology, the radiograph with the lowest {score} ({in_full}) of the method's mask and the experts' {noun}.",
        choose=worst_iou,
        is_of_one_method=True,
    ),
    "probability": Criterion(
        title="Best probability",
        meaning="For each pathology, the radiograph with the highest predicted probability among those on which the "
        "experts marked it.",
        choose=best_probability,
    ),
    "disagreed": Criterion(
        title="Methods disagree",
        meaning="For each pathology, the radiograph on which the methods' {score} ({in_full}) differs most.",
        choose=most_disagreed,
    ),
    "wrong": Criterion(
        title="Furthest from the label",
        meaning="For each pathology, the two predictions furthest from the label: the highest probability among radiographs "
        f"labelled negative and the lowest among those labelled positive, if on the wrong side of {DECISION_THRESHOLD}.",
        choose=furthest_from_label,
        needs_marks=False,
    ),
}
"""Those that choose for each pathology, by name; `best_multilabel` needs two pathologies instead."""
