"""What the downloads say that they show."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from shamsul_core.figures.scene.display import AS_AT_FIRST, Display
from tests.made import image_id


def words_of(run, display):
    def page(run, display, image_id):
        from dashboard.downloads import offer_downloads

        offer_downloads(run, None, image_id, "Edema", None, display)

    kwargs = {"run": run, "display": display, "image_id": image_id(2)}
    app = AppTest.from_function(page, kwargs=kwargs).run()
    assert not app.exception
    return [caption.value for caption in app.caption]


@pytest.mark.slow
def test_downloads_say_which_picture_they_are_of(made_run):
    shown = words_of(made_run, Display(level=137, is_inverted=True, enlarged="gradcam"))
    assert "As on the screen: fixed threshold 0.54, Grad-CAM alone, inverted" in shown
    assert "Scores of all pathologies and methods, at the fixed threshold 0.54" in shown
    assert "Scores of all pathologies and methods, from the run's own masks" in words_of(
        made_run, AS_AT_FIRST
    )
