"""The report: its tables against the metrics, its bytes the same each time, its errors in one line."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pypdf import PdfReader

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.summary import cohort_table, label_counts
from shamsul_core.report import write_report
from shamsul_core.report.evidence import Evidence
from shamsul_core.report.localisation import method_chapters
from shamsul_core.report.removals import removal_chapters
from shamsul_core.run import Run
from shamsul_core.run.removal import Removal
from shamsul_core.statistics.method_comparison import rank_methods
from shamsul_core.statistics.prediction.assessment import assess
from shamsul_core.vocabulary import OBSERVATIONS
from tests.cli.test_cli import call, said
from tests.made import make_cohort, make_run

pytestmark = pytest.mark.slow

TABLES = {
    "table1",
    "prediction",
    "decisions",
    "methods",
    "pairs",
    "friedman",
    "nemenyi",
    "scores",
    "threshold_rules",
    "correlations",
}
TABLES |= {"run", "settings", "failures"} | {
    f"summary_{method}" for method in ("lime", "shap", "gradcam", "lrp")
}
FIGURES = {"table1", "composition", "figure3", "roc", "precision_recall", "calibration", "threshold_rules"}
HURTING = "<script>alert(1)</script> & <b>"
BOXES = {"figure4", "figure9", "figure14", "figure19"}


@pytest.fixture(scope="module")
def report(made_run, made_cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "new" / "folder"
    written = write_report(made_run, open_cohort(made_cohort), folder)
    assert {path.name for path in written} == {path.name for path in folder.iterdir()}
    return folder


def test_it_holds_the_tables_and_each_figure_twice(report):
    names = {kind: {path.stem for path in report.glob(f"*.{kind}")} for kind in ("csv", "png", "svg")}
    assert names["csv"] == TABLES
    assert names["png"] == names["svg"]
    assert names["png"] >= FIGURES | BOXES
    for name in names["png"]:
        with Image.open(report / f"{name}.png") as image:
            image.load()
            assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
            assert len(set(image.convert("L").tobytes())) > 20
        assert (report / f"{name}.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_the_page_holds_everything_and_asks_nobody(report):
    page = (report / "report.html").read_text(encoding="utf-8")
    assert page.count("<img") == len(list(report.glob("*.png")))
    assert page.count("<table") == len(TABLES)
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert "For research, not for diagnosis." in page
    for title in (
        "LIME compared with the experts",
        "How much depends on the threshold",
        "Model, data and settings",
    ):
        assert f"{title}</h2>" in page


def test_the_print_has_the_same_words(report):
    pages = PdfReader(report / "report.pdf").pages
    text = "\n".join(page.extract_text() for page in pages)
    assert text.count("For research, not for diagnosis.") > len(pages)
    for words in ("Grad-CAM compared with the experts", "Nemenyi", "fingerprint", "τ"):
        assert words in text


def test_text_from_a_run_stays_text_and_one_too_long_for_a_page_is_whole_in_its_table(
    made_run, made_cohort, tmp_path, monkeypatch
):
    long = "everything went wrong " * 2000
    failures = pd.concat([made_run.failures.assign(error=one) for one in (HURTING, long)], ignore_index=True)
    monkeypatch.setattr(Run, "failures", failures)
    write_report(made_run, open_cohort(made_cohort), tmp_path)
    assert set(pd.read_csv(tmp_path / "failures.csv")["error"]) == {HURTING, long}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert long not in page
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;" in page


def test_the_same_run_gives_the_same_bytes(report, made_run, made_cohort, tmp_path):
    for path in write_report(made_run, open_cohort(made_cohort), tmp_path):
        assert path.read_bytes() == (report / path.name).read_bytes(), path.name


def test_its_tables_are_the_metrics(report, made_run, made_cohort):
    labels = cohort_table(open_cohort(made_cohort))
    assessment = assess(made_run.predictions, labels)
    prediction = pd.read_csv(report / "prediction.csv", index_col="observation")
    assert list(prediction.index) == [*OBSERVATIONS, "Weighted average"]
    # Two of the three are positive for two pathologies; the others have no positive
    assert prediction["auroc"].dropna().index.tolist() == ["Cardiomegaly", "Edema", "Weighted average"]
    assert prediction.loc["Fracture", "reason"] == "no positive"
    for column in ("auroc", "auprc", "brier", "sensitivity"):
        ours = assessment.table[column].astype(float)
        np.testing.assert_allclose(prediction.loc[list(OBSERVATIONS), column], ours, rtol=1e-5)
    expected = np.average(prediction.loc[["Cardiomegaly", "Edema"], "auroc"], weights=[2, 2])
    assert prediction.loc["Weighted average", "auroc"] == pytest.approx(expected, rel=1e-5)
    decisions = pd.read_csv(report / "decisions.csv")
    assert len(decisions) == 3 * 14
    assert (decisions["decision"] == "uncertain").sum() == 2
    table1 = pd.read_csv(report / "table1.csv", index_col="observation")
    pd.testing.assert_frame_equal(table1, label_counts(labels), rtol=1e-5, check_dtype=False)


def test_the_papers_figures_stand_in_it_only_beside_its_own_radiographs(
    report, made_run, made_cohort, monkeypatch
):
    page = unescape((report / "report.html").read_text(encoding="utf-8"))
    assert "The paper's results are for the CheXpert validation set and are not shown here" in page
    assert "Paper's mean" not in page
    assert "stars: the paper's means" not in page
    assert pd.read_csv(report / "summary_lime.csv")["paper_mean"].isna().all()
    patients = frozenset(name.split("_")[0] for name in made_run.explained_ids())
    monkeypatch.setattr("shamsul_core.cohort.patients.CHEXPERT_VALIDATION", patients)
    evidence = Evidence(made_run, open_cohort(made_cohort))
    boxes, summary, *_ = next(method_chapters(evidence)).blocks
    assert "stars: the paper's means" in boxes.caption
    assert "Paper's mean" in summary.shown
    assert summary.frame["paper_mean"].notna().all()


def test_the_ranking_is_pathology_by_pathology_and_says_how(report, made_run):
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "with one value per patient" in page
    table = pd.read_csv(report / "friedman.csv", index_col="pathology")
    for one in rank_methods(made_run.scores, ["lime", "shap", "gradcam", "lrp"]):
        row = table.loc[one.pathology]
        assert (row["patients"], row["p_holm"]) == (one.patients, pytest.approx(one.p_holm, rel=1e-5))
        assert row["lrp"] == pytest.approx(one.mean_ranks["lrp"], rel=1e-5)


def test_intervals_of_too_few_are_named(report):
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "(too few)" in page
    prediction = pd.read_csv(report / "prediction.csv", index_col="observation")
    assert prediction[["auroc_low", "auroc_high"]].isna().all(axis=None)
    assert prediction.loc["Edema", ["sensitivity_low", "sensitivity_high"]].notna().all()


def test_the_command_writes_it_and_its_options_count(made_run, tmp_path):
    done = call(
        "report", "--run", made_run.folder, "--out", tmp_path / "out", "--u-zeros", "--threshold", "youden"
    )
    assert done.exit_code == 0, done.output
    assert "report.html, report.pdf and" in said(done)
    decisions = pd.read_csv(tmp_path / "out" / "decisions.csv")
    assert set(decisions["decision"]) <= {"TP", "TN", "FP", "FN"}
    assert decisions.loc[decisions["observation"] == "Edema", "threshold"].iloc[0] != 0.5


def test_a_run_of_one_method_has_nothing_to_rank(made_run, made_cohort, tmp_path, monkeypatch):
    manifest = replace(made_run.manifest, methods={"gradcam": made_run.manifest.methods["gradcam"]})
    scores = made_run.scores.query("method == 'gradcam'")
    read = made_run.read
    monkeypatch.setattr(Run, "scores", scores)
    run = Run(made_run.folder, manifest)
    monkeypatch.setattr(
        run,
        "read",
        lambda one: replace(
            read(one), heatmaps=tuple(each for each in read(one).heatmaps if each.method == "gradcam")
        ),
    )
    write_report(run, open_cohort(made_cohort), tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Grad-CAM is the only method with heatmaps, so there is no ranking." in page
    assert not re.search(r"\bnan\b", re.sub(r'"data:[^"]+"', "", page))


def test_without_contours_there_is_a_report_all_the_same(tmp_path):
    cohort = make_cohort(tmp_path / "cohort", count=2)
    shutil.rmtree(cohort / "CheXlocalize")
    write_report(make_run(tmp_path / "run", cohort), open_cohort(cohort), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("No radiograph has both a mask from this method and an expert contour.") == 4
    assert "no threshold can be compared" in page
    assert (tmp_path / "out" / "report.pdf").stat().st_size > 0


def test_what_is_wrong_is_one_line(made_run, tmp_path):
    for arguments, line in [
        (("--run", tmp_path), "no run here"),
        (
            ("--run", made_run.folder, "--threshold", "best"),
            "unknown threshold 'best'; there are 0.5, Youden",
        ),
    ]:
        result = call("report", *arguments, "--out", tmp_path / "out")
        assert result.exit_code == 1
        assert line in said(result)
        assert "Traceback" not in result.output
        assert not (tmp_path / "out").exists()
    assert np.all([name in call("--help").output for name in ("report", "tune")])


def test_a_report_that_cannot_be_finished_leaves_no_half_file(made_run, made_cohort, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(made_run, open_cohort(made_cohort), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_where_findings_can_be_removed_it_says_what_the_model_used(made_cohort, tmp_path):
    removals = {(1, "Edema"): Removal(2.0, -2.0), (2, "Edema"): Removal(2.0, 1.9)}
    run = make_run(tmp_path / "run", made_cohort, removals=removals)
    (chapter,) = removal_chapters(Evidence(run, open_cohort(made_cohort)))
    words, table = chapter.blocks
    assert "The prediction rests on 1 of 2 findings." in words.text
    ((pathology, number, fall, interval, used, *_),) = table.cells[1]
    assert (pathology, number, fall, interval, used) == ("Edema", "2", "2.05", "too few", "1 of 2")


def test_the_report_on_patients_has_no_such_chapter(made_run, made_cohort):
    assert not list(removal_chapters(Evidence(made_run, open_cohort(made_cohort))))
