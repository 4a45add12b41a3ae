"""The browser draws in the colours of the one table."""

from __future__ import annotations

import re

import pytest

from shamsul_core.figures import colours
from shamsul_core.version import ROOT

CSS = (ROOT / "dashboard" / "viewer" / "viewer.css").read_text(encoding="utf-8")
VARIABLES = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", CSS))
LAYERS = (ROOT / "dashboard" / "viewer" / "layers.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("text", "TEXT"),
        ("muted", "MUTED"),
        ("line", "LINE"),
        ("accent", "LINK"),
        ("expert", "EXPERT"),
        ("mask", "MASK"),
    ],
)
def test_the_viewers_variables_are_the_tables(variable, name):
    assert VARIABLES[variable] == getattr(colours, name)


def test_lines_over_a_radiograph_have_the_same_colours_in_browser_and_files():
    drawn = dict(re.findall(r'const (\w+)_LINE = \{ colour: "(#[0-9a-f]{6})"', LAYERS))
    named = {
        "EXPERT": colours.EXPERT,
        "MASK": colours.MASK,
        "SPECKLE": colours.MASK,
        "CHANGED": colours.CHANGED,
    }
    assert drawn == named
