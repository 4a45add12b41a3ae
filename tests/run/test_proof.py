"""A run's proof on disk: parts, the table made of them, small maps, and what is damaged."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from shamsul_core.proof.catalogue import CAUSE, FAITHFULNESS, Measured
from shamsul_core.run import PROOF_COLUMNS, Run, RunError
from shamsul_core.run.proof import SMALL_PX, ProofOfRun
from tests.made import image_id

ROW = Measured(
    pathology="Edema", method="lime", figure="density", setting="counterfactual", value=1.5, at=0.25
)
FAILED = Measured(
    pathology="Edema",
    method="lrp",
    figure="density",
    setting="counterfactual",
    value=float("nan"),
    reason="why",
)


@pytest.fixture
def run(made_run, tmp_path):
    return Run.open(shutil.copytree(made_run.folder, tmp_path / "run"))


def test_a_run_without_a_proof_has_a_table_without_rows(run):
    assert list(run.proof.columns) == list(PROOF_COLUMNS)
    assert run.proof.empty
    assert ProofOfRun(run).with_maps() == []
    assert ProofOfRun(run).maps(image_id(1)) == {}


def test_the_table_is_all_parts(run):
    proof = ProofOfRun(run)
    proof.write_part(CAUSE, CAUSE, image_id(1), [ROW, FAILED])
    proof.write_part(CAUSE, CAUSE, image_id(2), [])
    proof.write_part(f"{FAITHFULNESS} 2", FAITHFULNESS, image_id(2), [ROW])
    assert proof.done(CAUSE) == {image_id(1), image_id(2)}
    assert proof.done(FAITHFULNESS) == set()
    proof.gather()
    table = run.proof
    assert sorted(zip(table["image_id"], table["test"], strict=True)) == [
        (image_id(1), CAUSE),
        (image_id(1), CAUSE),
        (image_id(2), FAITHFULNESS),
    ]
    own = table[table["method"] == "lime"].iloc[0]
    assert (own["value"], own["at"], own["figure"]) == (1.5, 0.25, "density")
    (failed,) = table.loc[table["method"] == "lrp", "reason"]
    assert failed == "why"


def test_a_part_that_cannot_be_read_is_made_again(run):
    proof = ProofOfRun(run)
    proof.write_part(CAUSE, CAUSE, image_id(1), [ROW])
    proof.write_part(CAUSE, CAUSE, image_id(2), [ROW])
    (run.folder / "proof" / CAUSE / f"{image_id(1)}.parquet").write_bytes(b"PAR1")
    proof.gather()
    assert set(run.proof["image_id"]) == {image_id(2)}
    assert proof.done(CAUSE) == {image_id(2)}


@pytest.mark.parametrize(
    ("column", "value"),
    [("method", "foreign"), ("pathology", "foreign"), ("test", "foreign"), ("figure", None)],
)
def test_what_is_not_in_the_run_is_refused(run, column, value):
    proof = ProofOfRun(run)
    proof.write_part(CAUSE, CAUSE, image_id(1), [ROW])
    proof.gather()
    path = run.folder / "proof.parquet"
    pd.read_parquet(path).assign(**{column: value}).to_parquet(path)
    with pytest.raises(RunError, match=r"proof\.parquet: not a readable table.*shamsul_core proof"):
        _ = run.proof


def test_maps_are_kept_small_and_over_their_largest_value(run):
    proof = ProofOfRun(run)
    values = np.zeros((224, 224), np.float32)
    values[:7, :7] = -8
    values[100:107, 100:107] = 4
    proof.write_maps(
        image_id(1), {("", "lrp", "Edema"): values, ("all layers", "lime", "Edema"): values[:7, :7]}
    )
    maps = proof.maps(image_id(1))
    small = maps["", "lrp", "Edema"]
    assert small.shape == (SMALL_PX, SMALL_PX)
    assert small.min() == -1
    assert maps["all layers", "lime", "Edema"].shape == (7, 7)
    assert proof.with_maps() == [image_id(1)]


@pytest.mark.parametrize(
    "content",
    [
        b"none",
        {"name": np.zeros(3, np.float16)},
        {"a/b/c": np.full((2, 2), np.inf)},
        {"a/b/c": np.zeros((99, 99))},
    ],
    ids=["no file", "no map", "infinite", "too large"],
)
def test_maps_that_are_none_are_named(run, content):
    proof = ProofOfRun(run)
    proof.write_maps(image_id(1), {("", "lrp", "Edema"): np.ones((4, 4), np.float32)})
    path = run.folder / "proof" / "maps" / f"{image_id(1)}.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        save_file(content, path)
    with pytest.raises(RunError, match="not readable"):
        proof.maps(image_id(1))


def test_no_id_leads_out_of_the_run(run):
    with pytest.raises(RunError, match="not a radiograph's id"):
        ProofOfRun(run).write_part(CAUSE, CAUSE, "../../elsewhere", [ROW])
    with pytest.raises(RunError, match="not a radiograph's id"):
        ProofOfRun(run).write_maps("../elsewhere", {})
