"""What is recorded of a run that was made from others' files."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from shamsul_core.run import Manifest
from shamsul_core.run.provenance import describe_cohort, now, versions
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from shamsul_core.cohort import Cohort


def manifest_of_import(
    origin: Path, paths: Sequence[Path], cohort: Cohort, folder: Path, titles: Mapping[str, str]
) -> Manifest:
    """Return the manifest of a run that was made from others' files.

    Parameters
    ----------
    origin
        The folder or file that was given, by whose name the run says where it came from.
    paths
        The files themselves; the model's fingerprint is that of their names and contents.
    folder
        The run's own folder.
    titles
        Each method's title, by its name in the run.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        # One that cannot be read is told and left out where it is read
        with suppress(OSError):
            digest.update(path.read_bytes())
    model = {
        "source": f"imported from {origin.name}",
        "fingerprint": digest.hexdigest(),
        "is_trained": True,
        "pathologies": list(LOCALISED_PATHOLOGIES),
        "preprocessing": None,
        "precision": None,
    }
    methods = {
        name: {"title": title, "settings": {"imported": origin.name}} for name, title in titles.items()
    }
    return Manifest(
        model=model,
        cohort=describe_cohort(cohort, folder),
        methods=methods,
        pathologies=LOCALISED_PATHOLOGIES,
        preset="imported",
        created=now(),
        versions=versions(),
    )
