"""Cause: relevance inside the area that a finding changed, on planted maps."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.explain import Subject
from shamsul_core.proof.catalogue import DENSITY, SHARE
from shamsul_core.proof.cause import measure
from shamsul_core.proof.examined import Examined
from shamsul_core.proof.maps import seen_of
from tests.proof.networks import SIZE, of_patch


def test_share_and_density_of_what_lies_in_the_area_by_hand(pixels):
    changed = np.zeros(pixels.shape, bool)
    changed[:60] = True  # the upper half
    upper = np.zeros((SIZE, SIZE), np.float32)
    upper[: SIZE // 2] = 3
    upper[SIZE // 2 :] = 1
    examined = Examined(
        subject=Subject(of_patch(), pixels),
        pathologies=["Edema", "Cardiomegaly"],
        maps={("m", "Edema"): upper, ("m", "Cardiomegaly"): upper, ("n", "Edema"): "failed"},
        changed={"Edema": changed},
        falls={"Edema": 1.25},
    )
    rows = {(row.method, row.figure): row for row in measure(examined)}
    assert rows["m", SHARE].value == pytest.approx(0.75)
    assert rows["m", DENSITY].value == pytest.approx(1.5)
    assert rows["m", DENSITY].at == 1.25
    assert {row.pathology for row in rows.values()} == {"Edema"}
    assert "n" not in {method for method, _ in rows}


def test_the_network_sees_of_a_mask_what_it_sees_of_the_radiograph(pixels):
    """A mask seen through a crop lies where the radiograph's own pixels come to lie."""
    from shamsul_core.classifier.preprocessing import Preprocessing

    for fit in ("squeeze", "crop", "pad"):
        preprocessing = Preprocessing(size_px=SIZE, fit=fit)
        picture = np.zeros((120, 100), np.uint8)
        picture[30:80, 20:70] = 255
        seen = seen_of(picture > 0, preprocessing.field(picture.shape), SIZE)
        expected = preprocessing.resize(picture)[0, 0].numpy()
        assert np.abs(seen - expected).mean() < 0.03
        assert (
            np.array_equal(seen >= 0.6, expected >= 0.6) or np.mean((seen >= 0.5) != (expected >= 0.5)) < 0.03
        )
