from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shamsul_core.explain import Subject
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.kernelshap import KernelShap
from shamsul_core.explain.lime import Lime

pytestmark = pytest.mark.slow


def explained(method, subject, **sampling):
    settings = replace(method.presets["default"], sampling=AdaptiveSampling(**sampling))
    return method(settings).explain(subject, ["Edema", "Fracture"])


def test_stops_at_the_budget_and_says_that_it_did_not_converge(classifier, pixels):
    heatmaps = explained(
        KernelShap, Subject(classifier, pixels), first=208, step=32, budget=240, reliability=1.1
    )
    for heatmap in heatmaps.values():
        assert heatmap.evaluations == 240
        assert heatmap.converged is False
        assert (heatmap.standard_error > 0).all()


def test_stops_as_soon_as_all_are_good_enough(classifier, pixels):
    heatmaps = explained(Lime, Subject(classifier, pixels), first=200, step=40, budget=900, reliability=0.01)
    assert {heatmap.evaluations for heatmap in heatmaps.values()} == {200}
    assert all(heatmap.converged for heatmap in heatmaps.values())


def test_lime_and_shap_share_every_forward_pass(classifier, pixels):
    subject = Subject(classifier, pixels)
    explained(KernelShap, subject, first=208, step=32, budget=240, reliability=1.1)
    settings = Lime.presets["default"]
    stream = subject.stream(settings.superpixels, hide=settings.hide, seed=settings.seed)
    assert stream.evaluations == 240
    explained(Lime, subject, first=208, step=32, budget=240, reliability=1.1)
    assert stream.evaluations == 240


def test_more_passes_come_nearer_to_the_limit(classifier, pixels):
    subject = Subject(classifier, pixels)
    limit = explained(KernelShap, subject, first=3000, step=2, budget=3000)["Edema"].values
    few, more = (
        explained(KernelShap, subject, first=n, step=2, budget=n)["Edema"].values for n in (210, 900)
    )
    assert np.corrcoef(few, limit)[0, 1] < np.corrcoef(more, limit)[0, 1]
    assert np.corrcoef(more, limit)[0, 1] > 0.9
