"""Made cohorts and runs for tests and benchmarks: small, random, and right by construction where it matters."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.counterfactual import counterfactual_file, encode_difference
from shamsul_core.engine.rescoring import score_run
from shamsul_core.heatmap import Heatmap
from shamsul_core.imaging.rle import encode_mask
from shamsul_core.localisation.baselines import EDGES, LOCATION
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.proof.catalogue import (
    BY_LOT,
    CAUSE,
    FAITHFULNESS,
    RANDOMISATION,
    ROBUSTNESS,
    STAGES,
    Measured,
)
from shamsul_core.run import Manifest, RadiographResult, Run
from shamsul_core.run.proof import ProofOfRun
from shamsul_core.run.provenance import describe_cohort
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from shamsul_core.run.removal import Removal

TITLES = {"lime": "LIME", "shap": "SHAP", "gradcam": "Grad-CAM", "lrp": "LRP"}
MARKED = ("Edema", "Cardiomegaly")


def made_pixels(height: int = 120, width: int = 100) -> np.ndarray:
    """An image, uint8, with smooth structure and grain."""
    generator = np.random.default_rng(7)
    rows, columns = np.mgrid[0:height, 0:width] / 100
    smooth = 110 + 60 * np.sin(5 * columns) * np.cos(4 * rows) + 40 * (columns > width / 200)
    return np.clip(smooth + generator.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def image_id(number: int) -> str:
    return f"patient{number:05d}_study1_view1_frontal"


def expert_rectangle(number: int, shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[(10 * number) % 60 + 5 : shape[0] * 3 // 5, 10 : shape[1] * 3 // 5] = True
    return mask


def make_cohort(
    folder: Path, count: int = 3, pixels: np.ndarray | None = None, *, marked: Collection[str] = MARKED
) -> Path:
    """Write `count` radiographs in the released layout; all but every third have experts' rectangles in `marked`."""
    pixels = made_pixels() if pixels is None else pixels
    rows, segmentations = [], {}
    for number in range(1, count + 1):
        path = folder / "CheXpert" / "val" / f"patient{number:05d}" / "study1" / "view1_frontal.jpg"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.roll(pixels, 11 * number, axis=1)).save(path, quality=95)
        labels = dict.fromkeys(OBSERVATIONS, "0.0")
        if number % 3:
            labels |= dict.fromkeys(marked, "1.0") | {"Pneumonia": "-1.0"}
            mask = expert_rectangle(number, pixels.shape)
            segmentations[image_id(number)] = {
                name.replace("Lung Opacity", "Airspace Opacity"): encode_mask(
                    mask if name in marked else np.zeros_like(mask)
                )
                for name in LOCALISED_PATHOLOGIES
            }
        name = f"CheXpert-v1.0/valid/patient{number:05d}/study1/view1_frontal.jpg"
        rows.append([name, "Male", "70", "Frontal", "AP", *labels.values()])
    with (folder / "CheXpert" / "val_labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *OBSERVATIONS], *rows])
    (folder / "CheXlocalize").mkdir()
    (folder / "CheXlocalize" / "gt_segmentations_val.json").write_text(
        json.dumps(segmentations), encoding="utf-8"
    )
    return folder


def simulated(folder: Path, differences: Mapping[tuple[int, str], np.ndarray]) -> Path:
    """Make a cohort of `make_cohort` a simulated one in which these findings make these differences.

    `differences` are of grey levels, the size of the radiographs, by radiograph's number and pathology.
    """
    (folder / "CheXpert" / "SIMULATED.txt").write_text("Simulated, not a patient.", encoding="utf-8")
    cohort = open_cohort(folder)
    for (number, pathology), difference in differences.items():
        pixels = cohort.radiographs[image_id(number)].pixels()
        file = counterfactual_file(folder, "val", image_id(number), pathology)
        file.parent.mkdir(parents=True, exist_ok=True)
        without = np.clip(pixels.astype(int) - difference, 0, 255).astype(np.uint8)
        file.write_bytes(encode_difference(pixels, without))
    return folder


def make_box_cohort(folder: Path, kinds: Mapping[str, str] = {"Edema": "box"}) -> Path:
    """Write two radiographs with COCO's annotations: a box, or a polygon, of each of these pathologies on both."""
    images, marks = [], []
    for number in (1, 2):
        path = folder / "images" / f"radiograph{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(made_pixels(), 11 * number, axis=1)).save(path)
        images.append({"id": number, "file_name": path.name, "height": 120, "width": 100})
        for place, kind in enumerate(kinds.values(), 1):
            box = {"bbox": [10, 20, 40, 41], "area": 1640, "iscrowd": 0, "id": len(marks) + 1}
            drawn = {"segmentation": [[10, 20, 60, 40, 20, 70]]} if kind == "polygon" else {}
            marks.append({"image_id": number, "category_id": place, **box, **drawn})
    names = [{"id": place, "name": name} for place, name in enumerate(kinds, 1)]
    table = {"images": images, "categories": names, "annotations": marks}
    (folder / "annotations.json").write_text(json.dumps(table), encoding="utf-8")
    return folder


def make_readers_cohort(folder: Path) -> Path:
    """Write two radiographs in Kaggle's VinDr-CXR layout, of which two of three readers each drew a box of Cardiomegaly."""
    (folder / "train").mkdir(parents=True)
    rows = ["image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max"]
    for number in (1, 2):
        Image.fromarray(np.roll(made_pixels(), 11 * number, axis=1)).save(
            folder / "train" / f"radiograph{number}.png"
        )
        for reader, box in (("R8", "10,20,50,60"), ("R9", "10,20,50,40"), ("R10", None)):
            found = f"Cardiomegaly,3,{reader},{box}" if box else f"No finding,14,{reader},,,,"
            rows.append(f"radiograph{number},{found}")
    (folder / "train.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def make_run(
    folder: Path,
    cohort_folder: Path,
    *,
    trained: bool = True,
    removals: Mapping[tuple[int, str], Removal] = {},
) -> Run:
    """Write a run of four methods with random heatmaps, SHAP failing on Edema of the first radiograph.

    `removals` are by radiograph's number and pathology.
    """
    cohort = open_cohort(cohort_folder)
    manifest = Manifest(
        model={
            "source": "made",
            "fingerprint": "made",
            "is_trained": trained,
            "pathologies": list(OBSERVATIONS),
            "preprocessing": None,
            "precision": "float32",
        },
        cohort=describe_cohort(cohort, folder),
        methods={name: {"title": title, "settings": {}} for name, title in TITLES.items()},
        pathologies=LOCALISED_PATHOLOGIES,
        preset="default",
        created="2026-01-01T00:00:00+00:00",
        versions={},
    )
    run = Run.create_or_resume(folder, manifest)
    for number, name in enumerate(cohort.radiographs):
        removed = {pathology: one for (of, pathology), one in removals.items() if image_id(of) == name}
        result = _made_result(name, cohort.radiographs[name].size, number)
        run.write(replace(result, removals=removed))
    score_run(run, cohort, PRESETS["default"])
    return run


def _made_result(name: str, size: tuple[int, int], number: int) -> RadiographResult:
    generator = np.random.default_rng(number)
    superpixels = np.add.outer(np.arange(224) // 32 * 7, np.arange(224) // 32)
    heatmaps = []
    for pathology in LOCALISED_PATHOLOGIES:
        about = {"pathology": pathology, "output": "logit"}
        sampled = about | {"superpixels": superpixels, "evaluations": 1000}
        maps = {
            "lime": Heatmap(method="lime", values=generator.normal(size=49).astype(np.float32), **sampled),
            "shap": Heatmap(method="shap", values=generator.normal(size=49).astype(np.float32), **sampled),
            "gradcam": Heatmap(method="gradcam", values=generator.random((7, 7), np.float32), **about),
            "lrp": Heatmap(
                method="lrp", values=generator.normal(size=(224, 224)).astype(np.float32), **about
            ),
        }
        heatmaps += [
            one for method, one in maps.items() if (number, method, pathology) != (0, "shap", "Edema")
        ]
    failures = (("shap", "Edema", "made to fail"),) if number == 0 else ()
    probabilities = dict(zip(OBSERVATIONS, generator.random(len(OBSERVATIONS)).tolist(), strict=True))
    return RadiographResult(name, size, probabilities, tuple(heatmaps), failures)


def make_proof(run: Run) -> Run:
    """Give a run a proof in which Grad-CAM depends on the model and LRP does not, with the maps of each cascade."""
    proof = ProofOfRun(run)
    for number, name in enumerate(run.explained_ids()):
        generator = np.random.default_rng(number)
        for test, rows in _made_rows(generator).items():
            proof.write_part(test, test, name, rows)
        stages = ("", *STAGES)
        proof.write_maps(
            name,
            {
                (stage, method, "Edema"): generator.normal(size=(64, 64)).astype(np.float32)
                for stage in stages
                for method in (*TITLES, EDGES)
            },
        )
    proof.gather()
    return run


def _made_rows(generator: np.random.Generator) -> dict[str, list[Measured]]:
    rows: dict[str, list[Measured]] = {FAITHFULNESS: [], RANDOMISATION: [], ROBUSTNESS: [], CAUSE: []}
    for method in (*TITLES, EDGES, LOCATION, BY_LOT):
        about = {"pathology": "Edema", "method": method}
        near = generator.normal(0, 0.02)
        for hides in ("grey", "blur"):
            gain = Measured(**about, figure="gain", setting=hides, value=float(method in TITLES) + near)
            rows[FAITHFULNESS].append(gain)
            for figure in ("deletion", "insertion"):
                rows[FAITHFULNESS] += [
                    Measured(**about, figure=figure, setting=hides, value=-at + near, at=at)
                    for at in (0.0, 0.5, 1.0)
                ]
        if method in (LOCATION, BY_LOT):
            continue
        kept = {"lrp": 0.9, EDGES: 1.0}.get(method, 0.0)
        for place, stage in enumerate(STAGES):
            value = 1.0 if kept == 1 else kept + near
            about_stage = {"figure": "rank correlation", "setting": stage, "at": (1 + place) / len(STAGES)}
            rows[RANDOMISATION].append(Measured(**about, **about_stage, value=value))
        for change in ("detector noise", "another patient"):
            like = {"figure": "rank correlation", "setting": change}
            rows[ROBUSTNESS].append(Measured(**about, **like, value=0.9 + near))
        rows[CAUSE].append(
            Measured(**about, figure="density", setting="counterfactual", value=2 + near, at=float(near))
        )
    return rows
