"""Cohorts to learn from: a bright square is Edema, a bright bar Pneumothorax, nothing else is labelled."""

from __future__ import annotations

import csv
import shutil
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *OBSERVATIONS]
SIDE = 48


def name_of(number: int, view: str = "frontal") -> str:
    return f"patient{number:05d}/study1/view1_{view}.jpg"


def write_split(folder: Path, split: str, count: int, first: int = 1) -> Path:
    """Write `count` radiographs; every seventh is uncertain of Edema, every fifth is lateral."""
    generator = np.random.default_rng(first)
    rows = []
    for number in range(first, first + count):
        edema, pneumothorax = number % 2, number // 2 % 2
        pixels = generator.normal(90, 12, (SIDE, SIDE))
        pixels[8:24, 8:24] += 110 * edema
        pixels[30:36, 4:44] += 110 * pneumothorax
        name = name_of(number, "frontal" if number % 5 else "lateral")
        path = folder / "CheXpert" / split / name
        path.parent.mkdir(parents=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=95)
        labels = dict.fromkeys(OBSERVATIONS, "") | {
            "Edema": "-1.0" if number % 7 == 0 else f"{edema}.0",
            "Pneumothorax": "1.0" if pneumothorax else "",
        }
        view = "Frontal" if number % 5 else "Lateral"
        rows.append([f"CheXpert-v1.0/{split}/{name}", "Male", "70", view, "AP", *labels.values()])
    with (folder / "CheXpert" / f"{split}_labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return folder


def write_cohort(folder: Path) -> Path:
    write_split(folder, "train", 24)
    return write_split(folder, "val", 6, first=101)


def copy_as_train(sample: Path, folder: Path) -> Path:
    """The sample's one radiograph, to train on and to validate on."""
    for split in ("train", "val"):
        shutil.copytree(sample / "CheXpert" / "val", folder / "CheXpert" / split)
        shutil.copy(sample / "CheXpert" / "val_labels.csv", folder / "CheXpert" / f"{split}_labels.csv")
    return folder
