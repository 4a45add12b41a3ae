"""What the deployment promises of memory: no core dump, no swap, and limits, in the unit, the container and the process."""

from __future__ import annotations

import re
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.serving import ROOT, served

pytestmark = pytest.mark.slow


def test_the_unit_forbids_core_dumps_and_swap_and_limits_memory_and_descriptors():
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str
    unit.read(ROOT / "deploy" / "shamsul.service", encoding="utf-8")
    service = unit["Service"]
    assert service["LimitCORE"] == "0"
    assert service["MemorySwapMax"] == "0"
    assert re.fullmatch(r"\d+G", service["MemoryMax"])
    assert 1024 < int(service["LimitNOFILE"]) <= 65536


def test_so_does_the_container_as_it_is_said_to_be_run():
    (command,) = re.findall(r"docker run (?:.*\\\n)*.*", (ROOT / "docs" / "deploying.md").read_text("utf-8"))
    options = dict(re.findall(r"--(memory|memory-swap) (\S+)", command))
    assert options["memory"] == options["memory-swap"]
    assert re.findall(r"--ulimit (\S+)", command) == ["core=0", "nofile=8192:8192"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits are read as Linux shows them")
def test_a_server_leaves_no_core_dump(made_run):
    with served(made_run.folder) as server:
        limits = Path(f"/proc/{server.process_id}/limits").read_text(encoding="utf-8")
    assert re.search(r"Max core file size +0 +0 ", limits)
