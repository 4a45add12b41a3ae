"""A process that reads one file after the other, in bounded memory and time, and is replaced when it is over.

Decoders are C and C++ and believe what a file claims: of a damaged one some end the process, some never come back, and a
few bytes can ask for gigabytes. Guards that guess at this before decoding were wrong; this one does not guess.

On Linux the process may take `MEMORY_BYTES` over what it starts with and `LONGEST_CPU_S` of the processor for one file, and
it writes no file. Elsewhere only the time on the clock is bounded.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from shamsul_core.version import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMORY_BYTES = 2**30
"""Several times what a radiograph of 40 million pixels and 16 bits takes."""

LONGEST_CPU_S = 12.0
"""A radiograph of 40 million pixels in JPEG 2000 takes half of it on a slow processor."""

LONGEST_S = 60.0
"""Of the clock, for a process that waits for a processor, or for ever."""

LARGEST_FILE = 256 * 2**20
_LARGEST_ANSWER = 512 * 2**20
_MOST_WORDS = 2**20

_COMMAND = [sys.executable, "-m", "shamsul_core.imaging.worker"]
_ENVIRONMENT = {
    **{
        name: os.environ[name]
        for name in ("PATH", "LANG", "SYSTEMROOT", "TMPDIR", "PYTHONPATH")
        if name in os.environ
    },
    # One thread each: their stacks and arenas would count against the bound
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # What a large array took goes back to the system with it
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class StoppedError(RuntimeError):
    """The process was over its bounds, or ended; `reason` is ``"memory"``, ``"time"``, ``"ended"`` or ``"unstartable"``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Reader:
    """Asks processes to read, each one thing at a time, and keeps those that are well for the next.

    Parameters
    ----------
    most
        How many there are at once; who asks when all are busy waits.
    memory_bytes, longest_cpu_s
        What each may take: bytes over what it starts with, and seconds of the processor for one file.
    """

    def __init__(
        self, most: int, *, memory_bytes: int = MEMORY_BYTES, longest_cpu_s: float = LONGEST_CPU_S
    ) -> None:
        self._bounds = str(memory_bytes), str(longest_cpu_s)
        self._most = most
        self._slots = threading.BoundedSemaphore(most)
        self._idle: deque[_Process] = deque()
        self.stopped = 0
        """How many processes were over their bounds, or ended by themselves."""

    def ask(
        self, words: Mapping[str, Any], content: bytes, *, is_private: bool
    ) -> tuple[dict[str, Any], bytearray]:
        """Return what a process answers: what it says, from JSON, and bytes.

        Parameters
        ----------
        words
            What is asked, for JSON, see `shamsul_core.imaging.worker.answer`.
        content
            The file's bytes; empty where the words hold its path.
        is_private
            Whether the process shall end after it, so that nothing of the file stays in its memory; another is started
            at once, that whoever asks next need not wait for it.

        Raises
        ------
        StoppedError
            If it was over its bounds or ended.
        """
        with self._slots:
            process = self._taken()
            try:
                answer, data = process.ask(words, content)
            except StoppedError:
                self.stopped += 1
                process.end()
                raise
            except BaseException:
                process.end()
                raise
            if is_private:
                process.end()
                # Whoever asks next is told
                with suppress(StoppedError):
                    self._idle.append(_Process(self._bounds))
            else:
                self._idle.append(process)
        return answer, data

    def _taken(self) -> _Process:
        """Return a process that lives: an idle one, else a new one."""
        with suppress(IndexError):
            while True:
                process = self._idle.popleft()
                if process.is_alive:
                    return process
                process.end()
        return _Process(self._bounds)

    def warm(self) -> None:
        """Start a process, so that the first who asks need not wait for it."""
        if not self._idle:
            with suppress(StoppedError):
                self._idle.append(_Process(self._bounds))

    def close(self) -> None:
        """End the processes that are not asked at the moment."""
        while self._idle:
            self._idle.pop().end()

    def forget(self) -> None:
        """Let go of processes that belong to another process, after a fork."""
        self._idle.clear()
        self._slots = threading.BoundedSemaphore(self._most)


def sent(file: BinaryIO, words: Mapping[str, Any], content: bytes | memoryview) -> None:
    """Write a message, see `worker`."""
    header = json.dumps(words).encode()
    file.write(struct.pack(">I", len(header)) + header + struct.pack(">Q", len(content)))
    file.write(content)
    file.flush()


def received(file: BinaryIO, most: int) -> tuple[dict[str, Any], bytearray]:
    """Read a message, see `worker`.

    Raises
    ------
    EOFError
        If it ends before its end, or is longer than `most` bytes.
    """
    (length,) = struct.unpack(">I", _exactly(file, 4, 4))
    words = json.loads(bytes(_exactly(file, length, _MOST_WORDS)))
    (length,) = struct.unpack(">Q", _exactly(file, 8, 8))
    return words, _exactly(file, length, most)


def _exactly(file: BinaryIO, length: int, most: int) -> bytearray:
    if length > most:
        raise EOFError
    content = bytearray(length)
    view, at = memoryview(content), 0
    while at < length:
        count = file.readinto(view[at:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        at += count
    return content


class _Process:
    """One process that reads, see `worker`.

    Raises
    ------
    StoppedError
        If it cannot be started.
    """

    def __init__(self, bounds: tuple[str, str]) -> None:
        try:
            self._popen = subprocess.Popen(  # noqa: S603  # nosec B603
                [*_COMMAND, *bounds],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env=_ENVIRONMENT,
            )
        except OSError as error:
            reason = "unstartable"
            raise StoppedError(reason) from error
        self._has_begun = False

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, words: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytearray]:
        """Return what it answers; raise a `StoppedError` if it is over its bounds, or ends."""
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            self._popen.kill()

        watch = threading.Timer(LONGEST_S, end)
        watch.daemon = True
        watch.start()
        try:
            if not self._has_begun:
                received(self._popen.stdout, 0)  # type: ignore[arg-type]
                self._has_begun = True
            sent(self._popen.stdin, words, content)  # type: ignore[arg-type]
            answer, data = received(self._popen.stdout, _LARGEST_ANSWER)  # type: ignore[arg-type]
        except (EOFError, OSError, ValueError, struct.error) as error:
            self._popen.kill()
            if is_late.is_set() or self._popen.wait() == -_SIGXCPU:
                reason = "time"
            else:
                reason = "ended" if self._has_begun else "unstartable"
            raise StoppedError(reason) from error
        finally:
            watch.cancel()
        if "ended" in answer:
            raise StoppedError(str(answer["ended"]))
        return answer, data

    def end(self) -> None:
        """End it, whatever it is at."""
        self._popen.kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._popen.wait()


_SIGXCPU = 24
"""Linux's, macOS's too: more of the processor than allowed."""

READER = Reader(max(1, os.cpu_count() or 1))
"""The one that this process asks: as many processes at once as the machine has cores."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=READER.forget)
