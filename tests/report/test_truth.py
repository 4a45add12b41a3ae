"""A report on boxes says so in every table, and no mean is over boxes and contours."""

from __future__ import annotations

import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.html.distributions import add_human_benchmark, iou_boxes
from shamsul_core.report.chapter import Table
from shamsul_core.report.comparison import comparison_chapter
from shamsul_core.report.evidence import Evidence
from shamsul_core.statistics.human_benchmark import EACH_OTHER, human_benchmark_scores
from shamsul_core.statistics.summary import in_slice, summarise
from tests.made import TITLES, make_box_cohort, make_readers_cohort, make_run

pytestmark = pytest.mark.slow


def tables(run, cohort):
    blocks = comparison_chapter(Evidence(run, cohort)).blocks
    return {block.name: block for block in blocks if isinstance(block, Table)}


def test_each_table_of_boxes_says_box(box_run, box_cohort):
    made = tables(box_run, box_cohort)
    for name in ("methods", "pairs", "scores", "boxes_found"):
        assert set(made[name].frame["truth"]) == {"box"}, name
        assert "contour" not in made[name].caption, name
        assert "box" in made[name].caption.lower(), name
    assert "Dice" not in made["scores"].frame.columns
    assert {"Box IoU", "IoBB", "Relevance mass", "Hit rate"} <= set(made["scores"].frame.columns)


def test_the_share_of_boxes_found_falls_with_the_threshold(box_run, box_cohort):
    shares = tables(box_run, box_cohort)["boxes_found"].frame
    assert list(shares["method"]) == list(TITLES)
    assert list(shares["n"]) == [2, 1, 2, 2], "SHAP was made to fail on one of the two"
    assert (shares[[0.1, 0.25, 0.5, 0.75, 0.9]].diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)


def test_of_both_kinds_each_has_its_own_means(tmp_path):
    folder = make_box_cohort(tmp_path / "mixed", {"Edema": "box", "Cardiomegaly": "polygon"})
    run, cohort = make_run(tmp_path / "run", folder), open_cohort(folder)
    made = tables(run, cohort)
    assert "scores" not in made
    scores = run.scores
    for name, pathology, title in (
        ("scores_boxes", "Edema", "Box IoU"),
        ("scores_contours", "Cardiomegaly", "IoU"),
    ):
        here = scores[(scores["pathology"] == pathology) & (scores["method"] == "lime")]
        assert made[name].frame.loc["LIME", title] == pytest.approx(here["iou"].mean())
    assert dict(made["methods"].frame["truth"].dropna())["Cardiomegaly"] == "contour"


def test_readers_of_boxes_are_the_human_benchmark_and_box_is_said(tmp_path):
    """One's box is the upper half of the other's: box IoU 0.5; its centre lies in the other's, whose lies on its edge."""
    folder = make_readers_cohort(tmp_path / "readers")
    run, cohort = make_run(tmp_path / "run", folder), open_cohort(folder)
    made = tables(run, cohort)
    of_iou, of_hits = made["readers_iou"], made["readers_hit"]
    assert set(of_iou.frame["truth"]) == {"box"}
    assert of_iou.frame.loc["Cardiomegaly", "readers"].tolist() == [0.5] * len(TITLES)
    assert of_hits.frame.loc["Cardiomegaly", "readers"].tolist() == [0.5] * len(TITLES)
    assert "mean box IoU" in of_iou.caption
    assert "each reader's boxes" in of_iou.caption
    assert "contour" not in of_iou.caption
    assert "Each reader against the others" in of_iou.cells[0]
    scores = in_slice(run.scores, "full")
    summary = summarise(scores, ["Cardiomegaly"], list(TITLES))
    readers = human_benchmark_scores(cohort, run.explained_ids(), ["Cardiomegaly"])
    benchmark = summarise(readers, ["Cardiomegaly"], [EACH_OTHER])
    assert scores["iou"].max() < 0.5 / 1.1
    figure = iou_boxes(scores, summary, TITLES, up_to=benchmark["mean"].max())
    add_human_benchmark(figure, benchmark, summary, "iou")
    assert figure.layout.yaxis.range[1] > 0.5
    line = figure.data[-1]
    assert line.customdata[0] == len(readers)
    assert "95 % interval" in line.hovertemplate
    assert (line.name, line.y[0]) == ("Each reader against the others", 0.5)
    assert "mean box IoU" in line.hovertemplate


def test_a_report_on_contours_shows_what_it_showed(made_run, made_cohort):
    made = tables(made_run, open_cohort(made_cohort))
    head, _ = made["methods"].cells
    assert head[:3] == ["Pathology", "LIME IoU", "SHAP IoU"]
    assert made["methods"].caption == "Mean IoU and hit rate of each method."
    assert "truth" not in [*head, *made["scores"].cells[0]]
    assert "boxes_found" not in made
