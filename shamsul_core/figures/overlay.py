"""What the radiograph viewer shows, and the one block of bytes in which it travels to the browser.

The block is, in this order:

1. the header's length in bytes, unsigned 32 bits, little-endian,
2. the header, JSON in UTF-8,
3. the blobs end to end. The header names each by ``{"offset", "length", "hash"}``; offsets count from the first
   blob. Equal hashes mean equal bytes, so that the browser decodes again only what changed.

The radiograph is a grey JPEG, relevance int8, outlines float32 pairs x, y in pixels of the full radiograph, and the
colours the table of `shamsul_core.figures.relevance_colours`. Every word that a reader sees is made here.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from shamsul_core.figures.relevance_colours import relevance_colours
from shamsul_core.segmentation import Mask, resize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.heatmap import FloatArray

Outline: TypeAlias = npt.NDArray[np.integer | np.floating]
"""n × 2, x and y of pixel centres of the full radiograph, closed by itself."""

EXPERT = "expert"
"""Key of the panel with nothing but the radiograph and the expert's contours."""

RADIOGRAPH_SIZE_PX = 2048
MAP_SIZE_PX = 224
JPEG_QUALITY = 90
_LEVELS = 127
_SIMPLIFIED_PX = 1.0


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A reading under a picture: its name, its value as text, and what it means."""

    name: str
    value: str
    help: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One panel of the viewer.

    Parameters
    ----------
    key
        Unique in the scene: the method's name, or `EXPERT`.
    title
        What stands above the picture.
    relevance
        float32, h × w at the method's native resolution, signed, finite, the whole radiograph's extent. ``None`` in the
        expert's panel; in any other it means that there is no heatmap, and `note` says why.
    outlines
        Of the mask.
    metrics
        As they are read under the picture.
    note
        What else a reader must know; why there is no heatmap, or no IoU.
    is_piecewise
        Whether `relevance` is constant on superpixels, whose borders must stay sharp.
    uncertain
        bool, the shape of `relevance`: where it is within its own error of zero. Drawn hatched.
    """

    key: str
    title: str
    relevance: FloatArray | None = None
    outlines: tuple[Outline, ...] = ()
    metrics: tuple[Metric, ...] = ()
    note: str | None = None
    is_piecewise: bool = False
    uncertain: Mask | None = None

    @property
    def message(self) -> str | None:
        """What stands on the picture instead of a heatmap, ``None`` where there is one or none is due."""
        if self.relevance is None:
            return (
                None
                if self.key == EXPERT
                else self.note or "There is no heatmap, and no reason was recorded."
            )
        return None if np.any(self.relevance) else "The heatmap is zero everywhere."

    def spoken(self, pathology: str) -> str:
        """Return what the panel shows, for a reader who does not see it."""
        readings = (f"{metric.name} {metric.value}" for metric in self.metrics)
        remarks = dict.fromkeys(text for text in (self.message, self.note) if text)
        return ", ".join([self.title, pathology, *readings, *remarks])


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A radiograph, one pathology, and the panels side by side.

    Parameters
    ----------
    image_id
        The radiograph's id; the reader's zoom and window last as long as it stays the same.
    pathology
        What the heatmaps explain.
    pixels
        uint8, H × W.
    expert_outlines
        The expert's contours, drawn on every panel.
    panels
        In the order shown.
    banner
        What holds of everything shown, such as that the network is untrained.
    side_markers
        Which side of the patient is on the left and on the right of the screen; ``None`` in a lateral view.
    """

    image_id: str
    pathology: str
    pixels: npt.NDArray[np.uint8]
    expert_outlines: tuple[Outline, ...] = ()
    panels: tuple[Panel, ...] = ()
    banner: str | None = None
    side_markers: tuple[str, str] | None = ("R", "L")


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
        "version": 1,
        "image_id": scene.image_id,
        "pathology": scene.pathology,
        "banner": scene.banner,
        "side_markers": scene.side_markers,
        "radiograph": _radiograph(scene.pixels, blobs),
        "colours": blobs.add(relevance_colours().tobytes()),
        "expert_outlines": _outlines(scene.expert_outlines, blobs),
        "panels": [_panel(panel, scene, blobs) for panel in scene.panels],
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


def _radiograph(pixels: npt.NDArray[np.uint8], blobs: _Blobs) -> dict[str, Any]:
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
    return {"width": width, "height": height, "jpeg": blobs.add(jpeg.tobytes())}


def _panel(panel: Panel, scene: Scene, blobs: _Blobs) -> dict[str, Any]:
    return {
        "key": panel.key,
        "title": panel.title,
        "label": panel.spoken(scene.pathology),
        "metrics": [asdict(metric) for metric in panel.metrics],
        # A reason that already stands on the picture is not said twice.
        "note": None if panel.note == panel.message else panel.note,
        "message": panel.message,
        "is_failed": panel.relevance is None and panel.key != EXPERT,
        "map": None if panel.message or panel.relevance is None else _map(panel, panel.relevance, blobs),
        "outlines": _outlines(panel.outlines, blobs),
        "uncertain": _outlines(_uncertain_regions(panel, scene.pixels.shape), blobs),
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


def _uncertain_regions(panel: Panel, size: tuple[int, ...]) -> tuple[Outline, ...]:
    if panel.uncertain is None or not panel.uncertain.any():
        return ()
    height, width = size
    mask = cv2.resize(
        panel.uncertain.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(contour[:, 0].astype(np.int32) for contour in contours)
