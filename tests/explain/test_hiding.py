from __future__ import annotations

import numpy as np
import pytest
import torch
from lime.lime_image import LimeImageExplainer

from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.explain.hiding import HIDES, hidden_picture
from tests.made import made_pixels

SIZE = 64
INPUTS = Preprocessing(size_px=SIZE)(made_pixels())
PLACE = np.arange(SIZE) * 4 // SIZE
LABELS = PLACE[:, None] * 4 + PLACE


def test_grey_is_0_of_the_normalised_input():
    assert not hidden_picture(INPUTS, "grey").any()


def test_the_local_mean_is_limes_own_default(monkeypatch):
    """lime's explain_instance without a hide_color, of which its first coalitions show what is hidden."""
    seen = []
    monkeypatch.setattr("lime.lime_image.tqdm", iter)

    def predict(images):
        seen.extend(np.array(images))
        return np.tile([0.4, 0.6], (len(images), 1))

    image = INPUTS[0].permute(1, 2, 0).double().numpy()
    LimeImageExplainer(random_state=0).explain_instance(
        image, predict, hide_color=None, num_samples=30, segmentation_fn=lambda _: LABELS
    )
    ours = hidden_picture(INPUTS, "local mean", LABELS)[0].permute(1, 2, 0).numpy()
    theirs = np.stack(seen)
    is_hidden = np.abs(theirs - image).max(axis=(0, 3)) > 1e-6
    assert is_hidden.mean() > 0.9
    # Where anything of lime's is not the image, it is what hides
    for one in theirs:
        changed = np.abs(one - image) > 1e-6
        np.testing.assert_allclose(one[changed], ours[changed], atol=1e-5)


def test_blur_is_a_gaussian_of_a_sixteenth_of_the_side():
    point = torch.zeros(1, 1, 65, 65)
    point[0, 0, 32, 32] = 1
    spread = hidden_picture(point, "blur")[0, 0]
    place = torch.arange(65) - 32
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    assert torch.sqrt((spread.sum(dim=0) * place**2).sum()) == pytest.approx(65 / 16, rel=0.01)


@pytest.mark.parametrize("hide", ["blur", "local mean", "inpainted"])
def test_what_is_even_stays_so(hide):
    even = torch.full((1, 3, SIZE, SIZE), 0.7)
    torch.testing.assert_close(hidden_picture(even, hide, LABELS), even, atol=1e-3, rtol=0)


def test_inpainted_goes_on_from_around_and_knows_nothing_of_what_it_hides():
    def inpainted(inputs):
        return hidden_picture(inputs, "inpainted", LABELS)[0, 0].numpy()

    # A ramp is harmonic, so that it goes on as it is; at the edge it has no neighbours on one side
    ramp = torch.linspace(-1, 1, SIZE).expand(1, 3, SIZE, SIZE).clone()
    middle = LABELS == 5
    np.testing.assert_allclose(inpainted(ramp)[middle], ramp[0, 0].numpy()[middle], atol=1e-5)
    marked = ramp.clone()
    marked[0, :, 20:28, 20:28] = 9
    np.testing.assert_allclose(inpainted(marked)[middle], inpainted(ramp)[middle], atol=1e-5)


def test_what_needs_superpixels_or_is_unknown_is_refused():
    for hide in ("local mean", "inpainted", "black"):
        with pytest.raises(ValueError, match=f"nothing can be hidden behind '{hide}' here; there are grey"):
            hidden_picture(INPUTS, hide)
    assert HIDES == ("grey", "blur", "local mean", "inpainted")
