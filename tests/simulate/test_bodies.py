"""What differs between people, along rays whose way is known."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.simulate.habitus import draw_habitus, mineral
from shamsul_core.simulate.landmarks import landmarks
from shamsul_core.simulate.patient import draw_patient
from shamsul_core.simulate.processing import Processing, process
from shamsul_core.simulate.projection import Pose, rays_of
from shamsul_core.simulate.skeleton import draw_shoulder
from shamsul_core.simulate.solids import CORTEX, MARROW, SOFT, Tube, chords, ellipsoid, plate

pytestmark = pytest.mark.slow

# Rays that are as good as parallel, a mm apart
FAR = Pose(centre=(0.0, 0.0, 0.0), source_mm=1e6, gap_mm=100.0)


def far_rays(side=120):
    from dataclasses import replace

    return rays_of(replace(FAR, field_mm=(float(side), float(side))), (side, side))


@pytest.mark.parametrize(("lean", "at"), [(0.0, (0.0, 0.0)), (0.0, (15.0, 0.0)), (np.pi / 2, (0.0, 15.0))])
def test_a_ray_passes_an_ellipsoid_as_its_equation_says(lean, at):
    """At x = a/2 of an ellipsoid of half axes a, b, c the chord along y is 2 b sqrt(1 - 1/4); turned by 90°, at z."""
    chord = ellipsoid(far_rays(), (0.5, 0.0, -0.5), (30.0, 20.0, 40.0), lean)
    x, z = at
    expected = 2 * 20 * np.sqrt(1 - (x**2 + z**2) / 30**2)
    assert chord[60 - int(z), 60 + int(x)] == pytest.approx(expected, rel=0.02)
    assert chord[0, 0] == 0


def test_a_ray_across_a_hollow_bone_passes_cortex_twice():
    points = np.stack([np.full(101, 0.5), np.zeros(101), np.linspace(-49.5, 50.5, 101)], axis=1)
    bone = Tube(points, np.full(101, 10.0), np.full(101, 2.0))
    outer, inner = chords(bone, far_rays())
    assert outer[60, 60] == pytest.approx(20, abs=0.1)
    assert inner[60, 60] == pytest.approx(16, abs=0.1)
    more = bone.integral(far_rays(), density=1.0)[60, 60]
    assert more == pytest.approx(4 * (CORTEX - SOFT) + 16 * (MARROW - SOFT), rel=0.02)
    # At the edge there is cortex alone, and beside the bone nothing
    assert inner[60, 60 + 9] == 0
    assert outer[60, 60 + 9] > 0
    assert outer[60, 60 + 12] == 0


def test_a_plate_covers_what_its_outline_holds():
    square = np.array([[-20, 0, -10], [20, 0, -10], [20, 0, 10], [-20, 0, 10]], float)
    covered = plate(far_rays(), square)
    assert covered.sum() == pytest.approx(40 * 20, rel=0.06)
    assert covered[60, 60] == pytest.approx(1)
    assert covered[60, 90] == 0


def test_bones_lose_mineral_with_age_and_in_women_faster():
    for sex in ("Male", "Female"):
        values = [mineral(sex, age) for age in (30, 50, 70, 90)]
        assert values == sorted(values, reverse=True)
    assert mineral("Male", 30) - mineral("Male", 80) < mineral("Female", 30) - mineral("Female", 80)
    assert 0.7 < mineral("Female", 80) / mineral("Female", 30) < 0.85  # a fifth to a quarter, NHANES


def test_women_have_breasts_and_men_have_not(chest):
    marks = landmarks(chest)
    for seed in range(5):
        woman, man = (
            draw_habitus(marks, np.random.default_rng(seed), is_pa=True, sex=sex, age=50)
            for sex in ("Female", "Male")
        )
        assert len(woman.breasts) == 2
        assert not man.breasts


def test_the_clavicles_stand_over_the_lungs_apices_and_reach_the_sternum(chest):
    marks = landmarks(chest)
    for seed in range(5):
        for side in (-1, 1):
            clavicle = draw_shoulder(marks, side, np.random.default_rng(seed), is_pa=True).tubes[0]
            inner, outer = clavicle.points[0], clavicle.points[-1]
            assert abs(inner[0] - marks.middle) < 30
            assert side * (outer[0] - marks.middle) > 110
            length = np.linalg.norm(np.diff(clavicle.points, axis=0), axis=1).sum()
            assert 120 < length < 200  # adults' have about 150 mm


def test_people_differ(chest):
    """Chests within human ranges, Bellemare et al. 2003, and no two alike."""
    patients = [
        draw_patient(chest, np.random.default_rng(seed), is_pa=True, sex=sex, age=60)
        for seed in range(40)
        for sex in ("Male", "Female")
    ]
    inside = np.ptp([landmarks(chest).low[0], landmarks(chest).high[0]])
    widths = np.array([inside * patient.width for patient in patients])
    assert widths.min() > 210
    assert widths.max() < 340
    assert widths[::2].mean() > widths[1::2].mean() + 15
    assert len(set(widths)) == len(widths)


def test_what_a_finding_changes_stays_where_it_is():
    """A disc of fluid: beyond three centimetres the processed film is the same to a hundredth of what changed inside."""
    rows, columns = np.mgrid[:200, :200]
    healthy = 2 + 0.5 * np.sin(columns / 17.0) * np.cos(rows / 23.0)
    disc = (rows - 100) ** 2 + (columns - 100) ** 2 < 20**2
    processing = Processing(latitude=0.6, detail=(2.0, 2.4, 1.8), structure=1.2, compression=0.3)
    film, plain = process(healthy + 0.4 * disc, healthy, processing, pixel_mm=1.0)
    change = np.abs(film - plain)
    inside = change[disc].mean()
    assert inside > 0.2
    assert change[(rows - 100) ** 2 + (columns - 100) ** 2 > 50**2].max() < 0.01 * inside


def test_faint_detail_gains_more_than_strong_edges():
    columns = np.arange(256)
    wave = np.tile(np.sin(2 * np.pi * columns / 8), (64, 1))
    processing = Processing(latitude=0.6, detail=(2.0, 2.4, 1.8), structure=1.2, compression=0.4)
    gains = []
    for amplitude in (0.005, 0.5):
        film = 2 + amplitude * wave
        made, _ = process(film, film, processing, pixel_mm=0.4)
        gains.append(np.ptp(made[32, 64:192]) / np.ptp(film[32, 64:192]))
    assert gains[0] > 1.5 * gains[1]
