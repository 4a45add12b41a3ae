"""Heatmaps and masks of others, in CheXlocalize's formats, as a run."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.chexlocalize import ImportedMap, MapError, read_map
from shamsul_core.cohort import CohortError
from shamsul_core.cohort.experts import ExpertReading
from shamsul_core.heatmap import Heatmap
from shamsul_core.labels import LOCALISED_PATHOLOGIES
from shamsul_core.provenance import describe_cohort, now, versions
from shamsul_core.run import Manifest, RadiographResult, Run, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from shamsul_core.cohort import Cohort
    from shamsul_core.segmentation import Mask


def import_folder(
    maps: Path,
    cohort: Cohort,
    folder: Path,
    *,
    name: str,
    title: str,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[Run, list[str]]:
    """Read every ``*_map.pkl`` of a folder into a run.

    Parameters
    ----------
    maps
        Searched with its folders.
    name, title
        The method's, for the run and for people.
    report
        Called after each map.

    Returns
    -------
    tuple
        The run, and a line for each map that could not be used; the rest goes on.

    Raises
    ------
    MapError
        If there is no map at all.
    RunError
        If `folder` holds another run.
    """
    paths = sorted(maps.rglob("*_map.pkl"))
    if not paths:
        message = f"{maps}: contains no *_map.pkl; give the folder with CheXlocalize's heatmaps"
        raise MapError(message)
    read, problems = _read_all(paths, cohort, report)
    run = Run.create_or_resume(folder, _manifest(maps, paths, cohort, folder, name=name, title=title))
    for image_id, found in read.items():
        run.write(_result(image_id, found, name))
    return run, problems


def import_segmentations(
    file: Path,
    cohort: Cohort,
    folder: Path,
    *,
    name: str,
    title: str,
    beside: Run | None = None,
    report: Callable[[str], None] = lambda _: None,
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
    report
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
    problems = [str(problem) for problem in reading.problems]
    foreign = [image_id for image_id in reading.entries if image_id not in cohort.radiographs]
    problems += [f"{file.name}: its radiograph {one} is not in the cohort; left out" for one in foreign]
    ids = [image_id for image_id in cohort.radiographs if image_id in reading.entries]
    if not ids:
        reason = "; ".join(problems[:1]) or "it has no radiograph of the cohort"
        message = f"{file}: not a segmentation file of this cohort: {reason}"
        raise MapError(message)
    manifest = _manifest(file, [file], cohort, folder, name=name, title=title)
    if beside is not None:
        if name in beside.manifest.methods:
            message = f"{beside.folder}: already has a method {name!r}; give the new one another --name"
            raise RunError(message)
        settings = {"imported": file.name, "fingerprint": manifest.model["fingerprint"]}
        methods = {**beside.manifest.methods, name: {"title": title, "settings": settings}}
        manifest = replace(beside.manifest, methods=methods, cohort=manifest.cohort, created=manifest.created)
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
        wrong = {name for name, mask in masks.items() if mask.shape != size}
        problems += [
            f"{file.name} {image_id} {one}: the mask and the radiograph differ in size" for one in wrong
        ]
        run.write(
            _with_masks(image_id, size, {k: v for k, v in masks.items() if k not in wrong}, name, result)
        )
        report(image_id)
    return run, problems


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
        found, regions = np.unique(codes, return_inverse=True)
        heatmaps = tuple(
            Heatmap(
                method=method,
                pathology=pathology,
                output=None,
                values=((found >> place) & 1).astype(np.float32),
                superpixels=regions.reshape(size),
            )
            for place, pathology in enumerate(masks)
        )
    if result is None:
        return RadiographResult(image_id, size, {}, heatmaps)
    missing = tuple(
        (method, one, "no mask was imported for this finding")
        for one in LOCALISED_PATHOLOGIES
        if one not in masks
    )
    return replace(result, heatmaps=(*result.heatmaps, *heatmaps), failures=(*result.failures, *missing))


def _read_all(
    paths: Sequence[Path], cohort: Cohort, report: Callable[[str], None]
) -> tuple[dict[str, list[ImportedMap]], list[str]]:
    read: dict[str, list[ImportedMap]] = defaultdict(list)
    problems = []
    for path in paths:
        report(path.name)
        try:
            one = read_map(path)
        except (MapError, OSError) as error:
            problems.append(str(error))
            continue
        if one.image_id not in cohort.radiographs:
            problems.append(f"{path.name}: its radiograph {one.image_id} is not in the cohort; left out")
        elif one.pathology not in LOCALISED_PATHOLOGIES:
            problems.append(
                f"{path.name}: {one.pathology} is not a pathology that CheXlocalize localises; left out"
            )
        elif any(other.pathology == one.pathology for other in read[one.image_id]):
            problems.append(f"{path.name}: a second map of {one.pathology} for {one.image_id}; left out")
        else:
            read[one.image_id].append(one)
    return {image_id: found for image_id, found in read.items() if found}, problems


def _result(image_id: str, found: Sequence[ImportedMap], method: str) -> RadiographResult:
    return RadiographResult(
        image_id,
        found[0].size,
        {one.pathology: one.probability for one in found if one.probability is not None},
        tuple(
            Heatmap(method=method, pathology=one.pathology, output=None, values=one.relevance)
            for one in found
        ),
    )


def _manifest(
    maps: Path, paths: Sequence[Path], cohort: Cohort, folder: Path, *, name: str, title: str
) -> Manifest:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        with suppress(OSError):  # one that cannot be read is told and left out where it is read
            digest.update(path.read_bytes())
    model = {
        "source": f"imported from {maps.name}",
        "fingerprint": digest.hexdigest(),
        "is_trained": True,
        "pathologies": list(LOCALISED_PATHOLOGIES),
        "preprocessing": None,
        "precision": None,
    }
    methods = {name: {"title": title, "settings": {"imported": maps.name}}}
    return Manifest(
        model=model,
        cohort=describe_cohort(cohort, folder),
        methods=methods,
        pathologies=LOCALISED_PATHOLOGIES,
        preset="imported",
        created=now(),
        versions=versions(),
    )
