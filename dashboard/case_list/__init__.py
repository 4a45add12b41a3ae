"""The case list: our own list, of which the browser draws only the rows in sight, with previous and next by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboard.component import component, hearing
from shamsul_core.cases.case_list import short_name
from shamsul_core.figures.scene.score_grid import sign_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from streamlit.components.v2.bidi_component import ComponentResult

    from shamsul_core.cohort.truth_words import TruthWords

_component = component("shamsul_case_list", "case_list", "case_list.js")


ListRow = list[str | None]
"""Of one radiograph: its id, its short name, the pathology that the row is about and what is said of it, or ``None``."""


def rows_of(
    listed: pd.DataFrame, titles: Mapping[str, str], truths: Mapping[str, TruthWords]
) -> list[ListRow]:
    """Return what the list shows of its radiographs.

    Parameters
    ----------
    listed
        What `shamsul_core.cases.case_list.list_cases` returned.
    titles
        Of the methods.
    truths
        The words for what experts marked of each pathology.
    """
    return [
        [image_id, short_name(image_id), None if details is None else pathology, details]
        for image_id, pathology, details in zip(
            listed["image_id"], listed["pathology"], _about(listed, titles, truths), strict=True
        )
    ]


def show(
    rows: list[ListRow],
    *,
    selected: str,
    total: int,
    explained: int,
    key: str,
    on_choice: Callable[[dict[str, Any]], None],
) -> ComponentResult:
    """Show the radiographs to choose from.

    Parameters
    ----------
    rows
        What `rows_of` returned.
    selected
        The id of the radiograph that the page shows; it need not be in the list.
    total
        Number of radiographs without any filter.
    explained
        Number of those listed of which there is a heatmap.
    on_choice
        Called when the reader chose one, with ``{"radiograph": id, "pathology": name or None}``.
    """
    data = {"rows": rows, "shown": selected, "total": total, "explained": explained}
    return _component(key=key, data=data, on_choice_change=hearing(key, "choice", on_choice))


def _about(
    listed: pd.DataFrame, titles: Mapping[str, str], truths: Mapping[str, TruthWords]
) -> list[str | None]:
    """Return what is said of each finding, whose IoU too; ``None`` where the list is about radiographs."""
    columns = (listed[name] for name in ("pathology", "label", "probability", "iou", "method"))
    return [
        None
        if not isinstance(pathology, str)
        else f"{pathology} {sign_of(label)} {_figure('p', probability)} "
        f"{_figure(_whose(method, titles, truths[pathology].score), iou)}"
        for pathology, label, probability, iou, method in zip(*columns, strict=True)
    ]


def _whose(method: str | None, titles: Mapping[str, str], score: str) -> str:
    return f"{titles[method]} {score}" if isinstance(method, str) else score


def _figure(name: str, value: float) -> str:
    return f"{name} –" if value != value else f"{name} {value:.2f}"  # NaN differs from itself
