"""What a run is, and what it lacks, in a reader's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shamsul_core.cohort.patients import is_chexpert_validation
from shamsul_core.cohort.truth_words import POINT, words_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.run import Manifest

_ALL = "all"
_SPLITS = {"train": "training set", "val": "validation set", "test": "test set"}

RESEARCH_ONLY = "For research, not for diagnosis."

PROJECTIONS = "PA: posteroanterior. AP: anteroposterior."
METHOD_NAMES: Mapping[str, str] = {
    "lime": "local interpretable model-agnostic explanations",
    "shap": "Shapley additive explanations",
    "gradcam": "gradient-weighted class activation mapping",
    "lrp": "layer-wise relevance propagation",
    "hirescam": "high-resolution class activation mapping",
    "gradcampp": "Grad-CAM with a weight for each place",
    "rise": "randomized input sampling for explanation",
}
"""What the methods' titles stand for, as far as they are abbreviations."""

_ODD = re.compile(r"[^a-z0-9._]+")
_LONGEST_NAME = 150

_SIGNS = {
    "positive": "of the evidence for the pathology",
    "signed": "of the whole map, evidence against included: zero relevance is mid-range",
    "absolute": "of the size of the relevance, whatever its sign",
}


def titles_in_words(titles: Mapping[str, str]) -> str | None:
    """Return what the methods' titles stand for; ``None`` where none is an abbreviation that is known.

    >>> titles_in_words({"lrp": "LRP", "unet": "U-Net"})
    'LRP: layer-wise relevance propagation.'
    """
    known = [f"{title}: {METHOD_NAMES[name]}." for name, title in titles.items() if name in METHOD_NAMES]
    return " ".join(known) or None


def threshold_in_words(segmentation: Mapping[str, Any] | None) -> str:
    """Say how a run's heatmaps became masks.

    Parameters
    ----------
    segmentation
        `SegmentationSettings.to_json`; ``None`` before a run has scores.

    Examples
    --------
    >>> threshold_in_words({"sign": "positive", "thresholds": None, "probability_cutoffs": None, "smoothing": 0})
    "Mask: above Otsu's threshold of the evidence for the pathology."
    """
    if segmentation is None:
        return "No masks have been made yet."
    thresholds, cutoffs = (segmentation.get(name) or {} for name in ("thresholds", "probability_cutoffs"))
    rule = (
        "the pathology's own threshold where there is one, otherwise Otsu's,"
        if thresholds
        else "Otsu's threshold"
    )
    more = ""
    if segmentation.get("smoothing"):
        more += f" Smoothed over {segmentation['smoothing']} pixels first."
    if cutoffs:
        more += " Empty where the predicted probability is below the pathology's cutoff."
    return f"Mask: above {rule} {_SIGNS[segmentation['sign']]}.{more}"


_LRP_RULES = {
    "epsilon": "Each neuron shares out all that it receives, for and against (epsilon rule).",
    "alpha1_beta0": "Each neuron shares out to what spoke for it (alpha 1, beta 0).",
    "alpha2_beta1": "Each neuron shares out twice what it receives to what spoke for it, and once to what spoke against (alpha 2, beta 1).",
    "deep_taylor": "Each neuron shares out to what spoke for it alone (deep Taylor).",
    "epsilon_plus_flat": "Convolutions share out to what spoke for them alone, the first one evenly over all that it sees (epsilon-plus-flat).",
    "epsilon_gamma_box": "Convolutions favour what has their output's sign, the first one goes by the range of grey levels (epsilon-gamma-box).",
}
"""What is said of `shamsul_core.explain.lrp.LrpSettings.rules`, those of earlier runs too."""


def settings_in_words(settings: Mapping[str, Any]) -> list[str]:
    """Say with which settings a method explained, a sentence each; what is not known by name as it stands.

    Examples
    --------
    >>> settings_in_words({"output": "logit", "seed": 0})
    ['It explains the logit (the score before it becomes a probability).', 'Random seed: 0.']
    """
    known: dict[str, Callable[[Any], str]] = {
        "output": _output,
        "superpixels": _superpixels,
        "sampling": _sampling,
        "kernel_width": lambda width: (
            f"Radiographs with little hidden get more weight (kernel width {width}, cosine distance)."
        ),
        "keep_largest": lambda count: (
            "Every superpixel gets a value." if count is None else f"Only {count} superpixels get a value."
        ),
        "hide": _hide,
        "steps": lambda count: f"The gradient is taken at {count} steps from mean grey to the radiograph.",
        "copies": lambda count: f"The gradient is averaged over {count} noisy copies of the radiograph.",
        "noise": lambda share: f"The noise's standard deviation is {share:.0%} of the range of grey levels.",
        "tiles": lambda count: f"The radiograph is divided into {count} × {count} tiles.",
        "window": lambda side: f"A window of {side} × {side} tiles is hidden at a time.",
        "cells": lambda count: f"A mask is made of {count} × {count} cells and smooth in between.",
        "shown": lambda share: f"Of its cells {share:.0%} show, on average.",
        "rules": lambda rules: _LRP_RULES.get(rules, f"Relevance is propagated by the {rules} rule."),
        "epsilon": lambda value: f"Epsilon is {value:g}.",
        "seed": lambda seed: f"Random seed: {seed}.",
    }

    def said(name: str, value: Any) -> str:
        try:
            return known[name](value)
        except (LookupError, TypeError, ValueError, AttributeError):  # of another version, or by hand
            return f"{name}: {value}."

    sentences = [said(name, value) for name, value in settings.items()]
    if is_adaptive(settings) and "superpixels" in settings:
        sentences.append("LIME and SHAP share their queries.")
    return sentences


def origin_in_words(manifest: Manifest) -> str:
    """Say where a run's results come from: cohort, model, settings, day."""
    return (
        f"{cohort_in_words(manifest.cohort)}; model {manifest.model['source']}; {manifest.preset} settings; "
        f"explained on {manifest.created[:10]}."
    )


def mixture_in_words(manifest: Manifest, *more: Mapping[str, Any]) -> str | None:
    """Say in what the circumstances differ under which a run's radiographs were explained; ``None`` where in nothing.

    Parameters
    ----------
    more
        Further circumstances (`shamsul_core.run.provenance.circumstances`), such as those under which the run goes on.
    """
    # Runs from before circumstances were kept say this of all their radiographs
    first = {"precision": manifest.model.get("precision"), "versions": manifest.versions}
    parts = [_deciding(circumstances) for circumstances in (first, *manifest.made_with.values(), *more)]
    differing = []
    for name in dict.fromkeys(name for part in parts for name in part):
        values = list(dict.fromkeys(part[name] for part in parts if part.get(name)))
        if len(values) > 1:
            differing.append(name if name == _ENGINE else f"{name} ({', '.join(values)})")
    if not differing:
        return None
    return (
        f"explained in parts that differ in {', '.join(differing)}; "
        "their values are not exactly comparable between radiographs."
    )


_LONGEST_FACT = 300
_ENGINE = "this software's own version"


def _deciding(circumstances: Mapping[str, Any]) -> dict[str, str]:
    known = {name: circumstances.get(name) for name in ("precision", "device")}
    named = {name: str(value) for name, value in known.items() if value is not None}
    return named | {_ENGINE: circumstances.get("engine", "")} | dict(circumstances["versions"])


def preprocessing_in_words(preprocessing: Mapping[str, Any] | None) -> str:
    """Say how a radiograph becomes what the network sees.

    Parameters
    ----------
    preprocessing
        `Manifest.model`'s, see `shamsul_core.classifier.preprocessing.Preprocessing`.

    Examples
    --------
    >>> preprocessing_in_words({"size_px": 224, "mean": [0.5], "std": [0.5], "fit": "crop", "resize_px": 256})
    'Its shorter side is resized to 256 pixels and the middle 224 × 224 taken; bilinear; one channel less 0.5, divided by 0.5.'
    """
    if not preprocessing:
        return "not known"
    try:
        return _preprocessing_in_words(preprocessing)
    except (KeyError, TypeError, ValueError):  # of another version, or another's making
        return str(preprocessing)[:_LONGEST_FACT]


def _preprocessing_in_words(preprocessing: Mapping[str, Any]) -> str:
    size, resized = preprocessing["size_px"], preprocessing.get("resize_px") or preprocessing["size_px"]
    square = f"{size} × {size}"
    ways = {
        "squeeze": f"The whole radiograph is squeezed into {resized} × {resized} pixels"
        + (f" and the middle {square} taken" if resized != size else ""),
        "crop": f"Its shorter side is resized to {resized} pixels and the middle {square} taken",
        "pad": f"Its longer side is resized to {size} pixels and the rest of {square} is black",
    }
    mean, std = (", ".join(f"{value:.4g}" for value in preprocessing[name]) for name in ("mean", "std"))
    channels = "one channel" if len(preprocessing["mean"]) == 1 else "three channels"
    return (
        f"{ways[preprocessing.get('fit', 'squeeze')]}; {preprocessing.get('interpolation', 'bilinear')}; "
        f"{channels} less {mean}, divided by {std}."
    )


def cohort_in_words(cohort: Mapping[str, Any]) -> str:
    """Return what to call a cohort.

    Parameters
    ----------
    cohort
        `Manifest.cohort`.

    Examples
    --------
    >>> cohort_in_words({"name": "chexlocalize/val", "split": "val", "simulated": None})
    'Cohort “chexlocalize”, validation set'
    >>> cohort_in_words({"name": "cohort/val", "split": "val", "simulated": "Simulated from CT."})
    'Simulated cohort “cohort”, validation set'
    >>> cohort_in_words({"name": "nih/all", "split": "all", "simulated": None})
    'Cohort “nih”'
    """
    folder, _, split = str(cohort["name"]).rpartition("/")
    if split != cohort["split"]:  # no folder, such as a reader's own radiograph
        return f"{split[:1].upper()}{split[1:]}"
    kind = "Simulated cohort" if cohort.get("simulated") else "Cohort"
    return f"{kind} “{folder}”" + ("" if split == _ALL else f", {_SPLITS.get(split, split)}")


def cohort_title(cohort: Cohort) -> str:
    """Return what to call a cohort whose radiographs are at hand: CheXpert's validation set is known by its patients."""
    if not cohort.is_simulated and is_chexpert_validation(cohort.radiographs):
        return "CheXpert validation set"
    return cohort_in_words({"name": cohort.name, "split": cohort.split, "simulated": cohort.is_simulated})


def why_no_iou(scores: pd.DataFrame, *, has_marks: bool) -> str | None:
    """Return as a sentence why none of these scores has an IoU; ``None`` where one has.

    Parameters
    ----------
    scores
        As `shamsul_core.run.SCORE_COLUMNS`, of the radiographs looked at.
    has_marks
        Whether experts marked the cohort at all, see `shamsul_core.cohort.Cohort.has_annotations`.
    """
    truth = words_in(scores)
    if scores.empty:
        return f"These radiographs have not been scored, so there is no {truth.score}."
    if scores["iou"].notna().any():
        return None
    if not has_marks:
        return "Experts have marked nothing in this cohort, so there is no IoU and no hit rate."
    marked = scores[scores["expert_area_px"] > 0]
    if marked.empty:
        return (
            f"The experts marked nothing on these radiographs, so there is no {truth.score} and no hit rate."
        )
    if truth is POINT:
        return "The experts marked points, which have no area, so there is no IoU."
    return f"No method has a mask of a finding that the experts marked here, so there is no {truth.score}."


def _output(output: str | None) -> str:
    if output == "logit":
        return "It explains the logit (the score before it becomes a probability)."
    return "It explains the predicted probability." if output else "What it explains was not recorded."


def _superpixels(settings: Mapping[str, Any]) -> str:
    if settings["algorithm"] == "slic":
        how = f"about {settings['count']} superpixels (SLIC, compactness {settings['compactness']})"
    else:
        how = f"superpixels of similar grey and position (quickshift, up to {settings['max_distance']} pixels apart)"
    return f"The radiograph is divided into {how}."


def _hide(hide: str) -> str:
    return {
        "grey": "What is hidden is painted in the mean grey used to normalise the network's input.",
        "blur": "What is hidden is blurred.",
        "local mean": "What is hidden is painted in its own mean grey.",
        "inpainted": "What is hidden is painted as its surroundings would go on.",
    }[hide]


def _sampling(sampling: int | Mapping[str, Any]) -> str:
    if isinstance(sampling, int):
        return f"It queries the network {sampling} times, whatever the error."
    return (
        f"It queries the network {sampling['first']} times, then {sampling['step']} more at a time until the map is "
        f"expected to correlate at {sampling['reliability']} with the map from unlimited queries, "
        f"at most {sampling['budget']} times."
    )


def is_adaptive(settings: Mapping[str, Any]) -> bool:
    """Return whether a method sampled until its own error was small.

    >>> is_adaptive({"sampling": 1000})
    False
    """
    return isinstance(settings.get("sampling"), dict)


def sentence(words: str) -> str:
    """Begin with a capital; `str.capitalize` would make LIME Lime.

    >>> sentence("highest IoU of LIME")
    'Highest IoU of LIME'
    """
    return words[:1].upper() + words[1:]


def file_name(*parts: str, kind: str) -> str:
    """Return a file's name of what it holds, safe on every system.

    Parameters
    ----------
    parts
        In a reader's words.
    kind
        The extension.

    Examples
    --------
    >>> file_name("Best IoU", "Grad-CAM", "Pleural Effusion", "figure", kind="png")
    'best-iou_grad-cam_pleural-effusion_figure.png'
    >>> file_name("patient1_study2", "../up & away", kind="pdf")
    'patient1_study2_up-away.pdf'
    """
    plain = (_ODD.sub("-", part.lower()).strip("-.") for part in parts)
    return f"{'_'.join(filter(None, plain))[:_LONGEST_NAME]}.{kind}"
