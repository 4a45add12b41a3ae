"""``export-dicom``: a case as DICOM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shamsul_core.cli.options import RunFolder
from shamsul_core.cli.terminal import console, say


def export_dicom(
    run: RunFolder,
    radiograph: Annotated[
        str, typer.Option(help="Radiograph id, such as patient60001_study1_view1_frontal.")
    ],
    pathology: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    source: Annotated[
        Path | None,
        typer.Option(
            help="The DICOM image from which the radiograph was read; the files are added to its study."
        ),
    ] = None,
) -> None:
    """Write a case's overlays as DICOM Secondary Captures and its masks as DICOM SEG."""
    with console.status("Drawing"):
        from shamsul_core.run import Run
        from shamsul_core.run.cohort import cohort_of

        opened = Run.open(run)
        if radiograph not in opened.explained_ids():
            message = f"{run}: radiograph {radiograph!r} is not explained in this run"
            raise ValueError(message)
        if pathology not in opened.manifest.pathologies:
            message = f"{run}: no pathology {pathology!r}; it has {', '.join(opened.manifest.pathologies)}"
            raise ValueError(message)
        cohort = cohort_of(opened)
        import pydicom

        from shamsul_core.files.atomic import write_atomically
        from shamsul_core.imaging import ImageError, read_geometry
        from shamsul_core.interchange.dicom import case_as_dicom

        image = None
        if source is not None:
            try:
                # Parses it in bounded memory and time, which pydicom alone does not keep to
                read_geometry(source)
                image = pydicom.dcmread(source)
            except (ImageError, OSError, pydicom.errors.InvalidDicomError) as error:
                message = f"{source}: not a readable DICOM image: {error}"
                raise ValueError(message) from error
        files = case_as_dicom(opened, cohort, radiograph, pathology, opened.scores, image)
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(out / name, content)
    say(f"{out}: {', '.join(files)}")
