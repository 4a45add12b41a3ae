"""A reader of another cohort, with its boxes and its own observations: every page speaks of these and of no other."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from playwright.sync_api import expect
from typer.testing import CliRunner

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.weights import save_classifier
from shamsul_core.cli import app
from shamsul_core.cohort import open_cohort
from tests.browser.journeys.visit import Visit
from tests.imaging.radiographs import file_of, radiograph
from tests.made import made_pixels
from tests.serving import served

PAGES = ("Distributions", "Selection", "Overview", "Methods", "Review")
ELSEWHERE = re.compile("chexpert|chexlocalize", re.IGNORECASE)


def explained(cohort_folder, folder):
    """Explain a cohort by the quick methods with a tiny network of its observations, which lies beside the run."""
    observations = open_cohort(cohort_folder).observations
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.resnet18(num_classes=len(observations)).eval()
    tiny = Classifier(
        network, observations, Preprocessing(size_px=32), "tiny", is_trained=False, architecture="resnet18"
    )
    model, run = folder / "tiny.safetensors", folder / "run"
    save_classifier(tiny, model)
    methods = ("--method", "gradcam", "--method", "lrp")
    command = ["explain", "--cohort", cohort_folder, "--model", model, "--run", run, *methods]
    result = CliRunner().invoke(app, [str(argument) for argument in command])
    assert result.exit_code == 0, result.output
    return run


@pytest.fixture(scope="module")
def tbx11k(public_samples, tmp_path_factory):
    """TBX11K's two real radiographs, of which one has a box."""
    return explained(public_samples / "tbx11k", tmp_path_factory.mktemp("tbx11k"))


@pytest.fixture(scope="module")
def nih(tmp_path_factory):
    """Six made radiographs in ChestX-ray14's layout, four of them with boxes."""
    folder = tmp_path_factory.mktemp("nih")
    cohort = folder / "ChestXray14"
    (cohort / "images").mkdir(parents=True)
    rows, boxes = [], []
    for number in range(1, 7):
        name = f"{number:08d}_000.png"
        pixels = np.roll(made_pixels(256, 256), 17 * number, axis=1)
        Image.fromarray(pixels).resize((1024, 1024)).save(cohort / "images" / name)
        labels = "No Finding" if number > 4 else "Cardiomegaly|Effusion"
        rows.append(f"{name},{labels},0,{number},058Y,M,PA,1024,1024,0.143,0.143,")
        if number <= 4:
            boxes.append(f"{name},Cardiomegaly,{200 + 20 * number}.0,400.0,500.0,300.0")
    head = (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
    )
    (cohort / "Data_Entry_2017.csv").write_text("\n".join([head, *rows]) + "\n")
    (cohort / "BBox_List_2017.csv").write_text(
        "\n".join(["Image Index,Finding Label,Bbox [x,y,w,h],,,", *boxes]) + "\n"
    )
    return explained(cohort, folder)


@pytest.mark.parametrize(
    ("which", "marked", "observation"),
    [("tbx11k", "tb_tb0005", "ActiveTuberculosis"), ("nih", "00000002_000", "Cardiomegaly")],
)
def test_every_page_speaks_of_this_cohort(page, request, which, marked, observation, tmp_path, monkeypatch):
    run = request.getfixturevalue(which)
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path}/reviews.sqlite")
    monkeypatch.delenv("SHAMSUL_MODEL", raising=False)
    with served(run) as server:
        visit = Visit(page, server.address)
        visit.open(f"/?radiograph={marked}&pathology={observation}")
        visit.sees(marked, observation)
        says_nothing_of_chexpert(page)
        expect(page.get_by_test_id("metric-lrp-box-iou")).to_contain_text(re.compile(r"\d"))
        for name in PAGES:
            visit.go_to(name)
            says_nothing_of_chexpert(page)
        visit.go_to("Compare")
        visit.sees(marked, observation)

        # Its own model lies beside the run, and explains a reader's radiograph by these observations
        visit.go_to("Upload")
        file = {"name": "own.dcm", "mimeType": "application/dicom", "buffer": file_of(radiograph())}
        page.locator("input[type=file]").set_input_files(file)
        expect(page.get_by_test_id("metric-gradcam-area")).to_contain_text("%", timeout=240_000)
        expect(page.get_by_test_id("findings").get_by_role("radio", name=observation)).to_be_visible()
        says_nothing_of_chexpert(page)
        assert visit.complaints == []


def says_nothing_of_chexpert(page):
    named = ELSEWHERE.search(page.locator("body").inner_text())
    assert named is None, named


def test_the_report_speaks_of_it_too(tbx11k, tmp_path):
    result = CliRunner().invoke(app, ["report", "--run", str(tbx11k), "--out", str(tmp_path / "report")])
    assert result.exit_code == 0, result.output
    text = re.sub(r'"data:[^"]+"', "", (tmp_path / "report" / "report.html").read_text(encoding="utf-8"))
    assert "ActiveTuberculosis" in text
    assert "box IoU" in text
    shutil.rmtree(tmp_path / "report")
