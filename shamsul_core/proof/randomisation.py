"""Cascading randomisation: the network forgets its layers from the output down (Adebayo et al. 2018).

A map that stays as it was explains something else than the network. Quantus' ``MPRT`` goes through the same layers in the
same order.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from shamsul_core.explain import Subject
from shamsul_core.proof.catalogue import STAGES
from shamsul_core.proof.maps import maps_of, model_free_maps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.proof.catalogue import Measured
    from shamsul_core.proof.examined import Examined
    from shamsul_core.proof.maps import Maps


def measure(examined: Examined, keep: dict[str, Maps] | None = None) -> Iterator[Measured]:
    """Yield how alike the maps of a network that has forgotten more and more are to those of the network itself.

    Parameters
    ----------
    keep
        Takes the maps of each stage, where they are wanted.
    """
    pixels = examined.subject.pixels
    for stage, share, forgetful in cascade(examined.subject.classifier, examined.seed):
        subject = Subject(forgetful, pixels)
        maps = maps_of(subject, examined.explainers, examined.pathologies)
        maps |= model_free_maps(subject, examined.pathologies)
        if keep is not None:
            keep[stage] = maps
        yield from examined.compare(maps, stage, share)


def cascade(classifier: Classifier, seed: int) -> Iterator[tuple[str, float, Classifier]]:
    """Yield a classifier with more and more of its layers randomised, from the output down; the given one stays as it is.

    Parameters
    ----------
    seed
        Another one for each radiograph: what maps of a single random network have in common is no property of a method.

    Yields
    ------
    tuple
        Name of the stage, one of `shamsul_core.proof.catalogue.STAGES`; share of the layers, 0..1; the classifier.

    Raises
    ------
    ValueError
        If the network has no weights to randomise.
    """
    layers = layers_from_output(classifier.network)
    if not layers:
        message = f"the layers of {classifier.source} cannot be randomised: it has no weights in torch"
        raise ValueError(message)
    for name, share in STAGES.items():
        count = 1 if share is None else max(1, round(share * len(layers)))
        yield name, count / len(layers), _randomised(classifier, count, seed)


def layers_from_output(network: nn.Module) -> list[str]:
    """Return the names of the modules that hold weights of their own, the last one first."""
    return [name for name, module in network.named_modules() if _has_weights(module)][::-1]


def _has_weights(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))


def _randomised(classifier: Classifier, count: int, seed: int) -> Classifier:
    network = copy.deepcopy(classifier.network)
    modules = dict(network.named_modules())
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for name in layers_from_output(network)[:count]:
            _forget(modules[name])
    return replace(classifier, network=network)


def _forget(module: nn.Module) -> None:
    """Initialise a layer anew as torch does; where it does not say how, shuffle the layer's weights."""
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
        return
    for weights in module.parameters(recurse=False):
        shuffled = weights.flatten()[torch.randperm(weights.numel())]
        weights.copy_(shuffled.view_as(weights))
