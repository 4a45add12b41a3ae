"""What stands in another process's memory, byte for byte; Linux only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AT_ONCE = 16 * 2**20


def counted(process_id: int, wanted: Mapping[str, bytes]) -> dict[str, int]:
    """Count how often each of some byte strings stands in what a process has mapped for itself and may read."""
    counts = dict.fromkeys(wanted, 0)
    for block in _blocks(process_id, max(len(one) for one in wanted.values())):
        for name, one in wanted.items():
            counts[name] += block.count(one)
    return counts


def _blocks(process_id: int, overlap: int) -> Iterator[bytes]:
    maps = Path(f"/proc/{process_id}/maps").read_text(encoding="utf-8").splitlines()
    with Path(f"/proc/{process_id}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            place, access, *_, name = [*line.split(maxsplit=5), ""][:6]
            start, end = (int(one, 16) for one in place.split("-"))
            # What is mapped from a file and cannot be written is the file, such as torch's libraries
            is_a_file = "w" not in access and name.startswith("/")
            if "r" not in access or name.startswith("[v") or is_a_file:
                continue
            for at in range(start, end, _AT_ONCE):
                try:
                    memory.seek(at)
                    yield memory.read(min(_AT_ONCE + overlap, end - at))
                except (OSError, ValueError, OverflowError):  # unmapped meanwhile, or the kernel's own
                    continue
