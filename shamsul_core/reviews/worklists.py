"""What readers are asked to judge: cases of a run, by what is known of them or from a list that someone wrote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shamsul_core.reviews.case import Case
from shamsul_core.vocabulary import DECISION_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

_LINE = re.compile(r"(?P<image_id>.+?)\s*[\t,;]\s*(?P<pathology>[^\t,;]+)")


def explained(scores: pd.DataFrame) -> list[Case]:
    """Return the cases of which there is a map; `scores` as `shamsul_core.run.SCORE_COLUMNS`."""
    return _cases(scores[scores["mask_area_px"].notna()])


def present_or_predicted(scores: pd.DataFrame, pathology: str | None = None) -> list[Case]:
    """Return the cases, of one pathology or any, that are labelled positive or predicted, and explained."""
    is_predicted = scores["probability"] >= DECISION_THRESHOLD
    told = scores[scores["mask_area_px"].notna() & ((scores["label"] == 1) | is_predicted)]
    return _cases(told if pathology is None else told[told["pathology"] == pathology])


def chosen(cases: pd.DataFrame, among: Collection[Case]) -> list[Case]:
    """Return a table's cases (`shamsul_core.cases.selection.CASE_COLUMNS`), each once, that are among these."""
    return [case for case in _cases(cases) if case in among]


def written(text: str, among: Collection[Case]) -> tuple[list[Case], list[str]]:
    r"""Return the cases that a text lists and the lines that name none of `among`.

    A line is a radiograph's id and a pathology with a comma, semicolon or tab between.

    >>> written("a, Edema\n\nb, Edema", [Case("a", "Edema")])
    ([Case(image_id='a', pathology='Edema')], ['b, Edema'])
    """
    cases: list[Case] = []
    unknown = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _LINE.fullmatch(line)
        case = Case(match["image_id"].strip(), match["pathology"].strip()) if match else None
        if case in among and case is not None:
            cases.append(case)
        else:
            unknown.append(line)
    return list(dict.fromkeys(cases)), unknown


def _cases(table: pd.DataFrame) -> list[Case]:
    return [Case(*pair) for pair in dict.fromkeys(zip(table["image_id"], table["pathology"], strict=True))]
