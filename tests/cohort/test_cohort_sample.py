"""The real radiograph of CheXlocalize's public sample."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

IMAGE_ID = "patient64541_study1_view1_frontal"
MARKED = {"Enlarged Cardiomediastinum": 2, "Cardiomegaly": 1, "Lung Opacity": 1}


@pytest.fixture(scope="module")
def cohort(sample):
    return open_cohort(sample)


def test_radiograph_is_read_right(cohort):
    assert cohort.name == "chexlocalize-sample/val"
    assert list(cohort.radiographs) == [IMAGE_ID]
    radiograph = cohort.radiographs[IMAGE_ID]
    assert (radiograph.view, radiograph.projection, radiograph.sex, radiograph.age) == (
        "frontal",
        "AP",
        "Male",
        73,
    )
    assert {name for name, value in radiograph.labels.items() if value == 1.0} == set(MARKED)
    assert {value for name, value in radiograph.labels.items() if name not in MARKED} == {0.0}
    assert radiograph.size == radiograph.pixels().shape == (2320, 2828)


def test_nothing_is_wrong_with_it(cohort):
    assert cohort.check() == cohort.problems == ()
    assert cohort.has_annotations
    assert not cohort.is_simulated
    assert cohort.simulated_note is None


def test_exactly_the_positive_pathologies_are_marked(cohort):
    annotations = [cohort.annotation(IMAGE_ID, pathology) for pathology in LOCALISED_PATHOLOGIES]
    assert {found.pathology for found in annotations if not found.is_empty} == set(MARKED)
    assert {found.pathology: len(found.contours) for found in annotations if not found.is_empty} == MARKED


def test_both_names_of_lung_opacity_are_one(cohort):
    assert np.array_equal(
        cohort.annotation(IMAGE_ID, "Lung Opacity").mask(),
        cohort.annotation(IMAGE_ID, "Airspace Opacity").mask(),
    )


def test_masks_from_contours_equal_the_published_masks(cohort, sample, tmp_path):
    (tmp_path / "CheXpert").symlink_to(sample / "CheXpert")
    (tmp_path / "CheXlocalize").mkdir()
    (tmp_path / "CheXlocalize" / "gt_annotations_val.json").symlink_to(
        sample / "CheXlocalize" / "gt_annotations_val.json"
    )
    from_contours = open_cohort(tmp_path)
    for pathology in LOCALISED_PATHOLOGIES:
        filled, published = (
            from_contours.annotation(IMAGE_ID, pathology),
            cohort.annotation(IMAGE_ID, pathology),
        )
        assert filled.rle is None
        assert filled.area == published.area
        assert np.array_equal(filled.mask(), published.mask())


def test_outlines_of_the_published_mask_enclose_it(cohort):
    from shamsul_core.imaging.contours import fill_contours, outline_mask

    mask = cohort.annotation(IMAGE_ID, "Cardiomegaly").mask()
    assert np.array_equal(fill_contours(outline_mask(mask), mask.shape), mask)
