"""The report: the paper's tables and figures, made from a run, in the paper's order, and what goes beyond them.

A chapter is one module, which returns words, tables and figures (`shamsul_core.report.chapter`); `write_report` lists
the chapters and writes them as one HTML file, one PDF, and each table as CSV and each figure as PNG and SVG. The same
run gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.classifier.leak import leak_in_words
from shamsul_core.cohort.summary import cohort_table
from shamsul_core.figures.print.files import encode_figure
from shamsul_core.figures.scene.notes import banner
from shamsul_core.files.atomic import write_atomically
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.report.chapter import Chapter, Drawing, Table
from shamsul_core.report.cohort import cohort_chapter
from shamsul_core.report.comparison import comparison_chapter
from shamsul_core.report.documents import DocumentChapter, as_html, as_pdf, draw
from shamsul_core.report.evidence import Evidence
from shamsul_core.report.influences import correlation_chapter, threshold_chapter
from shamsul_core.report.localisation import method_chapters
from shamsul_core.report.prediction import prediction_chapter
from shamsul_core.report.proof import proof_chapters
from shamsul_core.report.provenance import provenance_chapter
from shamsul_core.report.removals import removal_chapters
from shamsul_core.report.yardsticks import yardstick_chapter
from shamsul_core.run import RunError
from shamsul_core.run.model import card_of_run
from shamsul_core.run.novelty_words import novelties_in_words
from shamsul_core.run.wording import origin_in_words
from shamsul_core.statistics.paper import why_not_comparable
from shamsul_core.statistics.prediction.assessment import assess
from shamsul_core.statistics.prediction.decisions import decision_thresholds
from shamsul_core.statistics.prediction.discrimination import u_zeros

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.report.documents import DocumentBlock
    from shamsul_core.run import Run
    from shamsul_core.statistics.prediction.decisions import ThresholdRule

TITLE = "What the classifier looked at"


def write_report(
    run: Run,
    cohort: Cohort,
    folder: Path,
    *,
    rule: ThresholdRule = "fixed",
    blank_is_negative: bool = False,
    on_step: OnStep = say_nothing,
) -> list[Path]:
    """Write ``report.html``, ``report.pdf``, tables as CSV and figures as PNG and SVG, each file whole or not at all.

    Parameters
    ----------
    folder
        Made where it is not there; files of the same names are replaced.
    rule
        Which threshold decides.
    blank_is_negative
        Whether uncertain and blank labels count as negative (U-Zeros) instead of being left out.
    on_step
        Called with the title of each chapter that is done.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    RunError
        If the run holds no predictions or they cannot be read.
    OSError
        If a file cannot be written.
    """
    predictions = run.predictions
    if predictions.empty:
        message = (
            f"{run.folder}: no predictions in this run yet; continue with: python -m shamsul_core explain"
        )
        raise RunError(message)
    radiographs = cohort_table(cohort)
    labels = u_zeros(radiographs) if blank_is_negative else radiographs
    folder.mkdir(parents=True, exist_ok=True)
    written, chapters = [], []

    def write(name: str, content: bytes) -> None:
        write_atomically(folder / name, content)
        written.append(folder / name)

    for chapter in _chapters(run, cohort, radiographs, labels, rule):
        blocks: list[DocumentBlock] = []
        for block in chapter.blocks:
            if isinstance(block, Drawing):
                png = encode_figure(block.figure, "png")
                write(f"{block.name}.png", png)
                write(f"{block.name}.svg", encode_figure(block.figure, "svg"))
                blocks.append(draw(block.caption, png))
                continue
            if isinstance(block, Table):
                text = block.frame.to_csv(float_format="%.6g", lineterminator="\n")
                write(f"{block.name}.csv", text.encode())
            blocks.append(block)
        chapters.append(DocumentChapter(chapter.title, tuple(blocks)))
        on_step(chapter.title)
    notes = [origin_in_words(run.manifest), *filter(None, [banner(run), why_not_comparable(cohort)])]
    write("report.html", as_html(TITLE, notes, chapters))
    write("report.pdf", as_pdf(TITLE, notes, chapters))
    return written


def _chapters(
    run: Run, cohort: Cohort, radiographs: pd.DataFrame, labels: pd.DataFrame, rule: ThresholdRule
) -> Iterator[Chapter]:
    # On definite labels, as on every page, whatever the others count as
    thresholds = decision_thresholds(run.predictions, radiographs, rule)
    assessment = assess(run.predictions, labels, thresholds)
    evidence = Evidence(run, cohort)
    yield cohort_chapter(radiographs)
    leak = leak_in_words(card_of_run(run), cohort)
    yield prediction_chapter(assessment, leak, novelties_in_words(run.novelty))
    if not evidence.scores.empty:
        yield yardstick_chapter(evidence)
        yield from method_chapters(evidence)
        yield comparison_chapter(evidence)
        yield from removal_chapters(evidence)
        yield from proof_chapters(evidence)
        yield threshold_chapter(evidence)
        yield correlation_chapter(evidence, assessment)
    yield provenance_chapter(run)
