"""Projections of bodies whose line integrals and shadows are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shamsul_core.simulate.projection import Pose, on_detector, project, rays_of

SPACING = (2.0, 2.0, 2.0)
SIDE = 100  # voxels; the middle is at 100 mm
CENTRE = (100.0, 100.0, 100.0)


def volume_of(inside):
    axes = [(np.arange(SIDE) + 0.5) * step for step in SPACING]
    slab, row, column = np.meshgrid(*axes, indexing="ij")
    return inside(column, slab, row).astype(np.float32)  # x, y, z


def ball(radius, at=CENTRE):
    x0, y0, z0 = at
    return volume_of(lambda x, y, z: np.hypot(np.hypot(x - x0, y - y0), z - z0) < radius)


@pytest.mark.parametrize("is_pa", [True, False])
def test_a_ball_is_as_thick_as_it_is_and_magnified_by_similar_triangles(is_pa):
    pose = Pose(centre=CENTRE, is_pa=is_pa, source_mm=1500, gap_mm=300, field_mm=(200, 200))
    picture = project(enumerate(ball(30)), SPACING, rays_of(pose, (200, 200)), extend=False)
    assert picture[99:101, 99:101].mean() == pytest.approx(60, abs=1.5)
    diameter = np.sqrt(4 / np.pi * np.count_nonzero(picture > 4))  # where a chord of 4 mm begins
    chord_at = np.sqrt(30**2 - 2**2)
    assert diameter == pytest.approx(2 * chord_at * 1500 / 1200, rel=0.03)
    assert picture.sum() * (1200 / 1500) ** 2 == pytest.approx(4 / 3 * np.pi * 30**3, rel=0.02)


def test_attenuation_adds_up_along_oblique_rays():
    """A slab of constant depth is passed on d / cos(angle)."""
    slabs = [(index, np.ones((SIDE, SIDE), np.float32)) for index in range(40, 60)]
    pose = Pose(centre=CENTRE, source_mm=1000, gap_mm=100, field_mm=(160, 160))
    rays = rays_of(pose, (80, 80))
    rows, columns = np.mgrid[:80, :80]
    off = np.hypot(rows - 39.5, columns - 39.5) * 2
    np.testing.assert_allclose(project(slabs, SPACING, rays), 40 * np.sqrt(1 + (off / 1000) ** 2), rtol=1e-4)


def test_the_patients_right_is_on_the_left_of_the_picture_and_the_head_above():
    for is_pa in (True, False):
        pose = Pose(centre=CENTRE, is_pa=is_pa, field_mm=(200, 200))
        rays = rays_of(pose, (100, 100))
        picture = project(enumerate(ball(12, (60.0, 100.0, 140.0))), SPACING, rays, extend=False)
        row, column = np.unravel_index(picture.argmax(), picture.shape)
        assert row < 40
        assert column < 40


@pytest.mark.slow
@settings(max_examples=25)
@given(
    st.tuples(*[st.floats(60, 140)] * 3),
    st.tuples(st.floats(-8, 8), st.floats(-8, 8), st.floats(-5, 5)),
    st.booleans(),
)
def test_a_point_is_found_where_its_shadow_falls(point, turned, is_pa):
    turn, tilt, roll = turned
    pose = Pose(
        centre=CENTRE, is_pa=is_pa, source_mm=1200, turn=turn, tilt=tilt, roll=roll, field_mm=(260, 260)
    )
    rays = rays_of(pose, (260, 260))
    picture = project(enumerate(ball(7, point)), SPACING, rays, extend=False)
    weights = picture / picture.sum()
    rows, columns = np.mgrid[:260, :260]
    found = on_detector(np.array([point]), rays)[0]
    assert found[0] == pytest.approx((weights * rows).sum(), abs=0.7)
    assert found[1] == pytest.approx((weights * columns).sum(), abs=0.7)


def test_coarser_rays_see_the_same_in_larger_pixels():
    pose = Pose(centre=CENTRE, turn=4, field_mm=(200, 200))
    rays = rays_of(pose, (100, 100))
    fine = project(enumerate(ball(40)), SPACING, rays, extend=False)
    coarse = project(enumerate(ball(40)), SPACING, rays.coarser(2), extend=False)
    means = fine.reshape(50, 2, 50, 2).mean(axis=(1, 3))
    assert np.abs(coarse - means).mean() < 0.5
