"""Print the tables of the demonstration's README, in Markdown.

``python -m docs.demonstration RUN TEST``: the demonstration's run, and the run on held-out radiographs that its model is
tested by; both are what ``make demo`` makes.
"""

import sys
from pathlib import Path

import pandas as pd

from shamsul_core.cohort import open_cohort
from shamsul_core.localisation.baselines import BASELINES, LOCATION
from shamsul_core.run import Run
from shamsul_core.statistics.prediction.assessment import assess
from shamsul_core.statistics.removals import removals_by_pathology
from shamsul_core.statistics.summary import rank_correlations, summarise
from shamsul_core.statistics.yardsticks import hold_against
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

run, test = (Run.open(Path(folder)) for folder in sys.argv[1:3])
titles = {name: str(method["title"]) for name, method in run.manifest.methods.items()}


def show(heading: str, table: pd.DataFrame) -> None:
    """Print a table under its heading."""
    lines = [table.columns, ["---"] * len(table.columns), *table.to_numpy(str)]
    print(f"{heading}\n")
    print(*("| " + " | ".join(line) + " |" for line in lines), sep="\n", end="\n\n")


held_out = open_cohort(test.cohort_folder, split=test.manifest.cohort["split"])
labels = pd.DataFrame({name: radiograph.labels for name, radiograph in held_out.radiographs.items()}).T
performance = assess(test.predictions, labels.astype(float)).table.loc[list(LOCALISED_PATHOLOGIES)]
show(
    f"Prediction on {len(labels)} held-out radiographs; mean AUROC {performance['auroc'].mean():.3f}, "
    f"lowest {performance['auroc'].min():.3f}, mean AUPRC {performance['auprc'].mean():.3f}",
    pd.DataFrame(
        {"observation": name}
        | {
            kind.upper(): f"{row[kind]:.3f} ({row[f'{kind}_low']:.3f} to {row[f'{kind}_high']:.3f})"
            for kind in ("auroc", "auprc")
        }
        | {"positive": f"{row['positive']:.0f}"}
        for name, row in performance.iterrows()
    ),
)

scores, yardsticks = run.scores, run.yardsticks
located = yardsticks[yardsticks["method"] == LOCATION].drop(columns="method").assign(method=LOCATION)
both = pd.concat([scores, located.reindex(columns=scores.columns)])
summary = summarise(both, LOCALISED_PATHOLOGIES, [*titles, LOCATION]).set_index(["pathology", "method"])
rows = []
for pathology in LOCALISED_PATHOLOGIES:
    of = summary.loc[pathology]
    numbers = sorted(set(of.loc[list(titles), "n"]))
    rows.append(
        {
            "pathology": pathology,
            "n": "–".join(str(number) for number in dict.fromkeys((numbers[0], numbers[-1]))),
        }
        | {
            titles.get(method, "location"): f"{of.loc[method, 'mean']:.2f} / {of.loc[method, 'hit_rate']:.2f}"
            for method in [*titles, LOCATION]
        }
    )
show("Mean IoU / hit rate", pd.DataFrame(rows))

held = hold_against(yardsticks, list(titles)).set_index("method")


def with_interval(row: pd.Series, mean: str, part: str) -> str:
    """Return a figure and its interval."""
    return f"{row[mean]:.2f} ({row[f'{part}_low']:.2f} to {row[f'{part}_high']:.2f})"


show(
    "Means of the ten, with 95 % intervals over patients",
    pd.DataFrame(
        {
            "": titles.get(name) or BASELINES[name],
            "IoU": with_interval(row, "iou", "iou"),
            "hit rate": with_interval(row, "hit", "hit"),
            "IoU less location's": with_interval(row, "over_location_mean", "over_location"),
            "own less other patients' marks": with_interval(row, "own_mean", "own"),
            "at most": f"{row['ceiling']:.2f}",
            "patients": f"{row['patients']:.0f}",
        }
        for name, row in held.iterrows()
    ),
)

show(
    "Without the finding",
    pd.DataFrame(
        {
            "pathology": row["pathology"],
            "radiographs": f"{row['radiographs']}",
            "the logit falls by": with_interval(row, "change", "change"),
            "moved": f"{row['used']} of {row['radiographs']}",
        }
        for _, row in removals_by_pathology(scores, LOCALISED_PATHOLOGIES)
        .rename(columns={"low": "change_low", "high": "change_high"})
        .iterrows()
    ),
)

sampled = scores.dropna(subset=["stability"])
for method, group in sampled.groupby("method"):
    stable = (group["stability"] >= 0.8).sum()
    print(
        f"{titles[method]}: {stable} of {len(group)} masks stable, {int(group['converged'].sum())} maps converged"
    )
present = scores[scores["iou"].notna()]
for against in ("expert_area_px", "probability"):
    print(against, rank_correlations(present, against, list(titles)).round(2).to_dict("records"))
print(
    len(run.failures),
    "failures;",
    scores.dropna(subset=["threshold"]).groupby("method").size().to_dict(),
    "heatmaps",
)
