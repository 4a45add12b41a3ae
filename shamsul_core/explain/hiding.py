"""What stands in the place of a part of the radiograph that is hidden.

The choice decides much of what LIME, SHAP and occlusion say, so that it is a setting. Whatever it is, it is one picture,
of which hidden parts are taken: what a superpixel hides behind does not depend on which others are hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, mean
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import splu

if TYPE_CHECKING:
    import numpy.typing as npt

    Planes = npt.NDArray[np.float32]

Hide: TypeAlias = Literal["grey", "blur", "local mean", "inpainted"]
"""``"grey"``: 0 of the network's normalised input, the mean grey of what it was made for. ``"blur"``: the radiograph
itself, smoothed. ``"local mean"``: each superpixel's own mean, lime's default for photographs. ``"inpainted"``: each
superpixel as its surroundings would go on within it, every pixel the mean of its neighbours (linear imputation, as
Rong et al. 2022 have it, without their noise)."""

HIDES: tuple[Hide, ...] = get_args(Hide)

_BLUR = 1 / 16
"""Standard deviation of the smoothing, over the input's side."""


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
    if superpixels is None or hide == "blur":
        sigma = _BLUR * planes.shape[-1]
        hidden = gaussian_filter(planes, (0, sigma, sigma), mode="nearest")
    elif hide == "local mean":
        labels = np.arange(superpixels.max() + 1)
        hidden = np.stack([mean(plane, superpixels, labels)[superpixels] for plane in planes])
    else:
        hidden = _inpainted(planes, superpixels)
    return torch.as_tensor(hidden, dtype=inputs.dtype, device=inputs.device)[None]


def _inpainted(planes: Planes, superpixels: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Return each superpixel from what borders on it alone: pixels of the same are unknown, all others known."""
    number = np.arange(superpixels.size).reshape(superpixels.shape)
    pairs = np.concatenate(
        [
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1),
            np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1),
        ]
    )
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    is_same = superpixels.ravel()[pairs[:, 0]] == superpixels.ravel()[pairs[:, 1]]
    of_same, of_others = (
        coo_array((np.ones(len(part)), part.T), shape=(number.size, number.size)).tocsc()
        for part in (pairs[is_same], pairs[~is_same])
    )
    neighbours = np.bincount(pairs[:, 0], minlength=number.size).astype(float)
    known = of_others @ planes.reshape(len(planes), -1).T.astype(float)
    filled = splu((diags_array(neighbours) - of_same).tocsc()).solve(known)
    return np.asarray(filled.T.reshape(planes.shape))
