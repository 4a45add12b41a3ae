"""What a reader downloads of a case: the picture on their screen and its numbers, made only when asked for."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZipFile, ZipInfo

import streamlit as st

from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.scene.display import AS_AT_FIRST
from shamsul_core.run.wording import file_name

if TYPE_CHECKING:
    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.scene.display import Display
    from shamsul_core.run.reader import RunReader

_FIGURES = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


def offer_downloads(
    run: RunReader,
    cohort: Cohort,
    image_id: str,
    pathology: str,
    scores: pd.DataFrame,
    display: Display = AS_AT_FIRST,
) -> None:
    """Offer the figure as PNG, SVG and PDF, the radiograph's scores as CSV, and both as DICOM.

    Parameters
    ----------
    scores
        The run's scores.
    display
        How the viewer shows the case: the files show it the same way.
    """
    choices = display.words(run.manifest.titles)
    case = (run, cohort, image_id, pathology, scores, display)
    name = partial(file_name, image_id, pathology, *choices)
    with st.popover("Download", icon=":material/download:", width="stretch"):
        st.caption(f"As on the screen: {as_markdown(', '.join(choices))}" if choices else "As on the screen")
        st.caption("Figure of this pathology, for print")
        for column, (kind, mime) in zip(st.columns(3), _FIGURES.items(), strict=True):
            column.download_button(
                kind.upper(), partial(_figure, *case, kind), name(kind=kind), mime, on_click="ignore"
            )
        of_masks = "from the run's own masks" if display.threshold is None else f"at the {display.threshold}"
        st.caption(f"Scores of all pathologies and methods, {of_masks}")
        st.download_button(
            "CSV",
            partial(_numbers, run, cohort, image_id, scores, display),
            file_name(image_id, display.threshold or "", "scores", kind="csv"),
            "text/csv",
            on_click="ignore",
        )
        st.caption("Overlays and masks for a PACS (picture archiving and communication system)")
        st.download_button(
            "DICOM",
            partial(_dicom, *case),
            name(kind="zip"),
            "application/zip",
            on_click="ignore",
            help="A ZIP with each method's overlay as a DICOM Secondary Capture and the masks as a DICOM Segmentation (SEG).",
        )


def _figure(
    run: RunReader,
    cohort: Cohort,
    image_id: str,
    pathology: str,
    scores: pd.DataFrame,
    display: Display,
    kind: str,
) -> bytes:
    from shamsul_core.figures.print.comparison import (
        print_comparison,  # matplotlib, which no other view needs
    )

    return print_comparison(run, cohort, image_id, pathology, scores, kind, display)


def _numbers(run: RunReader, cohort: Cohort, image_id: str, scores: pd.DataFrame, display: Display) -> str:
    from shamsul_core.figures.print.comparison import numbers_csv

    return numbers_csv(run, cohort, image_id, scores, display)


def _dicom(
    run: RunReader, cohort: Cohort, image_id: str, pathology: str, scores: pd.DataFrame, display: Display
) -> bytes:
    from shamsul_core.interchange.dicom import case_as_dicom

    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in case_as_dicom(run, cohort, image_id, pathology, scores, display=display).items():
            archive.writestr(ZipInfo(f"{image_id}/{name}"), content)
    return file.getvalue()
