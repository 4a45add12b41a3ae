"""How much of a ranking of methods is the threshold's doing, not the methods'.

The paper makes every mask with Otsu's threshold of the signed map. Here each stored heatmap is turned into masks by
other rules too, and the methods are ranked anew under each.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kendalltau

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.truth_words import CONTOUR, words_of_pathology
from shamsul_core.localisation.scoring import expert_mask
from shamsul_core.localisation.segmentation import grey_levels, scale
from shamsul_core.localisation.thresholds import count_levels
from shamsul_core.progress import OnStep, say_nothing

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.localisation.segmentation import Sign
    from shamsul_core.run.reader import RunReader

SIGNS: dict[Sign, str] = {"signed": "signed", "positive": "positive part", "absolute": "absolute"}

RULES = {
    "otsu": "Otsu",
    "tuned": "tuned, cross-validated",
    "fixed": "half of the range",
    "share": "highest tenth",
    "best": "best possible",
}
"""``tuned``: the grey level of best mean IoU on the radiographs of the other folds, for each method and pathology;
``fixed``: above the middle of the map's range; ``share``: the tenth of the pixels with the highest values, or as near to
a tenth as the map's steps allow, but never nothing; ``best``:
each map's own best level, which no rule can know: what the method could reach."""

PAPER = ("signed", "otsu")
FOLDS = 5
TOP_SHARE = 0.1


def level_scores(run: RunReader, cohort: Cohort, on_step: OnStep = say_nothing) -> pd.DataFrame:
    """Return the IoU at every grey level of each heatmap that has a contour to be compared with; a box is none.

    Returns
    -------
    pandas.DataFrame
        image_id, pathology, method, sign, otsu and share (grey levels, 0..255: the mask is what is brighter) and ious
        (float32, (256,)); 0 where the mask is empty, so that no rule gains by leaving a finding out. Holes are not
        filled. A map without relevance of its sign has level 255 and IoU 0 throughout.

    Raises
    ------
    RunError
        If a result cannot be read.
    """
    rows = []
    for image_id in run.explained_ids():
        result = run.read(image_id)
        experts = {}
        for pathology in {heatmap.pathology for heatmap in result.heatmaps}:
            if words_of_pathology(cohort, pathology) is not CONTOUR:
                continue
            try:
                mask, nothing = expert_mask(cohort, result.image_id, result.size, pathology)
            except CohortError:
                continue
            if mask is not None and nothing is None:
                experts[pathology] = mask
        for heatmap in result.heatmaps:
            if heatmap.pathology not in experts or heatmap.is_mask:
                continue
            for sign in SIGNS:
                try:
                    scaled = scale(heatmap, result.size, sign)
                except ValueError:  # no map, such as one with NaN; the run's failures name it
                    continue
                row: dict[str, Any] = {"image_id": image_id, "pathology": heatmap.pathology}
                row |= {"method": heatmap.method, "sign": sign}
                if isinstance(scaled, str):
                    levels: dict[str, Any] = {"otsu": 255, "share": 255, "ious": np.zeros(256, np.float32)}
                else:
                    grey = grey_levels(scaled)
                    counts = count_levels(grey, experts[heatmap.pathology])
                    above = counts.mask_area[:-1] / counts.area  # nothing is above the last level
                    levels = {
                        "otsu": int(cv2.threshold(grey, 0, 1, cv2.THRESH_OTSU)[0]),
                        "share": int(np.argmin(np.abs(above - TOP_SHARE))),
                        "ious": np.nan_to_num(counts.iou).astype(np.float32),
                    }
                rows.append(row | levels)
        on_step(image_id)
    return pd.DataFrame(
        rows, columns=["image_id", "pathology", "method", "sign", "otsu", "share", "ious"]
    ).astype({"otsu": int, "share": int})


def rule_scores(levels: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Return the IoU of each heatmap under every sign and rule.

    Parameters
    ----------
    levels
        From `level_scores`.
    seed
        Of the folds, which are of radiographs, so that no threshold is tuned on the radiograph it is scored on.

    Returns
    -------
    pandas.DataFrame
        image_id, pathology, method, sign, rule, iou.
    """
    rows = []
    for (pathology, method, sign), group in levels.groupby(["pathology", "method", "sign"], sort=False):
        ious = np.stack(list(group["ious"]))
        every = np.arange(len(group))
        of_rule = {
            "otsu": ious[every, group["otsu"]],
            "tuned": _tuned(ious, seed),
            "fixed": ious[every, 127],
            "share": ious[every, group["share"]],
            "best": ious.max(axis=1),
        }
        for rule, values in of_rule.items():
            row = {"pathology": pathology, "method": method, "sign": sign, "rule": rule}
            rows.append(pd.DataFrame(row | {"image_id": group["image_id"].to_numpy(), "iou": values}))
    columns = ["image_id", "pathology", "method", "sign", "rule", "iou"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def rank_rules(scores: pd.DataFrame, methods: list[str]) -> pd.DataFrame:
    """Return each method's mean IoU under every sign and rule, and how the ranking agrees with the paper's rule.

    Parameters
    ----------
    scores
        From `rule_scores`.

    Returns
    -------
    pandas.DataFrame
        sign, rule, a column for each method (the mean over the pathologies of the mean over the radiographs), ranking
        (the methods, best first) and tau (Kendall's τ-b of the methods' means with those under the paper's rule,
        -1..1, of the methods that both rank; NaN for fewer than two, or where all are equal).
    """
    by_pathology = scores.groupby(["sign", "rule", "method", "pathology"], as_index=False)["iou"].mean()
    means = by_pathology.pivot_table(index=["sign", "rule"], columns="method", values="iou").reindex(
        columns=methods
    )
    rows = []
    for sign, rule in product(SIGNS, RULES):
        if (sign, rule) in means.index:
            here = means.loc[[(sign, rule)]].iloc[0]
            ranked = here.dropna().sort_values(ascending=False, kind="stable")
            tau = _tau(here, means.loc[[PAPER]].iloc[0]) if PAPER in means.index else np.nan
            order = {"ranking": " > ".join(map(str, ranked.index)), "tau": tau}
            rows.append({"sign": sign, "rule": rule} | here.to_dict() | order)
    return pd.DataFrame(rows, columns=["sign", "rule", *methods, "ranking", "tau"])


def _tau(means: pd.Series[float], paper: pd.Series[float]) -> float:
    both = pd.DataFrame(
        {"here": means, "paper": paper}
    ).dropna()  # a method of masks has no mean under any rule
    return float(kendalltau(both["here"], both["paper"]).statistic) if len(both) > 1 else np.nan


def _tuned(ious: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float32]:
    """Return each map's IoU at the level that is best on the other folds; with one map there is nothing to tune on."""
    count = len(ious)
    if count < 2:
        return np.full(count, np.nan, np.float32)
    folds = np.random.default_rng(seed).permutation(count) % min(FOLDS, count)
    chosen = np.array([int(ious[folds != fold].mean(axis=0).argmax()) for fold in range(folds.max() + 1)])
    return np.asarray(ious[np.arange(count), chosen[folds]], np.float32)
