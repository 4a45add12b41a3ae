"""The one block of bytes in which a scene travels to the browser.

The block is, in this order:

1. the header's length in bytes, unsigned 32 bits, little-endian,
2. the header, JSON in UTF-8,
3. the blobs end to end. The header names each by ``{"offset", "length", "hash"}``; offsets count from the first
   blob. Equal hashes mean equal bytes, so that the browser decodes again only what changed.

The radiograph is a grey JPEG, relevance int8, outlines float32 pairs x, y in pixels of the full radiograph, maps to
threshold uint16, readings at each threshold float32, and colours the tables of
`shamsul_core.figures.scene.relevance_colours`.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from shamsul_core.cohort.truth_words import BOX
from shamsul_core.figures.scene.relevance_colours import COLOUR_MAPS, ColourMap
from shamsul_core.figures.scene.scene import EXPERT, Picture
from shamsul_core.localisation.segmentation import resize
from shamsul_core.run.wording import METHOD_NAMES, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.figures.scene.scene import Agreement, Levels, Outline, Panel, Scene, WithoutFinding
    from shamsul_core.heatmap import FloatArray

RADIOGRAPH_SIZE_PX = 2048
MAP_SIZE_PX = 224
JPEG_QUALITY = 85
LONGEST_PHRASE = 600
"""Characters of a report's words that the viewer shows."""
_LEVELS = 127
_SIMPLIFIED_PX = 1.0


def encode_scene(scene: Scene) -> bytes:
    """Return a scene as the viewer reads it.

    Raises
    ------
    ValueError
        If two panels share a key, or an array does not have the type or shape it should have.
    """
    keys = [panel.key for panel in scene.panels]
    if len(set(keys)) < len(keys):
        msg = f"The panels' keys must differ: {', '.join(keys)}."
        raise ValueError(msg)
    blobs = _Blobs()
    header = {
        "version": 2,
        "image_id": scene.image_id,
        "pathology": scene.pathology,
        "banner": scene.banner,
        "side_markers": scene.side_markers,
        "facts": [asdict(fact) for fact in scene.facts],
        "radiograph": _radiograph(scene.radiograph, blobs),
        "colours": [_colours(colours, blobs) for colours in COLOUR_MAPS],
        "expert_outlines": _outlines(scene.expert_outlines, blobs),
        "readers": [
            {"reader": mark.reader, "outlines": _outlines(mark.outlines, blobs)} for mark in scene.readers
        ],
        "boxes": [boxes.tolist() for boxes in scene.boxes],
        "phrase": scene.phrase[:LONGEST_PHRASE],
        "truth": _truth(scene),
        "prediction_rule": scene.prediction_rule,
        "threshold_rule": scene.threshold_rule,
        "is_above_form": scene.is_above_form,
        "can_draw": scene.can_draw,
        "panels": [_panel(panel, scene, blobs) for panel in scene.panels],
        "grid": [asdict(row) for row in scene.grid],
        "agreements": [_agreement(pair, blobs) for pair in scene.agreements],
        "without": None if scene.without is None else _without(scene.without, blobs),
    }
    text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
    return b"".join([struct.pack("<I", len(text)), text, *blobs.parts])


def decode_scene(block: bytes) -> dict[str, Any]:
    """Return the header of an encoded scene with each blob's bytes in the place of its address."""
    (length,) = struct.unpack_from("<I", block)
    start = 4 + length

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"offset", "length", "hash"}:
            return block[start + value["offset"] :][: value["length"]]
        return {name: resolve(item) for name, item in value.items()}

    return {name: resolve(item) for name, item in json.loads(block[4:start]).items()}


def quantise(relevance: FloatArray, greatest: float) -> npt.NDArray[np.int8]:
    """Return relevance in 1/127 of the `greatest` absolute one, -127..127; off by at most ``greatest / 254``.

    >>> quantise(np.array([[-2.0, 0.0, 1.0]], np.float32), 2.0)
    array([[-127,    0,   64]], dtype=int8)
    """
    if greatest == 0:
        return np.zeros(relevance.shape, np.int8)
    return np.rint(relevance.astype(np.float64) / greatest * _LEVELS).astype(np.int8)


def map_for_screen(relevance: FloatArray, *, is_piecewise: bool) -> FloatArray:
    """Return a heatmap at the resolution in which it travels, its longer side at most 224.

    A coarse map, such as Grad-CAM's 7 × 7, is interpolated bilinearly with half-pixel centres to 224 *before* it is
    coloured: interpolated colours would be other colours than those of the interpolated relevance. Superpixels are
    never interpolated. A finer map is averaged over areas. Both maps are float32, h × w.
    """
    longest = max(relevance.shape)
    if longest == MAP_SIZE_PX or (longest < MAP_SIZE_PX and is_piecewise):
        return relevance
    height, width = (max(1, round(side * MAP_SIZE_PX / longest)) for side in relevance.shape)
    if longest < MAP_SIZE_PX:
        return resize(relevance, (height, width))
    how = cv2.INTER_NEAREST_EXACT if is_piecewise else cv2.INTER_AREA
    return np.asarray(cv2.resize(relevance, (width, height), interpolation=how), dtype=np.float32)


@dataclass
class _Blobs:
    """The blobs so far; equal ones stand once."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, content: bytes) -> dict[str, Any]:
        """Return the address of a blob."""
        name = hashlib.blake2b(content, digest_size=12).hexdigest()
        if name not in self.known:
            self.known[name] = {"offset": self.size, "length": len(content), "hash": name}
            self.parts.append(content)
            self.size += len(content)
        return self.known[name]


def picture_of(pixels: npt.NDArray[np.uint8]) -> Picture:
    """Return a radiograph as it travels, from uint8, H × W.

    Raises
    ------
    ValueError
        If it is not one.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or not pixels.size:
        msg = (
            f"A radiograph is uint8, H × W; this one is {pixels.dtype}, {' × '.join(map(str, pixels.shape))}."
        )
        raise ValueError(msg)
    height, width = pixels.shape
    scale = RADIOGRAPH_SIZE_PX / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return Picture(width=width, height=height, jpeg=jpeg.tobytes())


def map_for_thresholds(scaled: FloatArray) -> npt.NDArray[np.uint16]:
    """Return a full-size map from 0 to 1 as `Levels` has it, both sides at most 224.

    Each value is that of the full map in the middle of its cell, so that the mask drawn from it is the full mask to
    within a cell.
    """
    height, width = (min(side, MAP_SIZE_PX) for side in scaled.shape)
    sampled = cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.floor(np.asarray(sampled, np.float64) * np.iinfo(np.uint16).max).astype(np.uint16)


def _truth(scene: Scene) -> dict[str, Any]:
    """Return what the viewer calls what experts marked, and the scores against it."""
    truth, grid = scene.truth, scene.grid_truth
    words = {
        "mark": sentence(truth.marked_as),
        "help": f"Solid outline: the {truth.marked_as} that the masks are compared with",
        "is_box": truth is BOX,
        "score": "",
        "legend": "",
    }
    if not scene.grid:  # such as in a blinded review, which names no score
        return words
    return words | {
        "score": sentence(grid.score),
        "legend": f"{sentence(grid.score_and_full)}: overlap of mask and {grid.noun}, 0 to 1; brighter is higher. ◉ hit: the "
        f"map's maximum is inside the {grid.noun}. ● labelled positive, ○ negative, ◐ uncertain, · blank. ✎ "
        f"{grid.noun} available. – no value; hover for the reason.",
    }


def _radiograph(picture: Picture, blobs: _Blobs) -> dict[str, Any]:
    return {"width": picture.width, "height": picture.height, "jpeg": blobs.add(picture.jpeg)}


def _without(without: WithoutFinding, blobs: _Blobs) -> dict[str, Any]:
    return {
        "jpeg": blobs.add(without.picture.jpeg),
        "changed": _outlines(without.changed, blobs),
        "caption": without.caption,
    }


def _colours(colours: ColourMap, blobs: _Blobs) -> dict[str, Any]:
    return {
        "key": colours.key,
        "title": colours.title,
        "help": colours.help,
        "is_signed": bool(colours.against),
        "table": blobs.add(colours.table.tobytes()),
    }


def _levels(levels: Levels, blobs: _Blobs) -> dict[str, Any]:
    return {
        "height": levels.map.shape[0],
        "width": levels.map.shape[1],
        "map": blobs.add(levels.map.astype("<u2").tobytes()),
        "iou": None if levels.iou is None else blobs.add(levels.iou.astype("<f4").tobytes()),
        "area": blobs.add(levels.area.astype("<f4").tobytes()),
        "level": None if np.isnan(levels.level) else levels.level,
    }


def _agreement(pair: Agreement, blobs: _Blobs) -> dict[str, Any]:
    return {
        "one": pair.one,
        "other": pair.other,
        "iou": None if np.isnan(pair.iou) else pair.iou,
        "levels": blobs.add(pair.levels.astype("<f4").tobytes()),
    }


def _panel(panel: Panel, scene: Scene, blobs: _Blobs) -> dict[str, Any]:
    return {
        "key": panel.key,
        "title": panel.title,
        "full_name": METHOD_NAMES.get(panel.key),
        "label": panel.spoken(scene.pathology),
        "metrics": [asdict(metric) for metric in panel.metrics],
        # A reason that already stands on the picture is not said twice.
        "note": None if panel.note == panel.message else panel.note,
        "message": panel.message,
        "is_failed": panel.relevance is None and panel.key != EXPERT,
        "map": None if panel.message or panel.relevance is None else _map(panel, panel.relevance, blobs),
        "outlines": _outlines(panel.outlines, blobs),
        "levels": None if panel.levels is None else _levels(panel.levels, blobs),
        "uncertain": _outlines(_uncertain_regions(panel, scene.radiograph), blobs),
    }


def _map(panel: Panel, relevance: FloatArray, blobs: _Blobs) -> dict[str, Any]:
    if relevance.ndim != 2 or not np.isfinite(relevance).all():
        msg = f"{panel.title}: a heatmap is h × w and finite; this one is {relevance.shape} or holds NaN."
        raise ValueError(msg)
    greatest = float(np.abs(relevance).max())
    levels = quantise(map_for_screen(relevance, is_piecewise=panel.is_piecewise), greatest)
    return {
        "height": levels.shape[0],
        "width": levels.shape[1],
        "greatest": greatest,
        "is_piecewise": panel.is_piecewise,
        "levels": blobs.add(levels.tobytes()),
    }


def _outlines(outlines: Sequence[Outline], blobs: _Blobs) -> dict[str, Any]:
    simplified = [_simplified(outline) for outline in outlines if len(outline)]
    points = np.concatenate(simplified) if simplified else np.empty((0, 2), np.float32)
    return {"counts": [len(outline) for outline in simplified], "points": blobs.add(points.tobytes())}


def _simplified(outline: Outline) -> npt.NDArray[np.float32]:
    """Drop points nearer than a pixel to the line without them: a mask's staircase, thousands of points, otherwise."""
    points = np.ascontiguousarray(outline, np.float32).reshape(-1, 2)
    return np.asarray(cv2.approxPolyDP(points, _SIMPLIFIED_PX, closed=True), np.float32).reshape(-1, 2)


def _uncertain_regions(panel: Panel, radiograph: Picture) -> tuple[Outline, ...]:
    if panel.uncertain is None or not panel.uncertain.any():
        return ()
    size = (radiograph.width, radiograph.height)
    mask = cv2.resize(panel.uncertain.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(contour[:, 0].astype(np.int32) for contour in contours)
