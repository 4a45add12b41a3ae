"""Which version of the project this is."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

VERSION = "0.1.0"
"""As in pyproject.toml."""

ROOT = Path(__file__).parents[1]
"""Where processes of ours are started: wherever the server was, they find this package."""

_PACKED = Path(__file__).with_name("_server")
SERVER = _PACKED if _PACKED.is_dir() else ROOT
"""Where the dashboard lies: in an installed package inside it, so that its `dashboard` and `pages` are in nobody's way."""

_SOURCES = ("shamsul_core", "dashboard", "pages")
_ENGINE = ("shamsul_core/classifier", "shamsul_core/explain", "shamsul_core/imaging")
"""What decides about probabilities and heatmaps, which a run keeps; masks and scores can be made again."""


@cache
def software_version() -> str:
    """Return the version with a fingerprint of the sources, which tells two states of one version apart.

    It is a local version as PEP 440 has it: ``0.1.0+1f0c6a7d3e2b``.
    """
    return f"{VERSION}+{_fingerprint(_SOURCES)}"


@cache
def engine_version() -> str:
    """Return a fingerprint of the sources that decide about probabilities and heatmaps."""
    return _fingerprint(_ENGINE)


def _fingerprint(folders: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        root = ROOT if folder.startswith("shamsul_core") else SERVER
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".js", ".css"} and (root == SERVER or SERVER not in path.parents):
                digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
