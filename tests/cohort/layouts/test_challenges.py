"""RSNA's, SIIM's and VinDr's tables: real rows, and made ones with pictures or DICOM beside them."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pycocotools import mask as coco

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.cohort.summary import marked_counts, marked_ids
from tests.cohort.layouts.conftest import unzipped

RSNA = """\
patientId,x,y,width,height,Target
a,,,,,0
b,264.0,152.0,213.0,379.0,1
b,562.0,152.0,256.0,453.0,1
c,1,2,3,four,1
d,,,,,2
"""


def test_rsnas_rows_are_boxes_and_every_radiograph_was_looked_at(put):
    put("stage_2_train_labels.csv", RSNA)
    put(
        "stage_2_detailed_class_info.csv",
        "patientId,class\na,Normal\nb,Lung Opacity\nc,No Lung Opacity / Not Normal\n",
    )
    for name in "abc":
        folder = put(f"stage_2_train_images/{name}.png", (512, 1024)).parents[1]
    cohort = open_cohort(folder)
    assert (cohort.layout, cohort.split, cohort.marked_pathologies) == ("rsna", "train", ("Pneumonia",))
    labels = {name: tuple(radiograph.labels.values()) for name, radiograph in cohort.radiographs.items()}
    assert labels == {"a": (1.0, 0.0), "b": (0.0, 1.0), "c": (0.0, 1.0)}
    annotation = cohort.annotation("b", "Pneumonia")
    # Half as many rows as the boxes were drawn on
    assert annotation.boxes.tolist() == [[264, 76, 477, 265.5], [562, 76, 818, 302.5]]
    assert cohort.annotation("a", "Pneumonia").is_empty
    first, second = map(str, cohort.problems)
    assert first.startswith("stage_2_train_labels.csv line 5: a box must be four numbers")
    assert second == "stage_2_train_labels.csv line 6: Target is '2', not 0 or 1; it is left out"


def test_the_real_head_of_rsnas_table(public_samples):
    cohort = open_cohort(public_samples / "rsna")
    assert len(cohort.radiographs) == 45
    positive = [name for name, one in cohort.radiographs.items() if one.labels["Pneumonia"]]
    assert marked_ids(cohort) == positive
    boxes = cohort.annotation("00436515-870c-4b36-a041-de91049b9ab4", "Pneumonia").boxes
    assert boxes.tolist() == [[264, 152, 477, 531], [562, 152, 818, 605]]


def decoded_slowly(words):
    """As the challenge's mask_functions.py has it: relative to the last run's end, and down the columns."""
    flat, position = np.zeros(1024 * 1024, bool), 0
    for offset, length in np.array(words.split(), int).reshape(-1, 2):
        position += offset
        flat[position : position + length] = True
        position += length
    return flat.reshape(1024, 1024).T


def test_siims_runs_are_relative_down_the_columns_and_several_rows_one_radiograph(put):
    put(
        "train-rle.csv",
        "ImageId, EncodedPixels\na, 1025 2 1022 2\na, 0 1\nb, -1\nc, 1 2 3\nd, 1048576 5\n",
    )
    for name in "abcd":
        folder = put(f"dicom-images-train/{name}/{name}.png", (1024, 1024)).parents[2]
    cohort = open_cohort(folder)
    assert (cohort.layout, cohort.split) == ("siim", "train")
    assert [radiograph.labels["Pneumothorax"] for radiograph in cohort.radiographs.values()] == [1, 0, 0, 0]
    annotation = cohort.annotation("a", "Pneumothorax")
    expected = np.zeros((1024, 1024), bool)
    # Pixel 1025 is row 1 of column 1; the next run begins 1022 pixels after the end of the first, in row 1 of column 2
    expected[1:3, 1:3] = expected[0, 0] = True
    np.testing.assert_array_equal(annotation.mask(), expected)
    assert (annotation.kind, cohort.truth_kind("Pneumothorax")) == ("contour", "contour")
    assert cohort.annotation("b", "Pneumothorax").is_empty
    assert [str(problem).split(":")[0] for problem in cohort.problems] == [
        "train-rle.csv line 5",
        "train-rle.csv line 6",
    ]


def test_siims_real_rows_against_the_challenges_own_decoding(public_samples, put):
    text = (public_samples / "siim" / "train-rle.csv").read_text()
    path = put("train-rle.csv", text)
    cohort = open_cohort(path.parent)
    rows = [line.split(",") for line in text.splitlines()[1:]]
    marked = [(name, words) for name, words in rows if words.strip() != "-1"]
    assert marked_ids(cohort) == list(dict.fromkeys(name for name, _ in marked))
    name = marked[0][0]
    expected = np.any([decoded_slowly(words) for other, words in marked if other == name], axis=0)
    np.testing.assert_array_equal(cohort.annotation(name, "Pneumothorax").mask(), expected)


def test_siims_real_radiograph_is_one_without_pneumothorax(public_samples):
    cohort = open_cohort(public_samples / "siim")
    (radiograph,) = cohort.radiographs.values()
    header = pydicom.dcmread(radiograph.path, stop_before_pixels=True)
    assert radiograph.id == header.SOPInstanceUID
    assert radiograph.size == (header.Rows, header.Columns) == (1024, 1024)
    assert radiograph.labels == {"Pneumothorax": 0.0}


VINDR = """\
image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max
a,Pleural effusion,10,R8,10,20,30,40
a,Pleural effusion,10,R9,12,20,32,40
a,Nodule/Mass,8,R9,50,10,60,20
a,Pleural effusion,10,R10,11,20,31,40
b,No finding,14,R8,,,,
b,No finding,14,R9,,,,
b,Pleural effusion,10,R10,1,2,3,4
"""


def test_vindrs_readers_are_kept_apart(put):
    put("train.csv", VINDR)
    folder = put("train/a.png", (100, 80)).parents[1]
    put("train/b.png", (100, 80))
    cohort = open_cohort(folder)
    assert (cohort.layout, cohort.split, cohort.problems) == ("vindr", "train", ())
    assert cohort.observations == ("Nodule/Mass", "Pleural Effusion", "No Finding")
    # All of three, one of three, none; then the other way
    assert list(cohort.radiographs["a"].labels.values()) == [-1.0, 1.0, 0.0]
    assert list(cohort.radiographs["b"].labels.values()) == [0.0, -1.0, 1.0]
    of_readers = cohort.annotations("a", "Pleural effusion")
    assert [one.annotator for one in of_readers] == ["R10", "R8", "R9"]
    assert [one.boxes.tolist() for one in of_readers] == [
        [[11, 20, 31, 40]],
        [[10, 20, 30, 40]],
        [[12, 20, 32, 40]],
    ]
    together = cohort.annotation("a", "Pleural Effusion")
    assert (len(together.boxes), together.annotator) == (3, "R10, R8, R9")
    assert [one.is_empty for one in cohort.annotations("a", "Nodule/Mass")] == [True, True, False]


@pytest.mark.parametrize(
    ("seen_by", "label"), [(0, 0.0), (1, -1.0), (2, 1.0), (3, 1.0)], ids=["none", "one", "two", "three"]
)
def test_vindrs_label_is_what_most_of_three_readers_saw(put, seen_by, label):
    """Two of three are most, one is not: neither any reader nor all of them decide."""
    rows = [
        f"a,Cardiomegaly,3,R{number},10,20,30,40" if number < seen_by else f"a,No finding,14,R{number},,,,"
        for number in range(3)
    ]
    # So that it is an observation of the cohort, whoever saw it in the first
    rows += [f"b,Cardiomegaly,3,R{number},10,20,30,40" for number in range(3)]
    put("train.csv", "\n".join([VINDR.splitlines()[0], *rows]))
    put("train/b.png", (100, 80))
    folder = put("train/a.png", (100, 80)).parents[1]
    assert open_cohort(folder).radiographs["a"].labels["Cardiomegaly"] == label


def test_vindr_as_physionet_releases_it(put):
    put("annotations/annotations_train.csv", VINDR.replace("class_name,class_id", "class_name,id"))
    put(
        "annotations/image_labels_train.csv",
        "image_id,rad_id,Pleural effusion,Tuberculosis,Other diseases,No finding\n"
        "a,R8,1,0,0,0\na,R9,1,1,0,0\na,R10,1,1,0,0\nb,R8,0,0,1,0\nb,R9,0,0,0,1\nb,R10,1,0,0,0\n",
    )
    put(
        "annotations/annotations_test.csv",
        "image_id,class_name,x_min,y_min,x_max,y_max\nc,ILD,1,2,30,40\nd,No finding,,,,\n",
    )
    put("annotations/image_labels_test.csv", "image_id,ILD,COPD,No finding\nc,1,0,0\nd,0,0,1\n")
    for name in ("train/a.png", "train/b.png", "test/c.png", "test/d.png"):
        folder = put(name, (100, 80)).parents[1]
    test = open_cohort(folder)
    assert (test.split, list(test.radiographs), test.observations) == (
        "test",
        ["c", "d"],
        ("ILD", "No Finding"),
    )
    (consensus,) = test.annotations("c", "ILD")
    assert (consensus.annotator, consensus.boxes.tolist()) == ("", [[1, 2, 30, 40]])
    train = open_cohort(folder, split="train")
    assert train.radiographs["a"].labels["Tuberculosis"] == 1.0
    assert train.radiographs["b"].labels["Other disease(s)"] == -1.0
    assert len(open_cohort(folder, split="all").radiographs) == 4
    with pytest.raises(CohortError, match="no split named 'val'; there are test, train, all"):
        open_cohort(folder, split="val")


def test_boxes_of_originals_lie_on_smaller_copies_whose_sizes_a_table_has(put):
    put("train.csv", VINDR)
    put("train_meta.csv", "image_id,dim0,dim1\na,200,160\n")
    folder = put("train/a.png", (100, 80)).parents[1]
    assert open_cohort(folder).annotations("a", "Nodule/Mass")[2].boxes.tolist() == [[25, 5, 30, 10]]


@pytest.mark.slow
def test_vindrs_whole_real_table(public_samples, tmp_path):
    """67,914 rows of 15,000 radiographs, by the challenge's description; boxes as pycocotools fills them."""
    unzipped(public_samples / "vindr" / "train-whole.csv.gz", tmp_path / "train.csv")
    cohort = open_cohort(tmp_path)
    assert len(cohort.radiographs) == 15_000
    assert len(marked_ids(cohort)) == 4_394
    assert len(cohort.marked_pathologies) == 14
    assert marked_counts(cohort)["Aortic enlargement"] == 3_067
    counts = {len(cohort._tables.annotators[name]) for name in cohort.radiographs}
    assert counts == {3}


def test_a_box_is_filled_as_pycocotools_fills_it(put):
    put("train.csv", VINDR.replace("11,20,31,40", "11.3,20.5,31.7,40.49"))
    folder = put("train/a.png", (100, 80)).parents[1]
    mask = open_cohort(folder).annotations("a", "Pleural Effusion")[0].mask()
    expected = coco.decode(coco.frPyObjects(np.array([[11.3, 20.5, 20.4, 19.99]]), 100, 80))[..., 0]
    np.testing.assert_array_equal(mask, expected.astype(bool))
