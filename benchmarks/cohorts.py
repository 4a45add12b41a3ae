"""What opening a large cohort takes: ``python -m benchmarks.cohorts SAMPLES``.

`SAMPLES` holds the whole tables of NIH's ChestX-ray14 (``nih/*-whole.csv.gz``) and VinDr-CXR (``vindr/train-whole.csv.gz``).
Each is laid out in a temporary folder, without pixels, and in a process of its own opened, listed (a table of all labels and
facts) and filtered (which radiographs are marked). Prints seconds, and the most memory that the process took beyond what
the imports take, in MB.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

TABLES = {
    "NIH ChestX-ray14": {
        "nih/Data_Entry_2017_v2020-whole.csv.gz": "Data_Entry_2017_v2020.csv",
        "nih/BBox_List_2017-whole.csv.gz": "BBox_List_2017.csv",
    },
    "VinDr-CXR": {"vindr/train-whole.csv.gz": "train.csv"},
}


def most_memory() -> float:
    """Return the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def measure(folder: Path) -> str:
    """Open, list and filter a cohort in this process and return a row of the table."""
    from shamsul_core.cohort import open_cohort
    from shamsul_core.cohort.summary import cohort_table, label_counts, marked_ids

    before, seconds = most_memory(), [time.perf_counter()]
    cohort = open_cohort(folder)
    seconds.append(time.perf_counter())
    label_counts(cohort_table(cohort))
    seconds.append(time.perf_counter())
    marked = marked_ids(cohort)
    seconds.append(time.perf_counter())
    opened, listed, filtered = (end - start for start, end in pairwise(seconds))
    memory = most_memory() - before
    return f"{len(cohort.radiographs):,} | {len(marked):,} | {opened:.2f} | {listed:.2f} | {filtered:.2f} | {memory:.0f}"


def unpack(samples: Path, folder: Path, tables: dict[str, str]) -> None:
    """Lay a cohort's tables out as released."""
    for source, name in tables.items():
        (folder / name).write_bytes(gzip.decompress((samples / source).read_bytes()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cohorts")
    parser.add_argument("samples", type=Path)
    parser.add_argument("--folder", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:
        print(measure(arguments.samples))
        sys.exit()
    print("| cohort | radiographs | marked | open s | list s | filter s | MB |")
    print("|---|---|---|---|---|---|---|")
    for title, tables in TABLES.items():
        with tempfile.TemporaryDirectory() as place:
            unpack(arguments.samples, Path(place), tables)
            command = [sys.executable, "-m", "benchmarks.cohorts", "--folder", place]
            row = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        print(f"| {title} | {row} |")
