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
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

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
_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {
    **{
        name: os.environ[name]
        for name in ("PATH", "LANG", "SYSTEMROOT", "TMPDIR", "PYTHONPATH")
        if name in os.environ
    },
    # One thread each: their stacks and arenas would count against the bound
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_MMAP_THRESHOLD_": "65536",  # what a large array took goes back to the system with it
    "PYTHONDONTWRITEBYTECODE": "1",
}


class StoppedError(RuntimeError):
    """The process was over its bounds, or ended; `reason` is ``"memory"``, ``"time"`` or ``"ended"``."""

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
        What each may take: over what it starts with, and of the processor for one file.
    """

    def __init__(
        self, most: int, *, memory_bytes: int = MEMORY_BYTES, longest_cpu_s: float = LONGEST_CPU_S
    ) -> None:
        self._bounds = str(memory_bytes), str(longest_cpu_s)
        self._most = most
        self._slots = threading.BoundedSemaphore(most)
        self._idle: deque[subprocess.Popen[bytes]] = deque()
        self.stopped = 0
        """How many processes were over their bounds, or ended by themselves."""

    def ask(
        self, words: Mapping[str, Any], content: bytes, *, is_private: bool
    ) -> tuple[dict[str, Any], bytearray]:
        """Return what a process answers.

        Parameters
        ----------
        is_private
            Whether the process shall end after it, so that nothing of the file stays in its memory; another is started
            at once, that whoever asks next need not wait for it.

        Raises
        ------
        StoppedError
            If it was over its bounds or ended.
        """
        with self._slots:
            process = self._idle.popleft() if self._idle else self._started()
            try:
                answer, found = _asked(process, words, content)
            except StoppedError:
                self.stopped += 1
                _end(process)
                raise
            except BaseException:
                _end(process)
                raise
            if "ended" in answer:
                self.stopped += 1
                _end(process)
                raise StoppedError(str(answer["ended"]))
            if is_private:
                _end(process)
                process = self._started()
            self._idle.append(process)
        return answer, found

    def warm(self) -> None:
        """Start a process, so that the first who asks need not wait for it."""
        if not self._idle:
            self._idle.append(self._started())

    def close(self) -> None:
        """End the processes that are not asked at the moment."""
        while self._idle:
            _end(self._idle.pop())

    def forget(self) -> None:
        """Let go of processes that belong to another process, after a fork."""
        self._idle.clear()
        self._slots = threading.BoundedSemaphore(self._most)

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # nosec B603
            [*_COMMAND, *self._bounds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=_ENVIRONMENT,
        )


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


def _asked(
    process: subprocess.Popen[bytes], words: Mapping[str, Any], content: bytes
) -> tuple[dict[str, Any], bytearray]:
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        process.kill()

    watch = threading.Timer(LONGEST_S, end)
    watch.daemon = True
    watch.start()
    try:
        sent(process.stdin, words, content)  # type: ignore[arg-type]
        return received(process.stdout, _LARGEST_ANSWER)  # type: ignore[arg-type]
    except (EOFError, OSError, ValueError, struct.error) as error:
        process.kill()
        status = process.wait()
        is_over = is_late.is_set() or status == -_SIGXCPU
        raise StoppedError("time" if is_over else "ended") from error
    finally:
        watch.cancel()


_SIGXCPU = 24
"""Linux's, macOS's too: more of the processor than allowed."""


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    process.wait()


READER = Reader(max(1, os.cpu_count() or 1))
"""This process's own."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=READER.forget)
