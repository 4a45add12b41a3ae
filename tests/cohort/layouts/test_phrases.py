"""MS-CXR and PadChest-GR, whose tables and reports are made here as their descriptions have them."""

from __future__ import annotations

import pytest

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.cohort.patients import patient_of

MS_CXR = """\
category_name,label_text,path,x,y,w,h,dicom_id,image_width,image_height,split
Pleural Effusion,"moderate right effusion, loculated",files/p10/p10000032/s50414267/aa.jpg,100,200,300,400,aa,1000,2000,test
Pleural Effusion,small left effusion,files/p10/p10000032/s50414267/aa.jpg,600,200,100,100,aa,1000,2000,test
Edema,mild edema,files/p10/p10000032/s50414267/aa.jpg,0,0,1000,2000,aa,1000,2000,test
Pneumothorax,apical pneumothorax,files/p11/p11000011/s51029426/bb.jpg,1,2,3,wide,bb,500,500,val
"""


def test_ms_cxrs_boxes_bring_their_phrase(put):
    put("MS_CXR_Local_Alignment_v1.1.0.csv", MS_CXR)
    put("files/p10/p10000032/s50414267/aa.jpg", (200, 100))
    folder = put("files/p11/p11000011/s51029426/bb.jpg", (50, 50)).parents[4]
    cohort = open_cohort(folder)
    first, second = cohort.radiographs
    assert (cohort.layout, cohort.split, first) == ("ms-cxr", "all", "p10000032_s50414267_aa")
    assert (patient_of(first), patient_of(second)) == ("p10000032", "p11000011")
    effusion = cohort.annotation(first, "Effusion")
    assert effusion.boxes.tolist() == [[10, 20, 40, 60], [60, 20, 70, 30]]
    assert effusion.phrase == "moderate right effusion, loculated small left effusion"
    assert cohort.annotation(first, "Edema").phrase == "mild edema"
    assert cohort.annotation(second, "Edema") is None, "no phrase speaks of it"
    labels = cohort.radiographs[first].labels
    assert (labels["Pleural Effusion"], labels["Pneumothorax"]) == (1.0, None)
    (problem,) = cohort.problems
    assert str(problem).startswith("MS_CXR_Local_Alignment_v1.1.0.csv line 5: a box must be four numbers")
    assert list(open_cohort(folder, split="test").radiographs) == [first]
    assert list(open_cohort(folder, split="val").radiographs) == [second]


REPORTS = [
    {
        "StudyID": "1",
        "ImageID": "11_00-055-086.png",
        "findings": [
            {
                "sentence_en": "Bilateral pleural effusion.",
                "sentence_es": "Derrame pleural bilateral.",
                "abnormal": True,
                "boxes": [[0.1, 0.5, 0.3, 0.9], [0.6, 0.5, 0.8, 0.9]],
                "extra_boxes": [[0.1, 0.5, 0.3, 0.7]],
                "labels": ["pleural effusion"],
                "locations": ["pleural", "bilateral"],
            },
            {"sentence_en": "COPD signs.", "abnormal": True, "boxes": [], "labels": ["COPD signs"]},
            {"sentence_en": "Normal heart.", "abnormal": False},
        ],
    },
    {"StudyID": "2", "ImageID": "12.png", "findings": [{"sentence_en": "Normal.", "abnormal": False}]},
    {"StudyID": "3", "ImageID": "13.png"},
    "nothing",
]


def test_padchest_grs_boxes_are_shares_of_the_sides(put):
    put("grounded_reports_20240819.json", REPORTS)
    put(
        "master_table.csv",
        "StudyID,ImageID,split,PatientSex_DICOM,PatientAge\n1,11_00-055-086.png,validation,F,61\n2,12.png,test,M,70.0\n",
    )
    for name in ("11_00-055-086.png", "12.png", "13.png"):
        folder = put(f"PadChest_GR/{name}", (200, 100)).parents[1]
    assert list(open_cohort(folder).radiographs) == ["12"]
    cohort = open_cohort(folder, split="all")
    first, second, third = cohort.radiographs.values()
    assert (cohort.layout, first.id, first.sex, first.age, second.age) == (
        "padchest-gr",
        "11_00-055-086",
        "Female",
        61,
        70,
    )
    assert cohort.observations == ("Pleural Effusion", "COPD signs")
    assert [tuple(one.labels.values()) for one in (first, second, third)] == [(1, 1), (0, 0), (0, 0)]
    one, other = cohort.annotations(first.id, "pleural effusion")
    # Of 100 columns and 200 rows
    assert one.boxes.round(9).tolist() == [[10, 100, 30, 180], [60, 100, 80, 180]]
    assert other.boxes.round(9).tolist() == [[10, 100, 30, 140]]
    assert (one.annotator, other.annotator) == ("reader 1", "reader 2")
    assert one.phrase == "Bilateral pleural effusion."
    assert one.area == 2 * 20 * 80
    assert cohort.marked_pathologies == ("Pleural Effusion",)
    (problem,) = cohort.problems
    assert str(problem) == "grounded_reports_20240819.json: a report names no ImageID, it is 'nothing'"
    assert cohort.check() == cohort.problems


def test_a_second_reader_of_padchest_gr_counts_where_they_read_every_finding_of_an_observation(put):
    left, right, again = [0.5, 0, 1, 1], [0, 0, 0.5, 1], [0.5, 0, 1, 0.5]
    findings = [
        {"labels": ["nodule"], "boxes": [left], "extra_boxes": [again]},
        {"labels": ["nodule", "mass"], "boxes": [right]},
        {"labels": ["mass"], "extra_boxes": [again]},
        {"labels": ["edema"], "boxes": [left], "extra_boxes": [again]},
        {"labels": ["edema"]},
    ]
    put("grounded_reports_20240819.json", [{"ImageID": "a.png", "findings": findings}])
    cohort = open_cohort(put("PadChest_GR/a.png", (20, 10)).parents[1])
    drawn = {
        name: [len(one.boxes) for one in cohort.annotations("a", name)]
        for name in ("nodule", "mass", "edema")
    }
    # One nodule was read once, and so was one mass; the edema without boxes was read by nobody
    assert drawn == {"nodule": [2, 0], "mass": [1, 0], "edema": [1, 1]}


def test_padchest_grs_patients_are_those_of_the_master_table(put):
    put("grounded_reports_20240819.json", [{"ImageID": f"{name}.png"} for name in ("a", "b", "c", "d")])
    rows = "a.png,train,7\nb.png,train,7\nc.png,train,8\nd.png,train,\n"
    put("master_table.csv", f"ImageID,split,PatientID\n{rows}")
    for name in "abcd":
        folder = put(f"PadChest_GR/{name}.png", (20, 10)).parents[1]
    cohort = open_cohort(folder, split="train")
    assert list(cohort.radiographs) == ["padchest7_a", "padchest7_b", "padchest8_c", "d"]
    assert [patient_of(one) for one in cohort.radiographs] == ["padchest7", "padchest7", "padchest8", "d"]
    assert cohort.radiographs["padchest7_a"].path.name == "a.png"


def test_reports_that_are_none(put):
    path = put("grounded_reports_20240819.json", {"ImageID": "a"})
    with pytest.raises(CohortError, match="it must hold a list of reports"):
        open_cohort(path.parent)
    path.write_text("[")
    with pytest.raises(CohortError, match="the reports cannot be read"):
        open_cohort(path.parent)
