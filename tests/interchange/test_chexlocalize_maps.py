from __future__ import annotations

import json
import os
import pickle
import re

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from shamsul_core.heatmap import Heatmap
from shamsul_core.interchange.chexlocalize import (
    CHEXLOCALIZE_ORDER,
    MapError,
    UnsafePickleError,
    read_map,
)
from shamsul_core.interchange.tensor_pickle import load
from shamsul_core.localisation.overlap import hit, iou
from shamsul_core.localisation.segmentation import PRESETS, segment

NAME = "patient1_study1_view1_frontal_Airspace Opacity_map.pkl"


def info(**changes):
    return {
        "map": torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)),
        "prob": 0.25,
        "task": "Airspace Opacity",
        "gt": 1,
        "cxr_dims": (280, 230),
    } | changes


def written(folder, content, name=NAME):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=3))
    return path


def test_published_maps_give_the_published_masks_and_scores(sample):
    published = json.loads((sample / "CheXlocalize" / "gradcam_segmentations_val.json").read_text())
    paths = sorted((sample / "CheXlocalize" / "gradcam_maps_val").glob("*_map.pkl"))
    assert len(paths) == 4
    for path in paths:
        one = read_map(path)
        assert one.size == (2320, 2828)
        heatmap = Heatmap(method="gradcam", pathology=one.pathology, output=None, values=one.relevance)
        mask = segment(heatmap, one.size, PRESETS["paper"]).mask
        theirs = "Airspace Opacity" if one.pathology == "Lung Opacity" else one.pathology
        expected = coco.decode(published[one.image_id][theirs]).astype(bool)
        assert (mask & expected).sum() / (mask | expected).sum() >= 0.99999


def test_the_sample_scores_as_chexlocalizes_scripts_say(sample):
    experts = json.loads((sample / "CheXlocalize" / "gt_segmentations_val.json").read_text())
    expected = {
        "Cardiomegaly": (0.366206, 1),
        "Enlarged Cardiomediastinum": (0.462347, 1),
        "Airspace Opacity": (0.0, 0),
    }
    for name, (its_iou, its_hit) in expected.items():
        (path,) = (sample / "CheXlocalize" / "gradcam_maps_val").glob(f"*_{name}_map.pkl")
        one = read_map(path)
        heatmap = Heatmap(method="gradcam", pathology=one.pathology, output=None, values=one.relevance)
        expert = coco.decode(experts[one.image_id][name]).astype(bool)
        assert iou(segment(heatmap, one.size, PRESETS["paper"]).mask, expert) == pytest.approx(
            its_iou, abs=5e-7
        )
        assert hit(one.relevance, expert) == its_hit


def test_equals_torchs_own_reading(tmp_path, sample):
    for path in (sample / "CheXlocalize" / "gradcam_maps_val").glob("*_map.pkl"):
        with path.open("rb") as file:
            theirs = pickle.load(file)
        ours = read_map(path)
        np.testing.assert_array_equal(ours.relevance, theirs["map"][0, 0].numpy())
        assert ours.probability == pytest.approx(theirs["prob"])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(12.0).reshape(3, 4),
        torch.arange(12.0).reshape(3, 4).t(),
        torch.arange(24).reshape(2, 3, 4)[1, :, 1:3],
        torch.arange(6, dtype=torch.float64).reshape(2, 3),
        torch.tensor([[1.5, -2]], dtype=torch.float16),
        torch.tensor(7.0),
        torch.tensor([True, False]),
        torch.zeros(0, 3),
        torch.tensor([1.0]).expand(4),
    ],
    ids=lambda tensor: f"{tensor.dtype}{tuple(tensor.shape)}{tensor.stride()}",
)
def test_tensors_are_read_as_torch_wrote_them(tensor, protocol):
    read = load(pickle.dumps({"a": [tensor, ("x", tensor)]}, protocol=protocol))
    np.testing.assert_array_equal(read["a"][0], tensor.numpy())
    np.testing.assert_array_equal(read["a"][1][1], tensor.numpy())
    assert read["a"][0].dtype == tensor.numpy().dtype


def test_a_map_is_read_with_its_probability_and_size(tmp_path):
    content = info()
    one = read_map(written(tmp_path, content))
    assert (one.image_id, one.pathology) == ("patient1_study1_view1_frontal", "Lung Opacity")
    assert one.size == (230, 280)
    assert one.probability == 0.25
    np.testing.assert_array_equal(one.relevance, content["map"][0, 0].numpy())


def test_fourteen_probabilities_are_in_chexlocalizes_order(tmp_path):
    fourteen = torch.arange(14) / 20
    one = read_map(written(tmp_path, info(prob=fourteen)))
    assert one.probability == pytest.approx(
        4 / 20
    )  # Airspace Opacity is fifth there, fourth in CheXpert's columns
    of_lesion = info(prob=fourteen, task="Lung Lesion")
    lesion = read_map(written(tmp_path, of_lesion, NAME.replace("Airspace Opacity", "Lung Lesion")))
    assert lesion.probability == pytest.approx(3 / 20)
    assert CHEXLOCALIZE_ORDER[3] == "Lung Lesion"
    assert read_map(written(tmp_path, info(prob=torch.tensor([0.5])))).probability == 0.5


class Payload:
    """Unpickled as usual, this calls `function(*arguments)`."""

    def __init__(self, function, *arguments):
        self.what = (function, arguments)

    def __reduce__(self):
        return self.what


def payload_of(function, target):
    touch = f"__import__('pathlib').Path({str(target)!r}).touch()"
    return Payload(function, f"touch {target}" if function is os.system else touch)


@pytest.mark.parametrize("function", [os.system, eval, exec], ids=lambda function: function.__name__)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("where", ["top", "inside", "storage"])
def test_a_pickle_that_asks_for_anything_else_is_refused_by_name_and_never_executed(
    tmp_path, function, protocol, where
):
    target = tmp_path / "executed"
    payload = payload_of(function, target)
    if where == "storage":
        evil = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}, payload))
        content = pickle.dumps(Payload(torch.storage._load_from_bytes, evil), protocol)
    else:
        content = pickle.dumps(payload if where == "top" else info(gt=payload), protocol)
    path = written(tmp_path, content)
    with pytest.raises(
        UnsafePickleError, match=rf"asks for \w+\.{function.__name__}, which SHAMSUL never executes"
    ):
        read_map(path)
    assert not target.exists()
    pickle.loads(pickle.dumps(payload, protocol))
    assert target.exists()


def test_the_oldest_protocol_is_refused(tmp_path):
    with pytest.raises(UnsafePickleError, match="instruction"):
        read_map(written(tmp_path, pickle.dumps(info(), 0)))


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02ccollections\nOrderedDict\n)R}X\x01\x00\x00\x00aK\x01sb.",  # BUILD
        b"\x80\x02\x82\x01.",  # an extension code
        b"\x80\x02ccollections\nOrderedDict\n)\x81.",  # NEWOBJ
        b"\x80\x05\x97.",  # NEXT_BUFFER
    ],
    ids=["build", "extension", "newobj", "buffer"],
)
def test_instructions_no_heatmap_needs_are_refused(tmp_path, program):
    with pytest.raises(UnsafePickleError, match="instruction"):
        read_map(written(tmp_path, program))


def tensor_from(count, offset, size, stride):
    """A pickle of a tensor with any offset, size and strides over a storage of `count` float32."""
    rebuild, arguments = torch.zeros(count).__reduce_ex__(2)
    assert rebuild is torch._utils._rebuild_tensor_v2
    return pickle.dumps(Payload(rebuild, arguments[0], offset, size, stride, False, {}), 2)


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (5,), (1,)),
        (3, (2,), (1,)),
        (0, (2, 3), (2, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2**40,), (0,)),
        (0, (2**20, 2**20), (0, 0)),
        (0, (2,), (2**62,)),
        (0, (2, 2), (1,)),
        (0, ("2",), (1,)),
        (0, (True,), (1,)),
    ],
)
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")
def test_a_tensor_never_reads_outside_its_storage(offset, size, stride):
    with pytest.raises(MapError, match=r"impossible shape|larger than its storage|damaged"):
        load(tensor_from(4, offset, size, stride))
    np.testing.assert_array_equal(load(tensor_from(4, 0, (2, 2), (2, 1))), np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"map": torch.rand(2, 3, 4)}, "no map of two dimensions"),
        ({"map": None}, "no map of two dimensions"),
        ({"map": torch.full((1, 1, 4, 4), float("nan"))}, "not finite"),
        ({"prob": 1.5}, "its probability is 1.5"),
        ({"prob": float("nan")}, "its probability is nan"),
        ({"prob": torch.rand(3)}, "neither one probability nor fourteen"),
        ({"prob": "high"}, "neither one probability nor fourteen"),
        ({"cxr_dims": (280,)}, "not a radiograph's width and height"),
        ({"cxr_dims": (280, -1)}, "not a radiograph's width and height"),
        ({"cxr_dims": None}, "not a radiograph's width and height"),
        ({"cxr_dims": torch.tensor(3)}, "not a radiograph's width and height"),
        ({"cxr_dims": (True, True)}, "not a radiograph's width and height"),
        ({"cxr_dims": (65535, 65535)}, "not a radiograph's width and height"),
        ({"prob": 10**400}, "its probability is 1000"),
        ({"map": torch.zeros(1, 1, 0, 3)}, "impossible size: 0 by 3"),
        ({"map": torch.full((1, 1, 2, 2), 1e300, dtype=torch.float64)}, "not finite"),
        ({"task": "Cardiomegaly"}, "its name says Lung Opacity, its task Cardiomegaly"),
    ],
)
def test_a_map_that_is_not_one_is_named(tmp_path, changes, named):
    with pytest.raises(MapError, match=named) as caught:
        read_map(written(tmp_path, info(**changes)))
    assert str(caught.value).startswith(NAME)


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps([1, 2]), pickle.dumps(info())[:-500]])
def test_damaged_files_are_named(tmp_path, content):
    with pytest.raises(MapError) as caught:
        read_map(written(tmp_path, content))
    assert str(caught.value).startswith(NAME)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a_map.pkl", "patient1_Broken Heart_map.pkl", "patient1_Edema.pkl"])
def test_a_name_of_another_form_is_named(tmp_path, name):
    with pytest.raises(MapError, match="not named"):
        read_map(written(tmp_path, info(), name))


def test_a_huge_memo_index_reserves_no_memory(tmp_path):
    with pytest.raises(MapError, match="more objects"):
        read_map(written(tmp_path, b"\x80\x02}r\xff\xff\xff\x7f."))


NESTED = b"\x80\x02})" + b"\x85" * 200_000 + b"Ns."
TWICE = b"\x80\x02})" + b"q\x01h\x01\x86" * 60 + b"Ns."


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02]q\x00h\x00a.",
        b"\x80\x02" + b"]" * 3000 + b"a" * 2999 + b".",
        b"\x80\x02]q\x00" + b"".join(b"]q%ch%cah%ca" % (i + 1, i, i) for i in range(60)) + b".",
        b"\x80\x02]q\x00" + b"".join(b"]q%c" % (i + 1) + b"h%ca" % i * 100 for i in range(10)) + b".",
        NESTED,
        TWICE,
        TWICE.replace(b"\x86", b"\x86\x80\x02"),
        TWICE.replace(b"\x86", b"\x86N0"),
        TWICE.replace(b"\x86", b"\x86(1"),
        b"\x80\x04})" + b"".join(b"\x94h%c\x86" % i for i in range(60)) + b"Ns.",
    ],
    ids=[
        "a list in itself",
        "3000 lists deep",
        "2**60 lists",
        "100**10 lists",
        "hash overflows the stack",
        "hash takes 2**60 steps",
        "the same behind PROTO",
        "the same behind POP",
        "the same behind POP_MARK",
        "the same by MEMOIZE",
    ],
)
def test_a_pickle_that_is_meant_never_to_end_is_refused_at_once(tmp_path, program):
    with pytest.raises(MapError, match="more objects"):
        read_map(written(tmp_path, program))


def stream(kind, count=4, key="k", system=None, numbers=b"\0" * 64):
    """A legacy stream of one storage whose type is whatever pickle `kind` makes."""
    described = b"\x80\x02(\x8c\x07storage" + kind + b"\x8c\x01k\x8c\x03cpuK%cNtQ." % count
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True} if system is None else system)
    head = b"".join(pickle.dumps(part, 2) for part in parts)
    return head + described + pickle.dumps([key], 2) + (4).to_bytes(8, "little") + numbers


def tensor_of(data):
    storage = Payload(torch.storage._load_from_bytes, data)
    return pickle.dumps(Payload(torch._utils._rebuild_tensor_v2, storage, 0, (2, 2), (2, 1), False, {}), 3)


FLOATS = b"ctorch\nFloatStorage\n"


def test_a_stream_made_by_hand_is_read():
    np.testing.assert_array_equal(load(tensor_of(stream(FLOATS))), np.zeros((2, 2), np.float32))


@pytest.mark.parametrize("text", [b"O", b"U1", b"f4,f4", b"M8[s]", b"FloatStorage"])
def test_a_storages_type_is_torchs_and_no_text(text):
    with pytest.raises(UnsafePickleError, match="no tensor's storage"):
        load(tensor_of(stream(b"\x8c%c" % len(text) + text)))


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (stream(FLOATS, numbers=b"\0" * 15), "cut off"),
        (stream(FLOATS, count=3), "cut off"),
        (stream(FLOATS, key="other"), "torch did not write"),
        (stream(FLOATS, system={"little_endian": False}), "big-endian"),
        (stream(b"ctorch.storage\n_load_from_bytes\n"), "asks for torch.storage._load_from_bytes"),
        (stream(b"ctorch\nload\n"), "asks for torch.load"),
        (b"", "damaged"),
    ],
)
def test_a_storage_that_is_none_is_named(data, named):
    with pytest.raises(MapError, match=re.escape(named)):
        load(tensor_of(data))


def test_what_the_pickle_asks_for_is_quoted_on_one_line(tmp_path):
    program = b"\x80\x04\x8c\x03a\nb\x8c\x05\x1b[31m\x93."
    with pytest.raises(UnsafePickleError) as caught:
        read_map(written(tmp_path, program))
    assert str(caught.value) == rf"{NAME}: asks for a\nb.\x1b[31m, which SHAMSUL never executes"


def test_a_tensor_that_repeats_its_numbers_is_not_copied(tmp_path):
    huge = torch.zeros(1).expand(1, 1, 2**14, 2**14)
    with pytest.raises(MapError, match="impossible size: 16384 by 16384"):
        read_map(written(tmp_path, info(map=huge)))


WHOLE = pickle.dumps(info(map=torch.rand(1, 1, 4, 4)), protocol=2)


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore:invalid escape sequence:DeprecationWarning"
)  # pickletools reads a text's escapes
@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_map_gives_a_map_or_one_line(tmp_path, data):
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["set", "delete", "insert"]))
        if kind == "set":
            content[place] = data.draw(st.integers(0, 255))
        elif kind == "delete":
            del content[place : place + data.draw(st.integers(1, 20))]
        else:
            content[place:place] = data.draw(st.binary(max_size=12))
        if not content:
            break
    complaint = NAME
    try:
        read_map(written(tmp_path, bytes(content)))
    except MapError as error:
        complaint = str(error)
    assert complaint.startswith(NAME)
    assert complaint.isprintable()
