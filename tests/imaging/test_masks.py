"""Masks as drawing tools write them, equal to what these tools' own libraries make of them."""

from __future__ import annotations

import io
import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from shamsul_core.imaging import ImageError, read_mask
from shamsul_core.imaging.rle import encode_mask
from tests.imaging.radiographs import SIZE, picture

MASK = np.zeros(SIZE, bool)
MASK[50:90, 60:200] = True
MASK[120:140, 10:40] = True


def read(content: object, pathology: str = "Edema", image_name: str = "a.png") -> np.ndarray:
    return read_mask(
        content if isinstance(content, bytes) else json.dumps(content).encode(), pathology, image_name
    )


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


# PNG


def test_what_is_not_black_is_marked():
    for values in (MASK.astype(np.uint8), MASK * np.uint8(255), MASK * np.uint16(4000)):
        assert np.array_equal(read(picture(values)), MASK)
    assert np.array_equal(
        read(picture(np.stack([MASK * np.uint8(200), MASK * 0, MASK * 0], 2).astype(np.uint8))), MASK
    )


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 0, 0)])
def test_what_is_transparent_is_not_marked(colour):
    rgba = np.dstack([np.full((*SIZE, 3), colour, np.uint8), MASK * np.uint8(120)])
    assert np.array_equal(read(picture(rgba)), MASK)
    grey = Image.fromarray(rgba).convert("LA")
    assert np.array_equal(read(png(grey)), MASK)


def test_opacity_that_is_the_same_everywhere_says_nothing():
    rgba = np.dstack([MASK * np.uint8(255)] * 3 + [np.full(SIZE, 255, np.uint8)])
    assert np.array_equal(read(picture(rgba)), MASK)


def test_a_palette_with_a_transparent_colour():
    image = Image.fromarray(MASK.astype(np.uint8)).convert("P")
    image.putpalette([0, 0, 0, 255, 0, 0])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=0)
    assert np.array_equal(read(file.getvalue()), MASK)


# CheXlocalize


def test_chexlocalizes_segmentations():
    segmentations = {"anything": {"Airspace Opacity": encode_mask(MASK)}}
    assert np.array_equal(read(segmentations, "Lung Opacity"), MASK)
    with pytest.raises(ImageError, match="no segmentation of Edema"):
        read(segmentations)


@pytest.mark.parametrize("content", [b"", b"{" * 10_000, b"[1, 2", b"GIF89a", b"{}", b"[]"])
def test_anything_else_is_refused_in_a_sentence(content):
    with pytest.raises(ImageError, match=r"neither a PNG nor a segmentation|contains no segmentation"):
        read(content)


# COCO


def coco_file(*segmentations: object, name: str = "Pulmonary_edema", **annotation: object) -> dict:
    return {
        "images": [{"id": 7, "file_name": "images/a.png", "height": SIZE[0], "width": SIZE[1]}],
        "categories": [{"id": 1, "name": "Cardiomegaly"}, {"id": 2, "name": name}],
        "annotations": [
            {"id": i, "image_id": 7, "category_id": 2, "segmentation": one, "bbox": [0, 0, 9, 9]} | annotation
            for i, one in enumerate(segmentations)
        ],
    }


def runs_of(mask: np.ndarray) -> list[int]:
    """COCO's uncompressed runs, worked by hand: down the columns, of 0 and 1 in turn, beginning with 0."""
    flat = mask.T.ravel().astype(int)
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *ends, flat.size]).tolist()
    return runs if flat[0] == 0 else [0, *runs]


def test_cocos_three_segmentations():
    compressed = coco.encode(np.asfortranarray(MASK.astype(np.uint8)))
    compressed["counts"] = compressed["counts"].decode()
    for segmentation in (compressed, {"size": list(SIZE), "counts": runs_of(MASK)}):
        assert np.array_equal(read(coco_file(segmentation, name="edema")), MASK)
    triangle = [[20.0, 30.0, 220.0, 40.0, 100.0, 200.0]]
    expected = coco.decode(coco.merge(coco.frPyObjects(triangle, *SIZE))) > 0
    assert np.array_equal(read(coco_file(triangle, name="EDEMA")), expected)
    assert np.array_equal(read(coco_file(triangle, compressed, name="Edema")), expected | MASK)


def test_coco_says_what_it_lacks():
    with pytest.raises(ImageError, match="its categories: Cardiomegaly, Swelling"):
        read(coco_file([[1, 2, 3, 4, 5, 6]], name="Swelling"))
    with pytest.raises(ImageError, match="boxes of Edema but no contour"):
        read(coco_file([], name="Edema"))
    several = coco_file([[20.0, 30.0, 220.0, 40.0, 100.0, 200.0]], name="Edema")
    several["images"].append({"id": 8, "file_name": "b.png", "height": 9, "width": 9})
    assert read(several, image_name="a.dcm").any()
    with pytest.raises(ImageError, match="2 radiographs, of which 0 are called 'c'"):
        read(several, image_name="c.png")


# Label Studio


def packed(mask: np.ndarray) -> list[int]:
    """Label Studio's code of a mask, as label-studio-sdk's ``encode_rle`` makes it of an RGBA picture, in its plainest form.

    thi.ng's rle-pack: number of values, their width less one, four widths of run lengths less one each; then the runs.
    """
    values = np.repeat(mask.ravel() * 255, 4)
    ends = np.flatnonzero(np.diff(values.astype(int))) + 1
    starts = np.array([0, *ends, len(values)])
    bits = f"{len(values):032b}" + f"{7:05b}" + "".join(f"{width - 1:04b}" for width in (3, 4, 8, 16))
    for start, end in pairwise(starts):
        for at in range(start, end, 2**16):
            bits += "1" + "11" + f"{min(end - at, 2**16) - 1:016b}" + f"{values[start]:08b}"
    bits += "0" * (-len(bits) % 8)
    return [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]


def label_studio(kind: str, value: dict) -> list[dict]:
    result = {
        "type": kind,
        "original_height": SIZE[0],
        "original_width": SIZE[1],
        "value": value | {kind: ["Edema"]},
    }
    return [{"id": 1, "data": {"image": "/data/upload/a.png"}, "annotations": [{"result": [result]}]}]


def test_label_studios_brush_and_polygon():
    brush = label_studio("brushlabels", {"format": "rle", "rle": packed(MASK)})
    assert np.array_equal(read(brush), MASK)
    square = label_studio("polygonlabels", {"points": [[20, 25], [80, 25], [80, 75], [20, 75]]})
    marked = read(square)
    rows, columns = np.nonzero(marked)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (65, 195, 60, 240)
    assert marked[65:196, 60:241].all()
    with pytest.raises(ImageError, match=r"no brush or polygon of Fracture .*its labels: Edema"):
        read(brush, "Fracture")


def test_a_brush_that_is_cut_short_is_refused():
    with pytest.raises(ImageError, match="cut short"):
        read(label_studio("brushlabels", {"rle": packed(MASK)[:20]}))
