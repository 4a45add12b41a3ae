"""What a reader may see of a case: the radiograph alone; then the methods, without their names if wanted.

The order of nameless methods is each reader's own and stays the same for a case.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.figures.scene.scene import EXPERT, Panel, Scene

if TYPE_CHECKING:
    from collections.abc import Sequence


def shuffled(methods: Sequence[str], reader: str, image_id: str, pathology: str) -> list[str]:
    """Return the methods in a reader's order for a case."""
    digest = hashlib.sha256("\n".join((reader, image_id, pathology)).encode()).digest()
    order = np.random.default_rng(list(digest)).permutation(len(methods))
    return [methods[place] for place in order]


def alone(scene: Scene) -> Scene:
    """Return a scene of the radiograph and nothing else: no map, no contour, no score and no label.

    It is made of what may be seen, so that what scenes may hold one day stays out by itself.
    """
    return Scene(
        image_id=scene.image_id,
        pathology=scene.pathology,
        radiograph=scene.radiograph,
        banner=scene.banner,
        side_markers=scene.side_markers,
        panels=(Panel(key=EXPERT, title="Radiograph"),),
    )


def blinded(scene: Scene, order: Sequence[str]) -> Scene:
    """Return a scene that tells nothing of which method is which, nor of their scores.

    Parameters
    ----------
    order
        The methods; the first becomes *Map A*.
    """
    by_key = {panel.key: panel for panel in scene.panels}
    panels = [by_key[EXPERT]] if EXPERT in by_key else []
    for place, method in enumerate(order):
        title = map_title(place)
        panels.append(
            replace(
                by_key[method], key=title, title=title, metrics=(), note=None, uncertain=None, levels=None
            )
        )
    return replace(scene, panels=tuple(panels), facts=(), grid=(), agreements=(), without=None)


def map_title(place: int) -> str:
    """Return what a map is called in a blinded review.

    >>> map_title(0)
    'Map A'
    """
    return f"Map {chr(ord('A') + place)}"
