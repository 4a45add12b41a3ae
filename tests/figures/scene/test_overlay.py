"""The viewer's block of bytes: what goes in comes out, and no reader sees another map than the method's."""

from __future__ import annotations

import json
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shamsul_core.figures.scene.overlay import (
    decode_scene,
    encode_scene,
    map_for_screen,
    map_for_thresholds,
    picture_of,
    quantise,
)
from shamsul_core.figures.scene.relevance_colours import COLOUR_MAPS, oklab
from shamsul_core.figures.scene.scene import Agreement, Levels, Panel, Scene
from shamsul_core.figures.scene.score_grid import Metric
from shamsul_core.localisation.segmentation import grey_levels

IOU = Metric(name="IoU", value="0.37", help="overlap")
MAPS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(-1e6, 1e6, width=32, allow_nan=False),
)


def scene(*panels: Panel, pixels: np.ndarray | None = None, **more) -> Scene:
    pixels = np.full((60, 80), 90, np.uint8) if pixels is None else pixels
    return Scene(image_id="patient1", pathology="Edema", radiograph=picture_of(pixels), panels=panels, **more)


def sent(panel: Panel) -> dict:
    return decode_scene(encode_scene(scene(panel)))["panels"][0]


def points(outlines: dict) -> list[np.ndarray]:
    flat = np.frombuffer(outlines["points"], np.float32).reshape(-1, 2)
    return np.split(flat, np.cumsum(outlines["counts"])[:-1])


@given(MAPS)
def test_quantised_relevance_is_off_by_half_a_step_at_most_and_keeps_its_sign(relevance):
    greatest = float(np.abs(relevance).max())
    levels = quantise(relevance, greatest)
    assert levels.dtype == np.int8
    assert np.abs(levels / 127 * greatest - relevance).max() <= greatest / 254 * (1 + 1e-6)
    assert np.all((levels == 0) | (np.sign(levels) == np.sign(relevance)))


@given(hnp.arrays(np.float32, (7, 7), elements=st.floats(-100, 100, width=32)))
def test_a_coarse_map_is_interpolated_as_torch_does(relevance):
    """The second implementation is written out: half-pixel centres, edges clamped (align_corners=False)."""
    at = np.clip((np.arange(224) + 0.5) * 7 / 224 - 0.5, 0, 6)
    low = np.minimum(at.astype(int), 5)
    share = at - low
    rows = relevance[low] * (1 - share)[:, None] + relevance[low + 1] * share[:, None]
    wanted = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    np.testing.assert_allclose(map_for_screen(relevance, is_piecewise=False), wanted, atol=2e-3)


def test_a_coarse_map_is_interpolated_as_torch_itself_does():
    functional = pytest.importorskip("torch").nn.functional
    import torch

    relevance = np.random.default_rng(1).normal(size=(7, 7)).astype(np.float32)
    wanted = functional.interpolate(torch.from_numpy(relevance)[None, None], (224, 224), mode="bilinear")
    np.testing.assert_allclose(map_for_screen(relevance, is_piecewise=False), wanted[0, 0].numpy(), atol=1e-5)


@pytest.mark.parametrize("side", [64, 224, 448])
def test_superpixels_keep_their_values(side):
    relevance = np.random.default_rng(2).integers(-9, 9, (side // 8, side // 8)).repeat(8, 0).repeat(8, 1)
    shown = map_for_screen(relevance.astype(np.float32), is_piecewise=True)
    assert max(shown.shape) == min(side, 224)
    assert set(np.unique(shown)) == set(np.unique(relevance))


def test_a_fine_map_is_averaged():
    relevance = np.random.default_rng(3).normal(size=(448, 448)).astype(np.float32)
    wanted = relevance.reshape(224, 2, 224, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(map_for_screen(relevance, is_piecewise=False), wanted, atol=1e-6)


def test_the_radiograph_comes_back():
    smooth = cv2.GaussianBlur(np.random.default_rng(4).integers(0, 255, (90, 120), np.uint8), (0, 0), 5)
    radiograph = decode_scene(encode_scene(scene(pixels=smooth)))["radiograph"]
    shown = cv2.imdecode(np.frombuffer(radiograph["jpeg"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown.ndim == 2
    assert np.abs(shown.astype(int) - smooth).max() <= 6


def test_a_large_radiograph_travels_small_and_keeps_its_size_in_name():
    radiograph = decode_scene(encode_scene(scene(pixels=np.zeros((4096, 3000), np.uint8))))["radiograph"]
    assert (radiograph["width"], radiograph["height"]) == (3000, 4096)
    shown = cv2.imdecode(np.frombuffer(radiograph["jpeg"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown.shape == (2048, 1500)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), np.zeros((0, 4), np.uint8)]
)
def test_what_is_no_radiograph_is_refused(pixels):
    with pytest.raises(ValueError, match="uint8, H × W"):
        encode_scene(scene(pixels=pixels))


def test_equal_parts_have_equal_hashes_and_another_pathology_keeps_the_radiograph():
    def hashes(relevance):
        block = encode_scene(scene(Panel(key="lrp", title="LRP", relevance=relevance)))
        header = json.loads(block[4 : 4 + struct.unpack_from("<I", block)[0]])
        return header["radiograph"]["jpeg"]["hash"], header["panels"][0]["map"]["levels"]["hash"]

    one = np.array([[1, 2], [3, 4]], np.float32)
    (radiograph, levels), (same_radiograph, others) = hashes(one), hashes(one[::-1])
    assert radiograph == same_radiograph
    assert levels != others


def test_outlines_stay_within_a_pixel_and_lose_their_staircase():
    mask = cv2.circle(np.zeros((400, 400), np.uint8), (200, 190), 120, 1, cv2.FILLED)
    contour = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0][0][:, 0]
    (outline,) = points(
        sent(Panel(key="lrp", title="LRP", relevance=np.eye(2, dtype=np.float32), outlines=(contour,)))[
            "outlines"
        ]
    )
    assert len(outline) < len(contour) / 5
    distances = [
        abs(cv2.pointPolygonTest(outline, tuple(map(float, point)), measureDist=True)) for point in contour
    ]
    assert max(distances) <= 1.01


def test_several_outlines_stay_apart():
    squares = tuple(np.array([[0, 0], [9, 0], [9, 9], [0, 9]]) + shift for shift in (0, 20.5))
    outlines = decode_scene(encode_scene(scene(expert_outlines=squares)))["expert_outlines"]
    assert outlines["counts"] == [4, 4]
    for shown, square in zip(points(outlines), squares, strict=True):
        np.testing.assert_array_equal(shown, square)


def test_uncertain_superpixels_become_regions_of_the_full_radiograph():
    uncertain = np.array([[True, False], [False, False]])
    panel = Panel(
        key="shap",
        title="SHAP",
        relevance=np.ones((2, 2), np.float32),
        is_piecewise=True,
        uncertain=uncertain,
    )
    (region,) = points(sent(panel)["uncertain"])  # the radiograph is 60 × 80
    assert region.min(0).tolist() == [0, 0]
    assert region.max(0).tolist() == [39, 29]


def test_what_is_spoken_of_a_panel():
    panel = Panel(
        key="gradcam", title="Grad-CAM", relevance=np.ones((1, 1), np.float32), metrics=(IOU,), note="Aside."
    )
    assert sent(panel)["label"] == "Grad-CAM, Edema, IoU 0.37, Aside."


def test_a_missing_heatmap_is_a_reason_and_not_an_empty_map():
    shown = sent(Panel(key="lrp", title="LRP", note="Out of memory."))
    assert shown["is_failed"]
    assert shown["map"] is None
    assert (shown["message"], shown["note"]) == ("Out of memory.", None)
    assert shown["label"] == "LRP, Edema, Out of memory."
    assert "no reason" in sent(Panel(key="lrp", title="LRP"))["message"]


def test_a_heatmap_of_zeros_says_so():
    shown = sent(
        Panel(key="gradcam", title="Grad-CAM", relevance=np.zeros((7, 7), np.float32), note="Aside.")
    )
    assert not shown["is_failed"]
    assert (shown["map"], shown["message"], shown["note"]) == (
        None,
        "The heatmap is zero everywhere.",
        "Aside.",
    )


def test_the_experts_panel_is_due_no_heatmap():
    shown = sent(Panel(key="expert", title="Radiograph", note="The experts marked nothing here."))
    assert (shown["is_failed"], shown["message"]) == (False, None)
    assert shown["note"] == "The experts marked nothing here."


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_heatmap_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="LIME: a heatmap is"):
        sent(Panel(key="lime", title="LIME", relevance=np.array([[0, value]], np.float32)))


def test_two_panels_of_one_name_are_refused():
    with pytest.raises(ValueError, match="lrp, lrp"):
        encode_scene(scene(Panel(key="lrp", title="a"), Panel(key="lrp", title="b")))


AGAINST, TOWARDS = slice(126, None, -1), slice(128, None)


@pytest.mark.parametrize("colours", COLOUR_MAPS, ids=lambda one: one.key)
def test_colours_grow_lighter_and_more_opaque_evenly(colours):
    assert colours.table.shape == (255, 4)
    assert colours.table[127, 3] == 0
    lightness, opacity = oklab(colours.table[:, :3])[:, 0], colours.table[:, 3].astype(int)
    for side, stops in ((AGAINST, colours.against), (TOWARDS, colours.towards)):
        if not stops:
            assert not opacity[side].any()
            continue
        assert np.all(np.diff(opacity[side]) >= 0)
        steps = np.diff(lightness[side])
        assert steps.min() > -0.003
        assert np.all(np.abs(steps - steps.mean()) < 0.0035)  # 8-bit colours


def test_neither_sign_looks_stronger_in_the_first_colours_and_grey_tells_the_second_apart():
    first, second, _ = (oklab(one.table[:, :3])[:, 0] for one in COLOUR_MAPS)
    assert np.abs(first[AGAINST] - first[TOWARDS]).max() < 0.06
    assert second[AGAINST].max() + 0.1 < second[TOWARDS].min()


def test_the_map_to_threshold_says_in_each_cells_middle_what_the_core_says_there():
    """A radiograph three times as fine as its cells, each with a pixel right in its middle."""
    scaled = cv2.GaussianBlur(np.random.default_rng(0).random((672, 672), np.float32), (0, 0), 9)
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min())
    shown, grey = map_for_thresholds(scaled), grey_levels(scaled)
    assert (shown.shape, shown.dtype) == ((224, 224), np.uint16)
    for level in range(0, 255, 5):
        np.testing.assert_array_equal(shown >= 257 * (level + 1), grey[1::3, 1::3] > level)


def test_thresholds_and_agreements_travel_as_they_are():
    iou = np.linspace(0, 1, 256)
    iou[200:] = np.nan
    levels = Levels(
        map=np.arange(6, dtype=np.uint16).reshape(2, 3), iou=iou, area=iou[::-1], level=float("nan")
    )
    panel = Panel(key="lrp", title="LRP", relevance=np.eye(2, dtype=np.float32), levels=levels)
    agreement = Agreement(one="lrp", other="lime", iou=0.25, levels=iou)
    shown = decode_scene(encode_scene(scene(panel, agreements=(agreement,))))
    travelled = shown["panels"][0]["levels"]
    assert (travelled["width"], travelled["height"], travelled["level"]) == (3, 2, None)
    assert np.frombuffer(travelled["map"], "<u2").tolist() == list(range(6))
    np.testing.assert_array_equal(np.frombuffer(travelled["iou"], "<f4"), iou.astype(np.float32))
    np.testing.assert_array_equal(np.frombuffer(travelled["area"], "<f4"), iou[::-1].astype(np.float32))
    (pair,) = shown["agreements"]
    assert (pair["one"], pair["other"], pair["iou"]) == ("lrp", "lime", 0.25)
