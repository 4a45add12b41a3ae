"""How much of the processor's matrix product masked forward passes reach.

``python -m benchmarks.masked`` measures networks of random weights, ``library:name`` each (torchvision, timm,
transformers); ``--model`` names others. Multiplications and additions are counted as torch counts them, two for each
multiply-add, and the product is one of 2048³ in the same precision, measured in turns with the passes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import numpy as np
import timm
import torch
import transformers
import typer
from torch.utils.flop_counter import FlopCounterMode

from shamsul_core.classifier.architectures import build
from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.huggingface import LogitsOnly
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.explain.masked import MaskedEvaluation
from shamsul_core.memory import keep_freed_memory
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORKS = (
    "torchvision:densenet121",
    "torchvision:resnet50",
    "torchvision:convnext_tiny",
    "torchvision:vit_b_16",
    "timm:resnet50",
    "timm:convnext_tiny",
    "timm:vit_base_patch16_224",
    "transformers:resnet",
    "transformers:convnext",
    "transformers:vit",
)
"""ResNet-50, ConvNeXt-T and ViT-B/16 of three libraries; transformers' defaults are these sizes."""

_PRODUCT_SIZE = 2048
_SIDE = 7  # of the grid of superpixels
_PASSES, _TURNS = 32, 5


def main(
    model: Annotated[list[str] | None, typer.Option(help="library:name; may be repeated")] = None,
) -> None:
    """Print a line for each network."""
    keep_freed_memory()
    for name in model or NETWORKS:
        print(f"{name:28} {throughput(untrained(name))}", flush=True)


def untrained(name: str) -> Classifier:
    """Return a classifier with random weights of a network ``library:name``."""
    library, _, kind = name.partition(":")
    outputs = len(OBSERVATIONS)
    torch.manual_seed(0)
    if library == "transformers":
        config = transformers.AutoConfig.for_model(kind, num_labels=outputs)
        network = LogitsOnly(transformers.AutoModelForImageClassification.from_config(config))
    elif library == "timm":
        network = timm.create_model(kind, num_classes=outputs)
    else:
        network = build(kind, outputs)
    return Classifier(network, OBSERVATIONS, Preprocessing(), name, is_trained=False)


def throughput(classifier: Classifier) -> str:
    """Return masked forward passes a second beside the matrix product of the same precision, in words."""
    size_px, channels = classifier.preprocessing.size_px, classifier.preprocessing.channels
    inputs = torch.randn(1, channels, size_px, size_px)
    place = np.arange(size_px) * _SIDE // size_px
    masked = MaskedEvaluation(classifier, inputs, place[:, None] * _SIDE + place, torch.zeros_like(inputs))
    coalitions = np.random.default_rng(0).integers(0, 2, (_PASSES, masked.count))
    matrix = torch.randn(_PRODUCT_SIZE, _PRODUCT_SIZE).to(classifier.fast_dtype)
    masked(coalitions)
    passes, products = [], []
    for _ in range(_TURNS):
        products.append(10 * 2 * _PRODUCT_SIZE**3 / seconds(lambda: [matrix @ matrix for _ in range(10)]))
        passes.append(len(coalitions) / seconds(lambda: masked(coalitions)))
    flop = floating_point_operations(classifier, inputs)
    rate, product = float(np.median(passes)), float(np.median(products))
    return (
        f"{rate:.1f} masked forward passes a second in {classifier.fast_dtype} × {flop / 1e9:.1f} GFLOP = "
        f"{rate * flop / 1e9:.0f} GFLOP/s, {rate * flop / product:.0%} of the product of {_PRODUCT_SIZE}³ "
        f"({product / 1e9:.0f} GFLOP/s)"
    )


def floating_point_operations(classifier: Classifier, inputs: torch.Tensor) -> int:
    """Return the floating-point operations of a network's products for an input, two for each multiply-add."""
    is_fast = torch.backends.mha.get_fastpath_enabled()
    # The whole attention as one operator is none that torch counts
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with FlopCounterMode(display=False) as counter:
            classifier.logits(inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(is_fast)
    return int(counter.get_total_flops())


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    typer.run(main)
