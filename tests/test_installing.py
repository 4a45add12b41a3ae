"""What is installed: the package from its wheel, the command from any folder, and what `make run` does behind the page."""

from __future__ import annotations

import asyncio
import email
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from benchmarks.load import Session
from shamsul_core.extras import EXTRAS
from shamsul_core.version import VERSION, engine_version, software_version
from tests.serving import ROOT, free_port, started

SCRIPTS = Path(sysconfig.get_path("scripts"))
PACKED = "shamsul_core/_server"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="make runs on Windows in WSL only"),
]


OURS = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
"""Not set where a user is: this project's folder, and that each process compiles all anew."""


def call(*command, folder, **settings):
    """Status and all that a command prints on one line, from a folder, without this project on its path."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment | {"COLUMNS": "200"} | settings,
        capture_output=True,
        text=True,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def succeed(*command, folder, **settings):
    status, said = call(*command, folder=folder, **settings)
    assert status == 0, said
    return said


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A folder that has nothing to do with the project."""
    return tmp_path_factory.mktemp("else where")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    succeed(SCRIPTS / "uv", "build", "--quiet", "--wheel", "--out-dir", folder, ROOT, folder=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def viewing(wheel, tmp_path_factory):
    """The scripts of a fresh environment with the wheel and what it asks for, in the versions of the lock."""
    folder = tmp_path_factory.mktemp("viewing") / "an environment"
    uv = SCRIPTS / "uv"
    succeed(uv, "venv", "--quiet", "--python", sys.executable, folder, folder=ROOT)
    about = ("--python", folder / "bin" / "python", "--constraint", ROOT / "requirements-view.lock")
    succeed(uv, "pip", "install", "--quiet", *about, wheel, folder=folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def explaining(wheel, tmp_path_factory):
    """The scripts of a fresh environment with the wheel alone, which finds everything else among what the tests have."""
    folder = tmp_path_factory.mktemp("explaining") / "an environment"
    uv = SCRIPTS / "uv"
    succeed(uv, "venv", "--quiet", "--python", sys.executable, folder, folder=ROOT)
    python = folder / "bin" / "python"
    succeed(uv, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel, folder=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return folder / "bin"


def test_the_wheel_holds_all_that_runs_and_only_its_own_name(wheel):
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if not name.endswith("/")}
        assert {name.split("/")[0] for name in names} == {"shamsul_core", f"shamsul-{VERSION}.dist-info"}
        settings = tomllib.loads(opened.read(f"{PACKED}/.streamlit/config.toml").decode())
    assert settings["runner"]["fastReruns"] is False
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if kept.returncode:
        pytest.skip("not a checkout")
    top = ("app.py", "main.py", "dashboard/", "pages/", ".streamlit/", "assets/demo/")
    tracked = [name for name in kept.stdout.split("\0") if name and (ROOT / name).exists()]
    expected = {name for name in tracked if name.startswith("shamsul_core/")}
    expected |= {f"{PACKED}/{name}" for name in tracked if name.startswith(top)}
    assert {name for name in names if not name.startswith("shamsul-")} == expected
    assert {"shamsul_core/py.typed", "shamsul_core/report/template.html"} <= expected
    assert "shamsul_core/reviews/migrations/env.py" in expected
    assert wheel.stat().st_size < 80e6, "an index takes 100 MB"


def test_the_metadata_says_whose_it_is_and_what_it_needs(wheel):
    with zipfile.ZipFile(wheel) as opened:
        about = f"shamsul-{VERSION}.dist-info"
        metadata = email.message_from_bytes(opened.read(f"{about}/METADATA"))
        assert b"shamsul = shamsul_core.cli:app" in opened.read(f"{about}/entry_points.txt")
        for name in ("LICENSE", "NOTICE"):
            assert opened.read(f"{about}/licenses/{name}") == (ROOT / name).read_bytes()
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "MIT AND CC-BY-3.0"
    assert metadata.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra")) == set(EXTRAS)
    plain = [one for one in metadata.get_all("Requires-Dist") if "extra ==" not in one]
    assert any(one.startswith("streamlit") for one in plain)
    assert not any(re.match("torch|captum|lime|shap|distributed", one) for one in plain)


def test_the_citation_is_of_this_version_and_of_what_it_rests_on():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert str(cited["version"]) == VERSION
    assert {"message", "title", "authors"} <= cited.keys()
    assert [(one["authors"][0]["family-names"], one["year"]) for one in cited["references"]] == [
        ("Alam", 2023),
        ("Irvin", 2019),
        ("Saporta", 2022),
    ]
    for one in cited["references"]:
        assert {"type", "title", "authors"} <= one.keys()


def test_what_is_installed_is_the_same_software_as_the_checkout(viewing, elsewhere):
    program = (
        "import json, shamsul_core.version as v; from shamsul_core.run.provenance import versions;"
        "print(json.dumps([v.software_version(), v.engine_version(), v.__file__, versions()]))"
    )
    software, engine, file, versions = json.loads(
        succeed(viewing / "python", "-c", program, folder=elsewhere)
    )
    assert software == software_version()
    assert engine == engine_version()
    assert not Path(file).is_relative_to(ROOT)
    assert "numpy" in versions
    assert "torch" not in versions


def test_for_viewing_nothing_heavy_is_installed_and_no_name_that_others_have(viewing, elsewhere):
    names = [*(name for names in EXTRAS.values() for name in names), "dashboard", "pages", "app", "main"]
    program = f"from importlib.util import find_spec; print([one for one in {names} if find_spec(one)])"
    assert succeed(viewing / "python", "-c", program, folder=elsewhere) == "[]"


def test_the_command_is_there_and_names_what_it_can_do(viewing, elsewhere):
    said = succeed(viewing / "shamsul", "--help", folder=elsewhere)
    assert "Usage: shamsul [OPTIONS] COMMAND" in said
    assert all(f" {name} " in said for name in ("serve", "explain", "check", "import-maps", "simulate"))
    assert "--address" in succeed(viewing / "shamsul", "serve", "--help", folder=elsewhere)


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (("explain", "--cohort", "COHORT", "--model", "untrained", "--run", "run"), "explain"),
        (("check", "COHORT", "--model", "untrained"), "explain"),
        (("simulate", "--out", "cohort", "--count", "1"), "simulate"),
        (("serve", "s3://bucket/run"), "s3"),
    ],
)
def test_a_command_whose_extra_is_missing_says_in_one_line_what_mends_it(
    viewing, elsewhere, made_cohort, command, extra
):
    words = [made_cohort if word == "COHORT" else word for word in command]
    status, said = call(viewing / "shamsul", *words, folder=elsewhere)
    assert status == 1
    assert said.endswith(f'not installed here; install with: pip install "shamsul[{extra}]"'), said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("nowhere",), "nowhere: no run here"),
        (("--prot", "80"), "No such option '--prot'"),
        (("--server.port", "many"), "'many' is not a valid integer"),
    ],
)
def test_what_serve_cannot_do_is_one_line(viewing, elsewhere, words, line):
    status, said = call(viewing / "shamsul", "serve", *words, folder=elsewhere)
    assert status == 1
    assert line in said
    assert "Traceback" not in said


async def page_of(address, page):
    """What a page says once it has been sent whole: its widgets, and its words."""
    from websockets.asyncio.client import connect

    class Heard(Session):
        words = ""

        def _note(self, element):
            super()._note(element)
            self.words += str(element)

    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(stream, origin=address, subprotocols=["streamlit"], max_size=None) as socket:
        session = Heard(socket, page)
        await session.send()
        return {one[:2] for one in session.widgets}, session.words


def fetched(address):
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - an address of this machine
        return answer.status, answer.read()


def test_a_run_is_served_from_any_folder_with_the_projects_own_settings(viewing, elsewhere, monkeypatch):
    """Without torch, by an address relative to that folder, whose own settings of Streamlit do not count."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    (elsewhere / "my run").symlink_to(ROOT / "assets" / "demo" / "run")
    (elsewhere / ".streamlit").mkdir()
    own = '[server]\naddress = "0.0.0.0"\n[client]\nallowedOrigins = ["https://elsewhere.example"]\n'
    (elsewhere / ".streamlit" / "config.toml").write_text(own, encoding="utf-8")
    (elsewhere / "dashboard.py").write_text("raise SystemExit('not the dashboard')", encoding="utf-8")
    port, log = free_port(), elsewhere / "log.txt"
    address = f"http://127.0.0.1:{port}"
    command = [str(viewing / "shamsul"), "serve", "my run", "--port", str(port), "--server.headless", "true"]
    with started(command, f"{address}/_stcore/health", folder=elsewhere, log=log):
        assert fetched(address)[0] == 200
        assert json.loads(fetched(f"{address}/_stcore/host-config")[1])["allowedOrigins"] == []
        widgets, _ = asyncio.run(page_of(address, ""))
        assert ("bidi_component", "shamsul_viewer") in widgets
        _, words = asyncio.run(page_of(address, "upload"))
    assert "This server only shows finished runs" in words
    assert 'pip install \\"shamsul[explain]\\"' in words
    assert f"URL: {address}" in log.read_text(encoding="utf-8"), "127.0.0.1, as in the project's settings"


def test_with_the_extra_everything_that_it_asks_for_is_there_and_explains(explaining, elsewhere, made_cohort):
    program = (
        "from importlib.metadata import requires, version; from packaging.requirements import Requirement\n"
        "for one in map(Requirement, requires('shamsul')):\n"
        "    if one.marker is None or one.marker.evaluate({'extra': 'explain'}):\n"
        "        assert one.specifier.contains(version(one.name)), one\n"
        "        print(one.name)"
    )
    names = succeed(explaining / "python", "-c", program, folder=elsewhere).split()
    assert {"torch", "torchvision", "captum", "streamlit"} <= set(names)
    about = ("--cohort", made_cohort, "--model", "untrained", "--run", "explained", "--limit", "1")
    one = ("--method", "gradcam", "--pathology", "Edema")
    said = succeed(explaining / "shamsul", "explain", *about, *one, folder=elsewhere)
    assert "explained: 1 radiographs explained, 0 before, 0 unreadable" in said
    manifest = json.loads((elsewhere / "explained" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["versions"]["torch"]


# What `make run` does: a shell's script stands for make, and a module for the server


@pytest.fixture
def checkout(tmp_path):
    """A folder with a space in its name, and what is asked of make in it."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / ".make", folder / ".make")
    (folder / ".venv").mkdir()
    server = "import time\nprint('serving', flush=True)\ntime.sleep(60)\n"
    (folder / "shamsul_core").mkdir()
    (folder / "shamsul_core" / "__main__.py").write_text(server, encoding="utf-8")
    make = folder / "make"
    make.write_text(
        '#!/bin/sh\n[ "$1" = --question ] && exit 1\necho installing\n. ./installs\n', encoding="utf-8"
    )
    make.chmod(0o755)
    return folder


@contextmanager
def running(folder, installs):
    """`make run` in a folder where installing is a shell's commands; ended by Ctrl-C."""
    (folder / "installs").write_text(installs, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, ".make/serve.py", str(folder / "make")],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(20)
        process.stdout.close()


def wait_for(is_so):
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("end", "state", "line"),
    [
        ("exit 0", None, "== Upload can be used now"),
        ("exit 2", "failed", "== What Upload needs could not be installed; .venv/upload.log says why"),
    ],
)
def test_what_upload_needs_is_installed_behind_the_page(checkout, end, state, line):
    file = checkout / ".venv" / ".installing"
    with running(checkout, f"until [ -e go ]; do sleep 0.05; done\n{end}\n") as process:
        lines = [process.stdout.readline() for _ in range(2)]
        assert "serving\n" in lines
        assert any("What Upload needs is being installed" in one for one in lines)
        assert file.read_text(encoding="utf-8") == "installing"
        (checkout / "go").touch()
        assert process.stdout.readline().startswith(line)
        assert (file.read_text(encoding="utf-8") if file.exists() else None) == state
    assert (checkout / ".venv" / "upload.log").read_text(encoding="utf-8") == "installing\n"


def test_ctrl_c_ends_the_installation_too_and_lets_it_clean_up(checkout):
    installs = "trap 'echo cleaned > cleaned; exit 1' INT\necho $$ > pid\nwhile :; do sleep 0.05; done\n"
    with running(checkout, installs) as process:
        wait_for((checkout / "pid").exists)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
        said = process.stdout.read()
    assert "make run goes on with it" in said
    assert "could not be installed" not in said
    assert (checkout / "cleaned").exists()
    pid = int((checkout / "pid").read_text(encoding="utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_an_interrupted_pip_left_half_unpacked_is_not_taken_for_installed(tmp_path):
    folder = tmp_path / "an environment"
    succeed(SCRIPTS / "uv", "venv", "--quiet", "--seed", "--python", sys.executable, folder, folder=tmp_path)
    (packages,) = folder.glob("lib/python*/site-packages")
    half, whole = packages / "half-1.0.dist-info", packages / "whole-1.0.dist-info"
    for about in (half, whole):
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about.name[:4]}\nVersion: 1.0\n")
    (whole / "INSTALLER").write_text("pip\n", encoding="utf-8")
    listed = succeed(folder / "bin" / "python", ROOT / ".make" / "pip.py", "list", folder=tmp_path)
    assert "whol" in listed
    assert "half" not in listed
    assert not half.exists()
