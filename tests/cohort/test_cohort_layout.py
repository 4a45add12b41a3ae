"""Cohorts in every released layout: the same radiographs, ids and labels."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shamsul_core.cohort import Cohort, CohortError, Problem, open_cohort
from shamsul_core.cohort.label_table import read_label_table
from shamsul_core.vocabulary import OBSERVATIONS
from tests.cohort.cohort_writer import FIRST, HEADER, SECOND, SIZE, CohortWriter, entry_of, mask_of

HEART = mask_of(10, 12, 30, 40)


@pytest.mark.parametrize(
    "prefix",
    ["CheXpert-v1.0/valid/", "CheXpert-v1.0-small/valid/", "valid/", "val/", "", "/a/b/c/", "D:\\data\\"],
)
def test_any_prefix_of_the_path_column(tmp_path, prefix):
    writer = CohortWriter(tmp_path)
    writer.image("patient1/study1/view1_frontal.jpg")
    writer.row("patient1/study1/view1_frontal.jpg", prefix=prefix)
    cohort = writer.open()
    assert list(cohort.radiographs) == [FIRST]
    assert cohort.problems == ()


@pytest.mark.parametrize("root", ["CheXpert-v1.0-small", "CheXpert-v1.0", "."])
@pytest.mark.parametrize(("split", "images"), [("val", "valid"), ("train", "train"), ("test", "test")])
def test_chexpert_as_released(writer, tmp_path, root, split, images):
    writer.save_labels()
    base = tmp_path / "released" / root
    shutil.copytree(writer.images, base / images)
    shutil.copy(writer.labels, base / f"{images}.csv")
    for folder in (tmp_path / "released", base):
        cohort = open_cohort(folder)
        assert (cohort.split, list(cohort.radiographs), cohort.problems) == (split, [FIRST, SECOND], ())
        assert not cohort.has_annotations
        assert cohort.annotation(FIRST, "Edema") is None
        assert cohort.check() == ()


def test_the_chexpert_folder_itself_has_its_annotations_beside_it(writer):
    writer.experts("gt_segmentations", {FIRST: entry_of({"Edema": HEART})})
    writer.save_labels()
    cohort = open_cohort(writer.folder / "CheXpert")
    assert cohort.annotation(FIRST, "Edema").area == HEART.sum()


def test_annotations_choose_the_split(tmp_path):
    for split in ("train", "val", "test"):
        writer = CohortWriter(tmp_path, split)
        writer.image("patient1/study1/view1_frontal.jpg")
        writer.row("patient1/study1/view1_frontal.jpg")
        writer.save_labels()
    assert open_cohort(tmp_path).split == "val"
    writer.experts("gt_annotations", {})
    assert open_cohort(tmp_path).split == "test"
    CohortWriter(tmp_path, "val").experts("gt_segmentations", {})
    assert open_cohort(tmp_path).split == "val"
    assert open_cohort(tmp_path, split="train").split == "train"
    assert open_cohort(tmp_path, split="valid").split == "val"


def test_rows_are_read_as_they_stand(writer):
    writer.rows[0][1:5] = ["Male", "", "frontal", "AP"]
    writer.rows[0][5:9] = ["", "1.0", "-1.0", "1"]
    cohort: Cohort = writer.open()
    first, second = cohort.radiographs.values()
    assert (first.sex, first.age, first.view, first.projection) == ("Male", None, "frontal", "AP")
    assert [first.labels[name] for name in OBSERVATIONS[:5]] == [None, 1.0, -1.0, 1.0, 0.0]
    assert tuple(first.labels) == OBSERVATIONS
    assert (second.sex, second.age, second.view, second.projection) == ("Female", 61, "lateral", None)
    assert cohort.radiographs[FIRST] == first
    assert cohort.name == "made/val"
    assert cohort.folder == writer.folder


def test_a_test_cohort_with_fewer_columns_in_another_order(writer):
    kept = ["Airspace Opacity", "Path", "Edema"]
    writer.rows = [["1.0", row[0].replace("valid", "test"), "0.0"] for row in writer.rows]
    writer.save_labels(kept)
    cohort = open_cohort(writer.folder)
    assert cohort.problems == ()
    labels = cohort.radiographs[SECOND].labels
    assert (labels["Lung Opacity"], labels["Edema"], labels["Fracture"]) == (1.0, 0.0, None)
    assert tuple(labels) == OBSERVATIONS
    assert cohort.radiographs[SECOND].view == "lateral"


def test_a_radiograph_the_experts_do_not_list_has_an_empty_annotation(writer):
    writer.experts("gt_segmentations", {FIRST: entry_of({"Lung Opacity": HEART})})
    cohort = writer.open()
    assert np.array_equal(cohort.annotation(FIRST, "Airspace Opacity").mask(), HEART)
    unlisted = cohort.annotation(SECOND, "Lung Opacity")
    assert unlisted.is_empty
    assert unlisted.size == SIZE
    assert unlisted.mask().shape == SIZE


def test_masks_need_no_annotation_file_read_before_they_are_asked_for(writer):
    path = writer.experts("gt_segmentations", {FIRST: entry_of({"Edema": HEART})})
    cohort = writer.open()
    path.unlink()
    assert not cohort.has_annotations


def test_human_benchmark_and_salient_points(tmp_path):
    writer = CohortWriter(tmp_path, "test")
    writer.image("patient1/study1/view1_frontal.jpg")
    writer.row("patient1/study1/view1_frontal.jpg", prefix="test/")
    writer.experts("gt_segmentations", {FIRST: entry_of({"Edema": HEART})})
    cohort = writer.open()
    assert cohort.human_benchmark(FIRST, "Edema") is None
    assert cohort.salient_points(FIRST, "Edema") == ()
    drawn = [[[12, 10], [39, 10], [39, 20], [12, 20]]]
    writer.experts("hb_annotations", {FIRST: {"img_size": list(SIZE), "Airspace Opacity": drawn}})
    writer.experts(
        "hb_salient_pt", {FIRST: {"img_size": list(SIZE), "Airspace Opacity": [[20.5, 15], [3, 4]]}}
    )
    cohort = writer.open()
    assert cohort.human_benchmark(FIRST, "Lung Opacity").area == 28 * 11
    assert cohort.human_benchmark(FIRST, "Edema").is_empty
    assert cohort.salient_points(FIRST, "Lung Opacity") == ((20.5, 15.0), (3.0, 4.0))
    assert cohort.salient_points(FIRST, "Edema") == ()
    assert cohort.check() == ()


def test_what_is_not_there_is_named(writer):
    writer.experts("gt_segmentations", {})
    cohort = writer.open()
    with pytest.raises(CohortError, match="made/val: there is no radiograph 'patient7'"):
        cohort.annotation("patient7", "Edema")
    with pytest.raises(CohortError, match="'Fracture' is not one of the ten pathologies"):
        cohort.annotation(FIRST, "Fracture")
    with pytest.raises(KeyError):
        cohort.radiographs["patient7"]


def test_the_fingerprint_is_of_content_not_of_place(writer, tmp_path):
    writer.experts("gt_segmentations", {FIRST: entry_of({"Edema": HEART})})
    before = writer.open().fingerprint
    shutil.copytree(writer.folder, tmp_path / "elsewhere")
    assert open_cohort(tmp_path / "elsewhere").fingerprint == before
    assert len(before) == 64


def test_the_fingerprint_sees_labels_ids_and_annotations(writer):
    seen = {writer.open().fingerprint}
    writer.experts("gt_segmentations", {FIRST: entry_of({"Edema": HEART})})
    seen.add(writer.open().fingerprint)
    writer.experts("gt_segmentations", {FIRST: entry_of({"Edema": ~HEART})})
    seen.add(writer.open().fingerprint)
    writer.rows[0][HEADER.index("Edema")] = "1.0"
    seen.add(writer.open().fingerprint)
    writer.rows.pop()
    seen.add(writer.open().fingerprint)
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("text", "note"),
    [("Simulated from CT.\n", "Simulated from CT."), ("", "Simulated radiographs, not of patients.")],
)
def test_simulated_radiographs_carry_their_label(writer, text, note):
    assert not writer.open().is_simulated
    (writer.folder / "CheXpert" / "SIMULATED.txt").write_text(text)
    cohort = writer.open()
    assert cohort.is_simulated
    assert cohort.simulated_note == note


def test_a_problem_is_one_line():
    assert str(Problem("odd\nname.csv", "is\n empty")) == "odd name.csv: is empty"


def test_reading_a_cohort_needs_neither_torch_nor_streamlit():
    program = "import sys, shamsul_core.cohort; print({'torch', 'streamlit'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"


def test_stanfords_batches_are_one_split(writer, tmp_path):
    """As chexpertchestxrays-u20210408 unpacks: train over three folders, its labels in a fourth with valid."""
    release = tmp_path / "chexpertchestxrays-u20210408"
    first, second, third, fourth = (
        release / f"CheXpert-v1.0 batch {number} ({what})"
        for number, what in enumerate(("validate & csv", "train 1", "train 2", "train 3"), 1)
    )
    writer.image("patient3/study1/view1_frontal.jpg")
    writer.row("patient3/study1/view1_frontal.jpg")
    writer.save_labels()
    for batch, patient in ((second, 1), (third, 2), (fourth, 3)):
        shutil.copytree(writer.images / f"patient{patient}", batch / f"patient{patient}")
    shutil.copytree(writer.images / "patient1", first / "valid" / "patient1")
    shutil.copy(writer.labels, first / "train.csv")
    (first / "valid.csv").write_text("".join(writer.labels.read_text().splitlines(keepends=True)[:2]))
    for folder in (release, tmp_path):
        train = open_cohort(folder, split="train")
        assert [one.path.parents[2].name for one in train.radiographs.values()] == [
            batch.name for batch in (second, third, fourth)
        ]
        assert (train.problems, train.remarks) == ((), ())
        valid = open_cohort(folder)
        assert (valid.split, list(valid.radiographs), valid.problems) == ("val", [FIRST], ())
    shutil.copytree(fourth, release / "train")
    with pytest.raises(CohortError, match="there are 2 folders of train radiographs"):
        open_cohort(release, split="train")
    shutil.rmtree(release / "train")
    shutil.rmtree(third)
    (line,) = open_cohort(release, split="train").problems
    assert f"in {second} or {fourth}; the line is left out" in str(line)


@pytest.mark.parametrize("download", ["archive", "chexpert"])
@pytest.mark.parametrize("release", [".", "CheXpert-v1.0-small"])
def test_kaggles_downloads(writer, tmp_path, download, release):
    writer.save_labels()
    base = tmp_path / "kaggle" / download / release
    for split in ("train", "valid"):
        shutil.copytree(writer.images, base / split)
        shutil.copy(writer.labels, base / f"{split}.csv")
    for folder in (tmp_path / "kaggle", tmp_path / "kaggle" / download, base):
        for split in ("train", "val"):
            cohort = open_cohort(folder, split=split)
            assert (list(cohort.radiographs), cohort.problems) == ([FIRST, SECOND], ())


def test_the_test_sets_labels_are_of_studies(writer):
    """The head of groundtruth.csv of rajpurkarlab/cheXpert-test-set-labels, with radiographs made for it."""
    folder = writer.folder / "CheXpert"
    table = folder / "groundtruth.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text(
        "Study,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,"
        "Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices\n"
        "CheXpert-v1.0/test/patient64741/study1,0,1,1,1,0,0,0,0,0,0,0,0,0,1\n"
        "CheXpert-v1.0/test/patient64742/study1,0,1,0,1,0,0,0,0,1,0,0,0,0,0\n"
        "CheXpert-v1.0/test/patient64743/study1,0,1,1,1,0,1,0,0,1,0,0,0,0,0\n"
    )
    for name in ("patient64741/study1/view1_frontal", "patient64741/study1/view2_lateral"):
        shutil.copytree(writer.images / "patient1", folder / "test" / "patient64742", dirs_exist_ok=True)
        path = folder / "test" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(writer.images / "patient1/study1/view1_frontal.jpg", path)
    cohort = open_cohort(writer.folder, split="test")
    frontal, lateral, other = cohort.radiographs.values()
    assert [frontal.id, lateral.id, other.id] == [
        "patient64741_study1_view1_frontal",
        "patient64741_study1_view2_lateral",
        "patient64742_study1_view1_frontal",
    ]
    assert frontal.labels == lateral.labels
    assert {name for name, label in frontal.labels.items() if label} == {
        "Enlarged Cardiomediastinum",
        "Cardiomegaly",
        "Lung Opacity",
        "Support Devices",
    }
    assert {name for name, label in other.labels.items() if label} == {
        "Enlarged Cardiomediastinum",
        "Lung Opacity",
        "Atelectasis",
    }
    assert (frontal.view, lateral.view) == ("frontal", "lateral")
    (line,) = cohort.problems
    assert "groundtruth.csv line 4: there is no file for 'CheXpert-v1.0/test/patient64743/study1'" in str(
        line
    )
    writer.rows = [[row[0].replace("patient1", "patient64741"), *row[1:]] for row in writer.rows[:1]]
    writer.save_labels()
    writer.labels.rename(folder / "test_labels.csv")
    assert list(open_cohort(writer.folder, split="test").radiographs) == ["patient64741_study1_view1_frontal"]


PLUS = """\
path_to_image,path_to_dcm,frontal_lateral,ap_pa,deid_patient_id,patient_report_date_order,report,age,sex,race,split
train/patient1/study1/view1_frontal.jpg,train/patient1/study1/view1_frontal.dcm,Frontal,AP,patient1,1,"NARRATIVE:
Heart, enlarged.
IMPRESSION: 1. Cardiomegaly.",61.0,Female,White,train
train/patient2/study1/view1_lateral.jpg,train/patient2/study1/view1_lateral.dcm,Lateral,,patient2,1,"",70.0,Male,,train
valid/patient64541/study1/view1_frontal.jpg,,Frontal,PA,patient64541,1,"",50.0,Male,,valid
"""


def test_the_head_of_the_real_training_table(shared):
    table = read_label_table(shared / "public-samples" / "chexpert" / "train.csv")
    assert (table.problems, table.remarks) == ([], [])
    first, second, *_ = table.rows
    assert (first.image_id, first.sex, first.age, first.projection) == (
        "patient00001_study1_view1_frontal",
        "Female",
        68,
        "AP",
    )
    assert {name: label for name, label in first.labels.items() if label is not None} == {
        "No Finding": 1.0,
        "Pneumothorax": 0.0,
        "Support Devices": 1.0,
    }
    assert {name for name, label in second.labels.items() if label == -1.0} == {
        "Cardiomegaly",
        "Edema",
        "Consolidation",
        "Atelectasis",
        "Pleural Effusion",
    }


def test_chexpert_plus(writer):
    """One table with reports for all splits, radiographs as PNG, labels as CheXbert's lines of JSON."""
    folder = writer.folder / "plus"
    (folder / "chexbert_labels").mkdir(parents=True)
    (folder / "df_chexpert_plus_240401.csv").write_text(PLUS)
    for name in ("train/patient1/study1/view1_frontal", "train/patient2/study1/view1_lateral"):
        (folder / "PNG" / name).parent.mkdir(parents=True)
        shutil.copy(
            writer.image("patient1/study1/view1_frontal.png"), (folder / "PNG" / name).with_suffix(".png")
        )
    unlabelled = open_cohort(folder)
    assert (unlabelled.split, list(unlabelled.radiographs)) == ("train", [FIRST, SECOND])
    assert set(unlabelled.radiographs[FIRST].labels.values()) == {None}
    (line,) = unlabelled.remarks
    assert "df_chexpert_plus_240401.csv: it holds no labels" in str(line)
    assert "chexbert_labels/impression_fixed.json" in str(line)
    entry = '{"path_to_image": "train/patient1/study1/view1_frontal.jpg", "Cardiomegaly": 1.0, "Edema": -1.0, "Fracture": null}'
    (folder / "chexbert_labels" / "impression_fixed.json").write_text(f"{entry}\n[1]\n{{\n")
    cohort = open_cohort(folder)
    first, second = cohort.radiographs.values()
    assert {name: label for name, label in first.labels.items() if label is not None} == {
        "Cardiomegaly": 1.0,
        "Edema": -1.0,
    }
    assert (first.view, first.projection, first.sex, first.age) == ("frontal", "AP", "Female", 61)
    assert (second.view, second.projection, second.sex, second.age) == ("lateral", None, "Male", 70)
    assert first.path.name == "view1_frontal.png"
    assert [str(problem).split(": ")[0] for problem in cohort.problems] == [
        "impression_fixed.json line 2",
        "impression_fixed.json line 3",
    ]
    (line,) = cohort.remarks
    assert str(line).startswith("impression_fixed.json: there are no labels for 1 of 2 radiographs")


def test_what_is_not_found_beside_a_cohort_is_said(writer):
    cohort = writer.open()
    (line,) = cohort.remarks
    assert str(line) == (
        f"{writer.folder}: there is no CheXlocalize/gt_segmentations_val.json beside the radiographs; "
        "without contours there is no IoU"
    )
    assert cohort.problems == ()
    writer.experts("gt_annotations", {})
    assert writer.open().remarks == ()
