"""A run as CheXlocalize's own files, on which CheXlocalize's scripts find what the run's scores say.

Written are, for each method, ``<method>_maps/<radiograph>_<pathology>_map.pkl`` (the pickled dictionary of their
``heatmap_to_segmentation.py``) and ``<method>_segmentations.json`` (run-length encoded masks of all ten pathologies of
each radiograph, as their ``eval.py`` reads them), and ``gt_segmentations.json`` with the experts' masks of the same
radiographs.
"""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shamsul_core.cohort import CohortError
from shamsul_core.files.atomic import write_atomically
from shamsul_core.imaging.rle import encode_mask
from shamsul_core.interchange.chexlocalize import CHEXLOCALIZE_ORDER
from shamsul_core.localisation.scoring import expert_mask
from shamsul_core.localisation.segmentation import PRESETS, SegmentationSettings, chosen_sign, segment
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.run import RunError
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, chexlocalize_name

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import FloatArray, Heatmap
    from shamsul_core.imaging.rle import Rle
    from shamsul_core.run import RadiographResult, Run

    Encoded = dict[str, dict[str, Rle]]


def export_run(run: Run, cohort: Cohort, out: Path, on_step: OnStep = say_nothing) -> tuple[int, list[str]]:
    """Write a run as CheXlocalize's files.

    A map is written as its mask was made from it: of a signed one its positive part, where the run's scores took
    that. Their `heatmap_to_segmentation.py` and then `eval.py` want a map of all ten pathologies for each radiograph;
    the segmentations written here have all ten, empty where there is no heatmap.

    Parameters
    ----------
    on_step
        Called after each radiograph with its id; by default nothing is.

    Returns
    -------
    tuple
        The number of maps written, and a line for each thing that could not be exported; the rest goes on.
    """
    stored = run.segmentation
    settings = PRESETS["default"] if stored is None else SegmentationSettings.from_json(stored)
    maps, problems = 0, []
    masks: dict[str, Encoded] = {method: {} for method in run.manifest.methods}
    experts: Encoded = {}
    for image_id in run.explained_ids():
        try:
            result = run.read(image_id)
        except RunError as error:
            problems.append(str(error))
            continue
        of_experts = _expert_masks(cohort, result, problems)
        if of_experts:
            experts[image_id] = of_experts
        empty = encode_mask(np.zeros(result.size, bool))
        for method in run.manifest.methods:
            masks[method][image_id] = {chexlocalize_name(name): empty for name in LOCALISED_PATHOLOGIES}
        for heatmap in result.heatmaps:
            if heatmap.pathology not in LOCALISED_PATHOLOGIES:
                continue
            name = chexlocalize_name(heatmap.pathology)
            probability = result.probabilities.get(heatmap.pathology)
            mask = segment(heatmap, result.size, settings, probability=probability).mask
            masks[heatmap.method][image_id][name] = encode_mask(mask)
            relevance = chosen_sign(heatmap.relevance, settings.sign)
            path = out / f"{heatmap.method}_maps" / f"{image_id}_{name}_map.pkl"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, pickle.dumps(_map(heatmap, relevance, result, cohort)))
            maps += 1
        on_step(image_id)
    out.mkdir(parents=True, exist_ok=True)
    for method, encoded in masks.items():
        write_atomically(out / f"{method}_segmentations.json", json.dumps(encoded).encode())
    if experts:
        write_atomically(out / "gt_segmentations.json", json.dumps(experts).encode())
    return maps, problems


def _map(heatmap: Heatmap, relevance: FloatArray, result: RadiographResult, cohort: Cohort) -> dict[str, Any]:
    """Return what is pickled: the keys of the authors' own files but for the radiograph's pixels."""
    height, width = result.size
    radiograph = cohort.radiographs.get(result.image_id)
    labels = {} if radiograph is None else radiograph.labels
    probabilities = [result.probabilities.get(name, float("nan")) for name in CHEXLOCALIZE_ORDER]
    truth = [float(labels.get(name) == 1) for name in CHEXLOCALIZE_ORDER]
    return {
        "map": torch.from_numpy(np.ascontiguousarray(relevance, np.float32))[None, None],
        "prob": torch.tensor(probabilities, dtype=torch.float32),
        "task": chexlocalize_name(heatmap.pathology),
        "gt": torch.tensor(truth, dtype=torch.float32),
        "cxr_dims": (width, height),
    }


def _expert_masks(cohort: Cohort, result: RadiographResult, problems: list[str]) -> dict[str, Rle]:
    """Return the experts' masks of a radiograph, all ten; nothing where they marked nothing at all."""
    masks = {}
    for name in LOCALISED_PATHOLOGIES:
        try:
            mask, _ = expert_mask(cohort, result.image_id, result.size, name)
        except CohortError as error:
            problems.append(str(error))
            mask = None
        masks[chexlocalize_name(name)] = np.zeros(result.size, bool) if mask is None else mask
    if not any(mask.any() for mask in masks.values()):
        return {}
    return {name: encode_mask(mask) for name, mask in masks.items()}
