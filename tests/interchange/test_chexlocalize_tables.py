"""CheXlocalize's CSV files of thresholds and cutoffs, read as they were published."""

from __future__ import annotations

import pytest

from shamsul_core.interchange.chexlocalize import MapError, read_probability_cutoffs, read_thresholds


def test_published_thresholds_and_cutoffs(sample):
    thresholds = read_thresholds(sample / "CheXlocalize" / "tuning_results.csv")
    assert len(thresholds) == 10
    assert thresholds["Lung Opacity"] == 0.4
    assert thresholds["Lung Lesion"] == 0.7
    cutoffs = read_probability_cutoffs(sample / "CheXlocalize" / "probability_tuning_results.csv")
    assert cutoffs["Cardiomegaly"] == 0.1
    assert cutoffs["Pleural Effusion"] == 0.6


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "threshold,task\n",
        "threshold,task\nx,Edema\n",
        "threshold,task\n0.1,Broken\n",
        "threshold,task\n,Edema\n",
        "threshold,task\n5,Edema\n",
        "threshold,task\n0.2,Edema\n0.3,Edema\n",
        "threshold,task\n0.2,Edema\n1,2,3\n",
    ],
)
def test_a_csv_that_is_no_thresholds_is_named(tmp_path, text):
    path = tmp_path / "tuning.csv"
    path.write_text(text)
    with pytest.raises(MapError, match=r"tuning\.csv: not a CSV with the columns threshold, task"):
        read_thresholds(path)
    with pytest.raises(MapError, match="absent"):
        read_thresholds(tmp_path / "absent.csv")
