"""What a reader judges, and under what circumstances."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shamsul_core.run import Manifest


@dataclass(frozen=True)
class Case:
    """What a reader judges: a pathology on a radiograph."""

    image_id: str
    pathology: str


def run_key(manifest: Manifest) -> str:
    """Return what answers on a run are stored under: the same wherever the run lies, another for other heatmaps."""
    identity = (
        manifest.model["fingerprint"],
        manifest.cohort["fingerprint"],
        manifest.preset,
        dict(manifest.methods),
    )
    return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What a reader had in sight when they answered.

    Parameters
    ----------
    model
        Fingerprint of the model whose prediction was judged.
    order
        The methods as their maps stood, the first is *Map A* of a blinded review; empty where no map was shown.
    is_blinded
        Whether the methods' names were hidden; ``None`` where no map was shown.
    """

    model: str
    order: tuple[str, ...] = ()
    is_blinded: bool | None = None
