from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from shamsul_core.cases.selection import ChosenCase
from shamsul_core.cohort import open_cohort
from shamsul_core.figures.html.case_card import case_card
from shamsul_core.figures.print.cases import case_figure, case_pages, count_pages, slide
from shamsul_core.figures.print.files import encode_figure, encode_pages
from shamsul_core.figures.scene.illustrated_case import make_case
from shamsul_core.run.wording import origin_in_words
from tests.made import TITLES, image_id, make_run

pytestmark = pytest.mark.slow


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.images, self.links, self.words = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.images.append(dict(attributes))
        if tag == "a":
            self.links.append(dict(attributes)["href"])

    def handle_data(self, data):
        self.words += f"{data}\n"


@pytest.fixture(scope="module")
def cases(made_run, made_cohort):
    cohort = open_cohort(made_cohort)
    return [
        make_case(
            made_run,
            cohort,
            made_run.scores,
            ChosenCase(image_id(number), "Edema", "lime", 0.5, "highest <IoU>"),
            longest_px=120,
        )
        for number in (1, 2)
    ]


def words_of(figure):
    texts = [text.get_text() for text in figure.texts]
    return "\n".join([*texts, *(axes.get_title() for axes in figure.axes)])


def test_a_card_says_what_why_and_links_with_a_picture_of_each_method(cases, made_run):
    card = Reader(case_card(cases[1], "./?radiograph=a&pathology=b"))
    assert card.links == ["./?radiograph=a&pathology=b"]
    scores = made_run.scores.query(f"image_id == '{image_id(2)}' and pathology == 'Edema'").set_index(
        "method"
    )
    assert f"Predicted probability {scores['probability'].iloc[0]:.2f}" in card.words
    assert "LIME: highest <IoU>" in card.words
    radiograph, *pictures = card.images
    assert "Radiograph" in radiograph["alt"]
    assert "Experts' contour" in card.words
    for image, (method, title) in zip(pictures, TITLES.items(), strict=True):
        assert f"{title}, IoU {scores.loc[method, 'iou']:.2f}" in card.words
        assert title in image["alt"]
        with Image.open(BytesIO(b64decode(image["src"].split(",")[1]))) as picture:
            assert max(picture.size) == 340
            assert picture.size == (int(image["width"]), int(image["height"]))
            assert np.asarray(picture).std() > 10
    failed = Reader(case_card(cases[0], "."))
    assert "SHAP: Made to fail." in failed.words


def test_a_figure_has_a_row_for_each_case_and_says_where_it_is_from(cases, made_run):
    origin = origin_in_words(made_run.manifest)
    figure = case_figure(cases, ["lime", "shap"], origin)
    words = words_of(figure)
    assert len(figure.axes) == 2 * 3 + 1
    assert f"LIME, IoU {cases[0].scene.panels[1].metrics[0].value}" in words
    assert "made to fail" in words.lower() or "SHAP" in words
    assert origin in words
    assert "For research, not for diagnosis." in words
    for kind in ("png", "pdf"):
        again = case_figure(cases, ["lime", "shap"], origin)
        assert encode_figure(figure, kind, dots_per_inch=40) == encode_figure(again, kind, dots_per_inch=40)


@pytest.mark.parametrize(
    ("methods", "inches"),
    [(["lime"], (8.27, 11.69)), (list(TITLES), (11.69, 8.27))],
    ids=["upright", "across"],
)
def test_pages_are_a4_and_hold_every_row_whole(cases, methods, inches):
    many = [*cases, *cases, *cases]
    pages = list(case_pages(many, methods, "Best IoU, LIME", "from here"))
    assert len(pages) == count_pages(len(many), len(methods)) > 1
    pictures = 0
    for number, page in enumerate(pages, start=1):
        assert tuple(page.get_size_inches()) == inches
        assert f"{number} of {len(pages)}" in words_of(page)
        assert "Best IoU, LIME" in words_of(page)
        assert "For research, not for diagnosis." in words_of(page)
        page.draw_without_rendering()
        for drawn in (*page.texts, *page.axes):
            box = drawn.get_window_extent().transformed(page.transFigure.inverted())
            assert -1e-6 <= box.x0 <= box.x1 <= 1 + 1e-6, drawn
            assert -1e-6 <= box.y0 <= box.y1 <= 1 + 1e-6, drawn
        boxes = [axes.get_position() for axes in page.axes]
        for place, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[place + 1 :])
        pictures += len(page.axes) - 1  # but the colour bar
    assert pictures == len(many) * (1 + len(methods))


def test_slides_are_16_to_9_a_page_each_and_carry_the_notes(cases, made_cohort, tmp_path):
    run = make_run(tmp_path / "run", made_cohort, trained=False)
    chosen = ChosenCase(image_id(2), "Cardiomegaly", None, 0.5, "why")
    case = make_case(run, open_cohort(made_cohort), run.scores, chosen, longest_px=120)
    drawn = slide(case, "from here")
    words = words_of(drawn)
    assert "Untrained network: its predictions and heatmaps mean nothing." in words
    assert "For research, not for diagnosis." in words
    assert "from here" in words
    with Image.open(BytesIO(encode_figure(drawn, "png", dots_per_inch=48))) as picture:
        assert picture.size == (640, 360)
    for told in (image_id(2), "LIME, IoU", "Dashed: the method's mask."):
        assert told in words
    assert "Hatched" not in words, "nothing is"
    panels = tuple(
        replace(panel, uncertain=np.ones((2, 2), bool)) if panel.key == "lime" else panel
        for panel in cases[1].scene.panels
    )
    hatched = replace(cases[1], scene=replace(cases[1].scene, panels=panels))
    assert "Hatched: the relevance is within two standard errors of zero." in words_of(
        slide(hatched, "from here")
    )
    assert "LIME: highest" in words_of(slide(hatched, "from here")), "the method that it was chosen for"
    pages = encode_pages(slide(one, "from here") for one in cases)
    assert pages.count(b"/Type /Page ") == 2
    assert pages == encode_pages(slide(one, "from here") for one in cases)


def test_no_contour_and_no_prediction_are_said(made_run, made_cohort):
    chosen = ChosenCase(image_id(3), "Edema", None, 0.5, "why")
    scores = made_run.scores.assign(probability=np.nan)
    case = make_case(made_run, open_cohort(made_cohort), scores, chosen, longest_px=120)
    card = Reader(case_card(case, "."))
    assert "Not predicted" in card.words
    assert "IoU" not in card.words
