"""Quantus' figures on small inputs, frozen: ``python -m tests.proof.quantus_references`` makes them anew where it is installed.

Quantus 0.6.0 (`pip install quantus==0.6.0`) asks for ``opencv-python``, whose files are those of ``opencv-python-headless``, which
is installed here: it has an environment of its own, and what it says is kept beside this file.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

FILE = Path(__file__).with_name("quantus.json")
SIDE = 32
STEP = SIDE * SIDE // 16
SHARES = (0.05, 0.5, 0.95)

_random = np.random.default_rng(3)
PICTURE = np.round(cv2.GaussianBlur(_random.random((12, 15)), (0, 0), 2), 6)
ORDERS = {
    "scattered": _random.permutation(PICTURE.size),
    "in patches": np.argsort(-cv2.GaussianBlur(_random.normal(size=PICTURE.shape), (0, 0), 3).ravel()),
}
FIRST = np.round(_random.normal(size=(24, 24)), 4).astype(np.float32)
SECOND = np.round(FIRST + _random.normal(size=(24, 24)), 4).astype(np.float32)
WEIGHTS = np.round(_random.normal(size=(SIDE, SIDE)), 4)
INPUT = np.round(_random.normal(size=(SIDE, SIDE)), 4)
RELEVANCE = _random.permutation(SIDE * SIDE).reshape(SIDE, SIDE).astype(np.float32)


def references():
    """Return what is frozen."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def make():
    """Ask Quantus."""
    import quantus
    import torch
    from quantus.functions import similarity_func
    from quantus.functions.perturb_func import noisy_linear_imputation
    from quantus.helpers.model.pytorch_model import PyTorchModel

    from tests.proof.networks import Folding

    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(SIDE * SIDE, 1, bias=False)).eval()
    network[1].weight = torch.nn.Parameter(torch.as_tensor(WEIGHTS, dtype=torch.float32).reshape(1, -1))
    flipping = quantus.PixelFlipping(
        features_in_step=STEP, perturb_baseline=0.0, disable_warnings=True, abs=False, normalise=False
    )
    (curve,) = flipping(
        model=network,
        x_batch=INPUT[None, None].astype(np.float32),
        y_batch=np.array([0]),
        a_batch=RELEVANCE[None, None],
        softmax=False,
        device="cpu",
    )
    scaled = FIRST / np.abs(FIRST).max(), SECOND / np.abs(SECOND).max()
    return {
        "pixel flipping": [float(value) for value in curve],
        "spearman": float(similarity_func.correlation_spearman(FIRST.ravel(), SECOND.ravel())),
        "ssim": float(similarity_func.ssim(*scaled)),
        "imputed": {
            f"{name} {share}": np.round(
                noisy_linear_imputation(PICTURE[None].copy(), order[: int(share * order.size)], noise=0)[0], 6
            ).tolist()
            for name, order in ORDERS.items()
            for share in SHARES
        },
        "layers": [name for name, _ in PyTorchModel(Folding()).get_random_layer_generator()],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(make()), encoding="utf-8")
