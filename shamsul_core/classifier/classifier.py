"""The classifier: a network that knows its pathologies, its preprocessing and where it comes from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import torch

from shamsul_core.classifier.architectures import DENSENET121, TORCHS_EPSILON, epsilon_of
from shamsul_core.classifier.fast import fast_copy
from shamsul_core.classifier.novelty import first_maps
from shamsul_core.classifier.outputs import LogOdds, log_odds

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from torch import nn

    from shamsul_core.classifier.model_card import ModelCard
    from shamsul_core.classifier.novelty import TrainingFeatures
    from shamsul_core.classifier.outputs import OutputKind
    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.classifier.source import ModelSource


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network with one logit per observation, whose sigmoid is its probability.

    Parameters
    ----------
    network
        N × channels × size × size in, N × C logits out; in evaluation mode.
    pathologies
        What the C outputs stand for, by the vocabulary's names where it knows them.
    preprocessing
        How the network wants its radiographs.
    source
        Where the weights come from, for people to read: a file's name, ``"untrained"``.
    is_trained
        Whether the network ever learned anything; results of an untrained one are labelled wherever they show.
    architecture
        The network's name: torchvision's, or what its format calls it.
    card
        What it was trained on, where that is known; no part of the fingerprint.
    output_kind
        ``"sigmoid"``: the outputs are independent. ``"softmax"``: they are classes that exclude each other, and a logit
        is the log-odds of its class against the others, see `shamsul_core.classifier.outputs`.
    definition
        What besides its weights decides what the network computes, as text; empty where its modules' names tell it.
    asked
        What it was loaded from; no part of the fingerprint.
    training
        What the radiographs that it was trained on have in common, where that was summed up; no part of the fingerprint.
    """

    network: nn.Module
    pathologies: tuple[str, ...]
    preprocessing: Preprocessing
    source: str
    is_trained: bool
    architecture: str = DENSENET121
    card: ModelCard | None = None
    output_kind: OutputKind = "sigmoid"
    definition: str = ""
    asked: ModelSource | None = None
    training: TrainingFeatures | None = None

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(requires_grad=False)

    def preprocess(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> torch.Tensor:
        """Return the network's input, float32, 1 × channels × size × size, of a radiograph H × W (uint8 or uint16)."""
        return self.preprocessing(pixels).to(self.device)

    def seen(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> npt.NDArray[np.uint8]:
        """Return the picture that the network sees of a radiograph H × W, size × size, in grey levels."""
        grey: npt.NDArray[np.uint8] = (
            self.preprocessing.resize(pixels)[0, 0].mul(255).round().to(torch.uint8).numpy()
        )
        return grey

    @torch.inference_mode()
    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Return float32 logits N × C of a batch N × channels × size × size."""
        logits: torch.Tensor = self.network(batch)
        return logits

    def predict(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> dict[str, float]:
        """Return the probability, 0..1, of each pathology on one radiograph H × W (uint8 or uint16)."""
        probabilities = torch.sigmoid(self.logits(self.preprocess(pixels)))[0]
        return dict(zip(self.pathologies, probabilities.tolist(), strict=True))

    def predict_novel(
        self, pixels: npt.NDArray[np.uint8 | np.uint16]
    ) -> tuple[dict[str, float], float | None]:
        """Return what `predict` does, and of the same pass how new the radiograph is to the model.

        See `TrainingFeatures.novelty`; ``None`` where it is not known what the model was trained on.
        """
        with first_maps(self.network) as features:
            probabilities = self.predict(pixels)
        is_known = self.training is not None and bool(features)
        return probabilities, self.training.novelty(features[0][0]) if self.training and is_known else None

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

    def need_gradients(self, method: str) -> None:
        """Raise a ``ValueError`` that says why where the network gives no gradients, which a method needs."""
        for module in self.network.modules():
            reason = getattr(module, "without_gradients", None)
            if reason is not None:
                message = f"{method} needs gradients: {reason}"
                raise ValueError(message)

    @property
    def device(self) -> torch.device:
        """Where the network is and its input must be."""
        tensors = chain(self.network.parameters(), self.network.buffers())
        return next((tensor.device for tensor in tensors), torch.device("cpu"))

    @cached_property
    def fast_dtype(self) -> torch.dtype:
        """The precision of many forward passes: 16 bits where the device multiplies them in hardware."""
        if self.has_fixed_precision:
            return torch.float32
        if self.device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return torch.bfloat16 if has_fast_bfloat16() else torch.float32

    @property
    def has_fixed_precision(self) -> bool:
        """Whether the network runs in another library, in float32 and as it is."""
        return any(getattr(module, "has_fixed_precision", False) for module in self.network.modules())

    @cached_property
    def fast_network(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A copy for many forward passes; it wants its batch channels last and in `fast_dtype`."""
        if self.has_fixed_precision:
            return self.network
        if isinstance(self.network, LogOdds):
            logits = fast_copy(self.network.network, self.fast_dtype)
            return lambda batch: log_odds(logits(batch))
        return fast_copy(self.network, self.fast_dtype)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the weights, their names, the pathologies, the preprocessing and the definition."""
        digest = hashlib.sha256(repr((self.pathologies, self.preprocessing)).encode())
        if epsilon_of(self.network) != TORCHS_EPSILON:
            digest.update(repr(epsilon_of(self.network)).encode())
        if self.output_kind != "sigmoid" or self.definition:
            digest.update(repr((self.output_kind, self.definition)).encode())
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def has_fast_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX).

    oneDNN's own answer is yes on any AVX-512, where it emulates the product and is slower than with float32.
    """
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
