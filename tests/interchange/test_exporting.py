"""A run as CheXlocalize's files: read back, they say what the run says."""

from __future__ import annotations

import json
import pickle

import pandas as pd
import pytest
import torch
from pycocotools import mask as coco

from shamsul_core.cohort import open_cohort
from shamsul_core.engine.rescoring import score_run
from shamsul_core.interchange.exporting import export_run
from shamsul_core.interchange.importing import import_folder
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Run
from tests.cli.test_cli import call, said
from tests.made import make_cohort, make_run

pytestmark = pytest.mark.slow


@pytest.fixture
def exported(tmp_path):
    folder = make_cohort(tmp_path / "cohort", 4)
    run = make_run(tmp_path / "run", folder)
    cohort = open_cohort(folder)
    maps, problems = export_run(run, cohort, tmp_path / "out")
    assert not problems
    return run, cohort, tmp_path / "out", maps


def test_masks_give_the_ious_of_the_run(exported):
    run, _, out, _ = exported
    experts = json.loads((out / "gt_segmentations.json").read_text())
    compared = 0
    for method in run.manifest.methods:
        masks = json.loads((out / f"{method}_segmentations.json").read_text())
        assert sorted(masks) == run.explained_ids()
        for row in run.scores[run.scores["method"] == method].itertuples():
            name = row.pathology.replace("Lung Opacity", "Airspace Opacity")
            mask = coco.decode(masks[row.image_id][name]).astype(bool)
            assert mask.sum() == (0 if pd.isna(row.mask_area_px) else row.mask_area_px)
            if row.image_id in experts:
                expert = coco.decode(experts[row.image_id][name]).astype(bool)
                assert iou(mask, expert) == pytest.approx(row.iou, nan_ok=True, abs=1e-12)
                compared += not pd.isna(row.iou)
    assert compared > 10


def test_maps_read_as_a_run_score_the_same(exported, tmp_path):
    """`paper` takes a map as it is; what was exported is the part that the run's masks were made from."""
    run, cohort, out, _ = exported
    back, problems = import_folder(
        out / "gradcam_maps", cohort, tmp_path / "back", name="gradcam", title="Grad-CAM"
    )
    assert not problems
    score_run(back, cohort, PRESETS["paper"])
    keys, columns = ["image_id", "pathology"], ["iou", "hit", "mask_area_px", "threshold"]
    ours = run.scores[run.scores["method"] == "gradcam"].set_index(keys)
    theirs = back.scores.set_index(keys).reindex(ours.index)
    made = ours["mask_area_px"] > 0
    assert made.any()
    pd.testing.assert_frame_equal(ours.loc[made, columns], theirs.loc[made, columns], atol=1e-6)


def test_a_map_holds_what_their_scripts_ask_for(exported):
    _, cohort, out, maps = exported
    paths = sorted(out.rglob("*_map.pkl"))
    assert len(paths) == maps > 0
    for path in paths:
        found = pickle.loads(path.read_bytes())
        image_id, task, _ = path.stem.rsplit("_", 2)
        assert found["task"] == task
        assert found["map"].ndim == 4
        assert found["map"].dtype == torch.float32
        assert found["prob"].shape == (14,)
        assert found["cxr_dims"] == cohort.radiographs[image_id].pixels().shape[::-1]


def test_the_command_line(exported, tmp_path):
    run, *_ = exported
    result = call("export", "--run", run.folder, "--out", tmp_path / "again")
    assert result.exit_code == 0
    assert "heatmaps of 4 radiographs" in said(result)
    assert Run.open(run.folder).explained_ids() == run.explained_ids()
