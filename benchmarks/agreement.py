"""CheXlocalize's own scripts on our export, beside our scores: ``python -m benchmarks.agreement --chexlocalize DIR``.

DIR is a checkout of github.com/rajpurkarlab/cheXlocalize. Its ``sample/`` is imported as a run, scored, exported, and the
export given to ``eval.py`` (IoU in both slices, hits), ``heatmap_to_segmentation.py``, ``tune_heatmap_threshold.py`` and
``precision_recall_specificity.py``. Printed is the largest difference between what they write and what our scores say.
With ``--run RUN`` the same for each method of another run. The run's scores must be there, made with Otsu's thresholds
as by the ``paper`` or ``default`` preset; it is not changed.

Their bootstrap is repeated with their generator (``numpy.random.seed(0)``) on our scores. Their interval ends are the
25th and 975th of 1,000 sorted means, rounded to three digits; ours are interpolated percentiles of means drawn with
another generator. How much of a difference comes from which is printed.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.score import lay_out_cohort, seconds_of
from shamsul_core.imaging.rle import decode_rle
from shamsul_core.interchange.exporting import export_run
from shamsul_core.run import Run
from shamsul_core.run.cohort import cohort_of
from shamsul_core.statistics.intervals import bootstrap_mean, mean_of_known
from shamsul_core.statistics.summary import in_slice
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, chexlocalize_name

TASKS = [chexlocalize_name(name) for name in LOCALISED_PATHOLOGIES]


def largest(theirs: pd.DataFrame, ours: pd.DataFrame) -> str:
    """Return the largest difference in words, or that they know other things."""
    one, other = (table[TASKS].to_numpy(np.float64) for table in (theirs, ours))
    if one.shape != other.shape or (np.isnan(one) != np.isnan(other)).any():
        return f"DIFFER in what is known ({one.shape}, {other.shape})"
    differ = np.abs(one - other)[np.isfinite(one)]
    return f"{np.count_nonzero(differ > 1e-9)} of {differ.size} differ, largest difference {differ.max(initial=0):.1e}"


def our_table(scores: pd.DataFrame, column: str, image_ids: list[str]) -> pd.DataFrame:
    """Return our scores of one method as their tables are laid out, radiographs × pathologies."""
    table = scores.pivot_table(index="image_id", columns="pathology", values=column, dropna=False)
    table = table.reindex(index=image_ids, columns=list(LOCALISED_PATHOLOGIES)).astype("float64")
    return table.rename(columns=chexlocalize_name)


def compare_scores(checkout: Path, export: Path, out: Path, method: str, scores: pd.DataFrame) -> None:
    """Run ``eval.py`` three times on one method's export and compare radiograph by radiograph, then the intervals."""
    for metric, column, slice_name in (
        ("iou", "iou", "true positive"),
        ("iou", "iou", "full"),
        ("hitmiss", "hit", "true positive"),
    ):
        kind = "segmentations.json" if metric == "iou" else "maps"
        folder = out / f"{method} {metric} {slice_name}"
        seconds_of(
            *("theirs", checkout / "eval.py", "--metric", metric),
            *("--gt_path", export / "gt_segmentations.json", "--pred_path", export / f"{method}_{kind}"),
            *("--true_pos_only", slice_name == "true positive", "--save_dir", folder),
        )
        theirs = pd.read_csv(folder / f"{metric}_results_per_cxr.csv").set_index("img_id")
        ours = our_table(in_slice(scores, slice_name), column, list(theirs.index))
        print(f"{method}, eval.py, {metric}, {slice_name} slice: {largest(theirs, ours)}")
        compare_intervals(folder, metric, ours)


def compare_intervals(folder: Path, metric: str, ours: pd.DataFrame) -> None:
    """Repeat their resampling with their generator on our scores."""
    values = ours.to_numpy(np.float64)
    generator = np.random.RandomState(0)
    draws = [generator.choice(len(values), size=len(values), replace=True) for _ in range(1000)]
    means = np.array([mean_of_known(values[rows], axis=0) for rows in draws])
    theirs = pd.read_csv(folder / f"{metric}_bootstrap_results_per_cxr.csv")
    print(f"  1,000 resampled means, their draws: {largest(theirs, pd.DataFrame(means, columns=TASKS))}")
    summary = pd.read_csv(folder / f"{metric}_summary_results.csv").set_index("name").reindex(TASKS)
    ends = summary[["lower", "upper"]].to_numpy(np.float64).T
    ordered = np.sort(means, axis=0)[[24, 974]].round(3)  # NaN sorts last, as in theirs
    known = np.isfinite(means).any(axis=0)
    interpolated = np.full_like(ends, np.nan)
    interpolated[:, known] = np.nanpercentile(means[:, known], [2.5, 97.5], axis=0)
    own = np.array(bootstrap_mean(values)[1:])
    for what, found in (
        ("their draws and their order statistics", ordered),
        ("their draws, our percentiles", interpolated),
        ("our draws, our percentiles", own),
    ):
        both = np.isfinite(found) & np.isfinite(ends)  # of too few patients we give no interval
        differ = (
            f"differ by {np.abs(found - ends)[both].max():.4f} at most" if both.any() else "none to compare"
        )
        print(f"  ends of the intervals, {what}: {differ}")


def compare_masks(checkout: Path, export: Path, out: Path, method: str) -> None:
    """Let their script make masks of our maps and compare them with our masks."""
    made = out / f"{method}_masks.json"
    seconds_of(
        *("theirs", checkout / "heatmap_to_segmentation.py"),
        *("--map_dir", export / f"{method}_maps", "--output_path", made),
    )
    theirs, ours = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (made, export / f"{method}_segmentations.json")
    )
    differing = [
        int((decode_rle(mask) != decode_rle(ours[image][task])).sum())
        for image, masks in theirs.items()
        for task, mask in masks.items()
    ]
    print(
        f"{method}, heatmap_to_segmentation.py: {len(differing)} masks, {np.count_nonzero(differing)} of them differ, "
        f"by {max(differing)} pixels at most"
    )


def compare_pooled(checkout: Path, export: Path, out: Path, method: str, scores: pd.DataFrame) -> None:
    """Compare precision, recall and specificity of all pixels together, which follow from our scores' areas."""
    truth, masks = export / "gt_segmentations.json", export / f"{method}_segmentations.json"
    seconds_of(
        *("theirs", checkout / "precision_recall_specificity.py", "--gt_path", truth),
        *("--pred_seg_path", masks, "--hb_seg_path", truth, "--save_dir", out),
    )
    theirs = pd.read_csv(out / "pred_precision_recall_specificity.csv").set_index("pathology")
    sizes = {
        image: float(np.prod(next(iter(encoded.values()))["size"]))
        for image, encoded in json.loads(truth.read_text(encoding="utf-8")).items()
    }
    known = scores[scores["image_id"].isin(sizes)]
    table = pd.DataFrame(
        {
            "pathology": known["pathology"].map(chexlocalize_name),
            "both": (known["precision"] * known["mask_area_px"]).fillna(0.0),
            "mask": known["mask_area_px"].fillna(0.0),
            "expert": known["expert_area_px"].fillna(0.0),
        }
    )
    sums = table.groupby("pathology").sum().reindex(TASKS)
    pixels = sum(sizes.values())
    ours = pd.DataFrame(
        {
            "precision": sums["both"] / sums["mask"],
            "recall/sensitivity": sums["both"] / sums["expert"],
            "specificity": 1 - (sums["mask"] - sums["both"]) / (pixels - sums["expert"]),
        }
    )
    differ = (theirs.reindex(TASKS)[list(ours)] - ours).abs().max().max()
    print(f"{method}, precision_recall_specificity.py: largest difference {differ:.1e}")


def compare_tuned(checkout: Path, export: Path, out: Path, run: Path, method: str) -> None:
    """Compare the thresholds tuned by their script on our maps with those of our ``tune``."""
    seconds_of(
        *("theirs", checkout / "tune_heatmap_threshold.py", "--map_dir", export / f"{method}_maps"),
        *("--gt_path", export / "gt_segmentations.json", "--save_dir", out),
    )
    ours = out / f"{method}_tuned.csv"
    seconds_of(
        *("ours", "tune", "--run", run, "--method", method, "--out", ours),
        *("--preset", "paper" if method == "imported" else "default"),
    )
    theirs = (out / "tuning_results.csv").read_text(encoding="utf-8")
    is_same = theirs == ours.read_text(encoding="utf-8")
    print(f"{method}, tune_heatmap_threshold.py: {'the same bytes' if is_same else 'DIFFERS'}")
    if not is_same:
        print(theirs, ours.read_text(encoding="utf-8"), sep="\n")


def compare(checkout: Path, run: Run, folder: Path) -> None:
    """Export a run and compare all that their scripts make of it."""
    export, out = folder / "export", folder / "theirs"
    out.mkdir(parents=True)
    cohort = cohort_of(run)
    maps, problems = export_run(run, cohort, export)
    print(f"{maps} maps of {len(run.explained_ids())} radiographs exported{'; '.join(['', *problems])}")
    for method in run.manifest.methods:
        scores = run.scores[run.scores["method"] == method]
        compare_scores(checkout, export, out, method, scores)
        compare_masks(checkout, export, out, method)
        compare_pooled(checkout, export, out, method, scores)
        compare_tuned(checkout, export, out, run.folder, method)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--chexlocalize", type=Path, required=True, help="checkout of their repository")
    parser.add_argument("--run", type=Path, help="another run than their sample")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, checkout = Path(name), chosen.chexlocalize.resolve()
        if chosen.run is None:
            sample = checkout / "sample"
            cohort = lay_out_cohort(sample, folder / "cohort")
            maps = ("--maps", sample / "gradcam_maps_val", "--cohort", cohort, "--run", folder / "run")
            seconds_of("ours", "import-maps", *maps)
            chosen.run = folder / "run"
        compare(checkout, Run.open(chosen.run), folder)


if __name__ == "__main__":
    main()
