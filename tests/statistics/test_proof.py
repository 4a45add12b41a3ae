"""What the tests say over a run: means and intervals over patients, verdicts, and planted tables with a known answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap, spearmanr

from shamsul_core.localisation.baselines import EDGES, LOCATION
from shamsul_core.proof.catalogue import (
    ALL_LAYERS,
    ANOTHER_PATIENT,
    BY_LOT,
    CAUSE,
    DENSITY,
    FAITHFULNESS,
    GAIN,
    RANDOMISATION,
    RANK_CORRELATION,
    ROBUSTNESS,
    SSIM,
)
from shamsul_core.run.tables import proof_table
from shamsul_core.statistics.proof import (
    correlation_over_patients,
    curves,
    failing,
    mean_over_patients,
    summarise_proof,
)

GENERATOR = np.random.default_rng(0)
PATIENTS = 14


def image_of(number, study=1):
    return f"patient{number:05d}_study{study}_view1_frontal"


def row(number, method, test, figure, setting, value, at=np.nan):
    about = {"image_id": image_of(number), "pathology": "Edema", "method": method, "test": test}
    return about | {"figure": figure, "setting": setting, "at": at, "value": value, "reason": None}


def test_the_interval_is_scipys_where_each_patient_has_one_case():
    values = GENERATOR.gamma(2, size=PATIENTS)
    image_ids = pd.Series([image_of(number) for number in range(PATIENTS)])
    mean, low, high, patients = mean_over_patients(pd.Series(values), image_ids)
    theirs = bootstrap(
        (values,), np.mean, n_resamples=2000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    assert (mean, patients) == (pytest.approx(values.mean()), PATIENTS)
    assert (low, high) == pytest.approx(tuple(theirs), abs=0.02)


def test_a_patients_cases_are_drawn_together():
    """Ten cases of each patient, all alike, tell as much as one."""
    values = pd.Series(GENERATOR.normal(size=PATIENTS))
    image_ids = pd.Series([image_of(number) for number in range(PATIENTS)])
    once = mean_over_patients(values, image_ids)
    again = pd.Series([image_of(number, study) for study in range(10) for number in range(PATIENTS)])
    many = mean_over_patients(pd.concat([values] * 10, ignore_index=True), again)
    assert many == pytest.approx(once)


def test_a_skewed_dozen_is_covered_as_often_as_the_interval_says():
    """Of twelve patients; the percentile interval holds the mean about 89 times in 100 here."""
    image_ids = pd.Series([image_of(number) for number in range(12)])
    held = 0
    for seed in range(60):
        drawn = pd.Series(np.random.default_rng(seed).exponential(size=12))
        _, low, high, _ = mean_over_patients(drawn, image_ids)
        held += low <= 1 <= high
    assert held / 60 > 0.86


def test_too_few_patients_have_no_interval():
    values, image_ids = pd.Series([1.0, 2.0]), pd.Series([image_of(1), image_of(2)])
    mean, low, high, patients = mean_over_patients(values, image_ids)
    assert (mean, patients) == (1.5, 2)
    assert np.isnan([low, high]).all()
    assert mean_over_patients(values * np.nan, image_ids)[3] == 0


def test_the_rank_correlation_of_a_rising_row_is_one():
    image_ids = pd.Series([image_of(number) for number in range(PATIENTS)])
    rising = pd.Series(np.arange(PATIENTS, dtype=float))
    value, low, high, patients = correlation_over_patients(rising, rising**3, image_ids)
    assert (value, low, high, patients) == (1, 1, 1, PATIENTS)
    mixed = pd.Series(GENERATOR.integers(0, 6, size=PATIENTS).astype(float))  # with ties
    value, low, high, _ = correlation_over_patients(rising, mixed, image_ids)
    assert value == pytest.approx(spearmanr(rising, mixed).statistic)
    assert low < value < high


@pytest.fixture(scope="module")
def planted():
    """Two methods: one good at everything, and one that is a picture of the radiograph."""
    rows = []
    for number in range(PATIENTS):
        jitter = 0.02 * GENERATOR.normal()
        for method, kept, gain, density in (
            ("good", 0.0, 3.0, 1 + number / 4),
            ("picture", 0.97, 0.0, 1.0),
            (EDGES, 1.0, np.nan, 1.0),
        ):
            shown = 0.0 if kept == 1 else jitter
            for figure in (RANK_CORRELATION, SSIM):
                rows.append(row(number, method, RANDOMISATION, figure, ALL_LAYERS, kept + shown, 1.0))
                rows.append(row(number, method, RANDOMISATION, figure, "output layer", 0.9, 0.1))
                rows.append(row(number, method, ROBUSTNESS, figure, "detector noise", 0.95 + shown))
                rows.append(row(number, method, ROBUSTNESS, figure, ANOTHER_PATIENT, 0.3))
            if np.isfinite(gain):
                rows.append(row(number, method, FAITHFULNESS, GAIN, "grey", gain + jitter))
                rows.append(row(number, method, FAITHFULNESS, GAIN, "blur", gain - jitter))
            rows.append(row(number, method, CAUSE, DENSITY, "counterfactual", density, float(number)))
        rows.append(row(number, BY_LOT, FAITHFULNESS, GAIN, "grey", 0.5))
        rows.append(row(number, BY_LOT, FAITHFULNESS, GAIN, "blur", 0.5))
        rows.append(row(number, LOCATION, FAITHFULNESS, GAIN, "grey", 1.0))
        rows.append(row(number, LOCATION, CAUSE, DENSITY, "counterfactual", 1.5, float(number)))
    return proof_table(rows)


def test_the_planted_methods_are_told_apart(planted):
    good, picture, _, edges = summarise_proof(planted, ["good", "picture"])
    assert [good.depends.verdict, good.faithful.verdict, good.stable.verdict, good.cause.verdict] == [
        "yes"
    ] * 4
    assert good.faithful.value == pytest.approx(2.5)
    assert good.faithful.against == pytest.approx(0.5)
    assert good.cause.value == 1
    assert good.stable.against == pytest.approx(0.3)
    assert good.output_layer.value == pytest.approx(0.9)
    assert picture.depends.verdict == "no"
    assert picture.faithful.verdict == "no"
    assert picture.stable.verdict == "yes"  # which does not count
    assert picture.cause.verdict != "yes"
    assert (edges.method, edges.depends.verdict, edges.depends.value) == (EDGES, "no", 1)


def test_what_fails_is_named(planted):
    told = failing(summarise_proof(planted, ["good", "picture"]))
    assert "good" not in told
    assert told["picture"] == "does not depend on the model, no more faithful than a map by lot"


def test_maps_that_never_saw_the_model_fail_however_few_patients(planted):
    few = planted[planted["image_id"].isin([image_of(0), image_of(1)])]
    good, _, _, edges = summarise_proof(few, ["good", "picture"])
    assert good.depends.verdict == "too few"
    assert edges.depends.verdict == "no"


def test_what_was_not_tested_is_not_judged():
    (only,) = summarise_proof(
        proof_table([row(1, "good", CAUSE, DENSITY, "counterfactual", 2.0, 1.0)]), ["good", "never"]
    )
    assert only.depends.verdict == only.faithful.verdict == only.stable.verdict == "not tested"
    assert np.isnan(only.cause.value)
    assert not summarise_proof(proof_table([]), ["good"])


def test_curves_are_means_over_cases(planted):
    cascade = curves(planted, RANDOMISATION, RANK_CORRELATION)
    own = cascade[cascade["method"] == "good"]
    assert own["at"].tolist() == [0.1, 1.0]
    assert own["mean"].iloc[0] == pytest.approx(0.9)
    assert (own["patients"] == PATIENTS).all()
