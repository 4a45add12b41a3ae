"""One radiograph's result in one safetensors file.

Tensors: ``<method>/<pathology>`` (the heatmap's values), ``<method>/<pathology>/standard_error`` and
``<method>/superpixels``. The metadata's ``record`` is JSON: id, size, probabilities, what each heatmap is, failures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import inf, prod
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save

from shamsul_core.heatmap import WHOLE, Field, Heatmap
from shamsul_core.messages import quoted
from shamsul_core.run.bounds import LONGEST_REASON
from shamsul_core.run.manifest import SCHEMA
from shamsul_core.run.removal import Removal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

_HALF_FROM = 4096
"""Maps of more values than this are kept as float16; superpixel values and 7 × 7 maps stay exact."""

_MOST_PIXELS, _MOST_DECODED = 2**25, 2**31
"""Values of one map, and bytes of all maps of a radiograph together, in memory."""

_FARTHEST = 100
"""Fractions of a radiograph beyond which no padding reaches."""


@dataclass(frozen=True)
class RadiographResult:
    """All that was found out about one radiograph.

    Parameters
    ----------
    size
        Height and width in pixels.
    probabilities
        Of each observation.
    heatmaps
        Every explanation that worked.
    failures
        (method, pathology, reason) of each that did not.
    made_with
        Which of `Manifest.made_with`; ``None`` in results from before this was kept, and in imported ones.
    removals
        By pathology, what its removal does, of simulated radiographs alone, see `Cohort.counterfactual`.
    novelty
        How far it lies from what the model was trained on, above 1 beyond 99 of 100 radiographs of that kind; ``None`` where
        that is not known, see `shamsul_core.classifier.novelty`.
    """

    image_id: str
    size: tuple[int, int]
    probabilities: Mapping[str, float]
    heatmaps: tuple[Heatmap, ...] = ()
    failures: tuple[tuple[str, str, str], ...] = ()
    made_with: str | None = None
    removals: Mapping[str, Removal] = field(default_factory=dict)
    novelty: float | None = None


def encode_result(result: RadiographResult) -> bytes:
    """Return the bytes of a result's file."""
    tensors: dict[str, npt.NDArray[Any]] = {}
    described: dict[str, dict[str, Any]] = {}
    for heatmap in result.heatmaps:
        key = f"{heatmap.method}/{heatmap.pathology}"
        tensors |= _tensors(key, heatmap)
        described[key] = {
            "output": heatmap.output,
            "converged": heatmap.converged,
            "evaluations": heatmap.evaluations,
            "scale": _scale(heatmap),
            "superpixels": heatmap.superpixels is not None,
        }
        if heatmap.field != WHOLE:
            described[key]["field"] = list(heatmap.field)
    record = {
        "schema": SCHEMA,
        "image_id": result.image_id,
        "size": list(result.size),
        "probabilities": dict(result.probabilities),
        "heatmaps": described,
        "failures": [list(failure) for failure in result.failures],
    }
    if result.made_with is not None:
        record["made_with"] = result.made_with
    if result.novelty is not None:
        record["novelty"] = result.novelty
    if result.removals:
        record["removals"] = {
            name: [removal.logit, removal.logit_without] for name, removal in result.removals.items()
        }
    return save(tensors, {"record": json.dumps(record)})


def _tensors(key: str, heatmap: Heatmap) -> dict[str, npt.NDArray[Any]]:
    """Return a heatmap's tensors; the superpixels, the same for all pathologies of a method, stand once."""
    values = heatmap.values / np.float32(_scale(heatmap))
    tensors = {key: values.astype(np.float16 if _is_halved(heatmap) else np.float32)}
    if heatmap.standard_error is not None:
        tensors[f"{key}/standard_error"] = heatmap.standard_error.astype(np.float32)
    if heatmap.superpixels is not None:
        count = len(heatmap.values)
        tensors[f"{heatmap.method}/superpixels"] = heatmap.superpixels.astype(
            np.uint8 if count <= 256 else np.uint16
        )
    return tensors


def _is_halved(heatmap: Heatmap) -> bool:
    """Return whether a map is kept as float16: large ones are, but for imported ones, which stay as they came."""
    return heatmap.values.size > _HALF_FROM and heatmap.output is not None


def _scale(heatmap: Heatmap) -> float:
    """Return what float16 maps are divided by, so that their small values do not vanish; a power of two is exact."""
    largest = float(np.abs(heatmap.values).max(initial=0))
    return float(2.0 ** np.ceil(np.log2(largest))) if _is_halved(heatmap) and largest > 0 else 1.0


def checked_record(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose parts are what `make_result` and `decode_heatmap` take them for.

    Raises
    ------
    LookupError, TypeError, AttributeError, ValueError
        If one is missing or is something else.
    """
    height, width = record["size"]
    is_sized = isinstance(height, int) and isinstance(width, int) and height > 0 < width
    is_sized = is_sized and height * width <= _MOST_PIXELS
    is_probable = all(0 <= probability <= 1 for probability in record["probabilities"].values())
    is_failing = all(isinstance(word, str) for failure in record["failures"] for word in failure)
    is_mapping = all(isinstance(heatmap, dict) for heatmap in record["heatmaps"].values())
    if not (is_sized and is_probable and is_failing and is_mapping):
        message = "its record is damaged"
        raise ValueError(message)
    _removals(record)
    _novelty(record)
    return record


def _removals(record: Mapping[str, Any]) -> dict[str, Removal]:
    stored = record.get("removals", {})
    return {name: Removal(float(logit), float(without)) for name, (logit, without) in stored.items()}


def _novelty(record: Mapping[str, Any]) -> float | None:
    stored = record.get("novelty")
    novelty = None if stored is None else float(stored)
    if novelty is not None and not 0 <= novelty < inf:
        message = "its novelty is no distance"
        raise ValueError(message)
    return novelty


def decode_heatmaps(
    file: Any, described: Mapping[str, Mapping[str, Any]]
) -> tuple[tuple[Heatmap, ...], tuple[tuple[str, str, str], ...]]:
    """Read every heatmap of an open file; return them, and (method, pathology, reason) of each that is no map."""
    heatmaps, failures = [], []
    decoded = 0
    for key, description in described.items():
        try:
            heatmaps.append(decode_heatmap(file, key, description))
            decoded += _bytes(heatmaps[-1])
            if decoded > _MOST_DECODED:
                message = f"its maps take more than {_MOST_DECODED:,} bytes"
                raise MemoryError(message)
        except ValueError as error:
            method, pathology = key.split("/", 1)
            failures.append((method, pathology, str(error)))
    return tuple(heatmaps), tuple(failures)


def decode_heatmap(file: Any, key: str, description: Mapping[str, Any]) -> Heatmap:
    """Read one heatmap of an open file; `description` is what the record says of it.

    Raises
    ------
    ValueError
        If what is stored is no map.
    """
    method, pathology = key.split("/", 1)
    names = set(file.keys())
    error = f"{key}/standard_error"
    for name in names & {key, error, f"{method}/superpixels"}:
        if prod(file.get_slice(name).get_shape()) > _MOST_PIXELS:
            message = f"{name} has more than {_MOST_PIXELS:,} values"
            raise ValueError(message)
    values = file.get_tensor(key).astype(np.float32) * np.float32(description["scale"])
    superpixels = (
        file.get_tensor(f"{method}/superpixels").astype(np.intp) if description["superpixels"] else None
    )
    standard_error = file.get_tensor(error) if error in names else None
    extent = values if superpixels is None else superpixels
    if extent.ndim != 2 or not extent.size or not np.isfinite(values).all():
        message = f"{key} is not a map of finite values"
        raise ValueError(message)
    if superpixels is not None and (
        values.ndim != 1 or not 0 <= superpixels.min() <= superpixels.max() < len(values)
    ):
        message = f"{key} has {len(values)} values for more superpixels"
        raise ValueError(message)
    if standard_error is not None and standard_error.shape != values.shape:
        message = f"{key} has another number of standard errors than of values"
        raise ValueError(message)
    return Heatmap(
        method=method,
        pathology=pathology,
        output=description["output"],
        values=values,
        superpixels=superpixels,
        standard_error=standard_error,
        converged=description["converged"],
        evaluations=description["evaluations"],
        field=_field(description.get("field", WHOLE)),
    )


def _field(stored: Sequence[float]) -> Field:
    top, left, bottom, right = map(float, stored)
    if not (-_FARTHEST < top < bottom < _FARTHEST and -_FARTHEST < left < right < _FARTHEST):
        message = f"its field {quoted(stored)} is no part of a radiograph"
        raise ValueError(message)
    return top, left, bottom, right


def _bytes(heatmap: Heatmap) -> int:
    arrays = (heatmap.values, heatmap.standard_error, heatmap.superpixels)
    return sum(array.nbytes for array in arrays if array is not None)


def make_result(
    record: Mapping[str, Any],
    heatmaps: tuple[Heatmap, ...] = (),
    failures: tuple[tuple[str, str, str], ...] = (),
) -> RadiographResult:
    """Return a result from its record, its heatmaps that were read, and the failures of those that could not be."""
    return RadiographResult(
        record["image_id"],
        (record["size"][0], record["size"][1]),
        record["probabilities"],
        heatmaps,
        (
            *((method, name, reason[:LONGEST_REASON]) for method, name, reason in record["failures"]),
            *failures,
        ),
        record.get("made_with"),
        _removals(record),
        _novelty(record),
    )
