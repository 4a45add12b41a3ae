"""A run is foreign text: whatever it calls things, every page, figure and file shows it as it stands, and asks nobody.

A reader's browser fetches a picture that a page's Markdown or HTML names, wherever it lies.
"""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from dashboard import export
from shamsul_core.cases.selection import CRITERIA, in_order
from shamsul_core.cohort import open_cohort
from shamsul_core.figures.print.comparison import numbers_csv, print_comparison
from shamsul_core.figures.scene.display import AS_AT_FIRST
from shamsul_core.interchange.dicom import case_as_dicom
from shamsul_core.interchange.exporting import export_run
from shamsul_core.report import write_report
from shamsul_core.run import Run
from tests.made import image_id
from tests.pages.test_damaged_runs import PAGES, edit, folder, opened, rewrite  # noqa: F401

pytestmark = pytest.mark.slow

HOST = "elsewhere.test"
PICTURE = f"![x](http://{HOST}/a.png)"
HURTING = f"{PICTURE} <img src=http://{HOST}/b.png> $\\frac{{x$ :red[no] `a` \\includegraphics{{c}}"
TITLES = [
    f"A {PICTURE} $x^{{$",
    f"B <img src=//{HOST}/b.png> %{{x}} $\\frac$",
    f"C [](http://{HOST}) :material/x: __b__ \\ $",
    "D " + "W" * 62,
]
PATHOLOGIES = {"Edema": f"E {PICTURE} $\\badcommand$", "Cardiomegaly": "1. <b>" + "M" * 58}


@pytest.fixture
def hostile(folder):  # noqa: F811
    """A run in which whatever can be named has a name that hurts."""

    def change(about):
        for method, title in zip(about["methods"].values(), TITLES, strict=True):
            method["title"] = title
            method["settings"] = {"epsilon": HURTING, "superpixels": {"algorithm": HURTING}, HURTING: HURTING}
            method["settings"] |= {"sampling": {"first": HURTING}, "rules": [HURTING], "long": "s" * 1000}
        about["model"] |= {"source": HURTING, "fingerprint": HURTING, "precision": HURTING}
        about["model"]["preprocessing"] = {HURTING: [HURTING, "p" * 900]}
        about["model"]["card"] = {"trained_on": HURTING, "not_for": HURTING}
        about["cohort"] |= {"name": f"{HURTING}/val", "simulated": HURTING, "radiographs": 3}
        about["preset"] = HURTING
        about["made_with"] = {
            HURTING: {
                "software": HURTING,
                "engine": HURTING,
                "precision": "float32",
                "device": HURTING,
                "versions": {"torch": HURTING},
            }
        }
        about["versions"] = {HURTING: HURTING, "torch": "v" * 1000}
        about["pathologies"] = [PATHOLOGIES.get(name, name) for name in about["pathologies"]]

    edit(folder, change)
    named = {name: name for name in pd.read_parquet(folder / "scores.parquet")["pathology"]} | PATHOLOGIES
    rewrite(
        folder,
        "scores",
        lambda table: table.assign(
            pathology=table["pathology"].map(named),
            reason=[HURTING + "r" * 5000, *table["reason"][1:]],
        ),
    )
    rewrite(
        folder,
        "failures",
        lambda table: pd.concat([table] * 30, ignore_index=True).assign(
            error=HURTING + "e" * 5000, method=HURTING, image_id=[f"{HURTING}{i}" for i in range(30)]
        ),
    )
    return folder


PLAIN = {"dataframe", "selectbox", "multiselect", "imgs"}
"""Elements that Streamlit shows as they stand."""


class Asking(HTMLParser):
    """Collects what a browser would fetch or follow of a piece of HTML."""

    def __init__(self, html):
        super().__init__()
        self.asked = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.asked += [
            value
            for name, value in attributes
            if name in {"src", "href", "style", "srcset"} and value and not value.startswith("./?")
        ]


def is_markup(text):
    """Whether Markdown of a page holds an image or a link elsewhere, or Streamlit's own colours."""
    unescaped = r"(?<!\\)(?:\\\\)*"
    return re.search(rf"{unescaped}(\[[^\]]*\]\(http|<img|:red\[|\$[^$]+\$)", text)


def test_every_page_shows_the_names_as_they_stand(opened, hostile, monkeypatch):  # noqa: F811
    pages = []
    run = AppTest.run

    def kept(self, **named):
        pages.append(self)
        return run(self, **named)

    monkeypatch.setattr(AppTest, "run", kept)
    for page, queries in [*PAGES.items(), ("upload", [{}])]:
        for query in queries:
            words = opened(page, hostile, query)
            assert "quote the number" not in words, (page, query)
            assert page != "overview" or "explained in parts that differ in precision" in words
    texts, html, charts = [], [], []
    for page in pages:
        for element in [*page.main, *page.sidebar]:
            proto = getattr(element, "proto", None)
            kind = getattr(element, "type", "")
            if kind == "html":
                html.append(proto.body)
            elif kind == "plotly_chart":
                charts.append(proto.spec)
            elif kind == "bidi_component":  # ours: its scripts write texts, and the cards' HTML
                html += [card for card in json.loads(proto.json or "null") or [] if "<article" in card]
            elif proto is not None and kind not in PLAIN:
                texts += [(kind, text) for text in strings(proto)]
    assert any("elsewhere" in text for _, text in texts)  # they are shown, as they stand
    assert [one for one in texts if HOST in one[1] and is_markup(one[1])] == []
    assert [asked for one in html for asked in Asking(one).asked if HOST in asked] == []
    assert any(HOST in chart for chart in charts)
    shown = " ".join(charts)
    assert "<img" not in shown
    assert not re.search(r"%\{x\}", shown)


def strings(message):
    """Return every text in a protobuf message."""
    if isinstance(message, str):
        return [message]
    if hasattr(message, "ListFields"):
        return [text for _, value in message.ListFields() for text in strings(value)]
    if isinstance(message, bytes | int | float):
        return []
    return [text for one in message for text in strings(one)]


@pytest.fixture
def made(hostile, made_cohort):
    run = Run.open(hostile)
    return run, open_cohort(made_cohort), run.scores


def test_the_report_is_whole_and_asks_nobody(made, tmp_path):
    run, cohort, _ = made
    write_report(run, cohort, tmp_path / "report")
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert [asked for asked in Asking(html).asked if HOST in asked] == []
    pdf = " ".join(page.extract_text() for page in PdfReader(tmp_path / "report" / "report.pdf").pages)
    assert re.sub(r"\s", "", TITLES[0]) in re.sub(r"\s", "", pdf)


def test_a_long_cell_goes_over_pages():
    from shamsul_core.report.chapter import Table
    from shamsul_core.report.documents import DocumentChapter, as_pdf

    words = " ".join(f"word{number}" for number in range(8000))
    table = Table("long", "Long.", pd.DataFrame({"what": [words]}).set_index("what"))
    pages = PdfReader(io.BytesIO(as_pdf("Title", [], [DocumentChapter("One", (table,))]))).pages
    assert "word7999" in " ".join(page.extract_text() for page in pages)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_figures_of_a_case_are_drawn(made, kind):
    run, cohort, scores = made
    for pathology in PATHOLOGIES.values():
        assert print_comparison(run, cohort, image_id(1), pathology, scores, kind)
    assert PICTURE in numbers_csv(run, cohort, image_id(1), scores)


def test_a_figure_says_the_name_as_it_stands(made):
    run, cohort, scores = made
    pathology = PATHOLOGIES["Edema"]
    file = io.BytesIO(print_comparison(run, cohort, image_id(1), pathology, scores, "pdf"))
    text = re.sub(r"\s", "", PdfReader(file).pages[0].extract_text())
    assert re.sub(r"\s", "", TITLES[0]) in text
    assert re.sub(r"\s", "", pathology) in text


def test_chosen_cases_are_drawn(made):
    run, cohort, scores = made
    cases = in_order(CRITERIA["best"].choose(scores), run.manifest.pathologies)
    assert cases
    title = ", ".join(TITLES)
    assert export._pdf(lambda: export._figures(run, cohort, cases, list(run.manifest.methods), title))
    assert export._pdf(lambda: export._slides(run, cohort, cases[:1]))


def test_dicom_files_are_made(made):
    run, cohort, scores = made
    for pathology in PATHOLOGIES.values():
        files = case_as_dicom(run, cohort, image_id(1), pathology, scores, display=AS_AT_FIRST)
        assert len(files) > 4


def test_the_export_is_made(made, tmp_path):
    run, cohort, _ = made
    maps, _ = export_run(run, cohort, tmp_path / "out")
    assert maps
    assert {path.parent.resolve() for path in (tmp_path / "out").rglob("*.json")} == {tmp_path / "out"}


@pytest.mark.parametrize("path", ["x" * 900, "/dev/null", "/proc/self/fd"])
def test_a_path_that_no_folder_can_have_is_a_sentence(opened, folder, path):  # noqa: F811
    edit(folder, lambda about: about["cohort"].update(path=path))
    edit(folder, lambda about: about["model"].update(source="m" * 900))
    assert "there is no readable cohort" in opened("overview", folder, {})


def test_a_folder_that_is_no_cohort_is_not_listed(opened, folder, tmp_path, caplog):  # noqa: F811
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret-name.txt").touch()
    edit(folder, lambda about: about["cohort"].update(path=str(elsewhere)))
    for page in PAGES:
        words = opened(page, folder, {})
        assert "there is no readable cohort where the run says that it lies" in words
        assert "secret-name" not in words
    assert "secret-name" in caplog.text, "whoever runs the server is told"
