"""What all tests share: the sample radiograph, a made one, and networks small enough for two cores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

SAMPLE = Path(__file__).parents[1].parent / "shared" / "data" / "chexlocalize-sample"


@pytest.fixture(scope="session")
def sample() -> Path:
    if not SAMPLE.is_dir():
        pytest.skip("the CheXlocalize sample is not on this machine")
    return SAMPLE


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """A made image, uint8, 120 × 100, with smooth structure and grain."""
    generator = np.random.default_rng(7)
    rows, columns = np.mgrid[0:120, 0:100] / 100
    smooth = 110 + 60 * np.sin(5 * columns) * np.cos(4 * rows) + 40 * (columns > 0.5)
    return np.clip(smooth + generator.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def classifier():
    """An untrained DenseNet-121 on 64 × 64, so that a forward pass takes a few milliseconds."""
    import torch

    from shamsul_core.classifier import Classifier
    from shamsul_core.classifier.network import DenseNet121
    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.labels import OBSERVATIONS

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = DenseNet121(len(OBSERVATIONS))
        torch.nn.init.normal_(network.classifier.bias)
    return Classifier(network, OBSERVATIONS, Preprocessing(size_px=64), "untrained", is_trained=False)


@pytest.fixture(scope="session")
def made_cohort(tmp_path_factory, pixels) -> Path:
    """Three radiographs in the released layout, two of them with an expert's rectangle for two pathologies."""
    import json

    import pandas as pd
    from PIL import Image

    from shamsul_core.cohort.annotations import encode_mask
    from shamsul_core.labels import LOCALISED_PATHOLOGIES, OBSERVATIONS

    folder = tmp_path_factory.mktemp("made") / "cohort"
    rows, segmentations = [], {}
    for number in (1, 2, 3):
        path = folder / "CheXpert" / "val" / f"patient{number}" / "study1" / "view1_frontal.jpg"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.roll(pixels, 11 * number, axis=1)).save(path, quality=95)
        labels = dict.fromkeys(OBSERVATIONS, 0.0)
        if number < 3:
            labels |= {"Edema": 1.0, "Cardiomegaly": 1.0, "Pneumonia": -1.0}
            mask = np.zeros(pixels.shape, bool)
            mask[20 * number : 70, 10:60] = True
            segmentations[f"patient{number}_study1_view1_frontal"] = {
                name.replace("Lung Opacity", "Airspace Opacity"): encode_mask(
                    mask if labels[name] == 1 else np.zeros_like(mask)
                )
                for name in LOCALISED_PATHOLOGIES
            }
        name = f"CheXpert-v1.0/valid/patient{number}/study1/view1_frontal.jpg"
        rows.append({"Path": name, "Sex": "Male", "Age": 70, "Frontal/Lateral": "Frontal", "AP/PA": "AP"} | labels)
    pd.DataFrame(rows).to_csv(folder / "CheXpert" / "val_labels.csv", index=False)
    (folder / "CheXlocalize").mkdir()
    (folder / "CheXlocalize" / "gt_segmentations_val.json").write_text(json.dumps(segmentations))
    return folder
