"""COCO's JSON: TBX11K's own files, and made ones against pycocotools."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pycocotools import mask as coco
from pycocotools.coco import COCO

from shamsul_core.cohort import CohortError, open_cohort

SIZE = (60, 80)
TRIANGLE = [10.0, 10.0, 50.0, 12.0, 30.0, 40.0]
SQUARE = [60.0, 5.0, 75.0, 5.0, 75.0, 20.0, 60.0, 20.0]


def compressed(mask):
    encoded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": encoded["size"], "counts": encoded["counts"].decode()}


def runs(mask):
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, flat.size]).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}


def stored(**changes):
    mask = np.zeros(SIZE, bool)
    mask[20:40, 30:70] = True
    segmentations = [[TRIANGLE, SQUARE], compressed(mask), runs(mask)]
    annotations = [
        {
            "id": number,
            "image_id": f"id-{number}",
            "category_id": number,
            "segmentation": segmentation,
            "bbox": [30, 20, 40, 20],
            "area": 1,
            "iscrowd": int(number > 1),
        }
        for number, segmentation in enumerate(segmentations, 1)
    ]
    annotations.append({"id": 4, "image_id": "id-3", "category_id": 4, "bbox": [1.5, 2.25, 10, 20]})
    return {
        "images": [
            {"id": f"id-{number}", "file_name": f"files/{number}.png", "width": 80, "height": 60}
            for number in (1, 2, 3)
        ],
        "categories": [
            {"id": number, "name": name}
            for number, name in enumerate(("Mass", "lung opacity", "Scar", "Nodule"), 1)
        ],
        "annotations": annotations,
    } | changes


@pytest.fixture
def made(put):
    put("annotations/instances_default.json", stored())
    for number in (1, 2, 3):
        path = put(f"images/{number}.png", SIZE)
    return path.parents[1]


def test_polygons_both_encodings_and_boxes_are_pycocotools_own(made):
    cohort = open_cohort(made)
    assert (cohort.layout, cohort.split, cohort.problems) == ("coco", "all", ())
    assert list(cohort.radiographs) == ["files_1", "files_2", "files_3"]
    assert cohort.observations == ("Mass", "Lung Opacity", "Scar", "Nodule")
    assert [cohort.truth_kind(name) for name in cohort.observations] == [
        "polygon",
        "contour",
        "contour",
        "box",
    ]
    content = stored()
    for annotation, (image_id, name) in zip(
        content["annotations"],
        [("files_1", "Mass"), ("files_2", "Lung Opacity"), ("files_3", "Scar"), ("files_3", "Nodule")],
        strict=True,
    ):
        segmentation = annotation.get("segmentation")
        if isinstance(segmentation, list):
            expected = coco.decode(coco.merge(coco.frPyObjects(segmentation, *SIZE)))
        elif segmentation is not None:
            encoded = (
                segmentation
                if isinstance(segmentation["counts"], str)
                else coco.frPyObjects(segmentation, *SIZE)
            )
            expected = coco.decode(encoded)
        else:
            expected = coco.decode(coco.frPyObjects(np.array([annotation["bbox"]]), *SIZE))[..., 0]
        mine = cohort.annotation(image_id, name)
        np.testing.assert_array_equal(mine.mask(), expected.astype(bool))
        assert mine.area == expected.sum() > 0
        assert {one for one, label in cohort.radiographs[image_id].labels.items() if label} >= {name}
    drawn = cohort.annotation("files_1", "Mass").contours
    np.testing.assert_array_equal(drawn[1], np.reshape(SQUARE, (-1, 2)) - 0.5)
    assert cohort.annotation("files_2", "Mass").is_empty, "others were looked at and have none"
    assert cohort.check() == ()


def test_a_category_with_a_bare_box_is_boxes_throughout(made, put):
    content = stored()
    content["annotations"].append({"id": 5, "image_id": "id-2", "category_id": 1, "bbox": [1, 1, 5, 5]})
    del content["annotations"][0]["bbox"]
    put("annotations/instances_default.json", content)
    cohort = open_cohort(made)
    assert cohort.truth_kind("Mass") == "box"
    # Around both polygons
    assert cohort.annotation("files_1", "Mass").boxes.tolist() == [[10, 5, 75, 40]]


def test_files_of_splits_and_the_same_image_in_several(made, put):
    (made / "annotations/instances_default.json").unlink()
    put("annotations/all_train.json", stored())
    put("annotations/all_trainval.json", stored())
    put(
        "annotations/all_val.json",
        stored(images=stored()["images"][:1], annotations=stored()["annotations"][:1]),
    )
    assert open_cohort(made).split == "val"
    assert list(open_cohort(made).radiographs) == ["files_1"]
    everything = open_cohort(made, split="all")
    assert len(everything.radiographs) == 3
    assert open_cohort(made, split="train").fingerprint == everything.fingerprint
    with pytest.raises(CohortError, match="no split named 'test'; there are val, train, all"):
        open_cohort(made, split="test")


def test_each_split_with_its_file_beside_its_images(put):
    """As Roboflow exports them."""
    content = stored(images=[{"id": "id-1", "file_name": "1.png", "width": 80, "height": 60}], annotations=[])
    for split, shade in (("train", (60, 80)), ("valid", (60, 80))):
        put(f"{split}/_annotations.coco.json", content)
        folder = put(f"{split}/1.png", shade).parents[1]
    for split, place in (("train", "train"), ("val", "valid")):
        cohort = open_cohort(folder, split=split)
        assert (cohort.problems, cohort.radiographs["1"].path) == ((), folder / place / "1.png")
    assert open_cohort(folder).split == "val"


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({"bbox": [1, 2, 3]}, "a box must be four numbers"),
        ({"bbox": ["nan", 1, 2, 3]}, "a box must be four numbers"),
        ({"image_id": "elsewhere", "bbox": [1, 2, 3, 4]}, "no image or no category"),
        ({}, "neither bbox nor segmentation"),
        ({"segmentation": [["a"] * 6]}, "a polygon must be"),
        ("nothing", "no image or no category"),
    ],
)
def test_an_annotation_that_cannot_be_read_leaves_the_others(made, put, annotation, message):
    content = stored()
    wrong = (
        {"id": 9, "image_id": "id-1", "category_id": 2} | annotation
        if isinstance(annotation, dict)
        else annotation
    )
    content["annotations"].append(wrong)
    put("annotations/instances_default.json", content)
    cohort = open_cohort(made)
    (problem,) = cohort.problems
    assert message in str(problem)
    assert cohort.marked_on("files_3") == ("Scar", "Nodule")


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ([[1, 2, 3, 4]], "a polygon must be"),
        ([[1, 2, 3, 4, 5, 1e9]], "far outside"),
        ({"size": [60, 80], "counts": "~~~"}, "does not decode"),
        ({"size": [6, 8], "counts": [48]}, "the mask is 6 × 8, its radiograph 60 × 80"),
        ([[500, 500, 510, 500, 510, 510]], "far outside"),
        ([[150, 110, 155, 110, 155, 115]], "outside the radiograph"),
    ],
)
def test_a_segmentation_that_cannot_be_used_is_named_by_check(made, put, segmentation, message):
    content = stored()
    content["annotations"][0] |= {"segmentation": segmentation, "bbox": [1, 1, 2, 2]}
    put("annotations/instances_default.json", content)
    cohort = open_cohort(made)
    (problem,) = cohort.check()
    assert message in str(problem)
    assert "files_1 Mass" in str(problem)


def test_what_is_no_such_file_is_said(made, put):
    path = made / "annotations/instances_default.json"
    path.write_text(path.read_text()[:-5])
    with pytest.raises(CohortError, match=r"instances_default\.json: it cannot be read"):
        open_cohort(made)
    path.write_text(json.dumps({"images": {}, "annotations": [], "categories": []}))
    with pytest.raises(CohortError, match="must hold the lists"):
        open_cohort(made)


def test_tbx11k_as_released(public_samples):
    folder = public_samples / "tbx11k"
    cohort = open_cohort(folder)
    assert (cohort.layout, cohort.split, cohort.check()) == ("coco", "train", ())
    assert list(cohort.radiographs) == ["tb_tb0005", "health_h0001"]
    assert cohort.observations == (
        "ActiveTuberculosis",
        "ObsoletePulmonaryTuberculosis",
        "PulmonaryTuberculosis",
    )
    assert cohort.marked_pathologies == ("ActiveTuberculosis",)
    annotation = cohort.annotation("tb_tb0005", "ActiveTuberculosis")
    released = COCO(str(folder / "annotations/json/TBX11K_train.json"))
    (box,) = (one["bbox"] for one in released.loadAnns(released.getAnnIds(imgIds=[1])))
    expected = coco.decode(coco.frPyObjects(np.array([box]), 512, 512))[..., 0].astype(bool)
    np.testing.assert_array_equal(annotation.mask(), expected)
    assert cohort.annotation("health_h0001", "ActiveTuberculosis").is_empty
