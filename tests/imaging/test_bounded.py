"""Whatever a file is, the server's memory and time are its own; what is over its bounds is ended, and the next is read."""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
import zlib
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

import numpy as np
import psutil
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless

from shamsul_core.imaging import ImageError, bounded, read_radiograph, reading
from shamsul_core.imaging.bounded import Reader, StoppedError
from tests.imaging.radiographs import as_jpeg_2000, file_of, picture, radiograph, ramp

pytestmark = [pytest.mark.bounded, pytest.mark.slow]

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")


@pytest.fixture
def reader(monkeypatch):
    own = Reader(1)
    monkeypatch.setattr(reading, "READER", own)
    yield own
    own.close()


@cache
def packed(megabytes: int) -> bytes:
    """One deflated value of so many megabytes, a thousandth of it on the disk."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = packer.compress(struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, megabytes * 2**20))
    for _ in range(megabytes):
        body += packer.compress(bytes(2**20))
    return body + packer.flush()


def deflated(megabytes: int, *, preamble: bool = True, meta: bytes = b"") -> bytes:
    """A deflated DICOM file of one value of so many megabytes."""
    uid = DeflatedExplicitVRLittleEndian.encode() + b"\0" * (len(DeflatedExplicitVRLittleEndian) % 2)
    group = struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid + meta
    head = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(group)) + group
    return (bytes(128) + b"DICM" if preamble else b"") + head + packed(megabytes)


def private(length: int) -> bytes:
    """Meta information that is long: a private one, so that the syntax stands far from the start."""
    return struct.pack("<HH2sHI", 2, 0x102, b"OB", 0, length) + bytes(length)


def lying(content: bytes) -> bytes:
    """The same with a wrong length of the meta group."""
    at = 132 + 8
    return content[:at] + struct.pack("<I", 7) + content[at + 4 :]


def decoy() -> bytes:
    """JPEG 2000 that claims 30,000 × 30,000 pixels behind a header of the size that the file states."""
    image = as_jpeg_2000(radiograph())
    content = file_of(image)
    start = content.index(b"\xff\x4f\xff\x51")
    small = content[start : start + 60]
    stream = bytearray(content[start:])
    struct.pack_into(">IIIIIIII", stream, 8, 30_000, 30_000, 0, 0, 30_000, 30_000, 0, 0)
    image.PixelData = encapsulate([small + bytes(stream)])
    image.file_meta.TransferSyntaxUID = JPEG2000Lossless
    return file_of(image)


def many_scans(count: int = 5000) -> bytes:
    """A progressive JPEG whose last scan comes so many times."""
    whole = picture(
        np.random.default_rng(0).integers(0, 255, (2000, 2000)).astype(np.uint8),
        "JPEG",
        quality=20,
        progressive=True,
    )
    scan = whole.rindex(b"\xff\xda")
    head = whole[scan : scan + 2 + int.from_bytes(whole[scan + 2 : scan + 4])]
    return whole[:-2] + (head + b"\0\0\0") * count + b"\xff\xd9"


def many_elements() -> bytes:
    """A DICOM file of a million and a half private elements."""
    element = b"".join(struct.pack("<HH2sH", 9, 0x1000 + i, b"LO", 0) for i in range(1000))
    return file_of(radiograph())[:-1] + b"\0" + element * 1500


BOMBS = {
    "deflated": lambda: deflated(1500),
    "deflated, long meta information": lambda: deflated(1500, meta=private(4000)),
    "deflated, lying group length": lambda: lying(deflated(1500)),
    "deflated, no preamble": lambda: deflated(1500, preamble=False),
    "JPEG 2000 with a decoy": decoy,
    "JPEG of 5,000 scans": many_scans,
    "a million elements": many_elements,
    "PNG of 60,000 × 60,000": lambda: vast_png(60_000),
}


def vast_png(side: int) -> bytes:
    content = bytearray(picture(ramp(8)))
    struct.pack_into(">II", content, 16, side, side)
    struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    return bytes(content)


@linux
@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_and_the_servers_memory_does_not_grow(reader, kind):
    content = BOMBS[kind]()
    assert len(content) < 30e6
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts anew
    before = psutil.Process().memory_info().rss
    with suppress(ImageError):
        read_radiograph(content)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    assert peak - before < 100e6
    assert read_radiograph(picture(ramp(8))).pixels.shape == (260, 300)  # the next is read


@linux
@pytest.mark.parametrize("words", ["memory", "time"])
def test_what_is_over_is_named(monkeypatch, words):
    bounds = {"memory": {"memory_bytes": 2**29}, "time": {"longest_cpu_s": 1}}[words]
    # So many scans that no processor reads them within the second
    content = deflated(1500) if words == "memory" else many_scans(100_000)
    with closing(Reader(1, **bounds)) as reader:
        monkeypatch.setattr(reading, "READER", reader)
        with pytest.raises(
            ImageError, match={"memory": "more memory than", "time": "longer to read than"}[words]
        ):
            read_radiograph(content)
        assert reader.stopped == 1


def readers() -> set[psutil.Process]:
    children = psutil.Process().children()
    return {one for one in children if "shamsul_core.imaging.worker" in one.cmdline()}


@pytest.fixture
def the_child(reader):
    """Return the process that reads for this test; other tests' may idle beside it."""
    others = readers()

    def find() -> psutil.Process:
        (child,) = readers() - others
        return child

    return find


def test_a_process_that_is_killed_is_replaced(the_child):
    path = Path(__file__)
    with pytest.raises(ImageError, match="not a DICOM"):
        read_radiograph(path)
    killed = the_child()
    killed.kill()
    killed.wait()
    with pytest.raises(ImageError, match="not a DICOM"):
        read_radiograph(path)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals")
def test_a_process_that_stands_still_is_replaced(the_child, monkeypatch):
    with pytest.raises(ImageError, match="not a DICOM"):
        read_radiograph(Path(__file__))
    os.kill(the_child().pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(bounded, "LONGEST_S", 0.2)
        with pytest.raises(ImageError, match="longer to read"):
            read_radiograph(Path(__file__))
    with pytest.raises(ImageError, match="not a DICOM"):
        read_radiograph(Path(__file__))


def test_nothing_of_what_a_reader_brought_stays_in_the_process(the_child):
    first = read_radiograph(picture(ramp(8)))
    child = the_child().pid
    read_radiograph(picture(ramp(8)))
    assert first.pixels.shape == (260, 300)
    assert the_child().pid != child


@linux
def test_it_leaves_no_core_and_writes_no_file(the_child):
    with pytest.raises(ImageError):
        read_radiograph(Path(__file__))
    child = the_child()
    assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_AS)[0] < 8 * 2**30


def test_several_who_ask_at_once_get_their_own(tmp_path):
    reader = Reader(2)
    paths = []
    for number in range(6):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(picture(np.full((220, 220 + number), number, np.uint8)))
    found = {}

    def ask(number: int) -> None:
        said, pixels = reader.ask({"task": "radiograph", "path": str(paths[number])}, b"", is_private=False)
        found[number] = np.frombuffer(pixels, np.uint8).reshape(said["shape"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader.close()
    for number, pixels in found.items():
        assert pixels.shape == (220, 220 + number)
        assert (pixels == number).all()


BEGUN = "import sys; sys.stdout.buffer.write(b'\\0\\0\\0\\2{}' + bytes(8)); sys.stdout.buffer.flush();"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print('x' * 100, flush=True); input()", "unstartable"),
        ("raise SystemExit(1)", "unstartable"),
        (BEGUN + "print('x' * 100, flush=True); input()", "ended"),
        (BEGUN + "sys.stdin.read(9)", "ended"),
    ],
)
def test_an_answer_that_is_none_stops_the_process(reader, monkeypatch, program, reason):
    monkeypatch.setattr(bounded, "_COMMAND", [sys.executable, "-c", program])
    with pytest.raises(StoppedError, match=reason):
        reader.ask({"task": "radiograph", "path": "a"}, b"", is_private=False)
    assert reader.stopped == 1


def test_a_process_that_cannot_be_started_is_said(reader, monkeypatch):
    monkeypatch.setattr(bounded, "_COMMAND", ["/nowhere/python"])
    with pytest.raises(ImageError, match="cannot be read at the moment"):
        read_radiograph(Path(__file__))
