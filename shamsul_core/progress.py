"""How work that takes long says how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

OnStep: TypeAlias = Callable[[str], None]
"""Called after each step with what was done, such as a radiograph's id."""


def say_nothing(_: str) -> None:
    """Tell nobody of the steps."""
