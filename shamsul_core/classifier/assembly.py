"""From what a file holds to a classifier: names, output kind and preprocessing, each from whoever says it first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.classifier.outputs import HOW_TO_NAME, LogOdds, named
from shamsul_core.classifier.preprocessing import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from shamsul_core.classifier.outputs import OutputKind
    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a model's file holds and says of itself; every format's loader returns one.

    Parameters
    ----------
    network
        N × channels × size × size in, N × C logits out, before any sigmoid or softmax.
    name
        Of the file or model, for people to read.
    architecture
        What the format calls it.
    names
        Of the outputs; empty where nothing names them.
    output
        What the logits are made for; ``None`` where the file does not say.
    preprocessing
        The fields of `Preprocessing` that the file says or that can be assumed of it.
    definition
        What besides the weights decides what the network computes; part of the fingerprint.
    """

    network: nn.Module
    name: str
    architecture: str
    names: Sequence[object] = ()
    output: OutputKind | None = None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    definition: str = ""


def assemble(content: Content, sidecar: Sidecar, source: ModelSource) -> Classifier:
    """Return the classifier of a file's content.

    Raises
    ------
    ModelError
        If names, output kind or preprocessing are said nowhere or do not go with the network; says what to do.
    """
    whose = source.file
    preprocessing = _preprocessing(content, sidecar, whose)
    names = named(sidecar.pathologies or content.names, whose, str(sidecar.path))
    output_kind = _output_kind(content, sidecar, source)
    if output_kind == "softmax" and len(names) == 1:
        message = f"{whose}: a softmax of one class always says 1; give --output sigmoid"
        raise ModelError(message)
    network = _in_evaluation(content.network)
    _check_outputs(network, preprocessing, len(names), whose, sidecar)
    return Classifier(
        LogOdds(network) if output_kind == "softmax" else network,
        names,
        preprocessing,
        content.name,
        is_trained=True,
        architecture=content.architecture,
        output_kind=output_kind,
        definition=content.definition,
    )


def _in_evaluation(network: nn.Module) -> nn.Module:
    """Return a network in evaluation mode, with nothing done in place, where explanations could not see it."""
    for module in network.eval().modules():
        if getattr(module, "inplace", False) is True:
            module.__dict__["inplace"] = False
    return network


def _output_kind(content: Content, sidecar: Sidecar, source: ModelSource) -> OutputKind:
    kind = source.output or sidecar.output or content.output
    if kind is None:
        message = (
            f"{source.file}: it does not say whether its outputs are independent or exclude each other; "
            f"give --output sigmoid or --output softmax"
        )
        raise ModelError(message)
    return kind


def _preprocessing(content: Content, sidecar: Sidecar, whose: str) -> Preprocessing:
    known = dict(content.preprocessing) | sidecar.preprocessing
    missing = [name for name in ("size_px", "mean", "std") if name not in known]
    if missing and not sidecar.preprocessing:
        example = '{"preprocessing": {"size_px": 224, "mean": [0.5], "std": [0.25]}}'
        message = (
            f"{whose}: it does not say how it wants its radiographs ({', '.join(missing)}); put {sidecar.path} beside it with "
            f"{example}, in intensities from 0 to 1, with one mean for each channel"
        )
        raise ModelError(message)
    try:
        return Preprocessing.from_json(known)
    except ValueError as error:
        message = f"{sidecar.path}: not a description with usable preprocessing ({error})"
        raise ModelError(message) from error


# Not in inference mode: what a network keeps of its first pass must serve gradients later
@torch.no_grad()
def _check_outputs(
    network: nn.Module, preprocessing: Preprocessing, count: int, whose: str, sidecar: Sidecar
) -> None:
    """Refuse a network that does not give a logit for each name, by one forward pass."""
    shape = (preprocessing.channels, preprocessing.size_px, preprocessing.size_px)
    try:
        logits = network(torch.zeros(1, *shape))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        message = (
            f"{whose}: the network takes no input of {' × '.join(map(str, shape))} ({first_line(error)[:200]}); "
            f"is the preprocessing its own?"
        )
        raise ModelError(message) from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        message = f"{whose}: the network gives no logits N × C, is it a classifier?"
        raise ModelError(message)
    if logits.shape[1] != count:
        message = f"{whose}: it has {logits.shape[1]} outputs, but {count} names; {HOW_TO_NAME.format(sidecar=sidecar.path)}"
        raise ModelError(message)
