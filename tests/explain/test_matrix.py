from __future__ import annotations

import pytest

from tests.explain.matrix import BEGIN, END, NETWORKS, PAGE, as_markdown, cells

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_each_method_answers_as_the_documentation_says(name, page):
    """Each is held against a library or an axiom on the way, or refuses in a line."""
    made = as_markdown({name: cells(name)}).splitlines()
    there = page.splitlines()
    column = there[0].split(" | ").index(name) if name in there[0].split(" | ") else len(NETWORKS)
    for ours, theirs in zip(made[2:], there[2:], strict=False):
        if not ours.startswith("|"):
            break
        title, answer = (part.strip() for part in ours.strip("| ").split(" | "))
        parts = [part.strip() for part in theirs.strip("| ").split(" | ")]
        assert (parts[0], parts[column]) == (title, answer)
    assert {line for line in made if line.startswith("- ")} <= set(there), (
        "write the table anew with: python -m tests.explain.matrix"
    )
