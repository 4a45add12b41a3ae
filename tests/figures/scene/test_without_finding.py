"""The picture without a finding, and what is said of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.overlay import decode_scene, encode_scene
from shamsul_core.reviews.blinding import alone, blinded
from shamsul_core.run.removal import Removal
from tests.made import TITLES, image_id, make_cohort, make_run, simulated

ADDED = 60


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Edema of the first radiograph brightens a square and was used; of the second it was not."""
    folder = tmp_path_factory.mktemp("without")
    square = np.zeros((120, 100))
    square[20:60, 30:70] = ADDED
    flat = np.full((120, 100), 120, np.uint8)
    cohort = simulated(
        make_cohort(folder / "cohort", pixels=flat), {(1, "Edema"): square, (2, "Edema"): square}
    )
    removals = {(1, "Edema"): Removal(2.0, -2.0), (2, "Edema"): Removal(2.0, 1.9)}
    return make_run(folder / "run", cohort, removals=removals)


def scene_of(run, number, pathology="Edema"):
    return comparison_scene(
        run, open_cohort(run.cohort_folder), image_id(number), pathology, run.scores, longest_px=None
    )


def test_the_picture_is_the_radiograph_less_the_finding(run):
    sent = decode_scene(encode_scene(scene_of(run, 1)))
    with_it, without = (
        cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        for jpeg in (sent["radiograph"]["jpeg"], sent["without"]["jpeg"])
    )
    assert with_it.shape == without.shape
    difference = with_it.astype(int) - without
    assert difference[24:56, 34:66].mean() == pytest.approx(ADDED, abs=2)
    assert abs(difference[70:]).mean() < 2
    assert sent["without"]["caption"] == "Without Edema: probability 0.12"


def test_the_outline_is_around_what_changed(run):
    (outline,) = scene_of(run, 1).without.changed
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    assert (left, top, right, bottom) == pytest.approx((30, 20, 69, 59), abs=2)


def test_a_finding_that_was_used_is_told_in_probabilities(run):
    scene = scene_of(run, 1)
    (fact,) = [fact for fact in scene.facts if fact.name == "Without the finding"]
    assert fact.value == "0.88 → 0.12"
    assert not any(panel.note and "rest on" in panel.note for panel in scene.panels)


def test_beside_each_score_stands_that_the_finding_was_not_used(run):
    scene = scene_of(run, 2)
    (fact,) = [fact for fact in scene.facts if fact.name == "Without the finding"]
    assert fact.value == "0.88 → 0.87, not used by the model"
    for panel in scene.panels:
        if panel.key in TITLES:
            assert "The prediction does not rest on this finding: 0.88 with it, 0.87 without." in panel.note


def test_where_it_is_not_known_there_is_nothing_to_flick_to(run):
    assert scene_of(run, 1, "Cardiomegaly").without is None
    assert scene_of(run, 3).without is None


@pytest.mark.parametrize("seen", [alone, lambda scene: blinded(scene, list(TITLES))])
def test_a_blinded_reader_is_not_sent_it(run, seen):
    sent = decode_scene(encode_scene(seen(scene_of(run, 1))))
    assert sent["without"] is None
    assert "Without" not in str(sent)
