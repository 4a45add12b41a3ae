"""Which rules LRP runs by: the figures that `docs/lrp.md` chooses the default by.

``python -m benchmarks.lrp_rules --cohort COHORT --split val --model MODEL``: by each candidate on the first half of the
patients mean IoU, hit rate, deletion and insertion, and how alike maps of a network with random weights are; then the chosen
one and ``epsilon`` on the second half, with the difference's interval.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads it)
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
import typer

from shamsul_core.classifier.weights import load_classifier
from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.patients import number_patients
from shamsul_core.explain import Subject
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation, LrpSettings
from shamsul_core.localisation.scoring import expert_truths, score_heatmap
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.proof.catalogue import BLUR_HIDES, DELETION, INSERTION
from shamsul_core.proof.faithfulness import FaithfulnessTest
from shamsul_core.proof.randomisation import cascade
from shamsul_core.proof.similarity import on_input, rank_correlation
from shamsul_core.statistics.intervals import resampled_means
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import Heatmap

EPSILON = LrpSettings()
CANDIDATES = {
    "epsilon": EPSILON,
    "alpha2_beta1": LrpSettings(rules="alpha2_beta1"),
    "deep_taylor": LrpSettings(rules="deep_taylor"),
    **{
        f"{rules}, {epsilon:g}": LrpSettings(rules=rules, epsilon=epsilon)
        for rules in ("epsilon_plus_flat", "epsilon_gamma_box")
        for epsilon in (1e-6, 1e-2)
    },
}
RANKED = {"iou": False, "hit": False, DELETION: True, INSERTION: False}
"""The four figures, and whether less is better."""
RANDOM, MOST_ALIKE = ("half of the layers", "all layers"), (0.5, 0.1)


def main(
    cohort: Annotated[Path, typer.Option()],
    model: Annotated[Path, typer.Option()],
    split: Annotated[str, typer.Option()] = "val",
    cases: Annotated[int, typer.Option(help="Of each pathology, for deletion and insertion.")] = 6,
    radiographs: Annotated[int, typer.Option(help="For the random weights.")] = 12,
) -> None:
    """Print the candidates' figures on the first half, what is chosen, and what the second half says."""
    opened = open_cohort(cohort, split=split)
    classifier = load_classifier(str(model))
    names = sorted(opened.radiographs)
    subjects = {name: Subject(classifier, opened.radiographs[name].pixels()) for name in names}
    half, other = names[::2], names[1::2]

    table = pd.DataFrame(_scores(opened, subjects, half, CANDIDATES, cases))
    figures = _over_pathologies(table)
    alike = pd.DataFrame(_alike(opened, subjects, half[:radiographs]))
    figures = figures.join(alike.groupby("rules").mean())
    figures["out"] = np.logical_or.reduce(
        [figures[stage].abs() >= most for stage, most in zip(RANDOM, MOST_ALIKE, strict=True)]
    )
    ranks = [figures.loc[~figures["out"], name].rank(ascending=less) for name, less in RANKED.items()]
    figures["mean rank"] = pd.concat(ranks, axis=1).mean(axis=1)
    print(figures.sort_values("mean rank").round(3).to_string())
    chosen = str(figures["mean rank"].idxmin())
    print(f"\nchosen: {chosen}; {len(half)} radiographs, {len(table) // len(CANDIDATES)} cases")

    compared = {name: CANDIDATES[name] for name in dict.fromkeys((chosen, "epsilon"))}
    second = pd.DataFrame(_scores(opened, subjects, other, compared, 0))
    print("\nsecond half\n" + _over_pathologies(second).round(3).to_string())
    wide = second.pivot_table(index="image_id", columns=["rules", "pathology"], values="iou")
    difference = (wide[chosen] - wide["epsilon"]).to_numpy()
    means = np.nanmean(resampled_means(difference, number_patients(wide.index)), axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    mean = np.nanmean(difference, axis=0).mean()
    print(f"IoU of {chosen} less epsilon's: {mean:.3f} ({low:.3f} to {high:.3f})")


def _scores(
    cohort: Cohort,
    subjects: dict[str, Subject],
    names: Sequence[str],
    candidates: dict[str, LrpSettings],
    cases: int,
) -> Iterator[dict[str, Any]]:
    followed = dict.fromkeys(LOCALISED_PATHOLOGIES, 0)
    for name in names:
        subject = subjects[name]
        size = subject.pixels.shape
        truths = {
            pathology: expert_truths(cohort, name, size, pathology) for pathology in LOCALISED_PATHOLOGIES
        }
        marked = [pathology for pathology, (found, nothing) in truths.items() if found and not nothing]
        if not marked:
            continue
        faithful = FaithfulnessTest(subject, 0)
        for rules, settings in candidates.items():
            maps = LayerwiseRelevancePropagation(settings).explain(subject, marked)
            for pathology in marked:
                row = score_heatmap(maps[pathology], size, PRESETS["default"], None, truths[pathology][0])
                about = {"image_id": name, "pathology": pathology, "rules": rules}
                curves = _faithful(faithful, maps[pathology]) if followed[pathology] < cases else {}
                yield about | {"iou": row["iou"], "hit": row["hit"]} | curves
        for pathology in marked:
            followed[pathology] += 1


def _faithful(test: FaithfulnessTest, heatmap: Heatmap) -> dict[str, float]:
    curves = test.curves(on_input(heatmap, test.size_px), heatmap.pathology)
    return {curve.figure: curve.mean for curve in curves if curve.setting == BLUR_HIDES}


def _over_pathologies(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby(["rules", "pathology"]).mean(numeric_only=True).groupby("rules").mean()


def _alike(cohort: Cohort, subjects: dict[str, Subject], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for seed, name in enumerate(names):
        subject = subjects[name]
        marked = [
            one for one in LOCALISED_PATHOLOGIES if expert_truths(cohort, name, subject.pixels.shape, one)[0]
        ]
        if not marked:
            continue
        stages = {stage: made for stage, _, made in cascade(subject.classifier, seed) if stage in RANDOM}
        for rules, settings in CANDIDATES.items():
            method = LayerwiseRelevancePropagation(settings)
            own = method.explain(subject, marked)
            others = {
                stage: method.explain(Subject(made, subject.pixels), marked) for stage, made in stages.items()
            }
            for pathology in marked:
                yield {"rules": rules} | {
                    stage: rank_correlation(own[pathology].values, maps[pathology].values)
                    for stage, maps in others.items()
                }


if __name__ == "__main__":
    typer.run(main)
