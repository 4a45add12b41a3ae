"""What a command says of an error: its own sentence where somebody wrote one for the reader, else where to report it."""

from __future__ import annotations

import inspect
import traceback
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shamsul_core.cli.terminal import fail
from shamsul_core.extras import extra_of, lack_in_words

if TYPE_CHECKING:
    from collections.abc import Callable

_PROJECT = Path(__file__).parents[1]
_DEBUG = inspect.Parameter(
    "debug",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--debug", help="Show where an unexpected error arose.")],
)


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that ends with one line and exit status 1 on any error, and that takes ``--debug``."""

    @wraps(command)
    def run(*arguments: Any, debug: bool = False, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:  # the guard is for whatever nobody foresaw
            extra = extra_of(error.name or "") if isinstance(error, ModuleNotFoundError) else None
            is_foreseen = extra is not None or _is_foreseen(error)
            if not is_foreseen and debug:
                fail(traceback.format_exc())
            fail(lack_in_words(extra) if extra else str(error) if is_foreseen else _in_words(error))
            raise typer.Exit(1) from error

    signature = inspect.signature(command, eval_str=True)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), _DEBUG])  # type: ignore[attr-defined]
    run.__annotations__ = {**run.__annotations__, _DEBUG.name: _DEBUG.annotation}
    return run


def _is_foreseen(error: Exception) -> bool:
    """Return whether an error's message was written for whoever called: by us, or by the system about a file."""
    if isinstance(error, OSError):
        return True
    return isinstance(error, ValueError) and (
        type(error).__module__.startswith("shamsul_core.") or _is_raised_here(error)
    )


def _is_raised_here(error: Exception) -> bool:
    """Return whether a ``raise`` of ours made an error, and not a library that we called."""
    *_, innermost = traceback.extract_tb(error.__traceback__)
    return (
        Path(innermost.filename).is_relative_to(_PROJECT)
        and innermost.line is not None
        and innermost.line.startswith("raise ")
    )


def _in_words(error: Exception) -> str:
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"Something unexpected went wrong ({what}). Please report it to those who gave you SHAMSUL, with what the "
        "same command prints with --debug."
    )
