"""A planted shortcut: as strong as was asked, known to the pixel, and nothing else changed by it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.simulate.cohort import Simulation, simulate_cohort
from shamsul_core.simulate.devices import chest_tube, wires
from shamsul_core.simulate.planting import simulate_case
from shamsul_core.simulate.shortcuts import Shortcut
from shamsul_core.simulate.signs import SIGNS
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.cli.test_cli import call, said

MARKER = Shortcut(sign="side marker", pathology="Pneumothorax", share=0.5)
SIMULATION = Simulation(seed=6, count=5, split="val", size_px=128, at_least=2, shortcut=MARKER)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95, 1.0])
def test_the_sign_goes_with_the_label_as_often_as_asked(share):
    shortcut = replace(MARKER, share=share)
    random = np.random.default_rng(1)
    for label, expected in {1.0: share, 0.0: 1 - share, -1.0: 0.5}.items():
        drawn = [shortcut.is_drawn(label, random) for _ in range(20_000)]
        assert np.mean(drawn) == pytest.approx(expected, abs=0.02)


@pytest.mark.slow
def test_in_a_cohort_it_goes_with_its_pathology_and_with_no_other_beyond_that():
    """Drawn labels alone: with 0.95 the cohort has it, with 0.5 the sign says nothing of any label."""
    strong, none = (
        Simulation(seed=2, count=3000, split="train", shortcut=replace(MARKER, pathology=name, share=share))
        for name, share in (("Pleural Effusion", 0.95), ("Pleural Effusion", 0.5))
    )
    cases = strong.cases()
    for label, expected in {1.0: 0.95, 0.0: 0.05}.items():
        signs = [case.has_sign for case in cases if case.labels["Pleural Effusion"] == label]
        assert np.mean(signs) == pytest.approx(expected, abs=0.02)
    cases = none.cases()
    for name in ("Pleural Effusion", "Edema", "Support Devices"):
        shares = [
            np.mean([case.has_sign for case in cases if case.labels[name] == label]) for label in (0, 1)
        ]
        assert np.ptp(shares) < 0.05


def test_of_all_that_is_drawn_only_the_sign_and_a_devices_label_are_new():
    plain = replace(SIMULATION, shortcut=None, count=40).cases()
    for sign in SIGNS:
        shortcut = replace(MARKER, sign=sign)
        cases = replace(SIMULATION, shortcut=shortcut, count=40).cases()
        assert 5 < sum(case.has_sign for case in cases) < 35
        for case, before in zip(cases, plain, strict=True):
            is_labelled = case.has_sign and sign in ("chest tube", "pacemaker")
            labels = dict(before.labels) | ({"Support Devices": 1.0} if is_labelled else {})
            assert replace(case, has_sign=False) == replace(before, labels=labels)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "has 1 parts"),
        ("side marker:Pneumothorax", "has 2 parts"),
        ("beard:Pneumothorax:0.9", "there is no sign 'beard'"),
        ("side marker:Fracture:0.9", "'Fracture' is no pathology"),
        ("side marker:Pneumothorax:often", "'often' is not a number"),
        ("side marker:Pneumothorax:1.5", "the share 1.5"),
        ("side marker:Pneumothorax:0.2", "the share 0.2"),
        ("side marker:Pneumothorax:nan", "the share nan"),
    ],
)
def test_what_is_not_understood_is_one_line_that_names_what_is_allowed(tmp_path, text, what):
    result = call("simulate", "--out", tmp_path / "out", "--count", "1", "--shortcut", text)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert what in said(result)
    for allowed in (*SIGNS, *LOCALISED_PATHOLOGIES, "0.5"):
        assert allowed in said(result)
    assert not (tmp_path / "out").exists()


def test_a_device_is_no_shortcut_to_devices():
    with pytest.raises(ValueError, match=r"a chest tube is itself one of the Support Devices"):
        Shortcut.parse("chest tube:Support Devices:0.9")


@pytest.fixture(scope="module")
def folder(ct, tmp_path_factory):
    del ct
    folder = tmp_path_factory.mktemp("planted")
    simulate_cohort(SIMULATION, folder)
    return folder


@pytest.mark.slow
def test_each_radiograph_knows_its_sign_and_where_it_is(folder):
    """JPEG spreads a change over its block of 8 × 8 pixels and no further."""
    cohort = open_cohort(folder, split="val")
    cases = SIMULATION.cases()
    assert not cohort.check()
    assert {case.has_sign for case in cases} == {True, False}
    for (name, radiograph), case in zip(cohort.radiographs.items(), cases, strict=True):
        sign = cohort.planted_sign(name)
        assert (sign.name, sign.pathology, sign.share) == ("side marker", "Pneumothorax", 0.5)
        assert sign.is_present == case.has_sign
        difference = np.abs(radiograph.pixels().astype(int) - sign.other)
        rows, columns = np.nonzero(sign.mask)
        blocks = np.zeros((np.array(sign.mask.shape) + 7) // 8, bool)
        blocks[rows // 8, columns // 8] = True
        touched = np.kron(blocks, np.ones((8, 8), bool))[: sign.mask.shape[0], : sign.mask.shape[1]]
        # A change that no reader would see is in no mask, and in the file all the same
        assert (difference[~touched] <= 8).all()
        assert difference[~touched].mean() < 0.05
        assert (difference[sign.mask] > 6).mean() > 0.9
        brighter = radiograph.pixels() if sign.is_present else sign.other
        darker = sign.other if sign.is_present else radiograph.pixels()
        assert brighter[sign.mask].mean() > darker[sign.mask].mean() + 50


@pytest.mark.slow
def test_a_finding_is_taken_away_and_the_sign_stays(folder):
    cohort = open_cohort(folder, split="val")
    there = [name for name in cohort.radiographs if cohort.planted_sign(name).is_present]
    seen = 0
    for name in there:
        pixels, mask = cohort.radiographs[name].pixels(), cohort.planted_sign(name).mask
        for pathology in LOCALISED_PATHOLOGIES:
            without = cohort.counterfactual(name, pathology)
            if without is not None:
                seen += 1
                assert without.pixels[mask].mean() == pytest.approx(pixels[mask].mean(), abs=4)
    assert seen


@pytest.mark.slow
def test_without_the_sign_a_radiograph_is_that_of_a_cohort_without_a_shortcut(folder, tmp_path):
    """To the byte: the sign takes none of the radiograph's random numbers. So are all labels and contours."""
    simulate_cohort(replace(SIMULATION, shortcut=None), tmp_path)
    cases = SIMULATION.cases()
    images = [sorted(place.rglob("*frontal.jpg")) for place in (folder / "CheXpert", tmp_path / "CheXpert")]
    for case, planted, plain in zip(cases, *images, strict=True):
        assert (planted.read_bytes() == plain.read_bytes()) is not case.has_sign
    for name in ("CheXpert/val_labels.csv", "CheXlocalize/gt_segmentations_val.json"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()
    assert (
        open_cohort(tmp_path, split="val").planted_sign(
            images[1][0].parents[1].name + "_study1_view1_frontal"
        )
        is None
    )
    assert "shortcut" not in json.loads((tmp_path / "CheXpert" / "simulation_val.json").read_text())
    assert not (tmp_path / "Signs").exists()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    simulate_cohort(SIMULATION, tmp_path)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert all((folder / path).read_bytes() == (tmp_path / path).read_bytes() for path in files)


@pytest.mark.slow
def test_the_train_split_says_which_radiographs_have_the_sign_and_keeps_no_truth(ct, tmp_path):
    del ct
    simulation = replace(SIMULATION, split="train", count=4)
    simulate_cohort(simulation, tmp_path)
    cohort = open_cohort(tmp_path, split="train")
    assert all(cohort.planted_sign(name) is None for name in cohort.radiographs)
    about = json.loads((tmp_path / "CheXpert" / "simulation_train.json").read_text())
    assert about["shortcut"] == {"sign": "side marker", "pathology": "Pneumothorax", "share": 0.5}
    with_sign = [case.has_sign for case in simulation.cases()]
    assert [name in about["with_sign"] for name in cohort.radiographs] == with_sign


@pytest.mark.slow
@pytest.mark.parametrize("other", [None, "side marker:Pneumothorax:0.6", "corner tag:Pneumothorax:0.5"])
def test_another_shortcut_in_the_folder_is_refused(folder, other):
    about = ("--count", "5", "--seed", "6", "--split", "val", "--size", "128", "--at-least", "2")
    result = call("simulate", "--out", folder, *about, *(("--shortcut", other) if other else ()))
    assert result.exit_code == 1
    assert "contains a simulation with another shortcut" in said(result)


@pytest.mark.slow
def test_files_of_another_size_are_named(folder, tmp_path):
    import shutil

    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    file = next((tmp_path / "Signs").rglob("*.png"))
    import cv2

    cv2.imwrite(str(file), np.zeros((9, 9), np.uint8))
    with pytest.raises(CohortError, match="simulate the cohort again"):
        open_cohort(tmp_path, split="val").planted_sign(file.stem)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNS)
def test_every_sign_shows_in_both_directions_and_the_rest_stays(ct, chest, name):
    shortcut = replace(MARKER, sign=name)
    simulation = replace(SIMULATION, shortcut=shortcut, size_px=160)
    case = replace(simulation.cases()[0], severities={"Pneumothorax": 0.7})
    with_it, without = (
        simulate_case(
            ct,
            chest,
            replace(case, has_sign=has_sign),
            shortcut,
            partial(simulation.random, 0),
            size_px=160,
            with_truth=True,
        )
        for has_sign in (True, False)
    )
    np.testing.assert_array_equal(with_it.other, without.simulated.pixels)
    np.testing.assert_array_equal(without.other, with_it.simulated.pixels)
    difference = np.abs(with_it.simulated.pixels.astype(int) - without.simulated.pixels)
    if name == "exposure":
        assert with_it.mask is None
        assert difference.mean() > 15
        return
    np.testing.assert_array_equal(with_it.mask, without.mask)
    assert 0.001 < with_it.mask.mean() < 0.12
    assert difference[~with_it.mask].max() <= 6
    assert difference[with_it.mask].min() > 6
    # The finding's contour is that of the radiograph without the sign
    contours = [one.simulated.masks["Pneumothorax"] for one in (with_it, without)]
    assert (contours[0] & contours[1]).sum() > 0.9 * (contours[0] | contours[1]).sum()


@pytest.mark.slow
def test_a_device_of_the_signs_kind_is_there_only_as_the_sign(chest):
    """A chest tube has a stripe 2.2 mm beside its course; without chest tubes no set of devices has two wires like that."""

    def has_tube(devices):
        return any(wire.radius_mm == 4.0 and wire.attenuation == 0.012 for wire in devices)

    sets = [
        [wires(chest, np.random.default_rng(seed), is_pa=False, never=never) for seed in range(60)]
        for never in (None, chest_tube)
    ]
    assert any(map(has_tube, sets[0]))
    assert not any(map(has_tube, sets[1]))
    assert all(sets[1])
