"""Bodies whose line integrals are known, and patients who differ as people do."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.simulate.habitus import mineral
from shamsul_core.simulate.landmarks import landmarks
from shamsul_core.simulate.patient import draw_patient
from shamsul_core.simulate.processing import Processing, process
from shamsul_core.simulate.projection import Pose, rays_of
from shamsul_core.simulate.radiograph import simulate_radiograph
from shamsul_core.simulate.skeleton import draw_shoulder
from shamsul_core.simulate.solids import CORTEX, MARROW, SOFT, Tube, along, chords, ellipsoid, plate

CENTRE = (100.0, 100.0, 100.0)
RAYS = rays_of(Pose(centre=CENTRE, source_mm=1e6, gap_mm=0, field_mm=(200, 200)), (400, 400))
"""All but parallel, two pixels a mm."""


def at(picture, x, z):
    return float(picture[round(400 - 2 * z), round(2 * x)])


def test_an_ellipsoids_chord_and_volume_are_the_geometrys():
    picture = ellipsoid(RAYS, CENTRE, (40, 25, 60), lean=0.4)
    assert at(picture, 100, 100) == pytest.approx(50, rel=0.01)
    assert picture.sum() / 4 == pytest.approx(4 / 3 * np.pi * 40 * 25 * 60, rel=0.01)


def test_a_bone_absorbs_its_cortex_and_its_marrow():
    """Across the middle of a tube of 7 mm radius and 2 mm wall: 4 mm of cortex, 10 mm of marrow."""
    points, share = along([(40, 100, 100), (100, 100, 100), (160, 100, 100)])
    bone = Tube(points, np.full(len(share), 7.0), np.full(len(share), 2.0))
    outer, inner = chords(bone, RAYS)
    assert at(outer, 100, 100) == pytest.approx(14, abs=0.1)
    assert at(inner, 100, 100) == pytest.approx(10, abs=0.1)
    expected = 4 * (CORTEX - SOFT) + 10 * (MARROW - SOFT)
    assert at(bone.integral(RAYS, 1.0), 100, 100) == pytest.approx(expected, rel=0.02)
    assert at(bone.integral(RAYS, 0.6), 100, 100) == pytest.approx(0.6 * expected, rel=0.02)
    assert outer[:, : 2 * 36].max() == outer[: 2 * 92].max() == 0
    assert outer.sum() / 4 == pytest.approx(np.pi * 49 * 120, rel=0.04)


def test_a_plate_covers_its_area():
    corners = np.array([(60.0, 100, 60), (140, 100, 60), (100, 100, 140)])
    assert plate(RAYS, corners).sum() / 4 == pytest.approx(80 * 80 / 2, rel=0.02)


def test_women_lose_more_mineral_and_all_lose_some():
    assert mineral("Male", 30) == 1
    assert mineral("Male", 80) == pytest.approx(0.88, abs=0.04)
    assert mineral("Female", 80) / mineral("Female", 30) == pytest.approx(0.75, abs=0.05)


@pytest.mark.slow
def test_a_clavicle_is_a_clavicle(chest):
    """Some 150 mm long, tapering to its middle, its inner end by the midline, as anatomy books say."""
    marks = landmarks(chest)
    for seed in range(6):
        clavicle = draw_shoulder(marks, (-1, 1)[seed % 2], np.random.default_rng(seed), is_pa=True).tubes[0]
        length = np.linalg.norm(np.diff(clavicle.points, axis=0), axis=1).sum()
        assert 120 < length < 185
        middle = clavicle.radii[len(clavicle.radii) // 2]
        assert 4 < middle < 0.85 * clavicle.radii[8]
        assert abs(clavicle.points[0, 0] - marks.middle) < 25


@pytest.mark.slow
def test_women_have_breasts_and_the_old_have_less_bone(chest):
    def patients(sex, age):
        return [
            draw_patient(chest, np.random.default_rng(seed), is_pa=True, sex=sex, age=age)
            for seed in range(20)
        ]

    assert all(len(one.habitus.breasts) == 2 for one in patients("Female", 40))
    assert not any(one.habitus.breasts for one in patients("Male", 40))
    young, old = (np.mean([one.bone for one in patients("Female", age)]) for age in (30, 80))
    assert 0.6 < old / young < 0.9
    assert np.mean([one.width for one in patients("Male", 40)]) > np.mean(
        [one.width for one in patients("Female", 40)]
    )


@pytest.mark.slow
def test_the_same_patient_again_has_the_same_bytes(ct, chest):
    def once(sex="Female", age=70):
        random = np.random.default_rng(3)
        return simulate_radiograph(
            ct, chest, {}, random, is_pa=True, size_px=128, sex=sex, age=age, with_truth=False
        ).pixels

    assert once().tobytes() == once().tobytes()
    assert once().tobytes() != once(age=30).tobytes()
    assert once().tobytes() != once(sex="Male").tobytes()


def test_processing_keeps_a_change_where_it_is():
    """Beyond 12 mm of what changed, four times the widest of the narrow bands, the film is as it was."""
    random = np.random.default_rng(0)
    healthy = 2 + np.cumsum(random.normal(0, 0.05, (200, 200)), axis=1)
    film = healthy.copy()
    film[80:120, 80:120] += 1.5
    how = Processing(latitude=0.6, detail=(3.0, 2.0, 1.5), structure=1.2, compression=0.3, dense=0.5)
    changed = np.abs(process(film, healthy, how, 1.0)[0] - process(healthy, healthy, how, 1.0)[0])
    near = np.zeros(changed.shape, bool)
    near[80 - 12 : 120 + 12, 80 - 12 : 120 + 12] = True
    assert changed[~near].max() < 0.01 * changed.max()
    # In its middle what is left is the latitude's share, as of every wide difference
    assert changed[100, 100] == pytest.approx(1.5 * 0.6**0.5, rel=0.05)


@pytest.mark.slow
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


def test_faint_detail_gains_more_than_strong_edges():
    columns = np.arange(256)
    wave = np.tile(np.sin(2 * np.pi * columns / 8), (64, 1))
    processing = Processing(latitude=0.6, detail=(2.0, 2.4, 1.8), structure=1.2, compression=0.4, dense=1.0)
    gains = []
    for amplitude in (0.005, 0.5):
        film = 2 + amplitude * wave
        made, _ = process(film, film, processing, pixel_mm=0.4)
        gains.append(np.ptp(made[32, 64:192]) / np.ptp(film[32, 64:192]))
    assert gains[0] > 1.5 * gains[1]
