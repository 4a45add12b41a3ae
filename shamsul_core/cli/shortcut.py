"""``shortcut``: whether a model took a planted shortcut, and which methods show it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.cli.options import RunFolder
from shamsul_core.cli.terminal import console, progress_bar, say

if TYPE_CHECKING:
    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.run import Run


def shortcut(
    run: RunFolder,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    *,
    model: Annotated[
        str | None, typer.Option(help="The run's model. Default: where the run says, or beside the run.")
    ] = None,
) -> None:
    """Write whether a model took the shortcut of 'simulate --shortcut', and where each method looked, see docs/shortcuts.md."""
    with console.status("Reading the run, its cohort and its model"):
        from shamsul_core.run import Run
        from shamsul_core.run.cohort import cohort_of
        from shamsul_core.statistics.shortcuts import planted_sign

        opened = Run.open(run)
        cohort = cohort_of(opened)
        pathology = planted_sign(cohort).pathology
        classifier = _model(opened, model)
        column = classifier.output_index(pathology)
        from shamsul_core.report.shortcut import write_shortcut_report
    with progress_bar(2 * len(cohort.radiographs)) as on_step:
        verdict = write_shortcut_report(
            opened,
            cohort,
            lambda pixels: float(classifier.logits(classifier.preprocess(pixels))[0, column]),
            out,
            on_step=on_step,
        )
    say(verdict)
    say(f"{out}: shortcut.md and its tables")


def _model(run: Run, model: str | None) -> Classifier:
    """Return the run's model."""
    from shamsul_core.classifier.weights import load_classifier
    from shamsul_core.run import RunError
    from shamsul_core.run.model import source_of

    source = source_of(run, model)
    classifier = load_classifier(source)
    if classifier.fingerprint != run.manifest.model["fingerprint"]:
        message = f"{source.model}: not the model of {run.folder}, whose explanations are of another one"
        raise RunError(message)
    return classifier
