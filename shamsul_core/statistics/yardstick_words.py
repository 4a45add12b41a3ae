"""What beats location and chance, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shamsul_core.cohort.truth_words import CONTOUR
from shamsul_core.localisation.baselines import LOCATION
from shamsul_core.statistics.intervals import FEWEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from shamsul_core.cohort.truth_words import TruthWords


def verdict_in_words(
    held: pd.DataFrame, titles: Mapping[str, str], truth: TruthWords = CONTOUR
) -> tuple[str, str]:
    """Return in a sentence which methods beat location, and in others by how much; why that is not known, where it is not.

    Parameters
    ----------
    held
        As `shamsul_core.statistics.yardsticks.hold_against` returns it, not empty.
    titles
        Of the run's methods.
    """
    rows: dict[str, dict[str, Any]] = {
        str(row["method"]): {str(name): value for name, value in row.items()}
        for row in held.to_dict("records")
    }
    methods = {name: rows[name] for name in titles if name in rows}
    known = [name for name, row in methods.items() if not np.isnan(row["over_location_mean"])]
    if LOCATION not in rows or not known:
        return (
            "What location alone would give is not known.",
            "No other patient has any of these findings marked.",
        )
    best = max(known, key=lambda name: float(methods[name]["over_location_mean"]))
    if np.isnan(methods[best]["over_location_low"]):
        return (
            "Too few patients to tell whether any method beats location alone.",
            f"An interval takes {FEWEST} with the same finding marked.",
        )
    beats = [name for name in known if methods[name]["over_location_low"] > 0]
    located = (
        f"A map of where each finding usually lies, which never saw the radiograph, has a mean {truth.score} of "
        f"{rows[LOCATION]['iou']:.2f}"
    )
    chance = _against_chance(methods, titles)
    if not beats:
        told = f"{located}; the best method, {_told(methods[best], titles[best])}."
        return "No method beats location alone.", f"{told} {chance}".rstrip()
    only = "" if len(beats) == len(methods) else "only "
    told = "; ".join(_told(methods[name], titles[name]) for name in beats)
    return (
        f"Location alone is beaten {only}by {names_in_words(beats, titles)}.",
        f"{located}; {told}. {chance}".rstrip(),
    )


def _told(row: Mapping[str, Any], title: str) -> str:
    return (
        f"{title}, {row['iou']:.2f} (difference {signed(row['over_location_mean'])}, 95 % interval "
        f"{signed(row['over_location_low'])} to {signed(row['over_location_high'])}, {row['patients']} patients)"
    )


def _against_chance(methods: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    if all(np.isnan(row["over_chance_low"]) for row in methods.values()):
        return ""
    not_above = [name for name, row in methods.items() if not row["over_chance_low"] > 0]
    if not not_above:
        return "All methods beat superpixels drawn by lot."
    return f"{names_in_words(not_above, titles)} {'does' if len(not_above) == 1 else 'do'} not beat superpixels drawn by lot."


def names_in_words(methods: list[str], titles: Mapping[str, str]) -> str:
    """Return methods' titles as a list in a sentence."""
    *others, last = (titles[name] for name in methods)
    return f"{', '.join(others)} and {last}" if others else last


def signed(value: float) -> str:
    """Return a difference with its sign.

    >>> signed(-0.123), signed(0.05), signed(-0.001)
    ('−0.12', '+0.05', '0.00')
    """
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")
