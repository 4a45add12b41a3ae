"""The model of a run: what it was trained on, and where its file is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shamsul_core.classifier.model_card import ModelCard, card_in_manifest, read_card
from shamsul_core.files.storage import is_remote

if TYPE_CHECKING:
    from shamsul_core.run.run import Run


def card_of_run(run: Run) -> ModelCard | None:
    """Return the card of a run's model: from its manifest, else from the model's file where that is at hand."""
    card = card_in_manifest(run.manifest.model)
    if card is not None:
        return card
    path = model_file(run)
    try:
        return read_card(str(run.manifest.model["source"]) if path is None else str(path))
    except (OSError, ValueError):
        return None


def model_file(run: Run) -> Path | None:
    """Return the file of a run's model, beside the run or where it was; ``None`` where it is not on this machine."""
    source = str(run.manifest.model["source"])
    beside = run.folder.parent / source
    return next((path for path in (beside, Path(source)) if not is_remote(path) and _is_file(path)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name longer than any file's
        return False
