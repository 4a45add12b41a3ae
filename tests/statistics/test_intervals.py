from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from shamsul_core.statistics.intervals import FEWEST, bootstrap_mean, count_patients, draw, wilson


def test_it_is_the_plain_loop_over_the_same_resamples():
    generator = np.random.default_rng(5)
    values = np.where(generator.random((30, 4)) < 0.4, np.nan, generator.random((30, 4)))
    mean, low, high = bootstrap_mean(values, resamples=200, seed=3)
    rows = np.concatenate(list(draw(30, resamples=200, seed=3)))
    assert rows.shape == (200, 30)
    for column in range(4):
        looped = []
        for drawn in rows:
            there = [values[row, column] for row in drawn if not np.isnan(values[row, column])]
            if there:
                looped.append(sum(there) / len(there))
        assert mean[column] == pytest.approx(np.nanmean(values[:, column]), abs=1e-12)
        assert low[column] == pytest.approx(np.percentile(looped, 2.5), abs=1e-12)
        assert high[column] == pytest.approx(np.percentile(looped, 97.5), abs=1e-12)


def test_95_percent_intervals_hold_the_truth_about_95_times_in_100():
    samples = np.random.default_rng(0).normal(0.4, 0.1, (60, 800))
    _, low, high = bootstrap_mean(samples)
    assert 0.92 < np.mean((low < 0.4) & (high > 0.4)) < 0.97


def test_nothing_and_too_few_patients_have_no_interval():
    values = np.full((30, 3), np.nan)
    values[: FEWEST - 1, 1] = np.linspace(0, 1, FEWEST - 1)
    values[:FEWEST, 2] = np.linspace(0, 1, FEWEST)
    mean, low, high = bootstrap_mean(values)
    assert np.isnan([mean[0], low[0], high[0], low[1], high[1]]).all()
    assert np.isfinite([mean[1], low[2], high[2]]).all()
    one_patients = bootstrap_mean(values, np.zeros(30, np.int64))
    assert np.isnan(one_patients[1:]).all(), "thirty radiographs of one patient are one"
    assert np.isnan(bootstrap_mean(np.empty((0, 2)))).all()


def test_a_patients_radiographs_are_drawn_together():
    generator = np.random.default_rng(2)
    patients = np.sort(generator.integers(15, size=40))
    patients = np.unique(patients, return_inverse=True)[1]
    values = np.where(generator.random((40, 2)) < 0.3, np.nan, generator.random((40, 2)))
    _, low, high = bootstrap_mean(values, patients, resamples=150, seed=4)
    count = patients.max() + 1
    (rows,) = draw(count, resamples=150, seed=4)
    for column in range(2):
        looped = []
        for drawn in rows:
            there = np.concatenate([values[patients == one, column] for one in drawn])
            looped.append(np.nanmean(there))
        assert low[column] == pytest.approx(np.percentile(looped, 2.5), abs=1e-12)
        assert high[column] == pytest.approx(np.percentile(looped, 97.5), abs=1e-12)


def test_every_radiograph_twice_says_no_more_than_once():
    """As many radiographs again of the same patients with the same values: the same intervals."""
    values = np.random.default_rng(3).random((30, 2))
    patients = np.arange(30)
    once = bootstrap_mean(values, patients)
    twice = bootstrap_mean(np.repeat(values, 2, axis=0), np.repeat(patients, 2))
    np.testing.assert_allclose(twice, once, rtol=1e-12)


def test_proportions_have_wilsons_interval():
    number = np.repeat(np.arange(1, 60, 7), 3)
    hits = np.stack([np.zeros(len(number)), number // 3, number])[
        np.arange(len(number)) % 3, range(len(number))
    ]
    low, high = wilson(hits / number, number)
    expected = proportion_confint(hits, number, method="wilson")
    np.testing.assert_allclose(low, expected[0], atol=1e-12)
    np.testing.assert_allclose(high, expected[1], atol=1e-12)
    assert np.isnan(wilson([np.nan, 0.5], [0, 0])).all()


def test_none_of_56_is_not_surely_none():
    low, high = wilson(0.0, 56)
    assert (float(low), round(float(high), 3)) == (0.0, 0.064)


def test_patients_are_counted_once():
    has = np.array([[True, False], [True, False], [False, False], [True, True]])
    assert count_patients(has).tolist() == [3, 1]
    assert count_patients(has, np.array([0, 0, 1, 2])).tolist() == [2, 1]


def test_draws_do_not_depend_on_how_many_are_held_at_once(monkeypatch):
    whole = np.concatenate(list(draw(7, resamples=20, seed=1)))
    monkeypatch.setattr("shamsul_core.statistics.intervals._AT_ONCE", 21)
    np.testing.assert_array_equal(np.concatenate(list(draw(7, resamples=20, seed=1))), whole)
