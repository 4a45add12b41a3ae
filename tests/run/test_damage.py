"""Whatever of a run is damaged, reading it is one line that names the file and what is wrong with it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from shamsul_core.run import Run, RunError
from tests.made import image_id

FIRST = f"heatmaps/{image_id(1)}.safetensors"


@pytest.fixture
def run(made_run, tmp_path):
    """A copy of `made_run` to damage."""
    return Run.open(shutil.copytree(made_run.folder, tmp_path / "run"))


def rewrite(run, name, change):
    path = run.folder / f"{name}.parquet"
    change(pd.read_parquet(path)).to_parquet(path)


TABLES = ("predictions", "scores", "failures")


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("content", [b"", b"no table", b"PAR1", b"PAR1" * 100])
def test_bytes_that_are_no_table(run, name, content):
    (run.folder / f"{name}.parquet").write_bytes(content)
    with pytest.raises(RunError, match=rf"{name}\.parquet: not a readable table"):
        getattr(run, name)
    if name == "scores":
        with pytest.raises(RunError, match=r"scores\.parquet: not a readable table"):
            _ = run.segmentation


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_table_that_was_cut_off(run, name, share):
    path = run.folder / f"{name}.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(RunError, match="not a readable table"):
        getattr(run, name)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("predictions", lambda table: table.drop(columns="image_id"), "it lacks the column image_id"),
        ("predictions", lambda table: table.assign(Edema="high"), "column Edema: "),
        ("predictions", lambda table: table.assign(Edema=[[0.5]] * len(table)), "column Edema: "),
        ("predictions", lambda table: table.assign(Edema=1.5), "column Edema: 1.5 is not between 0 and 1"),
        ("predictions", lambda table: table.assign(Edema=np.inf), "column Edema: inf is not"),
        ("predictions", lambda table: table.assign(image_id=None), "a row without its image_id"),
        ("predictions", lambda table: pd.concat([table, table]), "occurs twice"),
        ("scores", lambda table: table.drop(columns="iou"), "it lacks the column iou"),
        ("scores", lambda table: table.assign(iou="?"), "column iou: "),
        (
            "scores",
            lambda table: table.assign(method=None),
            "a row without its image_id or pathology or method",
        ),
        ("scores", lambda table: table.assign(iou=-0.5), "column iou: -0.5 is not between 0 and 1"),
        ("scores", lambda table: table.assign(method="other"), "twice|method 'other' is not in this run"),
        ("scores", lambda table: table.iloc[:1].assign(method="other"), "method 'other' is not in this run"),
        ("scores", lambda table: table.iloc[:1].assign(pathology="x"), "pathology 'x' is not in this run"),
        ("failures", lambda table: table.drop(columns="error"), "it lacks the column error"),
    ],
)
def test_a_table_of_another_kind(run, name, change, words):
    rewrite(run, name, change)
    with pytest.raises(RunError, match=rf"{name}\.parquet: not a readable table \((.*{words})"):
        getattr(run, name)


def test_what_is_missing_in_a_table_that_is_whole_stays_missing(run):
    rewrite(
        run, "predictions", lambda table: table.assign(Edema=[np.nan, 0.5, 0.25]).drop(columns="Fracture")
    )
    assert run.predictions["Edema"].tolist()[1:] == [0.5, 0.25]
    assert np.isnan(run.predictions["Edema"].tolist()[0])
    rewrite(run, "scores", lambda table: table.drop(columns="dice").assign(iou=np.nan))
    assert run.scores["dice"].isna().all()


@pytest.mark.parametrize("content", [b"", b"x" * 50, b"\xff" * 8])
def test_bytes_that_are_no_result(run, content):
    (run.folder / FIRST).write_bytes(content)
    with pytest.raises(RunError, match=rf"{FIRST}: not a readable result"):
        run.read(image_id(1))


def replaced(**parts):
    return lambda record, tensors: record.update(parts)


def rewrite_result(run, damage):
    path = run.folder / FIRST
    with safe_open(path, framework="numpy") as file:
        record = json.loads(file.metadata()["record"])
    tensors = load_file(path)
    damage(record, tensors)
    save_file(tensors, path, {"record": json.dumps(record)})


def of_tensors(change):
    def damage(record, tensors):
        for name in tensors:
            tensors[name] = change(tensors[name])

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        *(
            replaced(**{part: value})
            for part in ("size", "probabilities", "heatmaps")
            for value in (None, "x", 3)
        ),
        *(
            lambda record, tensors, part=part: record.pop(part)
            for part in ("size", "probabilities", "failures")
        ),
        replaced(size=[0, 10]),
        replaced(probabilities={"Edema": float("nan")}),
        replaced(probabilities={"Edema": "high"}),
        replaced(failures=[["shap"]]),
        replaced(heatmaps={"lime/Edema": None}),
        lambda record, tensors: [tensors.pop(name) for name in list(tensors)[:-1]],
    ],
)
def test_a_result_of_another_kind(run, damage):
    rewrite_result(run, damage)
    with pytest.raises(RunError, match=rf"{FIRST}: not a readable result"):
        run.read(image_id(1))


@pytest.mark.parametrize(
    "damage",
    [
        of_tensors(lambda tensor: np.zeros((2, 2, 2), np.float32)),
        of_tensors(lambda tensor: tensor[:0]),
        of_tensors(lambda tensor: np.full_like(tensor, np.nan) if tensor.dtype.kind == "f" else tensor),
    ],
)
def test_a_heatmap_that_is_no_map_is_its_own_failure(run, damage):
    before = run.read(image_id(1))
    rewrite_result(run, damage)
    result = run.read(image_id(1))
    assert result.heatmaps == ()
    lost = {(heatmap.method, heatmap.pathology) for heatmap in before.heatmaps}
    assert {failure[:2] for failure in result.failures} == lost | {one[:2] for one in before.failures}
    assert result.probabilities == before.probabilities
    method, pathology = lost.pop()
    with pytest.raises(RunError, match=rf"{FIRST}: not a readable result \({method}/{pathology} "):
        run.heatmap(image_id(1), method, pathology)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda manifest: manifest["model"].pop("source"), "model has no source"),
        (lambda manifest: manifest.update(model=None), "it has no model, or one|model is not an object"),
        (lambda manifest: manifest["cohort"].update(path=3), "cohort has no path, or one of another kind"),
        (lambda manifest: manifest.update(cohort=[]), "cohort is not an object"),
        (lambda manifest: manifest["methods"].update(lime=None), "method lime is not an object"),
        (lambda manifest: manifest["methods"]["lime"].pop("title"), "method lime has no title"),
        (lambda manifest: manifest.update(methods={}), "at least one method"),
        (lambda manifest: manifest.update(pathologies=[]), "at least one method and one pathology"),
        (lambda manifest: manifest.update(pathologies=["Edema", "Edema"]), "none twice"),
        (lambda manifest: manifest.update(pathologies=[3]), "a pathology is not a name"),
        (lambda manifest: manifest.update(created=None), "it has no created"),
    ],
)
def test_a_manifest_of_another_kind(run, damage, words):
    path = run.folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    damage(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(RunError, match=rf"manifest\.json: not a readable manifest: .*({words})"):
        Run.open(run.folder)


def test_a_manifest_without_end(run):
    (run.folder / "manifest.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(RunError, match="not a readable manifest"):
        Run.open(run.folder)
