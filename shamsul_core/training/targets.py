"""What the network is to learn from CheXpert's labels, and how far it is from it.

A blank label is negative. What an uncertain one is, is a policy of Irvin et al. (2019), *CheXpert: a large chest
radiograph dataset with uncertainty labels and expert comparison*, section 3.1:

zeros, ones
    negative, positive; binary cross-entropy.
ignore
    nothing: binary cross-entropy without it.
three-class
    a class of its own: three logits for each observation (negative, uncertain, positive) and cross-entropy. The
    probability is the softmax over negative and positive alone, which is ``sigmoid(positive - negative)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

if TYPE_CHECKING:
    import numpy.typing as npt

Uncertain: TypeAlias = Literal["zeros", "ones", "ignore", "three-class"]
POLICIES: tuple[Uncertain, ...] = get_args(Uncertain)

_UNCERTAIN = -1.0
# Target of an uncertain label where it is a class of its own
_BETWEEN = 0.5


@dataclass(frozen=True)
class Targets:
    """What the network is to learn of N radiographs and C observations.

    Parameters
    ----------
    values
        float32, N × C: 0 negative, 1 positive, 0.5 uncertain (with three classes only).
    weights
        float32, N × C: 1, or 0 where the loss leaves the label out.
    """

    values: torch.Tensor
    weights: torch.Tensor

    def __getitem__(self, rows: torch.Tensor) -> Targets:
        return Targets(self.values[rows], self.weights[rows])

    def to(self, device: torch.device) -> Targets:
        """Return the same on a device."""
        return Targets(self.values.to(device), self.weights.to(device))


def targets_of(labels: npt.NDArray[np.float32], uncertain: Uncertain) -> Targets:
    """Return the targets of labels N × C: 1 positive, 0 negative, -1 uncertain, NaN blank."""
    unsure = torch.from_numpy(labels == _UNCERTAIN)
    value = {"zeros": 0.0, "ones": 1.0, "ignore": 0.0, "three-class": _BETWEEN}[uncertain]
    values = torch.from_numpy((labels == 1).astype(np.float32)).masked_fill(unsure, value)
    weights = torch.ones_like(values)
    return Targets(values, weights.masked_fill(unsure, 0.0) if uncertain == "ignore" else weights)


def output_count(observations: int, uncertain: Uncertain) -> int:
    """Return the number of logits that the policy needs."""
    return observations * (3 if uncertain == "three-class" else 1)


def summed_loss(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Return the sum of the cross-entropy over radiographs and observations, those of weight 0 left out.

    Parameters
    ----------
    logits
        float32, N × C, or N × 3C with three classes.
    targets
        What is to be learned of the same N radiographs and C observations.
    """
    if logits.shape == targets.values.shape:
        losses = F.binary_cross_entropy_with_logits(logits, targets.values, reduction="none")
    else:
        classes = (2 * targets.values).long()
        losses = F.cross_entropy(_by_class(logits).transpose(1, 2), classes, reduction="none")
    return (losses * targets.weights).sum()


def binary_logits(logits: torch.Tensor, observations: int) -> torch.Tensor:
    """Return the logits N × C of the probabilities, of logits N × C or N × 3C."""
    if logits.shape[1] == observations:
        return logits
    by_class = _by_class(logits)
    return by_class[:, :, 2] - by_class[:, :, 0]


def _by_class(logits: torch.Tensor) -> torch.Tensor:
    """Return logits N × C × 3: negative, uncertain, positive."""
    return logits.reshape(len(logits), -1, 3)


def areas_under_roc(logits: torch.Tensor, targets: Targets) -> list[float]:
    """Return the AUROC of each observation, NaN where its labels are not both positive and negative.

    Labels of weight 0 and uncertain classes do not count.

    Parameters
    ----------
    logits
        N × C, of the probabilities.
    targets
        What is to be learned of the same.
    """
    is_definite = (targets.weights > 0) & (targets.values != _BETWEEN)
    columns = zip(targets.values.T.numpy(), logits.T.double().numpy(), is_definite.T.numpy(), strict=True)
    return [_area(truth[counts], scores[counts]) for truth, scores, counts in columns]


def _area(truth: npt.NDArray[np.float32], scores: npt.NDArray[np.float64]) -> float:
    return float(roc_auc_score(truth, scores)) if len(np.unique(truth)) == 2 else float("nan")
