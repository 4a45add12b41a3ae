"""What `check` counts as usable."""

from __future__ import annotations

from typer.testing import CliRunner

from shamsul_core.cli import app


def test_a_radiograph_that_something_is_to_be_said_of_is_used_all_the_same(public_samples, tmp_path):
    result = CliRunner().invoke(
        app, ["check", str(public_samples / "siim"), "--out", str(tmp_path / "problems.txt")]
    )
    said = " ".join(result.output.split())
    assert "does not record its orientation" in said
    assert "1 of 1 radiographs can be used" in said
    assert result.exit_code == 0
