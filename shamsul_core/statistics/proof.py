"""What the tests of the methods say over a run: each figure's mean beside what it is held against, intervals over patients.

Intervals are bias-corrected and accelerated bootstrap intervals (Efron, *Better bootstrap confidence intervals*, JASA 82, 1987):
percentile intervals of a dozen patients hold the truth 91 times in 100 where they say 95.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import bootstrap, rankdata

from shamsul_core.cohort.patients import patient_of
from shamsul_core.localisation.baselines import EDGES, GREY, LOCATION
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
    REPRODUCIBILITY,
    ROBUSTNESS,
)
from shamsul_core.statistics.intervals import FEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

DEPENDS_BELOW, STABLE_FROM = 0.5, 0.8
"""Rank correlations by convention: of a map that depends on the network, with all layers random, less than half the order; of
one that is stable, four fifths and more."""

Verdict: TypeAlias = Literal["yes", "no", "unclear", "too few", "not tested"]

MODEL_FREE = (EDGES, GREY)

_RESAMPLES, _SEED = 2000, 0
_FEWEST_CASES = 3
"""Of which a rank correlation says anything."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its interval, what it is held against, and what follows.

    Parameters
    ----------
    value, low, high
        NaN where there is none; the ends also where there are fewer than `FEWEST` patients.
    against
        The same figure of the baseline, on the same cases; NaN where there is none.
    cases, patients
        How many of each.
    verdict
        What the interval says of the test's question.
    """

    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    against: float = float("nan")
    cases: int = 0
    patients: int = 0
    verdict: Verdict = "not tested"


@dataclass(frozen=True, kw_only=True)
class MethodProof:
    """What the tests say of one method's maps.

    Parameters
    ----------
    method
        Its name, or that of a map that it is held against.
    faithful
        Relevance gain less that of the map by lot, in logits, mean over what hides; held against location's.
    depends
        Rank correlation with the map of a network whose layers are all random; held against 1, which a map keeps that does not
        depend on it.
    output_layer
        The same with only the output layer random.
    stable
        Mean rank correlation over the small changes; held against that with another patient's map. Its verdict counts only of a
        map that depends on the network.
    reproducible
        Rank correlation with the map of another training.
    cause
        Rank correlation over cases of the density on the finding with the fall of the logit; held against location's.
    density
        The mean density on the finding; held against location's, 1 is chance.
    """

    method: str
    faithful: Estimate
    depends: Estimate
    output_layer: Estimate
    stable: Estimate
    reproducible: Estimate
    cause: Estimate
    density: Estimate


def summarise_proof(proof: pd.DataFrame, methods: Sequence[str]) -> list[MethodProof]:
    """Return what the tests say of each method, then of location and of the model-free maps, as far as they were tested.

    Parameters
    ----------
    proof
        As `shamsul_core.run.PROOF_COLUMNS`.
    methods
        The run's, in the order wanted.
    """
    there = set(proof["method"])
    names = [name for name in (*methods, LOCATION, *MODEL_FREE) if name in there]
    return [_method(proof, name) for name in names]


def _method(proof: pd.DataFrame, method: str) -> MethodProof:
    depends = _similarity(proof, RANDOMISATION, method, [ALL_LAYERS])
    depends = _judged(depends, 1.0, _below(depends, DEPENDS_BELOW))
    if method in MODEL_FREE and depends.cases:
        # By definition, and not by how many patients there are
        depends = _judged(depends, 1.0, "no")
    output = _similarity(proof, RANDOMISATION, method, ["output layer"])
    changes = [name for name in _settings(proof, ROBUSTNESS) if name != ANOTHER_PATIENT]
    stable = _similarity(proof, ROBUSTNESS, method, changes)
    another = _similarity(proof, ROBUSTNESS, method, [ANOTHER_PATIENT]).value
    again = _similarity(proof, REPRODUCIBILITY, method, _settings(proof, REPRODUCIBILITY))
    return MethodProof(
        method=method,
        faithful=_faithful(proof, method),
        depends=depends,
        output_layer=output,
        stable=_judged(stable, another, _from(stable, STABLE_FROM)),
        reproducible=_judged(again, float("nan"), _from(again, STABLE_FROM)),
        cause=_cause(proof, method),
        density=_density(proof, method),
    )


def curves(proof: pd.DataFrame, test: str, figure: str, setting: str | None = None) -> pd.DataFrame:
    """Return mean curves: method, at, mean, low, high and patients, over all cases of a test's figure.

    Parameters
    ----------
    setting
        What hides; ``None`` for all, as of the cascade, whose stages lie at their share of the layers.
    """
    rows = proof[(proof["test"] == test) & (proof["figure"] == figure) & proof["at"].notna()]
    rows = rows if setting is None else rows[rows["setting"] == setting]
    means = []
    for (method, at), group in rows.groupby(["method", "at"], sort=False):
        value, low, high, patients = mean_over_patients(group["value"], group["image_id"])
        row = {"method": method, "at": at, "mean": value, "low": low, "high": high}
        means.append(row | {"patients": patients, "setting": group["setting"].iloc[0]})
    columns = ["method", "at", "mean", "low", "high", "patients", "setting"]
    return pd.DataFrame(means, columns=columns).sort_values(["method", "at"], ignore_index=True)


def means_by_setting(proof: pd.DataFrame, test: str) -> pd.DataFrame:
    """Return the mean rank correlation under each of a test's settings: method, setting, mean, low, high and patients."""
    rows = proof[(proof["test"] == test) & (proof["figure"] == RANK_CORRELATION)]
    means = []
    for (method, setting), group in rows.groupby(["method", "setting"], sort=False):
        value, low, high, patients = mean_over_patients(group["value"], group["image_id"])
        row = {"method": method, "setting": setting, "mean": value, "low": low, "high": high}
        means.append(row | {"patients": patients})
    return pd.DataFrame(means, columns=["method", "setting", "mean", "low", "high", "patients"])


def cascade_of(proof: pd.DataFrame, image_id: str, pathology: str) -> dict[tuple[str, str], float]:
    """Return the rank correlation of a case's maps by method and stage of the cascade."""
    is_case = (proof["image_id"] == image_id) & (proof["pathology"] == pathology)
    is_kept = (proof["test"] == RANDOMISATION) & (proof["figure"] == RANK_CORRELATION)
    rows = proof[is_case & is_kept]
    return {
        (str(method), str(stage)): float(value)
        for method, stage, value in zip(rows["method"], rows["setting"], rows["value"], strict=True)
    }


def mean_over_patients(
    values: pd.Series[float], image_ids: pd.Series[str]
) -> tuple[float, float, float, int]:
    """Return the mean over cases, its BCa interval over patients, and the number of patients.

    Whole patients are drawn: a resample's mean is that of all their cases. NaN ends with fewer than `FEWEST` patients.
    """
    known = values.notna()
    table = pd.DataFrame({"value": values[known], "patient": [patient_of(one) for one in image_ids[known]]})
    by_patient = table.groupby("patient")["value"].agg(["sum", "count"]).to_numpy(np.float64)
    if not len(by_patient):
        return np.nan, np.nan, np.nan, 0
    sums, counts = by_patient.T

    def mean(drawn: npt.NDArray[np.int64], axis: int = -1) -> npt.NDArray[np.float64]:
        return np.asarray(sums[drawn].sum(axis) / counts[drawn].sum(axis))

    low, high = bca(mean, len(sums), vectorised=True)
    return float(table["value"].mean()), low, high, len(sums)


def correlation_over_patients(
    first: pd.Series[float], second: pd.Series[float], image_ids: pd.Series[str]
) -> tuple[float, float, float, int]:
    """Return Spearman's rank correlation over cases, its BCa interval over patients, and the number of patients."""
    table = pd.DataFrame({"first": first, "second": second, "image": image_ids}).dropna()
    patients, numbers = np.unique([patient_of(one) for one in table["image"]], return_inverse=True)
    if len(table) < _FEWEST_CASES:
        return np.nan, np.nan, np.nan, len(patients)
    pairs = table[["first", "second"]].to_numpy(np.float64)
    whose = [np.flatnonzero(numbers == number) for number in range(len(patients))]

    def correlation(drawn: npt.NDArray[np.int64]) -> float:
        return _spearman(pairs[np.concatenate([whose[number] for number in drawn])])

    low, high = bca(correlation, len(patients), vectorised=False)
    return _spearman(pairs), low, high, len(patients)


def bca(
    statistic: Callable[..., float | npt.NDArray[np.float64]], count: int, *, vectorised: bool
) -> tuple[float, float]:
    """Return the ends of the 95 % BCa bootstrap interval of a statistic of drawn patients, 0..count-1.

    NaN with fewer than `FEWEST` patients; both ends are the value where it is the same in all resamples.
    """
    if count < FEWEST:
        return np.nan, np.nan
    everybody = np.arange(count)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of resamples that are all alike, which is answered below
        interval = bootstrap(
            (everybody,),
            statistic,
            n_resamples=_RESAMPLES,
            vectorized=vectorised,
            method="BCa",
            rng=np.random.default_rng(_SEED),
        )
    drawn = interval.bootstrap_distribution
    if np.ptp(drawn) < 1e-12:
        return float(drawn[0]), float(drawn[0])
    low, high = map(float, interval.confidence_interval)
    if np.isnan(low):
        low, high = map(float, np.nanpercentile(drawn, [2.5, 97.5]))
    return low, high


def _spearman(pairs: npt.NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation of two columns; 0 where one is the same everywhere. SciPy's own takes 20 times as long."""
    ranks = rankdata(pairs, axis=0)
    ranks -= ranks.mean(axis=0)
    spread = np.sqrt(np.square(ranks).sum(axis=0).prod())
    return float(ranks.prod(axis=1).sum() / spread) if spread > 0 else 0.0


def _similarity(proof: pd.DataFrame, test: str, method: str, settings: Iterable[str]) -> Estimate:
    """Return the mean rank correlation of a method's maps under these settings, each case once."""
    rows = proof[
        (proof["test"] == test)
        & (proof["figure"] == RANK_CORRELATION)
        & (proof["method"] == method)
        & proof["setting"].isin(list(settings))
    ].dropna(subset=["value"])
    cases = rows.groupby(["image_id", "pathology"])["value"].mean()
    return _mean(pd.DataFrame({"value": cases}).reset_index())


def _mean(cases: pd.DataFrame) -> Estimate:
    value, low, high, patients = mean_over_patients(cases["value"], cases["image_id"])
    return Estimate(value=value, low=low, high=high, cases=len(cases), patients=patients)


def _settings(proof: pd.DataFrame, test: str) -> list[str]:
    return list(dict.fromkeys(proof.loc[proof["test"] == test, "setting"]))


def _faithful(proof: pd.DataFrame, method: str) -> Estimate:
    rows = proof[(proof["test"] == FAITHFULNESS) & (proof["figure"] == GAIN)]
    gains = rows.pivot_table(index=["image_id", "pathology"], columns="method", values="value")
    if not {method, BY_LOT} <= set(gains.columns):
        return Estimate()
    over = (gains[method] - gains[BY_LOT]).dropna()
    estimate = _mean(pd.DataFrame({"value": over}).reset_index())
    against = float("nan")
    if LOCATION in gains.columns and method != LOCATION:
        against = float((gains[LOCATION] - gains[BY_LOT])[gains[method].notna()].mean())
    return _judged(estimate, against, _above(estimate, 0.0))


def _cause(proof: pd.DataFrame, method: str) -> Estimate:
    rows = densities(proof)
    own = rows[rows["method"] == method].dropna(subset=["value", "at"])
    value, low, high, patients = correlation_over_patients(own["value"], own["at"], own["image_id"])
    estimate = Estimate(value=value, low=low, high=high, cases=len(own), patients=patients)
    located = rows[rows["method"] == LOCATION].dropna(subset=["value", "at"])
    against = correlation_of(located) if method != LOCATION else float("nan")
    return _judged(estimate, against, _above(estimate, 0.0))


def correlation_of(rows: pd.DataFrame) -> float:
    """Return the rank correlation of the columns value and at; NaN of fewer than three cases."""
    if len(rows) < _FEWEST_CASES:
        return float("nan")
    return _spearman(rows[["value", "at"]].to_numpy(np.float64))


def _density(proof: pd.DataFrame, method: str) -> Estimate:
    rows = densities(proof)
    estimate = _mean(rows[rows["method"] == method].dropna(subset=["value"]))
    located = rows.loc[rows["method"] == LOCATION, "value"].mean()
    return _judged(estimate, float(located), _above(estimate, 1.0))


def densities(proof: pd.DataFrame) -> pd.DataFrame:
    """Return the density of relevance on each finding, with the fall of the logit in the column ``at``."""
    return proof[(proof["test"] == CAUSE) & (proof["figure"] == DENSITY)]


def _judged(estimate: Estimate, against: float, verdict: Verdict) -> Estimate:
    return replace(estimate, against=against, verdict=verdict)


def _above(estimate: Estimate, line: float) -> Verdict:
    return _told(estimate, is_yes=estimate.low > line, is_no=estimate.high <= line)


def _from(estimate: Estimate, line: float) -> Verdict:
    return _told(estimate, is_yes=estimate.low >= line, is_no=estimate.high < line)


def _below(estimate: Estimate, line: float) -> Verdict:
    return _told(estimate, is_yes=estimate.high < line, is_no=estimate.low >= line)


def _told(estimate: Estimate, *, is_yes: bool, is_no: bool) -> Verdict:
    if np.isnan(estimate.value):
        return "not tested"
    if np.isnan(estimate.low):
        return "too few"
    return "yes" if is_yes else "no" if is_no else "unclear"


def failing(proofs: Iterable[MethodProof]) -> Mapping[str, str]:
    """Return by method in a word what its maps failed, where they failed anything that makes them unfit to be believed.

    A method that does not depend on the network, is no more faithful than a map by lot, or is not stable.
    """
    told = {}
    for proof in proofs:
        reasons = {
            "does not depend on the model": proof.depends.verdict,
            "no more faithful than a map by lot": proof.faithful.verdict,
            "not stable": proof.stable.verdict,
        }
        failed = [reason for reason, verdict in reasons.items() if verdict == "no"]
        if failed:
            told[proof.method] = ", ".join(failed)
    return told
