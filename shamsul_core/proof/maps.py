"""The maps that are compared: a method's of one radiograph before one classifier, and those that never saw the network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np

from shamsul_core.explain import Failure, explain_subject
from shamsul_core.localisation.baselines import EDGES, GREY, edges
from shamsul_core.proof.similarity import on_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from shamsul_core.explain import Explainer, Subject
    from shamsul_core.heatmap import Field, FloatArray

Maps: TypeAlias = "dict[tuple[str, str], FloatArray | str]"
"""By method and pathology: relevance on the network's input, float32, size × size; or why there is none."""


def maps_of(
    subject: Subject, explainers: Sequence[Explainer], pathologies: Sequence[str], size_px: int | None = None
) -> Maps:
    """Return each method's map of each pathology, on the network's input or in `size_px` a side."""
    size_px = size_px or subject.classifier.preprocessing.size_px
    outcomes = [one for explainer in explainers for one in explain_subject(explainer, subject, pathologies)]
    return {
        (one.method, one.pathology): one.reason if isinstance(one, Failure) else on_input(one, size_px)
        for one in outcomes
    }


def model_free_maps(subject: Subject, pathologies: Sequence[str]) -> Maps:
    """Return edges and grey levels of what the network sees, which it is not asked for; the same for all pathologies."""
    seen = subject.classifier.preprocessing.resize(subject.pixels)[0, 0].numpy()
    return {
        (name, pathology): values
        for name, values in {EDGES: edges(seen), GREY: seen}.items()
        for pathology in pathologies
    }


def with_seed(explainer: Explainer, seed: int) -> Explainer | None:
    """Return a method with another seed; ``None`` where nothing about it is left to chance."""
    settings = explainer.settings
    if not hasattr(settings, "seed"):
        return None
    kind: Any = type(explainer)
    made: Explainer = kind(replace(settings, seed=seed))
    return made


def seen_of(picture: npt.NDArray[np.generic], field: Field, size_px: int) -> FloatArray:
    """Return what the network sees of a map of a radiograph's extent, float32, size × size; 0 outside it.

    Parameters
    ----------
    picture
        h × w, such as a baseline's map or an expert's mask.
    field
        What of the radiograph the network sees.
    """
    top, left, bottom, right = field
    height, width = picture.shape
    across, down = width * (right - left) / size_px, height * (bottom - top) / size_px
    # Averaged where the map is finer than the network's input, as the radiograph is
    matrix = np.array(
        [
            [across, 0, left * width + 0.5 * across - 0.5],
            [0, down, top * height + 0.5 * down - 0.5],
        ]
    )
    shrunk = picture.astype(np.float32)
    if max(across, down) > 1:
        sizes = (max(1, round(width / max(across, 1))), max(1, round(height / max(down, 1))))
        shrunk = np.asarray(cv2.resize(shrunk, sizes, interpolation=cv2.INTER_AREA), np.float32)
        scale = np.array([sizes[0] / width, sizes[1] / height])
        matrix = matrix * scale[:, None]
        matrix[:, 2] += 0.5 * scale - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(shrunk, matrix, (size_px, size_px), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(seen, np.float32)
