"""The model of a run: what it was trained on, and where its file is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from shamsul_core.classifier.model_card import ModelCard, card_in_manifest, read_card
from shamsul_core.classifier.source import ModelSource
from shamsul_core.files.storage import is_remote
from shamsul_core.run.manifest import RunError

if TYPE_CHECKING:
    from shamsul_core.run.run import Run


def card_of_run(run: Run) -> ModelCard | None:
    """Return the card of a run's model: from its manifest, else from the model's file where that is at hand."""
    card = card_in_manifest(run.manifest.model)
    if card is not None:
        return card
    model = model_of(run)
    try:
        return read_card(str(run.manifest.model["source"]) if model is None else model.model)
    except (OSError, ValueError):
        return None


def model_of(run: Run) -> ModelSource | None:
    """Return what a run's model is loaded from, its files beside the run or where they were.

    ``None`` where one is not on this machine, or the model is somebody's code: no run may name what is executed.
    """
    described = run.manifest.model
    asked = ModelSource.from_json(described.get("asked") or {"model": described["source"]})
    if asked.is_code:
        return None
    found = asked.with_files(lambda name: str(_find(run.folder.parent, name) or ""))
    files = (found.model, found.weights, found.prompts)
    return None if "" in files else replace(found, observations=tuple(described["pathologies"]))


def source_of(run: Run, model: str | None = None) -> ModelSource:
    """Return what a run's model is loaded from: what somebody names, else what `model_of` finds.

    Raises
    ------
    RunError
        If it is not found.
    """
    source = model_of(run) if model is None else ModelSource.of(model)
    if source is None:
        message = (
            f"{run.folder}: its model {run.manifest.model['source']} is not on this machine; give --model"
        )
        raise RunError(message)
    return source


def _find(folder: Path, name: str) -> Path | None:
    """Return the file or folder of this name, beside a run or where it was."""
    return next(
        (path for path in (folder / name, Path(name)) if not is_remote(path) and _is_there(path)), None
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name longer than any file's
        return False
