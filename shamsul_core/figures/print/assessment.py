"""The figures of an assessment by name, so that page and report draw the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from shamsul_core.figures.print.curves import calibration_figure, precision_recall_figure, roc_figure
from shamsul_core.figures.print.performance_rings import rings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

    from shamsul_core.figures.print.drawing import ThemeName
    from shamsul_core.statistics.prediction.assessment import Assessment

FigureName: TypeAlias = Literal["figure3", "roc", "precision_recall", "calibration"]

ASSESSMENT_FIGURES: Mapping[FigureName, Callable[[Assessment, ThemeName], Figure]] = {
    "figure3": lambda assessment, theme: rings(assessment.performance.by_observation, theme),
    "roc": lambda assessment, theme: roc_figure(
        assessment.points, assessment.performance.by_observation, assessment.rates, theme
    ),
    "precision_recall": lambda assessment, theme: precision_recall_figure(
        assessment.points, assessment.performance.by_observation, assessment.rates, theme
    ),
    "calibration": lambda assessment, theme: calibration_figure(
        assessment.bins, assessment.calibration, theme
    ),
}
