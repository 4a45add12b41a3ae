"""The printed figure as a reader of the file gets it."""

from __future__ import annotations

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.print.comparison import KINDS, numbers_csv, print_comparison
from shamsul_core.figures.print.files import encode_figure
from shamsul_core.run.wording import cohort_in_words
from tests.made import image_id, make_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cohort(made_cohort):
    return open_cohort(made_cohort)


def printed(run, cohort, kind, pathology="Edema", number=1):
    return print_comparison(run, cohort, image_id(number), pathology, run.scores, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_run_gives_the_same_file(kind, made_run, cohort):
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind]
    one = printed(made_run, cohort, kind)
    assert one.startswith(start)
    assert one == printed(made_run, cohort, kind)


def test_files_drawn_at_once_are_the_bytes_of_those_drawn_alone(made_run, cohort):
    """Red with settings changed for one figure (`rc_context`): they are the process's, and show in another's."""

    def bars():
        figure = Figure(figsize=(2, 1))
        figure.add_subplot().bar([0, 1], [1, 2], hatch="////", label="bars")
        return encode_figure(figure, "svg")

    drawn = [partial(printed, made_run, cohort, kind) for kind in KINDS] + [bars, bars]
    alone = [draw() for draw in drawn]
    with ThreadPoolExecutor(len(drawn)) as threads:
        for _ in range(4):
            at_once = [waiting.result() for waiting in [threads.submit(draw) for draw in drawn]]
            assert at_once == alone


def test_another_pathology_is_another_figure_with_five_pictures(made_run, cohort):
    edema, other = (
        cv2.imdecode(np.frombuffer(printed(made_run, cohort, "png", name), np.uint8), cv2.IMREAD_COLOR)
        for name in ("Edema", "Cardiomegaly")
    )
    assert edema.shape == other.shape
    parts = np.array_split(np.abs(edema.astype(int) - other).sum(axis=(0, 2)), 5)
    # The radiograph and its contour are the same, in the made cohort; SHAP failed on Edema.
    assert [part.any() for part in parts[1:]] == [True] * 4


def test_the_caption_names_run_model_cohort_and_what_nobody_must_conclude(made_cohort, tmp_path, monkeypatch):
    run = make_run(tmp_path / "night-run", made_cohort, trained=False)
    run.manifest.cohort["simulated"] = "Simulated from CT, not a patient."
    # As text rather than as outlines of letters, so that it can be read back
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    svg = printed(run, open_cohort(made_cohort), "svg").decode()
    text = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)) + " ".join(re.findall(r">([^<]+)<", svg))
    for words in (
        "night-run",
        "model made",
        "masks by Otsu",
        "Untrained network",
        "Simulated from CT, not a patient.",
        "For research, not for diagnosis.",
        "for the pathology",
        "Made to fail.",
    ):
        assert words in text
    assert cohort_in_words(run.manifest.cohort) in text


def test_an_unknown_kind_is_named(made_run, cohort):
    with pytest.raises(ValueError, match="png, svg, pdf, not 'gif'"):
        printed(made_run, cohort, "gif")


def test_the_numbers_are_the_runs_scores(made_run, cohort):
    rows = list(csv.DictReader(io.StringIO(numbers_csv(made_run, cohort, image_id(1), made_run.scores))))
    here = made_run.scores[made_run.scores["image_id"] == image_id(1)]
    assert len(rows) == len(here) == 40
    for row, score in zip(rows, here.itertuples(), strict=True):
        assert (row["pathology"], row["method"]) == (score.pathology, score.method)
        assert float(row["iou"] or "nan") == pytest.approx(score.iou, nan_ok=True)
        assert row["model"] == "made"
