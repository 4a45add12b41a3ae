"""ChestX-ray14: the head of the real tables with their one radiograph, the whole tables, and what may be wrong."""

from __future__ import annotations

import csv
import shutil
from collections import Counter

import numpy as np
import pytest
from pycocotools import mask as coco

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.cohort.patients import number_patients
from shamsul_core.cohort.summary import cohort_table, label_counts, marked_counts, marked_ids
from tests.cohort.layouts.conftest import unzipped

TABLE = """\
Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],
00000001_000.png,Cardiomegaly|Effusion,0,1,058Y,M,PA,2682,2749,0.143,0.143,
00000001_001.png,No Finding,1,1,58,M,AP,2894,2729,0.143,0.143,
00000002_000.png,Pleural_Thickening|Sarcoid,0,2,414,F,PA,2500,2048,0.171,0.171,
"""
BOXES = """\
Image Index,Finding Label,Bbox [x,y,w,h],,,
00000001_000.png,Cardiomegaly,256.0,512.0,512.0,256.0
00000001_000.png,Infiltrate,0.5,0.5,10,10
00000001_000.png,Mass,one,2,3,4
"""


@pytest.fixture
def made(put):
    put("Data_Entry_2017.csv", TABLE)
    put("BBox_List_2017.csv", BOXES)
    put("images_001/images/00000001_000.png", (128, 256))
    put("images_001/images/00000001_001.png", (64, 64))
    return put("images_012/images/00000002_000.png", (64, 64)).parents[2]


def test_rows_and_boxes_are_read_as_they_stand(made):
    cohort = open_cohort(made)
    assert (cohort.layout, cohort.split, cohort.name) == ("nih", "all", "made/all")
    first, second, third = cohort.radiographs.values()
    assert {name for name, label in first.labels.items() if label} == {"Cardiomegaly", "Pleural Effusion"}
    assert {name for name, label in second.labels.items() if label} == {"No Finding"}
    assert {name for name, label in third.labels.items() if label} == {"Pleural Thickening"}
    assert tuple(first.labels) == cohort.observations
    assert (first.view, first.projection, first.sex, first.age) == ("frontal", "PA", "Male", 58)
    assert (second.projection, third.sex, third.age) == ("AP", "Female", None)
    assert number_patients(cohort.radiographs).tolist() == [0, 0, 1]
    assert cohort.marked_pathologies == ("Cardiomegaly", "Infiltration")
    assert cohort.truth_kind("Infiltrate") == "box"
    assert [str(problem) for problem in cohort.problems] == [
        "Data_Entry_2017.csv line 4: 'Sarcoid' is not one of the fourteen; it is left out",
        "BBox_List_2017.csv line 4: a box must be four numbers, it is ['one', '2', '3', '4']; it is left out",
    ]
    assert len(cohort.check()) == 2


def test_boxes_of_1024_pixels_lie_on_smaller_files(made):
    cohort = open_cohort(made)
    annotation = cohort.annotation("00000001_000", "Cardiomegaly")
    # A file of 128 × 256: an eighth of the height, a quarter of the width
    assert annotation.boxes.tolist() == [[64.0, 64.0, 192.0, 96.0]]
    assert annotation.size == (128, 256)
    mask = np.zeros((128, 256), bool)
    mask[64:96, 64:192] = True
    np.testing.assert_array_equal(annotation.mask(), mask)
    assert cohort.annotations("00000001_000", "Cardiomegaly")[0].kind == "box"


def test_where_there_is_no_box_nobody_is_taken_to_have_looked(made):
    cohort = open_cohort(made)
    assert cohort.annotation("00000001_001", "Cardiomegaly") is None
    assert cohort.annotations("00000001_001", "Cardiomegaly") == ()
    assert cohort.marked_on("00000001_000") == ("Cardiomegaly", "Infiltration")
    assert marked_ids(cohort) == ["00000001_000"]
    assert marked_counts(cohort) == {"Cardiomegaly": 1, "Infiltration": 1}
    with pytest.raises(CohortError, match="'Hernia' is not one of the pathologies that are marked"):
        cohort.annotation("00000001_000", "Hernia")
    with pytest.raises(CohortError, match="there is no radiograph 'b'"):
        cohort.annotation("b", "Cardiomegaly")


def test_the_lists_are_the_splits_and_the_test_list_is_opened(made, put):
    put("test_list.txt", "00000001_000.png\n00000001_001.png\n")
    put("train_val_list.txt", "00000002_000.png")
    assert list(open_cohort(made).radiographs) == ["00000001_000", "00000001_001"]
    assert list(open_cohort(made, split="train").radiographs) == ["00000002_000"]
    assert len(open_cohort(made, split="all").radiographs) == 3
    problems = open_cohort(made, split="train").problems
    assert not any("no table names" in str(problem) for problem in problems), "boxes of another split"
    with pytest.raises(CohortError, match="no split named 'val'; there are test, train, all"):
        open_cohort(made, split="val")


def test_radiographs_without_a_file_are_left_out_but_where_none_has_one(made):
    shutil.rmtree(made / "images_012")
    cohort = open_cohort(made)
    assert len(cohort.radiographs) == 2
    assert "2 of 3 radiographs have a file in" in str(cohort.problems[-1])
    shutil.rmtree(made / "images_001")
    cohort = open_cohort(made)
    assert len(cohort.radiographs) == 3
    assert "none of 3 radiographs have a file" in str(cohort.problems[-1])
    assert cohort.annotation("00000001_000", "Cardiomegaly").size == (1024, 1024)
    assert sum("image file is missing" in str(problem) for problem in cohort.check()) == 3


def test_the_fingerprint_is_of_labels_and_boxes_not_of_the_place(made, tmp_path, put):
    before = open_cohort(made).fingerprint
    shutil.copytree(made, tmp_path / "elsewhere")
    assert open_cohort(tmp_path / "elsewhere").fingerprint == before
    put("BBox_List_2017.csv", BOXES.replace("512.0,256.0\n", "512.0,255.0\n"))
    boxes = open_cohort(made).fingerprint
    put("Data_Entry_2017.csv", TABLE.replace("No Finding", "Hernia"))
    assert len({before, boxes, open_cohort(made).fingerprint}) == 3


def test_the_real_radiograph_and_the_head_of_its_tables(public_samples):
    cohort = open_cohort(public_samples / "nih")
    (radiograph,) = cohort.radiographs.values()
    assert (radiograph.id, radiograph.size, radiograph.age, radiograph.sex) == (
        "00000001_000",
        (512, 512),
        57,
        "Male",
    )
    assert {name for name, label in radiograph.labels.items() if label} == {"Cardiomegaly"}


@pytest.mark.slow
def test_the_whole_real_tables(public_samples, tmp_path):
    """112,120 rows and 984 boxes on 880 radiographs (Wang et al. 2017), here against what csv and pycocotools say."""
    samples = public_samples / "nih"
    table = unzipped(samples / "Data_Entry_2017_v2020-whole.csv.gz", tmp_path / "Data_Entry_2017_v2020.csv")
    boxes = unzipped(samples / "BBox_List_2017-whole.csv.gz", tmp_path / "BBox_List_2017.csv")
    cohort = open_cohort(tmp_path)
    assert len(cohort.radiographs) == 112_120
    assert len(cohort.problems) == 1
    with table.open(encoding="utf-8") as file:
        words = Counter(word for row in csv.DictReader(file) for word in row["Finding Labels"].split("|"))
    counts = label_counts(cohort_table(cohort))["positive"]
    assert counts["Pleural Effusion"] == words["Effusion"] == 13_317
    assert counts["No Finding"] == words["No Finding"]
    assert counts["Pleural Thickening"] == words["Pleural_Thickening"]
    assert len(marked_ids(cohort)) == 880
    assert sum(marked_counts(cohort).values()) <= 984
    with boxes.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    name, finding, *numbers = rows[0]
    assert finding == "Atelectasis"
    annotation = cohort.annotation(name.removesuffix(".png"), finding)
    expected = coco.decode(coco.frPyObjects(np.array([numbers[:4]], np.float64), 1024, 1024))[..., 0]
    np.testing.assert_array_equal(annotation.mask(), expected.astype(bool))
