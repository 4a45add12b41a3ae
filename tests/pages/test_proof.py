"""The page *Proof* and what other pages take from it, without a browser."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from shamsul_core.run import Run
from tests.made import image_id, make_cohort, make_proof, make_run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    """Twelve patients, which is enough for intervals."""
    folder = tmp_path_factory.mktemp("proved")
    return make_proof(make_run(folder / "run", make_cohort(folder / "cohort", count=12)))


@pytest.fixture
def opened(monkeypatch):
    def open_page(folder, page="proof", **query):
        monkeypatch.setattr(sys, "argv", ["app.py", "--run", str(folder)])
        st.cache_resource.clear()
        st.cache_data.clear()
        app = AppTest.from_file(str(ROOT / "main.py"), default_timeout=300).run()
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, app.exception[0].message
        return app

    return open_page


def words_of(app):
    kinds = (app.markdown, app.info, app.caption, app.error, app.warning)
    html = [str(one.proto.body) for one in app.main if one.type == "html"]
    return "\n".join([*(one.value for kind in kinds for one in kind), *html])


def test_a_run_without_a_proof_says_how_to_get_one(opened, made_run):
    assert "shamsul_core proof --run RUN" in words_of(opened(made_run.folder))


def test_the_first_glance_says_who_failed_and_why(opened, proved):
    words = words_of(opened(proved.folder))
    assert "LRP: does not depend on the model" in words
    assert "Grad-CAM are faithful, of this model, and stable" in words
    assert "keeps 0.9" in words
    assert "never saw the model" in words
    assert "does not count" in words  # how stable LRP is


@pytest.mark.parametrize("part", ["randomisation", "faithfulness", "robustness", "cause"])
def test_each_test_has_its_chart_and_its_definition(opened, proved, part):
    app = opened(proved.folder, part_of_proof=part)
    assert len(app.get("plotly_chart")) == 1
    assert " is better): " in words_of(app)


def test_a_case_has_its_strip_and_a_way_to_compare(opened, proved):
    app = opened(proved.folder, part_of_proof="case", proof_case=image_id(3), proof_pathology="Edema")
    words = words_of(app)
    assert words.count("<img ") == 6 * 5
    assert 'alt="LRP, all layers randomised, keeps 0.' in words
    assert f"./?radiograph={image_id(3)}&amp;pathology=Edema" in words


def test_methods_say_what_the_tests_say_of_each(opened, proved, made_run):
    words = words_of(opened(proved.folder, "methods"))
    assert words.count("What the tests say of it in this run") == 4
    assert "✗ no" in words
    assert "What the tests say of it" not in words_of(opened(made_run.folder, "methods"))


def test_a_damaged_proof_is_told_on_its_page(opened, proved, tmp_path):
    run = Run.open(shutil.copytree(proved.folder, tmp_path / "run"))
    (run.folder / "proof.parquet").write_bytes(b"none")
    shutil.copytree(proved.folder.parent / "cohort", tmp_path / "cohort")
    assert "not a readable table" in words_of(opened(run.folder))
