"""CheXlocalize's own heatmaps as a run."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from shamsul_core.chexlocalize import ImportedMap, MapError, read_map
from shamsul_core.heatmap import Heatmap
from shamsul_core.labels import LOCALISED_PATHOLOGIES
from shamsul_core.provenance import describe_cohort, now, versions
from shamsul_core.run import Manifest, RadiographResult, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from shamsul_core.cohort import Cohort


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
        message = f"{maps}: no *_map.pkl in it; give the folder of CheXlocalize's heatmaps"
        raise MapError(message)
    read, problems = _read_all(paths, cohort, report)
    run = Run.create_or_resume(folder, _manifest(maps, paths, cohort, folder, name=name, title=title))
    for image_id, found in read.items():
        run.write(_result(image_id, found, name))
    return run, problems


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
        digest.update(path.read_bytes())
    model = {
        "source": f"maps imported from {maps.name}",
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
