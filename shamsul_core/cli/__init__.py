"""The command line: ``shamsul COMMAND``, in a checkout ``python -m shamsul_core COMMAND``; one file a command.

Each command ends with what it wrote and what failed, and exits non-zero where nothing could be done. What is wrong
with its input is one line, never a traceback, nor is an error that nobody foresaw. Heavy libraries are imported by the command that needs them.
"""

from __future__ import annotations

import typer

from shamsul_core.cli.check import check
from shamsul_core.cli.explain import explain
from shamsul_core.cli.export import export
from shamsul_core.cli.export_dicom import export_dicom
from shamsul_core.cli.import_maps import import_maps
from shamsul_core.cli.novelty import novelty
from shamsul_core.cli.proof import proof
from shamsul_core.cli.report import report
from shamsul_core.cli.score import score
from shamsul_core.cli.serve import serve
from shamsul_core.cli.shortcut import shortcut
from shamsul_core.cli.simulate import simulate
from shamsul_core.cli.train import train
from shamsul_core.cli.tune import tune
from shamsul_core.cli.unforeseen import guarded

app = typer.Typer(
    name="shamsul",
    help="Explain a chest X-ray classifier with four methods and compare them with what experts marked. For research, not for diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    train,
    novelty,
    check,
    explain,
    score,
    tune,
    proof,
    report,
    import_maps,
    export,
    export_dicom,
    simulate,
    shortcut,
):
    app.command(command.__name__.replace("_", "-"))(guarded(command))
# Others' options are Streamlit's
app.command("serve", context_settings={"ignore_unknown_options": True})(guarded(serve))
