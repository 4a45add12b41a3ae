"""What a test is given: a radiograph before its classifier, the run's maps of it, and what they are held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.heatmap import WHOLE
from shamsul_core.proof.catalogue import RANK_CORRELATION, SSIM, Measured
from shamsul_core.proof.maps import Maps, model_free_maps, seen_of
from shamsul_core.proof.similarity import similarities

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.explain import Explainer, Subject
    from shamsul_core.heatmap import FloatArray
    from shamsul_core.localisation.segmentation import Mask


@dataclass(frozen=True, eq=False, kw_only=True)
class Examined:
    """A radiograph whose maps are tested.

    Parameters
    ----------
    subject
        The radiograph before the run's classifier.
    pathologies
        Of the maps tested.
    maps
        The run's, on the network's input.
    explainers
        The run's methods as far as they can be asked again.
    seed
        Of all that is drawn; the radiograph's own.
    location, experts
        By pathology, of the radiograph's extent: the mean of other patients' marks, and what any expert marked.
    changed, falls
        By pathology: where taking the finding out changes the picture, bool, H × W, and by how much that lowers the logit.
    others
        The run's map of the same pathology and method in another patient, on the network's input.
    other_model
        Another training of the same model.
    """

    subject: Subject
    pathologies: Sequence[str]
    maps: Maps
    explainers: Sequence[Explainer] = ()
    seed: int = 0
    location: Mapping[str, FloatArray] = field(default_factory=dict)
    experts: Mapping[str, Mask] = field(default_factory=dict)
    changed: Mapping[str, Mask] = field(default_factory=dict)
    falls: Mapping[str, float] = field(default_factory=dict)
    others: Maps = field(default_factory=dict)
    other_model: Classifier | None = None

    @property
    def size_px(self) -> int:
        """Side of the network's input."""
        return self.subject.classifier.preprocessing.size_px

    @cached_property
    def reference(self) -> Maps:
        """The run's maps and the model-free ones, which others are compared with."""
        return {**self.maps, **model_free_maps(self.subject, self.pathologies)}

    def seen(self, picture: FloatArray | Mask) -> FloatArray:
        """Return what the network sees of a map of the radiograph's extent, float32, size × size."""
        if self.subject.field == WHOLE and picture.shape == (self.size_px, self.size_px):
            return picture.astype(np.float32)
        return seen_of(picture, self.subject.field, self.size_px)

    def compare(self, maps: Maps, setting: str, at: float = float("nan")) -> Iterator[Measured]:
        """Yield how alike these maps are to the reference, each with that of its method and pathology."""
        for (method, pathology), values in maps.items():
            reference = self.reference.get((method, pathology))
            if reference is None or isinstance(reference, str):
                continue
            row = partial(Measured, pathology=pathology, method=method, setting=setting, at=at)
            if isinstance(values, str):
                for figure in (RANK_CORRELATION, SSIM):
                    yield row(figure=figure, value=float("nan"), reason=values)
                continue
            for figure, value in similarities(reference, values).items():
                yield row(figure=figure, value=value)
