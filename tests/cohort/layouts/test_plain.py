"""A folder of images with what its owner knows beside it, and how a folder's layout is found."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from PIL import Image

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.opening import LAYOUTS


def test_images_alone(put):
    folder = put("first/one.png", (30, 20)).parents[1]
    put("first/again/one.jpg", (20, 30))
    put("notes.txt", "none")
    cohort = open_cohort(folder)
    assert (cohort.layout, cohort.split, cohort.observations) == ("folder", "all", ())
    assert list(cohort.radiographs) == ["first_again_one", "first_one"]
    assert not cohort.has_annotations
    assert [remark.message.split(" ")[:4] for remark in cohort.remarks] == [
        ["there", "is", "no", "labels.csv"],
        ["there", "is", "no", "masks/<observation>/<name>.png;"],
    ]
    assert cohort.check() == ()
    with pytest.raises(CohortError, match="'Edema' is not one of the pathologies that are marked"):
        cohort.annotation("first_one", "Edema")


def test_labels_and_masks_beside_them(put):
    folder = put("pictures/a.png", (30, 20)).parents[1]
    put("pictures/b.png", (30, 20))
    put(
        "labels.csv",
        "File,Sex,age,View,Oedema,My_finding\npictures/a.png,F,61,PA,1,-1\nb,M,,lateral,maybe,\nc.png,,,,0,0\n",
    )
    mask = np.zeros((30, 20), np.uint8)
    mask[5:10, 3:9] = 255
    path = folder / "masks" / "Airspace_Opacity" / "a.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(mask).save(path)
    put("masks/Edema/z.png", (30, 20))
    cohort = open_cohort(folder)
    assert cohort.observations == ("Edema", "My finding", "Lung Opacity")
    first, second = cohort.radiographs.values()
    assert tuple(first.labels.values()) == (1.0, -1.0, None)
    assert tuple(second.labels.values()) == (None, None, None)
    assert (first.sex, first.age, first.view, second.view) == ("Female", 61, "frontal", "lateral")
    np.testing.assert_array_equal(cohort.annotation("pictures_a", "Lung Opacity").mask(), mask > 0)
    assert cohort.annotation("pictures_b", "Lung Opacity").is_empty
    assert cohort.truth_kind("Lung Opacity") == "contour"
    messages = sorted(problem.message for problem in cohort.problems)
    assert messages == [
        "Oedema is 'maybe', not 1, 0, -1 or blank; read as blank",
        "no radiograph has its name; the mask is left out",
        "there is no image 'c.png'; it is left out",
    ]
    before = cohort.fingerprint
    mask[0, 0] = 255
    Image.fromarray(mask).save(path)
    assert open_cohort(folder).fingerprint != before


def test_a_mask_of_another_size_is_a_problem_of_its_own(put):
    folder = put("a.png", (30, 20)).parent
    put("masks/Edema/a.png", (20, 20))
    (problem,) = open_cohort(folder).check()
    assert "the mask is 20 × 20, the radiograph 30 × 20" in str(problem)


def test_a_table_that_names_no_files_is_said(put):
    folder = put("a.png", (30, 20)).parent
    put("labels.csv", "Edema\n1\n")
    with pytest.raises(CohortError, match=r"labels\.csv: one of its columns must be called file"):
        open_cohort(folder)


def test_a_layout_may_be_named_and_one_that_is_not_there_is_said(put):
    folder = put("train/a.png", (30, 20)).parents[1]
    put("train.csv", "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\na,ILD,5,R8,1,2,3,4\n")
    assert open_cohort(folder).layout == "vindr"
    assert open_cohort(folder, layout="folder").layout == "folder"
    for name in ("nih", "coco", "rsna", "siim", "padchest-gr", "ms-cxr"):
        with pytest.raises(CohortError):
            open_cohort(folder, layout=name)
    with pytest.raises(CohortError, match="no layout named 'none'; there are nih, rsna"):
        open_cohort(folder, layout="none")
    with pytest.raises(CohortError, match="there is no such folder"):
        open_cohort(folder / "nowhere")
    assert list(LAYOUTS)[-1] == "folder", "what is in any folder is tried last"


def test_simulated_radiographs_carry_their_label(put):
    folder = put("a.png", (30, 20)).parent
    assert not open_cohort(folder).is_simulated
    put("SIMULATED.txt", "Made by a test.\n")
    assert open_cohort(folder).simulated_note == "Made by a test."


def test_files_are_found_by_name_and_folders(put, tmp_path):
    for name in ("x/one.png", "y/one.png", "y/Two.DCM.png", ".hidden/three.png"):
        put(name, (5, 5))
    index = ImageIndex(tmp_path / "made")
    assert len(index) == 3
    assert index.find("y/one.png").endswith("y/one.png")
    assert index.find("elsewhere\\x\\one.png").endswith("x/one.png")
    assert index.find("two.dcm.PNG").endswith("y/Two.DCM.png")
    assert not index.problems
    assert index.find("one").endswith("x/one.png")
    (problem,) = index.problems
    assert str(problem).startswith("one: 2 files are called so; ")
    assert index.find("one.jpg").endswith("x/one.png"), "saved anew in another format"
    assert index.find("three.png") is None
    (tmp_path / "made" / "loop").symlink_to(tmp_path / "made")
    assert len(ImageIndex(tmp_path / "made")) == 3


@pytest.mark.parametrize(
    "name", ["肺炎/一.png", "../../etc/passwd.png", "-rf.png", "a b/ü.png", ".png", "x" * 5]
)
def test_an_id_is_the_name_of_a_file_and_no_two_scripts_share_one(name):
    image_id = id_of(name)
    assert image_id[0].isalnum()
    assert set(image_id) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._ -")
    assert id_of("肺炎.png") != id_of("心脏.png")


def test_dicom_copies_and_other_parts_of_the_body_are_told(public_samples, put):
    source = next((public_samples / "siim").glob("*.dcm"))
    folder = put("README", "DICOM files.").parent
    image = pydicom.dcmread(source)
    for name in ("series/1.2.840.1", "series/IM0001"):
        (folder / name).parent.mkdir(exist_ok=True)
        image.save_as(folder / name)
    image.SOPInstanceUID, image.BodyPartExamined = "1.2.3", "HAND"
    image.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    image.save_as(folder / "series/hand.dcm")
    cohort = open_cohort(folder)
    assert list(cohort.radiographs) == ["series_1.2.840.1", "series_IM0001", "series_hand"]
    messages = [problem.message for problem in cohort.check()]
    assert "it is the same image as series_1.2.840.1; leave one of them out, or it counts twice" in messages
    assert "it says that it shows hand, no chest; leave it out" in messages
