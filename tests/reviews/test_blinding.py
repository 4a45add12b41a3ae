"""What a reader's browser is sent before the maps, and without the methods' names."""

from __future__ import annotations

import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.overlay import decode_scene, encode_scene
from shamsul_core.reviews.blinding import alone, blinded
from tests.made import TITLES, image_id


@pytest.fixture(scope="module")
def scene(made_run):
    cohort = open_cohort(made_run.cohort_folder)
    return comparison_scene(made_run, cohort, image_id(2), "Edema", made_run.scores)


def test_before_the_maps_the_radiograph_is_all_there_is(scene):
    whole, sent = (decode_scene(encode_scene(one)) for one in (scene, alone(scene)))
    assert len(whole["panels"]) == 5
    assert whole["expert_outlines"]["counts"]
    assert whole["facts"]
    assert sent["radiograph"] == whole["radiograph"]
    assert (sent["image_id"], sent["pathology"]) == (image_id(2), "Edema")
    (panel,) = sent["panels"]
    assert panel["key"] == "expert"
    for nothing in ("map", "levels", "note", "metrics"):
        assert not panel[nothing], nothing
    assert not panel["outlines"]["counts"]
    assert not sent["expert_outlines"]["counts"]
    for nothing in ("facts", "grid", "agreements"):
        assert not sent[nothing], nothing
    # the radiograph's own bytes, the colours and a few words
    size = len(scene.radiograph.jpeg)
    assert len(encode_scene(alone(scene))) < size + 10_000 < len(encode_scene(scene)) - 100_000


def test_a_blinded_scene_names_no_method_and_no_score(scene):
    sent = str(decode_scene(encode_scene(blinded(scene, ["lrp", "lime", "shap", "gradcam"])))).lower()
    for told in (*TITLES, *TITLES.values(), "iou'", "hit"):
        assert told.lower() not in sent, told
