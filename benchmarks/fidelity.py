"""How close LIME and SHAP come to their own limit: the libraries at 1,000 samples, and ours where it stops.

``python -m benchmarks.fidelity --cohort COHORT --model MODEL --keep FOLDER`` prints, for each radiograph, pathology and
method, the correlation of the superpixels' values with a reference from many more evaluations of the same function
(the logit), drawn by another seed and estimated in another way (`benchmarks.reference`). References are kept in a folder, so that a run that was stopped goes on. At the end
stands how the heatmaps made in the processor's fast precision correlate in rank with those made in float32.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads it)
from typing import Annotated

import numpy as np
import torch
import typer
from safetensors.numpy import load_file, save_file
from scipy.stats import spearmanr

from benchmarks.reference import shapley_reference, surrogate_reference
from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.weights import load_classifier
from shamsul_core.cohort import open_cohort
from shamsul_core.explain import Subject, explain_subject, make_explainers
from shamsul_core.explain.coalitions import CoalitionStream
from shamsul_core.explain.kernelshap import KernelShap, kernel_explainer_values
from shamsul_core.explain.lime import Lime, lime_coefficients
from shamsul_core.heatmap import Heatmap
from shamsul_core.memory import keep_freed_memory
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

_REFERENCE_SEED = 12345
LIBRARY_SAMPLES = 1000


def main(
    cohort: Annotated[Path, typer.Option()],
    model: Annotated[str, typer.Option()],
    keep: Annotated[Path, typer.Option(help="Folder for the references.")],
    radiographs: int = 5,
    pathologies: Annotated[int, typer.Option(help="The most probable ones of each radiograph.")] = 3,
    evaluations: int = 20_000,
) -> None:
    """Print the correlations."""
    keep_freed_memory()
    keep.mkdir(parents=True, exist_ok=True)
    classifier = load_classifier(model)
    print(f"{'radiograph':36} {'pathology':28} method  library  default  evaluations  converged")
    rows = []
    for radiograph in list(open_cohort(cohort).radiographs.values())[:radiographs]:
        subject = Subject(classifier, radiograph.pixels())
        probabilities = classifier.predict(subject.pixels)
        chosen = sorted(LOCALISED_PATHOLOGIES, key=lambda name: -probabilities[name])[:pathologies]
        path = keep / f"{radiograph.id}-{evaluations}.safetensors"
        if not path.exists():
            save_file(reference(subject, evaluations), path)
        references = load_file(path)
        ours, theirs = default_values(subject), library_values(subject)
        for pathology in chosen:
            column = classifier.output_index(pathology)
            for method in (Lime.name, KernelShap.name):
                heatmap = ours[method, pathology]
                target = references[method][:, column]
                library = np.corrcoef(theirs[method][:, column], target)[0, 1]
                default = np.corrcoef(heatmap.values, target)[0, 1]
                rows.append((method, library, default, heatmap.converged))
                print(
                    f"{radiograph.id:36} {pathology:28} {method:7} {library:7.3f}  {default:7.3f}  "
                    f"{heatmap.evaluations:11}  {heatmap.converged}",
                    flush=True,
                )
    for method in (Lime.name, KernelShap.name):
        library, default = (np.array([row[at] for row in rows if row[0] == method]) for at in (1, 2))
        converged = [row[2] for row in rows if row[0] == method and row[3]]
        print(
            f"{method}: library median {np.median(library):.3f}, lowest {library.min():.3f}; default median "
            f"{np.median(default):.3f}, lowest {default.min():.3f}, below the library's {np.sum(default < library)} of "
            f"{len(default)}; converged {len(converged)}, the lowest of these {min(converged, default=np.nan):.3f}"
        )
    print_precision(classifier, subject)


def reference(subject: Subject, evaluations: int) -> dict[str, np.ndarray]:
    """Return each method's values for all outputs, n × C, from so many evaluations."""
    masked = subject.masked(Lime.presets["default"].superpixels, hide="grey", seed=0)
    stream = CoalitionStream(masked, masked.count, seed=_REFERENCE_SEED)
    pairs = stream.take((evaluations - 2) // 2)
    return {
        Lime.name: surrogate_reference(pairs, Lime.presets["default"].kernel_width),
        KernelShap.name: shapley_reference(pairs),
    }


def default_values(subject: Subject) -> dict[tuple[str, str], Heatmap]:
    """Return our heatmaps, preset default, by method and pathology."""
    outcomes = [
        outcome
        for explainer in make_explainers("default")
        for outcome in explain_subject(explainer, subject, LOCALISED_PATHOLOGIES)
    ]
    return {(one.method, one.pathology): one for one in outcomes if isinstance(one, Heatmap)}


def library_values(subject: Subject) -> dict[str, np.ndarray]:
    """Return lime's and shap's own values of the same superpixels and logits for all outputs, n × C."""
    settings = Lime.presets["default"]
    masked = subject.masked(settings.superpixels, hide=settings.hide, seed=settings.seed)
    width = settings.kernel_width
    return {
        Lime.name: lime_coefficients(masked, masked.count, LIBRARY_SAMPLES, kernel_width=width, seed=0),
        KernelShap.name: kernel_explainer_values(
            masked, masked.count, LIBRARY_SAMPLES, keep_largest=None, seed=0
        ),
    }


def print_precision(classifier: Classifier, subject: Subject) -> None:
    """Print the rank correlation of one radiograph's heatmaps in fast precision and in float32."""
    fast = default_values(subject)
    exact_classifier = Classifier(
        classifier.network,
        classifier.pathologies,
        classifier.preprocessing,
        classifier.source,
        is_trained=True,
    )
    exact_classifier.__dict__["fast_dtype"] = torch.float32
    exact = default_values(Subject(exact_classifier, subject.pixels))
    for method in dict.fromkeys(key[0] for key in fast):
        ranks = [
            spearmanr(fast[key].values.ravel(), exact[key].values.ravel()).statistic
            for key in fast
            if key[0] == method and np.ptp(exact[key].values) > 0
        ]
        print(f"{method}: rank correlation of {classifier.fast_dtype} and float32, lowest {min(ranks):.4f}")


if __name__ == "__main__":
    typer.run(main)
