"""One simulated radiograph: patient, findings, devices, exposure; and the masks that are their projections."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.simulate.chest import STEP
from shamsul_core.simulate.detector import Exposure, draw_exposure, expose
from shamsul_core.simulate.devices import Wire, draw, wires
from shamsul_core.simulate.findings import MAKERS
from shamsul_core.simulate.patient import Patient, draw_patient
from shamsul_core.simulate.projection import project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest
    from shamsul_core.simulate.ct import Ct
    from shamsul_core.simulate.findings import Finding
    from shamsul_core.simulate.projection import Image, Rays

    Mask = npt.NDArray[np.bool_]

DEVICES = "Support Devices"
OPACITIES = ("Lung Lesion", "Edema", "Consolidation", "Atelectasis")
"""What is a Lung Opacity, too, in CheXpert's hierarchy (Irvin et al. 2019)."""
# Masks are projected on every second pixel
_SCALE = 2


@dataclass(frozen=True, eq=False)
class Simulated:
    """A radiograph and its truth.

    Parameters
    ----------
    pixels
        uint8, H × W.
    healthy
        uint8, H × W: the same exposure of the same patient without any finding.
    masks
        bool, H × W, of each pathology that was put in.
    """

    pixels: npt.NDArray[np.uint8]
    healthy: npt.NDArray[np.uint8]
    masks: Mapping[str, Mask]


def simulate_radiograph(
    ct: Ct,
    chest: Chest,
    severities: Mapping[str, float],
    random: np.random.Generator,
    *,
    is_pa: bool,
    size_px: int,
) -> Simulated:
    """Return a radiograph with these findings.

    Parameters
    ----------
    ct, chest
        The patient's CT, and its organs.
    severities
        From 0 (subtle) to 1 (gross) for each finding that is put in; `DEVICES` among them.
    random
        Everything that is left to chance follows from it.
    is_pa
        Whether the patient stands with the chest at the detector; otherwise an AP portable.
    size_px
        The picture's longer side in pixels.
    """
    patient = draw_patient(ct, random, is_pa=is_pa)
    # Lost volume
    if "Atelectasis" in severities:
        right, left = (mm + 12 * severities["Atelectasis"] * random.random() for mm in patient.raised)
        patient = replace(patient, raised=(right, left))
    exposure = draw_exposure(random, is_pa=is_pa)
    findings = {
        name: MAKERS[name](chest, random, severity) for name, severity in severities.items() if name in MAKERS
    }
    devices = wires(chest, random, is_pa=is_pa) if DEVICES in severities else []
    return _render(ct, patient, exposure, findings, devices, size_px)


def _render(
    ct: Ct,
    patient: Patient,
    exposure: Exposure,
    findings: Mapping[str, Sequence[Finding]],
    devices: list[Wire],
    size_px: int,
) -> Simulated:
    tall, wide = patient.pose.field_mm
    scale = size_px / max(tall, wide)
    rays = patient.rays(ct, (round(tall * scale), round(wide * scale)))
    healthy = project(enumerate(ct.attenuation), ct.spacing, rays)
    flat = [finding for several in findings.values() for finding in several]
    diseased = healthy + project(_changes(ct, flat), ct.spacing, rays, extend=False)
    masks = {name: _mask(several, ct, rays) for name, several in findings.items()}
    if devices:
        added, drawn = draw(devices, rays)
        diseased = diseased + added
        masks[DEVICES] = drawn
    return Simulated(
        expose(healthy, np.maximum(diseased, 0), exposure, rays.pixel_mm),
        expose(healthy, healthy, exposure, rays.pixel_mm),
        masks,
    )


def _changes(ct: Ct, findings: Sequence[Finding]) -> Iterator[tuple[int, Image]]:
    """Yield what findings, one after the other, change of each slab."""
    for index, slab in enumerate(ct.attenuation):
        changed: Image | None = None
        for finding in findings:
            depth, rows, columns = finding.box
            at = index // STEP - depth.start
            if not 0 <= at < len(finding.weight) or not finding.weight[at].any():
                continue
            fine = (
                slice(rows.start * STEP, rows.stop * STEP),
                slice(columns.start * STEP, columns.stop * STEP),
            )
            changed = slab.copy() if changed is None else changed
            here = changed[fine]
            weight = cv2.resize(finding.weight[at], here.shape[::-1], interpolation=cv2.INTER_LINEAR)
            amount = np.float32(finding.attenuation)
            here += weight * (amount if finding.is_added else amount - here)
        if changed is not None:
            yield index, changed - slab


def _mask(findings: Sequence[Finding], ct: Ct, rays: Rays) -> Mask:
    """Return where rays pass enough of the findings' regions."""
    slab, row, column = (STEP * mm for mm in ct.spacing)
    few = rays.coarser(_SCALE)
    mask = np.zeros(rays.at_x.shape, bool)
    for finding in findings:
        if not finding.region.any():
            continue
        whole = np.zeros((ct.attenuation.shape[1] // STEP, ct.attenuation.shape[2] // STEP), np.float32)

        def slabs(finding: Finding = finding, whole: Image = whole) -> Iterator[tuple[int, Image]]:
            depth, rows, columns = finding.box
            for at, region in enumerate(finding.region):
                if region.any():
                    whole[...] = 0
                    whole[rows, columns] = region
                    yield depth.start + at, whole

        thickness = project(slabs(), (slab, row, column), few, extend=False)
        full = cv2.resize(thickness, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        mask |= full > finding.drawn_from_mm
    return mask
