"""A wire one pixel wide comes back whole: what is kept is the difference of every pixel, to one grey level."""

from __future__ import annotations

import cv2
import numpy as np

from shamsul_core.cohort.counterfactual import encode_difference, read_counterfactual
from shamsul_core.cohort.radiograph import Radiograph


def test_what_is_without_a_thin_wire_is_what_was_there_before(tmp_path):
    rng = np.random.default_rng(0)
    before = rng.integers(20, 180, (61, 80), dtype=np.uint8)
    wire = np.zeros(before.shape, bool)
    wire[np.arange(60), np.arange(60)] = True
    with_it = np.where(wire, before + 70, before).astype(np.uint8)
    path, file = tmp_path / "radiograph.png", tmp_path / "difference.png"
    cv2.imwrite(str(path), with_it)
    file.write_bytes(encode_difference(with_it, before))
    counterfactual = read_counterfactual(file, Radiograph(id="one", path=path))
    assert np.abs(counterfactual.pixels.astype(int) - before).max() <= 1
    np.testing.assert_array_equal(counterfactual.changed, wire)
