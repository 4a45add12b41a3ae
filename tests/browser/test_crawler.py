"""Every page and every value of every control, on runs of each kind: no error box, no exception, no other host."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as maskUtils

from shamsul_core.cohort import open_cohort
from shamsul_core.engine.rescoring import score_run
from shamsul_core.interchange.importing import import_segmentations
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Run
from tests.browser.crawling import SLOW_MS, Crawler
from tests.imaging.radiographs import file_of, radiograph
from tests.made import expert_rectangle, image_id
from tests.serving import served, served_script

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def crawled(browser, tmp_path, monkeypatch):
    """Crawl a run's dashboard and return the crawler."""
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path}/reviews.sqlite")
    contexts = []

    def crawl(run_folder, **how):
        log = tmp_path / "log"
        permissions = ["clipboard-read", "clipboard-write"]
        contexts.append(
            browser.new_context(viewport={"width": 1920, "height": 1080}, permissions=permissions)
        )
        with served(run_folder, arguments=["--lead"], log=log) as server:
            crawler = Crawler(contexts[-1].new_page(), server.address, log)
            crawler.crawl(**how)
            contexts[-1].close()
        return crawler

    return crawl


def moved(run, folder, **changes):
    """An empty run that differs from another in these parts of its manifest."""
    cohort = {**run.manifest.cohort, "path": str(run.cohort_folder)}
    return Run.create_or_resume(folder, replace(run.manifest, cohort=cohort, **changes))


def test_the_demonstration(crawled):
    crawler = crawled(None)
    assert crawler.faults == []
    assert set(crawler.opened) >= {
        "tab",
        "choice",
        "select",
        "toggle",
        "popover",
        "expander",
        "slider",
        "text",
    }


def test_a_run_that_holds_nothing_yet(crawled, made_run, tmp_path):
    assert crawled(moved(made_run, tmp_path / "run").folder).faults == []


def test_a_run_of_one_method_with_failures(crawled, made_run, tmp_path):
    run = moved(made_run, tmp_path / "run", methods={"shap": made_run.manifest.methods["shap"]})
    for name in made_run.explained_ids():
        result = made_run.read(name)
        kept = tuple(heatmap for heatmap in result.heatmaps if heatmap.method == "shap")
        run.write(replace(result, heatmaps=kept))
    score_run(run, open_cohort(made_run.cohort_folder), PRESETS["default"])
    assert len(run.failures) == 1
    assert crawled(run.folder).faults == []


def test_a_run_with_masks_of_others(crawled, made_run, made_cohort, tmp_path):
    rle = maskUtils.encode(np.asfortranarray(expert_rectangle(1, (120, 100)).astype(np.uint8)))
    theirs = {image_id(1): {"Edema": {"size": rle["size"], "counts": rle["counts"].decode()}}}
    (tmp_path / "theirs.json").write_text(json.dumps(theirs))
    cohort = open_cohort(made_cohort)
    run, _ = import_segmentations(
        tmp_path / "theirs.json", cohort, tmp_path / "run", name="unet", title="U-Net", beside=made_run
    )
    score_run(run, cohort, PRESETS["default"])
    assert crawled(run.folder).faults == []


def test_a_radiograph_of_ones_own(crawled, made_run, small_model, monkeypatch):
    monkeypatch.setenv("SHAMSUL_MODEL", str(small_model))

    def bring(page):
        file = {"name": "own.dcm", "mimeType": "application/dicom", "buffer": file_of(radiograph())}
        page.locator("input[type=file]").first.set_input_files(file)
        page.get_by_text("Rate these heatmaps").wait_for(timeout=2 * SLOW_MS)

    crawler = crawled(made_run.folder, only="Upload", bring=bring)
    assert crawler.faults == []
    assert crawler.opened["toggle"] > 1


FAULTY = """
import streamlit as st
kind = st.segmented_control("Fault", ["none", "raise", "console", "script", "host"], default="none")
if kind == "raise":
    raise LookupError("planted")
code = {
    "console": "console.error('planted')",
    "script": "setTimeout(() => { throw Error('planted') })",
    "host": "fetch('https://elsewhere.invalid/planted').catch(() => {})",
}
if kind in code:
    st.html(f"<script>{code[kind]}</script>", unsafe_allow_javascript=True)
"""
MAIN = "import streamlit as st\nst.navigation([st.Page('one.py'), st.Page('two.py')]).run()"


def test_it_sees_each_kind_of_fault(browser, tmp_path):
    """Planted in a control's values, on the second page of a dashboard that is not ours."""
    for name, text in {"main": MAIN, "one": "import streamlit as st\nst.text('here')", "two": FAULTY}.items():
        (tmp_path / f"{name}.py").write_text(text)
    context = browser.new_context()
    with served_script(tmp_path / "main.py", log=tmp_path / "log") as server:
        crawler = Crawler(context.new_page(), server.address, tmp_path / "log")
        crawler.crawl()
    context.close()
    kinds = ("error box", "log", "console", "script", "another host is asked")
    seen = {kind for kind in kinds for fault in crawler.faults if f"'Fault': {kind}: " in fault}
    assert seen == set(kinds)
