"""Noisy linear imputation (ROAD; Rong et al. 2022): what was removed is what its neighbours let one expect."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_NEIGHBOURS = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
"""Weights of the eight neighbours: a sixth beside and above, a twelfth across."""

_ACCURACY, _MOST_STEPS = 1e-5, 2000
"""Of the equations, in the picture's unit; the noise that is added to the solution is a thousand times as large."""

_FINEST, _COARSEST_PX = 4, 4


def impute(picture: Floats, removed: npt.NDArray[np.bool_], guess: Floats | None = None) -> Floats:
    """Return a picture in which each removed place is the weighted mean of its neighbours, removed ones too.

    The equations of Rong et al. (2022), appendix, which Quantus and the authors solve directly, by conjugate gradients:
    their matrix is symmetric and positive definite, since at a border the weights of the neighbours that are missing are
    taken from the diagonal as well. They are preconditioned on coarser and coarser grids (Bramble, Pasciak and Xu 1990),
    which a direct solver of half a radiograph's places would take 100 times as long for. Without the noise.

    Parameters
    ----------
    picture
        float64, h × w.
    removed
        bool, h × w; not everywhere.
    guess
        Where to begin: the solution of a similar mask. ``None`` begins with the mean of what is known.

    Raises
    ------
    ValueError
        If nothing is known.

    Examples
    --------
    >>> picture = np.array([[0.0, 9.0, 2.0]])
    >>> impute(picture, picture == 9).round(6).tolist()
    [[0.0, 1.0, 2.0]]
    """
    if removed.all():
        message = "every place of the picture is removed, so that there is nothing to impute it from"
        raise ValueError(message)
    if not removed.any():
        return picture.copy()
    known = np.where(removed, 0.0, picture)
    diagonal = _neighbours(np.ones_like(picture))
    right = np.where(removed, _neighbours(known), 0.0)
    begin = np.where(removed, picture[~removed].mean() if guess is None else guess, 0.0)
    return known + _solve(begin, right, diagonal, removed)


def _solve(begin: Floats, right: Floats, diagonal: Floats, removed: npt.NDArray[np.bool_]) -> Floats:
    """Solve diagonal · x - neighbours(x) = right for the removed places; the others are 0."""

    def apply(x: Floats) -> Floats:
        return np.asarray(np.where(removed, diagonal * x - _neighbours(x), 0.0))

    hats = [(_hats(removed.shape[0], grid), _hats(removed.shape[1], grid)) for grid in _grids(removed.shape)]
    energies = [_energies(down, across, diagonal, removed) for down, across in hats]

    def precondition(x: Floats) -> Floats:
        coarse = sum(
            (
                down @ ((down.T @ x @ across) / energy) @ across.T
                for (down, across), energy in zip(hats, energies, strict=True)
            ),
            np.float64(0),
        )
        return np.asarray(np.where(removed, x / diagonal + coarse, 0.0))

    solution = begin
    residual = right - apply(solution)
    direction = precondition(residual)
    power = float((residual * direction).sum())
    for _ in range(_MOST_STEPS):
        if float(np.abs(residual).max()) < _ACCURACY:
            break
        applied = apply(direction)
        step = power / float((direction * applied).sum())
        solution = solution + step * direction
        residual = residual - step * applied
        preconditioned = precondition(residual)
        former, power = power, float((residual * preconditioned).sum())
        direction = preconditioned + power / former * direction
    return solution


def _energies(down: Floats, across: Floats, diagonal: Floats, removed: npt.NDArray[np.bool_]) -> Floats:
    """Return what the equations' quadratic form gives each hat function of a grid, cut off outside the removed places."""
    energy = (down**2).T @ np.where(removed, diagonal, 0.0) @ across**2
    for row, column in np.argwhere(_NEIGHBOURS > 0) - 1:
        together = removed & _shifted(removed, row, column)
        pairs = (down * _shifted(down, row, 0)).T @ together.astype(np.float64)
        energy -= _NEIGHBOURS[row + 1, column + 1] * pairs @ (across * _shifted(across, column, 0))
    # A hat without removed places has none
    return np.where(energy > _ACCURACY, energy, np.inf)


def _shifted(values: npt.NDArray[Any], down: int, across: int) -> npt.NDArray[Any]:
    """Return values moved by a place in each direction or none, zeros coming in."""
    padded = np.pad(values, 1)
    height, width = values.shape
    return padded[1 + down : 1 + down + height, 1 + across : 1 + across + width]


def _grids(shape: Sequence[int]) -> list[int]:
    """Return the distances between the nodes of the coarser grids, in places."""
    grid, grids = _FINEST, []
    while min(shape) // grid >= _COARSEST_PX:
        grids.append(grid)
        grid *= 2
    return grids


@lru_cache(maxsize=32)
def _hats(count: int, grid: int) -> Floats:
    """Return hat functions of a coarser grid's nodes, float64, count × nodes."""
    nodes = np.arange(0, count + grid, grid)
    return np.asarray(np.maximum(1 - np.abs(np.arange(count)[:, None] - nodes) / grid, 0), np.float64)


def _neighbours(values: Floats) -> Floats:
    return np.asarray(cv2.filter2D(values, -1, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT), np.float64)
