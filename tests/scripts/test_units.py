"""The browser's scripts one by one, and put together as Streamlit gets them."""

from __future__ import annotations

import re

import pytest

from dashboard.component import joined
from tests.serving import ROOT

SCRIPTS = sorted((ROOT / "dashboard").rglob("*.js"))
COMPONENTS = [path for path in SCRIPTS if "export default" in path.read_text(encoding="utf-8")]


def test_their_units(node):
    """Everything in `*.test.js` beside this file."""
    tests = sorted(str(path) for path in (ROOT / "tests" / "scripts").glob("*.test.js"))
    count = re.search(r"^# pass (\d+)", node("--test", "--test-reporter=tap", *tests), re.MULTILINE)
    assert count is not None
    assert int(count[1]) > len(tests)


def test_each_imports_what_there_is(node):
    """An import of a name that its neighbour does not export fails as the module is linked."""
    alone = [path for path in SCRIPTS if path.name != "address.js"]  # which listens to the page at once
    imports = "\n".join(f'await import("{path.as_uri()}");' for path in alone)
    node("--input-type=module", "--eval", imports)


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_put_together_they_are_one_module_with_each_name_once(node, path):
    text = joined(path)
    node("--check", "--input-type=module", "-", given=text)
    assert re.findall(r"^import .*|^export .*", text, re.MULTILINE) == [
        line for line in text.splitlines() if line.startswith("export default")
    ]
    assert len(re.findall(r"^export default", text, re.MULTILINE)) == 1


def test_none_gives_another_name_to_what_it_imports():
    """Put together, they share one scope."""
    imports = [
        line for path in SCRIPTS for line in re.findall(r"^import [^;]*;", path.read_text(), re.MULTILINE)
    ]
    assert len(imports) > 30
    assert [line for line in imports if " as " in line or "{" not in line] == []
