"""Set functions whose Shapley values are known."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np


def by_definition(function, count):
    """Shapley values by the paper's equation 2, over all coalitions."""
    values = np.zeros(count)
    for player in range(count):
        others = [one for one in range(count) if one != player]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for coalition in combinations(others, size):
                without = np.zeros(count)
                without[list(coalition)] = 1
                with_player = without.copy()
                with_player[player] = 1
                values[player] += weight * (function(with_player) - function(without))
    return values


def game(count, seed):
    """A random set function with interactions of every order."""
    table = np.random.default_rng(seed).normal(size=2**count)
    return lambda coalitions: table[(np.asarray(coalitions) @ 2 ** np.arange(count)).astype(int)]
