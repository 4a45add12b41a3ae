"""A case as DICOM, so that a PACS viewer shows it beside the patient's other images.

Made are, as the DICOM standard names them (PS3.3): each method's heatmap over the radiograph, with its mask and the
experts' contours, as a *Secondary Capture Image* (A.8.1); the masks themselves as one binary *Segmentation* (A.51), a
segment for each method and one for the experts; and, where the radiograph did not come as DICOM, the radiograph, to
which the segmentation refers.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.sc import SCImage
from highdicom.seg import Segmentation, SegmentDescription
from PIL import Image, ImageDraw, ImageFont
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import RLELossless

from shamsul_core.figures.scene.display import AS_AT_FIRST, displayed_scene
from shamsul_core.figures.scene.scene import EXPERT, hatching_in_words
from shamsul_core.figures.scene.still import still
from shamsul_core.imaging import to_8_bits
from shamsul_core.imaging.contours import size_in_words
from shamsul_core.imaging.dicom import geometry
from shamsul_core.localisation.scoring import expert_mask
from shamsul_core.localisation.segmentation import segment
from shamsul_core.run.wording import RESEARCH_ONLY, origin_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from pydicom.dataset import Dataset

    from shamsul_core.cohort import Cohort, Radiograph
    from shamsul_core.figures.scene.display import Display
    from shamsul_core.figures.scene.scene import Panel, Scene
    from shamsul_core.figures.scene.still import RgbArray
    from shamsul_core.localisation.segmentation import Mask
    from shamsul_core.run.reader import RunReader

MANUFACTURER = "SHAMSUL"
CAPTURE_PX = 1600
"""Longer side of a secondary capture, its caption not counted."""

# Of a frontal radiograph: rows run to the patient's left, columns to the feet
_ORIENTATION = ("L", "F")
# 99 marks a private scheme, PS3.3 8.2
_OWN_SCHEME = "99SHAMSUL"
# Far from those of an acquisition
_SERIES_NUMBER = 9700
_DRAWN_BY = {"experts'": "Experts", "your": "Reader"}
_CODES: dict[str, Code] = {
    "Cardiomegaly": codes.SCT.Cardiomegaly,
    "Edema": codes.SCT.PulmonaryEdema,
    "Pleural Effusion": codes.SCT.PleuralEffusion,
    "Pneumothorax": codes.SCT.Pneumothorax,
}
"""Standard codes; CheXpert's other observations have none in pydicom's dictionary and get one of our own scheme."""


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
        datasets[f"{panel.key}.dcm"] = _capture(run, scene, panel, display, source, of_display, number)
    masks = _masks(run, cohort, image_id, pathology, display)
    if masks:
        of_threshold = uid if display.threshold is None else partial(uid, display.threshold)
        # A segmentation refers to stored pixels
        stored = {name: lies.store(mask) for name, mask in masks.items()}
        datasets["masks.dcm"] = _segmentation(run, scene, stored, source, of_threshold)
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
        patient_orientation=_ORIENTATION,
        study_instance_uid=uid("study"),
        series_instance_uid=uid("radiograph"),
        series_number=_SERIES_NUMBER,
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
    image.SeriesDescription = _short(f"Radiograph. {banner or ''}")
    return image


def _capture(
    run: RunReader,
    scene: Scene,
    panel: Panel,
    display: Display,
    source: Dataset,
    uid: Callable[..., str],
    number: int,
) -> Dataset:
    """Return a panel with its caption burnt in, so that it is read wherever it is shown."""
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
        patient_orientation=_ORIENTATION,
        series_instance_uid=uid("captures"),
        series_number=_SERIES_NUMBER + 1,
        sop_instance_uid=uid("capture", panel.key),
        instance_number=number,
        manufacturer=MANUFACTURER,
        transfer_syntax_uid=RLELossless,
    )
    image.PatientOrientation = source.get("PatientOrientation")
    image.SeriesDescription = _short(f"{scene.pathology}, explanations. {RESEARCH_ONLY}")
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


def _masks(
    run: RunReader, cohort: Cohort, image_id: str, pathology: str, display: Display
) -> dict[str, Mask]:
    """Return the masks that are not empty by the method's name, the experts' too."""
    result = run.read(image_id)
    settings, probability = display.segmentation(run), result.probabilities.get(pathology)
    masks = {
        heatmap.method: segment(heatmap, result.size, settings, probability=probability).mask
        for heatmap in result.heatmaps
        if heatmap.pathology == pathology
    }
    expert, _ = expert_mask(cohort, result.image_id, result.size, pathology)
    if expert is not None:
        masks[EXPERT] = expert
    return {name: mask for name, mask in masks.items() if mask.any()}


def _segmentation(
    run: RunReader, scene: Scene, masks: Mapping[str, Mask], source: Dataset, uid: Callable[..., str]
) -> Dataset:
    """Return masks of stored pixels, bool, H × W, as one *Segmentation*, a segment for each."""
    versions = (f"{name} {version}" for name, version in run.manifest.versions.items())
    version = _short(", ".join(versions)) or "unknown"
    segmentation = Segmentation(
        source_images=[source],
        pixel_array=np.stack(list(masks.values()), axis=-1)[None],
        segmentation_type="BINARY",
        segment_descriptions=[
            _segment(run, scene, name, number, version, uid) for number, name in enumerate(masks, start=1)
        ],
        series_instance_uid=uid("masks"),
        series_number=_SERIES_NUMBER + 2,
        sop_instance_uid=uid("masks themselves"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=version,
        device_serial_number=_short(run.manifest.model["fingerprint"]) or "unknown",
        content_label="EXPLANATION",
        content_description=_short(f"{scene.pathology}. {RESEARCH_ONLY}"),
    )
    # highdicom draws it at random
    organisation = uid("dimensions")
    for item in (*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence):
        item.DimensionOrganizationUID = organisation
    segmentation.PatientOrientation = source.get("PatientOrientation")
    segmentation.SeriesDescription = _short(
        f"{scene.pathology}, masks: {scene.threshold_rule}. {RESEARCH_ONLY}"
    )
    return segmentation


def _segment(
    run: RunReader, scene: Scene, name: str, number: int, version: str, uid: Callable[..., str]
) -> SegmentDescription:
    """Return what is said of one mask: whose it is, of which pathology, and how it was made."""
    pathology, by_hand = scene.pathology, name == EXPERT
    title = _DRAWN_BY[scene.contour_of] if by_hand else run.manifest.methods[name]["title"]
    algorithm = AlgorithmIdentificationSequence(
        name=_short(f"{MANUFACTURER} {title}"), family=codes.DCM.ArtificialIntelligence, version=version
    )
    is_object = pathology == "Support Devices"
    return SegmentDescription(
        segment_number=number,
        segment_label=_short(f"{title}: {pathology}"),
        segmented_property_category=(
            codes.SCT.PhysicalObject if is_object else codes.SCT.MorphologicallyAbnormalStructure
        ),
        segmented_property_type=_CODES.get(pathology)
        or Code(pathology.replace(" ", "")[:16], _OWN_SCHEME, pathology),
        algorithm_type="MANUAL" if by_hand else "AUTOMATIC",
        algorithm_identification=None if by_hand else algorithm,
        tracking_uid=uid("segment", name),
        tracking_id=_short(f"{title}: {pathology}"),
    )


def _short(text: str) -> str:
    """Return what a long string holds of a text (VR LO, PS3.5 table 6.2-1): 64 characters, no backslash."""
    return text.replace("\\", "/").strip()[:64].strip()


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
