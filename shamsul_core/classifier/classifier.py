"""The classifier: a network that knows its pathologies, its preprocessing and where it comes from."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch.fx.experimental.optimization import fuse

from shamsul_core.classifier.architectures import DENSENET121, TORCHS_EPSILON, epsilon_of
from shamsul_core.classifier.fused import FusedDenseNet121
from shamsul_core.classifier.network import DenseNet121

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from torch import nn

    from shamsul_core.classifier.model_card import ModelCard
    from shamsul_core.classifier.preprocessing import Preprocessing


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network with one logit per observation.

    Parameters
    ----------
    network
        N × 3 × size × size in, N × C logits out; in evaluation mode.
    pathologies
        What the C outputs stand for, by CheXpert's names.
    preprocessing
        How the network wants its radiographs.
    source
        Where the weights come from, for people to read: a file's name, ``"untrained"``.
    is_trained
        Whether the network ever learned anything; results of an untrained one are labelled wherever they show.
    architecture
        torchvision's name of the network.
    card
        What it was trained on, where that is known; no part of the fingerprint.
    """

    network: nn.Module
    pathologies: tuple[str, ...]
    preprocessing: Preprocessing
    source: str
    is_trained: bool
    architecture: str = DENSENET121
    card: ModelCard | None = None

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(requires_grad=False)

    def preprocess(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> torch.Tensor:
        """Return the network's input, float32, 1 × 3 × size × size, of a radiograph H × W (uint8 or uint16)."""
        return self.preprocessing(pixels).to(self.device)

    @torch.inference_mode()
    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Return float32 logits N × C of a batch N × 3 × size × size."""
        logits: torch.Tensor = self.network(batch)
        return logits

    def predict(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> dict[str, float]:
        """Return the probability, 0..1, of each pathology on one radiograph H × W (uint8 or uint16)."""
        probabilities = torch.sigmoid(self.logits(self.preprocess(pixels)))[0]
        return dict(zip(self.pathologies, probabilities.tolist(), strict=True))

    def output_index(self, pathology: str) -> int:
        """Return the column of `pathology` among the logits.

        Raises
        ------
        ValueError
            If the network has no output for it.
        """
        try:
            return self.pathologies.index(pathology)
        except ValueError:
            message = f"the classifier {self.source} has no output for {pathology!r}"
            raise ValueError(message) from None

    @property
    def device(self) -> torch.device:
        """Where the network is and its input must be."""
        return next(self.network.parameters()).device

    @cached_property
    def fast_dtype(self) -> torch.dtype:
        """The precision of many forward passes: 16 bits where the device multiplies them in hardware."""
        if self.device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return torch.bfloat16 if has_fast_bfloat16() else torch.float32

    @cached_property
    def fast_network(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A copy for many forward passes; it wants its batch channels last and in `fast_dtype`."""
        if isinstance(self.network, DenseNet121):
            return FusedDenseNet121(self.network, self.fast_dtype)
        try:
            fast: nn.Module = fuse(self.network)
        except (RuntimeError, TypeError, NotImplementedError, KeyError, AttributeError, ValueError):
            # torch.fx cannot follow every network
            fast = copy.deepcopy(self.network)
        fast = fast.to(self.fast_dtype).to(memory_format=torch.channels_last)
        return lambda batch: fast(batch).float()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the weights, their names, the pathologies and the preprocessing."""
        digest = hashlib.sha256(repr((self.pathologies, self.preprocessing)).encode())
        if epsilon_of(self.network) != TORCHS_EPSILON:
            digest.update(repr(epsilon_of(self.network)).encode())
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def has_fast_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX).

    oneDNN's own answer is yes on any AVX-512, where it emulates the product and is slower than with float32.
    """
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
