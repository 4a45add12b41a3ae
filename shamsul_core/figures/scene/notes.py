"""What must be said beside every picture of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.classifier.model_card import NEVER_REAL, card_in_manifest
from shamsul_core.run.novelty_words import novelty_in_words

if TYPE_CHECKING:
    from shamsul_core.localisation.segmentation import SegmentationSettings
    from shamsul_core.run.reader import RunReader
    from shamsul_core.run.result import RadiographResult


UNTRAINED = "Untrained network: its predictions and heatmaps mean nothing."


def banner(run: RunReader) -> str | None:
    """Return what a reader must know wherever this run's results show; ``None`` where there is nothing."""
    lines = [] if run.manifest.model["is_trained"] else [UNTRAINED]
    simulated = run.manifest.cohort.get("simulated")
    card = card_in_manifest(run.manifest.model)
    if card is not None and card.is_simulated and not simulated:
        lines.append(f"{NEVER_REAL} Its output for this one means nothing.")
    return " ".join([*lines, simulated] if simulated else lines) or None


def banner_of(run: RunReader, result: RadiographResult) -> str | None:
    """Return what a reader must know of one radiograph's results: the run's `banner`, and that it is unlike the training's."""
    return " ".join(filter(None, (novelty_in_words(result.novelty), banner(run)))) or None


def threshold_rule(settings: SegmentationSettings, pathology: str) -> str:
    """Return in a word what a pathology's masks are made with."""
    named = {name.rpartition("/")[2] for name in settings.thresholds or {}}
    return "Tuned" if pathology in named else "Otsu"
