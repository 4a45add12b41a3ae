"""The human benchmark: radiologists held against others as a method is.

Saporta et al. 2022: IoU of the second readers' masks with the experts', and whether the point that they clicked as most
representative lies inside the experts' mask. The percentage decrease from them to a method is that of
``calculate_percentage_decrease.py``.

Where a cohort has no second readers, but several who marked the same radiograph (VinDr-CXR's three), each of them is held
against the others in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.patients import number_patients
from shamsul_core.localisation.overlap import overlap
from shamsul_core.localisation.scoring import score_readers
from shamsul_core.statistics.intervals import FEWEST, count_patients, mean_of_known, resampled_means

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from shamsul_core.cohort import Annotation, Cohort
    from shamsul_core.cohort.truth_words import TruthWords
    from shamsul_core.statistics.intervals import Floats

READERS = "readers"
"""The second readers' name in the place of a method's."""

EACH_OTHER = "each reader against the others"
"""That of a cohort's own readers, of whom each is left out once."""

AVERAGE = "Average"
"""Name of the last rows of `percentage_decrease`, as CheXlocalize has it."""


def human_benchmark_scores(
    cohort: Cohort, image_ids: Iterable[str], pathologies: Sequence[str]
) -> pd.DataFrame:
    """Return IoU and hit of the second readers or, in a cohort without, of each of its readers against the others.

    Returns
    -------
    pandas.DataFrame
        image_id, pathology, method, truth (the kind, see `shamsul_core.cohort.annotation.Kind`), iou and hit; empty where
        a cohort has neither. Of second readers (`READERS`) a row for each radiograph and pathology that the experts
        marked: iou is NaN where either mask is empty, hit 1.0 or 0.0, the latter also where nothing was clicked, as in
        ``eval.py``; NaN where the cohort has no clicked points at all. Of readers against the others (`EACH_OTHER`) a row
        where at least two marked anything: the mean over these of `shamsul_core.localisation.scoring.score_readers`.
    """
    rows, are_points = [], False
    for image_id in image_ids:
        for pathology in pathologies:
            try:
                reader = cohort.human_benchmark(image_id, pathology)
                if reader is None:
                    rows += _each_other(cohort, image_id, pathology)
                    continue
                expert = cohort.annotation(image_id, pathology)
                if expert is None or expert.is_empty:
                    continue
                points = cohort.salient_points(image_id, pathology)
                rows.append(_row(expert, reader, points))
            except CohortError:
                continue
            are_points = are_points or bool(points)
    table = pd.DataFrame(rows, columns=["image_id", "pathology", "method", "truth", "iou", "hit"])
    is_without_points = (table["method"] == READERS) & (not are_points)
    return table.assign(hit=table["hit"].astype(np.float64).mask(is_without_points))


def benchmark_in_words(readers: pd.DataFrame, truth: TruthWords) -> str:
    """Return in a sentence what the human benchmark is.

    Parameters
    ----------
    readers
        From `human_benchmark_scores`, or their summary; not empty.
    truth
        The words for what the readers marked.
    """
    if not is_between_readers(readers):
        return "Human benchmark: the second readers against the experts."
    hits = " Hit: the centre of a reader's box lies inside another's." if truth.noun == "box" else ""
    return (
        f"Human benchmark: each reader's {truth.plural} against those of each other reader, averaged over the readers who "
        f"marked anything.{hits}"
    )


def is_between_readers(readers: pd.DataFrame) -> bool:
    """Return whether it is the cohort's own readers who are held against each other."""
    return bool((readers["method"] == EACH_OTHER).any())


def percentage_decrease(
    scores: pd.DataFrame, readers: pd.DataFrame, methods: Sequence[str], column: str = "iou"
) -> pd.DataFrame:
    """Return by how many percent of the readers' mean each method's lies below it.

    Parameters
    ----------
    scores, readers
        The run's scores, and `human_benchmark_scores`.

    Returns
    -------
    pandas.DataFrame
        pathology, method, readers, mean, decrease, with the 95 % bootstrap intervals ``decrease_low`` to
        ``decrease_high``, NaN where fewer than `FEWEST` patients have either; patients are drawn together for both,
        and for all pathologies. Each method's last row is the `AVERAGE`: the decrease of the mean over the pathologies
        that both have a mean of.
    """
    pathologies = list(dict.fromkeys(readers["pathology"]))
    image_ids = sorted({*scores["image_id"], *readers["image_id"]})
    patients = number_patients(image_ids)
    second = _wide(readers, column, image_ids, pathologies)
    by_method = {
        method: _decreases(
            second, _wide(scores[scores["method"] == method], column, image_ids, pathologies), patients
        )
        for method in methods
    }
    rows = [
        {"pathology": name, "method": method} | by_method[method][place]
        for place, name in enumerate([*pathologies, AVERAGE])
        for method in methods
    ]
    columns = ["pathology", "method", "readers", "mean", "decrease", "decrease_low", "decrease_high"]
    return pd.DataFrame(rows, columns=columns)


def _row(expert: Annotation, reader: Annotation, points: Sequence[tuple[float, float]]) -> dict[str, object]:
    mask = expert.mask()
    height, width = mask.shape
    inside = [bool(mask[int(y), int(x)]) for x, y in points if 0 <= x < width and 0 <= y < height]
    return {
        "image_id": expert.image_id,
        "pathology": expert.pathology,
        "method": READERS,
        "truth": expert.kind,
        "iou": overlap(reader.mask(), mask).iou,
        "hit": float(any(inside)),
    }


def _each_other(cohort: Cohort, image_id: str, pathology: str) -> list[dict[str, object]]:
    """Return a row where at least two of the cohort's readers marked something, else none."""
    # Neither opens an image, as annotations do: a millisecond of a PNG, three of a DICOM file
    if len(cohort.annotators(image_id)) < 2 or pathology not in cohort.marked_on(image_id):
        return []
    annotations = cohort.annotations(image_id, pathology)
    scores = score_readers(annotations)
    if scores is None:
        return []
    kind = annotations[0].kind
    return [
        {"image_id": image_id, "pathology": pathology, "method": EACH_OTHER, "truth": kind, **scores},
    ]


def _wide(scores: pd.DataFrame, column: str, image_ids: list[str], pathologies: list[str]) -> Floats:
    """Return a score, float64, radiographs × pathologies."""
    table = scores.pivot_table(index="image_id", columns="pathology", values=column)
    return table.reindex(index=image_ids, columns=pathologies).to_numpy(np.float64, na_value=np.nan)


def _decreases(readers: Floats, method: Floats, patients: npt.NDArray[np.int64]) -> list[dict[str, float]]:
    """Return a row for each pathology and one for their average."""
    both = np.hstack([readers, method])
    # The sample itself, then the resamples
    means = np.vstack([mean_of_known(both, axis=0), resampled_means(both, patients)])
    second, ours = np.hsplit(means, 2)
    shared = np.isfinite(second[0]) & np.isfinite(ours[0])
    pairs = [*zip(second.T, ours.T, strict=True)]
    pairs.append((mean_of_known(second[:, shared], axis=1), mean_of_known(ours[:, shared], axis=1)))
    known = [np.isfinite(table) for table in (readers, method)]
    numbers = [
        np.append(count_patients(table, patients), _of_any(table[:, shared], patients)) for table in known
    ]
    enough = np.minimum(*numbers) >= FEWEST
    return [
        _decrease(*pair, has_interval=bool(is_enough)) for pair, is_enough in zip(pairs, enough, strict=True)
    ]


def _of_any(known: npt.NDArray[np.bool_], patients: npt.NDArray[np.int64]) -> int:
    """Return how many patients have something in any column."""
    return int(count_patients(np.asarray(known.any(axis=1, keepdims=True)), patients)[0])


def _decrease(readers: Floats, method: Floats, *, has_interval: bool) -> dict[str, float]:
    """Return a row from the means of the sample, which come first, and of the resamples."""
    with np.errstate(invalid="ignore", divide="ignore"):
        decreases = 100 * (readers - method) / readers
    resampled = decreases[1:][np.isfinite(decreases[1:])]
    low, high = (np.nan, np.nan)
    if has_interval and len(resampled):
        low, high = np.percentile(resampled, [2.5, 97.5])
    return {
        "readers": float(readers[0]),
        "mean": float(method[0]),
        "decrease": float(decreases[0]) if np.isfinite(decreases[0]) else np.nan,
        "decrease_low": float(low),
        "decrease_high": float(high),
    }
