"""Seconds of each method: the libraries as the paper's public code uses them, and ours, on the same radiographs.

``python -m benchmarks.explain --cohort COHORT --model MODEL`` times, one radiograph after another, ten pathologies each:

- lime: `LimeImageExplainer` with quickshift, 1,000 samples, batches of 10,
- shap: `KernelExplainer` over slic's superpixels, 1,000 samples, masks filled in a Python loop, batches of 32,
- captum: `LayerGradCam` and `LRP`, pathology by pathology,

all in float32, against the presets ``paper`` (the same algorithms) and ``default``. Then every further method with its library
in the same settings, pathology by pathology (pytorch-grad-cam's HiResCAM and Grad-CAM++, captum's Integrated Gradients,
NoiseTunnel and Occlusion; RISE and both methods of attention have none), on the first model, whatever it is. For each
``--model``, which may be repeated, it then measures how much of the processor's matrix product masked forward passes reach, see `masked`; methods
are timed with the first, where it is a DenseNet-121. With ``--keep FOLDER`` its fidelity follows, see `fidelity`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path  # noqa: TC003 (typer reads it)
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pytorch_grad_cam
import shap
import torch
import typer
from captum.attr import LRP, IntegratedGradients, LayerGradCam, NoiseTunnel, Occlusion, Saliency
from captum.attr._utils.lrp_rules import EpsilonRule
from lime.lime_image import LimeImageExplainer
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from skimage.segmentation import slic
from torch import nn

from benchmarks import fidelity
from benchmarks.masked import seconds, throughput
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.classifier.weights import load_classifier
from shamsul_core.cohort import open_cohort
from shamsul_core.explain import EXPLAINERS, PRESETS, Failure, Subject, explain_subject, make_explainers
from shamsul_core.explain.gradcam import GradCam
from shamsul_core.explain.kernelshap import KernelShap
from shamsul_core.explain.lime import Lime
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation
from shamsul_core.memory import keep_freed_memory
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.cohort.radiograph import Radiograph
    from shamsul_core.heatmap import Heatmap


def main(
    cohort: Annotated[Path, typer.Option()],
    model: Annotated[list[str], typer.Option(help="May be repeated.")],
    radiographs: int = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Folder for references: measure the fidelity too.")
    ] = None,
) -> None:
    """Print the seconds, the ratios and, where asked for, the fidelity."""
    chosen = list(open_cohort(cohort).radiographs.values())[:radiographs]
    if isinstance(load_classifier(model[0]).network, DenseNet121):
        print_methods(model[0], chosen)
    keep_freed_memory()
    print_further(model[0], chosen)
    for name in model:
        print(f"{name}: {throughput(load_classifier(name))}")
    if keep is not None:
        fidelity.main(cohort, model[0], keep)


def print_methods(model: str, chosen: list[Radiograph]) -> None:
    """Print the seconds of each method, the libraries' and ours."""
    libraries = {name: [] for name in LIBRARIES}
    # Before memory is kept: the libraries run as they are used
    for radiograph in chosen:
        subject = Subject(load_classifier(model), radiograph.pixels())
        for name, run in LIBRARIES.items():
            libraries[name].append(seconds(lambda run=run, subject=subject: run(subject)))
    keep_freed_memory()
    classifier = load_classifier(model)
    ours = {preset: {name: [] for name in LIBRARIES} for preset in ("paper", "default")}
    for radiograph in chosen:
        pixels = radiograph.pixels()
        for preset in ours:
            subject = Subject(classifier, pixels)
            for explainer in make_explainers(preset):
                ours[preset][explainer.name].append(
                    seconds(
                        lambda one=explainer, subject=subject: explain_subject(
                            one, subject, LOCALISED_PATHOLOGIES
                        )
                    )
                )
    print(f"seconds a radiograph, {len(chosen)} radiographs, {len(LOCALISED_PATHOLOGIES)} pathologies")
    print("method    library    paper  times as fast   default  times as fast")
    for names in [*([name] for name in LIBRARIES), list(LIBRARIES)]:
        theirs, paper, default = (
            sum(np.mean(measured[name]) for name in names)
            for measured in (libraries, ours["paper"], ours["default"])
        )
        label = names[0] if len(names) == 1 else "all four"
        shared = names == [KernelShap.name] and default < 0.1
        ratio = "shared with lime" if shared else f"{default:7.2f}  {theirs / default:13.1f}"
        print(f"{label:9} {theirs:7.2f}  {paper:7.2f}  {theirs / paper:13.1f}   {ratio}")
    print(
        "with default, SHAP uses LIME's forward passes again and draws further ones only where it needs them"
    )


def print_further(model: str, chosen: list[Radiograph]) -> None:
    """Print the seconds and passes of each method beyond the four, and its library's seconds in the same settings."""
    classifier = load_classifier(model)
    names = [name for name in LOCALISED_PATHOLOGIES if name in classifier.pathologies]
    print(f"\n{model}: seconds a radiograph, {len(chosen)} radiographs, {len(names)} pathologies")
    print("method                 library     ours  times as fast   passes")
    for explainer in make_explainers("all", [name for name in EXPLAINERS if name not in PRESETS["default"]]):
        subjects = [Subject(classifier, radiograph.pixels()) for radiograph in chosen]
        outcomes: list[Heatmap | Failure] = []
        ours = [
            seconds(
                lambda one=explainer, subject=subject, kept=outcomes: kept.extend(
                    explain_subject(one, subject, names)
                )
            )
            for subject in subjects
        ]
        library = FURTHER_LIBRARIES.get(explainer.name)
        theirs = [
            seconds(lambda run=library, one=explainer, subject=subject: run(subject, one.settings, names))
            for subject in subjects
            if library is not None
        ]
        first = outcomes[0]
        if isinstance(first, Failure):
            print(f"{explainer.title:22} refused: {first.reason}")
            continue
        beside = f"{np.mean(theirs):8.2f}" if theirs else "    none"
        ratio = f"{np.mean(theirs) / np.mean(ours):15.1f}" if theirs else " " * 15
        print(f"{explainer.title:22}{beside} {np.mean(ours):8.2f}{ratio} {first.evaluations or 1:8}")


def run_lime(subject: Subject) -> None:
    """As ``lime_image`` is used: all pathologies from the same samples."""
    image = subject.inputs[0].permute(1, 2, 0).double().numpy()
    columns = [subject.classifier.output_index(name) for name in LOCALISED_PATHOLOGIES]
    LimeImageExplainer(random_state=0).explain_instance(
        image,
        _probabilities(subject.classifier),
        labels=columns,
        top_labels=None,
        hide_color=0,
        num_samples=1000,
    )


def run_shap(subject: Subject) -> None:
    """As ``KernelExplainer`` is used, masks filled in a Python loop."""
    image = subject.inputs[0].permute(1, 2, 0).double().numpy()
    superpixels = slic(image, n_segments=50, compactness=30, sigma=3, start_label=0, channel_axis=-1)
    count = int(superpixels.max()) + 1
    predict = _probabilities(subject.classifier)
    columns = [subject.classifier.output_index(name) for name in LOCALISED_PATHOLOGIES]

    def evaluate(coalitions: np.ndarray) -> np.ndarray:
        images = np.stack([image] * len(coalitions))
        for index, coalition in enumerate(coalitions):
            for superpixel in range(count):
                if coalition[superpixel] == 0:
                    images[index][superpixels == superpixel] = 0
        batches = [predict(images[start : start + 32]) for start in range(0, len(images), 32)]
        return np.concatenate(batches)[:, columns]

    explainer = shap.KernelExplainer(evaluate, np.zeros((1, count)))
    explainer.shap_values(np.ones((1, count)), nsamples=1000, l1_reg="num_features(10)", silent=True)


def run_gradcam(subject: Subject) -> None:
    """As captum's is used."""
    network = subject.classifier.network
    for name in LOCALISED_PATHOLOGIES:
        batch = subject.inputs.detach().clone().requires_grad_()
        LayerGradCam(network, network.relu).attribute(batch, target=subject.classifier.output_index(name))


def run_lrp(subject: Subject) -> None:
    """As captum's is used, by the epsilon rule."""
    network = subject.classifier.network
    for name in LOCALISED_PATHOLOGIES:
        for layer in network.modules():
            if isinstance(
                layer,
                nn.Conv2d | nn.BatchNorm2d | nn.Linear | nn.AvgPool2d | nn.AdaptiveAvgPool2d | nn.MaxPool2d,
            ):
                layer.__dict__["rule"] = EpsilonRule(1e-9)
        batch = subject.inputs.detach().clone().requires_grad_()
        LRP(network).attribute(batch, target=subject.classifier.output_index(name))


LIBRARIES: dict[str, Callable[[Subject], None]] = {
    Lime.name: run_lime,
    KernelShap.name: run_shap,
    GradCam.name: run_gradcam,
    LayerwiseRelevancePropagation.name: run_lrp,
}


def run_cam(kind: type[pytorch_grad_cam.GradCAM]) -> FurtherRun:
    """As pytorch-grad-cam is used on DenseNet-121, at its last feature maps."""

    def run(subject: Subject, _settings: Any, names: Sequence[str]) -> None:
        network = subject.classifier.network
        with kind(network, [network.relu]) as cam:
            for name in names:
                cam(subject.inputs, [ClassifierOutputTarget(subject.classifier.output_index(name))])

    return run


def run_integrated(subject: Subject, settings: Any, names: Sequence[str]) -> None:
    """As captum's is used, four steps at once."""
    for name in names:
        IntegratedGradients(subject.classifier.network).attribute(
            subject.inputs,
            target=subject.classifier.output_index(name),
            n_steps=settings.steps,
            internal_batch_size=4,
        )


def run_smoothed(subject: Subject, settings: Any, names: Sequence[str]) -> None:
    """As captum's NoiseTunnel is used around gradients, four copies at once."""
    for name in names:
        NoiseTunnel(Saliency(subject.classifier.network)).attribute(
            subject.inputs,
            nt_samples=settings.copies,
            nt_samples_batch_size=4,
            target=subject.classifier.output_index(name),
            abs=False,
        )


def run_occlusion(subject: Subject, settings: Any, names: Sequence[str]) -> None:
    """As captum's is used, 32 windows at once."""
    px = subject.inputs.shape[-1] // settings.tiles
    for name in names:
        Occlusion(subject.classifier.network).attribute(
            subject.inputs,
            (3, settings.window * px, settings.window * px),
            strides=(3, px, px),
            target=subject.classifier.output_index(name),
            perturbations_per_eval=32,
        )


FurtherRun = Callable[[Subject, Any, "Sequence[str]"], None]

FURTHER_LIBRARIES: dict[str, FurtherRun] = {
    "hirescam": run_cam(pytorch_grad_cam.HiResCAM),
    "gradcampp": run_cam(pytorch_grad_cam.GradCAMPlusPlus),
    "ig": run_integrated,
    "smoothgrad": run_smoothed,
    "occlusion": run_occlusion,
}


def _probabilities(classifier: Classifier) -> Callable[[np.ndarray], np.ndarray]:
    def predict(images: np.ndarray) -> np.ndarray:
        batch = torch.from_numpy(np.asarray(images)).permute(0, 3, 1, 2).float().contiguous()
        return torch.sigmoid(classifier.logits(batch)).double().numpy()

    return predict


if __name__ == "__main__":
    typer.run(main)
