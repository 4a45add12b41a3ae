"""A folder of CheXlocalize's heatmaps as a run."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from shamsul_core.heatmap import Heatmap
from shamsul_core.interchange.chexlocalize import ImportedMap, MapError, parse_map_name, read_map
from shamsul_core.interchange.importing.manifest import manifest_of_import
from shamsul_core.interchange.importing.mistaken_file import content_of
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.run import RadiographResult, Run
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shamsul_core.cohort import Cohort

    Imported = list[tuple[str, ImportedMap]]
    """Maps of one radiograph, each with its method's short name."""

_METHOD_FOLDER = re.compile(r"(.+)_maps(?:_(?:train|val|test))?")
_TITLES = {
    "lime": "LIME",
    "shap": "SHAP",
    "gradcam": "Grad-CAM",
    "lrp": "LRP",
    "hirescam": "HiResCAM",
    "gradcampp": "Grad-CAM++",
    "ig": "Integrated Gradients",
    "smoothgrad": "SmoothGrad",
    "occlusion": "Occlusion",
    "rise": "RISE",
    "relevancy": "Attention relevancy",
    "rollout": "Attention rollout",
}


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
        message = f"{maps}: this file {content_of(maps)}; give the folder with CheXlocalize's *_map.pkl heatmaps (for a file of masks there is --segmentations)"
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
    run = Run.create_or_resume(folder, manifest_of_import(maps, paths, cohort, folder, titles))
    for image_id, imported in read.items():
        run.write(_result(image_id, imported))
    return run, problems


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
