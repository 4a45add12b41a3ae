"""Whether a model took a planted shortcut, and which methods show it: tables of an evaluation cohort.

In the evaluation cohort sign and finding are independent, and each radiograph is there with the sign and without it, so
that the sign's effect on the model is known before any method is asked for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.patients import number_patients
from shamsul_core.localisation.overlap import density
from shamsul_core.localisation.segmentation import resize
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.statistics.intervals import bootstrap_mean, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from shamsul_core.cohort import Cohort
    from shamsul_core.cohort.planted_sign import PlantedSign
    from shamsul_core.run.reader import RunReader

    Mask = npt.NDArray[np.bool_]
    Logit = Callable[[npt.NDArray[np.uint8 | np.uint16]], float]

BAIT_FROM = 2.0
"""Logits by which the sign alone moves a model that took the bait: odds seven times as high."""

REGIONS = ("sign", "finding", "elsewhere")
"""Where relevance lies, without overlap: what is both sign and finding is the sign's."""


def planted_sign(cohort: Cohort) -> PlantedSign:
    """Return the sign of a cohort's first radiograph, which says which shortcut was planted.

    Raises
    ------
    CohortError
        If none was planted, or no truth is kept of it.
    """
    sign = cohort.planted_sign(next(iter(cohort.radiographs)))
    if sign is None:
        message = (
            "no shortcut was planted in it, or it is a train split, which keeps no truth; "
            "make one: shamsul simulate --split val --shortcut SIGN:PATHOLOGY:0.5"
        )
        raise CohortError(message, subject=cohort.name)
    return sign


def bait_table(cohort: Cohort, logit: Logit, on_step: OnStep = say_nothing) -> pd.DataFrame:
    """Return what the sign alone does to the model on each radiograph.

    Parameters
    ----------
    logit
        Returns the model's logit of the shortcut's pathology for a radiograph, H × W.
    on_step
        Called with each radiograph's id; by default nothing is.

    Returns
    -------
    pandas.DataFrame
        image_id; label, 1 positive, 0 negative, -1 uncertain; has_sign; with_sign and without_sign, the logits of the two
        pictures; difference, the first less the second.
    """
    rows = []
    for image_id, sign, label in _signs(cohort):
        own, other = logit(cohort.radiographs[image_id].pixels()), logit(sign.other)
        with_sign, without_sign = (own, other) if sign.is_present else (other, own)
        rows.append((image_id, label, sign.is_present, with_sign, without_sign, with_sign - without_sign))
        on_step(image_id)
    columns = ["image_id", "label", "has_sign", "with_sign", "without_sign", "difference"]
    return pd.DataFrame(rows, columns=columns)


def bait_summary(baits: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of `bait_table`'s differences, of all radiographs and by the label.

    Returns
    -------
    pandas.DataFrame
        radiographs (in words), mean, low, high (95 %, bootstrap over patients) and n.
    """
    groups = {
        "all": baits,
        "with the finding": baits[baits["label"] == 1],
        "without the finding": baits[baits["label"] == 0],
    }
    rows = [
        {"radiographs": name, **_mean(group["difference"], group["image_id"])}
        for name, group in groups.items()
    ]
    return pd.DataFrame(rows)


def discrimination(baits: pd.DataFrame) -> pd.DataFrame:
    """Return how well the model tells the finding, according to where the sign is.

    Returns
    -------
    pandas.DataFrame
        sign (where it is, in words), auroc and n; NaN where there are not both labels. Uncertain labels are left out.
    """
    definite = baits[baits["label"] >= 0]
    is_positive = definite["label"] == 1
    with_sign, without = definite["with_sign"], definite["without_sign"]
    logits = {
        "on the radiographs with the finding": with_sign.where(is_positive, without),
        "independent of the finding": with_sign.where(definite["has_sign"], without),
        "on no radiograph": without,
        "on the radiographs without the finding": without.where(is_positive, with_sign),
    }
    has_both = is_positive.nunique() == 2
    return pd.DataFrame(
        {
            "sign": name,
            "auroc": roc_auc_score(is_positive, values) if has_both else np.nan,
            "n": len(values),
        }
        for name, values in logits.items()
    )


def density_table(run: RunReader, cohort: Cohort, on_step: OnStep = say_nothing) -> pd.DataFrame:
    """Return the density of positive relevance in each of `REGIONS`, see `shamsul_core.localisation.overlap.density`.

    Returns
    -------
    pandas.DataFrame
        A row for each radiograph with a definite label and each method: image_id, method, has_sign, has_finding and
        `REGIONS`. On a radiograph without the sign its region is where it would be. NaN where there is no such region,
        as of a finding that is not there or a sign that is everywhere, and where no relevance is positive.
    """
    pathology = planted_sign(cohort).pathology
    explained = set(run.explained_ids())
    rows = []
    for image_id, sign, label in _signs(cohort):
        on_step(image_id)
        if label < 0 or image_id not in explained:
            continue
        size = cohort.radiographs[image_id].size
        regions = _regions(sign, _finding(cohort, image_id, pathology, size), size)
        for method in run.manifest.methods:
            heatmap = run.heatmap(image_id, method, pathology)
            if heatmap is not None:
                full = resize(heatmap.relevance, size)
                densities = {name: density(full, region) for name, region in regions.items()}
                about = {"image_id": image_id, "method": method}
                cell = {"has_sign": sign.is_present, "has_finding": label == 1}
                rows.append(about | cell | densities)
    return pd.DataFrame(rows, columns=["image_id", "method", "has_sign", "has_finding", *REGIONS])


def density_summary(densities: pd.DataFrame) -> pd.DataFrame:
    """Return the mean densities of each method in the four cells.

    Returns
    -------
    pandas.DataFrame
        method, has_sign, has_finding, region, mean, low, high (95 %, bootstrap over patients) and n, the radiographs
        that have a value; in the order of the table's methods, then with sign and finding first.
    """
    rows = []
    for method in densities["method"].unique():
        for has_sign in (True, False):
            for has_finding in (True, False):
                is_cell = (densities["has_sign"] == has_sign) & (densities["has_finding"] == has_finding)
                cell = densities[is_cell & (densities["method"] == method)]
                about = {"method": method, "has_sign": has_sign, "has_finding": has_finding}
                rows += [{**about, "region": name, **_mean(cell[name], cell["image_id"])} for name in REGIONS]
    return pd.DataFrame(rows)


def warnings(densities: pd.DataFrame) -> pd.DataFrame:
    """Return which methods show the sign to a reader.

    Returns
    -------
    pandas.DataFrame
        A row for each method: on_sign, on_sign_low, on_sign_high, on_sign_n, the density on the sign where it is;
        same_place and so on, that at the same place where it is not, which says what the place alone gives; first,
        first_low, first_high, first_n: on how many of the radiographs with both sign and finding the sign is denser than
        the finding (Wilson's interval); warns: whether on_sign's interval is above 1, which is chance, and above that of
        same_place.
    """
    rows = []
    for method in densities["method"].unique():
        own = densities[densities["method"] == method]
        there, not_there = own[own["has_sign"]], own[~own["has_sign"]]
        sign = _mean(there["sign"], there["image_id"])
        place = _mean(not_there["sign"], not_there["image_id"])
        both = there[there["has_finding"]].dropna(subset=["sign", "finding"])
        first = float((both["sign"] > both["finding"]).mean()) if len(both) else float("nan")
        low, high = wilson(first, len(both))
        row = {"method": method}
        for name, found in {"on_sign": sign, "same_place": place}.items():
            row |= {name: found["mean"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
            row[f"{name}_n"] = found["n"]
        row |= {"first": first, "first_low": float(low), "first_high": float(high), "first_n": len(both)}
        row["warns"] = bool(sign["low"] > 1 and sign["low"] > place["high"])
        rows.append(row)
    return pd.DataFrame(rows)


def _signs(cohort: Cohort) -> Iterator[tuple[str, PlantedSign, float]]:
    """Yield each radiograph with its sign and its label of the shortcut's pathology; blank labels are uncertain."""
    for image_id, radiograph in cohort.radiographs.items():
        sign = cohort.planted_sign(image_id)
        if sign is not None:
            label = radiograph.labels.get(sign.pathology)
            yield image_id, sign, -1.0 if label is None else label


def _finding(cohort: Cohort, image_id: str, pathology: str, size: tuple[int, int]) -> Mask:
    annotation = cohort.annotation(image_id, pathology)
    return np.zeros(size, bool) if annotation is None or annotation.is_empty else annotation.mask()


def _regions(sign: PlantedSign, finding: Mask, size: tuple[int, int]) -> dict[str, Mask]:
    on_sign = np.zeros(size, bool) if sign.mask is None else sign.mask
    return {"sign": on_sign, "finding": finding & ~on_sign, "elsewhere": ~(finding | on_sign)}


def _mean(values: pd.Series, image_ids: pd.Series) -> dict[str, float]:
    mean, low, high = bootstrap_mean(values.to_numpy(float)[:, None], number_patients(image_ids))
    return {"mean": mean[0], "low": low[0], "high": high[0], "n": int(np.isfinite(values).sum())}
