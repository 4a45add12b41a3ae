"""The dashboard on a run of many radiographs: ``python -m benchmarks.many [RADIOGRAPHS] [CHANGES]``.

Writes a cohort in ChestX-ray14's layout, every fourth radiograph with a box, and a run of four methods and fourteen
observations each, with small random heatmaps; all radiographs are links to one picture of 1024 × 1024. It measures in a
browser on the same machine: *Compare* and *Distributions* from the address to the picture, so many changes of case by the key
N, a search from the last key to the list, and the server's memory.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard import PAGES, changes, memory_mb, opened, tell
from shamsul_core.cohort import Cohort, open_cohort
from shamsul_core.cohort.summary import marked_ids
from shamsul_core.heatmap import Heatmap
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Manifest, RadiographResult, Run
from shamsul_core.run.provenance import describe_cohort
from shamsul_core.run.tables import SCORE_COLUMNS
from shamsul_core.vocabulary import NO_FINDING
from tests.browser.find_browser import find_chromium
from tests.made import TITLES, made_pixels
from tests.serving import served

HEAD = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)


def write_cohort(folder: Path, count: int) -> Cohort:
    """Write so many radiographs of as many patients in ChestX-ray14's layout."""
    images = folder / "images"
    images.mkdir(parents=True)
    first = images / "00000001_000.png"
    Image.fromarray(made_pixels(1024, 1024)).save(first)
    names = [f"{number:08d}_000.png" for number in range(1, count + 1)]
    for name in names[1:]:
        os.link(first, images / name)
    labels = ("Cardiomegaly|Effusion", "No Finding", "Mass", "No Finding")
    rows = [
        f"{name},{labels[n % 4]},0,{n + 1},058Y,M,PA,1024,1024,0.143,0.143," for n, name in enumerate(names)
    ]
    (folder / "Data_Entry_2017.csv").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    boxes = [f"{name},Cardiomegaly,300.0,400.0,400.0,300.0" for name in names[::4]]
    head = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
    (folder / "BBox_List_2017.csv").write_text("\n".join([head, *boxes]) + "\n", encoding="utf-8")
    return open_cohort(folder)


def write_run(folder: Path, cohort: Cohort) -> Run:
    """Write a run on it with random 7 × 7 heatmaps, predictions and scores."""
    names = tuple(name for name in cohort.observations if name != NO_FINDING)
    model = {"source": "made", "fingerprint": "made", "is_trained": True, "pathologies": list(names)}
    methods = {name: {"title": title, "settings": {}} for name, title in TITLES.items()}
    manifest = Manifest(
        model=model | {"preprocessing": None, "precision": "float32"},
        cohort=describe_cohort(cohort, folder),
        methods=methods,
        pathologies=names,
        preset="default",
        created="2026-01-01T00:00:00+00:00",
        versions={},
    )
    run = Run.create_or_resume(folder, manifest)
    generator = np.random.default_rng(0)
    for image_id in cohort.radiographs:
        heatmaps = tuple(
            Heatmap(
                method=method,
                pathology=name,
                output="logit",
                values=generator.random((7, 7), np.float32),
            )
            for method in methods
            for name in names
        )
        probabilities = dict(zip(names, generator.random(len(names)).tolist(), strict=True))
        run.write(RadiographResult(image_id, (1024, 1024), probabilities, heatmaps, ()))
    run.write_predictions()
    run.write_scores(_scores(cohort, names, tuple(methods), generator), PRESETS["default"].to_json())
    run.write_failures([])
    return run


def _scores(
    cohort: Cohort, names: tuple[str, ...], methods: tuple[str, ...], generator: np.random.Generator
) -> list[dict[str, object]]:
    index = pd.MultiIndex.from_product(
        [list(cohort.radiographs), names, methods], names=["image_id", "pathology", "method"]
    )
    table = pd.DataFrame(index=index).reset_index()
    is_marked = (table["pathology"] == "Cardiomegaly") & table["image_id"].isin(marked_ids(cohort))
    table["probability"] = generator.random(len(table))
    table["label"] = 0.0
    table["iou"] = np.where(is_marked, generator.random(len(table)), np.nan)
    table["hit"] = np.where(is_marked, generator.random(len(table)) < 0.5, np.nan)
    table["truth"] = np.where(is_marked, "box", None)
    known = [column for column in SCORE_COLUMNS if column in table]
    return table[known].to_dict("records")


def search(page: Page, text: str) -> float:
    """Return the milliseconds from the last key of a search to the list that holds only what was searched."""
    page.get_by_placeholder("Search radiographs").click()
    page.keyboard.type(text[:-1])
    started = time.perf_counter()
    page.keyboard.type(text[-1])
    page.get_by_test_id("case-list-count").filter(has_text=re.compile("^1 of ")).wait_for(timeout=60_000)
    return 1000 * (time.perf_counter() - started)


def main(radiographs: str = "20000", changed: str = "20") -> None:
    """Measure and print."""
    count = int(radiographs)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        started = time.perf_counter()
        run = write_run(Path(folder, "run"), write_cohort(Path(folder, "cohort"), count))
        print(f"{count:,} radiographs, written in {time.perf_counter() - started:.0f} s")
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        with served(run.folder) as server:
            sizes: list[int] = []
            for name in ("compare", "distributions"):
                for when in ("the first time", "again"):
                    page, seconds = opened(browser, f"{server.address}/{name}", PAGES[name], sizes)
                    print(f"page {name}, {when}: {seconds:.2f} s")
                    page.context.close()
            page, _ = opened(browser, server.address, PAGES["compare"], sizes)
            tell(f"{changed} changes of case", changes(page, "data-image", "next", int(changed)))
            print(f"search: {search(page, f'{count // 2:08d}'):.0f} ms")
            print(f"largest message: {max(sizes) / 1e6:.2f} MB; server: {memory_mb(server):.0f} MB")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
