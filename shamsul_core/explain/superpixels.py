"""Superpixels: the regions that LIME and KernelSHAP show and hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from skimage.segmentation import quickshift, slic

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

    from shamsul_core.classifier.preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class SuperpixelSettings:
    """How the network's input is cut into superpixels.

    Parameters
    ----------
    algorithm
        ``"slic"`` (Achanta et al. 2012) or ``"quickshift"`` (Vedaldi and Soatto 2008), both scikit-image's.
    of
        What is cut: the ``"intensities"`` (one channel, 0..1) or the ``"normalised"`` input (three channels, taken
        for red, green and blue), as the paper's code does.
    count, compactness, sigma
        slic: about how many superpixels; how square (place weighed against intensity); standard deviation in pixels of
        the smoothing before.
    kernel_size, max_distance, ratio
        quickshift: standard deviation in pixels of the density's kernel; the farthest, in pixels and colour together,
        that two places are of one superpixel; colour weighed against place, 0..1.
    """

    algorithm: Literal["slic", "quickshift"] = "slic"
    of: Literal["intensities", "normalised"] = "intensities"
    count: int = 50
    compactness: float = 0.1
    sigma: float = 1.0
    kernel_size: float = 4
    max_distance: float = 200
    ratio: float = 0.2


PAPER_LIME = SuperpixelSettings(algorithm="quickshift", of="normalised")
"""lime's own default, as the paper's code uses it."""

PAPER_SHAP = SuperpixelSettings(of="normalised", compactness=30, sigma=3)
"""As the paper's code calls slic for KernelSHAP."""


def superpixels(
    pixels: npt.NDArray[np.uint8 | np.uint16],
    preprocessing: Preprocessing,
    settings: SuperpixelSettings,
    *,
    seed: int,
) -> npt.NDArray[np.intp]:
    """Cut a radiograph, as the network sees it, into superpixels.

    Parameters
    ----------
    pixels
        uint8 or uint16, H × W.
    seed
        For quickshift, which breaks ties at random.

    Returns
    -------
    numpy.ndarray
        Labels 0..n-1, every one in use, size × size of the network's input.

    Raises
    ------
    ValueError
        If the radiograph gives fewer than two superpixels, so that there is nothing to compare.
    """
    intensities = preprocessing.resize(pixels)
    if settings.algorithm == "slic":
        labels = _slic(intensities, preprocessing, settings)
    else:
        image = _channels_last(preprocessing.normalise(intensities))
        labels = quickshift(
            image,
            kernel_size=settings.kernel_size,
            max_dist=settings.max_distance,
            ratio=settings.ratio,
            rng=seed,
        )
    names, labels = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        message = f"{settings.algorithm} finds fewer than two superpixels: is the image blank?"
        raise ValueError(message)
    return labels.astype(np.intp).reshape(preprocessing.size_px, preprocessing.size_px)


def _slic(
    intensities: torch.Tensor, preprocessing: Preprocessing, settings: SuperpixelSettings
) -> npt.NDArray[np.intp]:
    shared = {
        "n_segments": settings.count,
        "compactness": settings.compactness,
        "sigma": settings.sigma,
        "start_label": 0,
    }
    if settings.of == "intensities":
        labels = slic(intensities[0, 0].numpy(), channel_axis=None, **shared)
    else:
        labels = slic(_channels_last(preprocessing.normalise(intensities)), channel_axis=-1, **shared)
    return np.asarray(labels)


def _channels_last(inputs: torch.Tensor) -> npt.NDArray[np.float64]:
    # In colours, as quickshift wants it, also where the input has one channel
    return np.asarray(inputs[0].expand(3, -1, -1).permute(1, 2, 0).double().numpy())
