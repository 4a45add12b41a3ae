"""Masks of others beside a run: scored as they are, shown on every page, and never thresholded again."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from pycocotools import mask as coco

from shamsul_core.cohort import open_cohort
from shamsul_core.interchange.chexlocalize import MapError
from shamsul_core.interchange.importing import import_segmentations
from shamsul_core.localisation.segmentation import PRESETS, segment
from shamsul_core.run import RunError
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, chexlocalize_name
from tests.cli.test_cli import call, said
from tests.made import expert_rectangle, image_id, make_cohort


def encoded(mask):
    one = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(one["size"]), "counts": one["counts"].decode()}


@pytest.fixture(scope="module")
def masks():
    """For two radiographs ten masks, with holes and overlaps, one empty."""
    rng = np.random.default_rng(0)
    made = {}
    for number in (1, 2):
        noise = {name: rng.random((120, 100)) > 0.7 for name in LOCALISED_PATHOLOGIES}
        made[image_id(number)] = noise | {"Lung Lesion": np.zeros((120, 100), bool)}
    return made


@pytest.fixture(scope="module")
def file(masks, tmp_path_factory):
    path = tmp_path_factory.mktemp("theirs") / "theirs.json"
    theirs = {
        name: {chexlocalize_name(pathology): encoded(mask) for pathology, mask in ten.items()}
        for name, ten in masks.items()
    }
    path.write_text(json.dumps(theirs | {"patient99999_study1_view1_frontal": theirs[image_id(1)]}))
    return path


def test_a_mask_stays_as_it_came(masks, file, made_cohort, tmp_path):
    run, problems = import_segmentations(
        file, open_cohort(made_cohort), tmp_path / "run", name="unet", title="U-Net"
    )
    assert [line for line in problems if "patient99999" in line and "not in the cohort" in line]
    assert run.explained_ids() == sorted(masks)
    for name, ten in masks.items():
        for heatmap in run.read(name).heatmaps:
            assert heatmap.is_mask
            for settings in PRESETS.values():
                np.testing.assert_array_equal(
                    segment(heatmap, (120, 100), settings).mask, ten[heatmap.pathology]
                )


@pytest.mark.slow
def test_beside_a_run_it_is_one_method_more(masks, file, made_run, made_cohort, tmp_path):
    done = call(
        *("import-maps", "--segmentations", file, "--cohort", made_cohort, "--run", tmp_path / "both"),
        *("--beside", made_run.folder, "--name", "unet", "--title", "U-Net"),
    )
    assert done.exit_code == 0, done.output
    run = type(made_run).open(tmp_path / "both")
    assert list(run.manifest.methods) == [*made_run.manifest.methods, "unet"]
    assert run.explained_ids() == made_run.explained_ids()
    before = ["image_id", "pathology", "method", "iou", "hit", "mask_area_px"]
    known = run.scores[run.scores["method"] != "unet"][before].reset_index(drop=True)
    pd.testing.assert_frame_equal(known, made_run.scores[before].reset_index(drop=True))
    theirs = run.scores[run.scores["method"] == "unet"].set_index(["image_id", "pathology"])
    mask, expert = masks[image_id(2)]["Edema"], expert_rectangle(2, (120, 100)).astype(bool)
    row = theirs.loc[(image_id(2), "Edema")]
    assert row["iou"] == pytest.approx((mask & expert).sum() / (mask | expert).sum())
    assert pd.isna(row["hit"])
    absent = theirs.loc[image_id(3)]
    assert absent["iou"].isna().all()
    assert (absent["reason"].dropna() != "").any()


def test_what_cannot_be_used_is_one_line(file, made_run, made_cohort, tmp_path):
    cohort = open_cohort(made_cohort)
    (tmp_path / "empty.json").write_text("{}")
    with pytest.raises(MapError, match=r"empty\.json: not a segmentation file of this cohort"):
        import_segmentations(tmp_path / "empty.json", cohort, tmp_path / "run", name="unet", title="U-Net")
    with pytest.raises(RunError, match="already has a method 'lime'"):
        import_segmentations(file, cohort, tmp_path / "run", name="lime", title="L", beside=made_run)
    neither = call("import-maps", "--cohort", made_cohort, "--run", tmp_path / "run")
    assert neither.exit_code == 1
    assert "give either --maps FOLDER, or --segmentations FILE" in said(neither)


def test_beside_a_run_other_masks_of_the_same_name_are_refused(file, made_run, made_cohort, tmp_path):
    cohort = open_cohort(made_cohort)
    about = {"name": "unet", "title": "U-Net", "beside": made_run}
    import_segmentations(file, cohort, tmp_path / "run", **about)
    entries = json.loads(file.read_text())
    (tmp_path / file.name).write_text(json.dumps({image_id(1): entries[image_id(1)]}))
    with pytest.raises(RunError, match="contains a run that differs in"):
        import_segmentations(tmp_path / file.name, cohort, tmp_path / "run", **about)


def test_a_radiograph_that_cannot_be_read_is_named_and_the_rest_goes_on(file, tmp_path):
    cohort = make_cohort(tmp_path / "cohort")
    (cohort / "CheXpert" / "val" / "patient00001" / "study1" / "view1_frontal.jpg").write_bytes(b"no image")
    run, problems = import_segmentations(
        file, open_cohort(cohort), tmp_path / "run", name="unet", title="U-Net"
    )
    assert run.explained_ids() == [image_id(2)]
    assert [line for line in problems if "patient00001" in line]


@pytest.mark.parametrize(
    ("mark", "what"),
    [
        ([[[12, 10], [39, 10], [39, 29]]], "this file holds the contours that experts drew"),
        ([[20.5, 15], [3, 4]], "this file holds the points that readers clicked"),
        ({"size": [120, 100], "counts": "12"}, "this file holds run-length encoded masks"),
        ("yes", "this file holds no masks"),
    ],
)
def test_another_file_than_masks_is_refused_and_said_to_be_what_it_is(made_cohort, tmp_path, mark, what):
    path, run = tmp_path / "theirs.json", tmp_path / "run"
    path.write_text(json.dumps({image_id(1): {"img_size": [120, 100], "Edema": mark}}))
    done = call("import-maps", "--segmentations", path, "--cohort", made_cohort, "--run", run)
    assert done.exit_code == 1
    assert f"{path}: {what}; not one mask can be read" in said(done)
    assert not run.exists()
    done = call("import-maps", "--maps", path, "--cohort", made_cohort, "--run", run)
    assert done.exit_code == 1
    assert f"{path}: {what}; give the folder with CheXlocalize's *_map.pkl heatmaps" in said(done)
    assert not run.exists()


def test_masks_that_are_all_empty_are_masks(made_cohort, tmp_path):
    path = tmp_path / "empty.json"
    path.write_text(json.dumps({image_id(1): {"Edema": encoded(np.zeros((120, 100), bool))}}))
    done = call("import-maps", "--segmentations", path, "--cohort", made_cohort, "--run", tmp_path / "run")
    assert done.exit_code == 0, done.output
