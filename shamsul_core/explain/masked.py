"""The masked evaluation that LIME and KernelSHAP share: the classifier's answer where only some superpixels show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.heatmap import Output

_BATCH = {"cpu": 32, "cuda": 512}
"""Forward passes at once by the kind of device; on a 2-core processor larger batches leave the cache."""


@dataclass(frozen=True)
class MaskedEvaluation:
    """The function of coalitions that is explained: f(h(z)) in the paper's equation 3.

    A coalition is the set of superpixels that show; the others are hidden behind one value of the network's input.
    All pathologies are answered by the same forward passes, in the classifier's fast precision.

    Parameters
    ----------
    inputs
        The network's input, float32, 1 × 3 × S × S.
    superpixels
        Labels 0..n-1, S × S.
    hide
        The value, in the network's normalised input, that stands for a hidden pixel; 0 is ImageNet's mean grey.
    """

    classifier: Classifier
    inputs: torch.Tensor
    superpixels: npt.NDArray[np.intp]
    hide: float

    @property
    def count(self) -> int:
        """Number of superpixels n."""
        return int(self.superpixels.max()) + 1

    @torch.inference_mode()
    def __call__(self, coalitions: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Evaluate coalitions.

        Parameters
        ----------
        coalitions
            k × n, non-zero where the superpixel shows.

        Returns
        -------
        numpy.ndarray
            Logits, float64, k × C, all the classifier has.
        """
        network, device = self.classifier.fast_network, self.classifier.device
        image = self.inputs.to(self.classifier.fast_dtype).contiguous(memory_format=torch.channels_last)
        labels = torch.as_tensor(self.superpixels).to(device)
        is_shown = torch.as_tensor(np.asarray(coalitions) != 0).to(device)
        batches = is_shown.split(_BATCH.get(device.type, 32))
        # Nothing is fetched from a GPU before the last batch, so that it never waits for the processor
        logits = torch.cat([network(_masked(image, labels, batch, self.hide)) for batch in batches])
        return logits.double().cpu().numpy()

    def of(
        self, pathologies: Sequence[str], output: Output
    ) -> Callable[[npt.NDArray[np.generic]], npt.NDArray[np.float64]]:
        """Return the function of coalitions k × n for C pathologies only: logits or probabilities, float64, k × C."""
        columns = [self.classifier.output_index(pathology) for pathology in pathologies]

        def evaluate(coalitions: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
            logits = self(coalitions)[:, columns]
            return np.asarray(expit(logits)) if output == "probability" else logits

        return evaluate


def _masked(image: torch.Tensor, labels: torch.Tensor, is_shown: torch.Tensor, hide: float) -> torch.Tensor:
    """Return the image k times, 3 × S × S each, with the superpixels that do not show at the value `hide`."""
    visible = is_shown[:, labels].unsqueeze(1)
    hidden = image.new_tensor(hide)
    return torch.where(visible, image, hidden).contiguous(memory_format=torch.channels_last)
