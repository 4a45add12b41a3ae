"""Whatever an address asks for, a page opens nothing outside the run and its cohort, and says so in a sentence."""

from __future__ import annotations

import ast
import shutil
import sys
import tomllib
from pathlib import Path
from urllib.parse import quote

import pytest
from streamlit.testing.v1 import AppTest

from tests.serving import ROOT

pytestmark = pytest.mark.slow

PAGES = sorted((ROOT / "pages").glob("*.py"))
PARAMETERS = (
    *("run", "radiograph", "pathology", "criterion", "first", "second", "method", "threshold"),
    *("part", "show", "u_zeros", "figure", "lesion", "methods", "radiographs", "slice", "search"),
    *("filter_label", "filter_iou", "view", "anything"),
)
_watched: list[str] = []  # an audit hook cannot be taken away again, so it looks here whom to tell


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"open", "os.listdir", "os.scandir", "glob.glob"} and _watched:
        _watched.append(str(arguments[0]))


@pytest.fixture(scope="module", autouse=True)
def _hooked():
    sys.addaudithook(_audit)


@pytest.fixture
def runs(made_run, tmp_path):
    """Two runs that are shown, and one beside them that is not."""
    for name in ("shown/one", "shown/two", "hidden"):
        shutil.copytree(made_run.folder, tmp_path / name)
    return tmp_path


def hostile(secret: Path) -> dict[str, str]:
    """A secret's place as an address may ask for it."""
    relative = "../hidden"
    return {
        "relative": relative,
        "deep": "../" * 12 + str(secret).lstrip("/"),
        "absolute": str(secret),
        "url": secret.as_uri(),
        "encoded": quote(relative, safe=""),
        "twice encoded": quote(quote(str(secret), safe=""), safe=""),
        "backslashes": relative.replace("/", "\\"),
        "file": f"{secret}/manifest.json\0.png",
        "markup": f"`](file://{secret}) <img src=x onerror=alert(1)> **{secret}**",
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_address_leads_out_of_the_runs(page, runs, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app.py", "--run", str(runs / "shown")])
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{runs}/reviews.sqlite")
    for asked in hostile(runs / "hidden").values():
        opened = AppTest.from_file(page, default_timeout=60)
        opened.query_params.update(dict.fromkeys(PARAMETERS, asked))
        _watched[:] = ["begin"]
        opened.run()
        touched, _watched[:] = _watched[1:], []
        assert not opened.exception
        assert any("shown" in path for path in touched)
        assert not [path for path in touched if "hidden" in path]
        warned = [one.value for one in opened.warning if one.value.startswith("The link asks for `")]
        assert warned
        assert all(one.count("`") == 2 for one in warned)  # what was asked for stays between them


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_guard_is_the_first_thing_that_a_page_does(page):
    kinds = (ast.Import, ast.ImportFrom, ast.Assign)
    body = ast.parse(page.read_text(encoding="utf-8")).body
    assert isinstance(body[0], ast.Expr)  # the docstring
    first = next(
        one
        for one in body[1:]
        if not isinstance(one, kinds) or any(isinstance(part, ast.Call) for part in ast.walk(one))
    )
    assert isinstance(first, ast.Assign | ast.Expr)
    assert isinstance(first.value, ast.Call)
    assert isinstance(first.value.func, ast.Name)
    assert first.value.func.id in {"enter", "admit"}


def test_the_server_is_closed_unless_told_otherwise():
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["server"]
    assert server["address"] == "127.0.0.1"
    assert server["enableXsrfProtection"]
    assert server["enableCORS"]
    assert 0 < server["maxUploadSize"] <= 200
    assert not server.get("enableStaticServing")
    assert not server.get("enableAgentApi")
