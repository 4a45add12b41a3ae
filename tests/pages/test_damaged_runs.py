"""Every page with nothing, one, many and damaged of whatever it lists: a sentence, never an error that nobody foresaw."""

from __future__ import annotations

import json
import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest, local_script_runner

from dashboard.unforeseen import tell_reader
from tests.made import image_id
from tests.serving import ROOT

pytestmark = pytest.mark.slow

PAGES = {
    "compare": [{}],
    "distributions": [{}, {"figure": "methods"}],
    "selection": [{}, {"criterion": "wrong"}, {"criterion": "multilabel"}],
    "review": [{}],
    "overview": [{}, {"part": "Run"}],
    "methods": [{}],
}
FIRST = f"heatmaps/{image_id(1)}.safetensors"
TABLES = ("predictions", "scores", "failures")


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Open a page of a run under the outermost guard; return what it says."""
    made = local_script_runner.LocalScriptRunner.__init__

    def guarded(self, *arguments, **named):
        made(self, *arguments, **named)
        self._on_script_error = tell_reader

    monkeypatch.setattr(local_script_runner.LocalScriptRunner, "__init__", guarded)
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path}/reviews.sqlite")

    def open_page(page, folder, query):
        monkeypatch.setattr(sys, "argv", ["app.py", "--run", str(folder)])
        app = AppTest.from_file(ROOT / "pages" / f"{page}.py", default_timeout=120)
        app.query_params.update(query)
        app.session_state["reader"] = "Ada"
        app.run()
        assert not app.exception
        kinds = (app.markdown, app.info, app.caption, app.error, app.warning, app.header)
        html = [str(one.proto.body) for one in app.get("html")]
        return "\n".join([*(str(one.value) for kind in kinds for one in kind), *html])

    return open_page


@pytest.fixture
def folder(made_run, tmp_path):
    """A copy of `made_run` to damage, which still finds its cohort."""
    folder = shutil.copytree(made_run.folder, tmp_path / "run")
    edit(folder, lambda manifest: manifest["cohort"].update(path=str(made_run.cohort_folder)))
    st.cache_resource.clear()
    st.cache_data.clear()
    return folder


def edit(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def rewrite(folder, name, change):
    path = folder / f"{name}.parquet"
    change(pd.read_parquet(path)).to_parquet(path)


def unreadable_tables(folder):
    for name in TABLES:
        (folder / f"{name}.parquet").write_bytes(b"no table")


def radiographs_of_another_cohort(folder):
    for name in TABLES:
        rewrite(folder, name, lambda table: table.assign(image_id="other " + table["image_id"].astype(str)))
    shutil.copy(folder / FIRST, folder / "heatmaps" / "other.safetensors")


def nothing_but_missing_values(folder):
    rewrite(folder, "predictions", lambda table: table.assign(**dict.fromkeys(table.columns[1:], np.nan)))
    numbers = ["iou", "hit", "probability", "label", "mask_area_px", "expert_area_px"]
    rewrite(folder, "scores", lambda table: table.assign(**dict.fromkeys(numbers, np.nan)))
    rewrite(folder, "failures", lambda table: table.assign(method=None, pathology=None, error=None))


def damaged_results(folder):
    content = (folder / FIRST).read_bytes()
    (folder / FIRST).write_bytes(content[: len(content) // 2])
    (folder / f"heatmaps/{image_id(2)}.safetensors").unlink()


def one_pathology(folder):
    edit(folder, lambda manifest: manifest.update(pathologies=["Edema"]))
    rewrite(folder, "scores", lambda table: table[table["pathology"] == "Edema"])
    rewrite(folder, "predictions", lambda table: table[["image_id", "Edema"]])


def many_failures(folder):
    rewrite(folder, "failures", lambda table: pd.concat([table] * 500))


def nothing_yet(folder):
    shutil.rmtree(folder / "heatmaps")
    for name in TABLES:
        (folder / f"{name}.parquet").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        unreadable_tables,
        radiographs_of_another_cohort,
        nothing_but_missing_values,
        damaged_results,
        one_pathology,
        many_failures,
        nothing_yet,
    ],
)
def test_every_page_is_a_page_or_a_sentence(opened, folder, damage):
    damage(folder)
    for page, queries in PAGES.items():
        for query in queries:
            words = opened(page, folder, query)
            assert "quote the number" not in words, (page, query)
            assert not re.search(
                r"\b(nan|NaN|None|<NA>)\b", re.sub(r"<style>.*?</style>", "", words, flags=re.S)
            ), page
            assert words.strip()
            assert damage is not unreadable_tables or "not a readable table" in words, (page, query)


def test_the_guard_is_at_work_here(opened, folder, monkeypatch):
    """Without it, what the other test looks for would not be there to find."""
    monkeypatch.setattr("shamsul_core.figures.html.legend.colour_bar", lambda: 1 / 0)
    assert "quote the number" in opened("methods", folder, {})
