"""A run that anybody made: nothing in it is waited for, and nothing small in it becomes large."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from shamsul_core.run import Run, RunError
from shamsul_core.run.tables import SCORE_COLUMNS
from tests.made import image_id
from tests.serving import ROOT

pytestmark = pytest.mark.slow

RESULT = f"heatmaps/{image_id(1)}.safetensors"


@pytest.fixture
def folder(made_run, tmp_path):
    return shutil.copytree(made_run.folder, tmp_path / "run")


READS = {
    "manifest.json": lambda folder: Run.open(folder),
    "predictions.parquet": lambda folder: Run.open(folder).predictions,
    "scores.parquet": lambda folder: Run.open(folder).scores,
    "failures.parquet": lambda folder: Run.open(folder).failures,
    RESULT: lambda folder: Run.open(folder).read_record(image_id(1)),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
@pytest.mark.parametrize("name", READS)
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(RunError, match=f"{name}.*it is not a regular file"):
        READS[name](folder)


def edit(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def nested(depth):
    return {"x": nested(depth - 1)} if depth else 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda about: about["methods"]["lime"].update(title="A" * 100_000), "a text of 100,000 characters"),
        (
            lambda about: about["methods"].update({"x" * 70: about["methods"]["lime"]}),
            "name of 70 characters",
        ),
        (lambda about: about["methods"].update({"../x": about["methods"]["lime"]}), "cannot be shown"),
        (
            lambda about: about["methods"].update({"a/../x": about["methods"]["lime"]}),
            "that no file can have",
        ),
        (lambda about: about["methods"]["lime"].update(title="one\n\n# two"), "cannot be shown"),
        (lambda about: about["methods"]["lime"].update(title="\u202eevil"), "cannot be shown"),
        (lambda about: about["methods"]["lime"].update(title="SHAP"), "the same title"),
        (lambda about: about["pathologies"].append("E" * 65), "name of 65 characters"),
        (lambda about: about["model"].update(source="m" * 2000), "a text of 2,000 characters"),
        (lambda about: about["cohort"].update(simulated="s" * 2000), "a text of 2,000 characters"),
        (lambda about: about["cohort"].update(simulated=["s"]), "not a text"),
        (lambda about: about["versions"].update(torch=2), "not a text"),
        (lambda about: about["methods"]["lime"].update(settings=nested(50)), "more deeply nested"),
        (lambda about: about["model"].update(pathologies=["x"] * 5000), "holds more"),
        (lambda about: about.update(created="yesterday"), "isoformat"),
        (lambda about: about["model"].update(source="m\x00"), "cannot be shown"),
        (lambda about: about["model"].update(source="m\ud800"), "cannot be shown"),
        (lambda about: about.update(more="x" * 2**21), "bytes; at most 1,048,576"),
    ],
)
def test_a_manifest_that_is_larger_than_any_is_named(folder, change, words):
    edit(folder, change)
    with pytest.raises(RunError, match="not a readable manifest") as raised:
        Run.open(folder)
    assert words in str(raised.value)
    assert len(str(raised.value)) < 600


def test_a_run_that_could_not_be_read_again_is_not_made(made_run, tmp_path):
    about = json.loads(made_run.manifest.to_json())
    about["methods"]["lime"]["title"] = "A" * 100
    manifest = type(made_run.manifest)(**about)
    with pytest.raises(RunError, match=r"no such run can be made: .*name of 100 characters"):
        Run.create_or_resume(tmp_path / "new", manifest)
    assert not (tmp_path / "new").exists()


def texts(*values, times=1):
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), list(values))


def write_scores(folder, columns, times, **how):
    """Write rows that take next to nothing on the disk, so many times."""
    with (folder / "scores.parquet").open("wb") as file:
        table = pa.table(columns)
        with pq.ParquetWriter(file, table.schema, **how) as writer:
            for _ in range(times):
                writer.write_table(table)


ROWS = 500_000


def constant(value):
    return pa.array(np.full(ROWS, value))


def many_rows(folder):
    names = [*pd.read_parquet(folder / "scores.parquet").select_dtypes("number").columns]
    keys = {name: texts("a" * 200, times=ROWS) for name in ("image_id", "pathology", "method", "reason")}
    write_scores(folder, keys | {name: constant(0.5) for name in names}, 30, write_statistics=False)


def long_texts(folder):
    columns = {name: texts("a", times=ROWS) for name in ("image_id", "pathology", "method")}
    write_scores(folder, columns | {"reason": texts("b" * 100_000, times=ROWS)}, 1)


def another_compression(folder):
    table = pa.table({"image_id": ["a" * 2**28]})
    pq.write_table(table, folder / "scores.parquet", compression="zstd", use_dictionary=False)


def another_encoding(folder):
    table = pa.table({"image_id": ["a" * 2**20] * 4096})
    how = {"use_dictionary": False, "column_encoding": {"image_id": "DELTA_BYTE_ARRAY"}}
    pq.write_table(table, folder / "scores.parquet", **how)


def lists_in_a_column(folder):
    offsets = pa.array([0, 50_000_000], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(np.zeros(50_000_000)))
    pq.write_table(pa.table({"image_id": ["a"], "iou": lists}), folder / "scores.parquet")


def many_columns(folder):
    table = pd.read_parquet(folder / "scores.parquet")
    more = pd.DataFrame(0.5, index=table.index, columns=[f"more {n}" for n in range(5000)])
    pd.concat([table, more], axis=1).to_parquet(folder / "scores.parquet")


READ = """
import resource, sys
from pathlib import Path
from shamsul_core.run import Run, RunError
resource.setrlimit(resource.RLIMIT_AS, (5 * 2**30, 5 * 2**30))
run = Run.open(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(len(run.scores.columns), "columns")
except RunError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes of memory as Linux does")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (many_rows, "far more than a file of its size"),
        (long_texts, "a text of 100,000 bytes"),
        (another_compression, "written in a way that a run is not"),
        (another_encoding, "written in a way that a run is not"),
        (lists_in_a_column, "column iou: holds list"),
        (many_columns, f"{len(SCORE_COLUMNS)} columns"),
    ],
)
def test_a_small_table_does_not_become_a_large_one(folder, make, words):
    make(folder)
    assert (folder / "scores.parquet").stat().st_size < 3e6
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said, grown_mb = done.stdout.strip().rsplit("\n", 1)
    assert words in said
    assert int(grown_mb) < 500


def rewrite_result(folder, damage):
    path = folder / RESULT
    with safe_open(path, framework="numpy") as file:
        record = json.loads(file.metadata()["record"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    damage(record, tensors)
    save_file(tensors, path, {"record": json.dumps(record)})


def test_a_map_of_more_values_than_a_radiograph_has_is_not_read(folder):
    def enlarge(record, tensors):
        tensors["lrp/Edema"] = np.zeros((1, 2**25 + 1), np.uint8)

    rewrite_result(folder, enlarge)
    run = Run.open(folder)
    with pytest.raises(RunError, match="lrp/Edema has more than 33,554,432 values"):
        run.heatmap(image_id(1), "lrp", "Edema")
    named = {failure[:2]: failure[2] for failure in run.read(image_id(1)).failures}
    assert "more than" in named["lrp", "Edema"]


def test_a_size_that_no_radiograph_has_is_damage(folder):
    rewrite_result(folder, lambda record, tensors: record.update(size=[10**6, 10**6]))
    with pytest.raises(RunError, match="its record is damaged"):
        Run.open(folder).read_record(image_id(1))


def test_why_something_failed_is_cut(folder):
    rewrite_result(folder, lambda record, tensors: record.update(failures=[["lime", "Edema", "x" * 10**6]]))
    assert len(Run.open(folder).read_record(image_id(1)).failures[0][2]) == 2000
