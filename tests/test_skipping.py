"""Tests that look at nothing say so: those of real public data, where it is absent."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent


def run_pytest(folder, *paths):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(folder)])},
        capture_output=True,
        text=True,
    )


def test_how_many_tests_lack_the_real_data_stands_at_the_end(tmp_path):
    """In a checkout with nothing beside it."""
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(TESTS.parent / "pyproject.toml", project)
    names = ("__init__.py", "conftest.py", "made.py", "cohort/test_cohort_sample.py")
    for name in names:
        (project / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TESTS / name, project / "tests" / name)
    done = run_pytest(project, "tests/cohort/test_cohort_sample.py")
    assert done.returncode == 0, done.stdout
    (count,) = re.findall(r"^(\d+) skipped", done.stdout.splitlines()[-1])
    assert int(count) > 3
    assert f"{count} tests were skipped because ../shared/data is not on this machine" in done.stdout


def test_only_one_fixture_knows_where_the_real_data_lies():
    folder = "".join(("/ ", '"shared"'))
    assert [path.name for path in TESTS.rglob("*.py") if folder in path.read_text(encoding="utf-8")] == [
        "conftest.py"
    ]
