"""Comparisons against scipy on tables put together by hand, and against the numbers of Demšar's paper."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare, wilcoxon
from statsmodels.stats.multitest import multipletests

from shamsul_core.statistics.method_comparison import compare_pairs, rank_methods

METHODS = ["lime", "shap", "gradcam", "lrp"]


def random_scores(seed, count=30, missing=0.2):
    generator = np.random.default_rng(seed)
    rows = [
        {
            "image_id": f"r{number}",
            "pathology": pathology,
            "method": method,
            "iou": np.nan if generator.random() < missing else round(generator.random(), 2),
        }
        for pathology in ("Edema", "Lung Lesion")
        for number in range(count)
        for method in METHODS
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=seed)


@pytest.mark.slow
@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_pairs_are_scipys_on_the_radiographs_both_have(seed):
    scores = random_scores(seed)
    table = compare_pairs(scores, METHODS).set_index(["pathology", "method", "other"])
    for (pathology, one, other), row in table.iterrows():
        wide = scores[scores["pathology"] == pathology].set_index(["image_id", "method"])["iou"].unstack()
        both = wide[[one, other]].dropna()
        differences = (both[one] - both[other]).round(12)
        expected = wilcoxon(differences[differences != 0])
        assert row["n"] == len(both)
        assert row["p"] == pytest.approx(expected.pvalue)
        assert row["mean_difference"] == pytest.approx(both[one].mean() - both[other].mean())
        ranks = differences[differences != 0].abs().rank()
        total = ranks.sum()
        for_one = ranks[(both[one] - both[other]).reindex(ranks.index) > 0].sum()
        assert row["effect"] == pytest.approx((2 * for_one - total) / total)
    np.testing.assert_allclose(table["p_holm"], multipletests(table["p"], method="holm")[1])


def test_a_method_that_always_wins():
    scores = random_scores(1, missing=0)
    scores.loc[scores["method"] == "lime", "iou"] += 2
    table = compare_pairs(scores, METHODS)
    assert (table.loc[table["method"] == "lime", "effect"] == 1).all()
    assert (table.loc[table["method"] == "lime", "p_holm"] < 0.001).all()
    assert all(one.mean_ranks["lime"] == 1 for one in rank_methods(scores, METHODS))


def test_equal_methods_do_not_differ():
    scores = random_scores(1, missing=0)
    scores["iou"] = 0.5
    table = compare_pairs(scores, METHODS)
    assert table["p"].isna().all()
    assert (table["effect"] == 0).all()
    for ranking in rank_methods(scores, METHODS):
        assert ranking.p == ranking.p_holm == 1
        assert (ranking.mean_ranks == 2.5).all()


@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_each_pathologys_ranking_is_scipys_friedman_and_their_p_are_holms(seed):
    scores = random_scores(seed)
    wide = scores.set_index(["pathology", "image_id", "method"])["iou"].unstack().dropna()[METHODS]
    rankings = rank_methods(scores, METHODS)
    assert [one.pathology for one in rankings] == list(dict.fromkeys(scores["pathology"]))
    for found in rankings:
        here = wide.loc[found.pathology]
        statistic, p = friedmanchisquare(*here.to_numpy().T)
        expected = pytest.approx(statistic), pytest.approx(p), len(here)
        assert (found.statistic, found.p, found.patients) == expected
        np.testing.assert_allclose(found.mean_ranks, here.rank(axis=1, ascending=False).mean())
    corrected = multipletests([one.p for one in rankings], method="holm")[1]
    np.testing.assert_allclose([one.p_holm for one in rankings], corrected)


def with_more_studies(scores):
    """Each patient's findings once, and those of some twice and three times over."""
    named = scores.assign(
        image_id="patient" + scores["image_id"].str[1:].str.zfill(5) + "_study1_view1_frontal"
    )
    number = named["image_id"].str[7:12].astype(int)
    more = [
        named[number % 3 >= study - 1].replace({"image_id": {"_study1_": f"_study{study}_"}}, regex=True)
        for study in (2, 3)
    ]
    return named, pd.concat([named, *more])


def test_more_findings_of_the_same_patients_change_no_p():
    once, more = with_more_studies(random_scores(5))
    assert len(more) > 1.5 * len(once)
    for one, other in zip(rank_methods(once, METHODS), rank_methods(more, METHODS), strict=True):
        assert (other.p, other.p_holm, other.patients) == (one.p, one.p_holm, one.patients)
        pd.testing.assert_frame_equal(other.p_pairs, one.p_pairs)
        assert other.critical_difference == one.critical_difference
    pd.testing.assert_frame_equal(compare_pairs(more, METHODS), compare_pairs(once, METHODS))


def test_a_patients_radiographs_count_as_their_mean():
    scores = pd.DataFrame(
        [
            (
                f"patient{patient:05d}_study{study}_view1_frontal",
                "Edema",
                method,
                0.1 * study * factor + patient,
            )
            for patient in range(3)
            for study in (1, 2, 4)
            for method, factor in (("lime", 1), ("shap", 2))
        ],
        columns=["image_id", "pathology", "method", "iou"],
    )
    (row,) = compare_pairs(scores, ["lime", "shap"]).to_dict("records")
    assert row["n"] == 3
    assert row["mean_difference"] == pytest.approx(-0.1 * (1 + 2 + 4) / 3)


@pytest.mark.parametrize(("methods", "q"), [(3, 2.343), (4, 2.569), (5, 2.728)])
def test_critical_differences_are_those_of_demsars_table_5(methods, q):
    names = [f"m{number}" for number in range(methods)]
    scores = pd.DataFrame(
        [
            {"image_id": f"r{n}", "pathology": "Edema", "method": name, "iou": (n * 7 + k * 3) % 11}
            for n in range(14)
            for k, name in enumerate(names)
        ]
    )
    (found,) = rank_methods(scores, names)
    assert found.critical_difference == pytest.approx(
        q * np.sqrt(methods * (methods + 1) / (6 * 14)), abs=1e-3
    )
    apart = found.mean_ranks.iloc[0] - found.mean_ranks.iloc[1]
    assert (found.p_pairs.iloc[0, 1] < 0.05) == (abs(apart) > found.critical_difference)


def test_without_common_radiographs_there_is_no_ranking():
    scores = random_scores(0)
    scores.loc[scores["method"] == "lrp", "iou"] = np.nan
    with pytest.raises(ValueError, match="no finding has"):
        rank_methods(scores, METHODS)
    assert (compare_pairs(scores, METHODS).query("other == 'lrp'")["n"] == 0).all()
    with pytest.raises(ValueError, match="three or more methods"):
        rank_methods(scores, METHODS[:2])


def test_a_dozen_patients_with_an_equal_pair_have_the_exact_p():
    """Against all ways in which the signs of the eleven unequal differences could have fallen."""
    differences = np.array([0, 1, -2, 3, 4, -5, 6, 7, 8, 9, 10, 11]) / 100
    scores = pd.DataFrame(
        [
            (f"r{number}", "Edema", method, 0.5 + (difference if method == "lime" else 0))
            for number, difference in enumerate(differences)
            for method in ("lime", "shap")
        ],
        columns=["image_id", "pathology", "method", "iou"],
    )
    signs = np.array(list(itertools.product((0, 1), repeat=11)))
    sums = signs @ np.arange(1, 12)
    smaller = 2 + 5
    expected = 2 * np.mean(sums <= smaller)
    assert compare_pairs(scores, ["lime", "shap"])["p"].item() == pytest.approx(expected)
