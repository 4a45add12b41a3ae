"""A case as DICOM, so that a PACS viewer shows it beside the patient's other images.

Made are, as the DICOM standard names them (PS3.3): each method's heatmap over the radiograph, with its mask and the
experts' contours or boxes, as a *Secondary Capture Image* (A.8.1); the masks themselves as one binary *Segmentation* (A.51), a
segment for each method and one for the experts; and, where the radiograph did not come as DICOM, the radiograph, to
which the segmentation refers.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from highdicom.sc import SCImage

from shamsul_core.figures.scene.display import AS_AT_FIRST, displayed_scene
from shamsul_core.figures.scene.scene import EXPERT
from shamsul_core.imaging import to_8_bits
from shamsul_core.imaging.contours import size_in_words
from shamsul_core.imaging.dicom import geometry
from shamsul_core.interchange.dicom.attributes import FRONTAL, MANUFACTURER, SERIES_NUMBER, short
from shamsul_core.interchange.dicom.capture import make_capture
from shamsul_core.interchange.dicom.segmentation import make_segmentation, masks_of_case

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from pydicom.dataset import Dataset

    from shamsul_core.cohort import Cohort, Radiograph
    from shamsul_core.figures.scene.display import Display
    from shamsul_core.run.reader import RunReader


def case_as_dicom(
    run: RunReader,
    cohort: Cohort,
    image_id: str,
    pathology: str,
    scores: pd.DataFrame,
    source: Dataset | None = None,
    display: Display = AS_AT_FIRST,
) -> dict[str, bytes]:
    """Return the DICOM files of a case by their names; the same case gives the same bytes.

    Parameters
    ----------
    scores
        The run's scores.
    source
        The DICOM image that the radiograph was read from, whose study the files join; ``None`` where it was none, and
        then a file ``radiograph.dcm`` is among them.
    display
        How the viewer shows the case: the captures look so, and the masks have its threshold. Those of another display
        are other images, with identifiers of their own.

    Raises
    ------
    ValueError
        If the source is not of the radiograph's size.
    CohortError, RunError
        If the radiograph or its result cannot be read.
    """
    scene = displayed_scene(run, cohort, image_id, pathology, scores, display)
    uid = partial(
        _uid, f"{run.manifest.model['fingerprint']} {run.manifest.cohort['fingerprint']} {image_id}"
    )
    datasets: dict[str, Dataset] = {}
    if source is None:
        source = datasets["radiograph.dcm"] = _radiograph(cohort.radiographs[image_id], scene.banner, uid)
    lies = geometry(source)
    if lies.shown != scene.pixels.shape:
        message = (
            f"{image_id}: the DICOM image is {size_in_words(lies.shown)} pixels as shown, the radiograph that was "
            f"explained {size_in_words(scene.pixels.shape)}; give the one it was read from"
        )
        raise ValueError(message)
    uid = partial(uid, source.SOPInstanceUID, pathology)
    panels = [panel for panel in scene.panels if panel.key != EXPERT] or scene.panels
    of_display = uid if display == AS_AT_FIRST else partial(uid, repr(display))
    for number, panel in enumerate(panels, start=1):
        datasets[f"{panel.key}.dcm"] = make_capture(run, scene, panel, display, source, of_display, number)
    masks = masks_of_case(run, cohort, image_id, pathology, display)
    if masks:
        of_threshold = uid if display.threshold is None else partial(uid, display.threshold)
        # A segmentation refers to stored pixels
        stored = {name: lies.store(mask) for name, mask in masks.items()}
        datasets["masks.dcm"] = make_segmentation(run, scene, stored, source, of_threshold)
    return {name: _encoded(dataset, run) for name, dataset in datasets.items()}


def _uid(*parts: str) -> str:
    """Return a unique identifier under the root for UUIDs (PS3.5 B.2), the same for the same parts."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"


def _radiograph(radiograph: Radiograph, banner: str | None, uid: Callable[..., str]) -> Dataset:
    """Return a radiograph that was no DICOM image as one."""
    patient, _, rest = radiograph.id.partition("_")
    image = SCImage(
        pixel_array=to_8_bits(radiograph.pixels()),
        photometric_interpretation="MONOCHROME2",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=FRONTAL,
        study_instance_uid=uid("study"),
        series_instance_uid=uid("radiograph"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid("radiograph itself"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        study_id=rest.partition("_")[0][:16],
        patient_id=patient,
        patient_name=f"{patient}^",
        patient_sex={"Male": "M", "Female": "F"}.get(radiograph.sex or ""),
    )
    if radiograph.view == "lateral":
        # Which side the patient turned to is not known
        image.PatientOrientation = []
    image.Laterality = ""
    image.SeriesDescription = short(f"Radiograph. {banner or ''}")
    return image


def _encoded(dataset: Dataset, run: RunReader) -> bytes:
    """Return a file's bytes; it is dated by the run, not by today, and speaks UTF-8."""
    when = datetime.fromisoformat(run.manifest.created)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for name in ("ContentDate", "InstanceCreationDate", "SeriesDate"):
        if name in dataset:
            setattr(dataset, name, when.strftime("%Y%m%d"))
            setattr(dataset, name.replace("Date", "Time"), when.strftime("%H%M%S"))
    if "DateOfSecondaryCapture" in dataset:
        dataset.DateOfSecondaryCapture, dataset.TimeOfSecondaryCapture = (
            dataset.ContentDate,
            dataset.ContentTime,
        )
    for equipment in dataset.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = when.strftime("%Y%m%d%H%M%S")
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()
