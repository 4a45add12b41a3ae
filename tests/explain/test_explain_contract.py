"""What holds for every method in the registry; a further one is tested here without a new test."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict

import numpy as np
import pytest
import torch

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.explain import (
    EXPLAINERS,
    PRESETS,
    Failure,
    Subject,
    explain_subject,
    make_explainers,
)
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.heatmap import Heatmap
from shamsul_core.interchange.importing.heatmap_folder import _TITLES
from shamsul_core.version import ROOT
from tests.explain.networks import PATHOLOGIES, classifier_of, small_transformer

pytestmark = pytest.mark.slow

OF_TRANSFORMERS = ("relevancy", "rollout")
BY_GRADIENTS = ("lrp", "hirescam", "gradcampp", "ig", "smoothgrad")


def quick(name, preset="default"):
    settings = EXPLAINERS[name].presets[preset]
    if hasattr(settings, "sampling"):
        few = 80 if preset == "paper" else AdaptiveSampling(first=120, budget=160)
        settings = dataclasses.replace(settings, sampling=few)
    few = {name: 3 for name in ("steps", "copies") if hasattr(settings, name)}
    return EXPLAINERS[name](dataclasses.replace(settings, **few))


@pytest.fixture(
    params=[(name, preset) for name, kind in EXPLAINERS.items() for preset in kind.presets], ids="-".join
)
def explainer(request):
    return quick(*request.param)


@pytest.fixture
def classifier(explainer, classifier):
    """A network that the method explains."""
    return classifier_of(small_transformer(), 32) if explainer.name in OF_TRANSFORMERS else classifier


def test_heatmaps_are_finite_signed_maps_of_the_asked_pathologies(explainer, classifier, pixels):
    heatmaps = explain_subject(explainer, Subject(classifier, pixels), PATHOLOGIES)
    assert [one.pathology for one in heatmaps] == list(PATHOLOGIES)
    for one in heatmaps:
        assert isinstance(one, Heatmap)
        assert one.method == explainer.name
        assert one.relevance.dtype == np.float32
        assert one.relevance.ndim == 2
        assert np.isfinite(one.relevance).all()
        assert one.relevance.std() > 0


def test_the_same_input_gives_the_same_heatmap(explainer, classifier, pixels):
    first = explain_subject(explainer, Subject(classifier, pixels), PATHOLOGIES)
    np.random.random(3)  # noqa: NPY002 - another user of the global generator must not matter
    torch.rand(3)
    second = explain_subject(explainer, Subject(classifier, pixels.copy()), PATHOLOGIES)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.relevance, other.relevance)


def test_one_pathology_alone_is_as_among_others(explainer, classifier, pixels):
    together = explain_subject(explainer, Subject(classifier, pixels), PATHOLOGIES)[1]
    (alone,) = explain_subject(explainer, Subject(classifier, pixels), PATHOLOGIES[1:2])
    largest = np.abs(together.relevance).max()
    np.testing.assert_allclose(alone.relevance, together.relevance, atol=1e-5 * largest)


def test_nothing_is_changed(explainer, classifier, pixels):
    before = {name: value.clone() for name, value in classifier.network.state_dict().items()}
    attributes = {module: set(vars(module)) for module in classifier.network.modules()}
    input_before = pixels.copy()
    generator = np.random.get_state()[1].copy()  # noqa: NPY002
    explain_subject(explainer, Subject(classifier, pixels), PATHOLOGIES)
    np.testing.assert_array_equal(pixels, input_before)
    np.testing.assert_array_equal(np.random.get_state()[1], generator)  # noqa: NPY002
    assert all(torch.equal(value, before[name]) for name, value in classifier.network.state_dict().items())
    for module, names in attributes.items():
        assert set(vars(module)) == names
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks


def test_a_pathology_the_network_has_no_output_for_is_a_failure_that_takes_no_other_with_it(
    explainer, classifier, pixels
):
    asked = ("Edema", "Broken Heart")
    works, fails = explain_subject(explainer, Subject(classifier, pixels), asked)
    assert isinstance(works, Heatmap)
    absent = f"the classifier {classifier.source} has no output for it"
    assert fails == Failure(explainer.name, "Broken Heart", absent)


def test_relevance_that_is_not_finite_is_a_failure_of_that_pathology_only(explainer, pixels):
    if explainer.name in OF_TRANSFORMERS:
        pytest.skip("attention is finite, whatever the head")
    torch.manual_seed(0)
    network = DenseNet121(2)
    network.classifier.weight.data[0] = torch.nan
    broken = Classifier(
        network, ("Edema", "Cardiomegaly"), Preprocessing(size_px=64), "broken", is_trained=True
    )
    fails, works = explain_subject(explainer, Subject(broken, pixels), ("Edema", "Cardiomegaly"))
    assert isinstance(fails, Failure)
    assert "not finite" in fails.reason or "NaN" in fails.reason
    # A backward pass multiplies the other output's weights by 0, which leaves NaN: a failure too, never an empty map
    assert isinstance(works, Failure if explainer.name in BY_GRADIENTS else Heatmap)


def test_a_blank_image_never_gives_a_traceback(explainer, classifier):
    for outcome in explain_subject(explainer, Subject(classifier, np.zeros((50, 60), np.uint8)), PATHOLOGIES):
        assert isinstance(outcome, Heatmap) or outcome.reason


def test_settings_are_plain_data(explainer):
    assert all(
        isinstance(value, str | int | float | dict | None) for value in asdict(explainer.settings).values()
    )


def test_presets_and_methods_are_checked_by_name():
    assert [one.name for one in make_explainers("paper", ["lrp", "lime"])] == ["lime", "lrp"]
    four = ["lime", "shap", "gradcam", "lrp"]
    for preset in ("paper", "default"):
        assert [one.name for one in make_explainers(preset)] == four
        assert all(one.settings == one.presets[preset] for one in make_explainers(preset))
    everyone = make_explainers("all")
    assert [one.name for one in everyone] == list(EXPLAINERS) == list(PRESETS["all"])
    assert all(one.settings == one.presets["default"] for one in everyone)
    (alone,) = make_explainers("paper", ["ig"])
    assert alone.settings == EXPLAINERS["ig"].presets["default"]
    with pytest.raises(ValueError, match="unknown method or preset 'fast'"):
        make_explainers("fast")
    with pytest.raises(ValueError, match=r"unknown method or preset \['magic'\]"):
        make_explainers("paper", ["magic"])


def test_what_hides_is_a_setting_of_every_method_that_hides():
    made = {one.name: one.settings for one in make_explainers("all", hide="blur")}
    assert {name for name, settings in made.items() if getattr(settings, "hide", None) == "blur"} == {
        "lime",
        "shap",
        "occlusion",
    }
    with pytest.raises(ValueError, match="nothing can be hidden behind 'black'; there are grey, blur"):
        make_explainers(hide="black")


def test_the_page_methods_describes_each_method_and_its_limits():
    for name in EXPLAINERS:
        works, limits = (ROOT / "dashboard" / "texts" / f"{name}{part}.md" for part in ("", "-limits"))
        assert works.read_text(encoding="utf-8").startswith("**Asks: ")
        assert limits.read_text(encoding="utf-8").startswith("- ")


def test_maps_that_come_back_from_an_export_have_the_methods_titles():
    assert {name: kind.title for name, kind in EXPLAINERS.items()} == _TITLES
