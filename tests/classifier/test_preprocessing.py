"""What a network sees, held against the libraries' own transforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from shamsul_core.classifier.preprocessing import Preprocessing
from tests.made import made_pixels

PLAIN = {"mean": (0.5,), "std": (0.25,)}
SHAPES = [(121, 100), (90, 133), (64, 64)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("fit", ["squeeze", "crop"])
def test_pillow_is_torchvisions_transforms_on_pillows_pictures(shape, interpolation, fit):
    pixels = made_pixels(*shape)
    ours = Preprocessing(
        size_px=33, resize_px=38, fit=fit, interpolation=interpolation, library="pillow", **PLAIN
    )
    mode = torchvision.transforms.InterpolationMode(interpolation)
    theirs = torchvision.transforms.Compose(
        [
            torchvision.transforms.Resize(38 if fit == "crop" else (38, 38), interpolation=mode),
            torchvision.transforms.CenterCrop(33),
            torchvision.transforms.ToTensor(),
            torchvision.transforms.Normalize([0.5], [0.25]),
        ]
    )
    torch.testing.assert_close(ours(pixels)[0], theirs(Image.fromarray(pixels)), atol=1e-6, rtol=0)


@pytest.mark.parametrize("library", ["torch", "pillow", "transformers", "torchxrayvision"])
def test_8_and_16_bits_give_the_same_picture(library):
    pixels = made_pixels()
    ours = Preprocessing(size_px=40, fit="crop", library=library, **PLAIN)
    deep = ours.resize(pixels.astype(np.uint16) * 257)
    # Rounded to grey levels after rows and after columns by those that do so
    torch.testing.assert_close(ours.resize(pixels), deep, atol=1.1 / 255, rtol=0)


@pytest.mark.parametrize("library", ["torch", "pillow", "transformers", "torchxrayvision"])
@pytest.mark.parametrize("shape", [(1000, 800), (600, 801)])
@pytest.mark.parametrize(("fit", "resize_px"), [("crop", None), ("crop", 80), ("squeeze", 80), ("pad", None)])
def test_the_field_is_where_the_picture_came_from(library, shape, fit, resize_px):
    """Rows and columns that are their own number: what the network sees tells where it lies."""
    if library == "torchxrayvision" and (fit, resize_px) != ("crop", None):
        return
    ours = Preprocessing(size_px=64, fit=fit, resize_px=resize_px, library=library, **PLAIN)
    top, left, bottom, right = ours.field(shape)
    for axis, (start, end) in enumerate(((top, bottom), (left, right))):
        fractions = (np.arange(shape[axis]) + 0.5) / shape[axis]
        ramp = np.rint(fractions * 65535).astype(np.uint16)
        pixels = np.broadcast_to(np.expand_dims(ramp, 1 - axis), shape)
        seen = ours.resize(np.ascontiguousarray(pixels))[0, 0].numpy()
        middle = np.take(seen, 32, axis=1 - axis)
        expected = start + (np.arange(64) + 0.5) / 64 * (end - start)
        inside = (expected > 0.03) & (expected < 0.97)
        # scikit-image takes what lies beyond the picture for grey
        inside[[0, -1]] &= library != "torchxrayvision"
        np.testing.assert_allclose(middle[inside], expected[inside], atol=0.006)
        assert not middle[(expected < 0) | (expected > 1)].any()


def test_what_was_stored_before_is_read_and_has_the_same_fingerprint():
    """As the first version wrote it, and the text that its fingerprints were made of."""
    stored = {"size_px": 320, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    old = Preprocessing.from_json(stored)
    assert repr(old) == ("Preprocessing(size_px=320, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))")
    assert old.to_json().keys() == stored.keys()
    new = Preprocessing(size_px=64, fit="crop", library="pillow", **PLAIN)
    assert Preprocessing.from_json(new.to_json()) == new


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"fit": "stretch"}, "fit is 'stretch', not one of squeeze, crop, pad"),
        ({"mean": [0.5, 0.5]}, "not three numbers"),
        ({"mean": [0.5]}, "unusable preprocessing"),
        ({"resize_px": "big"}, "not a number of pixels"),
        ({"resize_px": 100}, "unusable preprocessing"),
    ],
)
def test_wrong_settings_are_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        Preprocessing.from_json(Preprocessing().to_json() | wrong)
