"""Draw a sheet of simulated radiographs, with and without the experts' contours.

``python -m docs.simulated_sheet COHORT SHEET.png [COLUMNS ROWS]`` takes the first radiographs of the cohort's val split;
every second row repeats the one above it with the contours.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from shamsul_core.cohort import open_cohort
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

SIDE = 360
COLOURS = ((166, 245, 61), (80, 180, 255), (255, 170, 90), (200, 130, 255), (120, 230, 255))


def tile(pixels: np.ndarray, outlines: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """Return a picture of SIDE × SIDE, with contours and their names where there are any."""
    picture = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    for place, (_, mask) in enumerate(outlines):
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, contours, -1, COLOURS[place % len(COLOURS)], 2, cv2.LINE_AA)
    scale = SIDE / max(pixels.shape)
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for place, (name, _) in enumerate(outlines):
        at = (6, 16 + 15 * place)
        cv2.putText(picture, name, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(
            picture, name, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, COLOURS[place % len(COLOURS)], 1, cv2.LINE_AA
        )
    frame = np.zeros((SIDE, SIDE, 3), np.uint8)
    frame[: picture.shape[0], : picture.shape[1]] = picture[:SIDE, :SIDE]
    return frame


cohort = open_cohort(Path(sys.argv[1]))
columns, rows = (int(one) for one in sys.argv[3:5]) if len(sys.argv) > 4 else (6, 4)
lines = []
names = list(cohort.radiographs)[: columns * rows]
for start in range(0, len(names), columns):
    plain, marked = [], []
    for name in names[start : start + columns]:
        pixels = cohort.radiographs[name].pixels()
        drawn = [(one, cohort.annotation(name, one)) for one in LOCALISED_PATHOLOGIES]
        outlines = [(one, found.mask()) for one, found in drawn if found is not None and not found.is_empty]
        plain.append(tile(pixels, []))
        marked.append(tile(pixels, outlines))
    lines += [np.hstack(plain), np.hstack(marked)]
cv2.imwrite(sys.argv[2], np.vstack(lines))
