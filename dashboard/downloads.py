"""What a reader takes along: the figure and the numbers, made only when asked for."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZipFile, ZipInfo

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.run import Run

_FIGURES = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


def offer_downloads(run: Run, cohort: Cohort, image_id: str, pathology: str, scores: pd.DataFrame) -> None:
    """Offer the figure as PNG, SVG and PDF, the radiograph's scores as CSV, and both as DICOM."""
    name = f"{image_id}_{pathology.replace(' ', '_')}"
    with st.popover("Download", icon=":material/download:", width="stretch"):
        st.caption("The figure of this pathology, for print")
        for column, (kind, mime) in zip(st.columns(3), _FIGURES.items(), strict=True):
            column.download_button(
                kind.upper(),
                partial(_figure, run, cohort, image_id, pathology, scores, kind),
                f"{name}.{kind}",
                mime,
                on_click="ignore",
            )
        st.caption("The scores of all pathologies and methods")
        st.download_button(
            "CSV", partial(_numbers, run, image_id, scores), f"{image_id}.csv", "text/csv", on_click="ignore"
        )
        st.caption("Overlays and masks for a PACS viewer")
        st.download_button(
            "DICOM",
            partial(_dicom, run, cohort, image_id, pathology, scores),
            f"{name}.zip",
            "application/zip",
            on_click="ignore",
            help="Each method's overlay as a secondary capture, the masks as a segmentation object, in one ZIP.",
        )


def _figure(
    run: Run, cohort: Cohort, image_id: str, pathology: str, scores: pd.DataFrame, kind: str
) -> bytes:
    from shamsul_core.figures.printed_comparison import (
        print_comparison,  # matplotlib, which no other view needs
    )

    return print_comparison(run, cohort, image_id, pathology, scores, kind)


def _numbers(run: Run, image_id: str, scores: pd.DataFrame) -> str:
    from shamsul_core.figures.printed_comparison import numbers_csv

    return numbers_csv(run, image_id, scores)


def _dicom(run: Run, cohort: Cohort, image_id: str, pathology: str, scores: pd.DataFrame) -> bytes:
    from shamsul_core.dicom import case_as_dicom

    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in case_as_dicom(run, cohort, image_id, pathology, scores).items():
            archive.writestr(ZipInfo(f"{image_id}/{name}"), content)
    return file.getvalue()
