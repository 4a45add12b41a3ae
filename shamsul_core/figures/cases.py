"""Chosen cases: as a card on a page, as a figure like the paper's, as a slide.

The figures take scenes as `shamsul_core.figures.comparison.comparison_scene` makes them. Only the figures need
matplotlib, which is imported when one is drawn.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.figures.comparison import comparison_scene
from shamsul_core.figures.scene import EXPERT
from shamsul_core.figures.still import encode_jpeg, still
from shamsul_core.wording import RESEARCH_ONLY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from matplotlib.figure import Figure

    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.scene import Panel, Scene
    from shamsul_core.run import Run
    from shamsul_core.selection import ChosenCase

CARD_PX = 340
"""Longer side of a card's pictures."""

CARD_STYLE = """<style>
.case { display: grid; grid-template-columns: 13.5rem repeat(var(--panels), minmax(0, 1fr)); gap: 0.5rem;
  padding: 0.5rem; border: 1px solid #2a2f34; border-radius: 6px; color: #d7dce0 !important;
  text-decoration: none !important; }
.case:hover, .case:focus-visible { border-color: #6cc4e8; outline: none; background: #0b0d0e; }
.case h3 { margin: 0; padding: 0; font-size: 1.05rem; font-weight: 600; }
.case p { margin: 0.35rem 0 0; font-size: 0.875rem; line-height: 1.35; }
.case .faint { color: #a3adb5; overflow-wrap: anywhere; font-size: 0.8rem; }
.case .open { color: #6cc4e8; }
.case figure { margin: 0; min-width: 0; }
.case img { display: block; width: 100%; height: auto; border: 2px solid transparent; }
.case figure.chosen img { border-color: #f2b134; }
.case figure.chosen figcaption { color: #f2b134; }
.case figcaption { padding-top: 0.15rem; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
</style>"""

_BLACK_PAGE = ("#000000", "#d7dce0", "#a3adb5")
_WHITE_PAGE = ("#ffffff", "#000000", "#444444")
_LINES = "Continuous line: the experts' contour. Dashed: the method's mask."


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A chosen case.

    Parameters
    ----------
    scene
        What there is to see.
    reason
        Why it was chosen, in words.
    probability
        Predicted for the scene's pathology; ``None`` where it is not known.
    methods
        The methods it was chosen for, none where it was not chosen for one.
    """

    scene: Scene
    reason: str
    probability: float | None = None
    methods: tuple[str, ...] = ()

    @property
    def prediction(self) -> str:
        """The predicted probability in words."""
        return (
            "Not predicted" if self.probability is None else f"Predicted probability {self.probability:.2f}"
        )


def make_case(run: Run, cohort: Cohort, scores: pd.DataFrame, chosen: ChosenCase, *, longest_px: int) -> Case:
    """Return a chosen case with what there is to see of it, at most so large.

    Raises
    ------
    CohortError
        If the radiograph cannot be read.
    RunError
        If its result cannot be read.
    """
    scene = comparison_scene(run, cohort, chosen.image_id, chosen.pathology, scores, longest_px=longest_px)
    here = scores[(scores["image_id"] == chosen.image_id) & (scores["pathology"] == chosen.pathology)]
    probability = here["probability"].max()
    return Case(
        scene=scene,
        reason=chosen.reason,
        probability=None if pd.isna(probability) else float(probability),
        methods=() if chosen.method is None else (chosen.method,),
    )


def case_card(case: Case, address: str) -> str:
    """Return a case as HTML: what it is and why, beside every method's picture; the whole card is a link.

    `CARD_STYLE` must stand on the page once.
    """
    scene = case.scene
    panels = [panel for panel in scene.panels if panel.key != EXPERT]
    pictures = "".join(_card_picture(scene, panel, is_chosen=panel.key in case.methods) for panel in panels)
    return (
        f'<a class="case" href="{escape(address)}" style="--panels:{len(panels)}">'
        f"<div><h3>{escape(scene.pathology)}</h3><p>{escape(_sentence(case.reason))}</p>"
        f'<p>{case.prediction}</p><p class="faint">{escape(scene.image_id)}</p>'
        f'<p class="open">Open in Compare →</p></div>{pictures}</a>'
    )


def case_figure(cases: Sequence[Case], methods: Collection[str], footer: str) -> Figure:
    """Return a figure for print, a row for each case: the experts' contour, then each method's heatmap and mask.

    As in the paper's Figures 5 to 8, 10 to 13, 15 to 18 and 20 to 23, with IoU and probability in the row's words.

    Parameters
    ----------
    methods
        Those to show.
    footer
        Where the cases come from.
    """
    from matplotlib.figure import Figure

    paper, ink, faint = _WHITE_PAGE
    columns = 1 + len([panel for panel in cases[0].scene.panels if panel.key in methods])
    tall = 2.0 * max(case.scene.pixels.shape[0] / case.scene.pixels.shape[1] for case in cases)
    width, height = 1.6 + 2.1 * columns, 0.75 + (tall + 0.35) * len(cases)
    figure = Figure(figsize=(width, height), facecolor=paper)
    for row, case in enumerate(cases):
        bottom = 0.75 + (tall + 0.35) * (len(cases) - 1 - row)
        words = f"{case.scene.pathology}\n\n{_sentence(case.reason)}\n\n{case.prediction}"
        figure.text(
            0.15 / width, (bottom + tall) / height, _wrapped(words, 21), color=ink, fontsize=8, va="top"
        )
        for column, panel in enumerate(_shown(case.scene, methods)):
            box = ((1.6 + 2.1 * column) / width, bottom / height, 2.0 / width, tall / height)
            _draw(figure, box, case.scene, panel, ink, size_px=600, font_size=8)
    _write_footer(figure, [_LINES, footer, _note(cases)], faint, font_size=7)
    return figure


def slide(case: Case, footer: str) -> Figure:
    """Return a case as a slide, 16:9: the radiograph large, each method's picture beside it, few words."""
    from matplotlib.figure import Figure

    paper, ink, faint = _BLACK_PAGE
    figure = Figure(figsize=(40 / 3, 7.5), facecolor=paper)
    figure.text(0.03, 0.93, case.scene.pathology, color=ink, fontsize=28, va="center", weight="bold")
    words = f"{_sentence(case.reason)}. {case.prediction}."
    figure.text(0.03, 0.865, words, color=ink, fontsize=15, va="center")
    expert, *methods = _shown(case.scene, [panel.key for panel in case.scene.panels])
    _draw(figure, (0.03, 0.14, 0.39, 0.66), case.scene, expert, ink, size_px=1100, font_size=15)
    rows = 2 if len(methods) > 2 else 1
    columns = -(-len(methods) // rows)
    for place, panel in enumerate(methods):
        row, column = divmod(place, columns)
        wide, high = 0.53 / columns, 0.72 / rows
        box = (0.445 + column * wide, 0.11 + (rows - 1 - row) * high, wide - 0.01, high - 0.055)
        _draw(figure, box, case.scene, panel, ink, size_px=800, font_size=13)
    _write_footer(figure, [f"{_LINES} {footer}", _note([case])], faint, font_size=9.5, ink=ink)
    return figure


def _card_picture(scene: Scene, panel: Panel, *, is_chosen: bool) -> str:
    data = b64encode(encode_jpeg(still(scene, panel, CARD_PX))).decode()
    text = escape(panel.spoken(scene.pathology), quote=True)
    return (
        f'<figure class="{"chosen" if is_chosen else ""}"><img alt="{text}" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{escape(_caption(panel))}</figcaption></figure>"
    )


def _caption(panel: Panel) -> str:
    """Return a panel's title and IoU, or why there is none."""
    iou = next((metric.value for metric in panel.metrics if metric.name == "IoU"), None)
    if panel.message is not None:
        return f"{panel.title}: {panel.message}"
    return f"{panel.title}, IoU {iou}" if iou and iou[0].isdigit() else panel.title


def _shown(scene: Scene, methods: Collection[str]) -> list[Panel]:
    return [panel for panel in scene.panels if panel.key == EXPERT or panel.key in methods]


def _draw(
    figure: Figure,
    box: tuple[float, float, float, float],
    scene: Scene,
    panel: Panel,
    ink: str,
    *,
    size_px: int,
    font_size: float,
) -> None:
    from shamsul_core.figures.printed import draw_panel

    axes = figure.add_axes(box)
    draw_panel(axes, scene, panel, longest_px=size_px, line_width=font_size / 8)
    caption = "Experts' contour" if panel.key == EXPERT and scene.expert_outlines else _caption(panel)
    axes.set_title(caption if panel.message is None else panel.title, color=ink, fontsize=font_size, pad=3)


def _write_footer(
    figure: Figure, lines: Iterable[str], colour: str, *, font_size: float, ink: str | None = None
) -> None:
    from textwrap import wrap

    from shamsul_core.figures.printed import draw_colour_bar

    width, height = figure.get_size_inches()
    step = 1.5 * font_size / 72 / height
    fitting = int(0.75 * width * 72 / (0.56 * font_size))  # beside the colour bar
    for place, line in enumerate(reversed([part for one in lines for part in wrap(one, fitting)])):
        figure.text(0.03, (0.5 + place) * step, line, color=colour, fontsize=font_size, va="bottom")
    bar = figure.add_axes((0.8, 0.35 / height, 0.17, 0.11 / height))
    draw_colour_bar(bar, ink or colour)


def _note(cases: Sequence[Case]) -> str:
    """Return what must stand under every picture: research only, and what holds of the whole run."""
    return " ".join(filter(None, [RESEARCH_ONLY, cases[0].scene.banner]))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _wrapped(words: str, width: int) -> str:
    from textwrap import fill

    return "\n".join(fill(line, width) for line in words.split("\n"))
