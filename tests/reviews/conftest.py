"""Databases for readers' answers: a SQLite file, and a real PostgreSQL where Debian's package is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server of its own, on a socket in its own folder; its address without the database's name."""
    if not _BINARIES:
        pytest.skip("no PostgreSQL here; install Debian's postgresql")
    programs = _BINARIES[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="shamsul-pg-", dir="/tmp"))
    user = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        user = ["runuser", "-u", "postgres", "--"]

    def call(program, *arguments):
        subprocess.run(
            [*user, programs / program, *map(str, arguments)],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    call("initdb", "--pgdata", folder / "data", "--username", "shamsul", "--auth", "trust", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    call(
        "pg_ctl",
        "--pgdata",
        folder / "data",
        "--wait",
        "--silent",
        "--log",
        folder / "log",
        "-o",
        options,
        "start",
    )
    yield f"postgresql+psycopg://shamsul@/{{}}?host={folder}"
    call("pg_ctl", "--pgdata", folder / "data", "--mode", "immediate", "--silent", "stop")
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/folder/reviews.sqlite"
    import psycopg

    address = request.getfixturevalue("postgresql")
    name = f"test_{abs(hash(request.node.name))}"
    plain = address.replace("+psycopg", "")
    with psycopg.connect(plain.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return address.format(name)
