"""The shelf: what readers brought, each reader's under a token of their own, erased when they have been gone for long."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_S = 15 * 60.0
"""How long after a reader's last sign of life what they brought is kept."""

MOST = 5
"""How many a reader has at a time in one tab."""

MOST_OF_A_READER = 10
"""How many in all tabs, where readers sign in."""

MOST_IN_ALL = 150
"""How many all readers have at a time: a few gigabytes, and hours of waiting."""

T = TypeVar("T")

_log = logging.getLogger("shamsul")


@dataclass
class _Place(Generic[T]):
    owner: str | None
    seen: float
    items: list[T] = field(default_factory=list)


class Shelf(Generic[T]):
    """Keeps what readers brought, independent of the page, the session and the browser that show it.

    Parameters
    ----------
    erase
        Called with each thing that leaves the shelf, so that nothing of it stays in memory.
    clock
        Seconds from anywhere, which never run backwards.
    """

    def __init__(self, erase: Callable[[T], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._erase = erase
        self._clock = clock
        self._places: dict[str, _Place[T]] = {}
        self._lock = threading.Lock()

    def open(self, owner: str | None) -> str:
        """Make a place and return its token, which nobody can guess; only `owner` gets at it, where readers sign in."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._places[token] = _Place(owner, self._clock())
        return token

    def touch(self, token: str, owner: str | None) -> bool:
        """Note a sign of life; return whether there is such a place of this owner's."""
        with self._lock:
            place = self._places.get(token)
            if place is None or place.owner != owner or self._is_due(place):
                return False
            place.seen = self._clock()
            return True

    def items(self, token: str) -> tuple[T, ...]:
        """Return what lies in a place, in the order in which it came; empty where there is no such place."""
        with self._lock:
            place = self._places.get(token)
            return () if place is None else tuple(place.items)

    def put(self, token: str, item: T) -> bool:
        """Add a thing; return whether there was room for it."""
        with self._lock:
            place = self._places.get(token)
            if place is None or self._why_full(place, place.owner):
                return False
            place.items.append(item)
            return True

    def why_full(self, token: str | None, owner: str | None) -> str:
        """Return why there is no room for one more, a sentence for its reader; empty where there is room."""
        with self._lock:
            return self._why_full(self._places.get(token or ""), owner)

    def _why_full(self, place: _Place[T] | None, owner: str | None) -> str:
        if place is not None and len(place.items) >= MOST:
            return f"Up to {MOST} radiographs can be kept at a time. Remove one before adding another."
        counts = [(place.owner, len(place.items)) for place in self._places.values()]
        if owner is not None and sum(count for of, count in counts if of == owner) >= MOST_OF_A_READER:
            return (
                f"You have {MOST_OF_A_READER} radiographs in all your tabs. Remove one, or close a tab and wait a quarter "
                "of an hour."
            )
        if sum(count for _, count in counts) >= MOST_IN_ALL:
            return "Too many radiographs are on this server. Try again in a few minutes."
        return ""

    def remove(self, token: str, item: T) -> None:
        """Erase a thing at once; nothing happens where it is gone already."""
        with self._lock:
            place = self._places.get(token)
            if place is None or item not in place.items:
                return
            place.items.remove(item)
        self._erase(item)

    def sweep(self) -> None:
        """Erase whatever belongs to readers who gave no sign of life for `KEPT_S`."""
        with self._lock:
            due = [token for token, place in self._places.items() if self._is_due(place)]
            items = [item for token in due for item in self._places.pop(token).items]
        with ExitStack() as erasing:  # one that cannot be erased keeps no other
            for item in items:
                erasing.callback(self._erase, item)

    def sweep_for_ever(self, every_s: float = 10.0, also: Callable[[], None] = lambda: None) -> None:
        """Begin to sweep in a thread of its own, whether or not any page is open; what fails is tried again.

        Parameters
        ----------
        also
            What else is to be cleared away each time.
        """

        def sweeping() -> None:
            while not threading.Event().wait(every_s):
                try:
                    self.sweep()
                    also()
                except Exception:  # noqa: BLE001 - whatever it is, the next is swept
                    _log.exception("What readers left could not be cleared away")

        threading.Thread(target=sweeping, name="shelf", daemon=True).start()

    def _is_due(self, place: _Place[T]) -> bool:
        return self._clock() - place.seen > KEPT_S
