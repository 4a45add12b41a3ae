"""What the tests of the methods measure: every figure with its definition, its source and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shamsul_core.localisation.baselines import BASELINES, EDGES, GREY, LOCATION, MEANINGS

FAITHFULNESS, RANDOMISATION, ROBUSTNESS, REPRODUCIBILITY, CAUSE = (
    "faithfulness",
    "randomisation",
    "robustness",
    "reproducibility",
    "cause",
)
TESTS = {
    FAITHFULNESS: "Does the prediction fall when what the map marks is hidden?",
    RANDOMISATION: "Does the map change when the network's layers are randomised?",
    ROBUSTNESS: "Does the map stay when nothing that matters changes?",
    REPRODUCIBILITY: "Does another training of the same model give the same map?",
    CAUSE: "Does the map lie where the finding changed the picture, and more so where it moved the prediction more?",
}
"""Every test's question by its name, in the order of the page."""

BY_LOT, EXPERT = "baseline map by lot", "experts' mask"
COMPARED = {
    BY_LOT: "Map by lot",
    LOCATION: BASELINES[LOCATION],
    EXPERT: "Experts' mask",
    EDGES: BASELINES[EDGES],
    GREY: BASELINES[GREY],
}
"""Titles of what methods are held against here, by names that no method has."""

COMPARED_MEANINGS = {
    BY_LOT: "smooth noise, another for each case",
    EXPERT: "what any of the experts marked, as a map of 0 and 1",
    **{name: MEANINGS[name] for name in (LOCATION, EDGES, GREY)},
}

DELETION, INSERTION, GAIN, ROAD = "deletion", "insertion", "gain", "road"
RANK_CORRELATION, SSIM = "rank correlation", "ssim"
DENSITY, SHARE = "density", "share"

GREY_HIDES, BLUR_HIDES, IMPUTED = "grey", "blur", "imputed"
"""What stands where something is hidden."""

STAGES = {
    "output layer": None,
    "a quarter of the layers": 0.25,
    "half of the layers": 0.5,
    "three quarters of the layers": 0.75,
    "all layers": 1.0,
}
"""How far the cascade has come, with the share of layers; ``None`` is the last one alone."""
ALL_LAYERS = "all layers"

ANOTHER_PATIENT = "another patient"
"""The setting in which a map is compared with that of the same finding in somebody else: what stability is held against."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of a test.

    Parameters
    ----------
    test, name
        As in the columns of the run's table.
    title
        For people.
    better
        Which way is better.
    definition, source
        A sentence, and a paper.
    """

    test: str
    name: str
    title: str
    better: Literal["higher", "lower"]
    definition: str
    source: str


_SANITY = "Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018"
_ARUN = "Arun et al., Radiology: Artificial Intelligence 3(6), 2021"
_RANKS = "Spearman's rank correlation of the two maps over the network's input, with their sign"
_SIMILAR = "structural similarity (7 × 7 windows) of the two maps, each over its largest absolute value"

FIGURES = (
    Figure(
        test=FAITHFULNESS,
        name=DELETION,
        title="Deletion",
        better="lower",
        definition="Mean logit while 0 to 100 % of the places are hidden, the most relevant first",
        source="Petsiuk, Das and Saenko, RISE, BMVC 2018, with the logit in the place of the probability",
    ),
    Figure(
        test=FAITHFULNESS,
        name=INSERTION,
        title="Insertion",
        better="higher",
        definition="Mean logit while 0 to 100 % of the places are shown, the most relevant first",
        source="Petsiuk, Das and Saenko, RISE, BMVC 2018, with the logit in the place of the probability",
    ),
    Figure(
        test=FAITHFULNESS,
        name=GAIN,
        title="Relevance gain",
        better="higher",
        definition="Insertion less deletion, which is nearly the same whatever hides",
        source="Blücher, Vielhaben and Strodthoff, TMLR 2024 (symmetric relevance gain)",
    ),
    Figure(
        test=FAITHFULNESS,
        name=ROAD,
        title="ROAD",
        better="lower",
        definition="Mean logit while 0 to 95 % of the places are replaced, the most relevant first, by noisy linear imputation "
        "from their neighbours",
        source="Rong et al., ICML 2022, with the logit in the place of the accuracy",
    ),
    Figure(
        test=RANDOMISATION,
        name=RANK_CORRELATION,
        title="Rank correlation",
        better="lower",
        definition=f"{_RANKS}: of the network, and of the network with its layers randomised from the output down",
        source=_SANITY,
    ),
    Figure(
        test=RANDOMISATION,
        name=SSIM,
        title="SSIM",
        better="lower",
        definition=f"The {_SIMILAR}",
        source=_SANITY,
    ),
    Figure(
        test=ROBUSTNESS,
        name=RANK_CORRELATION,
        title="Rank correlation",
        better="higher",
        definition=f"{_RANKS}: of the radiograph, and of the same radiograph changed slightly, brought back to its place",
        source=_ARUN,
    ),
    Figure(
        test=ROBUSTNESS,
        name=SSIM,
        title="SSIM",
        better="higher",
        definition=f"The {_SIMILAR}",
        source=_ARUN,
    ),
    Figure(
        test=REPRODUCIBILITY,
        name=RANK_CORRELATION,
        title="Rank correlation",
        better="higher",
        definition=f"{_RANKS}: of the model, and of another training of it",
        source=_ARUN,
    ),
    Figure(
        test=REPRODUCIBILITY,
        name=SSIM,
        title="SSIM",
        better="higher",
        definition=f"The {_SIMILAR}",
        source=_ARUN,
    ),
    Figure(
        test=CAUSE,
        name=DENSITY,
        title="Density on the finding",
        better="higher",
        definition="Share of the positive relevance where the finding changes the picture, over that area's share; 1 is chance",
        source="Arras, Osman and Samek, CLEVR-XAI, Information Fusion 2022, over the area",
    ),
    Figure(
        test=CAUSE,
        name=SHARE,
        title="Share on the finding",
        better="higher",
        definition="Share of the positive relevance where the finding changes the picture",
        source="Arras, Osman and Samek, CLEVR-XAI, Information Fusion 2022",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure of one map, or a point of its curve.

    Parameters
    ----------
    pathology, method
        Of the map; a method of the run's, or one of `COMPARED`.
    figure
        Name of one of `FIGURES`.
    setting
        What was done: what hides, which layers are random, what was changed.
    value
        NaN where there is none.
    at
        Where on a curve: the share hidden or shown, the share of the layers, and for `CAUSE` the fall of the logit without
        the finding. NaN elsewhere.
    reason
        Why there is no value.
    """

    pathology: str
    method: str
    figure: str
    setting: str
    value: float
    at: float = float("nan")
    reason: str | None = None
