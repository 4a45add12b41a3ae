"""The house is as docs/architecture.md draws it: layers in one direction, no circles, nothing heavy where a run is shown."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from shamsul_core.version import ROOT

LISTING = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CORE = re.findall(r"^    ([a-z_]+(?:\.py|/)) ", LISTING, flags=re.M)
FIGURES = ("figures/colours", "figures/scene", "figures/html", "figures/print")


def modules(folder):
    """Return the modules of a folder by their dotted names."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(path, known):
    """Return which of the known modules a file imports, wherever in it, for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in known else str(node.module))
    return found


CORE_MODULES = modules("shamsul_core")
EVERY_IMPORT = {name: imports(path, CORE_MODULES) for name, path in CORE_MODULES.items()}


def layer(name):
    """Return how high a module of the core stands, by the listing; the three kinds of figures follow each other."""
    place = name.removeprefix("shamsul_core.").replace(".", "/")
    top = place.split("/")[0]
    if top not in {entry.strip("/").removesuffix(".py") for entry in CORE}:
        return None  # the package itself and what starts it
    below = next((number for number, kind in enumerate(FIGURES, 1) if place.startswith(kind)), 0)
    return [entry.strip("/").removesuffix(".py") for entry in CORE].index(top), below


def test_the_listing_names_every_folder_and_loose_module():
    there = {
        path.name if path.is_file() else f"{path.name}/"
        for path in (ROOT / "shamsul_core").iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    }
    assert set(CORE) == there - {"__init__.py", "__main__.py"}
    tops = re.findall(r"^([a-z]+)/ |^([a-z]+\.py), ([a-z]+\.py) ", LISTING, flags=re.M)
    assert all((ROOT / name).exists() for names in tops for name in names if name)


@pytest.mark.parametrize("name", CORE_MODULES)
def test_each_layer_uses_only_what_stands_below_it(name):
    own = layer(name)
    if own is None:
        return
    upwards = {
        used
        for used in EVERY_IMPORT[name]
        if used in CORE_MODULES and layer(used) is not None and layer(used) > own
    }
    assert not upwards, f"{name} uses {sorted(upwards)}, which docs/architecture.md puts above it"


def test_no_modules_import_each_other_in_a_circle():
    graph = {
        name: {used for used in found if used in CORE_MODULES and used != name}
        for name, found in EVERY_IMPORT.items()
    }
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_only_the_command_that_starts_the_server_knows_of_streamlit():
    above = {"streamlit", "dashboard", "pages", "app", "main"}
    using = {
        name for name, used in EVERY_IMPORT.items() if any(module.split(".")[0] in above for module in used)
    }
    assert using == {"shamsul_core.cli.serve"}


@pytest.mark.slow
def test_showing_a_run_imports_no_torch():
    """Import every module that pages and server are made of, and what warms up behind the first page."""
    pages = [f"dashboard.{path.stem}" for path in (ROOT / "dashboard").glob("*.py")]
    pages += [f"dashboard.{path.parent.name}" for path in (ROOT / "dashboard").glob("*/__init__.py")]
    asked = {
        name
        for path in ((ROOT / "dashboard").rglob("*.py"), (ROOT / "pages").glob("*.py"))
        for file in path
        for name in imports(file, CORE_MODULES)
        if name in CORE_MODULES
    }
    program = (
        "import importlib, sys\n"
        f"for name in {sorted({*pages, *asked})!r}: importlib.import_module(name)\n"
        "print([name for name in ('torch', 'torchvision', 'captum', 'shap', 'lime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-1:] == ["[]"], done.stderr
