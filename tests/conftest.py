"""What all tests share: the sample radiograph, a made one, and networks small enough for two cores."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from tests.made import made_pixels, make_box_cohort, make_cohort, make_run

# No test may fail because the machine is slow
hypothesis.settings.register_profile("without a clock", deadline=None)
hypothesis.settings.load_profile("without a clock")

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
NOT_SHARED = "../shared/data is not on this machine"


@pytest.fixture(autouse=True)
def _main_stays_pytests() -> Iterator[None]:
    """Streamlit leaves each page that it runs as `__main__`, which processes spawned by later tests would run again."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests looked at nothing, for a run that skips them passes."""
    skipped = [
        report for report in terminalreporter.getreports("skipped") if NOT_SHARED in str(report.longrepr)
    ]
    if skipped:
        line = f"{len(skipped)} tests were skipped because {NOT_SHARED}: nothing was compared with the published files"
        terminalreporter.section("real data", yellow=True)
        terminalreporter.line(line, yellow=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real public data beside the project; the one way in which a test skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(NOT_SHARED)
    return SHARED


@pytest.fixture(scope="session")
def sample(shared) -> Path:
    """CheXlocalize's public radiograph."""
    return shared / "chexlocalize-sample"


@pytest.fixture(scope="session")
def public_samples(shared) -> Path:
    """Real files of other public cohorts."""
    return shared / "public-samples"


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an empty bucket of an S3 server on this machine, which this process and its children reach."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "made")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "made")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3").create_bucket(Bucket="runs")
        yield "s3://runs"
    server.stop()


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """A made image, uint8, 120 × 100, with smooth structure and grain."""
    return made_pixels()


@pytest.fixture(scope="session")
def classifier():
    """An untrained DenseNet-121 on 64 × 64, so that a forward pass takes a few milliseconds."""
    import torch

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.classifier.network import DenseNet121
    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.vocabulary import OBSERVATIONS

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = DenseNet121(len(OBSERVATIONS))
        torch.nn.init.normal_(network.classifier.bias)
    return Classifier(network, OBSERVATIONS, Preprocessing(size_px=64), "untrained", is_trained=False)


@pytest.fixture(scope="session")
def small_model(tmp_path_factory) -> Path:
    """The file of an untrained ResNet-18 on 32 × 32: whole explanations in seconds, for workers to load."""
    import torch
    import torchvision

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.classifier.weights import save_classifier
    from shamsul_core.vocabulary import OBSERVATIONS

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.resnet18(num_classes=len(OBSERVATIONS)).eval()
    path = tmp_path_factory.mktemp("small") / "model.safetensors"
    made = Classifier(
        network, OBSERVATIONS, Preprocessing(size_px=32), "made", is_trained=False, architecture="resnet18"
    )
    save_classifier(made, path)
    return path


@pytest.fixture(scope="session")
def made_cohort(tmp_path_factory) -> Path:
    """Three radiographs in the released layout, two of them with an expert's rectangle for two pathologies."""
    return make_cohort(tmp_path_factory.mktemp("made") / "cohort")


@pytest.fixture(scope="session")
def made_run(made_cohort, tmp_path_factory):
    """A run on `made_cohort` with random heatmaps and one failure; never changed by a test."""
    return make_run(tmp_path_factory.mktemp("made") / "run", made_cohort)


@pytest.fixture(scope="session")
def box_cohort(tmp_path_factory):
    """Two radiographs with an expert's box of Edema each."""
    from shamsul_core.cohort import open_cohort

    return open_cohort(make_box_cohort(tmp_path_factory.mktemp("made") / "boxes"))


@pytest.fixture(scope="session")
def box_run(box_cohort, tmp_path_factory):
    """A run on `box_cohort` with random heatmaps; never changed by a test."""
    return make_run(tmp_path_factory.mktemp("made") / "run_of_boxes", box_cohort.folder)
