"""Light augmentation usual for radiographs: as if the patient stood a little otherwise, or the dose was another.

No flip: the heart is on the left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    import numpy.typing as npt

LARGEST = np.array([np.deg2rad(10), 0.05, 0.05, 0.1, 0.1, 0.1])
"""Rotation, shift in x and y as part of the image's side, scale, brightness and contrast; each in both directions."""


def draw(seed: int, epoch: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return changes N × 6, in the order of `LARGEST` and as parts of it: uniform in -1..1.

    They depend on the seed, the epoch and the radiograph's row alone, so that neither a resumed training nor another
    number of processes sees other ones.
    """
    return np.stack([np.random.default_rng((seed, epoch, row)).uniform(-1, 1, len(LARGEST)) for row in rows])


def augmented(intensities: torch.Tensor, changes: npt.NDArray[np.float64]) -> torch.Tensor:
    """Return intensities N × 1 × size × size in 0..1, changed by N × 6 of `draw`; what comes from outside is black."""
    angle, x, y, scale, brightness, contrast = torch.from_numpy(changes * LARGEST).float().T
    cosine, sine = torch.cos(angle) / (1 + scale), torch.sin(angle) / (1 + scale)
    # F.affine_grid's coordinates go from -1 to 1
    to_source = torch.stack([cosine, -sine, 2 * x, sine, cosine, 2 * y], 1).reshape(-1, 2, 3)
    grid = F.affine_grid(to_source.to(intensities.device), list(intensities.shape), align_corners=False)
    moved = F.grid_sample(intensities, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    gain, shift = (
        value.view(-1, 1, 1, 1).to(intensities.device) for value in (1 + contrast, 0.5 + brightness)
    )
    exposed: torch.Tensor = (moved - 0.5) * gain + shift
    return exposed.clamp(0, 1)
