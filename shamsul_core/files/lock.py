"""The lock: a folder is one process's at a time."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from shamsul_core.files.storage import is_remote, reaching, read_bytes, store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEASE_SECONDS = 60.0
"""How long a lock in an object store outlives the last sign of life of the engine that holds it."""


@contextmanager
def locked(folder: Path, work: str, error: type[Exception], *, beside: str | None = None) -> Iterator[None]:
    """Hold a folder for one process at a time, and clear away what a killed one was writing.

    In a folder the lock is the operating system's, on ``.lock``, and goes with the process that holds it. In an object
    store it is a lease, see `_leased`.

    Parameters
    ----------
    work
        What lies in the folder, in a word, for the message.
    error
        What is raised, with a message that its user understands.
    beside
        The beginning of names of files beside the folder that the same process writes; ``None`` where there are none.

    Raises
    ------
    error
        If another process holds it.
    """
    if is_remote(folder):
        with _leased(folder, work, error):
            yield
        return
    try:
        with FileLock(folder / ".lock", blocking=False):
            unfinished = [*folder.rglob(".*.part")]
            if beside is not None:
                unfinished += folder.parent.glob(f".{beside}.*.part")
            for left_by_a_kill in unfinished:
                left_by_a_kill.unlink()
            yield
    except Timeout as timeout:
        message = f"{folder}: another process is working on this {work}; wait for it or give another folder"
        raise error(message) from timeout


@contextmanager
def _leased(folder: Path, work: str, error: type[Exception]) -> Iterator[None]:
    """Hold a folder in an object store: the object ``.lock`` says until when, and is renewed while the engine lives.

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
        except FileExistsError as exists:
            message = (
                f"{folder}: another process is working on this {work}, or was killed less than {LEASE_SECONDS:.0f} s "
                f"ago; wait for it or give another folder"
            )
            raise error(message) from exists
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
