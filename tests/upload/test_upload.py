"""One upload: shown while it waits, inverted for the model too, marked in one way at a time, and erased to the last pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from shamsul_core.classifier.weights import load_classifier
from shamsul_core.cohort import open_cohort
from shamsul_core.figures.print.comparison import caption, numbers_csv, print_comparison
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.overlay import decode_scene
from shamsul_core.upload.examples import choose_examples
from shamsul_core.upload.explanation_queue import ExplanationQueue
from shamsul_core.upload.job import Job, Offer
from shamsul_core.upload.progress import progress_in_words
from shamsul_core.upload.upload import Upload
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.imaging.radiographs import file_of, picture, radiograph
from tests.made import made_pixels
from tests.upload.test_explanation_queue import follow

pytestmark = pytest.mark.slow

PIXELS = made_pixels(260, 220)
METHODS = {
    "gradcam": {"title": "Grad-CAM", "settings": {}},
    "lime": {"title": "LIME", "settings": {"sampling": {"budget": 1000}}},
}
ABOUT = Offer({"source": "m", "fingerprint": "f" * 64, "is_trained": True}, METHODS, LOCALISED_PATHOLOGIES)


class IdleDesk:
    """A queue at which nothing is ever explained."""

    def __init__(self, about=ABOUT):
        self.offer = about
        self.pathologies = LOCALISED_PATHOLOGIES
        self.asked = []

    def ask(self, pixels):
        self.asked.append(Job(pixels))
        return self.asked[-1]

    def cancel(self, job):
        job.state = "cancelled"

    forget = cancel


@pytest.fixture
def upload():
    return Upload.of_file("mine.png", picture(PIXELS), IdleDesk())


def scene_of(upload):
    run = upload.run()
    return decode_scene(upload.scene(run, upload.shown_pathology(run)))


def test_the_picture_is_shown_while_it_waits_and_the_panels_say_so(upload):
    scene = scene_of(upload)
    shown = np.asarray(Image.open(io.BytesIO(scene["radiograph"]["jpeg"])))
    assert np.abs(shown.astype(int) - PIXELS).mean() < 6
    assert [panel["message"] for panel in scene["panels"]] == [None, "Waiting.", "Waiting."]
    assert scene["facts"][0]["value"].startswith("unknown")
    upload.job.state, upload.job.method = "working", "gradcam"
    assert [panel["message"] for panel in scene_of(upload)["panels"][1:]] == ["Being computed.", "Waiting."]
    upload.job.state = "cancelled"
    assert scene_of(upload)["panels"][1]["message"] == "Not explained."


def test_the_picture_is_shown_though_the_model_is_still_being_loaded():
    scene = scene_of(Upload.of_file("mine.png", picture(PIXELS), IdleDesk(about=None)))
    assert [panel["key"] for panel in scene["panels"]] == ["expert"]
    assert scene["radiograph"]["width"] == 220


def test_a_mask_replaces_what_was_drawn_and_drawing_replaces_the_mask(upload):
    mask = np.zeros(PIXELS.shape, np.uint8)
    mask[10:20, 10:30] = 255
    square = [50, 50, 90, 50, 90, 90, 50, 90]

    def area():
        return int(upload.cohort.annotation(upload.image_id, "Edema").mask().sum())

    upload.draw("Edema", square)
    drawn = area()
    assert 1600 <= drawn <= 41 * 41
    assert upload.load_mask("Edema", "mask.png", picture(mask)) is None
    assert area() == 200
    upload.draw("Edema", square)
    assert area() == drawn
    upload.draw("Edema", None)
    assert upload.cohort.annotation(upload.image_id, "Edema") is None
    assert "the mask is" in upload.load_mask("Edema", "mask.png", picture(PIXELS[:200, :200]))


def test_inverting_changes_what_the_model_is_given_and_keeps_what_was_drawn(upload):
    upload.draw("Edema", [50, 50, 90, 50, 90, 90, 50, 90])
    before = upload.job
    upload.invert()
    assert before.state == "cancelled"
    np.testing.assert_array_equal(upload.job.pixels, 255 - PIXELS)
    np.testing.assert_array_equal(upload.cohort.radiograph.pixels(), 255 - PIXELS)
    assert upload.cohort.annotation(upload.image_id, "Edema") is not None
    assert np.asarray(Image.open(io.BytesIO(upload.saved()))).tolist() == PIXELS.tolist()
    upload.invert()
    np.testing.assert_array_equal(upload.job.pixels, PIXELS)


def test_an_inverted_radiograph_gets_the_probabilities_of_the_inverted_pixels(small_model):
    queue = ExplanationQueue(str(small_model))
    try:
        upload = Upload.of_file("dark bones.png", picture(PIXELS), queue)
        upload.invert()
        follow(queue, upload.job, lambda job: job.probabilities)
        expected = load_classifier(str(small_model)).predict(255 - PIXELS)
        assert upload.job.probabilities == pytest.approx(expected, abs=1e-4)
    finally:
        queue.close()


def test_erasing_leaves_no_pixel_and_no_byte_of_it(upload):
    content = file_of(radiograph())
    dicom = Upload.of_file("jane doe.dcm", content, IdleDesk())
    for one in (upload, dicom):
        one.draw("Edema", [50, 50, 90, 50, 90, 90, 50, 90])
        one.run()
        scene_of(one)
        one.job.outcomes["gradcam"] = ([], [])
        arrays = [one.intake.pixels, one.job.pixels, one.cohort.radiograph.pixels_in_memory]
        jpeg = one.picture.jpeg
        one.erase()
        assert one.job.state == "cancelled"
        assert not any(array.any() for array in arrays)
        assert one.picture.jpeg != jpeg
        assert (one.dicom, one.name, one._scene, one._run) == (None, "", None, None)
        assert one.job.outcomes == {}
        assert not one.cohort.has_annotations


def test_a_printed_figure_says_whose_contour_it_is_and_names_no_run(upload, made_run, made_cohort):
    upload.draw("Edema", [50, 50, 90, 50, 90, 90, 50, 90])
    run = upload.run()
    scene = comparison_scene(run, upload.cohort, upload.image_id, "Edema", run.scores)
    text = caption(run, scene, columns=200)
    assert "Model m (ffffffffffff)" in text
    assert "nowhere" not in text.lower()
    assert "Run" not in text
    drawn = print_comparison(run, upload.cohort, upload.image_id, "Edema", run.scores, "svg").decode()
    assert "<!-- your contour -->" in drawn
    assert "<!-- experts' contour -->" not in drawn
    assert "nowhere" not in numbers_csv(run, upload.cohort, upload.image_id, run.scores)
    cohort = open_cohort(made_cohort)
    image_id = next(iter(cohort.radiographs))
    experts = print_comparison(made_run, cohort, image_id, "Edema", made_run.scores, "svg").decode()
    assert "<!-- experts' contour -->" in experts


def test_examples_show_different_findings_of_different_radiographs_and_say_that_they_are_simulated(
    demonstration,
):
    examples = choose_examples(demonstration)
    assert len({one.finding for one in examples}) == len({one.radiograph.id for one in examples}) == 3
    for example in examples:
        assert example.radiograph.labels[example.finding] == 1.0
        upload = Upload.of_example(example, IdleDesk())
        assert "Simulated from CT" in upload.simulated
        assert "Simulated from CT" in upload.run().manifest.cohort["simulated"]
        assert upload.shown_pathology(upload.run()) == example.finding
        np.testing.assert_array_equal(upload.job.pixels, example.radiograph.pixels())


@pytest.fixture(scope="module")
def demonstration():
    from dashboard.guard import DEMONSTRATION

    return open_cohort(DEMONSTRATION.parent / "cohort", split="val")


def test_progress_in_words():
    job = Job(PIXELS)
    assert progress_in_words(job, 0, {}) == (0.0, "Waiting: loading the model")
    assert progress_in_words(job, 1, METHODS)[1] == "Waiting: 1 radiograph before this one"
    assert progress_in_words(job, 2, METHODS)[1] == "Waiting: 2 radiographs before this one"
    job.state, job.method, job.left_s = "working", "lime", 41.0
    assert progress_in_words(job, 0, METHODS)[1] == "Computing LIME, about 45 seconds left"


def test_it_is_in_the_queue_once_however_often_its_reader_asks(upload):
    for _ in range(3):
        upload.invert()
        upload.ask_again()
        upload.ask_again()
    waiting = [job for job in upload.queue.asked if not job.is_over]
    assert waiting == [upload.job]
    upload.job.state = "failed"
    upload.ask_again()
    assert upload.job is upload.queue.asked[-1]
    assert upload.job.state == "waiting"
