"""The worker process: holds the model and explains one radiograph after the other.

Started as ``python -m shamsul_core.upload.worker FD MODEL PATHOLOGY...``: an end of a `multiprocessing.Pipe`, a `ModelSource` as JSON. Where
the model has an output for none of these, all that it predicts is explained. What it sends:

- ``("ready", manifest words on model and methods)`` or ``("broken", sentence)``, once;
- for each radiograph ``("predicted", probabilities, novelty)``, ``("passes", method, done)`` again and again,
  ``("explained", method, heatmaps, failures)`` for each method, and ``("done",)`` or ``("failed", sentence)``.

It takes ``("explain", pixels)`` and, while it works, ``("cancel",)``, which it answers by ``("cancelled",)``.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.classifier.source import ModelSource
from shamsul_core.classifier.weights import ModelError, load_classifier
from shamsul_core.explain import Explainer, Failure, Subject, explain_subject, make_explainers
from shamsul_core.explain.masked import MaskedEvaluation
from shamsul_core.memory import keep_freed_memory, leave_no_dump
from shamsul_core.run.provenance import describe_methods, describe_model
from shamsul_core.vocabulary import NO_FINDING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.explain.hiding import Hide

ORDER = ("gradcam", "lrp", "lime", "shap")
"""The quick ones first."""

_AT_ONCE = 64
"""Forward passes between two looks at what the reader wants; twice the batch."""

_NICENESS = 10
"""The pages of other readers come first."""


class _Cancelled(BaseException):
    """The reader wants no more; no method's own error handling may take it for a failure."""


@dataclass(frozen=True)
class _Watched(MaskedEvaluation):
    """A masked evaluation that looks up between its batches."""

    after: Callable[[int], None] = lambda _: None

    def __call__(self, coalitions: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Evaluate coalitions, see `MaskedEvaluation`."""
        answers = []
        for start in range(0, len(coalitions), _AT_ONCE):
            part = coalitions[start : start + _AT_ONCE]
            answers.append(super().__call__(part))
            self.after(len(part))
        return np.concatenate(answers)


@dataclass(frozen=True, eq=False)
class _WatchedSubject(Subject):
    after: Callable[[int], None] = lambda _: None

    def masked_by(self, labels: npt.NDArray[np.intp], *, hide: Hide) -> MaskedEvaluation:
        plain = super().masked_by(labels, hide=hide)
        return _Watched(plain.classifier, plain.inputs, plain.superpixels, plain.hidden, self.after)


def serve(connection: Connection, model: ModelSource, wanted: Sequence[str] = ()) -> None:
    """Explain what comes until the other end is closed."""
    keep_freed_memory()
    try:
        classifier = load_classifier(model)
    except (ModelError, OSError, ValueError, RuntimeError) as error:
        connection.send(("broken", " ".join(str(error).split())))
        return
    explainers = sorted(make_explainers(), key=lambda explainer: ORDER.index(explainer.name))
    predicted = [name for name in classifier.pathologies if name != NO_FINDING]
    pathologies = [name for name in wanted if name in predicted] or predicted
    # In the order in which they are shown, which is not that in which they are made
    methods = describe_methods(make_explainers())
    connection.send(("ready", describe_model(classifier), methods, pathologies))
    while True:
        request = connection.recv()
        if request[0] != "explain":
            continue  # a cancel that came too late
        try:
            _explain(connection, classifier, explainers, pathologies, request[1])
            connection.send(("done",))
        except _Cancelled:
            connection.send(("cancelled",))
        except (ValueError, RuntimeError, ArithmeticError, MemoryError) as error:
            connection.send(("failed", " ".join(str(error).split())))
        del request  # nothing of a radiograph stays while the next one is waited for


def _explain(
    connection: Connection,
    classifier: Classifier,
    explainers: list[Explainer],
    pathologies: list[str],
    pixels: npt.NDArray[np.uint8 | np.uint16],
) -> None:
    method, passes = "", 0

    def after(done: int) -> None:
        nonlocal passes
        passes += done
        connection.send(("passes", method, passes))
        if connection.poll() and connection.recv()[0] == "cancel":
            raise _Cancelled

    subject = _WatchedSubject(classifier, pixels, after=after)
    connection.send(("predicted", *classifier.predict_novel(pixels)))
    for explainer in explainers:
        method = explainer.name
        after(0)
        outcomes = explain_subject(explainer, subject, pathologies) if pathologies else []
        heatmaps = [outcome for outcome in outcomes if not isinstance(outcome, Failure)]
        # In plain words, so that the other end need not import what explains
        failures = [
            (outcome.method, outcome.pathology, outcome.reason)
            for outcome in outcomes
            if isinstance(outcome, Failure)
        ]
        connection.send(("explained", method, heatmaps, failures))


if __name__ == "__main__":
    os.nice(_NICENESS)
    leave_no_dump()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        serve(Connection(int(sys.argv[1])), ModelSource.from_json(json.loads(sys.argv[2])), sys.argv[3:])
