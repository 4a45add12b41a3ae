"""Where relevance lies of a network that sees a part of the radiograph."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.heatmap import WHOLE, Heatmap
from shamsul_core.localisation.segmentation import resize


def heatmap(values, **named):
    return Heatmap(method="gradcam", pathology="Edema", output="logit", values=np.float32(values), **named)


def test_a_network_that_sees_all_keeps_its_native_resolution():
    values = np.arange(49).reshape(7, 7)
    assert heatmap(values, field=WHOLE).relevance is not None
    np.testing.assert_array_equal(heatmap(values).relevance, values)


def test_the_middle_of_a_map_lies_in_the_middle_of_its_field():
    """One bright place of 3 × 3 in the field from 1/4 to 3/4: its middle is at 1/2, and it falls to 0 a place away."""
    values = np.zeros((3, 3))
    values[1, 1] = 1
    full = resize(heatmap(values, field=(0.25, 0.5, 0.75, 1.0)).relevance, (600, 1200))
    row, column = np.unravel_index(full.argmax(), full.shape)
    assert abs(row - 300) <= 2
    assert abs(column - 900) <= 2
    # A place is 100 rows and 200 columns; half way the map is a half
    assert full[350, 900] == pytest.approx(0.5, abs=0.02)
    assert full[300, 1000] == pytest.approx(0.5, abs=0.02)
    assert not full[:148].any()
    assert not full[:, :597].any()


def test_within_the_field_it_is_what_a_map_of_the_field_alone_is():
    values = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    whole = heatmap(values, field=(0.0, 0.25, 1.0, 0.75)).relevance
    middle = whole[:, 128:384]
    expected = resize(values, (512, 256))
    np.testing.assert_allclose(middle, expected, atol=1e-5)
    assert not whole[:, :128].any()
    assert not whole[:, 384:].any()


def test_superpixels_keep_sharp_borders_and_what_is_padding_is_cut_off():
    """A field that begins half its height above the radiograph: its lower half is all that lies on it."""
    labels = np.array([[0, 1], [2, 3]])
    made = heatmap(
        [1, 2, 3, 4], superpixels=labels, standard_error=np.float32([0, 0, 9, 0]), field=(-1, 0, 1, 1)
    )
    assert set(np.unique(made.relevance)) == {3, 4}
    assert made.relevance[0, 0] == 3
    assert made.relevance[-1, -1] == 4
    assert made.uncertain[:, :256].all()
    assert not made.uncertain[:, 256:].any()
