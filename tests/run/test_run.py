from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from shamsul_core.heatmap import Heatmap
from shamsul_core.localisation.segmentation import SegmentationSettings
from shamsul_core.run import (
    FAILURE_COLUMNS,
    SCORE_COLUMNS,
    Manifest,
    RadiographResult,
    Run,
    RunError,
    find_runs,
)


def manifest(**changes):
    return dataclasses.replace(
        Manifest(
            model={
                "source": "m",
                "fingerprint": "abc",
                "is_trained": True,
                "pathologies": ["Edema", "Fracture"],
            },
            cohort={"path": "../cohort", "name": "c", "split": "val", "fingerprint": "def"},
            methods={"lime": {"title": "LIME", "settings": {"samples": 10}}},
            pathologies=("Edema",),
            preset="default",
            created="2026-01-01T00:00:00+00:00",
            versions={"python": "3.11"},
        ),
        **changes,
    )


def result(image_id="patient1_study1_view1_frontal"):
    generator = np.random.default_rng(0)
    superpixels = generator.integers(0, 5, (224, 224))
    superpixels[0, :5] = range(5)
    return RadiographResult(
        image_id,
        (300, 200),
        {"Edema": 0.25, "Fracture": 0.5},
        (
            Heatmap(
                method="lime",
                pathology="Edema",
                output="logit",
                values=generator.normal(size=5).astype(np.float32),
                superpixels=superpixels,
                standard_error=np.full(5, 0.1, np.float32),
                converged=False,
                evaluations=1000,
            ),
            Heatmap(
                method="lrp",
                pathology="Edema",
                output="logit",
                values=(generator.normal(size=(224, 224)) * 1e-7).astype(np.float32),
            ),
            Heatmap(method="gradcam", pathology="Edema", output="logit", values=np.zeros((7, 7), np.float32)),
        ),
        (("shap", "Edema", "no reason"),),
    )


@pytest.fixture
def run(tmp_path):
    return Run.create_or_resume(tmp_path / "run", manifest())


def test_what_is_written_is_read(run):
    written = result()
    run.write(written)
    read = run.read(written.image_id)
    assert (read.image_id, read.size, read.probabilities, read.failures) == (
        written.image_id,
        written.size,
        written.probabilities,
        written.failures,
    )
    for one, other in zip(read.heatmaps, written.heatmaps, strict=True):
        largest = np.abs(other.values).max()
        tolerance = 0 if other.values.size < 1000 else largest * 2**-11
        np.testing.assert_allclose(one.values, other.values, atol=tolerance, rtol=2**-11 if tolerance else 0)
        for name in ("method", "pathology", "output", "converged", "evaluations"):
            assert getattr(one, name) == getattr(other, name)
        for name in ("superpixels", "standard_error"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_an_imported_map_stays_exactly_as_it_came(run):
    values = np.random.default_rng(1).random((320, 320), np.float32)
    heatmap = Heatmap(method="gradcam", pathology="Edema", output=None, values=values)
    run.write(RadiographResult("imported", (300, 200), {}, (heatmap,)))
    np.testing.assert_array_equal(run.heatmap("imported", "gradcam", "Edema").values, values)


def test_one_heatmap_is_read_alone(run):
    run.write(result())
    image_id = result().image_id
    assert run.heatmap(image_id, "lime", "Edema").relevance.shape == (224, 224)
    assert run.heatmap(image_id, "shap", "Edema") is None
    assert run.read_record(image_id).heatmaps == ()
    with pytest.raises(RunError, match="nobody: this radiograph is not in the run"):
        run.heatmap("nobody", "lime", "Edema")


@pytest.mark.parametrize(
    "image_id", ["../manifest", "/etc/passwd", "a/b", "", ".lock", "a\\b", "a\0b", "a\nb"]
)
def test_an_id_never_leads_out_of_the_run(run, image_id):
    with pytest.raises(RunError, match="is not a radiograph's id"):
        run.read(image_id)


def test_a_result_is_small(run):
    """Four methods, ten pathologies: under 1.2 MB."""
    superpixels = np.arange(224 * 224).reshape(224, 224) % 50
    noise = np.random.default_rng(0).normal(size=(224, 224)).astype(np.float32)
    heatmaps = []
    for number in range(10):
        common = {"pathology": f"P{number}", "output": "logit"}
        heatmaps += [
            Heatmap(method="lime", values=noise[0, :50], superpixels=superpixels, **common),
            Heatmap(method="shap", values=noise[1, :50], superpixels=superpixels, **common),
            Heatmap(method="gradcam", values=noise[:7, :7], **common),
            Heatmap(method="lrp", values=noise, **common),
        ]
    run.write(RadiographResult("big", (2300, 2800), {}, tuple(heatmaps)))
    assert run.path_of("big").stat().st_size < 1.2e6


def test_the_same_manifest_resumes_and_another_is_named(run):
    assert (
        Run.create_or_resume(run.folder, manifest(created="2026-02-01T00:00:00+00:00", versions={})).manifest
        == run.manifest
    )
    methods = {"lime": {"title": "LIME", "settings": {"samples": 11}}}
    for changes, named in [
        ({"methods": methods}, "settings of lime"),
        ({"methods": {}}, "methods"),
        ({"pathologies": ("Edema", "Fracture")}, "pathologies"),
        ({"model": {"fingerprint": "xyz"}}, "model"),
        ({"cohort": {"fingerprint": "xyz"}}, "cohort"),
    ]:
        with pytest.raises(RunError, match=f"differs in {named}; give another folder"):
            Run.create_or_resume(run.folder, manifest(**changes))
    assert Run.open(run.folder).manifest == run.manifest


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "not a readable manifest"),
        ("[]", "run format None"),
        ('{"schema": 99}', "run format 99, this version of SHAMSUL reads 1"),
        ('{"schema": 1}', "cohort, created, methods"),
        ("\udcff", "not a readable manifest"),
    ],
)
def test_a_broken_manifest_is_named(run, text, named):
    (run.folder / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RunError, match=named) as caught:
        Run.open(run.folder)
    assert str(run.folder) in str(caught.value)


def test_no_run_says_how_to_make_one(tmp_path):
    with pytest.raises(RunError, match=r"no run here .* python -m shamsul_core explain"):
        Run.open(tmp_path)


def test_runs_are_found_in_a_folder_of_runs_and_told_apart_by_name(tmp_path):
    for name in ("a/one", "a/two", "b/one"):
        Run.create_or_resume(tmp_path / name, manifest())
    (tmp_path / "a" / "notes").mkdir()
    a, b = str(tmp_path / "a"), str(tmp_path / "b" / "one")
    assert find_runs([a]) == {"one": f"{a}/one", "two": f"{a}/two"}
    assert find_runs([a, b]) == {"a/one": f"{a}/one", "a/two": f"{a}/two", "b/one": b}
    assert find_runs([b, f"{b}", f"{a}/one"]) == {"b/one": b, "a/one": f"{a}/one"}
    assert find_runs([str(tmp_path / "none")]) == {"none": str(tmp_path / "none")}


def test_a_damaged_result_is_named(run):
    run.write(result())
    path = run.path_of(result().image_id)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(RunError, match="not a readable result"):
        run.read(result().image_id)


def test_a_write_that_fails_leaves_what_was_there_and_no_half_file(run, monkeypatch):
    run.write(result())
    before = run.path_of(result().image_id).read_bytes()

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        run.write(dataclasses.replace(result(), probabilities={}))
    assert run.path_of(result().image_id).read_bytes() == before
    assert [path.name for path in (run.folder / "heatmaps").iterdir()] == [f"{result().image_id}.safetensors"]


def test_tables_start_empty_with_their_columns(run):
    assert list(run.scores) == list(SCORE_COLUMNS)
    assert list(run.failures) == list(FAILURE_COLUMNS)
    assert run.predictions.empty
    assert run.segmentation is None
    run.write_scores([], {"sign": "positive"})
    run.write_failures([])
    run.write_predictions()
    assert run.segmentation == SegmentationSettings(sign="positive").to_json()
    assert list(run.scores) == list(SCORE_COLUMNS)
    assert list(run.predictions) == ["image_id", "Edema", "Fracture"]


def test_scores_come_back_as_they_were(run):
    row = dict.fromkeys(SCORE_COLUMNS) | {
        "image_id": "b",
        "pathology": "Edema",
        "method": "lime",
        "iou": 0.1234567890123,
    }
    run.write_scores([row, row | {"image_id": "a", "iou": None, "reason": "why"}], {"sign": "signed"})
    scores = run.scores
    assert scores["image_id"].tolist() == ["a", "b"]
    assert scores["iou"].tolist()[1] == 0.1234567890123
    assert np.isnan(scores["iou"].tolist()[0])
    assert scores["reason"].tolist()[0] == "why"
    assert pd.isna(scores["reason"].tolist()[1])


def test_predictions_are_made_from_the_results(run):
    run.write(result("b"))
    run.write(result("a"))
    run.write_predictions()
    assert run.predictions.to_dict("records") == [
        {"image_id": "a", "Edema": 0.25, "Fracture": 0.5},
        {"image_id": "b", "Edema": 0.25, "Fracture": 0.5},
    ]


def test_a_damaged_table_is_named(run):
    (run.folder / "scores.parquet").write_bytes(b"PAR1 but no")
    with pytest.raises(RunError, match=r"scores\.parquet: not a readable table"):
        _ = run.scores


@pytest.mark.slow
def test_reading_a_run_imports_neither_torch_nor_streamlit(run):
    run.write(result())
    code = (
        "import sys; from pathlib import Path; from shamsul_core.run import Run;"
        f"Run.open(Path({str(run.folder)!r})).read({result().image_id!r});"
        "print([name for name in ('torch', 'streamlit', 'shap', 'sklearn') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert json.loads(done.stdout) == []


def test_what_the_network_sees_is_kept_with_its_radiograph(run):
    assert run.seen() is None
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8)
    run.write_seen("a", picture)
    image_id, content = run.seen()
    assert image_id == "a"
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(content))), picture)


def test_what_is_no_such_picture_is_none(run):
    run.write_seen("a", np.zeros((1, 5000), np.uint8))
    assert run.seen() is None, "far wider than any network sees"
    (run.folder / "seen.png").write_bytes(b"no picture")
    assert run.seen() is None
