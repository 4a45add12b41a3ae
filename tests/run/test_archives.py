"""Runs written by every version so far are read, with the values they were written with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shamsul_core.run import SCHEMA, SCORE_COLUMNS, Run
from shamsul_core.segmentation import SegmentationSettings

ARCHIVES = sorted((Path(__file__).parents[1] / "archives").glob("v*"))


def test_todays_format_is_kept():
    assert f"v{SCHEMA}" in {folder.name for folder in ARCHIVES}


@pytest.mark.parametrize("folder", ARCHIVES, ids=lambda folder: folder.name)
def test_is_read(folder):
    run = Run.open(folder)
    assert run.manifest.methods["lime"]["title"] == "LIME"
    result = run.read("a")
    assert (result.size, result.probabilities, result.failures) == (
        (8, 8),
        {"Edema": 0.75},
        (("shap", "Edema", "why"),),
    )
    lime, lrp = (run.heatmap("a", method, "Edema") for method in ("lime", "lrp"))
    assert lime.values.tolist() == [0.5, -0.25, 0, 1]
    assert lime.relevance[0].tolist() == [0.5] * 4 + [-0.25] * 4
    assert lime.standard_error.tolist() == [0.125] * 4
    assert (lime.converged, lime.evaluations, lime.output) == (True, 10, "logit")
    np.testing.assert_allclose(lrp.values, np.linspace(-1, 1, 6400).reshape(80, 80), atol=2**-11)
    assert run.scores["iou"].tolist() == [0.5]
    assert list(run.scores) == list(SCORE_COLUMNS)
    assert run.predictions["Edema"].tolist() == [0.75]
    assert run.failures["error"].tolist() == ["why"]
    assert SegmentationSettings.from_json(run.segmentation).sign == "positive"
