"""A panel of the viewer with its caption, as a DICOM *Secondary Capture Image* (PS3.3 A.8.1)."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from highdicom.sc import SCImage
from PIL import Image, ImageDraw, ImageFont
from pydicom.uid import RLELossless

from shamsul_core.figures.scene.scene import hatching_in_words
from shamsul_core.figures.scene.still import still
from shamsul_core.interchange.dicom.attributes import FRONTAL, MANUFACTURER, SERIES_NUMBER, short
from shamsul_core.run.wording import RESEARCH_ONLY, origin_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydicom.dataset import Dataset

    from shamsul_core.figures.scene.display import Display
    from shamsul_core.figures.scene.scene import Panel, Scene
    from shamsul_core.figures.scene.still import RgbArray
    from shamsul_core.run.reader import RunReader

CAPTURE_PX = 1600
"""Longer side of a secondary capture, its caption not counted."""


def make_capture(
    run: RunReader,
    scene: Scene,
    panel: Panel,
    display: Display,
    source: Dataset,
    uid: Callable[..., str],
    number: int,
) -> Dataset:
    """Return a panel with its caption burnt in, so that it is read wherever it is shown.

    Parameters
    ----------
    source
        The DICOM image whose study the capture joins.
    uid
        Makes a unique identifier of words, the same of the same words.
    number
        The capture's among those of the case, from 1 on.
    """
    readings = ", ".join(f"{metric.name} {metric.value}" for metric in panel.metrics)
    choices = display.words({panel.key: panel.title})
    lines = [
        " · ".join(filter(None, [panel.title, scene.pathology, readings])),
        scene.lines,
        f"Shown as on the screen: {', '.join(choices)}." if choices else "",
        (hatching_in_words([panel]) if display.has_heatmap else None) or "",
        origin_in_words(run.manifest),
        " ".join(filter(None, [panel.message, scene.banner, RESEARCH_ONLY])),
    ]
    picture = still(scene, panel, min(CAPTURE_PX, max(scene.pixels.shape)), display)
    image = SCImage.from_ref_dataset(
        source,
        _captioned(picture, list(filter(None, lines))),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=FRONTAL,
        series_instance_uid=uid("captures"),
        series_number=SERIES_NUMBER + 1,
        sop_instance_uid=uid("capture", panel.key),
        instance_number=number,
        manufacturer=MANUFACTURER,
        transfer_syntax_uid=RLELossless,
    )
    image.PatientOrientation = source.get("PatientOrientation")
    image.SeriesDescription = short(f"{scene.pathology}, explanations. {RESEARCH_ONLY}")
    image.ImageComments = " ".join(filter(None, lines))
    image.BurnedInAnnotation = "YES"
    image.Laterality = source.get("Laterality", "")
    return image


def _captioned(picture: RgbArray, lines: Sequence[str]) -> RgbArray:
    """Return a picture with lines of text below it, broken to its width."""
    height, width = picture.shape[:2]
    size = max(9, round(width / 55))
    font = ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)
    fitting = [part for line in lines for part in wrap(line, max(1, int(width / (0.56 * size))))]
    step = round(1.4 * size)
    page = Image.new("RGB", (width, height + step * len(fitting) + step // 2))
    page.paste(Image.fromarray(picture))
    draw = ImageDraw.Draw(page)
    for i, line in enumerate(fitting):
        draw.text((size // 2, height + step // 4 + i * step), line, fill=(215, 220, 224), font=font)
    return np.asarray(page, np.uint8)
