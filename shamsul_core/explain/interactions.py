r"""LIME's coefficients and Shapley values as linear functions of interactions.

A coalition shows (s = 1) or hides (s = -1) each of n superpixels. Every function of coalitions is a sum of Walsh
functions, one for each set S of superpixels, whose coefficient is the interaction of just these:

.. math:: f(s) = \sum_S c_S \chi_S(s), \qquad \chi_S(s) = \prod_{i \in S} s_i

Both explanations are linear in f and treat all superpixels alike, so that the value of a superpixel in one Walsh
function depends only on the size of S and on whether the superpixel is in it: a `Readout`. For Shapley values: Gorji,
Amrollahi and Krause, *SHAP values via sparse Fourier representation* (NeurIPS 2025).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Readout:
    """Values of superpixels in the Walsh functions of each degree (the size of S), 0 first.

    Parameters
    ----------
    inside, outside
        float64, one for each degree: of a superpixel in S, and of any other.
    """

    inside: Floats
    outside: Floats


def shapley_readout(degrees: int) -> Readout:
    """Return Shapley values for degrees 0..`degrees` - 1.

    The members of S share χ_S(whole) - χ_S(nothing) evenly: 2 where their number is odd, otherwise 0.

    >>> shapley_readout(4).inside.round(2).tolist()
    [0.0, 2.0, 0.0, 0.67]

    That two superpixels both show is (1 + s₁)(1 + s₂) / 4 = (1 + s₁ + s₂ + s₁s₂) / 4, a quarter of each of four Walsh
    functions. Of these the first superpixel is in s₁ and s₁s₂, so that its value is half of the whole's 1:

    >>> readout = shapley_readout(3)
    >>> float((readout.inside[1] + readout.inside[2] + readout.outside[0] + readout.outside[1]) / 4)
    0.5
    """
    degree = np.arange(degrees)
    inside = np.divide(2.0, degree, out=np.zeros(degrees), where=degree % 2 == 1)
    return Readout(inside, np.zeros(degrees))


def surrogate_readout(count: int, degrees: int, kernel_width: float) -> Readout:
    """Return the coefficients of LIME's surrogate for degrees 0..`degrees` - 1, at infinitely many samples.

    lime's coalitions show each superpixel with probability one half, and are weighted by an exponential kernel on
    their cosine distance from the whole radiograph, sqrt(exp(-d²/width²)), d = 1 - sqrt(size/n) (Ribeiro et al.
    2016). Its ridge of 1 vanishes beside the weight of infinitely many samples. The regression's normal equations
    need only the weighted mean of each degree's Walsh functions.

    Parameters
    ----------
    count
        Number of superpixels n.
    degrees
        How many degrees, 0 among them.
    kernel_width
        Of the kernel, in the unit of the distance, which lies in 0..1.

    Examples
    --------
    A linear function is its own surrogate. A superpixel's Walsh function goes from -1, hidden, to 1, shown: its own
    coefficient is 2, and that of any other superpixel 0.

    >>> readout = surrogate_readout(count=10, degrees=2, kernel_width=0.25)
    >>> np.allclose(readout.inside, [0, 2]), np.allclose(readout.outside, [0, 0])
    (True, True)
    """
    sizes = np.arange(count + 1)
    distance = 1 - np.sqrt(sizes / count)
    weights = np.exp(log_binomial(count, sizes) - count * np.log(2) - 0.5 * (distance / kernel_width) ** 2)
    means = walsh_means(count, count - sizes, degrees + 1) @ (weights / weights.sum())
    # Of z = (1 + s) / 2 with χ_S; two distinct superpixels' covariance is degree 1's "inside" less its variance
    with_member = (np.concatenate([[0.0], means[: degrees - 1]]) - means[1] * means[:degrees]) / 2
    with_other = (means[1 : degrees + 1] - means[1] * means[:degrees]) / 2
    variance, covariance = (1 - means[1] ** 2) / 4, (means[2] - means[1] ** 2) / 4
    degree = np.arange(degrees)
    total = degree * with_member + (count - degree) * with_other
    shared = covariance / (variance + (count - 1) * covariance) * total
    inside, outside = ((moment - shared) / (variance - covariance) for moment in (with_member, with_other))
    return Readout(np.where(degree == 0, 0, inside), outside)


def walsh_means(count: int, hidden: npt.NDArray[np.integer], degrees: int) -> Floats:
    """Return the mean of all Walsh functions of each degree in coalitions that hide so many superpixels.

    These are Krawtchouk's polynomials over their value at 0.

    Parameters
    ----------
    count
        Number of superpixels n.
    hidden
        Integers 0..n, any shape.
    degrees
        Degrees 0..`degrees` - 1; above n the mean is 0.

    Returns
    -------
    numpy.ndarray
        float64, degrees × the shape of `hidden`.

    Examples
    --------
    Of three superpixels one is hidden, so that s is 1, 1 and -1. Their mean is 1/3, that of the three products of two
    is -1/3, and the product of all is -1.

    >>> walsh_means(3, np.array(1), 4).round(3).tolist()
    [1.0, 0.333, -0.333, -1.0]
    """
    means = np.zeros((degrees, *np.shape(hidden)))
    means[0] = 1
    for degree in range(min(degrees - 1, count)):
        below = means[degree - 1] if degree else 0.0
        means[degree + 1] = ((count - 2 * hidden) * means[degree] - degree * below) / (count - degree)
    return means


def log_binomial(count: int, sizes: npt.NDArray[np.integer]) -> Floats:
    """Return the natural logarithm of the number of coalitions of each size among n superpixels, float64.

    >>> np.exp(log_binomial(4, np.arange(5))).round().tolist()
    [1.0, 4.0, 6.0, 4.0, 1.0]
    """
    return np.asarray(gammaln(count + 1) - gammaln(sizes + 1) - gammaln(count - sizes + 1))
