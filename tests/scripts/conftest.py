"""Node, in which the browser's scripts run without a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from tests.serving import ROOT

OLDEST = (20, 19)
"""As in package.json."""


def _version(path: str) -> tuple[int, ...]:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in told.strip().removeprefix("v").split("."))


@pytest.fixture(scope="session")
def node():
    """Run node at the project's root and return what it prints; skip where it is not installed, which in CI is a failure."""
    path = shutil.which("node")
    if path is None or _version(path) < OLDEST:
        how = f"node {OLDEST[0]}.{OLDEST[1]} or newer is not installed: the browser's scripts are not tested"
        (pytest.fail if "CI" in os.environ else pytest.skip)(how)

    def run(*arguments: str, given: str = "") -> str:
        done = subprocess.run([path, *arguments], cwd=ROOT, input=given, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def script(node):
    """Evaluate an expression of `given` with what a script exports, there and back as JSON (NaN comes back as None)."""

    def evaluate(imports: str, expression: str, given: Any) -> Any:
        text = f"""{imports}
import {{ readFileSync }} from "node:fs";
const given = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({expression}));"""
        return json.loads(node("--input-type=module", "--eval", text, given=json.dumps(given)))

    return evaluate
