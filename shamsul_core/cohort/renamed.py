"""A cohort seen by another's names: each observation of a model that was mapped stands for the cohort's it was mapped to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from shamsul_core.cohort.radiograph import Radiograph

if TYPE_CHECKING:
    from shamsul_core.cohort.annotation import Annotation, Kind
    from shamsul_core.cohort.counterfactual import Counterfactual
    from shamsul_core.cohort.interface import Cohort


def by_names(cohort: Cohort, names: Mapping[str, str]) -> Cohort:
    """Return the cohort by other names; itself where there are none.

    Parameters
    ----------
    names
        New names, each with the cohort's own; two may have the same. What is mapped is known by its new names alone.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> cohort = SimpleNamespace(observations=("Edema", "Lung Lesion"), name="chest/val")
    >>> renamed = by_names(cohort, {"Mass": "Lung Lesion", "Nodule": "Lung Lesion"})
    >>> renamed.observations, renamed.name
    (('Edema', 'Mass', 'Nodule'), 'chest/val')
    """
    return cast("Cohort", _Renamed(cohort, names)) if names else cohort


class _Renamed:
    """What is not about names is the cohort's own."""

    def __init__(self, cohort: Cohort, names: Mapping[str, str]) -> None:
        self._cohort, self._names = cohort, dict(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cohort, name)

    def __reduce__(self) -> tuple[object, ...]:
        return _Renamed, (self._cohort, self._names)

    def _renamed(self, own: tuple[str, ...]) -> tuple[str, ...]:
        mapped = set(self._names.values())
        renamed = [
            [new for new, partner in self._names.items() if partner == name]
            if name in mapped
            else [name] * (name not in self._names)
            for name in own
        ]
        return tuple(name for names in renamed for name in names)

    @property
    def observations(self) -> tuple[str, ...]:
        return self._renamed(self._cohort.observations)

    @property
    def marked_pathologies(self) -> tuple[str, ...]:
        return self._renamed(self._cohort.marked_pathologies)

    @property
    def radiographs(self) -> Mapping[str, Radiograph]:
        return _Relabelled(self._cohort.radiographs, self._names, self.observations)

    def annotation(self, image_id: str, pathology: str) -> Annotation | None:
        return self._cohort.annotation(image_id, self._names.get(pathology, pathology))

    def annotations(self, image_id: str, pathology: str) -> tuple[Annotation, ...]:
        return self._cohort.annotations(image_id, self._names.get(pathology, pathology))

    def annotators(self, image_id: str) -> tuple[str, ...]:
        return self._cohort.annotators(image_id)

    def truth_kind(self, pathology: str) -> Kind:
        return self._cohort.truth_kind(self._names.get(pathology, pathology))

    def marked_on(self, image_id: str) -> tuple[str, ...]:
        return self._renamed(self._cohort.marked_on(image_id))

    def human_benchmark(self, image_id: str, pathology: str) -> Annotation | None:
        return self._cohort.human_benchmark(image_id, self._names.get(pathology, pathology))

    def counterfactual(self, image_id: str, pathology: str) -> Counterfactual | None:
        return self._cohort.counterfactual(image_id, self._names.get(pathology, pathology))

    def salient_points(self, image_id: str, pathology: str) -> tuple[tuple[float, float], ...]:
        return self._cohort.salient_points(image_id, self._names.get(pathology, pathology))


class _Relabelled(Mapping[str, Radiograph]):
    """Radiographs whose labels have other names, each made when it is asked for."""

    def __init__(
        self, own: Mapping[str, Radiograph], names: Mapping[str, str], observations: tuple[str, ...]
    ) -> None:
        self._own, self._names, self._observations = own, names, observations

    def __getitem__(self, image_id: str) -> Radiograph:
        radiograph = self._own[image_id]
        labels = {name: radiograph.labels.get(self._names.get(name, name)) for name in self._observations}
        return replace(radiograph, labels=labels)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)
