"""Heatmaps of others, a folder a method: each with the name that its folder says, and never two taken for one."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.interchange.exporting import export_run
from shamsul_core.interchange.importing import import_folder
from shamsul_core.run import Run
from tests.cli.test_cli import call, said
from tests.made import make_cohort


@pytest.fixture(scope="module")
def exported(made_run, made_cohort, tmp_path_factory):
    """The maps of four methods, each in its folder."""
    out = tmp_path_factory.mktemp("exported")
    export_run(made_run, open_cohort(made_cohort), out)
    return out


@pytest.mark.slow
def test_an_export_of_several_methods_comes_back_as_several(exported, made_run, made_cohort, tmp_path):
    done = call("import-maps", "--maps", exported, "--cohort", made_cohort, "--run", tmp_path / "run")
    assert done.exit_code == 0, done.output
    run = Run.open(tmp_path / "run")
    titles = {name: about["title"] for name, about in run.manifest.methods.items()}
    assert titles == {
        "gradcam": "Grad-CAM (imported)",
        "lime": "LIME (imported)",
        "lrp": "LRP (imported)",
        "shap": "SHAP (imported)",
    }
    keys = ["image_id", "pathology", "method"]
    sizes = run.scores.set_index(keys)["mask_area_px"].dropna()
    theirs = made_run.scores.set_index(keys)["mask_area_px"].dropna()
    assert set(sizes.index) == set(theirs.index)
    for name in made_run.explained_ids():
        maps = {(one.method, one.pathology): one for one in run.read(name).heatmaps}
        for one in made_run.read(name).heatmaps:
            if one.method == "gradcam":
                expected = np.maximum(one.relevance, 0)
                np.testing.assert_allclose(maps["gradcam", one.pathology].relevance, expected)
    named = ("--name", "theirs")
    done = call("import-maps", "--maps", exported, "--cohort", made_cohort, "--run", tmp_path / "one", *named)
    assert done.exit_code == 1
    assert "holds the maps of several methods (gradcam, lime, lrp, shap)" in said(done)


def test_one_methods_folder_names_it(exported, made_cohort, tmp_path):
    run, _ = import_folder(exported / "lime_maps", open_cohort(made_cohort), tmp_path / "run")
    assert {name: about["title"] for name, about in run.manifest.methods.items()} == {
        "lime": "LIME (imported)"
    }


def test_two_maps_of_one_finding_whose_folders_name_no_method_are_refused(exported, made_cohort, tmp_path):
    for method, folder in (("lime", "first"), ("shap", "second")):
        shutil.copytree(exported / f"{method}_maps", tmp_path / "maps" / folder)
    about = ("--cohort", made_cohort, "--run", tmp_path / "run")
    done = call("import-maps", "--maps", tmp_path / "maps", *about)
    assert done.exit_code == 1
    assert "are of the same finding; if they are of two methods, name their folders" in said(done)
    assert not (tmp_path / "run").exists()


def test_maps_of_another_cohort_are_refused(exported, tmp_path):
    other = make_cohort(tmp_path / "cohort", 1)
    (other / "CheXpert" / "val" / "patient00001").rename(other / "CheXpert" / "val" / "patient7")
    labels = other / "CheXpert" / "val_labels.csv"
    labels.write_text(labels.read_text().replace("patient00001", "patient7"))
    done = call("import-maps", "--maps", exported, "--cohort", other, "--run", tmp_path / "run")
    assert done.exit_code == 1
    assert "heatmaps can be used; the first: " in said(done)
    assert not (tmp_path / "run").exists()
