"""What a vision-language model is asked: for each observation a prompt that says it is there, and one that says it is not.

A TOML file, one table an observation::

    [Cardiomegaly]
    positive = "an enlarged heart"
    negative = "a heart of normal size"

Several prompts in a list are averaged, as CheXzero and others do (Tiu et al., Nature Biomedical Engineering 2022).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from shamsul_core.classifier.errors import ModelError
from shamsul_core.messages import quoted

_MOST_BYTES = 2**20
_EXAMPLE = '[Cardiomegaly] positive = "an enlarged heart" negative = "a heart of normal size"'


@dataclass(frozen=True)
class Prompts:
    """The prompts for one observation, each at least one."""

    observation: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


def read_prompts(file: str | None, model: str) -> tuple[Prompts, ...]:
    """Read a file of prompts, in its order.

    Parameters
    ----------
    file
        ``None`` where nobody named one.
    model
        For the message.

    Raises
    ------
    ModelError
        If there is none, or it is not as described above.
    """
    if file is None:
        message = (
            f"{model}: a vision-language model has to be asked; give --prompts FILE.toml, with {_EXAMPLE}"
        )
        raise ModelError(message)
    try:
        path = Path(file)
        if path.stat().st_size > _MOST_BYTES:
            message = f"it is larger than {_MOST_BYTES:,} bytes"
            raise ValueError(message)
        stored = tomllib.loads(path.read_text(encoding="utf-8"))
        if not stored:
            message = "it is empty"
            raise ValueError(message)
        return tuple(
            Prompts(name, _texts(name, entry, "positive"), _texts(name, entry, "negative"))
            for name, entry in stored.items()
        )
    except (OSError, ValueError, RecursionError) as error:
        message = f"{file}: not a file of prompts ({error}); it has {_EXAMPLE}"
        raise ModelError(message) from error


def _texts(name: str, entry: object, side: str) -> tuple[str, ...]:
    stored = entry.get(side) if isinstance(entry, dict) else None
    texts = (stored,) if isinstance(stored, str) else tuple(stored) if isinstance(stored, list) else ()
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        message = f"{quoted(name)} has no {side} prompt"
        raise ValueError(message)
    return texts
