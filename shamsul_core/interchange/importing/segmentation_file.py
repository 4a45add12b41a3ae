"""A file of masks, as CheXlocalize's ``eval.py`` takes it, as a run."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.expert_reading import ExpertReading
from shamsul_core.heatmap import Heatmap
from shamsul_core.interchange.chexlocalize import MapError
from shamsul_core.interchange.importing.manifest import manifest_of_import
from shamsul_core.interchange.importing.mistaken_file import content_of
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.run import Manifest, RadiographResult, Run, RunError
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shamsul_core.cohort import Cohort
    from shamsul_core.localisation.segmentation import Mask


def import_segmentations(
    file: Path,
    cohort: Cohort,
    folder: Path,
    *,
    name: str,
    title: str,
    beside: Run | None = None,
    on_step: OnStep = say_nothing,
) -> tuple[Run, list[str]]:
    """Read a segmentation JSON, as CheXlocalize's ``eval.py`` takes it, as a method whose maps are masks.

    Parameters
    ----------
    file
        For each radiograph's id the run-length encoded masks of the pathologies by CheXlocalize's names.
    name, title
        The method's, for the run and for people.
    beside
        A run whose methods stand beside it; its radiographs are copied, with a failure where the file has nothing.
    on_step
        Called after each radiograph.

    Returns
    -------
    tuple
        The run in `folder`, and a line for each entry that could not be used; the rest goes on.

    Raises
    ------
    MapError
        If the file has nothing that can be used.
    RunError
        If `folder` holds another run, or `beside` has a method of this name.
    """
    reading = ExpertReading(file, None)
    ids, problems = _ids_of(reading, file, cohort)
    _refuse_without_masks(file, reading, ids)
    manifest = manifest_of_import(file, [file], cohort, folder, {name: title})
    if beside is not None:
        manifest = _manifest_beside(beside, manifest, file, name, title)
    run = Run.create_or_resume(folder, manifest)
    for image_id in ids if beside is None else beside.explained_ids():
        result = None if beside is None else beside.read(image_id)
        masks = _masks(reading, cohort, image_id, problems) if image_id in ids else {}
        if result is None and not masks:
            continue
        try:
            size = result.size if result is not None else cohort.radiographs[image_id].size
        except CohortError as error:
            problems.append(str(error))
            continue
        wrong = {pathology for pathology, mask in masks.items() if mask.shape != size}
        problems += [
            f"{file.name} {image_id} {pathology}: the mask and the radiograph differ in size"
            for pathology in wrong
        ]
        run.write(
            _with_masks(image_id, size, {k: v for k, v in masks.items() if k not in wrong}, name, result)
        )
        on_step(image_id)
    return run, problems


def _ids_of(reading: ExpertReading, file: Path, cohort: Cohort) -> tuple[list[str], list[str]]:
    """Return the cohort's radiographs that a file has something of, and a line for each other thing in it."""
    problems = [str(problem) for problem in reading.problems]
    foreign = [image_id for image_id in reading.entries if image_id not in cohort.radiographs]
    problems += [
        f"{file.name}: its radiograph {image_id} is not in the cohort; left out" for image_id in foreign
    ]
    ids = [image_id for image_id in cohort.radiographs if image_id in reading.entries]
    if not ids:
        reason = "; ".join(problems[:1]) or "it has no radiograph of the cohort"
        message = f"{file}: not a segmentation file of this cohort: {reason}"
        raise MapError(message)
    return ids, problems


def _manifest_beside(beside: Run, manifest: Manifest, file: Path, name: str, title: str) -> Manifest:
    """Return another run's manifest with one imported method more."""
    if name in beside.manifest.methods:
        message = f"{beside.folder}: already has a method {name!r}; give the new one another --name"
        raise RunError(message)
    settings = {"imported": file.name, "fingerprint": manifest.model["fingerprint"]}
    methods = {**beside.manifest.methods, name: {"title": title, "settings": settings}}
    return replace(beside.manifest, methods=methods, cohort=manifest.cohort, created=manifest.created)


def _masks(reading: ExpertReading, cohort: Cohort, image_id: str, problems: list[str]) -> dict[str, Mask]:
    masks = {}
    for pathology in LOCALISED_PATHOLOGIES:
        try:
            masks[pathology] = reading.annotation(
                image_id, pathology, lambda: cohort.radiographs[image_id].size
            ).mask()
        except CohortError as error:
            problems.append(str(error))
    return masks


def _with_masks(
    image_id: str,
    size: tuple[int, int],
    masks: Mapping[str, Mask],
    method: str,
    result: RadiographResult | None,
) -> RadiographResult:
    """Return a result with masks as heatmaps: the regions in which all masks agree, 0 or 1 in each for each pathology."""
    heatmaps: tuple[Heatmap, ...] = ()
    if masks:
        stacked = np.stack([mask.ravel() for mask in masks.values()])
        codes = (stacked * (1 << np.arange(len(masks)))[:, None]).sum(axis=0)
        combinations, regions = np.unique(codes, return_inverse=True)
        heatmaps = tuple(
            Heatmap(
                method=method,
                pathology=pathology,
                output=None,
                values=((combinations >> place) & 1).astype(np.float32),
                superpixels=regions.reshape(size),
            )
            for place, pathology in enumerate(masks)
        )
    if result is None:
        return RadiographResult(image_id, size, {}, heatmaps)
    missing = tuple(
        (method, pathology, "no mask was imported for this finding")
        for pathology in LOCALISED_PATHOLOGIES
        if pathology not in masks
    )
    return replace(result, heatmaps=(*result.heatmaps, *heatmaps), failures=(*result.failures, *missing))


def _refuse_without_masks(file: Path, reading: ExpertReading, ids: Sequence[str]) -> None:
    """Raise a `MapError` where a file has not one mask: it is another file, and not one in which nothing is marked."""
    reason = "it names none of the ten pathologies"
    for image_id, pathology in product(ids, LOCALISED_PATHOLOGIES):
        try:
            annotation = reading.annotation(image_id, pathology, lambda: (1, 1))
            if annotation.rle is not None:
                annotation.mask()
                return
        except CohortError as error:
            reason = str(error)
    message = f"{file}: this file {content_of(file)}; not one mask can be read ({reason}); give a method's masks as CheXlocalize's eval.py takes them"
    raise MapError(message)
