"""Where a run comes from: the manifest's words on cohort, model, methods and versions."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shamsul_core.files.storage import is_remote
from shamsul_core.run import Manifest
from shamsul_core.run.bounds import LONGEST_TEXT
from shamsul_core.run.manifest import ALL
from shamsul_core.version import engine_version, software_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.cohort import Cohort
    from shamsul_core.explain import Explainer

_LIBRARIES = (
    "captum",
    "lime",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
    "scikit-learn",
    "shap",
    "torch",
    "torchvision",
)


def describe_run(
    folder: Path,
    cohort: Cohort,
    classifier: Classifier,
    explainers: Sequence[Explainer],
    pathologies: Sequence[str],
    preset: str,
    explained: str = ALL,
    names: Mapping[str, str] | None = None,
) -> Manifest:
    """Return the manifest of the run in `folder` that explains this cohort with these.

    Parameters
    ----------
    names
        The run's names of observations that the cohort calls otherwise, with the cohort's, see `cohort.renamed`.
    """
    return Manifest(
        model=describe_model(classifier),
        cohort=describe_cohort(cohort, folder) | {"names": dict(names or {})},
        methods=describe_methods(explainers),
        pathologies=tuple(pathologies),
        explained=explained,
        preset=preset,
        created=now(),
        versions=versions(),
    )


def describe_model(classifier: Classifier) -> dict[str, Any]:
    """Return a manifest's words on the model."""
    return {
        "source": classifier.source,
        "asked": None if classifier.asked is None else classifier.asked.without_folders().to_json(),
        "output": classifier.output_kind,
        "fingerprint": classifier.fingerprint,
        "is_trained": classifier.is_trained,
        "pathologies": list(classifier.pathologies),
        "preprocessing": classifier.preprocessing.to_json(),
        "precision": str(classifier.fast_dtype).removeprefix("torch."),
        "card": None if classifier.card is None else classifier.card.to_json(),
    }


def describe_methods(explainers: Sequence[Explainer]) -> dict[str, dict[str, Any]]:
    """Return a manifest's words on the methods."""
    return {
        explainer.name: {"title": explainer.title, "settings": asdict(explainer.settings)}
        for explainer in explainers
    }


def describe_cohort(cohort: Cohort, folder: Path) -> dict[str, Any]:
    """Return a manifest's words on the cohort.

    Its path is relative to the run's folder, so that both can move together, and absolute where the run is elsewhere.
    """
    path = cohort.folder.resolve()
    return {
        "path": str(path) if is_remote(folder) else os.path.relpath(path, folder.resolve()),
        "name": cohort.name,
        "layout": cohort.layout,
        "split": cohort.split,
        "fingerprint": cohort.fingerprint,
        "simulated": str(cohort.simulated_note)[:LONGEST_TEXT] if cohort.is_simulated else None,
        "radiographs": len(cohort.radiographs),
    }


def circumstances(classifier: Classifier) -> dict[str, Any]:
    """Return under what this process explains with a classifier: all that changes values besides a run's settings.

    Returns
    -------
    dict
        ``software`` and ``engine`` (`shamsul_core.version`), ``precision`` of many forward passes, ``device``, and
        ``versions`` of Python and the libraries.
    """
    return {
        "software": software_version(),
        "engine": engine_version(),
        "precision": str(classifier.fast_dtype).removeprefix("torch."),
        "device": classifier.device.type,
        "versions": versions(),
    }


def name_of(circumstances: Mapping[str, Any]) -> str:
    """Return what results made under these circumstances call them: the same where values are."""
    deciding = {name: value for name, value in circumstances.items() if name != "software"}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:12]


def now() -> str:
    """Return the time as a manifest has it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a run's results rest on, as far as they are installed."""
    installed = {"python": platform.python_version()}
    for name in _LIBRARIES:
        # What others explained is imported without torch
        with suppress(importlib.metadata.PackageNotFoundError):
            installed[name] = importlib.metadata.version(name)
    return installed
