"""Classification metrics against scikit-learn, plain loops and brute force."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)
from statsmodels.stats.proportion import proportion_confint

from shamsul_core.statistics.intervals import FEWEST
from shamsul_core.statistics.prediction.calibration import calibration_scores, reliability
from shamsul_core.statistics.prediction.decisions import (
    Thresholds,
    decide,
    decide_one,
    decision_rates,
    decision_thresholds,
)
from shamsul_core.statistics.prediction.discrimination import (
    curves,
    evaluate,
    ranking_scores,
    resamples,
    u_zeros,
)
from shamsul_core.vocabulary import OBSERVATIONS

NAMES = OBSERVATIONS[:4]


@st.composite
def tables(draw):
    """Predictions with ties and gaps, and labels of all kinds, some one-sided; not every radiograph has a row of each."""
    count = draw(st.integers(1, 30))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ids = [f"patient{number}" for number in range(count)]
    probability = np.round(generator.random((count, len(NAMES))), draw(st.sampled_from([1, 8])))
    probability[generator.random(probability.shape) < 0.05] = np.nan
    shares = draw(st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0]), min_size=4, max_size=4))
    label = (generator.random(probability.shape) < shares).astype(float)
    label[generator.random(label.shape) < draw(st.sampled_from([0.0, 0.2]))] = -1
    label[generator.random(label.shape) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    predictions = pd.DataFrame(probability, columns=list(NAMES)).assign(image_id=ids)
    labels = pd.DataFrame(label, index=ids, columns=list(NAMES)).sample(frac=1, random_state=1)
    return predictions, labels.iloc[: max(1, count - 2)]


def definite(predictions, labels, name):
    """The definite labels and probabilities of one observation, row by row."""
    pairs = [
        (labels[name].get(image_id, np.nan), probability)
        for image_id, probability in zip(predictions["image_id"], predictions[name], strict=True)
    ]
    kept = [(label, one) for label, one in pairs if label in (0, 1) and not np.isnan(one)]
    truth, probability = (np.array(part) for part in zip(*kept, strict=True)) if kept else ([], [])
    return np.asarray(truth, float), np.asarray(probability, float)


@pytest.mark.slow
@settings(max_examples=30)
@given(tables())
def test_scores_and_weighted_averages_are_scikit_learns(made):
    predictions, labels = made
    performance = evaluate(predictions, labels, samples=3)
    expected = {"auroc": [], "auprc": []}
    weights = []
    for name in NAMES:
        truth, probability = definite(predictions, labels, name)
        row = performance.by_observation.loc[name]
        assert (row["positive"], row["negative"]) == ((truth == 1).sum(), (truth == 0).sum())
        if len(set(truth)) < 2:
            kind = "label" if not len(truth) else "negative" if truth[0] else "positive"
            assert performance.dropped[name] == f"no {kind}"
            assert np.isnan(row["auroc"])
            assert np.isnan(row["auprc"])
            continue
        assert name not in performance.dropped
        weights.append(truth.sum())
        expected["auroc"].append(roc_auc_score(truth, probability))
        expected["auprc"].append(average_precision_score(truth, probability))
        assert row["auroc"] == pytest.approx(expected["auroc"][-1])
        assert row["auprc"] == pytest.approx(expected["auprc"][-1])
        assert row["prevalence"] == pytest.approx(truth.mean())
    for metric, values in expected.items():
        average = np.average(values, weights=weights) if weights else np.nan
        assert performance.weighted.loc[metric, "value"] == pytest.approx(average, nan_ok=True)


def test_complete_labels_average_as_scikit_learns_own_weighted():
    generator = np.random.default_rng(0)
    truth = (generator.random((60, 4)) < [0.1, 0.3, 0.5, 0.8]).astype(float)
    probability = np.clip(0.3 * truth + generator.random((60, 4)) * 0.7, 0, 1)
    ids = list(range(60))
    performance = evaluate(
        pd.DataFrame(probability, columns=list(NAMES)).assign(image_id=ids),
        pd.DataFrame(truth, ids, list(NAMES)),
        samples=1,
    )
    for metric, score in (("auroc", roc_auc_score), ("auprc", average_precision_score)):
        expected = score(truth, probability, average="weighted")
        assert performance.weighted.loc[metric, "value"] == pytest.approx(expected)


def cohort_of(count, seed=0):
    generator = np.random.default_rng(seed)
    truth = (generator.random((count, 4)) < [0.05, 0.3, 0.5, 0]).astype(float)
    truth[generator.random(truth.shape) < 0.1] = np.nan
    probability = np.round(generator.random((count, 4)) * 0.7 + np.nan_to_num(truth) * 0.3, 2)
    ids = [f"patient{number}" for number in range(count)]
    return pd.DataFrame(probability, columns=list(NAMES)).assign(image_id=ids), pd.DataFrame(
        truth, ids, list(NAMES)
    )


@pytest.mark.slow
def test_the_bootstrap_is_a_plain_loop_with_scikit_learn_on_the_same_samples():
    predictions, labels = cohort_of(40)
    samples = 60
    counts = np.concatenate(list(resamples(40, samples, seed=5)))
    assert counts.shape == (samples, 40)
    assert (counts.sum(axis=1) == 40).all()
    truth, probability = labels.to_numpy(), predictions[list(NAMES)].to_numpy()
    auroc, auprc, positives = ranking_scores(truth, probability, counts)
    averages = []
    for number, count in enumerate(counts):
        drawn = np.repeat(np.arange(40), count)
        scores, weights = [], []
        for place in range(4):
            rows = drawn[~np.isnan(truth[drawn, place])]
            label, score = truth[rows, place], probability[rows, place]
            assert positives[number, place] == label.sum()
            if len(set(label)) < 2:
                assert np.isnan(auroc[number, place])
                assert np.isnan(auprc[number, place])
                continue
            assert auroc[number, place] == pytest.approx(roc_auc_score(label, score))
            assert auprc[number, place] == pytest.approx(average_precision_score(label, score))
            scores.append(roc_auc_score(label, score))
            weights.append(label.sum())
        averages.append(np.average(scores, weights=weights))
    performance = evaluate(predictions, labels, samples=samples, seed=5)
    row = performance.by_observation.loc[NAMES[1]]
    assert row["positive"] >= FEWEST
    assert (row["auroc_low"], row["auroc_high"]) == pytest.approx(np.percentile(auroc[:, 1], (2.5, 97.5)))
    rare = performance.by_observation.loc[NAMES[0]]
    assert rare["resamples"] == np.isfinite(auroc[:, 0]).sum() < samples
    assert np.isnan(rare[["auroc_low", "auroc_high", "auprc_low", "auprc_high"]].astype(float)).all()
    assert np.isfinite(rare["auroc"])
    weighted = performance.weighted.loc["auroc", ["low", "high"]].tolist()
    assert weighted == pytest.approx(np.percentile(averages, (2.5, 97.5)))


@pytest.mark.slow
def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    # Two normal distributions one standard deviation apart: AUROC is Phi(1 / sqrt 2) = 0.760
    covered = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        truth = np.repeat([0.0, 1.0], 60)
        score = generator.normal(truth)
        performance = evaluate(
            pd.DataFrame({NAMES[0]: 1 / (1 + np.exp(-score)), "image_id": np.arange(120)}),
            pd.DataFrame({NAMES[0]: truth}),
            samples=200,
            seed=seed,
        )
        row = performance.by_observation.iloc[0]
        covered += row["auroc_low"] <= 0.760250 <= row["auroc_high"]
    assert 0.88 <= covered / 100 <= 0.99


@pytest.mark.parametrize(("positive", "is_given"), [(1, False), (FEWEST - 1, False), (FEWEST, True)])
def test_an_interval_takes_enough_patients_of_each_label(positive, is_given):
    truth = np.repeat([1.0, 0.0], [positive, 40])
    score = np.random.default_rng(positive).random(len(truth)) + 0.3 * truth
    ids = [f"patient{number:05d}_study1_view1_frontal" for number in range(len(truth))]
    for label in (truth, 1 - truth):
        performance = evaluate(
            pd.DataFrame({NAMES[0]: score / 2, "image_id": ids}),
            pd.DataFrame({NAMES[0]: label}, ids),
            samples=50,
        )
        row = performance.by_observation.iloc[0]
        assert row["auroc"] == pytest.approx(roc_auc_score(label, score))
        for metric in ("auroc", "auprc"):
            for ends in (
                row[[f"{metric}_low", f"{metric}_high"]],
                performance.weighted.loc[metric, ["low", "high"]],
            ):
                assert (ends.notna() == is_given).all()


def test_a_patients_radiographs_are_drawn_together_and_count_as_one():
    predictions, labels = cohort_of(60)
    ids = [f"patient{number:05d}_study1_view1_frontal" for number in range(60)]
    predictions = predictions.assign(image_id=ids)
    labels = labels.set_index(pd.Index(ids))
    again = {name: name.replace("study1", "study2") for name in ids}
    twice = pd.concat([predictions, predictions.replace({"image_id": again})], ignore_index=True)
    labels_twice = pd.concat([labels, labels.rename(index=again)])
    one, other = evaluate(predictions, labels, samples=80), evaluate(twice, labels_twice, samples=80)
    ends = [f"{metric}_{end}" for metric in ("auroc", "auprc") for end in ("low", "high")]
    np.testing.assert_allclose(
        other.by_observation[ends].astype(float), one.by_observation[ends].astype(float), rtol=1e-12
    )
    np.testing.assert_allclose(other.weighted, one.weighted, rtol=1e-12)
    rates, more = (
        decision_rates(decide(table, truth, Thresholds()))
        for table, truth in ((predictions, labels), (twice, labels_twice))
    )
    ends = [f"{rate}_{end}" for rate in ("sensitivity", "specificity") for end in ("low", "high")]
    np.testing.assert_allclose(more[ends], rates[ends])


def test_the_same_seed_gives_the_same_intervals_however_the_samples_are_cut(monkeypatch):
    whole = np.concatenate(list(resamples(9, 20, seed=3)))
    monkeypatch.setattr("shamsul_core.statistics.prediction.discrimination._CHUNK", 30)
    parts = list(resamples(9, 20, seed=3))
    assert len(parts) > 1
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@settings(max_examples=30)
@given(tables())
def test_curves_are_scikit_learns(made):
    predictions, labels = made
    found = curves(predictions, labels)
    for name in NAMES:
        truth, probability = definite(predictions, labels, name)
        points = found[found["observation"] == name]
        if len(set(truth)) < 2:
            assert points.empty
            continue
        false_rate, true_rate, thresholds = roc_curve(truth, probability, drop_intermediate=False)
        np.testing.assert_allclose(points["false_positive_rate"], false_rate)
        np.testing.assert_allclose(points["true_positive_rate"], true_rate)
        np.testing.assert_array_equal(points["threshold"], thresholds)
        precision, recall, _ = precision_recall_curve(truth, probability)
        np.testing.assert_allclose(points["precision"], precision[::-1])
        np.testing.assert_allclose(points["true_positive_rate"], recall[::-1])


@settings(max_examples=30)
@given(tables())
def test_calibration_is_scikit_learns(made):
    predictions, labels = made
    scores, bins = calibration_scores(predictions, labels), reliability(predictions, labels)
    for name in NAMES:
        truth, probability = definite(predictions, labels, name)
        row, curve = scores.loc[name], bins[bins["observation"] == name]
        if not len(truth):
            assert row.isna().all()
            assert curve.empty
            continue
        assert row["brier"] == pytest.approx(brier_score_loss(truth, probability, pos_label=1))
        share, mean = calibration_curve(truth, probability, n_bins=10)
        np.testing.assert_allclose(curve["positive_share"], share)
        np.testing.assert_allclose(curve["mean_probability"], mean)
        assert curve["count"].sum() == len(truth)
        expected = np.average(np.abs(share - mean), weights=curve["count"])
        assert row["calibration_error"] == pytest.approx(expected)


@pytest.mark.slow
@settings(max_examples=30)
@given(tables())
def test_youdens_threshold_maximises_sensitivity_plus_specificity(made):
    predictions, labels = made
    thresholds = decision_thresholds(predictions, labels, "Youden")
    rates = decision_rates(decide(predictions, labels, thresholds))
    for name in NAMES:
        truth, probability = definite(predictions, labels, name)
        if len(set(truth)) < 2:
            assert thresholds.of(name) == 0.5
            assert name not in thresholds.own
            continue
        tries = [*np.unique(probability), np.inf]
        sums = [
            (probability[truth == 1] >= one).mean() + (probability[truth == 0] < one).mean() for one in tries
        ]
        assert rates.loc[name, ["sensitivity", "specificity"]].sum() == pytest.approx(max(sums))
        best = [one for one, value in zip(tries, sums, strict=True) if value == pytest.approx(max(sums))]
        assert thresholds.of(name) in best


@pytest.mark.slow
@settings(max_examples=30)
@given(tables())
def test_decisions_count_as_scikit_learns_confusion_matrix(made):
    predictions, labels = made
    thresholds = decision_thresholds(predictions, labels, "fixed")
    decisions = decide(predictions, labels, thresholds)
    rates = decision_rates(decisions)
    assert len(decisions) == len(predictions) * len(NAMES)
    for name in NAMES:
        truth, probability = definite(predictions, labels, name)
        expected = (
            confusion_matrix(truth, probability >= 0.5, labels=[0, 1]).ravel() if len(truth) else [0] * 4
        )
        assert rates.loc[name, ["TN", "FP", "FN", "TP"]].tolist() == list(expected)
        for rate, right, wrong in (("sensitivity", 3, 2), ("specificity", 0, 1)):
            number = expected[right] + expected[wrong]
            ends = rates.loc[name, [f"{rate}_low", f"{rate}_high"]].tolist()
            interval = (
                proportion_confint(expected[right], number, method="wilson") if number else [np.nan] * 2
            )
            assert ends == pytest.approx(list(interval), nan_ok=True, abs=1e-12)
    one = decisions.set_index(["image_id", "observation"])
    for image_id in predictions["image_id"]:
        for name in NAMES:
            case = one.loc[(image_id, name)]
            if not np.isnan(case["probability"]):
                assert decide_one(case["probability"], case["label"], 0.5) == case["decision"]
            if np.isnan(case["probability"]):
                assert case["decision"] == "no prediction"
            elif np.isnan(case["label"]):
                assert case["decision"] == "no label"
            elif case["label"] == -1:
                assert case["decision"] == "uncertain"
            else:
                assert (case["decision"] in ("TP", "FN")) == (case["label"] == 1)


def test_u_zeros_makes_uncertain_and_blank_negative_and_nothing_else():
    labels = pd.DataFrame({"Edema": [1.0, 0.0, -1.0, np.nan]}, index=list("abcd"))
    assert u_zeros(labels)["Edema"].tolist() == [1, 0, 0, 0]
    predictions = pd.DataFrame({"image_id": list("abcd"), "Edema": [0.9, 0.1, 0.95, 0.2]})
    assert evaluate(predictions, labels).by_observation.loc["Edema", "auroc"] == 1
    negative = evaluate(predictions, u_zeros(labels)).by_observation.loc["Edema"]
    assert negative["auroc"] == pytest.approx(2 / 3)
    assert negative["negative"] == 3


@pytest.mark.parametrize("threshold", [0.31, 0.5, 0.3125, 0.004])
@given(probability=st.floats(0, 1))
def test_what_is_said_of_a_decision_agrees_with_the_figures_in_it(threshold, probability):
    words = Thresholds("Youden", {"Edema": threshold}).in_words("Edema", probability)
    is_predicted = probability >= threshold
    assert words.startswith("predicted" if is_predicted else "not predicted")
    assert "Youden threshold" in words
    figures = [float(one) for one in re.findall(r"\d\.\d+", words)]
    shown = figures[0] if len(figures) > 1 else round(probability, 2)
    if abs(probability - threshold) > 1e-4:
        assert (shown >= figures[-1]) == is_predicted


def test_nothing_in_nothing_out():
    predictions = pd.DataFrame({"image_id": pd.Series(dtype="string")})
    labels = pd.DataFrame(columns=list(NAMES), dtype=float)
    for table in (predictions, predictions.assign(Edema=pd.Series(dtype=float))):
        performance = evaluate(table, labels)
        assert performance.weighted.isna().all(axis=None)
        assert curves(table, labels).empty
        assert reliability(table, labels).empty
        assert calibration_scores(table, labels)["brier"].isna().all()
        thresholds = decision_thresholds(table, labels, "Youden")
        assert decision_rates(decide(table, labels, thresholds)).empty
