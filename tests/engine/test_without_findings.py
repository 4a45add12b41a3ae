"""What removing a finding does, with a network whose logits are known: the mean of the picture's left and right half."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.counterfactual import counterfactual_file
from shamsul_core.engine.plan import explain_cohort
from shamsul_core.engine.without_findings import COUNTERFACTUAL
from shamsul_core.vocabulary import OBSERVATIONS
from tests.engine.test_plan import make_plan
from tests.made import image_id, make_cohort, simulated

SIZE = (96, 96)
LEFT, RIGHT = "Edema", "Cardiomegaly"
STEEP = 40.0


class Halves(torch.nn.Module):
    """The mean of the left half, of the right one, and of nothing, times `STEEP`."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        grey = batch.mean(dim=1)
        half = grey.shape[-1] // 2
        means = {LEFT: grey[..., :half].mean(dim=(1, 2)), RIGHT: grey[..., half:].mean(dim=(1, 2))}
        return STEEP * torch.stack([means.get(name, torch.zeros(len(batch))) for name in OBSERVATIONS], dim=1)


@pytest.fixture
def classifier():
    return Classifier(Halves(), OBSERVATIONS, Preprocessing(size_px=64), "made", is_trained=True)


@pytest.fixture
def cohort_folder(tmp_path):
    """On the first radiograph Edema is 20 grey levels on the left half, and so is Cardiomegaly, where nobody looks for it."""
    folder = make_cohort(tmp_path / "cohort", pixels=np.full(SIZE, 100, np.uint8))
    difference = np.zeros(SIZE)
    difference[:, :48] = 20
    return simulated(folder, {(1, LEFT): difference, (1, RIGHT): difference})


def test_the_logit_falls_by_what_the_finding_adds_to_it(cohort_folder, tmp_path, classifier):
    """A network's input is the grey level over 255, less a mean, over a deviation: the difference over 255 and it."""
    plan = make_plan(
        cohort_folder, tmp_path / "run", classifier, methods=["gradcam"], pathologies=(LEFT, RIGHT)
    )
    explain_cohort(plan)
    removals = plan.run.read(image_id(1)).removals
    inverse = np.mean(1 / np.array(plan.classifier.preprocessing.std))
    assert removals[LEFT].change == pytest.approx(STEEP * 20 / 255 * inverse, rel=0.02)
    assert removals[LEFT].was_used
    assert removals[RIGHT].change == pytest.approx(0, abs=0.2)
    assert not removals[RIGHT].was_used
    assert not plan.run.read(image_id(2)).removals


def test_the_scores_say_it_beside_each_method(cohort_folder, tmp_path, classifier):
    plan = make_plan(cohort_folder, tmp_path / "run", classifier, methods=["gradcam"], pathologies=(LEFT,))
    explain_cohort(plan)
    removal = plan.run.read(image_id(1)).removals[LEFT]
    for row in plan.run.scores.itertuples():
        if row.image_id == image_id(1):
            assert row.logit_change == removal.change
            assert row.probability_without == removal.probability_without
        else:
            assert np.isnan(row.logit_change)


def test_a_radiograph_without_a_finding_that_cannot_be_read_is_named_and_the_rest_goes_on(
    cohort_folder, tmp_path, classifier
):
    counterfactual_file(cohort_folder, "val", image_id(1), LEFT).write_bytes(b"no picture")
    plan = make_plan(
        cohort_folder, tmp_path / "run", classifier, methods=["gradcam"], pathologies=(LEFT, RIGHT)
    )
    summary = explain_cohort(plan)
    assert summary.explained == 3
    failures = plan.run.failures
    (failure,) = failures[failures["method"] == COUNTERFACTUAL].itertuples()
    assert (failure.method, failure.pathology) == (COUNTERFACTUAL, LEFT)
    assert f"{LEFT}.png" in failure.error
    assert set(plan.run.read(image_id(1)).removals) == {RIGHT}


def test_the_cohort_of_a_patient_knows_no_radiograph_without(tmp_path, classifier):
    plan = make_plan(
        make_cohort(tmp_path / "cohort"),
        tmp_path / "run",
        classifier,
        methods=["gradcam"],
        pathologies=(LEFT,),
    )
    explain_cohort(plan)
    assert not any(plan.run.read(name).removals for name in plan.run.explained_ids())
    assert not open_cohort(tmp_path / "cohort").is_simulated
