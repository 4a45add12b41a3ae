"""A cohort in the released layout, small, written by the test that breaks it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from shamsul_core.cohort import Cohort, open_cohort
from shamsul_core.imaging.rle import encode_mask
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, OBSERVATIONS

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "patient1_study1_view1_frontal"
SECOND = "patient2_study1_view1_lateral"
HEADER = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *OBSERVATIONS]
SIZE = (40, 50)
RELEASED_NAMES = {"Lung Opacity": "Airspace Opacity"}


def mask_of(top: int, left: int, bottom: int, right: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def entry_of(masks: dict[str, np.ndarray], size: tuple[int, int] = SIZE) -> dict:
    """An image's entry of gt_segmentations: all ten pathologies, all-zero where absent."""
    return {
        RELEASED_NAMES.get(name, name): encode_mask(masks.get(name, np.zeros(size, dtype=bool)))
        for name in LOCALISED_PATHOLOGIES
    }


@dataclass
class CohortWriter:
    """Writes a cohort folder piece by piece; every piece can be left out or spoilt."""

    folder: Path
    split: str = "val"
    rows: list[list[str]] = field(default_factory=list)

    @property
    def images(self) -> Path:
        return self.folder / "CheXpert" / self.split

    @property
    def labels(self) -> Path:
        return self.folder / "CheXpert" / f"{self.split}_labels.csv"

    def image(self, name: str, size: tuple[int, int] = SIZE) -> Path:
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        grey = np.random.default_rng(len(name)).integers(0, 256, size, dtype=np.uint8)
        Image.fromarray(grey).save(path)
        return path

    def row(self, name: str, *, prefix: str = "CheXpert-v1.0/valid/", **labels: str) -> list[str]:
        view = "Lateral" if "lateral" in name else "Frontal"
        values = [labels.get(observation.replace(" ", "_"), "0.0") for observation in OBSERVATIONS]
        self.rows.append([prefix + name, "Female", "61", view, "PA" if view == "Frontal" else "", *values])
        return self.rows[-1]

    def save_labels(self, header: list[str] | None = None) -> None:
        self.labels.parent.mkdir(parents=True, exist_ok=True)
        with self.labels.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header or HEADER, *self.rows])

    def experts(self, kind: str, content: object) -> Path:
        path = self.folder / "CheXlocalize" / f"{kind}_{self.split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def open(self) -> Cohort:
        self.save_labels()
        return open_cohort(self.folder)
