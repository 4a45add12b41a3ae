"""The masked evaluation that all who hide parts share: the classifier's answer where only some of the radiograph shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.heatmap import Output

_BATCH = {"cpu": 32, "cuda": 512}
"""Forward passes at once by the kind of device; on a 2-core processor larger batches leave the cache."""


@dataclass(frozen=True)
class MaskedEvaluation:
    """The function of coalitions that is explained: f(h(z)) in the paper's equation 3.

    A coalition is the set of superpixels that show; in the place of the others is another picture. All pathologies are
    answered by the same forward passes, in the classifier's fast precision.

    Parameters
    ----------
    inputs
        The network's input, float32, 1 × 3 × S × S.
    superpixels
        Labels 0..n-1, S × S.
    hidden
        What is in the place of hidden superpixels, float32, the shape of `inputs`, see
        `shamsul_core.explain.hiding.hidden_picture`.
    """

    classifier: Classifier
    inputs: torch.Tensor
    superpixels: npt.NDArray[np.intp]
    hidden: torch.Tensor

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
        shown = (batch[:, labels] for batch in batches_of(np.asarray(coalitions) != 0, self.classifier))
        return masked_logits(self.classifier, self.inputs, self.hidden, shown)

    def of(
        self, pathologies: Sequence[str], output: Output
    ) -> Callable[[npt.NDArray[np.generic]], npt.NDArray[np.float64]]:
        """Return the function of coalitions k × n for C pathologies only: logits or probabilities, float64, k × C."""
        columns = [self.classifier.output_index(pathology) for pathology in pathologies]

        def evaluate(coalitions: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
            logits = self(coalitions)[:, columns]
            return np.asarray(expit(logits)) if output == "probability" else logits

        return evaluate


def masked_logits(
    classifier: Classifier, inputs: torch.Tensor, hidden: torch.Tensor, shown: Iterable[torch.Tensor]
) -> npt.NDArray[np.float64]:
    """Return the logits, float64, k × C, of the radiograph under masks, in the classifier's fast precision.

    Parameters
    ----------
    inputs, hidden
        The network's input and what is in the place of what does not show, float32, 1 × channels × S × S.
    shown
        Batches of masks, k × S × S in all, on the classifier's device: bool, or how much of a pixel shows, 0..1.
    """
    image, other = (
        picture.to(classifier.fast_dtype).contiguous(memory_format=torch.channels_last)
        for picture in (inputs, hidden)
    )
    return fast_logits(classifier, shown, lambda batch: _masked(image, other, batch[:, None]))


@torch.inference_mode()
def fast_logits(
    classifier: Classifier,
    batches: Iterable[torch.Tensor],
    picture: Callable[[torch.Tensor], torch.Tensor],
) -> npt.NDArray[np.float64]:
    """Return the logits, float64, k × C, of k variants of a radiograph, in the classifier's fast precision.

    Parameters
    ----------
    batches
        What tells the variants apart, on the classifier's device, see `batches_of`.
    picture
        Makes a batch's inputs of the network of it, b × channels × S × S.
    """
    network, dtype = classifier.fast_network, classifier.fast_dtype
    # Nothing is fetched from a GPU before the last batch, so that it never waits for the processor
    logits = [
        network(picture(batch).to(dtype).contiguous(memory_format=torch.channels_last)) for batch in batches
    ]
    return torch.cat(logits).double().cpu().numpy()


def batches_of(
    variants: torch.Tensor | npt.NDArray[np.generic], classifier: Classifier
) -> Iterator[torch.Tensor]:
    """Yield masks, or what else tells variants apart, as many at once as suit the classifier's device, there."""
    device = classifier.device
    yield from torch.as_tensor(variants).to(device).split(_BATCH.get(device.type, _BATCH["cpu"]))


def _masked(image: torch.Tensor, hidden: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
    """Return the image k times, channels × S × S each, where it shows, and what is hidden behind in between."""
    if shown.dtype == torch.bool:
        return torch.where(shown, image, hidden)
    return torch.lerp(hidden, image, shown.to(image.dtype))
