"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from shamsul_core.files.storage import place

if TYPE_CHECKING:
    from collections.abc import Collection

    from shamsul_core.localisation.segmentation import SegmentationSettings


def _run_place(address: str) -> Path:
    try:
        return place(address)
    except OSError as error:
        raise typer.BadParameter(str(error)) from error


COHORT_HELP = (
    "Folder of the cohort: CheXpert, NIH, VinDr, COCO, images alone, ...; docs/cohorts.md lists them."
)

CohortFolder = Annotated[Path, typer.Option("--cohort", help=COHORT_HELP)]
CohortSplit = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="train, val or test; all, too, except in CheXpert's layout. Default: the split that experts marked.",
    ),
]
CohortLayout = Annotated[
    str | None,
    typer.Option(
        "--layout",
        help="chexpert, nih, rsna, siim, vindr, ms-cxr, padchest-gr, coco or folder. Default: found by what lies there.",
    ),
]
Names = Annotated[
    Path | None,
    typer.Option(
        help="TOML file that says what of the model's is what of the cohort's, see docs/cohorts.md."
    ),
]
OutputKind = Literal["sigmoid", "softmax"]
Output = Annotated[
    OutputKind | None,
    typer.Option(
        help="Whether the model's outputs are independent (sigmoid) or exclude each other (softmax), where its file does not say."
    ),
]
Weights = Annotated[
    str | None, typer.Option(help="File of your own weights for a network named by its library.")
]
Prompts = Annotated[
    str | None, typer.Option(help="TOML file of what a vision-language model is asked, see docs/models.md.")
]
Model = Annotated[
    str,
    typer.Option(
        help="A file or folder of docs/models.md's formats, torchxrayvision:<weights>, or 'untrained' for a trial."
    ),
]
RunFolder = Annotated[
    Path,
    typer.Option("--run", parser=_run_place, metavar="RUN", help="Folder of the run, or s3://bucket/folder."),
]
Preset = Annotated[str, typer.Option(help="Settings: 'default', or 'paper' for those of the paper's code.")]
Thresholds = Annotated[
    list[Path] | None,
    typer.Option(
        help="CSV with columns threshold,task: per-pathology thresholds instead of Otsu's. May be repeated, one file a method as 'tune' writes them, or name their folder."
    ),
]
Cutoffs = Annotated[
    Path | None,
    typer.Option(
        help="CSV with columns prob_threshold,mIoU,task: probability cutoffs below which a pathology's mask is empty."
    ),
]
Smoothing = Annotated[
    int, typer.Option(min=0, help="Side of CheXlocalize's smoothing box in pixels; 0 for none.")
]


def segmentation_settings(
    preset: str,
    thresholds: list[Path] | None,
    probability_cutoffs: Path | None,
    smoothing: int,
    methods: Collection[str] = (),
) -> SegmentationSettings:
    """Return a preset with the asked changes; `methods` are those of the run."""
    from dataclasses import replace

    from shamsul_core.interchange.chexlocalize import read_probability_cutoffs, read_thresholds_of_methods
    from shamsul_core.localisation.segmentation import PRESETS

    if preset not in PRESETS:
        message = f"unknown preset {preset!r}; there are {', '.join(PRESETS)}"
        raise ValueError(message)
    return replace(
        PRESETS[preset],
        thresholds=read_thresholds_of_methods(thresholds, methods) if thresholds else None,
        probability_cutoffs=read_probability_cutoffs(probability_cutoffs) if probability_cutoffs else None,
        smoothing=smoothing,
    )
