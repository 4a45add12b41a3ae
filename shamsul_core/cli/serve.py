"""``serve``: the dashboard, from any folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.cli.terminal import console
from shamsul_core.files.storage import absolute, place
from shamsul_core.version import SERVER

if TYPE_CHECKING:
    from click import Context


def serve(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Folders of runs, s3://bucket/folder, or a folder that contains runs. Default: the demonstration.",
        ),
    ] = None,
    *,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8501.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Where the server listens. Default: 127.0.0.1, this machine only.")
    ] = None,
    lead: Annotated[
        bool,
        typer.Option(
            "--lead", help="Without sign-in: show everybody's answers and allow cases to be assigned."
        ),
    ] = False,
) -> None:
    """Show runs in the browser. Any other option goes to Streamlit, such as --server.headless true."""
    with console.status("Starting the server"):
        # Streamlit reads the settings beside the script, in .streamlit/config.toml; what is given here goes before them
        given = {"--server.port": port, "--server.address": address}
        options = [word for name, value in given.items() if value is not None for word in (name, str(value))]
        context = _parsed([str(SERVER / "app.py"), *options, *(words or ())])
        runs = [_checked(one) for one in context.params["args"]]
        context.params["args"] = (*(["--run", *runs] if runs else ()), *(["--lead"] if lead else ()))
    with context:
        context.command.invoke(context)


def _parsed(words: list[str]) -> Context:
    """Return the words of ``streamlit run``, which itself tells its options and their values from runs."""
    from click import ClickException
    from streamlit.web.cli import main_run

    try:
        return main_run.make_context("serve", words)
    except ClickException as error:
        message = f"{error.format_message()} See shamsul serve --help, and streamlit run --help."
        raise ValueError(message) from error


def _checked(address: str) -> str:
    """Return a run's address as it is known from any folder.

    Raises
    ------
    RunError, OSError
        If there is no run, or it cannot be reached.
    """
    from shamsul_core.run import Run, find_runs

    if list(find_runs([address]).values()) == [address]:
        Run.open(place(address))
    return absolute(place(address))
