"""How good is each method, per pathology, over the cohort?"""

from typing import get_args

import pandas as pd
import streamlit as st

from dashboard import reading, scroll
from dashboard.address import choice, go, write_address
from dashboard.guard import enter
from dashboard.navigation import case_address
from dashboard.notes import show_banner, stopping_plainly
from shamsul_core.cohort.truth_words import CONTOUR, parts_by_truth
from shamsul_core.cohort.views import ViewFilter
from shamsul_core.figures.html.distributions import add_human_benchmark, add_location, hit_bars, iou_boxes
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.iou_against import iou_against
from shamsul_core.figures.html.linked_table import linked_table
from shamsul_core.figures.html.points import case_of, drawn_in_words
from shamsul_core.figures.html.summary import (
    LOCATION_INTERVAL,
    boxes_in_words,
    column_help,
    located_in_words,
    mean_rank,
    means_in_words,
    pair_table,
    ranking_in_words,
    ranking_table,
    ranks_in_words,
    summary_table,
)
from shamsul_core.figures.html.yardsticks import verdict, yardstick_help, yardstick_table
from shamsul_core.localisation.baselines import LOCATION, LOCATION_ALONE, MEANINGS
from shamsul_core.run.wording import PROJECTIONS, sentence, threshold_in_words, titles_in_words, why_no_iou
from shamsul_core.statistics.human_benchmark import benchmark_in_words
from shamsul_core.statistics.intervals import FEWEST, TOO_FEW
from shamsul_core.statistics.lesions import FEATURES
from shamsul_core.statistics.located_boxes import LOCATED_MEANING, located_boxes
from shamsul_core.statistics.paper import SOURCE
from shamsul_core.statistics.summary import Slice, rank_correlations

SLICES = {
    "true positive": "both masks mark something (true-positive slice)",
    "full": "at least one does (full slice)",
}

run, cohort = enter()
show_banner(run)
with stopping_plainly():
    parts = parts_by_truth(reading.tables(run)[1])
plurals = [words.plural for words, _ in parts]
marked_as = choice("truth", plurals, plurals[0]) if len(parts) > 1 else plurals[0]
truth, part = parts[plurals.index(marked_as)]
both = "and the experts' mask" if truth is CONTOUR else f"mask and the experts' {truth.plural}"
score, help_on = sentence(truth.score), column_help(truth)
FIGURES = {
    "iou": score,
    "hit": "Hit rate",
    "probability": f"{score} by probability",
    "lesion": f"{score} by lesion",
    "methods": "Method comparison",
}
titles = run.manifest.titles
methods = {"all": "All methods", **titles}
views, slices = list(get_args(ViewFilter)), list(get_args(Slice))
figure_name = choice("figure", list(FIGURES), "iou")
method = choice("methods", list(methods), "all")
view = choice("radiographs", views, views[0])
counted = choice("slice", slices, slices[0])
lesion = choice("lesion", list(FEATURES), "area_share")
with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
    st.segmented_control("Show", list(FIGURES), key="figure", required=True, format_func=FIGURES.get)
    if figure_name != "methods":  # which compares all of them
        st.segmented_control(
            "Methods",
            list(methods),
            key="methods",
            required=True,
            format_func=lambda name: as_markdown(methods[name]),
            help=as_markdown(titles_in_words(titles) or "") or None,
        )
with st.sidebar:
    if len(parts) > 1:
        st.radio(
            "Pathologies marked by",
            plurals,
            key="truth",
            horizontal=True,
            help="An overlap of masks and one of bounding boxes are different scores, which no mean puts together.",
        )
    st.radio("Radiographs", views, key="radiographs", horizontal=True, help=PROJECTIONS)
    st.radio(
        "Count radiographs where",
        slices,
        key="slice",
        format_func=SLICES.get,
        help=f"CheXlocalize's true-positive slice counts a radiograph if both the method's {both} mark "
        f"something. The full slice also counts it if only one of them does, with {truth.a_score} of 0.",
    )
    if figure_name == "lesion":
        st.selectbox(
            "Lesion",
            list(FEATURES),
            key="lesion",
            format_func=lambda name: FEATURES[name].capitalize(),
            help="CheXlocalize's definitions. Elongation: the longer side of the smallest rectangle around the lesion "
            "divided by the shorter. Irrectangularity: the share of that rectangle outside the lesion.",
        )
write_address()

with stopping_plainly():
    scores, summary = reading.summary(run, counted, view)
if reason := why_no_iou(scores, has_marks=cohort.has_annotations):
    st.info(
        f"{as_markdown(reason)} *Compare* shows the heatmaps; *Selection* finds cases by predicted probability."
    )
    st.stop()

means = means_in_words(
    summary, titles if method == "all" or figure_name == "methods" else {method: titles[method]}
)
if len(parts) > 1:
    pathologies = part["pathology"].unique()
    scores, summary = (table[table["pathology"].isin(pathologies)] for table in (scores, summary))
drawn_titles = titles if method == "all" or figure_name == "methods" else {method: titles[method]}
with stopping_plainly():
    location = reading.location(run, view)
    held = reading.held_against(run, view, tuple(summary["pathology"].unique()))
location = location[location["pathology"].isin(summary["pathology"])]
st.markdown(verdict(held, titles, truth))
st.markdown(means)
if figure_name == "methods":
    st.markdown(as_markdown(ranking_in_words(scores, titles)))
    if not (ranks := ranking_table(scores, titles)).empty:
        st.dataframe(
            ranks,
            hide_index=True,
            column_config={
                **{
                    title: st.column_config.NumberColumn(format="%.2f", help=mean_rank(truth))
                    for title in titles.values()
                },
                "Patients": st.column_config.NumberColumn(help=help_on["Patients"]),
                "Critical difference": st.column_config.NumberColumn(
                    format="%.2f", help=help_on["Critical difference"]
                ),
                **{name: st.column_config.TextColumn(help=help_on[name]) for name in ("p", "p, Holm")},
            },
            alt="Mean rank of each method on each pathology, with Friedman's test",
        )
    st.dataframe(
        pair_table(scores, titles),
        hide_index=True,
        height=560,
        placeholder="–",
        column_config={
            "Patients": st.column_config.NumberColumn(help=help_on["Patients"]),
            "Difference": st.column_config.NumberColumn(format="%.3f", help=help_on["Difference"]),
            "Effect": st.column_config.NumberColumn(format="%.2f", help=help_on["Effect"]),
            **{name: st.column_config.TextColumn(help=help_on[name]) for name in ("p", "p, Holm")},
        },
        alt="Pairwise comparison of the methods on the same patients",
    )
    st.stop()

against, words = "probability", "predicted probability"
if figure_name == "lesion":
    against = lesion
    words = FEATURES[against]
    scores = scores.merge(reading.lesions(run), on=["image_id", "pathology"], how="left")
readers = reading.human_benchmark(run, view)
# Those of the kind of truth
readers = readers[readers["pathology"].isin(summary["pathology"])]
if figure_name == "iou":
    highest = pd.concat([readers["mean"], location["mean"]]).max()
    figure = iou_boxes(scores, summary, drawn_titles, up_to=highest)
    add_location(figure, location, summary, "iou")
    add_human_benchmark(figure, readers, summary, "iou")
elif figure_name == "hit":
    figure = hit_bars(summary, drawn_titles)
    add_location(figure, location, summary, "hit")
    add_human_benchmark(figure, readers, summary, "hit")
else:
    is_wide = against in {"area_share", "elongation", "lesions"}
    figure = iou_against(scores, against, words, drawn_titles, is_logarithmic=is_wide)

picked = st.plotly_chart(
    figure,
    key="chart",
    theme=None,
    height=480,
    config={"displayModeBar": False},
    selection_mode="points",
    on_select="ignore" if figure_name == "hit" else "rerun",
    alt=f"{FIGURES[figure_name]}, {methods[method]}; the values are in the table below",
)
if figure_name != "hit" and picked.selection.points:
    go(case_address(*case_of(scores, picked.selection.points[0]["customdata"])))

remarks = [threshold_in_words(run.segmentation)]
if figure_name in {"probability", "lesion"}:
    ranks = rank_correlations(scores, against, list(drawn_titles))
    remarks.insert(
        0,
        f"Spearman's rank correlation between {truth.score} and {words}: {ranks_in_words(ranks, drawn_titles)}.",
    )
elif figure_name == "iou":
    remarks.insert(
        0,
        boxes_in_words(summary),
    )
else:
    remarks.insert(
        0, f"Hit: the map's maximum lies inside the experts' {truth.noun}. Error bars: 95 % intervals."
    )
if figure_name in {"iou", "hit"} and readers["mean" if figure_name == "iou" else "hit_rate"].notna().any():
    remarks.append(f"Dotted line: the readers' mean. {benchmark_in_words(readers, truth)}")
if figure_name in {"iou", "hit"} and not held.empty:
    remarks.append(
        "Pink line: location alone, the mean of what experts marked on other patients' radiographs."
    )
if figure_name != "hit":
    columns = ["iou"] if figure_name == "iou" else ["iou", against]
    remarks.append(drawn_in_words(scores, drawn_titles, *columns))
st.caption(as_markdown(" ".join(remarks)))

if not held.empty:
    st.markdown("**Chance, location and ceilings**")
    st.dataframe(
        yardstick_table(held, titles, truth),
        hide_index=True,
        column_config={
            name: st.column_config.Column(help=meaning) for name, meaning in yardstick_help(truth).items()
        },
        alt="Methods and baselines that never saw the network, on the same radiographs",
    )
table = summary_table(summary, drawn_titles, case_address, location)
st.html(
    linked_table(
        table,
        f"Mean {truth.score}, median, intervals, best and worst case for each pathology and method",
        links=("Best case", "Worst case"),
        digits={"Paper's mean": 3},
        meanings={
            **help_on,
            "Paper's mean": SOURCE,
            LOCATION_ALONE: f"Mean {truth.score} here of {MEANINGS[LOCATION]}",
            LOCATION_INTERVAL: f"Bootstrap interval of what location alone gives; {TOO_FEW}: fewer than {FEWEST} patients",
            **dict.fromkeys(
                ("Best case", "Worst case"), f"{sentence(truth.score_and_full)}; click to open the case"
            ),
        },
    )
)
st.download_button(
    "Download table (CSV)",
    lambda: table.replace(r"^.*#", "", regex=True).to_csv(index=False),
    "scores-by-pathology.csv",
    "text/csv",
    on_click="ignore",
    icon=":material/download:",
)
located = located_in_words(located_boxes(scores, list(drawn_titles)), drawn_titles)
if not located.empty:
    st.markdown("**Boxes found**")
    st.dataframe(
        located,
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.2f") for name in located.columns[3:]},
        alt="Share of the radiographs on which each method finds the experts' boxes, by threshold of the box IoU",
    )
    st.caption(LOCATED_MEANING)
scroll.remember(str(run.name), figure_name, method, view, counted)
