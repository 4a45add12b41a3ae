"""One simulated radiograph: patient, findings, devices, exposure; the same without each finding; and what experts outline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.simulate.chest import STEP
from shamsul_core.simulate.contours import outlined, outlined_devices, outlined_organ, seen
from shamsul_core.simulate.detector import Exposure, draw_exposure, expose
from shamsul_core.simulate.devices import Wire, draw, wires
from shamsul_core.simulate.findings import MAKERS
from shamsul_core.simulate.hierarchy import DEVICES, children, parents
from shamsul_core.simulate.patient import Patient, draw_patient
from shamsul_core.simulate.projection import project

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest, Region
    from shamsul_core.simulate.ct import Ct
    from shamsul_core.simulate.devices import Maker
    from shamsul_core.simulate.findings import Finding
    from shamsul_core.simulate.habitus import Sex
    from shamsul_core.simulate.projection import Image, Rays

    Pixels = npt.NDArray[np.uint8]
    Mask = npt.NDArray[np.bool_]

_ORGANS = ("Cardiomegaly", "Enlarged Cardiomediastinum")
_ORGAN_FROM_MM = 18.0
# An organ's shadow is projected on every second pixel
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
    without
        uint8, H × W, for each observation that was put in, itself or as what is a kind of it: the same patient, exposure
        and noise without it.
    masks
        bool, H × W, for each of these: what an expert would outline.
    """

    pixels: Pixels
    healthy: Pixels
    without: Mapping[str, Pixels]
    masks: Mapping[str, Mask]


@dataclass(frozen=True, eq=False)
class _View:
    """Line integrals of a patient before the detector.

    Parameters
    ----------
    patient, rays
        Who it is, and the rays that go through.
    healthy, diseased
        float32, H × W: without and with all findings and devices.
    devices, shadow
        float32 and bool, H × W: what the devices alone add, and where an expert would see them.
    """

    patient: Patient
    rays: Rays
    healthy: Image
    diseased: Image
    devices: Image
    shadow: Mask


@dataclass(frozen=True, eq=False)
class _Scene:
    """What is before the detector, however the patient stands.

    Parameters
    ----------
    findings
        What is put into the chest, by observation.
    """

    ct: Ct
    chest: Chest
    exposure: Exposure
    findings: Mapping[str, Sequence[Finding]]
    devices: list[Wire]
    size_px: int

    @property
    def put_in(self) -> tuple[str, ...]:
        """The observations that are there themselves."""
        return (*self.findings, *([DEVICES] if self.devices else []))

    @property
    def names(self) -> tuple[str, ...]:
        """The observations that are there, themselves or as what is a kind of them."""
        return tuple(dict.fromkeys(name for one in self.put_in for name in (one, *parents(one))))

    def view(self, patient: Patient, left_out: Collection[str] = ()) -> _View:
        """Return the line integrals with all findings but some."""
        tall, wide = patient.pose.field_mm
        scale = self.size_px / max(tall, wide)
        rays = patient.rays((round(tall * scale), round(wide * scale)))
        chest = project(self.ct.slabs(patient.bone), self.ct.spacing, rays, extend=False)
        healthy = patient.habitus.clothe(chest, rays)
        kept = {name: several for name, several in self.findings.items() if name not in left_out}
        diseased = healthy + project(
            _changes(self.ct, patient.bone, kept, kept), self.ct.spacing, rays, extend=False
        )
        devices, shadow = draw(self.devices, rays)
        if DEVICES not in left_out:
            diseased = diseased + devices
        return _View(patient, rays, healthy, diseased, devices, shadow)

    def without(self, view: _View, left_out: Collection[str]) -> Pixels:
        """Return the picture without some findings, the rest as it was."""
        slabs = _changes(self.ct, view.patient.bone, self.findings, left_out)
        change = project(slabs, self.ct.spacing, view.rays, extend=False)
        if DEVICES in left_out:
            change = change + view.devices
        return self.expose(replace(view, diseased=view.diseased - change))

    def expose(self, view: _View) -> Pixels:
        """Return the picture."""
        diseased = np.maximum(view.diseased, 0)
        return expose(view.healthy, diseased, self.exposure, view.rays.pixel_mm)


def simulate_radiograph(
    ct: Ct,
    chest: Chest,
    severities: Mapping[str, float],
    random: np.random.Generator,
    *,
    is_pa: bool,
    size_px: int,
    sex: Sex = "Male",
    age: int = 60,
    with_truth: bool = True,
    planted: Sequence[Wire] = (),
    never: Maker | None = None,
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
    sex, age
        The patient's, in years: they bear on size, bones, breasts, heart and aorta.
    with_truth
        Whether the pictures without each finding and the masks are wanted, which take several times as long.
    planted
        Devices that are there besides those left to chance.
    never
        A kind of device that chance does not choose.
    """
    unchanged = patient = draw_patient(chest, random, is_pa=is_pa, sex=sex, age=age)
    # Lost volume
    if "Atelectasis" in severities:
        right, left = (12 * severities["Atelectasis"] * random.random() for _ in range(2))
        patient = patient.raised(right, left)
    exposure = draw_exposure(random, is_pa=is_pa)
    findings = {
        name: MAKERS[name](chest, random, severity) for name, severity in severities.items() if name in MAKERS
    }
    devices = wires(chest, random, is_pa=is_pa, never=never) if DEVICES in severities else []
    devices = [*devices, *planted]
    scene = _Scene(ct, chest, exposure, findings, devices, size_px)
    view = scene.view(patient)
    pixels = scene.expose(view)
    healthy = expose(view.healthy, view.healthy, exposure, view.rays.pixel_mm)
    if not with_truth:
        return Simulated(pixels, healthy, {}, {})
    # A finding, what it is a kind of and its contour mostly ask for the same picture
    without = cache(partial(scene.without, view))
    removed = {name: frozenset({name, *children(name)} & {*scene.put_in}) for name in scene.names}
    pictures = {
        # The lungs regain the volume that Atelectasis took
        which: scene.expose(scene.view(unchanged, which)) if "Atelectasis" in which else without(which)
        for which in set(removed.values())
    }
    counterfactuals = {name: pictures[which] for name, which in removed.items()}
    return Simulated(pixels, healthy, counterfactuals, _masks(scene, view, pixels, without))


def _changes(
    ct: Ct, bone: float, findings: Mapping[str, Sequence[Finding]], of: Collection[str]
) -> Iterator[tuple[int, Image]]:
    """Yield what some of the findings change of each slab, where all are put in one after the other."""
    everything = [finding for several in findings.values() for finding in several]
    others = [finding for name, several in findings.items() if name not in of for finding in several]
    chosen = [finding for name in findings if name in of for finding in findings[name]]
    for index in range(len(ct.attenuation)):
        if any(_weight(finding, index) is not None for finding in chosen):
            slab = ct.slab(index, bone)
            yield index, _put_in(slab, index, everything) - _put_in(slab, index, others)


def _put_in(slab: Image, index: int, findings: Sequence[Finding]) -> Image:
    """Return a slab with findings; the slab itself where none of them reaches it."""
    changed: Image | None = None
    for finding in findings:
        coarse = _weight(finding, index)
        if coarse is None:
            continue
        _, rows, columns = finding.box
        fine = (
            slice(rows.start * STEP, rows.stop * STEP),
            slice(columns.start * STEP, columns.stop * STEP),
        )
        changed = slab.copy() if changed is None else changed
        here = changed[fine]
        weight = cv2.resize(coarse, here.shape[::-1], interpolation=cv2.INTER_LINEAR)
        amount = np.float32(finding.attenuation)
        here += weight * (amount if finding.is_added else amount - here)
    return slab if changed is None else changed


def _weight(finding: Finding, index: int) -> Image | None:
    """Return a finding's weight in a slab of the CT, or ``None`` where it is not."""
    at = index // STEP - finding.box[0].start
    return finding.weight[at] if 0 <= at < len(finding.weight) and finding.weight[at].any() else None


def _masks(
    scene: _Scene, view: _View, pixels: Pixels, without: Callable[[frozenset[str]], Pixels]
) -> dict[str, Mask]:
    """Return what an expert would outline of each observation: its own, and what is a kind of it."""
    masks: dict[str, Mask] = {}
    pixel_mm = view.rays.pixel_mm
    # Kinds first
    for name in sorted(scene.names, key=lambda name: len(children(name))):
        parts = [masks[one] for one in children(name) if one in masks]
        if name == DEVICES:
            difference = pixels.astype(np.float32) - without(frozenset({name}))
            parts.append(outlined_devices(view.shadow & seen(difference, pixel_mm), pixel_mm))
        elif name in _ORGANS:
            shadow = np.logical_or.reduce([_organ(scene, view, name), *parts])
            parts.append(outlined_organ(shadow, pixel_mm))
        elif name in scene.findings:
            several = scene.findings[name]
            difference = pixels.astype(np.float32) - without(frozenset({name}))
            lesions = sum(finding.lesions for finding in several)
            is_denser = several[0].attenuation > 0
            parts.append(outlined(difference, pixel_mm, lesions=lesions, is_denser=is_denser))
        masks[name] = np.logical_or.reduce(parts)
    return masks


def _organ(scene: _Scene, view: _View, name: str) -> Mask:
    """Return the shadow of the enlarged organ; of a mediastinum that only the heart enlarges, as it was."""
    for finding in scene.findings.get(name, ()):
        if finding.organ is not None:
            return _shadow(scene.ct, view.rays, finding.organ, finding.box)
    organ = scene.chest.mediastinum
    return _shadow(scene.ct, view.rays, organ, tuple(slice(0, side) for side in organ.shape))


def _shadow(ct: Ct, rays: Rays, organ: Region, box: tuple[slice, ...]) -> Mask:
    """Return where rays pass enough of an organ that lies in a box."""
    depth, rows, columns = box
    whole = np.zeros((ct.attenuation.shape[1] // STEP, ct.attenuation.shape[2] // STEP), np.float32)

    def slabs() -> Iterator[tuple[int, Image]]:
        for at, region in enumerate(organ):
            if region.any():
                whole[rows, columns] = region
                yield depth.start + at, whole

    slab, row, column = (STEP * mm for mm in ct.spacing)
    thickness = project(slabs(), (slab, row, column), rays.coarser(_SCALE), extend=False)
    full = cv2.resize(thickness, rays.at_x.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(full > _ORGAN_FROM_MM)
