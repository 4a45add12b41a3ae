from __future__ import annotations

import json

import numpy as np
import pandas as pd
import plotly.io
import pytest

from shamsul_core.figures.html.distributions import hit_bars, iou_boxes
from shamsul_core.figures.html.iou_against import iou_against
from shamsul_core.figures.html.points import MOST_POINTS, case_of, drawn_in_words
from shamsul_core.figures.html.summary import (
    boxes_in_words,
    means_in_words,
    ranking_in_words,
    ranking_table,
    ranks_in_words,
    summary_table,
)
from shamsul_core.statistics.method_comparison import rank_methods
from shamsul_core.statistics.summary import in_slice, rank_correlations, summarise
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.made import TITLES


@pytest.fixture(scope="module")
def tables(made_run):
    scores = in_slice(made_run.scores, "full")
    return scores, summarise(scores, made_run.manifest.pathologies, list(TITLES), is_paper_cohort=True)


def traces(figure, **wanted):
    return [
        trace
        for trace in figure.data
        if all(trace.to_plotly_json().get(key) == value for key, value in wanted.items())
    ]


def test_every_radiograph_is_a_point_over_its_own_box(tables):
    scores, summary = tables
    figure = iou_boxes(scores, summary, TITLES)
    centres = dict(zip(figure.layout.xaxis.tickvals, summary["pathology"].unique(), strict=True))
    for method, title in TITLES.items():
        (points,) = traces(figure, name=title, mode="markers")
        here = scores[scores["method"] == method].dropna(subset=["iou"])
        shown = [(*case_of(scores, place), y) for place, y in zip(points.customdata, points.y, strict=True)]
        expected = [*here[["image_id", "pathology"]].itertuples(index=False, name=None)]
        assert sorted(one[:2] for one in shown) == sorted(expected)
        heights = here.set_index(["image_id", "pathology"])["iou"]
        assert [one[2] for one in shown] == pytest.approx([heights[one[:2]] for one in shown])
        for x, (_, pathology, _) in zip(points.x, shown, strict=True):
            assert centres[round(float(x))] == pathology


def test_boxes_means_and_the_papers_means_are_the_summarys(tables):
    scores, summary = tables
    figure = iou_boxes(scores, summary, TITLES)
    boxes, means = traces(figure, type="box"), traces(figure, mode="text")
    stars = [trace for trace in figure.data if trace.name == "Mean in the paper"]
    for number, method in enumerate(TITLES):
        lines = summary[summary["method"] == method]
        own = {name: name for name in ("q1", "median", "q3", "mean")}
        for name, column in (own | {"lowerfence": "whisker_low", "upperfence": "whisker_high"}).items():
            np.testing.assert_array_equal(getattr(boxes[number], name), lines[column])
        expected = ["–" if np.isnan(mean) else f"{mean:.2f}".removeprefix("0") for mean in lines["mean"]]
        assert list(means[number].text) == expected
        np.testing.assert_array_equal(stars[number].y, lines["paper_mean"].dropna())
        np.testing.assert_array_equal(means[number].x, boxes[number].x)
    assert len({round(float(x), 3) for box in boxes for x in box.x}) == 40, "no two boxes in one place"
    assert "n = 3" in figure.layout.xaxis.ticktext[0]


def test_bars_are_the_hit_rates_with_their_intervals(tables):
    _, summary = tables
    figure = hit_bars(summary, {"lrp": "LRP"})
    (bars,) = figure.data
    lines = summary[summary["method"] == "lrp"]
    np.testing.assert_array_equal(bars.y, lines["hit_rate"])
    np.testing.assert_allclose(np.add(bars.y, bars.error_y.array), lines["hit_high"])
    np.testing.assert_allclose(np.subtract(bars.y, bars.error_y.arrayminus), lines["hit_low"])


def test_points_against_another_column(tables):
    scores, _ = tables
    figure = iou_against(scores, "probability", "probability", TITLES)
    assert sum(len(trace.x) for trace in figure.data) == scores["iou"].notna().sum()
    for trace in figure.data:
        rows = scores.iloc[list(trace.customdata)]
        np.testing.assert_allclose(trace.x, rows["probability"], rtol=1e-6)
        np.testing.assert_allclose(trace.y, rows["iou"], rtol=1e-6)


def test_whole_numbers_are_strewn_sideways_only_and_say_their_value(tables):
    scores, _ = tables
    generator = np.random.default_rng(0)
    counted = scores.assign(lesions=generator.integers(1, 4, len(scores)).astype(float))
    figure, again = (
        iou_against(counted, "lesions", "number of lesions", TITLES, is_logarithmic=True) for _ in range(2)
    )
    moved = []
    for trace, other in zip(figure.data, again.data, strict=True):
        rows = counted.iloc[list(trace.customdata)]
        np.testing.assert_allclose(trace.y, rows["iou"], rtol=1e-6)
        np.testing.assert_array_equal(trace.x, other.x)
        np.testing.assert_array_equal(np.rint(trace.x), rows["lesions"])
        assert [float(one) for one in trace.text] == rows["lesions"].tolist()
        moved += (trace.x - rows["lesions"]).tolist()
    assert len(set(moved)) == len(moved)


def test_the_more_points_the_more_they_show_through(tables):
    scores, _ = tables
    shown = {}
    for times in (1, 6, 400):
        more = pd.concat([scores] * times, ignore_index=True)
        (opacity,) = {trace.marker.opacity for trace in iou_against(more, "probability", "p", TITLES).data}
        shown[times] = opacity
    assert shown[1] > shown[6] > shown[400] > 0.2


def test_without_the_papers_cohort_there_is_no_star_no_column_and_no_word_of_it(made_run, tables):
    scores, with_paper = tables
    summary = summarise(scores, made_run.manifest.pathologies, list(TITLES))
    names = {trace.name for trace in iou_boxes(scores, summary, TITLES).data}
    assert "Mean in the paper" not in names
    assert "Paper's mean" not in summary_table(summary, TITLES, lambda *_: "")
    assert "paper" not in boxes_in_words(summary)
    assert "Paper's mean" in summary_table(with_paper, TITLES, lambda *_: "")
    assert "Star: mean in the paper" in boxes_in_words(with_paper)


def test_none_of_56_hit_has_a_bar_of_error(made_run):
    scores = pd.DataFrame({"image_id": [f"r{n}" for n in range(56)]}).assign(
        pathology="Edema", method="lime", iou=np.nan, hit=0.0
    )
    (bars,) = hit_bars(summarise(scores, ["Edema"], ["lime"]), {"lime": "LIME"}).data
    assert bars.error_y.array[0] == pytest.approx(0.0642, abs=1e-4)
    table = summary_table(summarise(scores, ["Edema"], ["lime"]), {"lime": "LIME"}, lambda *_: "")
    assert table["95 % interval of hits"].item() == "0.00–0.06"


def test_the_words_on_the_ranking_name_test_patients_and_correction(tables):
    scores, _ = tables
    words = ranking_in_words(scores, TITLES)
    assert "one value per patient" in words
    assert "Holm" in words
    rankings = rank_methods(scores, list(TITLES))
    table = ranking_table(scores, TITLES)
    assert table["Pathology"].tolist() == [one.pathology for one in rankings]
    assert table["Patients"].tolist() == [one.patients for one in rankings]
    np.testing.assert_allclose(table["LRP"], [one.mean_ranks["lrp"] for one in rankings])
    for nothing in (scores, scores.assign(iou=np.nan)):
        titles = TITLES if nothing is not scores else {"lime": "LIME", "lrp": "LRP"}
        assert ranking_in_words(nothing, titles).startswith("The methods cannot be ranked:")
        assert ranking_table(nothing, titles).empty


def test_a_difference_is_named_by_its_pathology():
    ious = {"lime": 0.6, "shap": 0.4, "gradcam": 0.3, "lrp": 0.2}
    scores = pd.DataFrame(
        [
            (f"r{number}", name, method, iou if name == "Edema" else 0.5)
            for number in range(30)
            for name in ("Edema", "Fracture")
            for method, iou in ious.items()
        ],
        columns=["image_id", "pathology", "method", "iou"],
    )
    assert ranking_in_words(scores, TITLES).startswith("The methods differ on Edema. ")
    assert "2 pathologies" in ranking_in_words(scores, TITLES)
    assert ranking_in_words(scores[scores["pathology"] != "Edema"], TITLES).startswith(
        "No difference between the methods was found"
    )


def test_a_figure_of_40_000_points_is_less_than_1_5_megabytes():
    generator = np.random.default_rng(0)
    names = [f"patient{number:05d}_study1_view1_frontal" for number in range(1000)]
    pairs = pd.MultiIndex.from_product([names, LOCALISED_PATHOLOGIES, TITLES])
    scores = pairs.to_frame(index=False, name=["image_id", "pathology", "method"])
    scores["iou"], scores["hit"] = generator.random((2, len(scores)))
    scores["probability"] = generator.random(len(scores))
    summary = summarise(scores, LOCALISED_PATHOLOGIES, list(TITLES))
    for figure in (
        iou_boxes(scores, summary, TITLES),
        hit_bars(summary, TITLES),
        iou_against(scores, "probability", "probability", TITLES),
    ):
        text = plotly.io.to_json(figure, validate=False)
        assert len(text) < 1_500_000
        json.loads(text, parse_constant=pytest.fail)  # NaN is no JSON
    points = traces(iou_boxes(scores, summary, TITLES), mode="markers", type="scatter")
    points = [trace for trace in points if trace.customdata is not None]
    assert sum(len(trace.x) for trace in points) == MOST_POINTS
    for trace in points:
        np.testing.assert_allclose(trace.y, scores["iou"].iloc[list(trace.customdata)], rtol=1e-6)
    assert f"{MOST_POINTS:,} of 40,000 points" in drawn_in_words(scores, TITLES, "iou")
    assert not drawn_in_words(scores.head(MOST_POINTS), TITLES, "iou")


def test_nothing_to_show_is_an_empty_figure(tables):
    scores, _ = tables
    nothing = scores.assign(iou=np.nan, hit=np.nan)
    summary = summarise(nothing, ["Edema"], ["lime"])
    for figure in (
        iou_boxes(nothing, summary, {"lime": "LIME"}),
        iou_against(nothing, "probability", "p", {"lime": "LIME"}),
    ):
        assert len(figure.data[0].x) == 0


def test_the_table_and_the_words_say_what_the_summary_does(tables):
    scores, summary = tables
    table = summary_table(summary, {"lrp": "LRP"}, lambda image, pathology: f"?{image}&{pathology}")
    lines = summary[summary["method"] == "lrp"]
    assert set(table["Method"]) == {"LRP"}
    for shown, line in zip(table.itertuples(index=False), lines.itertuples(), strict=True):
        assert shown[0] == line.pathology
        assert shown[7] == f"?{line.best_id}&{line.pathology}#{line.best:.2f}"
        assert shown[4] == ("too few" if line.n else "–")
        assert shown[-1] == (f"{line.hit_low:.2f}–{line.hit_high:.2f}" if line.hit_n else "–")
    words = means_in_words(summary, TITLES)
    means = summary.groupby("method")["mean"].mean().sort_values(ascending=False)
    assert words.index(TITLES[means.index[0]]) < words.index(TITLES[means.index[1]])
    assert f"**{TITLES[means.index[0]]}** {means.iloc[0]:.2f}" in words
    ranks = rank_correlations(scores, "probability", ["lime"])
    assert ranks_in_words(ranks, TITLES) == f"LIME {ranks['rho'].item():.2f} (n = {ranks['n'].item()})"
