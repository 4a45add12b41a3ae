"""Masks, thresholds and scores beside CheXlocalize's scripts: ``python -m benchmarks.score --chexlocalize DIR``.

DIR is a checkout of github.com/rajpurkarlab/cheXlocalize. Its scripts and ours work on the same 20 heatmaps of its
``sample/`` folder, each in a process of its own, several times in turn; printed are the median seconds of the whole
process and, "work", without the start of Python and its imports. What comes out is compared: every mask pixel by
pixel, the CSV files of thresholds and of probability cutoffs byte by byte.

Last, and without DIR alone: one radiograph of 2300 × 2800 pixels, four methods, ten pathologies, scored on one core.
"""

import argparse
import importlib
import json
import os
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path

NEEDED = {
    "import-maps": (
        *("cohort", "engine.rescoring", "interchange.chexlocalize", "interchange.importing", "memory"),
        "run.scoring",
    ),
    "tune": ("cohort", "engine.tuning", "interchange.chexlocalize", "memory", "run"),
}
"""What our commands import when they are called."""

Seconds = tuple[float, float]
"""Of a whole process, and of its work alone."""


# In the child processes: each imports first, then prints how long its work took.


def run_their_script(script: Path, *arguments: str) -> float:
    """Run one of CheXlocalize's scripts with what today's libraries have dropped put back."""
    for name in ("statsmodels", "statsmodels.formula", "statsmodels.formula.api"):
        sys.modules[name] = types.ModuleType(name)  # wanted by their utils.py, used by none of these scripts
    sys.modules["statsmodels.formula"].api = sys.modules["statsmodels.formula.api"]
    import pandas as pd

    if not hasattr(pd.DataFrame, "append"):  # dropped by pandas 2
        pd.DataFrame.append = lambda table, other, ignore_index: pd.concat(
            [table, other], ignore_index=ignore_index
        )
    sys.path.insert(0, str(script.parent))
    importlib.import_module(script.stem)
    sys.argv = [script.name, *arguments]
    started = time.perf_counter()
    runpy.run_path(str(script), run_name="__main__")
    return time.perf_counter() - started


def run_our_command(*arguments: str) -> float:
    """Run one of our commands."""
    from shamsul_core.cli import app

    for module in NEEDED[arguments[0]]:
        importlib.import_module(f"shamsul_core.{module}")
    # The command line imports its parser when first used
    app([arguments[0], "--help"], standalone_mode=False)
    started = time.perf_counter()
    app(list(arguments), standalone_mode=False)
    return time.perf_counter() - started


def write_our_masks(maps: str, out: str) -> float:
    """Turn maps into masks and write them as ``heatmap_to_segmentation.py`` does."""
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.imaging.rle import encode_mask
    from shamsul_core.interchange.chexlocalize import read_map
    from shamsul_core.localisation.segmentation import PRESETS, segment
    from shamsul_core.memory import keep_freed_memory
    from shamsul_core.vocabulary import chexlocalize_name

    keep_freed_memory()
    started = time.perf_counter()
    masks: dict[str, dict[str, object]] = {}
    for path in Path(maps).glob("*_map.pkl"):
        one = read_map(path)
        heatmap = Heatmap(method="gradcam", pathology=one.pathology, output=None, values=one.relevance)
        mask = segment(heatmap, one.size, PRESETS["paper"]).mask
        masks.setdefault(one.image_id, {})[chexlocalize_name(one.pathology)] = encode_mask(mask)
    Path(out).write_text(json.dumps(masks), encoding="utf-8")
    return time.perf_counter() - started


def score_one_radiograph(folder: str) -> float:
    """Read a made radiograph's 40 heatmaps, turn them into masks and score them, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from shamsul_core.cohort import open_cohort
    from shamsul_core.localisation.segmentation import PRESETS
    from shamsul_core.memory import keep_freed_memory
    from shamsul_core.run import Run
    from shamsul_core.run.scoring import score_result

    keep_freed_memory()
    cohort, run = open_cohort(Path(folder, "cohort")), Run.open(Path(folder, "run"))
    started = time.perf_counter()
    scores, _ = score_result(run, run.explained_ids()[0], cohort, PRESETS["default"])
    seconds = time.perf_counter() - started
    if sum(row.get("hit") in (0, 1) for row in scores) < 39:  # the made run has one failure
        sys.exit("not every heatmap was scored")
    return seconds


CHILDREN: dict[str, Callable[..., float]] = {
    "theirs": lambda script, *arguments: run_their_script(Path(script), *arguments),
    "ours": run_our_command,
    "our-masks": write_our_masks,
    "radiograph": score_one_radiograph,
}


# In the parent process


def seconds_of(*child: str | Path) -> Seconds:
    """Run a child process; return the seconds of all of it and of its work."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.score", "--child", *map(str, child)],
        capture_output=True,
        text=True,
        check=False,
    )
    whole = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(map(str, child))} failed:\n{done.stderr}")
    return whole, float(done.stdout.split()[-1])


def medians(seconds: list[Seconds]) -> Seconds:
    """Return the medians of the whole and of the work."""
    whole, work = zip(*seconds, strict=True)
    return statistics.median(whole), statistics.median(work)


def compare(what: str, theirs: tuple[str | Path, ...], ours: tuple[str | Path, ...], repeats: int) -> None:
    """Run theirs and ours in turn and print how long they took."""
    pairs = [(seconds_of(*theirs), seconds_of(*ours)) for _ in range(repeats)]
    (their_whole, their_work), (our_whole, our_work) = (
        medians(list(one)) for one in zip(*pairs, strict=True)
    )
    for part, one, other in (("process", their_whole, our_whole), ("work", their_work, our_work)):
        print(f"{what}, {part}: theirs {one:.2f} s, ours {other:.3f} s, {one / other:.1f} times as fast")


def count_differing_pixels(theirs: Path, ours: Path) -> list[int]:
    """Return for each mask how many pixels differ."""
    from shamsul_core.imaging.rle import decode_rle

    one, other = (json.loads(path.read_text(encoding="utf-8")) for path in (theirs, ours))
    if {image: set(masks) for image, masks in one.items()} != {
        image: set(masks) for image, masks in other.items()
    }:
        sys.exit("theirs and ours made masks of other heatmaps")
    return [
        int((decode_rle(mask) != decode_rle(other[image][task])).sum())
        for image, masks in one.items()
        for task, mask in masks.items()
    ]


def lay_out_cohort(sample: Path, cohort: Path) -> Path:
    """Bring their sample into the layout CheXpert and CheXlocalize are released in."""
    (cohort / "CheXlocalize").mkdir(parents=True)
    shutil.copytree(sample / "valid", cohort / "CheXpert" / "val")
    shutil.copy(sample / "valid.csv", cohort / "CheXpert" / "val_labels.csv")
    shutil.copy(sample / "gt_segmentations_val.json", cohort / "CheXlocalize")
    return cohort


def beside_chexlocalize(checkout: Path, folder: Path, repeats: int) -> None:
    """Compare all three scripts."""
    maps, truth = checkout / "sample" / "gradcam_maps_val", checkout / "sample" / "gt_segmentations_val.json"
    theirs, ours = folder / "theirs", folder / "ours"
    theirs.mkdir()
    ours.mkdir()
    masks = "masks.json"
    compare(
        "maps to masks",
        (
            *("theirs", checkout / "heatmap_to_segmentation.py"),
            *("--map_dir", maps, "--output_path", theirs / masks),
        ),
        ("our-masks", maps, ours / masks),
        repeats,
    )
    differing = count_differing_pixels(theirs / masks, ours / masks)
    print(f"{len(differing)} masks, pixels that differ in each: {differing}")

    cohort, run = lay_out_cohort(checkout / "sample", folder / "cohort"), folder / "run"
    imported, _ = seconds_of("ours", "import-maps", "--maps", maps, "--cohort", cohort, "--run", run)
    print(f"import-maps, once: {imported:.2f} s, process")
    about_theirs = ("--map_dir", maps, "--gt_path", truth, "--save_dir", theirs)
    tune = ("ours", "tune", "--run", run, "--preset", "paper", "--out", ours / "tuning_results.csv")
    compare(
        "threshold tuning",
        ("theirs", checkout / "tune_heatmap_threshold.py", *about_theirs),
        tune,
        repeats,
    )
    compare(
        "threshold and cutoff tuning against cutoff tuning",
        ("theirs", checkout / "tune_probability_threshold.py", *about_theirs),
        (*tune, "--cutoffs-out", ours / "probability_tuning_results.csv"),
        repeats,
    )
    for name in ("tuning_results.csv", "probability_tuning_results.csv"):
        is_same = (theirs / name).read_bytes() == (ours / name).read_bytes()
        print(f"{name}: {'the same bytes' if is_same else 'DIFFERS'}")
        if not is_same:
            print((theirs / name).read_text(), (ours / name).read_text(), sep="\n")


def on_one_core(folder: Path, repeats: int) -> None:
    """Score one made radiograph of every method and pathology."""
    from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
    from tests.made import made_pixels, make_cohort, make_run

    cohort = make_cohort(folder / "cohort", 1, made_pixels(2300, 2800), marked=LOCALISED_PATHOLOGIES)
    make_run(folder / "run", cohort)
    _, work = medians([seconds_of("radiograph", folder) for _ in range(repeats)])
    print(f"four methods, ten pathologies, 2300 × 2800, one core: {work:.2f} s to read, segment and score")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--chexlocalize", type=Path, help="checkout of CheXlocalize's repository")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.chexlocalize:
            beside_chexlocalize(chosen.chexlocalize.resolve(), Path(folder), chosen.repeats)
        on_one_core(Path(folder, "made"), chosen.repeats)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(CHILDREN[sys.argv[2]](*sys.argv[3:]))
    else:
        main()
