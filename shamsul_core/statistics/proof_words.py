"""What the tests of the methods say, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.statistics.intervals import FEWEST, TOO_FEW
from shamsul_core.statistics.proof import DEPENDS_BELOW, MODEL_FREE, STABLE_FROM, failing
from shamsul_core.statistics.yardstick_words import names_in_words, signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.statistics.proof import Estimate, MethodProof

NO_PROOF = (
    "These maps have not been put to the proof yet. `python -m shamsul_core proof --run RUN` tests them on 20 radiographs drawn by "
    "lot, some minutes each, and goes on where it stopped."
)

VERDICTS = {
    "yes": "✓ yes",
    "no": "✗ no",
    "unclear": "? unclear",
    "too few": "? too few",
    "not tested": "–",
}
"""What a verdict is called; never told by colour alone."""


def headline(proofs: Sequence[MethodProof], titles: Mapping[str, str]) -> tuple[str, str]:
    """Return in a sentence which methods failed, and in another which passed or that there are too few patients."""
    own = [proof for proof in proofs if proof.method in titles]
    failed = {method: reason for method, reason in failing(own).items() if method in titles}
    tested = [proof for proof in own if proof.depends.cases or proof.faithful.cases]
    if not tested:
        return "The methods' own maps have not been tested.", ""
    if not failed and any("too few" in _verdicts(proof) for proof in tested):
        most = max(max(proof.depends.patients, proof.faithful.patients) for proof in tested)
        return (
            "Too few patients to say whether these maps can be believed.",
            f"{most} were tested; an interval takes {FEWEST}. The figures are shown without a verdict.",
        )
    passed = [
        proof.method
        for proof in tested
        if proof.faithful.verdict == proof.depends.verdict == proof.stable.verdict == "yes"
    ]
    first = (
        "; ".join(f"{titles[method]}: {reason}" for method, reason in failed.items()) + "."
        if failed
        else "No method failed."
    )
    if passed:
        verb = "is" if len(passed) == 1 else "are"
        return first, f"{names_in_words(passed, titles)} {verb} faithful, of this model, and stable."
    return first, "No method passed all three: faithful, of this model, and stable."


def _verdicts(proof: MethodProof) -> set[str]:
    return {proof.faithful.verdict, proof.depends.verdict, proof.stable.verdict}


def says_of(proof: MethodProof) -> list[str]:
    """Return a sentence for each test of a method's maps that was made."""
    told = []
    depends, stable, faithful, cause = proof.depends, proof.stable, proof.faithful, proof.cause
    if depends.cases:
        told.append(
            f"Depends on the model: {VERDICTS[depends.verdict]}. With all layers randomised its map keeps a rank correlation of "
            f"{_figure(depends)} with the map of the model; with the output layer alone randomised, {_figure(proof.output_layer)}. "
            f"A map that never saw the model keeps 1."
        )
    if faithful.cases:
        located = "" if np.isnan(faithful.against) else f"; location has {signed(faithful.against)}"
        told.append(
            f"Faithful: {VERDICTS[faithful.verdict]}. Hiding and showing what it marks first moves the logit by "
            f"{_figure(faithful, sign=True)} more than a map by lot does{located}."
        )
    if stable.cases:
        other = "" if np.isnan(stable.against) else f"; with another patient's map it is {stable.against:.2f}"
        counts = (
            ""
            if depends.verdict != "no"
            else " (which says nothing of a map that does not depend on the model)"
        )
        told.append(
            f"Stable: {VERDICTS[stable.verdict]}{counts}. Under small shifts, rotations, noise and compression the rank "
            f"correlation with the map itself is {_figure(stable)}{other}."
        )
    if proof.reproducible.cases:
        told.append(
            f"Reproducible: {VERDICTS[proof.reproducible.verdict]}. With another training of the model the rank correlation is "
            f"{_figure(proof.reproducible)}."
        )
    if cause.cases:
        told.append(
            f"Finds the cause: {VERDICTS[cause.verdict]}. The more a finding moves the prediction, the denser the relevance on it: "
            f"rank correlation {_figure(cause, sign=True)} over {cause.cases} findings."
        )
    return told


def _figure(estimate: Estimate, *, sign: bool = False) -> str:
    return f"{value_of(estimate, sign=sign)} ({interval_of(estimate, sign=sign)}, {patients_of(estimate)})"


def value_of(estimate: Estimate, *, sign: bool = False) -> str:
    """Return an estimate's figure, a dash where there is none."""
    if np.isnan(estimate.value):
        return "–"
    return signed(estimate.value) if sign else unsigned(estimate.value)


def unsigned(value: float) -> str:
    """Return a figure of two digits with a proper minus.

    >>> unsigned(-0.05), unsigned(0.999), unsigned(-0.001)
    ('−0.05', '1.00', '0.00')
    """
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def interval_of(estimate: Estimate, *, sign: bool = False) -> str:
    """Return an estimate's interval, or that there are too few patients."""
    if np.isnan(estimate.low):
        return TOO_FEW
    written = signed if sign else unsigned
    return f"{written(estimate.low)} to {written(estimate.high)}"


def patients_of(estimate: Estimate) -> str:
    """Return of how many patients an estimate is."""
    return f"{estimate.patients} patient{'' if estimate.patients == 1 else 's'}"


def questions() -> dict[str, str]:
    """Return the questions of the table and how each is answered."""
    interval = f"Intervals: 95 %, BCa bootstrap over patients ({TOO_FEW}: fewer than {FEWEST})."
    return {
        "Beats location?": "IoU less that of a map of where the finding usually lies in other patients. Yes: the interval lies above 0. "
        + interval,
        "Depends on the model?": "Rank correlation of the map with that of the same network with all its layers randomised; a map that "
        f"never saw the network keeps 1. Yes: the interval lies below {DEPENDS_BELOW}. {interval}",
        "Stable?": "Mean rank correlation of the map with that of the same radiograph shifted, rotated, noisy or compressed, or drawn "
        f"with another seed. Yes: the interval lies at {STABLE_FROM} or above. Counts only where the map depends on the model. {interval}",
        "Faithful?": "Relevance gain: mean logit as the most relevant places are shown first (insertion), less that as they are hidden "
        f"first (deletion), behind grey and behind a blur; less that of a map by lot. Yes: the interval lies above 0. {interval}",
        "Finds the cause?": "Rank correlation over simulated findings: the density of relevance where the finding changed the picture, "
        f"with the fall of the logit without the finding. Yes: the interval lies above 0. {interval}",
        "Reproducible?": "Rank correlation of the map with that of another training of the same model. Yes: the interval lies at "
        f"{STABLE_FROM} or above. {interval}",
    }


def is_model_free(method: str) -> bool:
    """Return whether a map never saw the network."""
    return method in MODEL_FREE
