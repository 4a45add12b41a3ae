"""A leak between training and test is said where a card names the same split or patients, and nowhere else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from shamsul_core.classifier.leak import leak_in_words
from shamsul_core.classifier.model_card import ModelCard, read_card
from shamsul_core.classifier.training_data import (
    MOST_PATIENTS,
    TrainingCohort,
    training_cohort,
)
from shamsul_core.classifier.weights import save_classifier, untrained_classifier
from shamsul_core.cli import app
from shamsul_core.cohort import open_cohort
from shamsul_core.training import Settings, open_training
from tests.training.cohorts import write_split

NIH = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("leak") / "cohort"
    write_split(made, "train", 8)
    return write_split(made, "val", 4, first=101)


@pytest.fixture(scope="module")
def card(folder, tmp_path_factory):
    """What a training on the train split says of itself, read as a file has it."""
    out = tmp_path_factory.mktemp("model") / "model.safetensors"
    card = open_training(folder, out, Settings(init="random", size_px=32, batch_size=4)).card
    save_classifier(replace(untrained_classifier(), card=card), out, dtype=torch.float16)
    return read_card(str(out)), out


def by_hand(**cohort):
    return ModelCard.from_json({"trained_on": "something", "cohorts": [cohort]})


def test_the_split_that_it_was_trained_on_is_said_and_the_other_is_not(card, folder):
    assert "trained on these very radiographs" in leak_in_words(card[0], open_cohort(folder, split="train"))
    assert leak_in_words(card[0], open_cohort(folder, split="val")) is None
    assert leak_in_words(None, open_cohort(folder, split="train")) is None


def test_patients_in_common_are_said_whatever_split_they_are_in(card, tmp_path):
    """Of the ten of another cohort's validation split, 6 to 15, three were trained on: 6, 7 and 8."""
    other = write_split(tmp_path / "other", "val", 10, first=6)
    assert "at least 3 of the patients in this cohort" in leak_in_words(
        card[0], open_cohort(other, split="val")
    )


def test_layout_and_split_by_hand_are_enough_for_a_public_cohort(folder, tmp_path):
    train = open_cohort(folder, split="train")
    told = leak_in_words(by_hand(layout="chexpert", split="train"), train)
    assert "the train split of CheXpert and CheXlocalize, to which these radiographs belong" in told
    assert leak_in_words(by_hand(layout="chexpert", split="test"), train) is None
    assert leak_in_words(by_hand(layout="nih", split="train"), train) is None
    for name in ("00000001_000", "00000002_000"):
        shutil.copy(next(folder.glob("CheXpert/val/**/*.jpg")), tmp_path / f"{name}.png")
    rows = "00000001_000.png,Mass,1,40,F,PA\n00000002_000.png,No Finding,2,50,M,AP\n"
    (tmp_path / "Data_Entry_2017.csv").write_text(NIH + rows, encoding="utf-8")
    (tmp_path / "test_list.txt").write_text("00000001_000.png\n", encoding="utf-8")
    (tmp_path / "train_val_list.txt").write_text("00000002_000.png\n", encoding="utf-8")
    of_test, of_train = by_hand(layout="nih", split="test"), by_hand(layout="nih", split="train")
    test, all_of_it = open_cohort(tmp_path, split="test"), open_cohort(tmp_path, split="all")
    assert leak_in_words(of_train, test) is None
    assert "to which these radiographs belong" in leak_in_words(of_test, test)
    assert "to which some of these radiographs belong" in leak_in_words(of_train, all_of_it)


def test_of_a_part_that_is_not_known_a_possible_leak_is_said(folder):
    """TorchXRayVision learned from 80 % of NIH's patients whatever list they are in, and of CheXpert's from its train.csv."""

    def told(name, layout, split):
        class Cohort:
            is_simulated, fingerprint, radiographs = False, "f", ()

        Cohort.layout, Cohort.split = layout, split
        return leak_in_words(read_card(f"torchxrayvision:{name}"), Cohort)

    said = told("densenet121-res224-nih", "nih", "test")
    assert said.startswith("Possible leak between training and test")
    assert "a part of NIH ChestX-ray14, to which these radiographs may belong" in said
    assert "a part of MIMIC-CXR" in told("densenet121-res224-all", "ms-cxr", "all")
    assert "a part of CheXpert," in told("densenet121-res224-chex", "chexpert", "train")
    assert "a part of VinDr-CXR" in told("resnet50-res512-all", "vindr", "train")
    assert told("densenet121-res224-chex", "chexpert", "val") is None
    assert told("densenet121-res224-chex", "nih", "test") is None
    assert told("densenet121-res224-all", "vindr", "train") is None
    assert told("resnet50-res512-all", "vindr", "test") is None


def test_what_is_certain_is_said_before_what_is_possible(folder):
    train = open_cohort(folder, split="train")
    sample = TrainingCohort(layout="chexpert", split="train", is_sample=True)
    certain = TrainingCohort(layout="x", split="train", fingerprint=train.fingerprint)
    assert leak_in_words(ModelCard(trained_on="x", cohorts=(sample, certain)), train).startswith("Leak")


def test_a_folder_of_ones_own_is_known_by_its_fingerprint_alone_and_keeps_no_ids(folder, tmp_path):
    for number, path in enumerate(folder.glob("CheXpert/val/**/*.jpg")):
        (tmp_path / "own").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "own" / f"12345{number}.jpg")
    own = open_cohort(tmp_path / "own")
    kept = training_cohort(own, own.radiographs)
    assert kept.patients == ()
    assert "these very radiographs" in leak_in_words(ModelCard(trained_on="ours", cohorts=(kept,)), own)
    assert leak_in_words(by_hand(layout="folder", split=own.split), own) is None


@pytest.mark.parametrize(
    ("layout", "name", "is_public"),
    [
        ("chexpert", "patient00007_study1_view1_frontal", True),
        ("chexpert", "patient00712345_study1_view1_frontal", False),
        ("nih", "00012345_001", True),
        ("folder", "00012345_001", False),
        ("coco", "p10012345_s50000001_a", False),
        ("ms-cxr", "p10012345_s50000001_a", True),
        ("vindr", "patient00007_study1_view1_frontal", False),
    ],
)
def test_a_card_keeps_the_patients_of_public_cohorts_alone(folder, layout, name, is_public):
    """A hospital's own numbers may look like a public cohort's in a folder or a table of its own."""

    class Named:
        is_simulated, split, fingerprint = False, "train", "f"

    Named.layout = layout
    assert bool(training_cohort(Named, [name]).patients) == is_public


def test_simulated_patients_are_nobodys(card, folder, tmp_path):
    simulated = shutil.copytree(folder, tmp_path / "simulated")
    (simulated / "CheXpert" / "SIMULATED.txt").write_text("Simulated.", encoding="utf-8")
    cohort = open_cohort(simulated, split="train")
    assert training_cohort(cohort, cohort.radiographs).patients == ()
    trained = replace(training_cohort(cohort, cohort.radiographs), fingerprint="another")
    real = open_cohort(folder, split="train")
    assert leak_in_words(ModelCard(trained_on="simulated ones", cohorts=(trained,)), real) is None


def test_of_many_patients_a_card_keeps_the_same_few(folder):
    cohort = open_cohort(folder, split="train")
    ids = [f"patient{number:05d}_study1_view1_frontal" for number in range(1000)]
    kept = training_cohort(cohort, ids).patients
    assert len(kept) == MOST_PATIENTS
    assert kept == training_cohort(cohort, reversed(ids)).patients
    assert not any("patient" in one for one in kept)


@pytest.mark.parametrize("cohorts", ["nih", [{"layout": "nih"}], [3], [{"layout": 1, "split": "x"}]])
def test_damaged_cohorts_are_named(cohorts):
    with pytest.raises(ValueError, match="model card"):
        ModelCard.from_json({"trained_on": "x", "cohorts": cohorts})


def test_a_card_without_cohorts_stands_in_files_as_it_did():
    assert set(ModelCard(trained_on="x").to_json()) == {"trained_on", "not_for", "is_simulated"}
    stored = ModelCard(trained_on="x", cohorts=(TrainingCohort(layout="nih", split="train"),)).to_json()
    assert ModelCard.from_json(json.loads(json.dumps(stored))).cohorts[0].layout == "nih"


@pytest.mark.slow
@pytest.mark.parametrize(("split", "is_said"), [("train", True), ("val", False)])
def test_explain_says_it_before_it_begins(card, folder, tmp_path, split, is_said):
    asked = ["explain", "--cohort", folder, "--split", split, "--model", card[1], "--run", tmp_path / "run"]
    few = ["--method", "gradcam", "--pathology", "Edema", "--limit", 1]
    said = " ".join(CliRunner().invoke(app, list(map(str, asked + few))).output.split())
    assert ("Leak between training and test" in said) == is_said
    assert (tmp_path / "run" / "manifest.json").is_file()


@pytest.mark.parametrize(("split", "is_said"), [("train", True), ("val", False)])
def test_check_says_it(card, folder, tmp_path, split, is_said):
    asked = [
        "check",
        str(folder),
        "--split",
        split,
        "--model",
        str(card[1]),
        "--out",
        str(tmp_path / "p.txt"),
    ]
    said = " ".join(CliRunner().invoke(app, asked).output.split())
    assert ("Leak between training and test" in said) == is_said
