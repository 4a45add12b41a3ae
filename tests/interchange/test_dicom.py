"""A case as DICOM, read back by pydicom and highdicom and, where it is there, examined by dciodvfy."""

from __future__ import annotations

import io
import shutil
import subprocess
from copy import deepcopy

import highdicom
import numpy as np
import pydicom
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.interchange.dicom import case_as_dicom
from shamsul_core.localisation.segmentation import segment
from shamsul_core.run.scoring import segmentation_of
from tests.cli.test_cli import call, said
from tests.made import expert_rectangle, image_id

ID, PATHOLOGY = image_id(2), "Edema"


@pytest.fixture(scope="module")
def cohort(made_cohort):
    return open_cohort(made_cohort)


@pytest.fixture(scope="module")
def files(made_run, cohort):
    return case_as_dicom(made_run, cohort, ID, PATHOLOGY, made_run.scores)


@pytest.fixture(scope="module")
def images(files):
    return {name: pydicom.dcmread(io.BytesIO(content)) for name, content in files.items()}


def test_there_is_a_capture_a_method_the_masks_and_the_radiograph(images, made_run):
    captures = {f"{name}.dcm" for name in made_run.manifest.methods}
    assert images.keys() == captures | {"radiograph.dcm", "masks.dcm"}
    assert len({image.SOPInstanceUID for image in images.values()}) == len(images)
    assert len({image.StudyInstanceUID for image in images.values()}) == 1
    assert {image.PatientID for image in images.values()} == {ID.split("_")[0]}


def test_the_radiograph_is_the_radiograph(images, cohort):
    np.testing.assert_array_equal(images["radiograph.dcm"].pixel_array, cohort.radiographs[ID].pixels())


def test_the_segments_are_the_masks_of_the_source_image(images, files, made_run):
    read = highdicom.seg.segread(io.BytesIO(files["masks.dcm"]))
    result = made_run.read(ID)
    expected = {
        made_run.manifest.methods[heatmap.method]["title"]: segment(
            heatmap, result.size, segmentation_of(made_run)
        ).mask
        for heatmap in result.heatmaps
        if heatmap.pathology == PATHOLOGY
    }
    expected["Experts"] = expert_rectangle(2, result.size).astype(bool)
    found = {}
    frames = read.get_pixels_by_source_instance([images["radiograph.dcm"].SOPInstanceUID])
    for number in read.segment_numbers:
        about = read.get_segment_description(number)
        title, _, pathology = about.segment_label.partition(": ")
        assert pathology == PATHOLOGY
        assert about.algorithm_type.value == ("MANUAL" if title == "Experts" else "AUTOMATIC")
        found[title] = frames[0, ..., number - 1].astype(bool)
    assert found.keys() == expected.keys()
    for title, mask in expected.items():
        np.testing.assert_array_equal(found[title], mask)


def test_a_capture_says_what_it_is_and_is_dated_by_the_run(images, made_run):
    capture = images["gradcam.dcm"]
    assert capture.pixel_array.shape[2] == 3
    assert (
        capture.pixel_array.shape[0] > images["radiograph.dcm"].Rows
    )  # the caption stands below the picture
    assert "not for diagnosis" in capture.ImageComments
    assert capture.BurnedInAnnotation == "YES"
    assert capture.ContentDate == made_run.manifest.created[:10].replace("-", "")


def test_the_same_case_gives_the_same_bytes(files, made_run, cohort):
    assert case_as_dicom(made_run, cohort, ID, PATHOLOGY, made_run.scores) == files


def test_the_files_join_the_study_of_their_source(images, made_run, cohort):
    source = deepcopy(images["radiograph.dcm"])
    source.PatientID, source.PatientName = "4711", "Doe^Jane"
    source.StudyInstanceUID, source.SOPInstanceUID = "1.2.3.4", "1.2.3.4.5"
    made = case_as_dicom(made_run, cohort, ID, PATHOLOGY, made_run.scores, source)
    assert "radiograph.dcm" not in made
    for content in made.values():
        image = pydicom.dcmread(io.BytesIO(content))
        assert (image.PatientID, image.StudyInstanceUID) == ("4711", "1.2.3.4")
    read = highdicom.seg.segread(io.BytesIO(made["masks.dcm"]))
    assert [uid for *_, uid in read.get_source_image_uids()] == ["1.2.3.4.5"]
    source.Rows -= 1
    with pytest.raises(ValueError, match="give the one it was read from"):
        case_as_dicom(made_run, cohort, ID, PATHOLOGY, made_run.scores, source)


def test_masks_are_turned_back_to_a_source_that_is_stored_mirrored(images, files, made_run, cohort):
    source = deepcopy(images["radiograph.dcm"])
    source.PatientOrientation = ["R", "H"]  # half a turn from upright
    made = case_as_dicom(made_run, cohort, ID, PATHOLOGY, made_run.scores, source)
    upright, stored = (
        highdicom.seg.segread(io.BytesIO(content["masks.dcm"])).get_pixels_by_source_instance(
            [source.SOPInstanceUID]
        )[0]
        for content in (files, made)
    )
    np.testing.assert_array_equal(stored[::-1, ::-1], upright)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs Debian's dicom3tools")
def test_an_examiner_finds_no_error(files, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        said = subprocess.run(
            ["dciodvfy", tmp_path / name], capture_output=True, text=True, check=False
        ).stderr
        assert "Error" not in said, f"{name}: {said}"


def test_the_command_writes_them(files, made_run, tmp_path):
    command = ("export-dicom", "--run", made_run.folder, "--pathology", PATHOLOGY, "--out", tmp_path)
    done = call(*command, "--radiograph", ID)
    assert done.exit_code == 0, done.output
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
    refused = call(*command, "--radiograph", "patient99999_study1_view1_frontal")
    assert refused.exit_code == 1
    assert "is not explained in this run" in said(refused)
    (tmp_path / "no.dcm").write_bytes(b"nothing")
    refused = call(*command, "--radiograph", ID, "--source", tmp_path / "no.dcm")
    assert "no.dcm: not a readable DICOM image" in said(refused)


def test_where_the_truth_is_boxes_the_objects_say_box(box_run, box_cohort):
    """A PACS shows the segment's label and the comments; a filled box would else pass for a contour."""
    (first, *_) = box_cohort.radiographs
    made = case_as_dicom(box_run, box_cohort, first, PATHOLOGY, box_run.scores)
    masks = pydicom.dcmread(io.BytesIO(made["masks.dcm"]))
    labels = [segment.SegmentLabel for segment in masks.SegmentSequence]
    assert labels[-1] == f"Experts, boxes: {PATHOLOGY}"
    assert masks.ImageComments == "Experts: filled boxes, not contours of the finding."
    capture = pydicom.dcmread(io.BytesIO(made["gradcam.dcm"]))
    assert "Box IoU" in capture.ImageComments
    assert "the experts' boxes" in capture.ImageComments
    assert "contour" not in capture.ImageComments


def test_where_the_truth_is_contours_nothing_else_is_said(images):
    assert "Experts: Edema" in [segment.SegmentLabel for segment in images["masks.dcm"].SegmentSequence]
    assert "ImageComments" not in images["masks.dcm"]
