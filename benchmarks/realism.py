"""Simulated radiographs beside real ones: how much detail of each size they hold, and how their greys are spread.

``python -m benchmarks.realism [COUNT]`` simulates so many radiographs without findings (12 by default) and prints, for each
spatial frequency, the power of the simulated over that of the real radiographs in ``../shared/data``, each real one's own
over their mean, and percentiles of the grey levels. Real ones of unknown pixel size are taken for chests of 400 mm across.
The simulation's processing was chosen with these real ones in view.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from shamsul_core.imaging import to_8_bits
from shamsul_core.imaging.reading import read_radiograph
from shamsul_core.simulate.chest import Chest
from shamsul_core.simulate.ct import load_ct
from shamsul_core.simulate.radiograph import simulate_radiograph

SHARED = Path(__file__).parents[2] / "shared" / "data"
REAL = {
    "chexlocalize-sample/CheXpert/val/patient64541/study1/view1_frontal.jpg": 430.0,
    "public-samples/nih/images/00000001_000.png": 400.0,
    "public-samples/tbx11k/imgs/tb/tb0005.png": 400.0,
    "public-samples/tbx11k/imgs/health/h0001.png": 400.0,
}
"""Files and the width in mm that they are taken to show."""

MM = 0.5
FREQUENCIES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
PERCENTILES = (5, 25, 50, 75, 95)


def middle(pixels: np.ndarray, wide_mm: float) -> np.ndarray:
    """Return the middle 70 % of a picture at `MM` a pixel, float32."""
    scale = wide_mm / MM / pixels.shape[1]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    same = cv2.resize(pixels.astype(np.float32), None, fx=scale, fy=scale, interpolation=way)
    side = int(0.7 * min(same.shape))
    top, left = ((length - side) // 2 for length in same.shape)
    return np.asarray(same[top : top + side, left : left + side])


def spectrum(square: np.ndarray) -> np.ndarray:
    """Return the power at `FREQUENCIES`, averaged over directions and 15 % to either side (Hann's window)."""
    window = np.outer(*[np.hanning(len(square))] * 2)
    power = np.abs(np.fft.fft2((square - square.mean()) * window)) ** 2 / (window**2).sum()
    one_way = np.fft.fftfreq(len(square), MM)
    frequency = np.hypot(one_way[:, None], one_way[None])
    return np.array([power[(frequency >= 0.85 * at) & (frequency < 1.15 * at)].mean() for at in FREQUENCIES])


def main(count: int) -> None:
    """Print the comparison."""
    ct = load_ct()
    chest = Chest.of(ct)
    simulated = [
        middle(
            simulate_radiograph(
                ct, chest, {}, np.random.default_rng(900 + number), is_pa=bool(number % 3), size_px=1024,
                sex="Female" if number % 2 else "Male", age=30 + 5 * number % 60, with_truth=False,
            ).pixels,
            400.0,
        )
        for number in range(count)
    ]  # fmt: skip
    real = [middle(to_8_bits(read_radiograph(SHARED / file).pixels), mm) for file, mm in REAL.items()]
    ours, theirs = (np.array([spectrum(square) for square in squares]) for squares in (simulated, real))
    mean = np.exp(np.log(theirs).mean(axis=0))
    print(f"{count} simulated, {len(real)} real radiographs; geometric means of the power")
    print(f"{'cycles/mm':>10} {'simulated over real':>20}   each real one over their mean")
    for at, ratio, own in zip(
        FREQUENCIES, np.exp(np.log(ours).mean(axis=0)) / mean, (theirs / mean).T, strict=True
    ):
        print(f"{at:>10} {ratio:>20.2f}   {' '.join(f'{one:.2f}' for one in own)}")
    for name, squares in (("real", real), ("simulated", simulated)):
        levels = np.mean([np.percentile(square, PERCENTILES) for square in squares], axis=0)
        print(f"{name:>10}: grey levels at {PERCENTILES} %: {' '.join(f'{one:.0f}' for one in levels)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
