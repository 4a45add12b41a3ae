"""A panel of a scene as a still picture: radiograph, heatmap, the method's mask and the experts' contours.

Drawn as the viewer draws them, in the same colours, without a browser and in milliseconds. For figures with type and
lines that stay sharp at any size see `shamsul_core.figures.print.panel`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from shamsul_core.figures.colours import EXPERT, MASK, rgb
from shamsul_core.figures.scene.display import AS_AT_FIRST
from shamsul_core.figures.scene.overlay import map_for_screen, quantise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shamsul_core.figures.scene.display import Display
    from shamsul_core.figures.scene.scene import Outline, Panel, Scene
    from shamsul_core.heatmap import FloatArray

RgbArray: TypeAlias = npt.NDArray[np.uint8]
"""uint8, h × w × 3: red, green, blue."""

Part: TypeAlias = tuple[slice, slice]
"""Rows and columns of a radiograph."""

Line: TypeAlias = npt.NDArray[np.float64]
"""n × 2, x and y in the picture's pixels."""

Colour: TypeAlias = tuple[int, int, int]

EXPERT_COLOUR, MASK_COLOUR = rgb(EXPERT), rgb(MASK)
"""sRGB. The experts' contour is a continuous line, the mask's a dashed one, so that no colour is needed to tell them
apart."""

_LINE = 1 / 400
"""Width of outlines in the picture's longer side, a pixel at least: the contour of a catheter must leave it in sight."""

_SHADOW = 0.65
"""Share of black beside an outline, which keeps it visible on bright bone."""

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


def still(scene: Scene, panel: Panel, longest_px: int, display: Display = AS_AT_FIRST) -> RgbArray:
    """Return a panel as a picture with all its outlines.

    Parameters
    ----------
    scene, panel
        The panel is one of the scene's.
    longest_px
        Length of the picture's longer side; the other keeps the radiograph's shape.
    display
        How the heatmap is drawn and which part is shown; the scene is as `displayed_scene` makes it.
    """
    picture = blended(scene, panel, longest_px, display)
    part = display.shown_part(scene.pixels.shape)
    scale = longest_px / _longer_side(part)
    width = max(1, round(longest_px * _LINE))
    masks = [_on_picture(outline, part, scale) for outline in panel.outlines]
    experts = [_on_picture(outline, part, scale) for outline in scene.expert_outlines]
    if len(masks) > SPECKLED:
        _stroke(picture, masks, MASK_COLOUR, 1)
    else:
        _draw_around(picture, masks, MASK_COLOUR, width, is_dashed=True)
    _draw_around(picture, experts, EXPERT_COLOUR, width)
    return picture


def blended(scene: Scene, panel: Panel, longest_px: int, display: Display = AS_AT_FIRST) -> RgbArray:
    """Return the radiograph with a panel's heatmap over it, hatched where that is uncertain; no outlines.

    Where the panel has no heatmap but should, the radiograph is darkened; `Panel.message` says why.

    Parameters
    ----------
    scene, panel, longest_px, display
        As in `still`.
    """
    part = display.shown_part(scene.pixels.shape)
    visible = scene.pixels[part]
    height, width = (max(1, round(side * longest_px / max(visible.shape))) for side in visible.shape)
    how = cv2.INTER_AREA if longest_px < max(visible.shape) else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(visible, (width, height), interpolation=how), np.float32)
    if panel.relevance is None or not display.has_heatmap:
        grey = grey if panel.message is None else grey * np.float32(_WITHOUT_HEATMAP)
        return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)
    relevance = _on_grid(panel, scene.pixels.shape, part, (height, width))
    levels = quantise(relevance, float(np.abs(panel.relevance).max(initial=0)))
    colours = display.colour_map.table.astype(np.float32)[levels.astype(np.intp) + 127]
    share = colours[..., 3:] * np.float32(display.opacity / 255)
    picture = grey[..., None] * (1 - share) + colours[..., :3] * share
    if panel.uncertain is not None:
        uncertain = panel.uncertain.astype(np.uint8)
        where = _sampled(uncertain, scene.pixels.shape, part, (height, width), cv2.INTER_NEAREST_EXACT) > 0
        _hatch(picture, where, longest_px)
    return np.asarray(np.rint(picture), np.uint8)


def encode_png(picture: RgbArray) -> bytes:
    """Return a picture as PNG, the same bytes for the same picture."""
    return bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1])


def encode_jpeg(picture: RgbArray) -> bytes:
    """Return a picture as JPEG, a seventh of the PNG's size, for the screen."""
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1])


def _on_grid(panel: Panel, whole: tuple[int, ...], part: Part, size: tuple[int, int]) -> FloatArray:
    """Bring relevance to a picture's grid before it is coloured: interpolated colours would be other colours."""
    relevance = cast("FloatArray", panel.relevance)
    is_finer = max(relevance.shape) > max(size)
    smooth = cv2.INTER_AREA if is_finer else cv2.INTER_LINEAR
    how = cv2.INTER_NEAREST_EXACT if panel.is_piecewise else smooth
    if _is_whole(part, whole):
        return np.asarray(cv2.resize(relevance, size[::-1], interpolation=how), np.float32)
    fine = map_for_screen(relevance, is_piecewise=panel.is_piecewise)  # OpenCV warps to 1/32 of a pixel
    return np.asarray(_sampled(fine, whole, part, size, how), np.float32)


def _sampled(
    values: npt.NDArray[Any], whole: tuple[int, ...], part: Part, size: tuple[int, int], how: int
) -> npt.NDArray[Any]:
    """Sample a map over the whole radiograph on the grid of a picture of its part."""
    if _is_whole(part, whole):
        return np.asarray(cv2.resize(values, size[::-1], interpolation=how))
    along = []
    for side in (1, 0):
        step = (part[side].stop - part[side].start) / size[
            side
        ]  # pixels of the radiograph in one of the picture
        share = values.shape[side] / whole[side]
        along.append((step * share, (part[side].start + step / 2) * share - 0.5))
    (across, left), (down, top) = along
    matrix = np.array([[across, 0, left], [0, down, top]])
    nearest = how == cv2.INTER_NEAREST_EXACT
    flags = (cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(values, matrix, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )


def _is_whole(part: Part, whole: tuple[int, ...]) -> bool:
    return all(side.stop - side.start == length for side, length in zip(part, whole, strict=True))


def _longer_side(part: Part) -> int:
    return int(max(side.stop - side.start for side in part))


def _hatch(picture: FloatArray, where: npt.NDArray[np.bool_], longest_px: int) -> None:
    """Draw diagonal lines where a heatmap is uncertain, in place."""
    height, width = picture.shape[:2]
    thickness = max(1, round(longest_px / 500))
    phase = (np.arange(height)[:, None] + np.arange(width)) % (8 * thickness)
    picture[where & (phase < 3 * thickness)] *= np.float32(1 - _DARKER)
    lines = where & (phase >= thickness) & (phase < 2 * thickness)
    picture[lines] += (255 - picture[lines]) * np.float32(_BRIGHTER)


def _on_picture(outline: Outline, part: Part, scale: float) -> Line:
    """Return an outline in the picture's pixels; OpenCV counts from the centre of the first pixel."""
    corner = [part[1].start, part[0].start]
    return (np.asarray(outline, np.float64) - corner + 0.5) * scale - 0.5


def _draw_around(
    picture: RgbArray, outlines: Sequence[Line], colour: Colour, width: int, *, is_dashed: bool = False
) -> None:
    """Draw a line of this width with a shadow around a region and none of it inside, so that a tube stays in sight."""
    if not outlines:
        return
    untouched = picture.copy()
    lines = [dash for line in outlines for dash in _dashes(line, width)] if is_dashed else outlines
    dark = picture.copy()
    _stroke(dark, lines, (0, 0, 0), 2 * width + 2, is_closed=not is_dashed)
    cv2.addWeighted(dark, _SHADOW, picture, 1 - _SHADOW, 0, dst=picture)
    _stroke(picture, lines, colour, 2 * width, is_closed=not is_dashed)
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, _fixed(outlines), 1, shift=_SUBPIXEL_BITS)
    cv2.copyTo(untouched, inside, picture)


def _stroke(
    picture: RgbArray, lines: Sequence[Line], colour: Colour, width: int, *, is_closed: bool = True
) -> None:
    cv2.polylines(picture, _fixed(lines), is_closed, colour, width, cv2.LINE_AA, shift=_SUBPIXEL_BITS)


def _fixed(lines: Sequence[Line]) -> list[npt.NDArray[np.int32]]:
    """Return lines as OpenCV takes fractions of a pixel."""
    return [np.rint(line * 2**_SUBPIXEL_BITS).astype(np.int32) for line in lines]


def _dashes(line: Line, width: int) -> Iterator[Line]:
    """Cut a closed line of this width into dashes."""
    dash, gap = (width * length for length in _DASH)
    closed = np.concatenate([line, line[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    for start in np.arange(0, along[-1], dash + gap):
        ends = np.array([start, min(start + dash, along[-1])])
        inner = closed[(along > ends[0]) & (along < ends[1])]
        first, last = (np.array([np.interp(end, along, closed[:, axis]) for axis in (0, 1)]) for end in ends)
        yield np.concatenate([first[None], inner, last[None]])
