"""Heatmaps and masks of others, in CheXlocalize's formats, as a run."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.expert_reading import ExpertReading
from shamsul_core.heatmap import Heatmap
from shamsul_core.interchange.chexlocalize import ImportedMap, MapError, parse_map_name, read_map
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.run import Manifest, RadiographResult, Run, RunError
from shamsul_core.run.provenance import describe_cohort, now, versions
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shamsul_core.cohort import Cohort
    from shamsul_core.localisation.segmentation import Mask

    Imported = list[tuple[str, ImportedMap]]
    """Maps of one radiograph, each with its method's short name."""

_METHOD_FOLDER = re.compile(r"(.+)_maps(?:_(?:train|val|test))?")
_TITLES = {"lime": "LIME", "shap": "SHAP", "gradcam": "Grad-CAM", "lrp": "LRP"}


def import_folder(
    maps: Path,
    cohort: Cohort,
    folder: Path,
    *,
    name: str | None = None,
    title: str | None = None,
    on_step: OnStep = say_nothing,
) -> tuple[Run, list[str]]:
    """Read every ``*_map.pkl`` of a folder into a run.

    Parameters
    ----------
    maps
        Searched with its folders. Where there are several called ``<method>_maps``, each is a method.
    name, title
        The method's, for the run and for people; by default as its folder says, and Grad-CAM where that says nothing.
    on_step
        Called after each map.

    Returns
    -------
    tuple
        The run, and a line for each map that could not be used; the rest goes on.

    Raises
    ------
    MapError
        If there is no map at all or none that can be used, or maps of several methods that cannot be told apart.
    RunError
        If `folder` holds another run.
    """
    if maps.is_file():
        message = f"{maps}: this file {_content_of(maps)}; give the folder with CheXlocalize's *_map.pkl heatmaps (for a file of masks there is --segmentations)"
        raise MapError(message)
    paths = sorted(maps.rglob("*_map.pkl"))
    if not paths:
        message = f"{maps}: contains no *_map.pkl; give the folder with CheXlocalize's heatmaps"
        raise MapError(message)
    by_method = _by_method(maps, paths, name, is_titled=title is not None)
    read, problems = _read_all(by_method, cohort, on_step)
    if not read:
        message = f"{maps}: not one of its {len(paths)} heatmaps can be used; the first: {problems[0]}"
        raise MapError(message)
    titles = {method: title or f"{_TITLES.get(method, method)} (imported)" for method in by_method}
    run = Run.create_or_resume(folder, _manifest(maps, paths, cohort, folder, titles))
    for image_id, imported in read.items():
        run.write(_result(image_id, imported))
    return run, problems


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
    _refuse_without_masks(file, reading, ids)
    manifest = _manifest(file, [file], cohort, folder, {name: title})
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
    message = f"{file}: this file {_content_of(file)}; not one mask can be read ({reason}); give a method's masks as CheXlocalize's eval.py takes them"
    raise MapError(message)


def _content_of(file: Path) -> str:
    """Return what a file does that was given for another: it holds this or that."""
    if file.name.endswith("_map.pkl"):
        return "is one heatmap"
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return "is of another kind"
    entries = content.values() if isinstance(content, dict) else ()
    marks = [
        mark
        for entry in entries
        if isinstance(entry, dict)
        for key, mark in entry.items()
        if key != "img_size"
    ]
    if any(isinstance(mark, dict) and "counts" in mark for mark in marks):
        return "holds run-length encoded masks"
    drawn = next((mark[0] for mark in marks if isinstance(mark, list) and mark), None)
    if not isinstance(drawn, list) or not drawn:
        return "holds no masks"
    is_contour = isinstance(drawn[0], list)
    return "holds the contours that experts drew" if is_contour else "holds the points that readers clicked"


def _by_method(
    maps: Path, paths: Sequence[Path], name: str | None, *, is_titled: bool
) -> dict[str, list[Path]]:
    """Return the maps of each method, by its short name.

    Raises
    ------
    MapError
        If there are several and one name for them, or two maps of one finding without a folder that names their method.
    """
    methods: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        methods[_method_of(path, maps) or "gradcam"].append(path)
    if len(methods) > 1 and (name is not None or is_titled):
        message = f"{maps}: holds the maps of several methods ({', '.join(methods)}); leave out --name and --title, or give one method's folder"
        raise MapError(message)
    for together in methods.values():
        _refuse_two_of_one(maps, together)
    return {name or method: together for method, together in methods.items()}


def _method_of(path: Path, maps: Path) -> str | None:
    """Return the method that the nearest folder up to `maps` names, as in ``lime_maps`` or ``gradcam_maps_val``."""
    inside = path.relative_to(maps).parts[:-1]
    folders = [maps.resolve().name, *inside]
    return next(
        (match[1] for folder in reversed(folders) if (match := _METHOD_FOLDER.fullmatch(folder))), None
    )


def _refuse_two_of_one(maps: Path, paths: Sequence[Path]) -> None:
    seen: dict[tuple[str, str], Path] = {}
    for path in paths:
        # One with another name is told and left out where it is read
        with suppress(MapError):
            finding = parse_map_name(path)
            first = seen.setdefault(finding, path)
            if first.parent != path.parent:
                break
    else:
        return
    message = (
        f"{maps}: {first.relative_to(maps)} and {path.relative_to(maps)} are of the same finding; if they are of two "
        "methods, name their folders <method>_maps, such as lime_maps, or import them one by one"
    )
    raise MapError(message)


def _read_all(
    by_method: Mapping[str, Sequence[Path]], cohort: Cohort, on_step: OnStep
) -> tuple[dict[str, Imported], list[str]]:
    read: dict[str, Imported] = defaultdict(list)
    problems = []
    for method, path in ((method, path) for method, paths in by_method.items() for path in paths):
        on_step(path.name)
        try:
            imported = read_map(path)
        except (MapError, OSError) as error:
            problems.append(str(error))
            continue
        if imported.image_id not in cohort.radiographs:
            problems.append(f"{path.name}: its radiograph {imported.image_id} is not in the cohort; left out")
        elif imported.pathology not in LOCALISED_PATHOLOGIES:
            problems.append(
                f"{path.name}: {imported.pathology} is not a pathology that CheXlocalize localises; left out"
            )
        elif (method, imported.pathology) in (
            (name, before.pathology) for name, before in read[imported.image_id]
        ):
            problems.append(
                f"{path.name}: a second map of {imported.pathology} for {imported.image_id}; left out"
            )
        else:
            read[imported.image_id].append((method, imported))
    return {image_id: imported for image_id, imported in read.items() if imported}, problems


def _result(image_id: str, imported: Imported) -> RadiographResult:
    return RadiographResult(
        image_id,
        imported[0][1].size,
        {
            heatmap.pathology: heatmap.probability
            for _, heatmap in imported
            if heatmap.probability is not None
        },
        tuple(
            Heatmap(method=method, pathology=heatmap.pathology, output=None, values=heatmap.relevance)
            for method, heatmap in imported
        ),
    )


def _manifest(
    maps: Path, paths: Sequence[Path], cohort: Cohort, folder: Path, titles: Mapping[str, str]
) -> Manifest:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        # One that cannot be read is told and left out where it is read
        with suppress(OSError):
            digest.update(path.read_bytes())
    model = {
        "source": f"imported from {maps.name}",
        "fingerprint": digest.hexdigest(),
        "is_trained": True,
        "pathologies": list(LOCALISED_PATHOLOGIES),
        "preprocessing": None,
        "precision": None,
    }
    methods = {name: {"title": title, "settings": {"imported": maps.name}} for name, title in titles.items()}
    return Manifest(
        model=model,
        cohort=describe_cohort(cohort, folder),
        methods=methods,
        pathologies=LOCALISED_PATHOLOGIES,
        preset="imported",
        created=now(),
        versions=versions(),
    )
