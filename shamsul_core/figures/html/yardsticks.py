"""What beats chance and location, in a reader's words and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shamsul_core.cohort.truth_words import CONTOUR
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.summary import intervals, two_digits
from shamsul_core.localisation.baselines import BASELINES, LOCATION, MEANINGS
from shamsul_core.run.wording import sentence
from shamsul_core.statistics.intervals import FEWEST, TOO_FEW
from shamsul_core.statistics.yardstick_words import signed, verdict_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.cohort.truth_words import TruthWords

NOT_MEASURED = (
    "What chance and location alone would give has not been measured for this run; `python -m shamsul_core score --run RUN` "
    "measures it."
)
_OVER_LOCATION, _OWN, _ELSEWHERE, _CEILING = (
    "Less location",
    "Less other patients'",
    "With other patients'",
    "Ceiling",
)
_INTERVAL = f"95 % bootstrap interval over patients ({TOO_FEW}: fewer than {FEWEST})"


def verdict(held: pd.DataFrame, titles: Mapping[str, str], truth: TruthWords = CONTOUR) -> str:
    """Return as Markdown what `shamsul_core.statistics.yardstick_words.verdict_in_words` says."""
    if held.empty:
        return NOT_MEASURED
    headline, rest = verdict_in_words(held, titles, truth)
    return f"**{as_markdown(headline)}** {as_markdown(rest)}".strip()


def yardstick_table(
    held: pd.DataFrame, titles: Mapping[str, str], truth: TruthWords = CONTOUR
) -> pd.DataFrame:
    """Return methods and baselines as a reader sees them, a row each; what a method does not have is empty."""
    both = {**titles, **BASELINES}
    return pd.DataFrame(
        {
            "Map": held["method"].map(both),
            f"Mean {truth.score}": _means(held, "iou"),
            _OVER_LOCATION: _differences(held, "over_location"),
            _ELSEWHERE: held["iou_elsewhere"].map(two_digits),
            _OWN: _differences(held, "own"),
            _CEILING: held["ceiling"].map(two_digits),
            "Hit rate": _means(held, "hit"),
            "Patients": held["patients"],
        }
    )


def yardstick_help(truth: TruthWords = CONTOUR) -> dict[str, str]:
    """Return what the columns of `yardstick_table` mean."""
    return {
        "Map": f"Baselines never saw the network. {'. '.join(f'{title}: {MEANINGS[name]}' for name, title in BASELINES.items())}.",
        f"Mean {truth.score}": f"{sentence(truth.score_and_full)}, mean over radiographs and then over pathologies; {_INTERVAL}",
        _OVER_LOCATION: f"{truth.score} less that of the baseline *Location* on the same radiographs; {_INTERVAL}",
        _ELSEWHERE: f"Mean {truth.score} of the same masks with the {truth.plural} of the same finding in other patients",
        _OWN: f"{truth.score} with the patient's own {truth.plural} less that with other patients': the location-corrected {truth.score}; "
        f"{_INTERVAL}",
        _CEILING: f"The highest {truth.score} that maps of so few places, or these superpixels, could reach",
        "Hit rate": f"Share of radiographs on which the map's maximum lies inside the experts' {truth.noun}; {_INTERVAL}",
        "Patients": f"Patients with {truth.a_score}",
    }


def _differences(held: pd.DataFrame, part: str) -> list[str]:
    """Return a difference and its interval for each row; what is held against itself has none."""
    itself = (held["method"] == LOCATION) & (part == "over_location")
    numbers = held[[f"{part}_mean", f"{part}_low", f"{part}_high"]].to_numpy(np.float64)
    return [
        "–"
        if is_itself or np.isnan(mean)
        else f"{signed(mean)} ({TOO_FEW})"
        if np.isnan(low)
        else f"{signed(mean)} ({signed(low)} to {signed(high)})"
        for is_itself, (mean, low, high) in zip(itself, numbers, strict=True)
    ]


def _means(held: pd.DataFrame, part: str) -> list[str]:
    """Return a mean and its interval for each row."""
    between = intervals(held[f"{part}_low"], held[f"{part}_high"], held["patients"])
    return [
        "–" if np.isnan(mean) else f"{mean:.2f} ({ends})"
        for mean, ends in zip(held[part].to_numpy(np.float64), between, strict=True)
    ]
