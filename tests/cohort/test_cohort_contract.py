"""What every layout's cohort holds to, over the registry: a new layout needs a maker here and is tested."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.cohort.opening import LAYOUTS
from shamsul_core.cohort.summary import cohort_table, label_counts, marked_counts, marked_ids
from shamsul_core.imaging import reading
from shamsul_core.vocabulary import canonical_name
from tests.imaging.reading_here import ReaderHere
from tests.made import make_cohort

SIZE = (64, 48)
KAGGLE = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
COCO = {
    "images": [{"id": number, "file_name": f"{number}.png", "width": 48, "height": 64} for number in (1, 2)],
    "categories": [{"id": 1, "name": "Mass"}, {"id": 2, "name": "Scar"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]},
        {
            "id": 2,
            "image_id": 2,
            "category_id": 2,
            "segmentation": [[1, 1, 20, 1, 20, 30]],
            "bbox": [1, 1, 19, 29],
        },
    ],
}
REPORT = {
    "ImageID": "1.png",
    "findings": [
        {"sentence_en": "A mass.", "abnormal": True, "labels": ["mass"], "boxes": [[0.1, 0.1, 0.5, 0.5]]}
    ],
}
MADE = {
    "nih": {
        "Data_Entry_2017.csv": "Image Index,Finding Labels\n1.png,Mass\n2.png,No Finding\n",
        "BBox_List_2017.csv": "Image Index,Finding Label,Bbox [x,y,w,h],,,\n1.png,Mass,10,20,300,400\n",
    },
    "rsna": {"stage_2_train_labels.csv": "patientId,x,y,width,height,Target\n1,10,20,300,400,1\n2,,,,,0\n"},
    "siim": {"train-rle.csv": f"ImageId, EncodedPixels\n1, 200200 300{99 * ' 724 300'}\n2, -1\n"},
    "vindr": {
        "train.csv": f"{KAGGLE}1,ILD,5,R1,1,2,30,40\n1,ILD,5,R2,2,2,30,40\n2,No finding,14,R1,,,,\n",
    },
    "ms-cxr": {
        "MS_CXR_Local_Alignment_v1.1.0.csv": "dicom_id,category_name,label_text,path,x,y,w,h,image_width,image_height\n"
        "1,Edema,mild edema,1.png,10,20,300,400,480,640\n",
    },
    "padchest-gr": {"grounded_reports_20240819.json": json.dumps([REPORT, {"ImageID": "2.png"}])},
    "coco": {"instances.json": json.dumps(COCO)},
    "folder": {"labels.csv": "file,Mass\n1.png,1\n2.png,0\n"},
}


def made(name, folder):
    if name == "chexpert":
        return make_cohort(folder)
    for number in (1, 2):
        path = folder / "images" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full(SIZE, 40 * number, np.uint8)).save(path)
    for file, text in MADE[name].items():
        (folder / file).write_text(text, encoding="utf-8")
    if name == "folder":
        (folder / "masks" / "Mass").mkdir(parents=True)
        Image.fromarray(np.eye(*SIZE, dtype=np.uint8) * 255).save(folder / "masks" / "Mass" / "1.png")
    return folder


@pytest.fixture(params=list(LAYOUTS))
def cohort(request, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "READER", ReaderHere())
    cohort = open_cohort(made(request.param, tmp_path / "made"))
    assert cohort.layout == request.param, "found by what lies there"
    return cohort


def test_labels_are_of_its_observations_by_their_one_name(cohort):
    assert cohort.problems == ()
    assert tuple(map(canonical_name, cohort.observations)) == cohort.observations
    assert len(set(cohort.observations)) == len(cohort.observations)
    for image_id, radiograph in cohort.radiographs.items():
        assert radiograph.id == image_id
        assert tuple(radiograph.labels) == cohort.observations
        assert set(radiograph.labels.values()) <= {1.0, 0.0, -1.0, None}
    table = cohort_table(cohort)
    assert list(table.index) == list(cohort.radiographs)
    assert list(label_counts(table).index) == list(cohort.observations)


def test_truth_is_of_one_kind_lies_on_the_radiograph_and_the_union_is_what_any_marked(cohort):
    assert cohort.has_annotations
    assert set(cohort.marked_pathologies) <= set(cohort.observations)
    marked = {image_id: set(cohort.marked_on(image_id)) for image_id in cohort.radiographs}
    assert any(marked.values())
    for image_id, radiograph in cohort.radiographs.items():
        for name in cohort.marked_pathologies:
            annotations = cohort.annotations(image_id, name)
            together = cohort.annotation(image_id, name)
            assert (together is None) == (annotations == ())
            if together is None:
                assert name not in marked[image_id]
                continue
            assert {one.kind for one in annotations} == {cohort.truth_kind(name)}
            assert {one.mask().shape for one in (*annotations, together)} == {radiograph.size}
            np.testing.assert_array_equal(
                together.mask(), np.any([one.mask() for one in annotations], axis=0)
            )
            assert (name in marked[image_id]) == (not together.is_empty)
    assert marked_ids(cohort) == [image_id for image_id, names in marked.items() if names]
    assert sum(marked_counts(cohort).values()) == sum(map(len, marked.values()))


def test_what_is_not_there_is_named_and_nothing_is_wrong_with_the_rest(cohort):
    name = cohort.marked_pathologies[0]
    with pytest.raises(CohortError, match="there is no radiograph 'nobody'"):
        cohort.annotations("nobody", name)
    for ask in (cohort.truth_kind, lambda name: cohort.annotation(next(iter(cohort.radiographs)), name)):
        with pytest.raises(CohortError, match="'Whatever' is not one of"):
            ask("Whatever")
    with pytest.raises(CohortError, match="there is no split named 'nowhere'"):
        open_cohort(cohort.folder, split="nowhere")
    steps = []
    assert cohort.check(steps.append) == ()
    assert steps == list(cohort.radiographs)


def test_it_opens_as_itself_by_what_a_run_keeps_of_it(cohort):
    again = open_cohort(cohort.folder, split=cohort.split, layout=cohort.layout)
    assert (again.fingerprint, again.name, list(again.radiographs)) == (
        cohort.fingerprint,
        cohort.name,
        list(cohort.radiographs),
    )
    assert len(cohort.fingerprint) == 64
    first = next(iter(cohort.radiographs.values()))
    assert pickle.loads(pickle.dumps(first)) == first
    assert not cohort.is_simulated
    assert not cohort.is_readers_own
