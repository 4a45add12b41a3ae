"""What is installed: all of it named with its version and its hashes, and asked about; silence is not taken for safety."""

from __future__ import annotations

import json
import re
import runpy
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shamsul_core.extras import EXTRAS
from tests.serving import ROOT

LOCKS = {"requirements.txt": "requirements.lock", "requirements-dev.txt": "requirements-dev.lock"}
VIEW = "requirements-view.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
audit = runpy.run_path(str(ROOT / ".ci" / "audit.py"))["audit"]


def asked(name):
    """The requirements of a file and of those that it includes."""
    found = []
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        words = line.partition(" #")[0].strip()
        if words.startswith("-r "):
            found += asked(words.removeprefix("-r "))
        elif words and not words.startswith("#"):
            found.append(Requirement(words))
    return found


def locked(name):
    """The entries of a lock, each with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        words, *hashes = line.split("--hash=")
        one = Requirement(words)
        entries.setdefault(canonicalize_name(one.name), []).append((one, hashes))
    return entries


def of_extras(*extras):
    """The package's requirements, or those of extras without the extras that they include."""
    lines = PROJECT["dependencies"] if not extras else []
    lines = lines + [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    found = {canonicalize_name(one.name): one for one in map(Requirement, lines)}
    return {name: one for name, one in found.items() if name != PROJECT["name"]}


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_holds_what_is_asked_for(name):
    entries = locked(LOCKS[name])
    for one in asked(name):
        versions = [str(entry.specifier) for entry, _ in entries[canonicalize_name(one.name)]]
        assert versions == [str(one.specifier)], f"{one.name}: run make lock"


def test_what_was_tested_is_what_the_package_asks_for():
    """Each range of pyproject.toml holds the version in requirements.txt, which names nothing else."""
    ranges = of_extras() | of_extras("explain")
    tested = {canonicalize_name(one.name): one for one in asked("requirements.txt")}
    assert tested.keys() == ranges.keys()
    ranges |= of_extras("train", "simulate", "s3")
    tested |= {canonicalize_name(one.name): one for one in asked("requirements-dev.txt")}
    for name, one in ranges.items():
        (version,) = tested[name].specifier
        assert version.operator == "=="
        assert one.specifier.contains(version.version), name
        assert one.extras == tested[name].extras, name


def test_each_extra_brings_the_modules_that_are_asked_for_by_it():
    brought_by = packages_distributions()
    for extra, modules in EXTRAS.items():
        names = {canonicalize_name(one) for module in modules for one in brought_by[module]}
        asked_for = of_extras(extra).keys()
        assert asked_for - {"threadpoolctl"} <= names, "which scikit-learn brings anyway"
        assert names - {"dask"} <= asked_for, "which distributed brings"


@pytest.mark.parametrize("name", [*LOCKS.values(), VIEW])
def test_a_lock_has_a_hash_of_everything_and_names_no_host(name):
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")
    for versions in locked(name).values():
        for one, hashes in versions:
            assert re.fullmatch(r"==[^=*]+", str(one.specifier)), one
            assert hashes, one
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest.strip()) for digest in hashes), one


def test_the_locks_agree():
    view, base, dev = map(locked, [VIEW, *LOCKS.values()])
    for less, more in ((view, base), (base, dev)):
        for name, entries in less.items():
            versions = {str(one.specifier) for one, _ in entries}
            assert versions == {str(one.specifier) for one, _ in more[name]}, name


def test_viewing_needs_no_torch():
    view = locked(VIEW)
    assert of_extras().keys() <= view.keys()
    assert not {"torch", "torchvision", "captum", "lime", "shap", "distributed", "h5py"} & view.keys()


def test_what_is_installed_is_installed_by_the_locks():
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"\$\(INSTALL\) (.*)", made) == [f"-r {lock}" for lock in (VIEW, *LOCKS.values())]
    (install,) = re.findall(r"^INSTALL = (.*)", made, re.MULTILINE)
    assert install.startswith("$(BIN)/python .make/pip.py install")
    assert install.endswith("--require-hashes")
    assert "pip install" not in made


FLAW = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
CLEAN = {"name": "numpy", "version": "2", "vulns": []}
SKIPPED = {"name": "torch", "skip_reason": "not found"}


@pytest.fixture
def pip_audit(tmp_path, monkeypatch):
    """Let a program of ours stand for pip-audit, beside this Python."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    def stand(said, *, status=0):
        program = tmp_path / "pip-audit"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\necho 'no route' >&2\nexit {status}\n")
        program.chmod(0o755)

    return stand


@pytest.mark.skipif(sys.platform == "win32", reason="stands a shell's script in for a program")
@pytest.mark.parametrize(
    ("packages", "status", "last"),
    [
        ([CLEAN], 0, "1 of 1 packages audited, 0 known vulnerabilities"),
        ([CLEAN, SKIPPED], 0, "WARNING: 1 packages could not be audited: torch"),
        (
            [SKIPPED] * 9,
            0,
            "WARNING: 9 packages could not be audited: torch, torch, torch, torch, torch and 4 more",
        ),
        ([], 0, "WARNING: 0 packages could not be audited: the locks name none"),
        ([CLEAN | {"vulns": [FLAW]}], 1, "1 of 1 packages audited, 1 known vulnerabilities"),
        ([CLEAN | {"vulns": [FLAW]}, SKIPPED], 1, "WARNING: 1 packages could not be audited: torch"),
    ],
)
def test_a_vulnerability_fails_and_what_was_not_asked_about_is_said_last(
    pip_audit, capsys, packages, status, last
):
    pip_audit(json.dumps({"dependencies": packages, "fixes": []}), status=status)
    assert audit(["requirements.lock"]) == status
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == last
    assert ("numpy 2: PYSEC-1, mended in 2.0" in said) == bool(status)


@pytest.mark.skipif(sys.platform == "win32", reason="stands a shell's script in for a program")
def test_an_audit_that_reached_nobody_is_a_warning(pip_audit, capsys):
    pip_audit("", status=1)
    assert audit(["requirements.lock"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["WARNING: nothing was audited for known vulnerabilities: no route"]
