"""Opening a cohort, whatever its layout: the one that is named, or the first that recognises what lies in the folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from shamsul_core.cohort import chexpert
from shamsul_core.cohort import layout as chexpert_layout
from shamsul_core.cohort.layouts import coco, ms_cxr, nih, padchest_gr, plain, rsna, siim, vindr
from shamsul_core.cohort.problems import CohortError
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from shamsul_core.cohort.interface import Cohort


class Layout(NamedTuple):
    """A layout: what it is called, whether a folder has it, and how it is opened."""

    title: str
    is_here: Callable[[Path], bool]
    open: Callable[[Path, str | None], Cohort]


LAYOUTS = {
    "nih": Layout("NIH ChestX-ray14", nih.is_here, nih.open_nih),
    "rsna": Layout("RSNA Pneumonia Detection Challenge", rsna.is_here, rsna.open_rsna),
    "siim": Layout("SIIM-ACR Pneumothorax Segmentation", siim.is_here, siim.open_siim),
    "vindr": Layout("VinDr-CXR", vindr.is_here, vindr.open_vindr),
    "ms-cxr": Layout("MS-CXR", ms_cxr.is_here, ms_cxr.open_ms_cxr),
    "padchest-gr": Layout("PadChest-GR", padchest_gr.is_here, padchest_gr.open_padchest_gr),
    chexpert.CHEXPERT: Layout("CheXpert and CheXlocalize", chexpert_layout.is_here, chexpert.open_chexpert),
    "coco": Layout("COCO JSON", coco.is_here, coco.open_coco),
    "folder": Layout("a folder of images", plain.is_here, plain.open_plain),
}
"""The layouts by name, in the order in which they are tried."""


def open_cohort(folder: str | Path, *, split: str | None = None, layout: str | None = None) -> Cohort:
    """Open a cohort; no image is opened here.

    Parameters
    ----------
    folder
        See ``docs/cohorts.md``.
    split
        ``"train"``, ``"val"`` or ``"test"``, or ``"all"`` for the layouts that know it. By default the one with expert
        annotations, else the first there is.
    layout
        One of `LAYOUTS`; by default the first that recognises what lies in the folder.

    Returns
    -------
    Cohort
        With a list of `problems` of what had to be left out.

    Raises
    ------
    CohortError
        There is no such cohort, more than one it could be, or nothing in it that can be read.
    """
    folder = Path(folder)
    if layout is None:
        layout = next((name for name, known in LAYOUTS.items() if known.is_here(folder)), None)
    if layout is None:
        raise _unknown(folder)
    if layout not in LAYOUTS:
        message = f"there is no layout named {quoted(layout)}; there are {', '.join(LAYOUTS)}"
        raise CohortError(message, subject=str(folder))
    return LAYOUTS[layout].open(folder, split)


def _unknown(folder: Path) -> CohortError:
    """Return what is wrong with a folder that no layout recognises: what CheXpert's looks for, and that there are others."""
    try:
        chexpert_layout.find_layout(folder, None)
    except CohortError as error:
        others = ", ".join(known.title for name, known in LAYOUTS.items() if name != chexpert.CHEXPERT)
        message = f"{error.message}; nor is it {others}: docs/cohorts.md says how their files lie"
        return CohortError(message if folder.is_dir() else error.message, subject=error.subject)
    return CohortError("no layout recognises it", subject=str(folder))
