"""The masks of a case, as one binary DICOM *Segmentation* (PS3.3 A.51)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import Segmentation, SegmentDescription
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from shamsul_core.cohort.truth_words import CONTOUR
from shamsul_core.figures.scene.scene import EXPERT
from shamsul_core.interchange.dicom.attributes import MANUFACTURER, SERIES_NUMBER, short
from shamsul_core.localisation.scoring import expert_mask
from shamsul_core.localisation.segmentation import segment
from shamsul_core.run.wording import RESEARCH_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydicom.dataset import Dataset

    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.scene.display import Display
    from shamsul_core.figures.scene.scene import Scene
    from shamsul_core.localisation.segmentation import Mask
    from shamsul_core.run.reader import RunReader

# 99 marks a private scheme, PS3.3 8.2
_OWN_SCHEME = "99SHAMSUL"
_DRAWN_BY = {"experts'": "Experts", "your": "Reader"}
_CODES: dict[str, Code] = {
    "Cardiomegaly": codes.SCT.Cardiomegaly,
    "Edema": codes.SCT.PulmonaryEdema,
    "Pleural Effusion": codes.SCT.PleuralEffusion,
    "Pneumothorax": codes.SCT.Pneumothorax,
}
"""Standard codes; CheXpert's other observations have none in pydicom's dictionary and get one of our own scheme."""


def masks_of_case(
    run: RunReader, cohort: Cohort, image_id: str, pathology: str, display: Display
) -> dict[str, Mask]:
    """Return the masks that are not empty, bool, H × W as shown, by the method's name; the experts' by `EXPERT`."""
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


def make_segmentation(
    run: RunReader, scene: Scene, masks: Mapping[str, Mask], source: Dataset, uid: Callable[..., str]
) -> Dataset:
    """Return masks as one *Segmentation*, a segment for each.

    Parameters
    ----------
    masks
        By the method's name or `EXPERT`; of stored pixels, bool, H × W.
    source
        The DICOM image to which the masks refer.
    uid
        Makes a unique identifier of words, the same of the same words.
    """
    versions = (f"{name} {version}" for name, version in run.manifest.versions.items())
    version = short(", ".join(versions)) or "unknown"
    segmentation = Segmentation(
        source_images=[source],
        pixel_array=np.stack(list(masks.values()), axis=-1)[None],
        segmentation_type="BINARY",
        segment_descriptions=[
            _segment(run, scene, name, number, version, uid) for number, name in enumerate(masks, start=1)
        ],
        series_instance_uid=uid("masks"),
        series_number=SERIES_NUMBER + 2,
        sop_instance_uid=uid("masks themselves"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=version,
        device_serial_number=short(run.manifest.model["fingerprint"]) or "unknown",
        content_label="EXPLANATION",
        content_description=short(f"{scene.pathology}. {RESEARCH_ONLY}"),
    )
    # highdicom draws it at random
    organisation = uid("dimensions")
    for item in (*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence):
        item.DimensionOrganizationUID = organisation
    segmentation.PatientOrientation = source.get("PatientOrientation")
    if EXPERT in masks and scene.truth is not CONTOUR:
        segmentation.ImageComments = (
            f"{_DRAWN_BY[scene.contour_of]}: filled {scene.truth.plural}, not contours of the finding."
        )
    segmentation.SeriesDescription = short(
        f"{scene.pathology}, masks: {scene.threshold_rule}. {RESEARCH_ONLY}"
    )
    return segmentation


def _drawn_by(scene: Scene) -> str:
    """Return whose a mask drawn by hand is and, where it is filled boxes or points, what."""
    whose = _DRAWN_BY[scene.contour_of]
    return whose if scene.truth is CONTOUR else f"{whose}, {scene.truth.plural}"


def _segment(
    run: RunReader, scene: Scene, name: str, number: int, version: str, uid: Callable[..., str]
) -> SegmentDescription:
    """Return what is said of one mask: whose it is, of which pathology, and how it was made."""
    pathology, by_hand = scene.pathology, name == EXPERT
    title = _drawn_by(scene) if by_hand else run.manifest.methods[name]["title"]
    algorithm = AlgorithmIdentificationSequence(
        name=short(f"{MANUFACTURER} {title}"), family=codes.DCM.ArtificialIntelligence, version=version
    )
    is_object = pathology == "Support Devices"
    return SegmentDescription(
        segment_number=number,
        segment_label=short(f"{title}: {pathology}"),
        segmented_property_category=(
            codes.SCT.PhysicalObject if is_object else codes.SCT.MorphologicallyAbnormalStructure
        ),
        segmented_property_type=_CODES.get(pathology)
        or Code(pathology.replace(" ", "")[:16], _OWN_SCHEME, pathology),
        algorithm_type="MANUAL" if by_hand else "AUTOMATIC",
        algorithm_identification=None if by_hand else algorithm,
        tracking_uid=uid("segment", name),
        tracking_id=short(f"{title}: {pathology}"),
    )
