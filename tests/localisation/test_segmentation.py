"""Segmentation against CheXlocalize's recipe written out a second time, with torch and Pillow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from shamsul_core.heatmap import Heatmap
from shamsul_core.localisation.segmentation import PRESETS, SegmentationSettings, outline, resize, segment

SIGNED = PRESETS["paper"]


def heatmap(relevance):
    return Heatmap(method="m", pathology="Edema", output="logit", values=np.asarray(relevance, np.float32))


def slowly(relevance, size, threshold=None, smoothing=0):
    """The recipe of reference: torch's interpolation, every outline a polygon of Pillow's."""
    tensor = torch.as_tensor(relevance, dtype=torch.float32)[None, None]
    scaled = F.interpolate(tensor, size, mode="bilinear", align_corners=False)[0, 0]
    scaled = scaled - scaled.min()
    scaled = (scaled / scaled.max()).numpy()
    if threshold is not None:
        return scaled > threshold, threshold
    grey = np.uint8(255 * scaled)
    if smoothing:
        colours = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_JET), cv2.COLOR_RGB2GRAY)
        grey = 255 - cv2.boxFilter(colours, -1, (smoothing, smoothing))
    value, above = cv2.threshold(grey, 0, int(grey.max()), cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(above, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    drawing = Image.new("1", (size[1], size[0]))
    for contour in contours:
        if len(contour) > 1:
            ImageDraw.Draw(drawing).polygon(
                [(int(p[0][0]), int(p[0][1])) for p in contour], outline=1, fill=1
            )
    return np.array(drawing), value / 255


def random_map(side, seed):
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(side, side)).astype(np.float32)
    return noise if seed % 2 else cv2.GaussianBlur(noise, (5, 5), 2)


@settings(max_examples=40)
@given(
    side=st.sampled_from([7, 14, 40, 112]), seed=st.integers(0, 10_000), smoothing=st.sampled_from([0, 0, 5])
)
def test_equals_the_recipe_written_out(side, seed, smoothing):
    relevance = random_map(side, seed)
    expected, threshold = slowly(relevance, (260, 310), smoothing=smoothing)
    chosen = SegmentationSettings(sign="signed", smoothing=smoothing)
    found = segment(heatmap(relevance), (260, 310), chosen)
    assert found.threshold == pytest.approx(threshold, abs=1.01 / 255)
    # torch and OpenCV round their interpolation differently, which can move a grey value on a border by one
    assert np.count_nonzero(found.mask != expected) <= 1e-3 * expected.size
    assert found.mask.any()


@settings(max_examples=200)
@given(
    height=st.integers(2, 60),
    width=st.integers(2, 60),
    seed=st.integers(0, 10_000),
    blur=st.sampled_from([0.3, 0.7, 1.5, 3]),
    smoothing=st.sampled_from([0, 3]),
)
def test_at_the_maps_own_size_it_is_the_recipe_to_the_pixel(height, width, seed, blur, smoothing):
    # nothing is interpolated here, so that filling the outer outlines meets Pillow's polygons of every outline
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    relevance = cv2.GaussianBlur(noise, (0, 0), blur)
    expected, threshold = slowly(relevance, (height, width), smoothing=smoothing)
    chosen = SegmentationSettings(sign="signed", smoothing=smoothing)
    found = segment(heatmap(relevance), (height, width), chosen)
    np.testing.assert_array_equal(found.mask, expected)
    assert found.threshold == pytest.approx(threshold)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_a_given_threshold_is_applied_without_filling(threshold):
    relevance = random_map(20, 3)
    relevance[8:12, 8:12] = 4
    relevance[9:11, 9:11] = -4
    chosen = SegmentationSettings(sign="signed", thresholds={"Edema": threshold})
    found = segment(heatmap(relevance), (200, 220), chosen)
    expected, _ = slowly(relevance, (200, 220), threshold)
    assert np.count_nonzero(found.mask != expected) <= 2
    assert found.threshold == threshold
    assert not found.mask[100, 110]


def test_holes_are_filled_and_single_pixels_dropped_with_otsu():
    relevance = np.zeros((60, 60), np.float32)
    relevance[10:40, 10:40] = 1
    relevance[20:30, 20:30] = 0
    relevance[50, 50] = 1
    mask = segment(heatmap(relevance), (60, 60), SIGNED).mask
    expected = np.zeros((60, 60), bool)
    expected[10:40, 10:40] = True
    np.testing.assert_array_equal(mask, expected)


@settings(max_examples=30)
@given(side=st.integers(1, 40), height=st.integers(1, 90), width=st.integers(1, 90), seed=st.integers(0, 99))
def test_resize_is_torchs_bilinear(side, height, width, seed):
    relevance = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    expected = F.interpolate(torch.as_tensor(relevance)[None, None], (height, width), mode="bilinear")[
        0, 0
    ].numpy()
    np.testing.assert_allclose(resize(relevance, (height, width)), expected, atol=2e-4)


def test_sign_is_taken_before_everything_else():
    relevance = np.full((10, 10), -1, np.float32)
    relevance[:5, :5] = 0.1
    relevance[5:, 5:] = -3
    size = (10, 10)
    corner = np.zeros(size, bool)
    corner[:5, :5] = True
    np.testing.assert_array_equal(
        segment(heatmap(relevance), size, SegmentationSettings(sign="positive")).mask, corner
    )
    signed = segment(heatmap(relevance), size, SegmentationSettings(sign="signed")).mask
    np.testing.assert_array_equal(signed, relevance > -2)
    absolute = segment(heatmap(relevance), size, SegmentationSettings(sign="absolute")).mask
    np.testing.assert_array_equal(absolute, relevance < -2)


@pytest.mark.parametrize(
    ("relevance", "chosen", "probability", "reason"),
    [
        (np.full((7, 7), 3.0), SIGNED, 0.5, "the heatmap is the same everywhere"),
        (np.zeros((7, 7)), PRESETS["default"], 0.5, "nothing speaks for the pathology"),
        (-np.arange(49.0).reshape(7, 7), PRESETS["default"], 0.5, "nothing speaks for the pathology"),
        (
            np.arange(49.0).reshape(7, 7),
            SegmentationSettings(probability_cutoffs={"Edema": 0.4}),
            0.39,
            "predicted probability 0.39 is below the cutoff 0.40",
        ),
    ],
)
def test_an_empty_mask_says_why(relevance, chosen, probability, reason):
    found = segment(heatmap(relevance), (30, 40), chosen, probability=probability)
    assert found.mask.shape == (30, 40)
    assert not found.mask.any()
    assert found.reason == reason
    assert np.isnan(found.threshold)


def test_an_empty_mask_that_the_threshold_made_says_so():
    relevance = np.zeros((30, 40))
    relevance[5, 5] = 1
    otsu = segment(heatmap(relevance), (30, 40), SIGNED)
    fixed = segment(heatmap(relevance), (30, 40), SegmentationSettings(thresholds={"Edema": 1.0}))
    assert not otsu.mask.any()
    assert otsu.reason == "only single pixels exceed Otsu's threshold"
    assert not fixed.mask.any()
    assert (fixed.threshold, fixed.reason) == (1.0, "nothing exceeds the threshold")


@pytest.mark.parametrize(
    ("relevance", "size", "named"),
    [
        (np.full((3, 3), np.nan), (30, 40), "gradcam heatmap of Edema holds NaN"),
        (np.array([[0, np.inf]]), (30, 40), "infinite"),
        (np.zeros((0, 3)), (30, 40), r"shape \(0, 3\)"),
        (np.zeros(3), (30, 40), r"shape \(3,\)"),
        (np.eye(3), (30, 0), r"radiograph of \(30, 0\)"),
    ],
)
def test_what_is_no_map_is_an_error_that_says_so(relevance, size, named):
    values = np.asarray(relevance, np.float32)
    with pytest.raises(ValueError, match=named):
        segment(Heatmap(method="gradcam", pathology="Edema", output=None, values=values), size, SIGNED)


@pytest.mark.parametrize("wrong", [{"sign": "negative"}, {"smoothing": -1}])
def test_settings_that_do_not_exist_are_refused(wrong):
    with pytest.raises(ValueError, match="no such segmentation"):
        SegmentationSettings(**wrong)


def test_at_the_cutoff_and_for_other_pathologies_the_mask_stays():
    relevance = np.arange(49.0).reshape(7, 7)
    for cutoffs in ({"Edema": 0.4}, {"Cardiomegaly": 0.9}):
        chosen = SegmentationSettings(probability_cutoffs=cutoffs)
        assert segment(heatmap(relevance), (30, 40), chosen, probability=0.4).mask.any()


def test_the_heatmap_is_left_as_it_was():
    relevance = random_map(30, 1)
    one = heatmap(relevance.copy())
    for chosen in (SIGNED, PRESETS["default"], SegmentationSettings(sign="absolute")):
        segment(one, (30, 30), chosen)
    np.testing.assert_array_equal(one.values, relevance)


def test_settings_survive_json():
    chosen = SegmentationSettings(sign="absolute", thresholds={"Edema": 0.3}, smoothing=5)
    assert SegmentationSettings.from_json(chosen.to_json()) == chosen


def test_an_outline_encloses_the_mask():
    mask = np.zeros((50, 50), bool)
    mask[10:20, 5:30] = True
    (found,) = outline(mask)
    assert {tuple(point) for point in found.tolist()} == {(5, 10), (5, 19), (29, 10), (29, 19)}
