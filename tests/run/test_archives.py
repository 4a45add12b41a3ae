"""Runs written by every version so far are read, with the values they were written with."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from shamsul_core.localisation.segmentation import SegmentationSettings
from shamsul_core.run import SCHEMA, SCORE_COLUMNS, Manifest, Run
from shamsul_core.run.wording import mixture_in_words

ARCHIVES = sorted((Path(__file__).parents[1] / "archives").glob("v*"))

DEMONSTRATION = Path(__file__).parents[2] / "assets" / "demo" / "run"


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


def test_the_demonstration_is_read():
    """A run of schema 1 as it lies in the repository; its values as they were written."""
    run = Run.open(DEMONSTRATION)
    assert run.manifest.schema == 1
    assert list(run.manifest.methods) == ["lime", "shap", "gradcam", "lrp"]
    assert run.manifest.methods["gradcam"] == {"title": "Grad-CAM", "settings": {"output": "logit"}}
    assert mixture_in_words(run.manifest) is None, "nothing wrong is said of a run that recorded less"
    assert len(run.explained_ids()) == 100
    first = run.read("patient60001_study1_view1_frontal")
    assert (first.size, first.failures, first.made_with) == ((729, 768), (), None)
    assert first.probabilities["Lung Opacity"] == pytest.approx(0.9973472356796265)
    assert [heatmap.pathology for heatmap in first.heatmaps[:5]] == [
        *("Lung Lesion", "Lung Opacity", "Consolidation", "Pleural Effusion", "Support Devices")
    ]
    lesion, effusion = first.heatmaps[0], first.heatmaps[3]
    assert (lesion.method, lesion.output, lesion.evaluations) == ("lime", "logit", 1300)
    assert lesion.values.shape == lesion.standard_error.shape == (47,)
    assert (lesion.converged, effusion.converged) == (True, False)
    assert float(lesion.values.sum()) == pytest.approx(3.984060764312744)
    assert lesion.relevance.shape == (224, 224)
    assert (len(run.predictions), len(run.scores), len(run.failures)) == (100, 4000, 0)
    assert run.scores["iou"].notna().sum() == 1061
    assert run.scores["iou"].mean() == pytest.approx(0.14597555788686564)
    assert run.segmentation["sign"] == "positive"
    for image_id in run.explained_ids():
        assert run.read_record(image_id).image_id == image_id


def test_what_hid_before_there_was_a_choice_is_the_mean_grey():
    """Runs from then say 0.0; a manifest of today says grey, and is of the same run."""

    def read(*hides):
        values = iter(hides)
        stored = (DEMONSTRATION / "manifest.json").read_text(encoding="utf-8")
        return Manifest.from_json(re.sub('"hide": [^,\\n]+', lambda _: f'"hide": {next(values)}', stored))

    before = read("0.0", "0.0")
    assert before.methods["lime"]["settings"]["hide"] == before.methods["shap"]["settings"]["hide"] == "grey"
    assert before.differences(read('"grey"', '"grey"')) == []
    assert before.differences(read('"blur"', '"grey"')) == ["settings of lime"]
