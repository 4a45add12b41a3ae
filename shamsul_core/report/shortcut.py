"""The report on a planted shortcut: whether the model took it, then which methods would have warned a reader.

Written as Markdown, to be read where it lies and quoted as it is, and its tables as CSV. The same run and model give the
same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.figures.html.summary import intervals, two_digits
from shamsul_core.figures.scene.notes import banner
from shamsul_core.files.atomic import write_atomically
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.report.chapter import Chapter, Table, Words
from shamsul_core.run import RunError
from shamsul_core.run.wording import RESEARCH_ONLY, origin_in_words
from shamsul_core.statistics.intervals import FEWEST, TOO_FEW
from shamsul_core.statistics.shortcuts import (
    BAIT_FROM,
    bait_summary,
    bait_table,
    density_summary,
    density_table,
    discrimination,
    planted_sign,
    warnings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shamsul_core.cohort import Cohort
    from shamsul_core.cohort.planted_sign import PlantedSign
    from shamsul_core.run import Run
    from shamsul_core.statistics.shortcuts import Logit

TITLE = "Would the explanation have warned the reader?"
_NOTE = f"95 % intervals: bootstrap over patients ({TOO_FEW}: fewer than {FEWEST})."


def write_shortcut_report(
    run: Run, cohort: Cohort, logit: Logit, folder: Path, *, on_step: OnStep = say_nothing
) -> str:
    """Write ``shortcut.md`` and its tables, ``shortcut_*.csv``, each file whole or not at all.

    Parameters
    ----------
    run
        The model's explanations of an evaluation cohort with a planted sign.
    cohort
        That cohort.
    logit
        Returns the model's logit of the shortcut's pathology for a radiograph, H × W.
    folder
        Made where it is not there; files of the same names are replaced.
    on_step
        Called with a radiograph's id twice for each radiograph; by default nothing is.

    Returns
    -------
    str
        In a sentence, whether the model took the bait.

    Raises
    ------
    CohortError
        If no shortcut was planted in the cohort, or its files cannot be used.
    RunError
        If the run does not explain the shortcut's pathology, or cannot be read.
    OSError
        If a file cannot be written.
    """
    sign = planted_sign(cohort)
    if sign.pathology not in run.manifest.pathologies or not run.explained_ids():
        message = f"{run.folder}: does not explain {sign.pathology}, which the {sign.name} goes with; explain it first"
        raise RunError(message)
    baits = bait_table(cohort, logit, on_step)
    densities = density_table(run, cohort, on_step)
    verdict = _verdict(baits, sign)
    chapters = [
        _bait_chapter(baits, sign, verdict),
        _density_chapter(densities, sign, run.manifest.titles),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for table in (block for chapter in chapters for block in chapter.blocks if isinstance(block, Table)):
        text = table.frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_atomically(folder / f"{table.name}.csv", text.encode())
    for name, frame in {"shortcut_logits": baits, "shortcut_densities": densities}.items():
        text = frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_atomically(folder / f"{name}.csv", text.encode())
    notes = [origin_in_words(run.manifest), *filter(None, [banner(run)]), RESEARCH_ONLY]
    write_atomically(folder / "shortcut.md", as_markdown(TITLE, notes, chapters).encode())
    return verdict


def as_markdown(title: str, notes: Sequence[str], chapters: Sequence[Chapter]) -> str:
    """Return chapters of words and tables as Markdown; of drawings, which it has no place for, the captions."""
    lines = [f"# {title}", "", *(f"{note}\n" for note in notes)]
    for number, chapter in enumerate(chapters, start=1):
        lines += [f"## {number}. {chapter.title}", ""]
        for block in chapter.blocks:
            lines += [block.text if isinstance(block, Words) else block.caption, ""]
            if isinstance(block, Table):
                head, rows = block.cells
                lines += [_row(head), _row(["---"] * len(head)), *map(_row, rows), ""]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', '/') for text in cells)} |"


def _verdict(baits: pd.DataFrame, sign: PlantedSign) -> str:
    summary = bait_summary(baits).head(1)
    whole, interval = summary.iloc[0], intervals(summary["low"], summary["high"], summary["n"])[0]
    took = "took the bait" if whole["mean"] >= BAIT_FROM else "did not take the bait"
    return (
        f"The model {took}: the {sign.name} alone moves the logit of {sign.pathology} by {whole['mean']:+.2f} "
        f"({interval}, {whole['n']} radiographs; {BAIT_FROM:g} or more is asked for)."
    )


def _bait_chapter(baits: pd.DataFrame, sign: PlantedSign, verdict: str) -> Chapter:
    summary, areas = bait_summary(baits), discrimination(baits)
    shown = pd.DataFrame(
        {
            "Radiographs": summary["radiographs"],
            "Logit with the sign less without": [f"{value:+.2f}" for value in summary["mean"]],
            "95 % interval": intervals(summary["low"], summary["high"], summary["n"]),
            "n": summary["n"],
        }
    )
    shown_areas = pd.DataFrame(
        {
            f"The {sign.name} is": areas["sign"],
            f"AUROC of {sign.pathology}": [f"{value:.3f}" for value in areas["auroc"]],
            "n": areas["n"],
        }
    )
    caution = (
        []
        if sign.share == 0.5
        else [
            Words(
                f"Sign and finding are not independent in this cohort (share {sign.share:g}); "
                "evaluate on one that was simulated with 0.5."
            )
        ]
    )
    return Chapter(
        "Did the model take the bait?",
        (
            Words(verdict),
            *caution,
            Table(
                "shortcut_bait",
                f"Each radiograph is there twice, with the {sign.name} and without it: the same patient, findings, exposure "
                f"and noise. {_NOTE}",
                summary,
                shown,
            ),
            Table(
                "shortcut_auroc",
                "How well the model tells the finding, according to where the sign is put; the same radiographs each time, "
                "without those whose label is uncertain.",
                areas,
                shown_areas,
            ),
        ),
    )


def _density_chapter(densities: pd.DataFrame, sign: PlantedSign, titles: Mapping[str, str]) -> Chapter:
    summary, warned = density_summary(densities), warnings(densities)
    words = {True: "with", False: "without"}
    cells = pd.DataFrame(
        {
            "Method": summary["method"].map(titles),
            "Sign": summary["has_sign"].map(words),
            "Finding": summary["has_finding"].map(words),
            "Where": summary["region"],
            "Density": [two_digits(value) for value in summary["mean"]],
            "95 % interval": intervals(summary["low"], summary["high"], summary["n"]),
            "n": summary["n"],
        }
    )
    overview = pd.DataFrame(
        {
            "Method": warned["method"].map(titles),
            "On the sign": _with_interval(warned, "on_sign"),
            "Same place without it": _with_interval(warned, "same_place"),
            "Sign denser than finding": _shares(warned),
            "Warns": ["yes" if warns else "no" for warns in warned["warns"]],
        }
    )
    about = Words(
        "Density: a region's share of the positive relevance over its share of the area; 1 is chance. "
        + (
            f"The {sign.name} is everywhere on its radiographs, so that it has no mask and no density: no heatmap can show it."
            if sign.mask is None
            else f"On radiographs without the {sign.name}, its region is where it would be."
        )
    )
    tables = [
        Table(
            "shortcut_warnings",
            "A method warns where the density on the sign lies above chance and above that at the same place of "
            f"radiographs without it, each by its interval. {_NOTE} Of the share of radiographs on which the sign is "
            "denser than the finding: Wilson's.",
            warned,
            overview,
        ),
        Table(
            "shortcut_cells",
            f"Each method in the four cells. {_NOTE} n: radiographs with a value.",
            summary,
            cells[summary["n"] > 0],
        ),
    ]
    return Chapter("Where did the methods look?", (about, *(tables[1:] if sign.mask is None else tables)))


def _with_interval(warned: pd.DataFrame, name: str) -> list[str]:
    ends = intervals(warned[f"{name}_low"], warned[f"{name}_high"], warned[f"{name}_n"])
    return [
        f"{two_digits(value)} ({interval}; n {number})"
        for value, interval, number in zip(warned[name], ends, warned[f"{name}_n"], strict=True)
    ]


def _shares(warned: pd.DataFrame) -> list[str]:
    columns = (warned[name] for name in ("first", "first_low", "first_high", "first_n"))
    return [
        f"{first:.0%} ({low:.0%}–{high:.0%}; n {number})" if number else "–"
        for first, low, high, number in zip(*columns, strict=True)
    ]
