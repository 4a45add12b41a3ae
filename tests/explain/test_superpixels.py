from __future__ import annotations

import numpy as np
import pytest
from lime.wrappers.scikit_image import SegmentationAlgorithm
from skimage.segmentation import slic

from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.explain.superpixels import PAPER_LIME, PAPER_SHAP, SuperpixelSettings, superpixels

PREPROCESSING = Preprocessing(size_px=96)


def contiguous(labels):
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


@pytest.mark.parametrize("settings", [SuperpixelSettings(), PAPER_LIME, PAPER_SHAP])
def test_labels_run_from_0_without_a_gap(settings, pixels):
    labels = superpixels(pixels, PREPROCESSING, settings, seed=0)
    assert labels.shape == (96, 96)
    assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))


def test_papers_superpixels_are_the_libraries(pixels):
    image = PREPROCESSING(pixels)[0].permute(1, 2, 0).double().numpy()
    lime = SegmentationAlgorithm("quickshift", kernel_size=4, max_dist=200, ratio=0.2, random_seed=3)(image)
    np.testing.assert_array_equal(superpixels(pixels, PREPROCESSING, PAPER_LIME, seed=3), contiguous(lime))
    shap = slic(image, n_segments=50, compactness=30, sigma=3)
    np.testing.assert_array_equal(superpixels(pixels, PREPROCESSING, PAPER_SHAP, seed=3), contiguous(shap))


def test_two_halves_are_not_mixed():
    halves = np.full((96, 96), 20, np.uint8)
    halves[:, 48:] = 230
    labels = superpixels(halves, PREPROCESSING, SuperpixelSettings(sigma=0), seed=0)
    assert not set(np.unique(labels[:, :46])) & set(np.unique(labels[:, 50:]))
