"""Writes a small run in today's format: ``python -m tests.archives.make tests/archives/v<schema>``.

Kept for ever and read by `tests/run/test_archives.py`; make a new one when the format's version rises.
"""

import sys
from pathlib import Path

import numpy as np

from shamsul_core.heatmap import Heatmap
from shamsul_core.run import SCORE_COLUMNS, Manifest, RadiographResult, Run


def write(folder: Path) -> None:
    manifest = Manifest(
        model={
            "source": "m",
            "fingerprint": "abc",
            "is_trained": True,
            "pathologies": ["Edema"],
            "precision": "float32",
        },
        cohort={"path": "../cohort", "name": "c", "split": "val", "fingerprint": "def", "simulated": None},
        methods={
            "lime": {"title": "LIME", "settings": {"samples": 10}},
            "lrp": {"title": "LRP", "settings": {}},
        },
        pathologies=("Edema",),
        preset="default",
        created="2026-01-01T00:00:00+00:00",
        versions={"python": "3.11"},
    )
    run = Run.create_or_resume(folder, manifest)
    superpixels = np.add.outer(np.arange(8) // 4 * 2, np.arange(8) // 4)
    lime = Heatmap(
        method="lime",
        pathology="Edema",
        output="logit",
        values=np.array([0.5, -0.25, 0, 1], np.float32),
        superpixels=superpixels,
        standard_error=np.full(4, 0.125, np.float32),
        converged=True,
        evaluations=10,
    )
    ramp = np.linspace(-1, 1, 80 * 80, dtype=np.float32).reshape(80, 80)
    lrp = Heatmap(method="lrp", pathology="Edema", output="logit", values=ramp)
    run.write(RadiographResult("a", (8, 8), {"Edema": 0.75}, (lime, lrp), (("shap", "Edema", "why"),)))
    run.write_predictions()
    row = dict.fromkeys(SCORE_COLUMNS) | {"image_id": "a", "pathology": "Edema", "method": "lime", "iou": 0.5}
    run.write_scores(
        [row], {"sign": "positive", "thresholds": None, "probability_cutoffs": None, "smoothing": 0}
    )
    run.write_failures(
        [{"image_id": "a", "step": "explain", "method": "shap", "pathology": "Edema", "error": "why"}]
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
