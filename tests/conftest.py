"""What all tests share: the sample radiograph, a made one, and networks small enough for two cores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

SAMPLE = Path(__file__).parents[1].parent / "shared" / "data" / "chexlocalize-sample"


@pytest.fixture(scope="session")
def sample() -> Path:
    if not SAMPLE.is_dir():
        pytest.skip("the CheXlocalize sample is not on this machine")
    return SAMPLE


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """A made image, uint8, 120 × 100, with smooth structure and grain."""
    generator = np.random.default_rng(7)
    rows, columns = np.mgrid[0:120, 0:100] / 100
    smooth = 110 + 60 * np.sin(5 * columns) * np.cos(4 * rows) + 40 * (columns > 0.5)
    return np.clip(smooth + generator.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def classifier():
    """An untrained DenseNet-121 on 64 × 64, so that a forward pass takes a few milliseconds."""
    import torch

    from shamsul_core.classifier import Classifier
    from shamsul_core.classifier.network import DenseNet121
    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.labels import OBSERVATIONS

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = DenseNet121(len(OBSERVATIONS))
        torch.nn.init.normal_(network.classifier.bias)
    return Classifier(network, OBSERVATIONS, Preprocessing(size_px=64), "untrained", is_trained=False)
