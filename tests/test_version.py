"""The version that answers are stored with."""

import tomllib

from shamsul_core.version import VERSION, software_version
from tests.serving import ROOT


def test_the_version_is_the_projects_and_tells_its_sources():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
    version, fingerprint = software_version().split("+")
    assert version == VERSION
    assert len(bytes.fromhex(fingerprint)) == 6
