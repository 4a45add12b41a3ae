"""``FILE.py:FUNCTION``: the user's own code, the only that is executed, which builds what no format holds.

A model's function takes nothing and returns the network (a ``torch.nn.Module`` that gives logits N × C), the names of its
outputs, and its preprocessing: a dictionary of `shamsul_core.classifier.preprocessing.Preprocessing`'s fields::

    def my_model():
        network = MyNetwork()
        network.load_state_dict(torch.load("/models/mine.pt", weights_only=True))
        return network, ["Edema", "Cardiomegaly"], {"size_px": 224, "mean": [0.5], "std": [0.25]}
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

_NAMED = re.compile(r"(?P<file>.+\.py):(?P<function>\w+)")


def function_of(name: str) -> tuple[Callable[..., Any], Path]:
    """Execute a file and return the function that ``FILE.py:FUNCTION`` names, and the file.

    Raises
    ------
    ModelError
        If there is no such file or function, or executing the file fails.
    """
    match = _NAMED.fullmatch(name)
    path = Path(match["file"] if match else name)
    if match is None or not path.is_file():
        message = f"{name}: no such file; give FILE.py:FUNCTION"
        raise ModelError(message)
    # Under a name of its own, so that two files of the same name are two modules
    module_name = f"shamsul_code_{abs(hash(path.resolve()))}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        message = f"{path}: Python cannot import it"
        raise ModelError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        message = f"{path}: executing it failed ({type(error).__name__}: {first_line(error)[:200]})"
        raise ModelError(message) from error
    function = getattr(module, match["function"], None)
    if not callable(function):
        message = f"{path}: it has no function {quoted(match['function'])}"
        raise ModelError(message)
    return function, path


def load_code(sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content that a user's own function builds.

    Raises
    ------
    ModelError
        If it fails, or returns something else than network, names and preprocessing.
    """
    del sidecar
    function, path = function_of(source.model)
    try:
        network, names, preprocessing = function()
        known, named = dict(preprocessing), list(names)
    except Exception as error:
        message = (
            f"{source.model}: it must return network, names and preprocessing ({type(error).__name__}: "
            f"{first_line(error)[:200]}); docs/models.md has an example"
        )
        raise ModelError(message) from error
    if not isinstance(network, nn.Module):
        message = f"{source.model}: its network is a {type(network).__name__}, not a torch.nn.Module"
        raise ModelError(message)
    return Content(
        network=network,
        name=f"{path.name}:{source.model.rpartition(':')[2]}",
        architecture=type(network).__name__,
        names=named,
        preprocessing=known,
        definition=path.read_text(encoding="utf-8"),
    )
