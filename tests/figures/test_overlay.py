from __future__ import annotations

import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shamsul_core.figures.overlay import Metric, Panel, Scene, decode_header, encode_scene, quantise


def scene(**changes):
    generator = np.random.default_rng(0)
    panels = (
        Panel(key="expert", title="Radiograph", note="nothing <b>marked</b>"),
        Panel(
            key="lrp",
            title="LRP",
            relevance=generator.normal(size=(224, 224)).astype(np.float32),
            outlines=(np.array([[1, 2], [3, 4], [5, 0]]), np.array([[9, 9], [8, 8]])),
            metrics=(Metric(name="IoU", value="0.37"),),
        ),
    )
    about = {"image_id": "a", "pathology": "Edema", "expert_outlines": (), "panels": panels}
    return Scene(**about | {"pixels": generator.integers(0, 256, (90, 110), np.uint8)} | changes)


def part(parts, about):
    return parts[about["offset"] : about["offset"] + about["length"]]


def test_what_is_packed_is_unpacked():
    original = scene(expert_outlines=(np.array([[0.5, 1.25], [2, 3]]),), banner="simulated")
    header, parts = decode_header(encode_scene(original))
    assert (header["image_id"], header["pathology"], header["banner"]) == ("a", "Edema", "simulated")
    assert header["size"] == [90, 110]
    picture = np.array(Image.open(io.BytesIO(part(parts, header["radiograph"]))))
    assert picture.shape == (90, 110)
    assert np.abs(picture.astype(float) - original.pixels).mean() < 6
    expert, lrp = header["panels"]
    assert expert["relevance"] is None
    assert expert["label"] == "Radiograph, Edema, nothing <b>marked</b>"
    assert lrp["label"] == "LRP, Edema, IoU 0.37"
    points = np.frombuffer(part(parts, lrp["outlines"]), "<f4").reshape(-1, 2)
    assert lrp["outlines"]["counts"] == [3, 2]
    np.testing.assert_array_equal(points, np.concatenate(original.panels[1].outlines))
    np.testing.assert_array_equal(np.frombuffer(part(parts, header["expert"]), "<f4"), [0.5, 1.25, 2, 3])
    relevance = np.frombuffer(part(parts, lrp["relevance"]), np.int8).reshape(lrp["relevance"]["shape"])
    step = lrp["relevance"]["largest"] / 127
    np.testing.assert_allclose(relevance * step, original.panels[1].relevance, atol=0.51 * step)


def test_every_part_begins_where_the_browsers_arrays_want_it():
    block = encode_scene(scene())
    header, _ = decode_header(block)
    begin = len(block) - len(decode_header(block)[1])
    abouts = [header["radiograph"], header["expert"], *(panel["outlines"] for panel in header["panels"])]
    assert all((begin + about["offset"]) % 4 == 0 for about in abouts)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 999), exponent=st.integers(-30, 20))
def test_quantised_relevance_keeps_sign_zero_and_scale(seed, exponent):
    relevance = np.random.default_rng(seed).normal(size=(224, 224)).astype(np.float32) * np.float32(
        10.0**exponent
    )
    relevance[:9] = 0
    quantised, largest = quantise(relevance)
    assert largest == np.abs(relevance).max()
    np.testing.assert_allclose(quantised * (largest / 127), relevance, atol=0.51 * largest / 127)
    assert not quantised[:9].any()
    assert not ((np.sign(quantised) * np.sign(relevance)) < 0).any()


def test_a_map_of_zeros_stays_so():
    quantised, largest = quantise(np.zeros((7, 7), np.float32))
    assert (quantised.shape, largest) == ((224, 224), 0)
    assert not quantised.any()


def test_a_coarse_map_is_interpolated_before_it_is_coloured():
    coarse = np.random.default_rng(1).normal(size=(7, 7)).astype(np.float32)
    expected = F.interpolate(torch.as_tensor(coarse)[None, None], (224, 224), mode="bilinear")[0, 0].numpy()
    quantised, largest = quantise(coarse)
    np.testing.assert_allclose(quantised * (largest / 127), expected, atol=0.51 * largest / 127 + 1e-4)


@pytest.mark.parametrize("shape", [(2320, 2828), (3000, 1000)])
def test_a_large_radiograph_is_sent_smaller_and_its_true_size_told(shape):
    header, parts = decode_header(encode_scene(scene(pixels=np.zeros(shape, np.uint8))))
    assert header["size"] == list(shape)
    assert max(Image.open(io.BytesIO(part(parts, header["radiograph"]))).size) == 2048
