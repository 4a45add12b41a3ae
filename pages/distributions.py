"""How good is each method, per pathology, over the cohort?"""

from typing import get_args

import streamlit as st

from dashboard import reading, scroll
from dashboard.address import choice, go, write_address
from dashboard.guard import enter
from dashboard.navigation import case_address
from dashboard.notes import show_banner, stopping_plainly
from shamsul_core.cohort.views import ViewFilter
from shamsul_core.figures.html.distributions import add_human_benchmark, hit_bars, iou_boxes
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.iou_against import iou_against
from shamsul_core.figures.html.linked_table import linked_table
from shamsul_core.figures.html.points import case_of, drawn_in_words
from shamsul_core.figures.html.summary import (
    COLUMN_HELP,
    MEAN_RANK,
    boxes_in_words,
    means_in_words,
    pair_table,
    ranking_in_words,
    ranking_table,
    ranks_in_words,
    summary_table,
)
from shamsul_core.run.wording import PROJECTIONS, threshold_in_words, titles_in_words, why_no_iou
from shamsul_core.statistics.lesions import FEATURES
from shamsul_core.statistics.paper import SOURCE
from shamsul_core.statistics.summary import Slice, rank_correlations

FIGURES = {
    "iou": "IoU",
    "hit": "Hit rate",
    "probability": "IoU by probability",
    "lesion": "IoU by lesion",
    "methods": "Method comparison",
}
OPENS = "IoU (intersection over union); click to open the case"
SLICES = {
    "true positive": "both masks mark something (true-positive slice)",
    "full": "at least one does (full slice)",
}

run, cohort = enter()
show_banner(run)
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
    st.radio("Radiographs", views, key="radiographs", horizontal=True, help=PROJECTIONS)
    st.radio(
        "Count radiographs where",
        slices,
        key="slice",
        format_func=SLICES.get,
        help="CheXlocalize's true-positive slice counts a radiograph if both the method's and the experts' mask mark "
        "something. The full slice also counts it if only one of them does, with an IoU of 0.",
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
if reason := why_no_iou(scores, has_contours=cohort.has_annotations):
    st.info(
        f"{as_markdown(reason)} *Compare* shows the heatmaps; *Selection* finds cases by predicted probability."
    )
    st.stop()

drawn_titles = titles if method == "all" or figure_name == "methods" else {method: titles[method]}
st.markdown(means_in_words(summary, drawn_titles))
if figure_name == "methods":
    st.markdown(as_markdown(ranking_in_words(scores, titles)))
    if not (ranks := ranking_table(scores, titles)).empty:
        st.dataframe(
            ranks,
            hide_index=True,
            column_config={
                **{
                    title: st.column_config.NumberColumn(format="%.2f", help=MEAN_RANK)
                    for title in titles.values()
                },
                "Patients": st.column_config.NumberColumn(help=COLUMN_HELP["Patients"]),
                "Critical difference": st.column_config.NumberColumn(
                    format="%.2f", help=COLUMN_HELP["Critical difference"]
                ),
                **{name: st.column_config.TextColumn(help=COLUMN_HELP[name]) for name in ("p", "p, Holm")},
            },
            alt="Mean rank of each method on each pathology, with Friedman's test",
        )
    st.dataframe(
        pair_table(scores, titles),
        hide_index=True,
        height=560,
        placeholder="–",
        column_config={
            "Patients": st.column_config.NumberColumn(help=COLUMN_HELP["Patients"]),
            "Difference": st.column_config.NumberColumn(format="%.3f", help=COLUMN_HELP["Difference"]),
            "Effect": st.column_config.NumberColumn(format="%.2f", help=COLUMN_HELP["Effect"]),
            **{name: st.column_config.TextColumn(help=COLUMN_HELP[name]) for name in ("p", "p, Holm")},
        },
        alt="Pairwise comparison of the methods on the same patients",
    )
    st.stop()

against, words = "probability", "predicted probability"
if figure_name == "lesion":
    against = lesion
    words = FEATURES[against]
    scores = scores.merge(reading.lesions(run), on=["image_id", "pathology"], how="left")
readers = reading.human_benchmark(run)
readers = readers[readers["image_id"].isin(scores["image_id"])]  # those of the view
if figure_name == "iou":
    figure = iou_boxes(scores, summary, drawn_titles)
    add_human_benchmark(figure, readers, summary, "iou")
elif figure_name == "hit":
    figure = hit_bars(summary, drawn_titles)
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
        0, f"Spearman's rank correlation between IoU and {words}: {ranks_in_words(ranks, drawn_titles)}."
    )
elif figure_name == "iou":
    remarks.insert(
        0,
        boxes_in_words(summary),
    )
else:
    remarks.insert(0, "Hit: the map's maximum lies inside the experts' contour. Error bars: 95 % intervals.")
if figure_name != "hit":
    columns = ["iou"] if figure_name == "iou" else ["iou", against]
    remarks.append(drawn_in_words(scores, drawn_titles, *columns))
st.caption(as_markdown(" ".join(remarks)))

table = summary_table(summary, drawn_titles, case_address)
st.html(
    linked_table(
        table,
        "Mean IoU, median, intervals, best and worst case for each pathology and method",
        links=("Best case", "Worst case"),
        digits={"Paper's mean": 3},
        meanings={**COLUMN_HELP, "Paper's mean": SOURCE, **dict.fromkeys(("Best case", "Worst case"), OPENS)},
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
scroll.remember(str(run.name), figure_name, method, view, counted)
