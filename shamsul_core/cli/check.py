"""``check``: what a cohort holds and what is wrong with it, before it is explained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.classifier.source import ModelSource
from shamsul_core.cli.options import (
    COHORT_HELP,
    CohortLayout,
    CohortSplit,
    Names,
    Output,
    Prompts,
    Weights,
)
from shamsul_core.cli.terminal import console, progress_bar, say, warn, warn_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from shamsul_core.cohort import Cohort

_LABELS = ("positive", "uncertain", "negative", "blank")


def check(
    cohort: Annotated[Path, typer.Argument(help=COHORT_HELP)],
    *,
    split: CohortSplit = None,
    layout: CohortLayout = None,
    model: Annotated[
        str | None, typer.Option(help="A model: which of its outputs the cohort labels or marks.")
    ] = None,
    output: Output = None,
    weights: Weights = None,
    prompts: Prompts = None,
    names: Names = None,
    out: Annotated[
        Path, typer.Option(help="Text file for all problems, written where not all of them are shown.")
    ] = Path("problems.txt"),
) -> None:
    """Say where a cohort's files lie, what they label and mark, and what is wrong with them; nothing is explained."""
    with console.status("Reading the cohort"):
        from shamsul_core.cohort import open_cohort
        from shamsul_core.cohort.summary import cohort_table, label_counts, marked_counts
        from shamsul_core.pairing import read_mapping

        mapping = {} if names is None else read_mapping(names)
        opened = open_cohort(cohort, split=split, layout=layout)
        labels, marked = label_counts(cohort_table(opened)), marked_counts(opened)
    for line in (*_places(opened), "", *_counts(opened, labels, marked)):
        say(line)
    partners = True
    if model is not None:
        with console.status("Reading the model"):
            source = ModelSource(model=model, output=output, weights=weights, prompts=prompts)
            partners = _say_partners(source, opened, labels, marked, mapping)
    with progress_bar(len(opened.radiographs)) as on_step:
        problems = opened.check(on_step)
    warn_of([*problems, *opened.remarks], out)
    unread = {problem.subject for problem in problems if not problem.is_used}
    read = sum(str(radiograph.path) not in unread for radiograph in opened.radiographs.values())
    say(
        f"{opened.folder}: {read} of {len(opened.radiographs)} radiographs can be used, {len(problems)} problems"
    )
    if not read or not partners:
        raise typer.Exit(1)


def _places(cohort: Cohort) -> Iterator[str]:
    from shamsul_core.cohort.opening import LAYOUTS

    yield f"{cohort.folder}: {LAYOUTS[cohort.layout].title}, split {cohort.split}, {len(cohort.radiographs)} radiographs"
    for kind, paths in cohort.files.items():
        for path in paths:
            yield f"  {kind:<24}{path.relative_to(cohort.folder) if path.is_relative_to(cohort.folder) else path}"


def _counts(cohort: Cohort, labels: pd.DataFrame, marked: Mapping[str, int]) -> Iterator[str]:
    yield f"{'labels':<28}{''.join(f'{kind:>10}' for kind in _LABELS)}{'marked':>10}  as"
    for name, *counts in labels[[*_LABELS]].itertuples(name=None):
        numbers = "".join(f"{count:>10}" for count in counts)
        kind = cohort.truth_kind(name) if name in marked else "-"
        yield f"{name:<28}{numbers}{marked.get(name, '-'):>10}  {kind}"


def _say_partners(
    model: ModelSource,
    cohort: Cohort,
    labels: pd.DataFrame,
    marked: Mapping[str, int],
    mapping: Mapping[str, str],
) -> bool:
    """Say which outputs are labelled or marked on any radiograph, and a leak; return whether one output is."""
    from shamsul_core.classifier.leak import leak_in_words
    from shamsul_core.classifier.weights import load_classifier
    from shamsul_core.pairing import pair

    labelled = labels[["positive", "uncertain", "negative"]].sum(axis=1)
    labelled_or_marked = [name for name in labels.index if labelled[name] or marked.get(name)]
    classifier = load_classifier(model)
    outputs = classifier.pathologies
    pairing = pair(outputs, labelled_or_marked, mapping)
    partners = [name if name == partner else f"{name} ({partner})" for name, partner in pairing.pairs]
    say("")
    say(
        f"{model.model}: {len(partners)} of its {len(outputs)} outputs are labelled or marked here: {_listed(partners)}"
    )
    for line in pairing.lines():
        say(f"{model.model}: {line}")
    if leak := leak_in_words(classifier.card, cohort):
        warn(f"{model.model}: {leak}")
    return bool(partners)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
