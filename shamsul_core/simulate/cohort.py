"""A simulated cohort on disk, in the folders in which CheXpert and CheXlocalize are released.

Beside the released files stand ``SIMULATED.txt``, which says what the radiographs are, and for each split
``simulation_<split>.json``: its seed and size, the severity of each finding, and where a shortcut was planted, which it
is and which radiographs have its sign.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from shamsul_core.cohort.counterfactual import counterfactual_file, encode_difference
from shamsul_core.cohort.planted_sign import sign_files
from shamsul_core.files.atomic import write_atomically
from shamsul_core.imaging.contours import outline_mask
from shamsul_core.imaging.rle import encode_mask
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.simulate.chest import Chest
from shamsul_core.simulate.ct import CREDIT, load_ct
from shamsul_core.simulate.hierarchy import parents
from shamsul_core.simulate.labels import Case, draw_case
from shamsul_core.simulate.planting import as_jpeg, simulate_case
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, NO_FINDING, OBSERVATIONS, chexlocalize_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shamsul_core.cohort.layout import Split
    from shamsul_core.simulate.shortcuts import Shortcut

NOTE = f"Simulated from CT, not a patient ({CREDIT})."
_SPLITS = {"train": 1, "val": 2, "test": 3}
_FIRST_PATIENT = {"train": 1, "val": 60001, "test": 70001}
_OPEN_IN_WORKER: list[tuple[Any, Chest]] = []


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What makes a simulated split what it is.

    Parameters
    ----------
    seed
        The same seed gives the same files, however many workers make them.
    count
        How many radiographs.
    split
        Which of CheXpert's they are released as.
    size_px
        The pictures' longer side in pixels.
    at_least
        Each localised pathology is labelled positive on at least so many radiographs.
    shortcut
        A sign that goes with a label; by default there is none.
    """

    seed: int
    count: int
    split: Split
    size_px: int = 512
    at_least: int = 0
    shortcut: Shortcut | None = None

    def cases(self) -> list[Case]:
        """Return the cases in their order; rare findings are added to cases evenly until there are enough."""
        cases = [draw_case(self.random(index)) for index in range(self.count)]
        for name in LOCALISED_PATHOLOGIES:
            lacking = [index for index, case in enumerate(cases) if case.labels[name] == 0]
            missing = self.at_least - sum(case.labels[name] == 1 for case in cases)
            for index in lacking[:: max(1, len(lacking) // max(1, missing))][: max(0, missing)]:
                cases[index] = self._with(index, cases[index], name)
        return [self._signed(index, case) for index, case in enumerate(cases)]

    def _signed(self, index: int, case: Case) -> Case:
        """Return a case with the shortcut's sign where it is drawn, from random numbers of its own."""
        if self.shortcut is None:
            return case
        has_sign = self.shortcut.is_drawn(case.labels[self.shortcut.pathology], self.random(index, 3))
        return replace(case, labels=self.shortcut.labels(case.labels, has_sign=has_sign), has_sign=has_sign)

    def random(self, index: int, *more: int) -> np.random.Generator:
        """Return the random numbers of one radiograph."""
        return np.random.default_rng([self.seed, _SPLITS[self.split], index, *more])

    def _with(self, index: int, case: Case, name: str) -> Case:
        """Return a case with one finding more."""
        number = LOCALISED_PATHOLOGIES.index(name)
        severity = 0.12 + 0.88 * float(self.random(index, 1, number).beta(1.5, 1.5))
        labels = dict(case.labels) | {name: 1.0} | dict.fromkeys(parents(name), 1.0)
        if name != "Support Devices":
            labels[NO_FINDING] = 0.0
        return Case(dict(case.severities) | {name: severity}, labels, case.is_pa, case.sex, case.age)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, for ``simulation_<split>.json``; of no shortcut it says nothing."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def simulate_cohort(
    simulation: Simulation,
    folder: Path,
    *,
    ct_source: Path | None = None,
    workers: int = 1,
    on_step: OnStep = say_nothing,
) -> None:
    """Write a split's radiographs, labels, contours and masks; those that are there already are not made again.

    Parameters
    ----------
    ct_source
        The wheel or folder that the CT is in, see `load_ct`.
    workers
        How many processes; 1 makes them in this one.
    on_step
        Called after each radiograph with its id; by default nothing is.

    Raises
    ------
    CtError
        If the CT cannot be had.
    ValueError
        If the folder holds another simulation of the split.
    """
    base = folder / "CheXpert"
    base.mkdir(parents=True, exist_ok=True)
    cases = simulation.cases()
    description = base / f"simulation_{simulation.split}.json"
    _check_same(description, simulation)
    load_ct(ct_source)
    write_atomically(base / "SIMULATED.txt", f"{NOTE}\n".encode())
    severities = [{name: round(value, 4) for name, value in case.severities.items()} for case in cases]
    about = simulation.to_json() | {"severities": severities}
    if simulation.shortcut is not None:
        about["with_sign"] = [
            _places(simulation, folder, index)[0] for index, case in enumerate(cases) if case.has_sign
        ]
    write_atomically(description, json.dumps(about, indent=1).encode())
    jobs = [(simulation, folder, ct_source, index, case) for index, case in enumerate(cases)]
    if workers == 1:
        for job in jobs:
            on_step(_make(*job))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for name in pool.map(_make_job, jobs, chunksize=4):
                on_step(name)
    if simulation.split != "train":
        _write_experts(simulation, folder)
    write_atomically(_label_file(simulation, folder), _label_table(simulation, cases).encode())
    shutil.rmtree(folder / "CheXlocalize" / f".{simulation.split}", ignore_errors=True)


def _check_same(description: Path, simulation: Simulation) -> None:
    if not description.is_file():
        return
    stored = json.loads(description.read_text(encoding="utf-8"))
    asked = simulation.to_json()
    different = [
        field.name for field in fields(simulation) if stored.get(field.name) != asked.get(field.name)
    ]
    if different:
        message = f"{description.parent}: contains a simulation with another {', '.join(different)}; give another folder"
        raise ValueError(message)


def _make_job(job: tuple[Simulation, Path, Path | None, int, Case]) -> str:
    return _make(*job)


def _make(simulation: Simulation, folder: Path, ct_source: Path | None, index: int, case: Case) -> str:
    """Bring one radiograph and its masks to the folder; return its id."""
    name, path, aside = _places(simulation, folder, index)
    has_masks = simulation.split == "train" or aside.is_file() or _label_file(simulation, folder).is_file()
    if path.is_file() and has_masks:
        return name
    if not _OPEN_IN_WORKER:
        cv2.setNumThreads(1)
        ct = load_ct(ct_source)
        _OPEN_IN_WORKER.append((ct, Chest.of(ct)))
    ct, chest = _OPEN_IN_WORKER[0]
    has_truth = simulation.split != "train"
    planted = simulate_case(
        ct,
        chest,
        case,
        simulation.shortcut,
        partial(simulation.random, index),
        size_px=simulation.size_px,
        with_truth=has_truth,
    )
    simulated = planted.simulated
    path.parent.mkdir(parents=True, exist_ok=True)
    if has_truth:
        planted.keep(*sign_files(folder, simulation.split, name))
        for observation, without in simulated.without.items():
            if case.labels[observation] == 1:
                file = counterfactual_file(folder, simulation.split, name, observation)
                file.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(file, encode_difference(simulated.pixels, without))
        aside.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(aside, json.dumps(_experts(case, simulated.masks, simulated.pixels.shape)).encode())
    write_atomically(path, as_jpeg(simulated.pixels))
    return name


def _experts(case: Case, masks: dict[str, Any] | Any, size: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    """Return a radiograph's entries of the experts' two files: what is labelled positive."""
    drawn = {name: np.zeros(size, bool) for name in LOCALISED_PATHOLOGIES}
    drawn |= {name: mask for name, mask in masks.items() if case.labels[name] == 1}
    outlines = {
        chexlocalize_name(name): [contour.tolist() for contour in outline_mask(mask)]
        for name, mask in drawn.items()
        if mask.any()
    }
    return {
        "segmentations": {chexlocalize_name(name): encode_mask(mask) for name, mask in drawn.items()},
        "annotations": {"img_size": list(size), **outlines},
    }


def _write_experts(simulation: Simulation, folder: Path) -> None:
    """Put the masks that wait aside into the released files; those that are there already stay."""
    experts = folder / "CheXlocalize"
    experts.mkdir(parents=True, exist_ok=True)
    for kind in ("segmentations", "annotations"):
        path = experts / f"gt_{kind}_{simulation.split}.json"
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        for index in range(simulation.count):
            name, _, aside = _places(simulation, folder, index)
            if aside.is_file():
                stored = json.loads(aside.read_text(encoding="utf-8"))
                # Released are only those on which something is marked
                if len(stored["annotations"]) > 1:
                    content[name] = stored[kind]
        write_atomically(path, json.dumps({name: content[name] for name in sorted(content)}).encode())


def _places(simulation: Simulation, folder: Path, index: int) -> tuple[str, Path, Path]:
    """Return a radiograph's id, its file and the file in which its masks wait for the others'."""
    patient = f"patient{_FIRST_PATIENT[simulation.split] + index:05d}"
    name = f"{patient}_study1_view1_frontal"
    image = folder / "CheXpert" / simulation.split / patient / "study1" / "view1_frontal.jpg"
    return name, image, folder / "CheXlocalize" / f".{simulation.split}" / f"{name}.json"


def _label_file(simulation: Simulation, folder: Path) -> Path:
    return folder / "CheXpert" / f"{simulation.split}_labels.csv"


def _label_table(simulation: Simulation, cases: Sequence[Case]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *OBSERVATIONS])
    released = "valid" if simulation.split == "val" else simulation.split
    for index, case in enumerate(cases):
        patient = f"patient{_FIRST_PATIENT[simulation.split] + index:05d}"
        path = f"CheXpert-v1.0/{released}/{patient}/study1/view1_frontal.jpg"
        view = "PA" if case.is_pa else "AP"
        table.writerow([path, case.sex, case.age, "Frontal", view, *case.labels.values()])
    return text.getvalue()


def cores() -> int:
    """Return how many processes this machine runs at once."""
    # Linux's; elsewhere a process may use all
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
