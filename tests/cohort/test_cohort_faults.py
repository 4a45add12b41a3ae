"""Every fault of a cohort is one clear line, and the rest of the cohort goes on."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.vocabulary import OBSERVATIONS
from tests.cohort.cohort_writer import FIRST, HEADER, SECOND, SIZE, entry_of, mask_of

HEART = mask_of(10, 12, 30, 40)


def lines(problems) -> list[str]:
    text = [str(problem) for problem in problems]
    assert all("\n" not in line for line in text)
    return text


def the_only_line(problems) -> str:
    (line,) = lines(problems)
    return line


# ---------------------------------------------------------------- label file


def test_a_row_without_a_file(writer):
    writer.row("patient3/study1/view1_frontal.jpg")
    cohort = writer.open()
    assert list(cohort.radiographs) == [FIRST, SECOND]
    line = the_only_line(cohort.problems)
    assert line.startswith("val_labels.csv line 4: there is no file for ")
    assert line.endswith(f"in {writer.images}; the line is left out")


def test_a_file_without_a_row(writer):
    path = writer.image("patient4/study2/view1_frontal.jpg")
    cohort = writer.open()
    assert len(cohort.radiographs) == 2
    assert (
        the_only_line(cohort.problems) == f"{path}: there is no line for it in val_labels.csv; it is left out"
    )


def test_a_file_where_none_belongs(writer):
    path = writer.image("patient1/view1_frontal.jpg")
    (writer.images / "notes.txt").write_text("not an image, nobody minds")
    assert the_only_line(writer.open().problems).startswith(f"{path}: this image is not at patientN/studyN/")


def test_two_files_for_one_row(writer):
    writer.image("patient1/study1/view1_frontal.png")
    cohort = writer.open()
    assert cohort.radiographs[FIRST].path.name == "view1_frontal.jpg"
    line = the_only_line(cohort.problems)
    assert (
        line == f"val_labels.csv line 2: there is more than one file for {FIRST}; view1_frontal.jpg is used"
    )


def test_a_radiograph_saved_anew_as_png_is_found(writer):
    (writer.images / "patient1/study1/view1_frontal.jpg").unlink()
    writer.image("patient1/study1/view1_frontal.png")
    cohort = writer.open()
    assert cohort.problems == ()
    assert cohort.radiographs[FIRST].path.name == "view1_frontal.png"


@pytest.mark.parametrize(("edema", "what"), [("0.0", "with the same labels"), ("1.0", "with other labels")])
def test_duplicate_rows(writer, edema, what):
    writer.row("patient1/study1/view1_frontal.jpg", prefix="val/", Edema=edema)
    cohort = writer.open()
    assert cohort.radiographs[FIRST].labels["Edema"] == 0.0
    expected = f"val_labels.csv line 4: {FIRST} is already in line 2, {what}; line 2 is used"
    assert the_only_line(cohort.problems) == expected


@pytest.mark.parametrize(
    "path", ["", "patient3.jpg", "valid/patient3/study1/view1_oblique.jpg", "a/b/c/d.jpg", "x\ny"]
)
def test_a_path_of_another_shape(writer, path):
    writer.row(path, prefix="")
    line = the_only_line(writer.open().problems)
    assert line.endswith("does not end in patientN/studyN/viewN_frontal.jpg; the line is left out")
    assert line.startswith("val_labels.csv line 4:")


def test_a_row_with_fields_missing(writer):
    writer.row("patient3/study1/view1_frontal.jpg")
    del writer.rows[-1][-3:]
    line = the_only_line(writer.open().problems)
    assert line == "val_labels.csv line 4: fields: 16 in this line, 19 in the header; it is left out"


def test_values_that_are_none(writer):
    writer.rows[0][HEADER.index("Edema")] = "maybe"
    writer.rows[0][HEADER.index("Fracture")] = "2"
    writer.rows[0][HEADER.index("Age")] = "old"
    writer.rows[1][HEADER.index("Frontal/Lateral")] = "Frontal"
    cohort = writer.open()
    assert cohort.radiographs[FIRST].labels["Edema"] is None
    assert cohort.radiographs[FIRST].age is None
    assert cohort.radiographs[SECOND].view == "frontal"
    assert lines(cohort.problems) == [
        "val_labels.csv line 2: Edema is 'maybe', not 1, 0, -1 or blank; read as blank",
        "val_labels.csv line 2: Fracture is '2', not 1, 0, -1 or blank; read as blank",
        "val_labels.csv line 2: the age is 'old'; read as unknown",
        "val_labels.csv line 3: the view is 'Frontal', but the file name says lateral; the view is used",
    ]


def test_a_stray_quotation_mark(writer):
    writer.row("patient3/study1/view1_frontal.jpg")
    writer.save_labels()
    text = writer.labels.read_text()
    writer.labels.write_text(text.replace("CheXpert-v1.0/valid/patient2", '"patient2'))
    cohort = open_cohort(writer.folder)
    assert list(cohort.radiographs) == [FIRST]
    assert str(cohort.problems[0]) == (
        "val_labels.csv line 3: fields: 1 in this line, 19 in the header; it is left out together with all lines up to 4, "
        "because they are within quotation marks; look for a stray one"
    )


def test_a_stray_quotation_mark_before_very_many_lines(writer):
    writer.save_labels()
    writer.labels.write_text(writer.labels.read_text() + '"' + "x\n" * 100_000)
    line = the_only_line(open_cohort(writer.folder).problems)
    assert line.startswith(
        "val_labels.csv line 4: this line and all that follow cannot be read (field larger"
    )


def test_a_label_file_in_another_encoding_is_read_as_far_as_it_goes(writer):
    writer.rows[1][HEADER.index("Sex")] = "männlich"
    writer.save_labels()
    writer.labels.write_bytes(writer.labels.read_text(encoding="utf-8").encode("latin-1"))
    cohort = open_cohort(writer.folder)
    assert list(cohort.radiographs) == [FIRST, SECOND]
    assert (
        the_only_line(cohort.problems)
        == "val_labels.csv line 3: this is not UTF-8 text; save the file as CSV UTF-8"
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "the label file is empty; it should begin with Path,Sex,Age,..."),
        (b"\n\n", "the label file is empty"),
        (
            b"Name,Edema\na,1\n",
            "the first line must name the columns Path and the observations, it is 'Name,Edema'",
        ),
        (b"Path|Edema\n", "it is 'Path|Edema'"),
        (b"Path,Sex\n", "the first line must name the columns Path and the observations"),
        (b"Path,Sex\n", "The observations are No Finding, Enlarged Cardiomediastinum, Cardiomegaly"),
        (b"Path,edemas\n", "by 'edemas' you may mean Edema"),
        ("Path,Edema\n".encode("utf-16-le"), "the first line must name the columns"),
        (b"Path;Edema\n", "none of its radiographs could be found"),
        ("Path,Edema\n".encode("utf-16"), "none of its radiographs could be found"),
        (b"Path,Edema\n", "none of its radiographs could be found"),
        (
            b"Path,Edema\npatient9/study1/view1_frontal.jpg,1\n",
            "(1 lines read); first problem: val_labels.csv line 2",
        ),
    ],
)
def test_a_label_file_of_which_nothing_can_be_read(writer, content, line):
    writer.save_labels()
    writer.labels.write_bytes(content)
    with pytest.raises(CohortError) as caught:
        open_cohort(writer.folder)
    assert str(caught.value).startswith(str(writer.labels))
    assert line in str(caught.value)


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_a_label_file_as_spreadsheets_save_it(writer, delimiter, encoding):
    writer.rows[0][HEADER.index("Sex")] = f"w{delimiter}x"
    writer.rows[0][HEADER.index("Edema")] = "-1,0"
    commas = writer.open()
    expected = list(commas.radiographs.values()), commas.problems, commas.fingerprint
    with writer.labels.open("w", newline="", encoding=encoding) as file:
        file.write("\ufeff" if encoding == "utf-16-be" else "")
        csv.writer(file, delimiter=delimiter).writerows([HEADER, *writer.rows])
    cohort = open_cohort(writer.folder)
    assert (list(cohort.radiographs.values()), cohort.problems, cohort.fingerprint) == expected
    assert cohort.radiographs[FIRST].labels["Edema"] == -1.0
    assert cohort.radiographs[FIRST].sex == f"w{delimiter}x"


def test_a_utf_16_file_cut_off_is_read_as_far_as_it_goes(writer):
    writer.save_labels()
    writer.labels.write_bytes(writer.labels.read_text().encode("utf-16")[:-1])
    cohort = open_cohort(writer.folder)
    assert list(cohort.radiographs) == [FIRST, SECOND]
    first, *_ = lines(cohort.problems)
    assert first.endswith("this is not UTF-16 text; save the file as CSV UTF-8")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Cardiomegally", "Cardiomegaly"),
        ("Fractures", "Fracture"),
        ("lung opacty", "Lung Opacity"),
        ("Pleural_Efusion", "Pleural Effusion"),
        ("Pneumothorx", "Pneumothorax"),
    ],
)
def test_a_misspelt_column_is_named_with_the_nearest_and_the_known_names(writer, title, name):
    writer.save_labels([title if column == name else column for column in HEADER])
    cohort = open_cohort(writer.folder)
    line = the_only_line(cohort.problems)
    assert line.startswith(f"val_labels.csv: no observation is called '{title}'; did you mean {name}?")
    assert all(known in line for known in OBSERVATIONS)
    assert not [one for one in cohort.remarks if "column" in one.message]
    assert cohort.radiographs[FIRST].labels[name] is None


def test_columns_of_other_things_are_nobodys_misspelling(writer):
    header = [*HEADER, "Race", "section_impression", "Edema2", "Heart", "path_to_dcm", "split", ""]
    writer.rows = [[*row, "", "", "", "", "", "", ""] for row in writer.rows]
    writer.save_labels(header)
    cohort = open_cohort(writer.folder)
    assert cohort.problems == ()
    assert not [one for one in cohort.remarks if "column" in one.message]


def test_observations_without_a_column_are_one_line(writer):
    writer.rows = [row[:-2] for row in writer.rows]
    writer.save_labels(HEADER[:-2])
    cohort = open_cohort(writer.folder)
    assert cohort.problems == ()
    line = "val_labels.csv: there is no column for Fracture, Support Devices; their labels are blank"
    assert lines(cohort.remarks)[0] == line


def test_two_columns_of_one_observation(writer):
    header = ["Airspace Opacity" if name == "Fracture" else name for name in HEADER]
    writer.save_labels(header)
    cohort = open_cohort(writer.folder)
    assert the_only_line(cohort.problems) == (
        "val_labels.csv: there are two columns for 'Lung Opacity'; the first is used"
    )
    assert cohort.radiographs[FIRST].labels["Fracture"] is None


# ---------------------------------------------------------------- images


def test_a_damaged_image_is_found_by_check_only(writer):
    writer.experts("gt_segmentations", {FIRST: entry_of({"Cardiomegaly": HEART})})
    path = writer.images / "patient1/study1/view1_frontal.jpg"
    path.write_bytes(path.read_bytes()[:400])
    cohort = writer.open()
    assert cohort.problems == ()
    assert the_only_line(cohort.check()).startswith(f"{path}: the image file is damaged or incomplete")
    assert cohort.annotation(FIRST, "Cardiomegaly").area == HEART.sum()


def test_an_image_gone_after_opening(writer):
    cohort = writer.open()
    shutil.rmtree(writer.images)
    with pytest.raises(CohortError, match="the image file is missing"):
        cohort.radiographs[FIRST].pixels()


# ---------------------------------------------------------------- expert files


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"patient1_study1_view1_fron', "the file is cut off or is not JSON (Unterminated string"),
        ("", "the file is cut off or is not JSON (Expecting value"),
        ("[" * 100_000, "the file is cut off or is not JSON ("),
        ("[1, 2]", "the file must hold an object of radiograph ids, it holds [1, 2]"),
        ("null", "the file must hold an object of radiograph ids, it holds None"),
    ],
)
def test_an_unreadable_annotation_file_is_as_good_as_none(writer, content, line):
    writer.experts("gt_segmentations", content)
    cohort = writer.open()
    assert not cohort.has_annotations
    assert cohort.annotation(FIRST, "Edema") is None
    assert the_only_line(cohort.problems).startswith(f"gt_segmentations_val.json: {line}")
    assert cohort.check() == cohort.problems


def test_an_annotation_file_that_is_not_text(writer):
    writer.experts("gt_segmentations", "").write_bytes(b"\xff\xfe\x00\x80")
    assert "is cut off or is not JSON" in the_only_line(writer.open().problems)


def test_unreadable_masks_are_made_from_contours(writer):
    square = [[[12, 10], [39, 10], [39, 29], [12, 29]]]
    writer.experts("gt_segmentations", "{")
    writer.experts("gt_annotations", {FIRST: {"img_size": list(SIZE), "Cardiomegaly": square}})
    cohort = writer.open()
    assert cohort.has_annotations
    assert len(cohort.problems) == 1
    assert np.array_equal(cohort.annotation(FIRST, "Cardiomegaly").mask(), HEART)
    assert cohort.annotation(FIRST, "Edema").is_empty


@pytest.mark.parametrize(
    ("spoilt", "line"),
    [
        ({"size": list(SIZE), "counts": "12"}, "the mask does not decode: its runs cover 3 pixels"),
        ({"size": list(SIZE), "counts": "?é"}, "the mask does not decode: its counts are"),
        ({"size": list(SIZE)}, "the mask must be an object with size and counts"),
        ({"size": [40], "counts": "0"}, "the size must be [height, width] in whole pixels, it is [40]"),
        ("12", "the mask must be an object with size and counts, it is '12'"),
        (None, "Edema is null"),
    ],
)
def test_a_mask_that_does_not_decode(writer, spoilt, line):
    writer.experts(
        "gt_segmentations",
        {FIRST: entry_of({"Cardiomegaly": HEART}) | {"Edema": spoilt}, SECOND: entry_of({"Edema": HEART})},
    )
    cohort = writer.open()
    assert cohort.problems == ()
    with pytest.raises(CohortError) as caught:
        cohort.annotation(FIRST, "Edema").mask()
    assert line in str(caught.value)
    assert str(caught.value) == the_only_line(cohort.check())
    assert str(caught.value).startswith(f"gt_segmentations_val.json {FIRST}")
    assert (
        cohort.annotation(FIRST, "Cardiomegaly").area
        == cohort.annotation(SECOND, "Edema").area
        == HEART.sum()
    )


def test_a_mask_of_another_size_than_its_radiograph(writer):
    turned = mask_of(1, 1, 5, 5, size=SIZE[::-1])
    writer.experts(
        "gt_segmentations",
        {FIRST: entry_of({"Cardiomegaly": HEART}) | entry_of({"Edema": turned}, SIZE[::-1])},
    )
    cohort = writer.open()
    line = f"gt_segmentations_val.json {FIRST} Edema: the mask is 50 × 40, the radiograph 40 × 50; they must be the same size"
    with pytest.raises(CohortError) as caught:
        cohort.annotation(FIRST, "Edema")
    assert str(caught.value) == line
    assert line in lines(cohort.check())


def test_entries_of_a_wrong_kind(writer):
    writer.experts(
        "gt_segmentations",
        {
            FIRST: [1],
            "patient9_study1_view1_frontal": entry_of({}),
            SECOND: entry_of({"Edema": HEART}) | {"Gout": 1},
        },
    )
    cohort = writer.open()
    assert lines(cohort.problems) == [
        f"gt_segmentations_val.json {FIRST}: the entry must be an object of pathologies, it is [1]",
        f"gt_segmentations_val.json {SECOND}: 'Gout' is not one of the ten pathologies",
        "gt_segmentations_val.json 'patient9_study1_view1_frontal': this entry has no radiograph; it is ignored",
    ]
    assert cohort.check() == cohort.problems
    with pytest.raises(CohortError, match="the entry must be an object"):
        cohort.annotation(FIRST, "Edema")
    assert cohort.annotation(SECOND, "Edema").area == HEART.sum()


def test_an_entry_without_radiograph_names_its_file(writer):
    writer.experts("gt_segmentations", {FIRST: entry_of({})})
    writer.experts("gt_annotations", {"x": {"img_size": list(SIZE)}})
    writer.experts("hb_annotations", {"y": {"img_size": list(SIZE)}})
    writer.experts("hb_salient_pt", {"z": {}})
    assert lines(writer.open().problems) == [
        "gt_annotations_val.json 'x': this entry has no radiograph; it is ignored",
        "hb_annotations_val.json 'y': this entry has no radiograph; it is ignored",
        "hb_salient_pt_val.json 'z': this entry has no radiograph; it is ignored",
    ]


def test_both_names_of_lung_opacity_in_one_entry(writer):
    entry = entry_of({"Lung Opacity": HEART})
    writer.experts("gt_segmentations", {FIRST: entry | {"Lung Opacity": entry["Edema"]}})
    cohort = writer.open()
    assert the_only_line(cohort.problems).endswith("Lung Opacity occurs twice; the first is used")
    assert cohort.annotation(FIRST, "Lung Opacity").area == HEART.sum()


def test_contours_that_cannot_be_read_leave_the_mask(writer):
    writer.experts("gt_segmentations", {FIRST: entry_of({"Cardiomegaly": HEART})})
    writer.experts("gt_annotations", {FIRST: {"img_size": list(SIZE), "Cardiomegaly": [[[1, 2], ["a", 3]]]}})
    cohort = writer.open()
    annotation = cohort.annotation(FIRST, "Cardiomegaly")
    assert [outline.tolist() for outline in annotation.contours] == [[[12, 10], [12, 29], [39, 29], [39, 10]]]
    assert the_only_line(cohort.check()).startswith(
        f"gt_annotations_val.json {FIRST} Cardiomegaly: the points must be"
    )


def test_contours_without_their_mask(writer):
    writer.experts("gt_segmentations", {FIRST: entry_of({})})
    writer.experts("gt_annotations", {FIRST: {"img_size": list(SIZE), "Edema": [[[1, 2], [9, 3], [5, 8]]]}})
    line = the_only_line(writer.open().check())
    assert line.endswith("Edema: the expert drew contours, but the mask is empty; the mask is used")


def test_a_point_outside_and_points_that_are_none(writer):
    writer.experts(
        "hb_salient_pt", {FIRST: {"Edema": [[50, 3]], "Atelectasis": [[1, 2], 7], "Cardiomegaly": [[3, 4]]}}
    )
    cohort = writer.open()
    assert cohort.salient_points(FIRST, "Cardiomegaly") == ((3.0, 4.0),)
    found = lines(cohort.check())
    assert f"hb_salient_pt_val.json {FIRST} Edema: a point lies outside the radiograph of 40 × 50" in found
    assert any(
        line.startswith(f"hb_salient_pt_val.json {FIRST} Atelectasis: the points must be") for line in found
    )
    assert len(found) == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["size", "counts", "Edema"]), inner)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(
    content=st.dictionaries(
        st.sampled_from([FIRST, SECOND, "x"]),
        json_values
        | st.dictionaries(st.sampled_from(["img_size", "Edema", "Airspace Opacity"]), json_values),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@pytest.mark.parametrize("kind", ["gt_segmentations", "gt_annotations", "hb_salient_pt"])
def test_any_json_is_problems_and_never_another_exception(writer, kind, content):
    writer.experts(kind, json.dumps(content))
    cohort = writer.open()
    lines(cohort.check())
    for ask in (cohort.annotation, cohort.human_benchmark, cohort.salient_points):
        try:
            ask(FIRST, "Edema")
        except CohortError:
            continue


# ---------------------------------------------------------------- folders


def test_no_folder(tmp_path):
    with pytest.raises(
        CohortError, match="nowhere: there is no such folder; give the one that contains CheXpert/"
    ):
        open_cohort(tmp_path / "nowhere")


def test_a_folder_without_a_cohort_says_what_was_looked_for_and_found(tmp_path):
    (tmp_path / "holiday.txt").touch()
    with pytest.raises(CohortError) as caught:
        open_cohort(tmp_path)
    assert "looked for radiographs in CheXpert/val/ or CheXpert/valid/" in str(caught.value)
    assert "val_labels.csv" in str(caught.value)
    assert "found only holiday.txt; nor is it NIH ChestX-ray14, " in str(caught.value)
    assert str(caught.value).endswith("a folder of images: docs/cohorts.md says how their files lie")


def test_images_without_labels_say_so(writer):
    with pytest.raises(CohortError, match="found CheXpert/val"):
        open_cohort(writer.folder, split="val")


def test_a_split_that_does_not_exist(writer):
    writer.save_labels()
    with pytest.raises(CohortError, match="there is no split named 'dev'; a cohort has train, val and test"):
        open_cohort(writer.folder, split="dev")
    with pytest.raises(
        CohortError, match="looked for radiographs in CheXpert/test/ with labels in test_labels"
    ):
        open_cohort(writer.folder, split="test")


def test_two_folders_of_one_split_are_not_guessed_between(writer):
    writer.save_labels()
    (writer.folder / "CheXpert" / "valid").mkdir()
    with pytest.raises(
        CohortError, match=r"there are 2 folders of val radiographs \(CheXpert/val, CheXpert/valid\)"
    ):
        open_cohort(writer.folder)


def test_two_label_files_that_differ_are_not_guessed_between(writer):
    writer.save_labels()
    copy = writer.folder / "valid.csv"
    shutil.copy(writer.labels, copy)
    assert len(open_cohort(writer.folder).radiographs) == 2
    copy.write_text(Path(copy).read_text().replace("0.0", "1.0"))
    with pytest.raises(
        CohortError, match=r"there are 2 val label files \(CheXpert/val_labels.csv, valid.csv\)"
    ):
        open_cohort(writer.folder)
