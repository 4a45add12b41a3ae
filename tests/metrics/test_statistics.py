from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.metrics.statistics import bootstrap_mean, draw


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


def test_nothing_and_one_value_have_no_interval():
    mean, low, high = bootstrap_mean([[np.nan, 0.5], [np.nan, np.nan]])
    assert np.isnan([mean[0], low[0], high[0], low[1], high[1]]).all()
    assert mean[1] == 0.5
    assert np.isnan(bootstrap_mean(np.empty((0, 2)))).all()


def test_draws_do_not_depend_on_how_many_are_held_at_once(monkeypatch):
    whole = np.concatenate(list(draw(7, resamples=20, seed=1)))
    monkeypatch.setattr("shamsul_core.metrics.statistics._AT_ONCE", 21)
    np.testing.assert_array_equal(np.concatenate(list(draw(7, resamples=20, seed=1))), whole)
