"""Trainings from beginning to end: they learn, survive a kill, and say what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torchvision.models import densenet121
from typer.testing import CliRunner

from shamsul_core import extras
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.weights import load_classifier, save_classifier, untrained_classifier
from shamsul_core.cli import app
from shamsul_core.cohort import open_cohort
from shamsul_core.training import Settings, TrainingError, open_training, train
from shamsul_core.training.augmentation import LARGEST, augmented, draw
from shamsul_core.training.examples import read_examples
from shamsul_core.training.fit import silence
from shamsul_core.training.network import initial_network, trained_classifier
from shamsul_core.training.opening import hold_out
from shamsul_core.training.task import Task, read_checkpoint
from shamsul_core.vocabulary import OBSERVATIONS
from tests.training.cohorts import copy_as_train, name_of, write_split
from tests.training.killed import EPOCHS, train_here
from tests.training.networks import fit_on

pytestmark = pytest.mark.slow

QUICK = {"init": "random", "size_px": 32, "batch_size": 8}


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(result):
    return " ".join(result.output.split())


def _splits(cohort):
    return [open_cohort(cohort, split=split).radiographs for split in ("train", "val")]


def test_it_learns_a_cohort(learnable, tmp_path):
    settings = Settings(**QUICK | {"learning_rate": 1e-3})
    outcome = train(open_training(learnable, tmp_path / "m.safetensors", settings), epochs=8)
    losses = [row["train_loss"] for row in outcome.position.epochs]
    assert losses[-1] < losses[0] / 2
    table = pd.read_csv(tmp_path / "m.safetensors.training" / "epochs.csv")
    assert table["steps"].tolist() == [3 * epoch for epoch in range(1, 9)]
    assert any((tmp_path / "m.safetensors.training" / "tensorboard").iterdir())
    assert 0 < outcome.timing.network < outcome.timing.total
    model = load_classifier(str(tmp_path / "m.safetensors"))
    assert model.preprocessing == Preprocessing(size_px=32)
    # Beside it lies what it was trained on; the command makes the same of it, from pixels in more than 8 bits
    first = model.training
    assert (first.trained, first.held_out) == (*map(len, _splits(learnable)),)
    done = call("novelty", "--model", tmp_path / "m.safetensors", "--cohort", learnable)
    assert done.exit_code == 0, done.output
    assert f"{first.trained} training radiographs summed up" in said(done)
    assert f"only {first.held_out} radiographs were held out" in said(done)
    again = load_classifier(str(tmp_path / "m.safetensors")).training
    assert (again.trained, again.held_out) == (first.trained, first.held_out)
    np.testing.assert_allclose(again.mean, first.mean, atol=0.01 * np.abs(first.mean).max())
    for other in ("untrained", "timm:resnet18"):
        assert "no file or folder" in said(call("novelty", "--model", other, "--cohort", learnable))


def test_it_learns_the_sample(sample, tmp_path):
    settings = Settings(**QUICK | {"size_px": 64, "learning_rate": 1e-3})
    opened = open_training(copy_as_train(sample, tmp_path), tmp_path / "m.safetensors", settings)
    losses = [row["train_loss"] for row in train(opened, epochs=6).position.epochs]
    assert losses[-1] < losses[0] / 2


def test_killed_in_an_epoch_it_ends_with_the_same_weights(learnable, tmp_path):
    """Six steps in two epochs; killed in the fifth, whose predecessor is in the checkpoint."""
    train_here(learnable, tmp_path / "whole.safetensors", silence)
    killed = tmp_path / "killed.safetensors"
    command = [sys.executable, "-m", "tests.training.killed", learnable, killed, "5"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    position = read_checkpoint(tmp_path / "killed.safetensors.training" / "checkpoint.pt")["position"]
    assert (position["epoch"], position["step"]) == (1, 1)
    train_here(learnable, killed, silence)
    whole, resumed = (
        read_checkpoint(tmp_path / f"{name}.safetensors.training" / "checkpoint.pt")
        for name in ("whole", "killed")
    )
    assert resumed["position"]["epoch"] == EPOCHS
    assert whole["network"].keys() == resumed["network"].keys()
    for name, tensor in whole["network"].items():
        assert torch.equal(tensor, resumed["network"][name]), name
    outs = [tmp_path / f"{name}.safetensors" for name in ("whole", "killed")]
    assert len({load_classifier(str(out)).fingerprint for out in outs}) == 1
    assert (
        len({out.with_name(f"{out.name}.training").joinpath("epochs.csv").read_bytes() for out in outs}) == 1
    )


def task_of(cohort, folder, settings, **about):
    """Nine radiographs to learn from and five to validate on, so that neither divides evenly."""
    folder.mkdir()
    preprocessing = Preprocessing(size_px=settings.size_px)
    splits = {}
    for split, count in (("train", 9), ("val", 5)):
        radiographs = list(open_cohort(cohort, split=split).radiographs.values())[:count]
        splits[split] = read_examples(radiographs, preprocessing, folder / "pixels", split, str)
    places = {"folder": folder, "out": folder / "m.safetensors"}
    return Task(**splits, settings=settings, preprocessing=preprocessing, **places, **about)


@pytest.mark.parametrize("first", [1e-7, 1.5e-8])
def test_the_learning_rate_falls_as_in_keras_and_at_its_floor_all_ends(learnable, tmp_path, first):
    """Steps of 1e-7 gain nothing: one epoch sets the mark, the next stalls, and so does the one at a tenth."""
    task = task_of(learnable, tmp_path / "0", Settings(**QUICK, learning_rate=first), until_epoch=9)
    fit_on(1, task)
    position = read_checkpoint(task.checkpoint)["position"]
    assert [row["learning_rate"] for row in position["epochs"]] == pytest.approx([first, first, 1e-8])
    assert position["has_ended"]


def test_two_processes_train_as_one_with_the_same_batch(learnable, tmp_path):
    settings = Settings(**QUICK | {"batch_size": 4, "uncertain": "ignore"})
    ends = []
    for devices in (1, 2):
        task = task_of(learnable, tmp_path / str(devices), settings, until_epoch=1)
        fit_on(devices, task)
        ends.append(read_checkpoint(task.checkpoint))
    one, two = (end["position"]["epochs"][0] for end in ends)
    assert one == pytest.approx(two, rel=1e-4, nan_ok=True)
    start = initial_network(settings)[0].state_dict()
    moved = 0.0
    for name, tensor in ends[0]["network"].items():
        if tensor.is_floating_point():
            # Adam's steps are ±1e-4 where the gradient is noise around zero
            assert (tensor - ends[1]["network"][name]).abs().mean() < 1e-5, name
            moved = max(moved, float((tensor - start[name]).abs().max())) if name in start else moved
    assert moved > 1e-4


def test_what_cannot_be_read_is_named_and_the_epoch_goes_on(tmp_path):
    cohort = write_split(write_split(tmp_path / "made", "train", 18), "val", 4, first=101)
    (cohort / "CheXpert" / "train" / name_of(3)).write_bytes(b"not an image")
    (cohort / "CheXpert" / "train" / name_of(4)).unlink()
    arguments = ("train", "--cohort", cohort, "--out", tmp_path / "m.safetensors")
    result = call(*arguments, "--init", "random", "--size", "32", "--epochs", "1", "--batch-size", "8")
    assert result.exit_code == 0, result.output
    assert "patient00003_study1_view1_frontal" in said(result)
    assert "not a DICOM, PNG, JPEG or TIFF file" in said(result)
    assert "patient00004" in said(result)
    assert "the network took" in said(result)
    unreadable = (tmp_path / "m.safetensors.training" / "unreadable.csv").read_text()
    assert "patient00003" in unreadable
    assert "patient00004" in unreadable
    again = call(*arguments, "--init", "random", "--size", "32", "--epochs", "1", "--batch-size", "8")
    assert again.exit_code == 0
    assert "already trained, nothing to do" in said(again)
    other = call(*arguments, "--init", "random", "--size", "64", "--epochs", "1", "--uncertain", "ones")
    assert other.exit_code == 1
    assert "contains a training that differs in batch_size, size_px, uncertain" in said(other)


def test_pixels_are_those_of_inference(learnable, tmp_path):
    """To half a grey level, since they are kept in 8 bits."""
    preprocessing = Preprocessing(size_px=32)
    radiographs = list(open_cohort(learnable, split="train").radiographs.values())
    examples = read_examples(radiographs, preprocessing, tmp_path / "pixels", "train", str)
    kept = examples.intensities(np.array([2, 0])).float() / 255
    for row, place in zip(kept, (2, 0), strict=True):
        expected = preprocessing.resize(radiographs[place].pixels())[0]
        assert (row - expected).abs().max() <= 0.5 / 255 + 1e-6


def test_without_validation_split_patients_are_held_out(tmp_path):
    cohort = write_split(tmp_path / "made", "train", 40)
    opened = open_training(cohort, tmp_path / "m.safetensors", Settings(**QUICK))
    patients = [{one.id.split("_")[0] for one in part} for part in (opened.train, opened.val)]
    assert not patients[0] & patients[1]
    assert [len(one) for one in patients] == [38, 2]
    assert any("are held out" in note for note in opened.notes)
    everyone = list(open_cohort(cohort, split="train").radiographs.values())
    assert hold_out(everyone, 0)[1] == hold_out(everyone[::-1], 0)[1][::-1]
    assert hold_out(everyone, 1)[1] != hold_out(everyone, 0)[1]


def test_lateral_radiographs_can_be_left_out(learnable, tmp_path):
    opened = open_training(learnable, tmp_path / "m.safetensors", Settings(**QUICK, frontal_only=True))
    assert len(opened.train) == 20
    assert all(one.view == "frontal" for one in (*opened.train, *opened.val))


def test_three_classes_end_in_an_ordinary_classifier(pixels):
    """Its probability is the softmax over negative and positive of the network that was trained."""
    network, preprocessing = initial_network(Settings(init="random", size_px=64, uncertain="three-class"))
    model = trained_classifier(network.state_dict(), preprocessing, "made")
    with torch.no_grad():
        three = network.eval()(preprocessing(pixels)).reshape(14, 3)
    expected = torch.softmax(three[:, [0, 2]], dim=1)[:, 1]
    np.testing.assert_allclose(list(model.predict(pixels).values()), expected, atol=1e-6)


@pytest.mark.parametrize("uncertain", ["zeros", "three-class"])
def test_a_model_to_start_from_predicts_as_before(tmp_path, pixels, uncertain):
    path = tmp_path / "model.safetensors"
    before = untrained_classifier(5)
    torch.nn.init.normal_(before.network.classifier.bias)
    save_classifier(before, path)
    network, preprocessing = initial_network(Settings(init=str(path), uncertain=uncertain))
    after = trained_classifier(network.state_dict(), preprocessing, "made")
    assert after.predict(pixels) == pytest.approx(before.predict(pixels), abs=1e-6)


def test_heads_are_copied_by_name(tmp_path):
    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.classifier.network import DenseNet121

    path = tmp_path / "two.safetensors"
    two = Classifier(DenseNet121(2), ("Edema", "No Finding"), Preprocessing(), "two", is_trained=True)
    save_classifier(two, path)
    weight = initial_network(Settings(init=str(path)))[0].classifier.weight
    assert torch.equal(weight[OBSERVATIONS.index("Edema")], two.network.classifier.weight[0])
    assert torch.equal(weight[0], two.network.classifier.weight[1])


def test_imagenet_weights_come_from_torchvisions_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    theirs = densenet121()
    torch.save(theirs.state_dict(), tmp_path / "checkpoints" / "densenet121-a639ec97.pth")
    network = initial_network(Settings())[0]
    assert network.classifier.out_features == 14
    for name, tensor in theirs.features.state_dict().items():
        assert torch.equal(tensor, network.features.state_dict()[name]), name


def test_without_imagenet_weights_one_line_says_what_to_do(learnable, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))

    def no_network(*_, **__):
        raise OSError("<urlopen error no route>")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    result = call("train", "--cohort", learnable, "--out", tmp_path / "m.safetensors")
    assert result.exit_code == 1
    assert "no route" in said(result)
    assert "densenet121-a639ec97.pth" in said(result)
    assert "give --init random or a model" in said(result)
    assert not (tmp_path / "m.safetensors.training").exists()


def test_augmentation_moves_what_it_says_and_depends_on_the_radiograph_alone():
    dot = torch.zeros(1, 1, 101, 101)
    dot[0, 0, 50, 80] = 1.0  # 30 right of the centre
    still = np.zeros((1, 6))
    torch.testing.assert_close(augmented(dot, still), dot)
    turned = augmented(dot, still + np.eye(6)[0])[0, 0]
    row, column = np.unravel_index(int(turned.argmax()), (101, 101))
    radius, angle = np.hypot(row - 50, column - 50), np.arctan2(row - 50, column - 50)
    assert radius == pytest.approx(30, abs=1)
    assert abs(angle) == pytest.approx(LARGEST[0], abs=0.03)
    shifted = augmented(dot, still + np.eye(6)[1])[0, 0]
    assert abs(int(shifted.argmax()) % 101 - 80) == 5  # 5 % of the side
    brighter = augmented(torch.full((1, 1, 32, 32), 0.5), still + np.eye(6)[4])
    torch.testing.assert_close(brighter, torch.full_like(brighter, 0.6))
    rows = np.array([4, 7, 9])
    np.testing.assert_array_equal(draw(0, 2, rows)[1:], draw(0, 2, rows[1:]))
    assert not (draw(0, 2, rows) == draw(0, 3, rows)).any()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--uncertain", "maybe"), "uncertain labels are one of zeros, ones, ignore, three-class"),
        (("--dtype", "int8"), "unknown dtype 'int8'"),
        (("--device", "abacus"), "abacus: no such device to train on"),
        (("--devices", "3"), "a batch of 16 cannot be divided evenly among 3 devices"),
        (("--init", "nowhere.safetensors"), "nowhere.safetensors: no such model"),
        (("--size", "1"), "the size is 32 to 4096 pixels"),
        (("--out", "model.bin"), "a model is a .safetensors file"),
    ],
)
def test_wrong_input_is_one_line(learnable, tmp_path, arguments, line):
    result = call(
        "train", "--cohort", learnable, "--out", tmp_path / "m.safetensors", "--init", "random", *arguments
    )
    assert result.exit_code == 1
    assert line in said(result)
    assert "Traceback" not in result.output
    assert not (tmp_path / "m.safetensors").exists()


def test_a_model_that_is_there_is_not_overwritten(learnable, tmp_path):
    (tmp_path / "m.safetensors").write_bytes(b"precious")
    with pytest.raises(TrainingError, match="is already a model"):
        open_training(learnable, tmp_path / "m.safetensors", Settings(**QUICK))
    assert (tmp_path / "m.safetensors").read_bytes() == b"precious"


def test_a_loss_that_is_not_finite_ends_the_training(learnable, tmp_path):
    broken = untrained_classifier()
    torch.nn.init.constant_(broken.network.classifier.bias, torch.nan)
    save_classifier(broken, tmp_path / "nan.safetensors")
    settings = Settings(**QUICK | {"init": str(tmp_path / "nan.safetensors")})
    with pytest.raises(TrainingError, match="the loss is nan in epoch 1; give a lower --learning-rate"):
        train(open_training(learnable, tmp_path / "m.safetensors", settings), epochs=1)


def test_a_damaged_folder_is_named(learnable, tmp_path):
    out = tmp_path / "m.safetensors"
    opened = open_training(learnable, out, Settings(**QUICK))
    (opened.folder / "checkpoint.pt").write_bytes(b"cut")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt: not a readable checkpoint \(.*remove it"):
        train(opened, epochs=1)
    (opened.folder / "settings.json").write_text("{")
    with pytest.raises(TrainingError, match=r"settings\.json: not readable"):
        open_training(learnable, out, Settings(**QUICK))
    (opened.folder / "settings.json").write_text(json.dumps({"seed": 3}))
    with pytest.raises(TrainingError, match="differs in seed"):
        open_training(learnable, out, Settings(**QUICK))


def test_without_its_packages_it_says_what_to_install(learnable, tmp_path, monkeypatch):
    find = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "lightning" else find(name))
    result = call("train", "--cohort", learnable, "--out", tmp_path / "m.safetensors")
    assert result.exit_code == 1
    assert "This needs lightning, not installed here; install with: pip install" in said(result)
    assert "[train]" in said(result)
