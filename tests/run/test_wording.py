"""What is said of a run: why there is no IoU, and what its cohort is called."""

from __future__ import annotations

import shutil

import pandas as pd

from shamsul_core.cohort import open_cohort
from shamsul_core.run.wording import cohort_in_words, origin_in_words, settings_in_words, why_no_iou
from tests.made import image_id, make_run


def test_why_there_is_no_iou_is_told_apart(made_run, made_cohort, tmp_path):
    scores = made_run.scores
    assert why_no_iou(scores, has_marks=True) is None
    assert "These radiographs have not been scored" in str(why_no_iou(scores.iloc[:0], has_marks=True))
    nothing = scores[scores["image_id"] == image_id(3)]
    assert "The experts marked nothing on these" in str(why_no_iou(nothing, has_marks=True))
    empty = scores.assign(iou=float("nan"))
    assert "No method has a mask" in str(why_no_iou(empty, has_marks=True))

    bare = shutil.copytree(made_cohort, tmp_path / "bare")
    shutil.rmtree(bare / "CheXlocalize")
    cohort = open_cohort(bare)
    run = make_run(tmp_path / "run", bare)
    said = why_no_iou(run.scores, has_marks=cohort.has_annotations)
    assert said == "Experts have marked nothing in this cohort, so there is no IoU and no hit rate."


def test_an_empty_table_of_scores_is_no_verdict_of_the_experts():
    said = why_no_iou(pd.DataFrame({"iou": [], "expert_area_px": []}), has_marks=False)
    assert "experts" not in str(said)


def test_a_run_says_its_cohort_in_words(made_run):
    words = origin_in_words(made_run.manifest)
    assert words.startswith("Cohort “cohort”, validation set; model made;")
    own = {"name": "your radiograph", "split": "val", "simulated": None}
    assert cohort_in_words(own) == "Your radiograph"


def test_settings_of_every_method_are_said_in_sentences():
    said = settings_in_words({"hide": "inpainted", "tiles": 14, "window": 2, "noise": 0.15, "shown": 0.5})
    assert said == [
        "What is hidden is painted as its surroundings would go on.",
        "The radiograph is divided into 14 × 14 tiles.",
        "A window of 2 × 2 tiles is hidden at a time.",
        "The noise's standard deviation is 15% of the range of grey levels.",
        "Of its cells 50% show, on average.",
    ]
    sampling = {"first": 500, "step": 500, "budget": 4000, "reliability": 0.97}
    assert "LIME and SHAP share their queries." not in settings_in_words({"sampling": sampling})
    shared = settings_in_words(
        {"sampling": sampling, "superpixels": {"algorithm": "quickshift", "max_distance": 9}}
    )
    assert shared[-1] == "LIME and SHAP share their queries."
