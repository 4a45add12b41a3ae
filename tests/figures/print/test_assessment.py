"""Static figures: what they draw is what their tables say, in both themes, whatever is missing."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from shamsul_core.cohort.summary import composition, label_counts
from shamsul_core.figures.html.observation_table import interval, observation_table
from shamsul_core.figures.html.predictions import prediction_table
from shamsul_core.figures.html.run_facts import facts_table, failure_table, left_out
from shamsul_core.figures.print.assessment import ASSESSMENT_FIGURES
from shamsul_core.figures.print.cohort import composition_figure, label_figure
from shamsul_core.figures.print.curves import calibration_figure, precision_recall_figure, roc_figure
from shamsul_core.figures.print.drawing import THEMES
from shamsul_core.figures.print.files import encode_figure
from shamsul_core.figures.print.performance_rings import rings
from shamsul_core.statistics.intervals import FEWEST
from shamsul_core.statistics.prediction.assessment import assess
from shamsul_core.statistics.prediction.decisions import Thresholds, decision_thresholds
from shamsul_core.vocabulary import OBSERVATIONS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cohort():
    """60 radiographs: Fracture without positive, Pleural Other without label, some uncertain and blank."""
    generator = np.random.default_rng(1)
    labels = pd.DataFrame((generator.random((60, 14)) < 0.3).astype(float), columns=list(OBSERVATIONS))
    labels["Fracture"], labels["Pleural Other"] = 0.0, np.nan
    labels.loc[:3, "Edema"] = -1.0
    predictions = labels.clip(0).fillna(0) * 0.3 + generator.random((60, 14)) * 0.7
    return predictions.assign(image_id=labels.index), labels


@pytest.fixture(scope="module")
def assessment(cohort):
    return assess(*cohort, decision_thresholds(*cohort, "Youden"))


def words(figure):
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def panels(figure):
    return {axes.get_title(loc="left").strip(): axes for axes in figure.axes if axes.get_title(loc="left")}


def test_the_rings_name_each_observation_its_auroc_and_its_positives(assessment):
    table = assessment.performance.by_observation
    figure = rings(table, "screen")
    (axes,) = figure.axes
    said = words(figure).replace("\n", " ")
    bars = {bar.get_label(): bar for bar in axes.containers if not bar.get_label().startswith("_")}
    assert list(bars) == table.index[table["auroc"].notna()].tolist()
    for name, row in table.iterrows():
        assert name in said
        if name in bars:
            # From 0 at radius 0.5 to 1 at radius 1
            assert bars[name][0].get_height() == pytest.approx(row["auroc"] / 2)
            assert f"{row['auroc']:.2f}" in said
    assert "Fracture (no positive)" in said
    assert "Pleural Other (no label)" in said
    assert [text.get_text() for text in axes.texts].count("–") == 2


def test_curves_are_their_points_and_the_dot_is_the_threshold(assessment):
    by_observation, rates, points = assessment.performance.by_observation, assessment.rates, assessment.points
    roc = panels(roc_figure(points, by_observation, rates, "screen"))
    recall = panels(precision_recall_figure(points, by_observation, rates, "screen"))
    assert len(roc) == len(recall) == 12
    for name in ("Edema", "Cardiomegaly"):
        here, rate = points[points["observation"] == name], rates.loc[name]
        _, curve, dot = roc[name].lines
        np.testing.assert_array_equal(curve.get_xydata(), here[["false_positive_rate", "true_positive_rate"]])
        assert dot.get_xydata()[0] == pytest.approx([1 - rate["specificity"], rate["sensitivity"]])
        assert f"{by_observation.loc[name, 'auroc']:.2f}" in roc[name].texts[0].get_text()
        chance, curve, dot = recall[name].lines
        assert chance.get_ydata()[0] == by_observation.loc[name, "prevalence"]
        np.testing.assert_array_equal(curve.get_xydata(), here[["true_positive_rate", "precision"]])
        assert dot.get_xydata()[0, 1] == pytest.approx(rate["TP"] / (rate["TP"] + rate["FP"]))


def test_the_step_drawn_between_recalls_has_the_area_of_the_auprc(assessment):
    by_observation, rates, points = assessment.performance.by_observation, assessment.rates, assessment.points
    for name, axes in panels(precision_recall_figure(points, by_observation, rates, "print")).items():
        path = axes.lines[1].get_path()
        assert axes.lines[1].get_drawstyle() == "steps-pre"
        recall, precision = path.vertices.T
        area = np.sum(np.diff(recall) * precision[1:])
        assert area == pytest.approx(by_observation.loc[name.replace("Enl.", "Enlarged"), "auprc"])


def test_reliability_dots_are_the_bins(assessment):
    shown = panels(calibration_figure(assessment.bins, assessment.calibration, "screen"))
    assert len(shown) == 13
    here = assessment.bins[assessment.bins["observation"] == "Edema"]
    (dots,) = shown["Edema"].collections
    np.testing.assert_allclose(dots.get_offsets(), here[["mean_probability", "positive_share"]])
    assert (np.argsort(dots.get_sizes()) == np.argsort(here["count"])).all()


def test_table_1_and_composition_are_bars_as_long_as_their_counts(cohort):
    counts = label_counts(cohort[1])
    axes = label_figure(counts, "screen").axes[0]
    for kind, bars in zip(("positive", "uncertain", "negative", "blank"), axes.containers, strict=True):
        assert [bar.get_width() for bar in bars] == pytest.approx(counts[f"{kind}_percent"].tolist())
    assert "60 (100 %)" in {text.get_text() for text in axes.texts}
    shown = composition_figure({"View": {"frontal": 3, "lateral": 1}, "Sex": {}}, "print").axes
    assert [bar.get_width() for bar in shown[0].patches] == [3, 1]
    assert not shown[1].patches


@pytest.mark.parametrize("theme", ["screen", "print"])
def test_every_figure_stands_on_its_background_and_is_the_same_file_twice(assessment, cohort, theme):
    for draw in ASSESSMENT_FIGURES.values():
        figure = draw(assessment, theme)
        assert figure.get_facecolor()[:3] == to_rgb(THEMES[theme].background)
    once, again = (encode_figure(ASSESSMENT_FIGURES["figure3"](assessment, theme), "svg") for _ in range(2))
    assert once == again
    assert b"dc:date" not in once


@pytest.mark.parametrize("name", sorted(ASSESSMENT_FIGURES))
def test_no_text_of_a_figure_is_cut_by_its_edge(assessment, name):
    figure = ASSESSMENT_FIGURES[name](assessment, "screen")
    figure.canvas.draw()
    edge = figure.bbox
    for text in figure.findobj(Text):
        box = text.get_window_extent()
        if text.get_text().strip() and text.get_visible() and box.width:
            assert box.x0 >= edge.x0, text
            assert box.x1 <= edge.x1, text


def test_themes_can_be_told_apart_and_read():
    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return np.dot(linear, (0.2126, 0.7152, 0.0722))

    def contrast(one, other):
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    for theme in THEMES.values():
        # WCAG 2: 4.5 for text, 3 for what carries meaning
        assert contrast(theme.text, theme.background) >= 4.5
        assert contrast(theme.on_area, theme.area) >= 4.5
        assert min(contrast(one, theme.background) for one in (theme.main, theme.second)) >= 3


def test_nothing_to_draw_is_said_and_draws(cohort):
    predictions, labels = cohort
    for rows in (predictions.iloc[:0], predictions.iloc[:1], predictions):
        one = assess(rows, labels * np.nan if len(rows) == 60 else labels)
        for draw in ASSESSMENT_FIGURES.values():
            assert encode_figure(draw(one, "screen"), "png")
    assert encode_figure(label_figure(label_counts(labels.iloc[:0]), "screen"), "png")
    empty = pd.DataFrame({"view": [], "projection": [], "sex": []}, dtype="string").assign(age=[])
    assert encode_figure(composition_figure(composition(empty), "screen"), "png")


def test_the_table_says_each_figure_and_why_one_is_missing(assessment):
    html = observation_table(assessment.table)
    rows = dict(zip(OBSERVATIONS, html.split("<tbody>")[1].split("<tr>")[1:], strict=True))
    for name, row in assessment.table.iterrows():
        assert f">{name}</th><td>{row['positive']}</td><td>{row['negative']}</td>" in rows[name]
        if row["reason"] in ("no positive", "no label"):
            assert f"not evaluated: {row['reason']}" in rows[name]
        else:
            assert f"<td>{row['auroc']:.2f} " in rows[name]
            assert f"left:{100 * row['auroc']:.1f}%" in rows[name]
            assert f"({row['auprc_low']:.2f}–{row['auprc_high']:.2f})" in rows[name]
            ends = f"({row['sensitivity_low']:.2f}–{row['sensitivity_high']:.2f})"
            assert f">{row['sensitivity']:.2f} " in rows[name]
            assert ends in rows[name]


def test_an_interval_of_too_few_is_not_drawn_or_given_and_that_is_said(cohort):
    """Nine positives, and one: AUROC and AUPRC stand, their intervals do not."""
    predictions, labels = cohort
    few = labels.copy()
    few["Edema"], few["Fracture"] = [[1.0] * count + [0.0] * (60 - count) for count in (FEWEST - 1, 1)]
    one = assess(predictions[["image_id", "Edema", "Fracture"]], few)
    html = observation_table(one.table)
    assert html.count("(too few)") == 4
    assert 'class="line"' not in html
    assert "nan" not in html
    (axes,) = rings(one.performance.by_observation, "screen").axes
    assert len(axes.lines) == 1, "the circle of chance alone"
    for figure, name in (
        (roc_figure(one.points, one.performance.by_observation, one.rates, "screen"), "AUROC"),
        (precision_recall_figure(one.points, one.performance.by_observation, one.rates, "screen"), "AUPRC"),
    ):
        for axes in panels(figure).values():
            assert re.fullmatch(rf"{name} \d\.\d\d \(too few\)", axes.texts[0].get_text())
    assert f"at least {FEWEST} patients" in interval(one.performance.weighted.loc["auroc"])


def test_decisions_stand_beside_their_probability():
    html = prediction_table(
        {"Edema": 0.7, "Fracture": 0.6, "Pneumonia": 0.1},
        {"Edema": 1.0, "Fracture": 0.0},
        None,
        Thresholds("Youden", {"Fracture": 0.55}),
    )
    rows = html.split("<tr")[1:]
    assert "true positive: predicted (threshold 0.50)" in rows[0]
    assert "✓" in rows[0]
    assert "false positive: predicted (Youden threshold 0.55)" in rows[1]
    assert "✗" in rows[1]
    assert "✓" not in rows[2]
    assert "✗" not in rows[2]


def test_words_and_foreign_text():
    assert left_out({}) == ""
    assert (
        left_out({"A": "no label", "B": "no positive", "C": "no label"}) == "A, C (no label); B (no positive)"
    )
    assert "<img" not in facts_table({"<img src=x>": "<img src=x>"}, "Facts")
    failures = pd.DataFrame(
        {
            "image_id": ["a", "b", "c"],
            "step": "read",
            "method": None,
            "pathology": None,
            "error": "<img src=x>",
        }
    ).astype("string")
    html = failure_table(failures, "Failures", most=2)
    assert "<img" not in html
    assert "and 1 more" in html
    assert html.count("<tr>") == 3
    assert failure_table(failures.iloc[:0], "Failures", most=2) == ""


def test_of_failures_that_are_alike_three_are_shown_with_how_many_there_are():
    many = [(f"patient{n}", "shap", "Edema", f"0 of {n} superpixels") for n in range(20)]
    few = [("patient7", "lime", "Edema", "cut off"), ("patient8", None, None, "0 of 8 superpixels")]
    columns = ["image_id", "method", "pathology", "error"]
    failures = pd.DataFrame([*many, *few], columns=columns).astype("string").assign(step="explain")
    html = failure_table(failures, "Failures", most=100)
    assert [f"<td>patient{n}</td>" in html for n in (0, 1, 2, 3, 19)] == [True, True, True, False, False]
    assert html.count("<td>20</td>") == 3
    assert html.count("<td>1</td>") == 2
    assert "<p>and 17 more</p>" in html
