"""What stands in the place of a part of the radiograph that is hidden.

The choice decides much of what LIME, SHAP and occlusion say, so that it is a setting. Whatever it is, it is one picture,
of which hidden parts are taken: what a superpixel hides behind does not depend on which others are hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import cv2
import numpy as np
import torch
from scipy.ndimage import gaussian_filter, grey_dilation, mean

if TYPE_CHECKING:
    import numpy.typing as npt

    Plane = npt.NDArray[np.float32]

Hide: TypeAlias = Literal["grey", "blur", "local mean", "inpainted"]
"""``"grey"``: 0 of the network's normalised input, the mean grey of what it was made for. ``"blur"``: the radiograph
itself, smoothed. ``"local mean"``: each superpixel's own mean, lime's default for photographs. ``"inpainted"``: each
superpixel as its surroundings would go on within it (Telea 2004, OpenCV's)."""

HIDES: tuple[Hide, ...] = get_args(Hide)

_BLUR = 1 / 16
"""Standard deviation of the smoothing, over the input's side."""
_INPAINTED_FROM_PX = 3


def hidden_picture(
    inputs: torch.Tensor, hide: Hide, superpixels: npt.NDArray[np.integer] | None = None
) -> torch.Tensor:
    """Return what the network sees where all is hidden.

    Parameters
    ----------
    inputs
        The network's input, float32, 1 × channels × S × S.
    superpixels
        Labels 0..n-1, S × S; needed for the local mean and for what is inpainted.

    Returns
    -------
    torch.Tensor
        The shape of `inputs`.

    Raises
    ------
    ValueError
        If there is no such way to hide, or it needs superpixels.
    """
    if hide == "grey":
        return torch.zeros_like(inputs)
    if hide not in HIDES or (superpixels is None and hide != "blur"):
        message = f"nothing can be hidden behind {hide!r} here; there are {', '.join(HIDES)}"
        raise ValueError(message)
    planes = inputs[0].cpu().numpy()
    hidden = np.stack([_hidden(plane, hide, superpixels) for plane in planes])
    return torch.as_tensor(hidden, dtype=inputs.dtype, device=inputs.device)[None]


def _hidden(plane: Plane, hide: Hide, superpixels: npt.NDArray[np.integer] | None) -> Plane:
    if superpixels is None or hide == "blur":
        return np.asarray(gaussian_filter(plane, _BLUR * len(plane), mode="nearest"))
    if hide == "local mean":
        return np.asarray(mean(plane, superpixels, np.arange(superpixels.max() + 1)), np.float32)[superpixels]
    return _inpainted(plane, superpixels)


def _inpainted(plane: Plane, superpixels: npt.NDArray[np.integer]) -> Plane:
    """Return each superpixel as OpenCV goes on from all around it."""
    painted = np.empty_like(plane)
    for label in range(int(superpixels.max()) + 1):
        is_hidden = superpixels == label
        # Its surroundings are all that inpainting looks at
        rows, columns = np.nonzero(grey_dilation(is_hidden.astype(np.uint8), 4 * _INPAINTED_FROM_PX + 1))
        part = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        filled = cv2.inpaint(
            np.ascontiguousarray(plane[part]),
            is_hidden[part].astype(np.uint8),
            _INPAINTED_FROM_PX,
            cv2.INPAINT_TELEA,
        )
        painted[is_hidden] = filled[is_hidden[part]]
    return painted
