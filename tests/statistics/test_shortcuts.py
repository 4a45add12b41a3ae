"""Bait and density on cases whose answer is known without the code."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from shamsul_core.cohort import Annotation, CohortError
from shamsul_core.cohort.planted_sign import PlantedSign
from shamsul_core.heatmap import Heatmap
from shamsul_core.imaging.rle import encode_mask
from shamsul_core.statistics.shortcuts import (
    bait_summary,
    bait_table,
    density_summary,
    density_table,
    discrimination,
    planted_sign,
    warnings,
)

SIZE = (40, 50)
SIGN, FINDING = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
SIGN[:10, :10] = True  # 5 % of the area
FINDING[20:40, 20:30] = True  # 10 %


class MadeCohort:
    """Sixty radiographs of as many patients in the four cells, and four whose label is uncertain."""

    name = "made/val"

    def __init__(self, *, is_everywhere=False, count=64):
        self.mask = None if is_everywhere else SIGN
        labels = [(number // 2 % 2 if number < 60 else -1) for number in range(count)]
        self.radiographs = {
            f"patient{number:05d}_study1_view1_frontal": SimpleNamespace(
                labels={"Edema": float(label)},
                size=SIZE,
                pixels=lambda own=number: np.full(SIZE, own, np.uint8),
            )
            for number, label in enumerate(labels)
        }

    def planted_sign(self, image_id):
        number = int(image_id[7:12])
        other = np.full(SIZE, 100 + number, np.uint8)
        return PlantedSign("corner tag", "Edema", 0.5, bool(number % 2), self.mask, other)

    def annotation(self, image_id, pathology):
        is_marked = self.radiographs[image_id].labels[pathology] == 1
        mask = FINDING if is_marked else np.zeros(SIZE, bool)
        return Annotation(image_id=image_id, pathology=pathology, size=SIZE, rle=encode_mask(mask))


def run_of(maps):
    def heatmap(image_id, method, pathology):
        values = maps[method](image_id)
        return Heatmap(method=method, pathology=pathology, output="logit", values=values.astype(np.float32))

    return SimpleNamespace(
        manifest=SimpleNamespace(methods=dict.fromkeys(maps), pathologies=("Edema",)),
        explained_ids=lambda: sorted(MadeCohort().radiographs),
        heatmap=heatmap,
    )


def on_sign_if_there(image_id):
    return (SIGN if int(image_id[7:12]) % 2 else FINDING).astype(float)


def test_relevance_that_is_the_same_everywhere_has_density_one_everywhere():
    table = density_table(run_of({"flat": lambda _: np.full((7, 9), 0.3)}), MadeCohort())
    assert len(table) == 60
    for name in ("sign", "elsewhere"):
        np.testing.assert_allclose(table[name], 1, rtol=1e-5)
    np.testing.assert_allclose(table.loc[table["has_finding"], "finding"], 1, rtol=1e-5)
    assert table.loc[~table["has_finding"], "finding"].isna().all()
    summary = density_summary(table)
    assert set(summary.loc[summary["region"] == "sign", "n"]) == {15}, "the four cells"
    assert not warnings(table)["warns"].any()


def test_all_relevance_on_the_sign_is_as_dense_as_the_sign_is_small():
    """All on 5 % of the area is 20 times chance; on the finding's 10 % it would be ten times. Negative relevance is none."""
    both = {"sign": on_sign_if_there, "negative": lambda _: SIGN - 2.0 * FINDING + 0.0}
    table = density_table(run_of(both), MadeCohort())
    cells = density_summary(table).set_index(["method", "has_sign", "has_finding", "region"])
    assert cells.loc[("sign", True, True, "sign"), "mean"] == pytest.approx(20)
    assert cells.loc[("sign", True, True, "finding"), "mean"] == 0
    assert cells.loc[("sign", False, True, "finding"), "mean"] == pytest.approx(10)
    assert cells.loc[("sign", False, True, "sign"), "mean"] == 0
    assert cells.loc[("negative", False, False, "sign"), "mean"] == pytest.approx(20)
    found = warnings(table).set_index("method")
    assert list(found["warns"]) == [True, False], "the other looks there whether or not the sign is there"
    assert found.loc["sign", ["on_sign", "same_place", "first", "on_sign_n", "first_n"]].tolist() == [
        pytest.approx(20),
        0,
        1,
        30,
        15,
    ]


def test_a_sign_that_is_everywhere_has_no_density():
    table = density_table(run_of({"sign": on_sign_if_there}), MadeCohort(is_everywhere=True))
    assert table["sign"].isna().all()
    assert not warnings(table)["warns"].any()


def test_the_bait_is_the_mean_difference_of_the_two_pictures():
    """The made pictures' counterparts are 100 grey levels brighter: with the sign where the radiograph has none."""
    baits = bait_table(MadeCohort(), lambda pixels: float(pixels.mean()) / 10)
    expected = np.where(baits["has_sign"], -10.0, 10.0)
    np.testing.assert_allclose(baits["difference"], expected)
    summary = bait_summary(baits).set_index("radiographs")
    assert summary.loc["all", ["mean", "n"]].tolist() == [0, 64]
    assert summary.loc["all", "low"] < 0 < summary.loc["all", "high"]
    assert summary.loc["with the finding", "n"] == summary.loc["without the finding", "n"] == 30


def test_a_model_that_sees_only_the_sign_is_perfect_by_chance_or_always_wrong():
    baits = bait_table(MadeCohort(), lambda _: 0.0).assign(with_sign=3.0, without_sign=-3.0)
    areas = discrimination(baits).set_index("sign")["auroc"]
    assert areas.tolist() == [1.0, 0.5, 0.5, 0.0]
    only_positive = discrimination(baits.assign(label=1.0))
    assert only_positive["auroc"].isna().all()


def test_a_cohort_without_a_shortcut_is_named():
    cohort = MadeCohort()
    cohort.planted_sign = lambda _: None
    with pytest.raises(
        CohortError, match=r"made/val: no shortcut was planted.*--shortcut SIGN:PATHOLOGY:0\.5"
    ):
        planted_sign(cohort)


def test_tables_keep_their_columns_where_nothing_is_explained():
    run = run_of({"flat": lambda _: np.ones((7, 9))})
    run.explained_ids = list
    table = density_table(run, MadeCohort())
    assert table.empty
    assert isinstance(density_summary(table), pd.DataFrame)
