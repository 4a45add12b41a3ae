"""The masked evaluation that LIME and KernelSHAP share: the classifier's answer where only some superpixels show.

`fast_logits` is for whoever else asks it about many variants of one radiograph.
"""

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
        labels = torch.as_tensor(self.superpixels).to(self.classifier.device)
        is_shown = torch.as_tensor(np.asarray(coalitions) != 0)
        image = self.inputs.to(self.classifier.fast_dtype)
        return fast_logits(self.classifier, is_shown, lambda shown: _masked(image, labels, shown, self.hide))

    def of(
        self, pathologies: Sequence[str], output: Output
    ) -> Callable[[npt.NDArray[np.generic]], npt.NDArray[np.float64]]:
        """Return the function of coalitions k × n for C pathologies only: logits or probabilities, float64, k × C."""
        columns = [self.classifier.output_index(pathology) for pathology in pathologies]

        def evaluate(coalitions: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
            logits = self(coalitions)[:, columns]
            return np.asarray(expit(logits)) if output == "probability" else logits

        return evaluate


@torch.inference_mode()
def fast_logits(
    classifier: Classifier, variants: torch.Tensor, picture: Callable[[torch.Tensor], torch.Tensor]
) -> npt.NDArray[np.float64]:
    """Evaluate variants of a radiograph in the classifier's fast precision, as many at once as its device is fastest with.

    Parameters
    ----------
    variants
        k × ..., what tells them apart.
    picture
        Makes the network's inputs, b × channels × S × S, of b of them, which lie on the classifier's device.

    Returns
    -------
    numpy.ndarray
        Logits, float64, k × C, all the classifier has.
    """
    network, device, dtype = classifier.fast_network, classifier.device, classifier.fast_dtype
    batches = variants.to(device).split(_BATCH.get(device.type, 32))
    # Nothing is fetched from a GPU before the last batch, so that it never waits for the processor
    logits = [
        network(picture(batch).to(dtype).contiguous(memory_format=torch.channels_last)) for batch in batches
    ]
    return torch.cat(logits).double().cpu().numpy()


def _masked(image: torch.Tensor, labels: torch.Tensor, is_shown: torch.Tensor, hide: float) -> torch.Tensor:
    """Return the image k times, 3 × S × S each, with the superpixels that do not show at the value `hide`."""
    visible = is_shown[:, labels].unsqueeze(1)
    return torch.where(visible, image, image.new_tensor(hide))
