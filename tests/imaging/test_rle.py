"""Masks: encoding is decoding's inverse, equals pycocotools, and garbage ends in one line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco_mask

from shamsul_core.cohort import Annotation, CohortError
from shamsul_core.imaging.contours import fill_contours, outline_mask
from shamsul_core.imaging.refusals import MaskError
from shamsul_core.imaging.rle import area_of_rle, decode_rle, encode_mask, run_lengths

# pycocotools 2.0.11 decodes with a deprecated call of numpy; ours does not go through it.
their_warning = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40))


def is_one_line(error: MaskError) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < 200


def slow_runs(mask: np.ndarray) -> list[int]:
    """Count the runs pixel by pixel, down the columns, beginning outside."""
    runs, current = [0], False
    for value in mask.T.ravel().tolist():
        if value != current:
            runs.append(0)
            current = value
        runs[-1] += 1
    return runs


@given(masks)
def test_decoding_inverts_encoding(mask):
    decoded = decode_rle(encode_mask(mask))
    assert decoded.dtype == bool
    assert decoded.flags.c_contiguous
    assert np.array_equal(decoded, mask)


@their_warning
@given(masks)
def test_equal_to_pycocotools(mask):
    theirs = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = encode_mask(mask)
    assert (ours["size"], ours["counts"].encode()) == (theirs["size"], theirs["counts"])
    assert np.array_equal(decode_rle(theirs), coco_mask.decode(theirs).astype(bool))
    assert area_of_rle(ours) == coco_mask.area(theirs) == mask.sum()


@given(masks)
def test_the_list_of_runs_and_the_text_are_the_same_mask(mask):
    runs = slow_runs(mask)
    assert run_lengths(encode_mask(mask)).tolist() == runs
    assert np.array_equal(decode_rle({"size": list(mask.shape), "counts": runs}), mask)


def test_large_mask_with_runs_of_several_characters():
    mask = np.zeros((2320, 2828), dtype=bool)
    mask[100:2000, 300:2500] = True
    mask[1000, 1000] = False
    rle = encode_mask(mask)
    assert np.array_equal(decode_rle(rle), mask)
    assert area_of_rle(rle) == 1900 * 2200 - 1


@pytest.mark.parametrize(
    ("rle", "line"),
    [
        ({"size": [2, 2], "counts": "2"}, "its runs cover 2 pixels, its size is 2 × 2"),
        ({"size": [2, 2], "counts": "222"}, "its runs cover 6 pixels"),
        ({"size": [2, 2], "counts": ""}, "is not run-length encoded text"),
        ({"size": [2, 2], "counts": "2 2"}, "is not run-length encoded text"),
        ({"size": [2, 2], "counts": "2é"}, "its counts are '2é'"),
        ({"size": [2, 2], "counts": "2R"}, "the encoding is cut off"),
        ({"size": [2, 2], "counts": "5O"}, "run 2 is negative"),
        ({"size": [2, 2], "counts": "oooooooooooo0"}, "a run is longer than any radiograph"),
        ({"size": [2, 2], "counts": [5, -1]}, "-1 is not the length of a run"),
        ({"size": [2, 2], "counts": [2, 2.0]}, "2.0 is not the length of a run"),
        ({"size": [2, 2], "counts": [True, 3]}, "True is not the length of a run"),
        ({"size": [2, 2], "counts": [2**70]}, "is not the length of a run"),
        ({"size": [2, 2], "counts": None}, "its counts are None"),
        ({"size": [0, 2], "counts": "2"}, "the size must be [height, width] in whole pixels, it is [0, 2]"),
        ({"size": [2.5, 2], "counts": "2"}, "the size must be [height, width]"),
        ({"size": "22", "counts": "2"}, "the size must be [height, width]"),
        ({"size": [10**6, 10**6], "counts": [10**12]}, "is not that of a radiograph"),
        ({"counts": "22"}, "the mask must be an object with size and counts"),
        ([2, 2], "the mask must be an object with size and counts, it is [2, 2]"),
    ],
)
def test_malformed_encodings_are_named(rle, line):
    with pytest.raises(MaskError) as caught:
        decode_rle(rle)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
coco_text = st.text(alphabet=[chr(code) for code in range(48, 112)], max_size=30)
sizes = st.lists(st.integers(1, 9), min_size=2, max_size=2)


@given(
    st.fixed_dictionaries(
        {"size": sizes | json_values, "counts": coco_text | coco_text.map(str.encode) | json_values}
    )
)
@example({"size": [3, 3], "counts": "o" * 100_000})
@example({"size": [1, 1], "counts": "1\x00"})
def test_garbage_raises_nothing_but_cohort_error(rle):
    try:
        mask = decode_rle(rle)
    except MaskError as error:
        is_one_line(error)
    else:
        assert list(mask.shape) == list(rle["size"])


@their_warning
@given(masks, st.integers(0, 10_000), st.integers(48, 111), st.booleans())
def test_a_spoilt_encoding_is_an_error_or_another_mask(mask, place, code, is_cut):
    rle = encode_mask(mask)
    place %= len(rle["counts"])
    spoilt = rle["counts"][:place] + ("" if is_cut else chr(code) + rle["counts"][place + 1 :])
    try:
        decoded = decode_rle({**rle, "counts": spoilt})
    except MaskError:
        return
    # What we let through is well-formed, so pycocotools may see it, and must agree.
    assert np.array_equal(
        decoded, coco_mask.decode({"size": rle["size"], "counts": spoilt.encode()}).astype(bool)
    )


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 2, 2)])
def test_what_is_no_mask_is_not_encoded(shape):
    with pytest.raises(MaskError, match="a mask must be height × width"):
        encode_mask(np.zeros(shape, dtype=bool))


def test_filled_contours_include_the_outline_and_join():
    filled = fill_contours([[(1, 1), (3, 1), (3, 2), (1, 2)], [(6, 0), (6, 4)]], (5, 8))
    expected = np.zeros((5, 8), dtype=bool)
    expected[1:3, 1:4] = True
    expected[:, 6] = True
    assert np.array_equal(filled, expected)


@pytest.mark.parametrize(
    ("contours", "line"),
    [
        ([[(1, 1)]], "a contour needs at least two points"),
        ([[]], "a contour needs at least two points"),
        ([[(1, 1), (2, float("nan"))]], "the points must be"),
        ([[(1, 1), (2,)]], "the points must be"),
        ([[(1, 1, 1), (2, 2, 2)]], "the points must be"),
        ([[("1", "1"), ("2", "2")]], "the points must be"),
        ([[(1, 1), (1e300, 2)]], "a contour lies far outside the radiograph of 5 × 8"),
        ({"x": 1}, "the contours must be a list"),
        ([7], "the points must be"),
    ],
)
def test_malformed_contours_are_named(contours, line):
    with pytest.raises(MaskError) as caught:
        fill_contours(contours, (5, 8))
    assert line in str(caught.value)


@given(json_values)
def test_garbage_for_contours_raises_nothing_but_cohort_error(contours):
    try:
        assert fill_contours(contours, (5, 8)).shape == (5, 8)
    except MaskError as error:
        is_one_line(error)


def test_outlines_of_a_mask_show_its_hole():
    mask = np.zeros((20, 30), dtype=bool)
    mask[2:18, 5:25] = True
    assert [outline.tolist() for outline in outline_mask(mask)] == [[[5, 2], [5, 17], [24, 17], [24, 2]]]
    mask[8:12, 10:15] = False
    assert len(outline_mask(mask)) == 2


def test_an_annotation_without_mask_and_contours_is_empty():
    annotation = Annotation(image_id="patient1_study1_view1_frontal", pathology="Edema", size=(4, 6))
    assert annotation.is_empty
    assert annotation.area == 0
    assert annotation.contours == ()
    assert annotation.mask().shape == (4, 6)
    assert not annotation.mask().any()


def test_a_mask_of_another_size_than_the_annotation_is_named():
    rle = encode_mask(np.ones((2, 3), dtype=bool))
    annotation = Annotation(image_id="a", pathology="Edema", size=(3, 2), rle=rle, source="gt.json")
    with pytest.raises(CohortError) as caught:
        annotation.mask()
    assert str(caught.value) == "gt.json a Edema: the mask is 2 × 3, it should be 3 × 2"
