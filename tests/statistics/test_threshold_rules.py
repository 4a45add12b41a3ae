"""The threshold question on maps whose answers are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from shamsul_core.cohort import open_cohort
from shamsul_core.heatmap import Heatmap
from shamsul_core.statistics.threshold_rules import RULES, SIGNS, level_scores, rank_rules, rule_scores


def levels_of(ious, method="lime", sign="positive", otsu=100):
    return pd.DataFrame(
        {
            "image_id": [f"r{number}" for number in range(len(ious))],
            "pathology": "Edema",
            "method": method,
            "sign": sign,
            "otsu": otsu,
            "share": 200,
            "ious": list(np.asarray(ious, np.float32)),
        }
    )


def test_each_rule_takes_its_own_level():
    ious = np.tile(np.arange(256) / 1000, (5, 1))
    by_rule = rule_scores(levels_of(ious)).groupby("rule")["iou"].agg(["mean", "std"])
    assert by_rule["mean"].to_dict() == pytest.approx(
        {
            "otsu": 0.1,
            "tuned": 0.255,
            "fixed": 0.127,
            "share": 0.2,
            "best": 0.255,
        }
    )
    assert by_rule["std"].max() < 1e-6


def test_no_threshold_is_tuned_on_the_radiograph_it_is_scored_on():
    """Each radiograph is perfect at a level of its own, where all others are nothing: tuned on itself, it would be 1."""
    ious = np.zeros((20, 256))
    ious[np.arange(20), np.arange(20) * 10] = 1
    scores = rule_scores(levels_of(ious)).set_index("rule")["iou"]
    assert scores.loc["tuned"].max() == 0
    assert scores.loc["best"].min() == 1


def test_one_radiograph_has_nothing_to_be_tuned_on():
    scores = rule_scores(levels_of(np.ones((1, 256)))).set_index("rule")["iou"]
    assert np.isnan(scores["tuned"])


def test_the_ranking_and_its_agreement_are_scipys():
    rng = np.random.default_rng(0)
    methods = ["lime", "shap", "gradcam", "lrp"]
    parts = [
        levels_of(rng.random((6, 256)) * weight, method, sign, otsu=int(rng.integers(255)))
        for sign in SIGNS
        for method, weight in zip(methods, rng.random(4), strict=True)
    ]
    scores = rule_scores(pd.concat(parts))
    ranked = rank_rules(scores, methods)
    assert len(ranked) == len(SIGNS) * len(RULES)
    paper = scores.query("sign == 'signed' and rule == 'otsu'").groupby("method")["iou"].mean()[methods]
    for row in ranked.to_dict("records"):
        here = scores[(scores["sign"] == row["sign"]) & (scores["rule"] == row["rule"])]
        means = here.groupby("method")["iou"].mean()[methods]
        np.testing.assert_allclose([row[name] for name in methods], means)
        assert row["ranking"] == " > ".join(means.sort_values(ascending=False).index)
        assert row["tau"] == pytest.approx(kendalltau(means, paper).statistic)


def test_a_runs_otsu_scores_are_those_of_the_run_where_no_hole_is_filled(made_run, made_cohort):
    levels = level_scores(made_run, open_cohort(made_cohort))
    scores = rule_scores(levels).query("sign == 'positive' and rule == 'otsu'")
    stored = made_run.scores.dropna(subset=["iou"]).set_index(["image_id", "pathology", "method"])["iou"]
    ours = scores.set_index(["image_id", "pathology", "method"])["iou"]
    smooth = [key for key in stored.index if key[2] == "gradcam"]
    assert smooth
    assert set(stored.index) <= set(ours.index)
    best = rule_scores(levels).query("sign == 'positive' and rule == 'best'")
    best = best.set_index(["image_id", "pathology", "method"])["iou"]
    known = made_run.scores.dropna(subset=["best_iou"]).set_index(["image_id", "pathology", "method"])[
        "best_iou"
    ]
    np.testing.assert_allclose(best[known.index], known, atol=1e-6)


def test_the_highest_tenth_is_never_nothing(made_cohort, made_run, monkeypatch):
    """A map of two values, three quarters of it high: no mask is near a tenth, and the nearest must not be the empty one."""
    two = np.zeros((8, 8), np.float32)
    two[:6] = 1
    read = made_run.read
    monkeypatch.setattr(
        made_run,
        "read",
        lambda one: replace(
            read(one), heatmaps=(Heatmap(method="lrp", pathology="Edema", output="logit", values=two),)
        ),
    )
    levels = level_scores(made_run, open_cohort(made_cohort))
    shares = rule_scores(levels).query("rule == 'share'")["iou"]
    assert len(shares) == 2 * len(SIGNS)
    assert (shares > 0).all()


def test_a_map_that_is_no_map_is_left_out(made_cohort, made_run, monkeypatch):
    read = made_run.read

    def with_nan(image_id):
        result = read(image_id)
        return replace(
            result,
            heatmaps=tuple(
                replace(one, values=np.full_like(one.values, np.nan)) if one.method == "lime" else one
                for one in result.heatmaps
            ),
        )

    monkeypatch.setattr(made_run, "read", with_nan)
    assert set(level_scores(made_run, open_cohort(made_cohort))["method"]) == {"shap", "gradcam", "lrp"}


def test_a_method_without_maps_does_not_take_the_others_agreement():
    ious = np.random.default_rng(1).random((5, 256))
    scores = rule_scores(pd.concat([levels_of(ious, "lime", "signed"), levels_of(ious / 2, "lrp", "signed")]))
    ranked = rank_rules(scores, ["lime", "lrp", "imported"])
    assert (ranked["tau"] == 1).all()
    assert (ranked["ranking"] == "lime > lrp").all()
    assert rank_rules(scores, ["lime"])["tau"].isna().all()
