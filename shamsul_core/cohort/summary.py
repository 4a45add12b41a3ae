"""A cohort as a table, and what it holds: the paper's Table 1, views, sexes, ages."""

from __future__ import annotations

from collections import Counter
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from shamsul_core.cohort.interface import Cohort

_FACTS = ("view", "projection", "sex", "age")

LABEL_KINDS = {"positive": 1.0, "uncertain": -1.0, "negative": 0.0, "blank": None}
"""The label of each kind, in the order of the paper's Table 1, which counts blank ones as negative."""

AGE_BANDS = (0, 20, 30, 40, 50, 60, 70, 80, 90)
"""Where the bands of age begin, in years; the last is open."""


def cohort_table(cohort: Cohort) -> pd.DataFrame:
    """Return a row a radiograph, its id as the index.

    Returns
    -------
    DataFrame
        ``view``, ``projection``, ``sex``, ``age`` (years), each missing where not known, and a column an observation:
        of the cohort's: 1 positive, 0 negative, -1 uncertain, NaN blank.
    """
    names = cohort.observations
    rows = [
        (
            *(radiograph.id, radiograph.view, radiograph.projection, radiograph.sex, radiograph.age),
            *(radiograph.labels.get(name) for name in names),
        )
        for radiograph in cohort.radiographs.values()
    ]
    table = pd.DataFrame(rows, columns=["image_id", *_FACTS, *names])
    words = dict.fromkeys(("view", "projection", "sex"), "string")
    return table.set_index("image_id").astype(words | dict.fromkeys(("age", *names), "float64"))


def label_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's Table 1: how many radiographs each observation's labels are, and what share.

    Returns
    -------
    DataFrame
        The observation as the index; ``positive``, ``uncertain``, ``negative``, ``blank``, and each with ``_percent``,
        NaN where there are no radiographs. The paper's negative is negative and blank together.
    """
    labels = _labels(table)
    counts = pd.DataFrame(
        {
            kind: (labels.isna() if label is None else labels == label).sum()
            for kind, label in LABEL_KINDS.items()
        }
    ).rename_axis("observation")
    shares = 100 * counts / (len(table) or np.nan)
    return counts.join(shares.add_suffix("_percent"))


def marked_counts(cohort: Cohort) -> dict[str, int]:
    """Return on how many radiographs experts marked each pathology; nothing where there are no annotations.

    Annotations that cannot be read count as nothing marked.
    """
    if not cohort.has_annotations:
        return {}
    marked = Counter(chain.from_iterable(map(cohort.marked_on, cohort.radiographs)))
    return {name: marked[name] for name in cohort.marked_pathologies}


def marked_ids(cohort: Cohort) -> list[str]:
    """Return the ids of the radiographs on which any expert marked anything, in the cohort's order."""
    return [image_id for image_id in cohort.radiographs if cohort.marked_on(image_id)]


def has_indefinite_labels(table: pd.DataFrame) -> bool:
    """Return whether any label is uncertain or blank."""
    return not _labels(table).isin((0.0, 1.0)).to_numpy().all()


def composition(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return how many radiographs are of each view (with its projection), sex and band of age; the unknown last."""
    views = table["view"].str.cat(" " + table["projection"], na_rep="").str.strip()
    bounds = [*AGE_BANDS, np.inf]
    names = [f"{low} to {high - 1:.0f}" for low, high in pairwise(bounds[:-1])]
    ages = pd.cut(table["age"], bounds, right=False, labels=[*names, f"{AGE_BANDS[-1]} and over"])
    return {
        "View": _shares(views.where(views != ""), is_ordered=False),
        "Sex": _shares(table["sex"], is_ordered=False),
        "Age": _shares(ages, is_ordered=True),
    }


def _labels(table: pd.DataFrame) -> pd.DataFrame:
    return table[[name for name in table if name not in _FACTS]]


def _shares(values: pd.Series, *, is_ordered: bool) -> dict[str, int]:
    counts = values.value_counts(sort=not is_ordered)
    named = {str(name): int(count) for name, count in counts.items() if count or is_ordered}
    unknown = int(values.isna().sum())
    return (named if any(named.values()) else {}) | ({"unknown": unknown} if unknown else {})
