"""Every method on every network, held against a library or an axiom: the table of docs/methods.md.

``python -m tests.explain.matrix`` writes it there. Networks have random weights and inputs as small as they take.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from unittest.mock import patch

import numpy as np
import pytorch_grad_cam
import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Occlusion, Saliency
from torch import nn

from shamsul_core.classifier.architectures import build
from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.explain import EXPLAINERS, Failure, Subject, explain_subject
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.rise import _SIDE, _masks
from shamsul_core.explain.smoothgrad import noise_of
from shamsul_core.explain.superpixels import SuperpixelSettings
from shamsul_core.version import ROOT
from tests.explain.games import by_definition
from tests.made import made_pixels

PAGE = ROOT / "docs" / "methods.md"
BEGIN, END = "<!-- made by python -m tests.explain.matrix -->\n", "<!-- end -->\n"
PATHOLOGIES = ("Edema", "Fracture", "Pneumonia", "Cardiomegaly")


def _tokens(activations):
    side = int(activations.shape[1] ** 0.5)
    return activations[:, 1:].transpose(1, 2).unflatten(2, (side, side))


NETWORKS = {
    "DenseNet-121": ("densenet121", 64, lambda network: network.relu, None),
    "ResNet-50": ("resnet50", 64, lambda network: network.layer4[-1], None),
    "ConvNeXt-T": ("convnext_tiny", 64, lambda network: network.features[-1], None),
    "EfficientNet-B0": ("efficientnet_b0", 64, lambda network: network.features[-1], None),
    "ViT-B/16": ("vit_b_16", 64, lambda network: network.encoder.layers[-1].ln_1, _tokens),
    # Its windows fill no grid of a smaller input
    "Swin-T": ("swin_t", 224, lambda network: network.norm, lambda maps: maps.permute(0, 3, 1, 2)),
}
"""Architecture, side of the input, and where pytorch-grad-cam's documentation looks, as maps."""

CAMS = {
    "gradcam": pytorch_grad_cam.GradCAM,
    "hirescam": pytorch_grad_cam.HiResCAM,
    "gradcampp": pytorch_grad_cam.GradCAMPlusPlus,
}

QUICK = {
    "lime": {"superpixels": SuperpixelSettings(count=4), "sampling": AdaptiveSampling()},
    "shap": {"superpixels": SuperpixelSettings(count=4), "sampling": AdaptiveSampling()},
    "ig": {"steps": 2},
    "smoothgrad": {"copies": 2},
    "occlusion": {"tiles": 2, "window": 1},
    "rise": {"sampling": 4},
}
"""Settings in which a method, exact as it is, takes few passes."""


def cells(name: str) -> dict[str, str]:
    """Return what each method answers to a network, after it was held against its reference."""
    architecture, size_px, layer, reshape = NETWORKS[name]
    torch.manual_seed(0)
    network = build(architecture, len(PATHOLOGIES), size_px=size_px).eval()
    with torch.no_grad():
        head = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
        head.weight.normal_(std=0.5)
    classifier = Classifier(network, PATHOLOGIES, Preprocessing(size_px=size_px), name, is_trained=False)
    # The references know no other precision
    classifier.__dict__["fast_dtype"] = torch.float32
    subject = Subject(classifier, made_pixels())
    answers = {}
    for method, kind in EXPLAINERS.items():
        # pytorch-grad-cam adds 1e-6 to squares of gradients, which must be nothing beside them
        factor = 10_000 if method == "gradcampp" else 1
        head.weight.data *= factor
        explainer = kind(replace(kind.presets["default"], **QUICK.get(method, {})))
        outcome = explain_subject(explainer, subject, ["Fracture"])[0]
        if isinstance(outcome, Failure):
            answers[method] = f"refused: {outcome.reason}"
        elif method in CAMS:
            # Of one pathology alone Grad-CAM may be zero everywhere
            ours = [one.values for one in explain_subject(explainer, subject, PATHOLOGIES)]
            expected = _of_pytorch_grad_cam(CAMS[method], network, layer(network), reshape, subject.inputs)
            if method != "hirescam":
                expected = np.maximum(expected, 0)
            answers[method] = _equal(np.stack(ours), expected, "pytorch-grad-cam")
        else:
            answers[method] = REFERENCES[method](subject, outcome, explainer.settings)
        head.weight.data /= factor
    return answers


def _equal(ours, expected, whose: str) -> str:
    expected = np.asarray(expected)
    assert expected.std() > 0
    np.testing.assert_allclose(ours, expected, rtol=0, atol=5e-3 * np.abs(expected).max())
    return f"= {whose}"


def _of_pytorch_grad_cam(kind, network, layer, reshape, inputs):
    """Return what it has before its ReLU and scaling, of every output."""
    maps = []
    for column in range(len(PATHOLOGIES)):
        with kind(network, [layer], reshape) as cam:
            kept = cam.activations_and_grads
            kept(inputs.clone().requires_grad_())[0, column].backward()
            features, gradients = (one[0].detach().numpy() for one in (kept.activations, kept.gradients))
            maps.append(cam.get_cam_image(inputs, None, None, features, gradients, eigen_smooth=False)[0])
    return np.stack(maps)


def _integrated(subject, outcome, settings):
    theirs = IntegratedGradients(subject.classifier.network).attribute(
        subject.inputs, target=1, n_steps=settings.steps
    )
    return _equal(outcome.values, theirs[0].sum(dim=0).detach(), "captum")


def _smoothed(subject, outcome, settings):
    inputs = subject.inputs
    noise = noise_of(inputs, settings)
    deviation = float(settings.noise * (inputs.max() - inputs.min()))
    with patch.object(torch, "normal", lambda mean, std: mean + std * noise.view(std.shape)):
        theirs = NoiseTunnel(Saliency(subject.classifier.network)).attribute(
            inputs, nt_type="smoothgrad", nt_samples=settings.copies, stdevs=deviation, target=1, abs=False
        )
    return _equal(outcome.values, (theirs * inputs)[0].sum(dim=0).detach(), "captum")


def _occluded(subject, outcome, settings):
    px = subject.inputs.shape[-1] // settings.tiles
    with torch.no_grad():
        theirs = Occlusion(subject.classifier.network).attribute(
            subject.inputs, (3, px, px), strides=(3, px, px), target=1
        )
    return _equal(outcome.values, theirs[0, 0, ::px, ::px], "captum")


def _randomly_masked(subject, outcome, settings):
    drawn = _masks(subject.inputs.shape[-1], settings)
    masks = torch.from_numpy(np.stack([next(drawn) for _ in range(settings.sampling)]))
    logits = subject.classifier.logits(subject.inputs * masks[:, None])[:, 1]
    places = nn.functional.adaptive_avg_pool2d(masks, _SIDE)
    estimate = torch.einsum("n,nhw->hw", logits, places - places.mean(dim=0)) / (
        settings.shown * settings.sampling
    )
    return _equal(outcome.values, estimate, "equation 6, by hand")


def _answer(subject, settings):
    masked = subject.masked(settings.superpixels, hide=settings.hide, seed=settings.seed)
    known = {}

    def answer(coalition):
        key = tuple(np.asarray(coalition) != 0)
        if key not in known:
            known[key] = masked(np.array([key]))[0, 1]
        return known[key]

    return answer, masked.count


def _shapley(subject, outcome, settings):
    answer, count = _answer(subject, settings)
    return _equal(outcome.values, by_definition(answer, count), "definition, all coalitions")


def _surrogate(subject, outcome, settings):
    answer, count = _answer(subject, settings)
    coalitions = np.array(list(product([0, 1], repeat=count)))
    distance = 1 - np.sqrt(coalitions.mean(axis=1))
    root = np.sqrt(np.exp(-0.5 * (distance / settings.kernel_width) ** 2))
    design = np.column_stack([np.ones(len(coalitions)), coalitions]) * root[:, None]
    answers = np.array([answer(one) for one in coalitions]) * root
    return _equal(outcome.values, np.linalg.lstsq(design, answers)[0][1:], "least squares, all coalitions")


def _propagated(_subject, _outcome, _settings):
    return "works"


def _shares(_subject, outcome, _settings):
    assert outcome.values.min() > 0
    assert outcome.values.sum() <= 1 + 1e-4
    return "shares of 1"


def _relevancies(_subject, outcome, _settings):
    assert outcome.values.min() >= -1e-4 * outcome.values.max()
    assert outcome.values.std() > 0
    return "never negative"


REFERENCES = {
    "lime": _surrogate,
    "shap": _shapley,
    "lrp": _propagated,
    "ig": _integrated,
    "smoothgrad": _smoothed,
    "occlusion": _occluded,
    "rise": _randomly_masked,
    "rollout": _shares,
    "relevancy": _relevancies,
}


def as_markdown(matrix: dict[str, dict[str, str]]) -> str:
    """Return the table, and why what is refused is refused."""
    lines = [f"| | {' | '.join(matrix)} |", "|---|" + "---|" * len(matrix)]
    reasons = {}
    for method, kind in EXPLAINERS.items():
        row = [matrix[network][method] for network in matrix]
        for answer in row:
            if answer.startswith("refused"):
                reasons.setdefault(answer.removeprefix("refused: "), None)
        shown = ["refused" if answer.startswith("refused") else answer for answer in row]
        lines.append(f"| {kind.title} | {' | '.join(shown)} |")
    return (
        "\n".join(
            [*lines, "", "Refused, in the words of the run:", "", *(f"- {reason}" for reason in reasons)]
        )
        + "\n"
    )


def write(matrix: dict[str, dict[str, str]]) -> None:
    """Write the table into the page of the documentation."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + as_markdown(matrix) + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    write({name: cells(name) for name in NETWORKS})
