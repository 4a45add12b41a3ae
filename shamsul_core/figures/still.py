"""A panel of a scene as a still picture: radiograph, heatmap, the method's mask and the experts' contours.

Drawn as the viewer draws them, in the same colours, without a browser and in milliseconds. For figures with type and
lines that stay sharp at any size see `shamsul_core.figures.printed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from shamsul_core.figures.overlay import quantise
from shamsul_core.figures.relevance_colours import COLOUR_MAPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.figures.scene import Outline, Panel, Scene
    from shamsul_core.heatmap import FloatArray

Picture: TypeAlias = npt.NDArray[np.uint8]
"""uint8, h × w × 3: red, green, blue."""

EXPERT_COLOUR = (61, 245, 166)
MASK_COLOUR = (255, 243, 196)
"""sRGB. The experts' contour is a thick continuous line, the mask's a thin dashed one, so that no colour is needed to
tell them apart."""

OPACITY = 0.65
"""Of the heatmap, as the viewer begins with."""

_WITHOUT_HEATMAP = 0.34
"""Brightness of the radiograph where there is no heatmap to show."""

_BRIGHTER, _DARKER = 0.55, 0.4
"""How far the hatching's lines and their shadows go towards white and black."""

_JPEG_QUALITY = 88
_SUBPIXEL_BITS = 4
_DASH = (7.0, 5.0)
"""Length of a dash and of a gap in line widths."""
SPECKLED = 60
"""A mask of more pieces than this would vanish under its own dashes."""


def still(scene: Scene, panel: Panel, longest_px: int) -> Picture:
    """Return a panel as a picture with all its outlines.

    Parameters
    ----------
    scene, panel
        The panel is one of the scene's.
    longest_px
        Length of the picture's longer side; the other keeps the radiograph's shape.
    """
    picture = blended(scene, panel, longest_px)
    scale = longest_px / max(scene.pixels.shape)
    width = max(1, round(longest_px / 200))
    masks = [_on_picture(outline, scale) for outline in panel.outlines]
    is_speckled = len(masks) > SPECKLED
    dashed = masks if is_speckled else [dash for line in masks for dash in _dashes(line, width)]
    experts = [_on_picture(outline, scale) for outline in scene.expert_outlines]
    for lines, colour, thickness, is_closed in (
        (dashed, MASK_COLOUR, 1 if is_speckled else width, is_speckled),
        (experts, EXPERT_COLOUR, width + 1, True),
    ):
        fixed = [np.rint(line * 2**_SUBPIXEL_BITS).astype(np.int32) for line in lines]
        halo = () if is_speckled and colour == MASK_COLOUR else (((0, 0, 0), 2),)
        for shade, extra in (*halo, (colour, 0)):
            cv2.polylines(
                picture, fixed, is_closed, shade, thickness + extra, cv2.LINE_AA, shift=_SUBPIXEL_BITS
            )
    return picture


def blended(scene: Scene, panel: Panel, longest_px: int, *, opacity: float = OPACITY) -> Picture:
    """Return the radiograph with a panel's heatmap over it, hatched where that is uncertain; no outlines.

    Where the panel has no heatmap but should, the radiograph is darkened; `Panel.message` says why.

    Parameters
    ----------
    scene, panel, longest_px
        As in `still`.
    opacity
        0..1, of the greatest relevance.
    """
    height, width = (
        max(1, round(side * longest_px / max(scene.pixels.shape))) for side in scene.pixels.shape
    )
    is_shrunk = longest_px < max(scene.pixels.shape)
    how = cv2.INTER_AREA if is_shrunk else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(scene.pixels, (width, height), interpolation=how), np.float32)
    if panel.relevance is None:
        grey = grey if panel.message is None else grey * np.float32(_WITHOUT_HEATMAP)
        return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)
    relevance = _on_grid(panel.relevance, (height, width), is_piecewise=panel.is_piecewise)
    levels = quantise(relevance, float(np.abs(panel.relevance).max(initial=0)))
    colours = COLOUR_MAPS[0].table.astype(np.float32)[levels.astype(np.intp) + 127]
    share = colours[..., 3:] * np.float32(opacity / 255)
    picture = grey[..., None] * (1 - share) + colours[..., :3] * share
    if panel.uncertain is not None:
        _hatch(picture, panel.uncertain, longest_px)
    return np.asarray(np.rint(picture), np.uint8)


def encode_png(picture: Picture) -> bytes:
    """Return a picture as PNG, the same bytes for the same picture."""
    return bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1])


def encode_jpeg(picture: Picture) -> bytes:
    """Return a picture as JPEG, a seventh of the PNG's size, for the screen."""
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1])


def _on_grid(relevance: FloatArray, size: tuple[int, int], *, is_piecewise: bool) -> FloatArray:
    """Bring relevance to a picture's grid before it is coloured: interpolated colours would be other colours."""
    is_finer = max(relevance.shape) > max(size)
    smooth = cv2.INTER_AREA if is_finer else cv2.INTER_LINEAR
    how = cv2.INTER_NEAREST_EXACT if is_piecewise else smooth
    return np.asarray(cv2.resize(relevance, size[::-1], interpolation=how), np.float32)


def _hatch(picture: FloatArray, uncertain: npt.NDArray[np.bool_], longest_px: int) -> None:
    """Draw diagonal lines where a heatmap is uncertain, in place."""
    height, width = picture.shape[:2]
    where = cv2.resize(uncertain.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT) > 0
    thickness = max(1, round(longest_px / 500))
    phase = (np.arange(height)[:, None] + np.arange(width)) % (8 * thickness)
    picture[where & (phase < 3 * thickness)] *= np.float32(1 - _DARKER)
    lines = where & (phase >= thickness) & (phase < 2 * thickness)
    picture[lines] += (255 - picture[lines]) * np.float32(_BRIGHTER)


def _on_picture(outline: Outline, scale: float) -> npt.NDArray[np.float64]:
    """Return an outline in the picture's pixels; OpenCV counts from the centre of the first pixel."""
    return (np.asarray(outline, np.float64) + 0.5) * scale - 0.5


def _dashes(line: npt.NDArray[np.float64], width: int) -> Iterator[npt.NDArray[np.float64]]:
    """Cut a closed line of this width into dashes."""
    dash, gap = (width * length for length in _DASH)
    closed = np.concatenate([line, line[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    for start in np.arange(0, along[-1], dash + gap):
        ends = np.array([start, min(start + dash, along[-1])])
        inner = closed[(along > ends[0]) & (along < ends[1])]
        first, last = (np.array([np.interp(end, along, closed[:, axis]) for axis in (0, 1)]) for end in ends)
        yield np.concatenate([first[None], inner, last[None]])
