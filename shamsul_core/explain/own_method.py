"""An explanation method of one's own, ``FILE.py:FUNCTION``: the user's code, which is executed.

The function is called for each output with the network (a ``torch.nn.Module`` in evaluation mode), its input (a tensor
1 × channels × S × S) and the output's column among the logits, and returns relevance h × w of what the network sees,
positive where it speaks for the output::

    def input_gradient(network, inputs, column):
        inputs = inputs.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(inputs)[0, column], inputs)
        return (gradient * inputs).sum(dim=1)[0]
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from shamsul_core.classifier.code_file import function_of
from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class OwnMethodSettings:
    """What a method of one's own is: which function, and its file's content.

    Parameters
    ----------
    function
        ``FILE.py:FUNCTION``.
    sha256
        Of the file, so that another run is made with other code.
    """

    function: str
    sha256: str


@dataclass(frozen=True)
class OwnMethod:
    """A method that a user's function is; `own_method` gives each a class of its own, with its name."""

    settings: OwnMethodSettings

    name: ClassVar[str] = "own"
    title: ClassVar[str] = "own"
    presets: ClassVar[Mapping[str, OwnMethodSettings]] = {}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology.

        Raises
        ------
        ValueError
            If the function fails, or returns something else than a map.
        """
        function, _ = function_of(self.settings.function)
        classifier = subject.classifier
        return {
            pathology: Heatmap(
                method=self.name,
                pathology=pathology,
                output="logit",
                values=self._map(
                    function(classifier.network, subject.inputs, classifier.output_index(pathology))
                ),
            )
            for pathology in pathologies
        }

    def _map(self, returned: Any) -> Any:
        values = returned.detach().cpu().numpy() if isinstance(returned, torch.Tensor) else returned
        values = np.asarray(values, np.float32)
        if values.ndim != 2 or not values.size:
            message = f"{self.settings.function} returned an array of shape {values.shape}, not a map h × w"
            raise ValueError(message)
        return values


def own_method(name: str) -> OwnMethod:
    """Return the method that ``FILE.py:FUNCTION`` names, called by its function's name; executes the file.

    Raises
    ------
    ModelError
        If there is no such file or function.
    """
    function, path = function_of(name)
    settings = OwnMethodSettings(function=name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    called = function.__name__
    kind = type(called, (OwnMethod,), {"name": called, "title": called.replace("_", " ")})
    made: OwnMethod = kind(settings)
    return made
