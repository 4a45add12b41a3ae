"""A reader's radiograph as a run of one, and as a cohort of one, held in memory and gone with its holder.

Figures, pages and files take it as they take any run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shamsul_core.cohort.annotation import Annotation
from shamsul_core.cohort.radiograph import PixelArray, Radiograph, blank_labels
from shamsul_core.imaging import Geometry
from shamsul_core.imaging.contours import fill_contours
from shamsul_core.imaging.rle import encode_mask
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.run import RadiographResult
from shamsul_core.run.in_memory import RunInMemory
from shamsul_core.run.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.cohort.annotation import Kind
    from shamsul_core.cohort.problems import Problem
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.imaging.contours import ContourArray
    from shamsul_core.localisation.segmentation import Mask
    from shamsul_core.upload.intake import Intake
    from shamsul_core.upload.job import Job, Offer

_NO_FOLDER = Path()
"""Of what is in memory; nothing shows it."""


@dataclass(frozen=True, kw_only=True)
class RadiographInMemory(Radiograph):
    """A radiograph whose pixels are in memory."""

    pixels_in_memory: PixelArray = field(repr=False, compare=False)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels_in_memory.shape[0], self.pixels_in_memory.shape[1]

    @property
    def geometry(self) -> Geometry:
        """As shown: what the file stores was left behind when it was taken in."""
        return Geometry(self.size, self.size)

    def pixels(self) -> PixelArray:
        """Return the pixels."""
        return self.pixels_in_memory


@dataclass(eq=False)
class CohortInMemory:
    """A cohort of one radiograph and what its reader marked on it; see `Cohort`.

    Parameters
    ----------
    loaded
        Masks from the reader's files, by pathology.
    drawn
        Contours of the reader's, by pathology. Of a pathology there is either a mask or contours: what came last.
    """

    radiograph: RadiographInMemory
    loaded: dict[str, Mask] = field(default_factory=dict)
    drawn: dict[str, tuple[ContourArray, ...]] = field(default_factory=dict)
    name: str = "your radiograph"
    folder: Path = _NO_FOLDER
    layout: str = "in memory"
    split: str = "val"
    fingerprint: str = ""
    is_simulated: bool = False
    simulated_note: str | None = None
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    is_readers_own: bool = True

    def load(self, pathology: str, mask: Mask) -> None:
        """Take a mask, which replaces what was drawn."""
        self.drawn.pop(pathology, None)
        self.loaded[pathology] = mask

    def draw(self, pathology: str, contour: ContourArray) -> None:
        """Add a contour; the first one replaces a mask."""
        self.loaded.pop(pathology, None)
        self.drawn[pathology] = (*self.drawn.get(pathology, ()), contour)

    @property
    def radiographs(self) -> Mapping[str, Radiograph]:
        """The one."""
        return {self.radiograph.id: self.radiograph}

    @property
    def has_annotations(self) -> bool:
        """Whether the reader marked anything."""
        return bool(self.loaded or any(self.drawn.values()))

    @property
    def observations(self) -> tuple[str, ...]:
        """Those that its labels are blank of, and those that are marked."""
        return tuple(dict.fromkeys((*self.radiograph.labels, *self.marked_pathologies)))

    @property
    def marked_pathologies(self) -> tuple[str, ...]:
        """What the reader marked."""
        return (*self.loaded, *(name for name, contours in self.drawn.items() if contours))

    def annotation(self, image_id: str, pathology: str) -> Annotation | None:
        """Return what the reader marked."""
        contours, mask = self.drawn.get(pathology, ()), self.loaded.get(pathology)
        if not contours and mask is None:
            return None
        size = self.radiograph.size
        mask = fill_contours(contours, size) if mask is None else mask
        return Annotation(image_id=image_id, pathology=pathology, size=size, rle=encode_mask(mask))

    def annotations(self, image_id: str, pathology: str) -> tuple[Annotation, ...]:
        """Return what the reader marked, one or nothing."""
        annotation = self.annotation(image_id, pathology)
        return () if annotation is None else (annotation,)

    def annotators(self, image_id: str) -> tuple[str, ...]:
        """Return the reader, without a name."""
        return ("",)

    def truth_kind(self, pathology: str) -> Kind:
        """Return that it is a contour."""
        return "contour"

    def marked_on(self, image_id: str) -> tuple[str, ...]:
        """Return what the reader marked."""
        return self.marked_pathologies

    def human_benchmark(self, image_id: str, pathology: str) -> Annotation | None:
        """Return nothing: there is no second reader."""

    def counterfactual(self, image_id: str, pathology: str) -> None:
        """Return that nobody knows it without a finding."""
        del image_id, pathology

    def planted_sign(self, image_id: str) -> None:
        """Return nothing: no shortcut was planted."""

    def salient_points(self, image_id: str, pathology: str) -> tuple[tuple[float, float], ...]:
        """Return nothing: there is no second reader."""
        return ()

    @property
    def files(self) -> Mapping[str, tuple[Path, ...]]:
        """None: it lies in memory."""
        return {}

    def check(self, on_step: OnStep = say_nothing) -> tuple[Problem, ...]:
        """Return nothing: what can be wrong was refused when it was taken in."""
        return ()


def cohort_of_intake(
    intake: Intake, pixels: PixelArray | None = None, simulated: str | None = None
) -> CohortInMemory:
    """Return a cohort of what was taken in; the id is the picture's own, whatever its file is called.

    Parameters
    ----------
    intake
        What was taken in.
    pixels
        What is explained instead of its pixels, such as these inverted.
    simulated
        The label of a simulated radiograph.
    """
    projection: Any = intake.projection
    pixels = intake.pixels if pixels is None else pixels
    digest = sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    kind = "your" if simulated is None else "example"
    return CohortInMemory(
        RadiographInMemory(
            id=f"{kind}-radiograph-{digest[:12]}",
            path=_NO_FOLDER,
            labels=blank_labels(),
            view=intake.view,
            projection=projection,
            pixels_in_memory=pixels,
        ),
        name=f"{kind} radiograph",
        is_simulated=simulated is not None,
        simulated_note=simulated,
    )


def run_of_job(job: Job, offer: Offer, cohort: CohortInMemory, created: str) -> RunInMemory:
    """Return what is known of a job so far as a run; methods that are not ready say so."""
    heatmaps: list[Heatmap] = []
    failures: list[tuple[str, str, str]] = []
    for method in offer.methods:
        explained, failed = job.outcomes.get(method, ([], []))
        heatmaps += explained
        failures += failed
        if method not in job.outcomes:
            failures += [(method, pathology, _why_not_yet(job, method)) for pathology in offer.pathologies]
    manifest = Manifest(
        model=offer.model,
        cohort={
            "path": "",
            "name": cohort.name,
            "split": "val",
            "fingerprint": "",
            "simulated": cohort.simulated_note,
            "radiographs": 1,
        },
        methods=offer.methods,
        pathologies=offer.pathologies,
        preset="default",
        created=created,
        versions={},
    )
    height, width = np.shape(cohort.radiograph.pixels_in_memory)
    result = RadiographResult(
        cohort.radiograph.id,
        (height, width),
        job.probabilities,
        tuple(heatmaps),
        tuple(failures),
        novelty=job.novelty,
    )
    return RunInMemory(manifest, result, cohort)


def _why_not_yet(job: Job, method: str) -> str:
    if job.is_over:
        return "not explained"
    return "being computed" if method == job.method else "waiting"
