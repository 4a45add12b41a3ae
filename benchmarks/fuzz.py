"""Damaged files of every kind that is read, thousands of them: taken or refused in a sentence, and nothing else.

``python -m benchmarks.fuzz [COUNT]``: so many inputs (10,000) made from whole files by changing, removing, repeating and
exchanging bytes, the same each time. A child process reads them one by one, images in the bounded process of
`shamsul_core.imaging` as the server does; the parent watches: an input on which the child ends or grows by over 300 MB, or is
at for over 30 s, or raises what its reader does not promise, is a fault. Exit status 1 if there is one. The bounded process
may be ended: how often it was is printed.
"""

from __future__ import annotations

import json
import pickle
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.imaging import Geometry, ImageError, deidentified, is_dicom, reading
from shamsul_core.imaging.bounded import Reader as BoundedReader
from shamsul_core.imaging.rle import decode_rle, encode_mask
from shamsul_core.interchange.chexlocalize import read_map
from shamsul_core.interchange.tensor_pickle import MapError
from shamsul_core.run import Run, RunError
from shamsul_core.upload import intake
from shamsul_core.upload.intake import IntakeError, take_in, take_in_mask
from tests.imaging.radiographs import as_jpeg_2000, file_of, picture, radiograph, ramp
from tests.imaging.test_masks import coco_file, label_studio, packed
from tests.made import image_id, make_cohort, make_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

LONGEST_S = 30.0
MOST_MB = 300
SIZE = (260, 300)


@dataclass(frozen=True)
class Reader:
    """What reads a kind of file: whole ones, the reading, what it may raise, and its share of the inputs."""

    seeds: list[bytes]
    read: Callable[[bytes], object]
    promised: type[Exception]
    share: float


def upload(content: bytes) -> None:
    """Take a file in, and save it without patient data."""
    take_in("upload", content)
    if is_dicom(content):
        try:
            deidentified(content, b"secret")
        except ImageError as error:
            message = f"deidentified: {error}"
            raise IntakeError(message) from error


class KeptReader(BoundedReader):
    """One process for all inputs: to start one for each would take hours."""

    def ask(self, words, content, *, is_private):
        """Return what the process answers."""
        return super().ask(words, content, is_private=False)


def through(path: Path, read: Callable[[], object], content: bytes) -> None:
    """Write the content to a path and read it."""
    path.write_bytes(content)
    read()


def readers(folder: Path) -> dict[str, Reader]:
    """Return every kind, with files of its own in a folder."""
    cohort = make_cohort(folder / "cohort")
    run = make_run(folder / "run", cohort)
    result = run.path_of(image_id(1))
    segmentations = cohort / "CheXlocalize" / "gt_segmentations_val.json"
    mask = np.zeros(SIZE, bool)
    mask[50:90, 60:200] = True
    maps = folder / f"{image_id(1)}_Edema_map.pkl"
    rle = json.dumps(encode_mask(mask)).encode()
    model = folder / "model.safetensors"
    return {
        "DICOM": Reader(_dicom_seeds(), upload, IntakeError, 0.35),
        "PNG, JPEG, TIFF": Reader(_picture_seeds(), upload, IntakeError, 0.2),
        "mask, JSON and PNG": Reader(
            [
                json.dumps({"x": {"Edema": encode_mask(mask)}}).encode(),
                picture(mask.astype(np.uint8), "PNG"),
                *(
                    json.dumps(made).encode()
                    for made in (coco_file(encode_mask(mask), name="Edema"), brushed(mask))
                ),
            ],
            lambda content: take_in_mask("mask", content, Geometry(SIZE, SIZE), "Edema"),
            IntakeError,
            0.1,
        ),
        "RLE": Reader([rle], lambda content: decode_rle(json.loads(content)), ValueError, 0.1),
        "cohort's segmentations, JSON": Reader(
            [segmentations.read_bytes()],
            partial(through, segmentations, partial(_annotations, cohort)),
            CohortError,
            0.05,
        ),
        "run's result, safetensors": Reader(
            [result.read_bytes()], partial(through, result, partial(_result, run.folder)), RunError, 0.1
        ),
        "map, pickle": Reader(
            _pickle_seeds(), partial(through, maps, partial(read_map, maps)), MapError, 0.09
        ),
        "model, safetensors": Reader(
            [_model()], partial(through, model, partial(_load_model, str(model))), ValueError, 0.01
        ),
    }


def brushed(mask: np.ndarray) -> list:
    """Return Label Studio's export of a mask."""
    return label_studio("brushlabels", {"rle": packed(mask)})


def _annotations(cohort: Path) -> None:
    opened = open_cohort(cohort)
    for name in opened.radiographs:
        annotation = opened.annotation(name, "Edema")
        if annotation is not None:
            annotation.mask()


def _result(folder: Path) -> None:
    found = Run.open(folder).read(image_id(1))
    for heatmap in found.heatmaps:
        _ = heatmap.relevance


def _load_model(path: str) -> None:
    from shamsul_core.classifier.weights import load_classifier

    load_classifier(path)


def _model() -> bytes:
    from shamsul_core.classifier.weights import save_classifier, untrained_classifier

    with tempfile.TemporaryDirectory() as folder:
        save_classifier(untrained_classifier(), Path(folder) / "model.safetensors")
        return (Path(folder) / "model.safetensors").read_bytes()


def _dicom_seeds() -> list[bytes]:
    files = Path(pydicom.__file__).parent / "data" / "test_files"
    found = [path.read_bytes() for path in sorted(files.glob("*.dcm")) if path.stat().st_size < 300_000]
    return [
        *found,
        file_of(radiograph()),
        file_of(radiograph(bits=8)),
        file_of(as_jpeg_2000(radiograph())),
        *(_compressed(syntax) for syntax in (pydicom.uid.RLELossless, pydicom.uid.JPEGLSLossless)),
    ]


def _compressed(syntax: str) -> bytes:
    image = radiograph()
    image.compress(syntax, generate_instance_uid=False)
    return file_of(image)


def _picture_seeds() -> list[bytes]:
    colours = np.stack([ramp(8)] * 3, axis=2)
    seeds = [picture(ramp(bits), kind) for bits in (8, 16) for kind in ("PNG", "TIFF")]
    seeds += [picture(ramp(8), "TIFF", compression=how) for how in ("tiff_lzw", "tiff_deflate", "packbits")]
    return [
        *seeds,
        picture(ramp(8), "JPEG"),
        picture(colours, "JPEG", progressive=True),
        picture(colours, "PNG"),
    ]


def _pickle_seeds() -> list[bytes]:
    import torch

    about = {"prob": torch.tensor(0.7), "gt": 1, "task": "Edema", "cxr_dims": (300, 260), "cam": "x"}
    return [
        pickle.dumps(about | {"map": torch.rand(1, 1, 20, 20)}, protocol=protocol)
        for protocol in (2, 3, 4, 5)
    ]


def damaged(seeds: list[bytes], number: int) -> bytes:
    """Return the damaged file of a number."""
    chance = np.random.default_rng(number)
    content = bytearray(seeds[number % len(seeds)])
    for _ in range(int(chance.integers(1, 9))):
        # Headers are what is believed
        reach = len(content) if chance.random() < 0.4 else min(len(content), 1500)
        at = int(chance.integers(reach)) if reach else 0
        length = int(chance.choice([1, 1, 1, 2, 4, 16, 200]))
        match int(chance.integers(7)):
            case 0:
                content[at : at + length] = chance.bytes(len(content[at : at + length]))
            case 1:
                content[at : at + 4] = bytes([int(chance.choice([0, 255, 127, 128]))]) * len(
                    content[at : at + 4]
                )
            case 2:
                content[at : at + 1] = (
                    bytes([content[at] ^ (1 << int(chance.integers(8)))]) if content else b""
                )
            case 3:
                del content[at : at + length]
            case 4:
                content[at:at] = content[at : at + length]
            case 5:
                other = seeds[int(chance.integers(len(seeds)))]
                start = int(chance.integers(len(other)))
                content[at : at + length] = other[start : start + length]
            case _ if chance.random() < 0.3:
                del content[at:]
    return bytes(content)


def _work(connection: Connection, folder: str) -> None:
    """Read what is asked for, and say what came of it, how long it took and how much memory, in MB."""
    warnings.simplefilter("ignore")
    known = readers(Path(folder))
    intake.LEAST_SIDE_PX = (
        1  # most of pydicom's files are small and no radiographs: they shall reach the decoders
    )
    intake._RADIOGRAPHY = {*intake._RADIOGRAPHY, *intake._OTHERS}
    reading.READER = bounded = KeptReader(1)
    connection.send(None)
    while True:
        kind, number = connection.recv()
        content = damaged(known[kind].seeds, number)
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts anew
        before, stopped, began = _memory("VmRSS"), bounded.stopped, time.perf_counter()
        try:
            known[kind].read(content)
            outcome = "taken"
        except known[kind].promised as error:
            outcome = "refused" if "\n" not in str(error) else f"several lines: {error}"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            outcome = f"{type(error).__name__}: {error}"
        took = time.perf_counter() - began
        connection.send((outcome, took, _memory("VmHWM") - before, bounded.stopped - stopped))


def _memory(name: str) -> float:
    """Return what Linux says of this process's memory, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


class Child:
    """The process that reads."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._connection, theirs = get_context("spawn").Pipe()
        self._process = get_context("spawn").Process(
            target=_work, args=(theirs, self._folder.name), daemon=True
        )
        self._process.start()
        theirs.close()
        self._connection.recv()

    def read(self, kind: str, number: int) -> tuple[str, float, float, int]:
        """Return what came of an input."""
        self._connection.send((kind, number))
        if not self._connection.poll(LONGEST_S):
            return "hang", LONGEST_S, 0.0, 0
        try:
            return self._connection.recv()
        except EOFError:
            self._process.join()
            return f"ended with status {self._process.exitcode}", 0.0, 0.0, 0

    def end(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.join()
        self._folder.cleanup()


def main(count: int) -> int:
    """Read so many, print what came of them, and return how many were faults."""
    child, faults = Child(), 0
    with tempfile.TemporaryDirectory() as folder:
        shares = {kind: reader.share for kind, reader in readers(Path(folder)).items()}
    print(
        f"{'kind':32}{'inputs':>8}{'taken':>8}{'refused':>9}{'faults':>8}{'longest':>10}{'memory':>10}{'ended':>8}"
    )
    for kind, share in shares.items():
        outcomes, longest, most = Counter(), 0.0, 0.0
        for number in range(round(count * share)):
            outcome, took, memory, stopped = child.read(kind, number)
            outcomes["ended"] += stopped
            longest, most = max(longest, took), max(most, memory)
            is_fault = outcome not in ("taken", "refused") or memory > MOST_MB
            outcomes["faults" if is_fault else outcome] += 1
            if is_fault:
                print(f"{kind} {number}: {outcome[:200]}, {memory:.0f} MB", flush=True)
                child.end()
                child = Child()
        faults += outcomes["faults"]
        print(
            f"{kind:32}{round(count * share):8}{outcomes['taken']:8}{outcomes['refused']:9}{outcomes['faults']:8}"
            f"{longest:8.2f} s{most:7.0f} MB{outcomes['ended']:8}",
            flush=True,
        )
    child.end()
    return faults


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000) > 0)
