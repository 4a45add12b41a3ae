"""The lock: a run is one engine's at a time."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from shamsul_core.files.storage import is_remote, reaching, read_bytes, store
from shamsul_core.run import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEASE_SECONDS = 60.0
"""How long a lock in an object store outlives the last sign of life of the engine that holds it."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a run for one engine at a time.

    In a folder the lock is the operating system's, on ``.lock``, and goes with the process that holds it. In an object
    store it is a lease, see `_leased`.

    Raises
    ------
    RunError
        If another engine holds it.
    """
    if is_remote(folder):
        with _leased(folder):
            yield
        return
    try:
        with FileLock(folder / ".lock", blocking=False):
            for left_by_a_kill in folder.rglob(".*.part"):
                left_by_a_kill.unlink()
            yield
    except Timeout as error:
        message = f"{folder}: another process is working on this run; wait for it or give another folder"
        raise RunError(message) from error


@contextmanager
def _leased(folder: Path) -> Iterator[None]:
    """Hold a run in an object store: the object ``.lock`` says until when, and is renewed while the engine lives.

    It is created only where there is none, which S3 does in one step. One that has run out, because its engine was
    killed, is removed first. What this promises: a second engine stops while the first lives and its store answers,
    if their clocks agree within a lease; and that an engine which stalled for longer leaves the lease of its successor
    alone. What it does not: two engines that find the same lease run out within the
    same moment may both go on. They then do the same work twice and nothing else, since a radiograph's result does
    not depend on who makes it and every object appears whole.
    """
    path, owner = folder / ".lock", secrets.token_hex(8)
    files, name = store(path)
    with reaching(path):
        if _runs_until(path) < time.time():
            with suppress(FileNotFoundError):
                files.rm_file(name)
        try:
            files.pipe_file(name, _lease(owner), mode="create")
        except FileExistsError as error:
            message = (
                f"{folder}: another process is working on this run, or was killed less than {LEASE_SECONDS:.0f} s "
                f"ago; wait for it or give another folder"
            )
            raise RunError(message) from error
    ended = Event()

    def renew() -> None:
        while not ended.wait(LEASE_SECONDS / 4):
            # A store that does not answer now may do so the next time
            with suppress(OSError), reaching(path):
                if _owner_of(path) == owner:
                    files.pipe_file(name, _lease(owner))

    renewing = Thread(target=renew, daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        with suppress(OSError), reaching(path):
            if _owner_of(path) == owner:
                files.rm_file(name)


def _lease(owner: str) -> bytes:
    return f"{time.time() + LEASE_SECONDS:.0f} {owner}\n".encode()


def _owner_of(path: Path) -> str:
    return read_bytes(path).decode().partition(" ")[2].strip()


def _runs_until(path: Path) -> float:
    """Return when a lease ends, in seconds since 1970; one that cannot be read has ended, without one it is infinite."""
    try:
        return float(read_bytes(path).split()[0])
    except FileNotFoundError:
        return float("inf")
    except (ValueError, IndexError):
        return 0.0
