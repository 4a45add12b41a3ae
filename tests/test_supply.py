"""What is installed: all of it named with its version and its hashes, and asked about; silence is not taken for safety."""

from __future__ import annotations

import json
import re
import runpy
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.serving import ROOT

LOCKS = {"requirements.txt": "requirements.lock", "requirements-dev.txt": "requirements-dev.lock"}
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


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_holds_what_is_asked_for_and_a_hash_of_everything(name):
    entries = locked(LOCKS[name])
    for one in asked(name):
        versions = [str(entry.specifier) for entry, _ in entries[canonicalize_name(one.name)]]
        assert versions == [str(one.specifier)], f"{one.name}: run make lock"
    for versions in entries.values():
        for one, hashes in versions:
            assert re.fullmatch(r"==[^=*]+", str(one.specifier)), one
            assert hashes, one
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest.strip()) for digest in hashes), one


def test_both_locks_agree_and_name_no_host():
    base, dev = map(locked, LOCKS.values())
    assert base.keys() <= dev.keys()
    assert all(
        {str(one.specifier) for one, _ in base[name]} == {str(one.specifier) for one, _ in dev[name]}
        for name in base
    )
    for name in LOCKS.values():
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_what_is_installed_is_installed_by_the_locks():
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {
        line.split(" -r ")[1] for line in made.splitlines() if "pip install" in line and " -r " in line
    } == {*LOCKS.values()}
    assert made.count("--require-hashes -r") == 2


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
