"""Can these maps be believed?"""

from html import escape

import streamlit as st

from dashboard import reading
from dashboard.address import choice, go, write_address
from dashboard.guard import enter
from dashboard.navigation import case_address
from dashboard.notes import show_banner, stopping_plainly
from shamsul_core.figures.colours import LINK
from shamsul_core.figures.html.cascade import cascade_strip
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.proof import proof_table
from shamsul_core.figures.html.proof_curves import (
    cascade_curves,
    cause_points,
    hiding_curves,
    stability_bars,
)
from shamsul_core.proof.catalogue import (
    BLUR_HIDES,
    COMPARED,
    COMPARED_MEANINGS,
    DELETION,
    FIGURES,
    GREY_HIDES,
    IMPUTED,
    INSERTION,
    ROAD,
    TESTS,
)
from shamsul_core.statistics.proof_words import NO_PROOF, headline, questions

PARTS = {
    "randomisation": "Randomised layers",
    "faithfulness": "Hiding and showing",
    "robustness": "Small changes",
    "reproducibility": "Another training",
    "cause": "Cause",
    "case": "A case",
}
HIDING = {
    f"{DELETION} {GREY_HIDES}": "Deletion, grey",
    f"{DELETION} {BLUR_HIDES}": "Deletion, blur",
    f"{INSERTION} {GREY_HIDES}": "Insertion, grey",
    f"{INSERTION} {BLUR_HIDES}": "Insertion, blur",
    f"{ROAD} {IMPUTED}": "ROAD",
}

run, cohort = enter()
show_banner(run)
with stopping_plainly():
    proof = reading.proof(run)
    summary = reading.proof_summary(run)
    held = reading.held_against(run, "all views", run.manifest.pathologies)
    shown = reading.proof_cases(run)
if proof.empty:
    st.info(NO_PROOF)
    st.stop()

titles = run.manifest.titles
parts = [name for name in PARTS if (name in set(proof["test"]) if name in TESTS else shown)]
part = choice("part_of_proof", parts, parts[0])
hiding = choice("hiding", list(HIDING), next(iter(HIDING)))
case = choice("proof_case", shown, shown[0], is_step=part == "case") if shown else ""
within = reading.proof_pathologies(run, case) if case else []
pathology = choice("proof_pathology", within, within[0]) if within else ""
write_address()

first, rest = headline(summary, titles)
tested = proof["image_id"].nunique()
st.markdown(f"**{as_markdown(first)}** {as_markdown(rest)}")
st.html(proof_table(summary, held, titles))
st.caption(
    f"{tested} radiographs, drawn by lot; the pathologies that are labelled, marked or predicted there. Whoever believes a map should know that it is of this model (depends), shows what the model uses "
    "(faithful) and would look the same tomorrow (stable)."
)

with st.expander("How each question is answered"):
    st.markdown(
        "\n".join(f"- **{question}** {as_markdown(meaning)}" for question, meaning in questions().items())
    )

st.segmented_control("Show", parts, key="part_of_proof", required=True, format_func=PARTS.get)
figures = {"displayModeBar": False}
if part == "case":
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.selectbox("Radiograph", shown, key="proof_case")
    right.selectbox("Pathology", within, key="proof_pathology")
    with stopping_plainly():
        maps = reading.proof_maps(run, case)
    st.html(cascade_strip(maps, pathology, titles, reading.cascade_of_case(run, case, pathology)))
    if case in cohort.radiographs:
        st.html(
            f'<a style="color:{LINK}" href="{escape(case_address(case, pathology))}">Open this case in Compare</a>'
        )
    st.caption(
        "Orange: evidence for the pathology; blue: against it; each map over its own largest value, 32 × 32 at most. *Keeps*: rank "
        "correlation with the map of the model itself. A map that still looks the same with random layers shows the radiograph, "
        "not what the model made of it."
    )
elif part == "faithfulness":
    st.segmented_control(
        "What is hidden, and behind what", list(HIDING), key="hiding", required=True, format_func=HIDING.get
    )
    figure, setting = hiding.split(" ", 1)
    words = "Share of places shown" if figure == INSERTION else "Share of places hidden"
    st.plotly_chart(
        hiding_curves(reading.proof_curves(run, part, figure, setting), titles, words),
        theme=None,
        height=460,
        config=figures,
        key="hiding_chart",
        alt="Mean logit of each method's maps as the most relevant places are hidden or shown first",
    )
    st.caption(
        as_markdown(". ".join(f"{COMPARED[name]}: {meaning}" for name, meaning in COMPARED_MEANINGS.items()))
        + "."
    )
elif part == "randomisation":
    st.plotly_chart(
        cascade_curves(reading.proof_curves(run, part, "rank correlation", None), titles),
        theme=None,
        height=460,
        config=figures,
        key="cascade_chart",
        alt="Rank correlation of each method's maps with the model's own as layers are randomised",
    )
elif part in {"robustness", "reproducibility"}:
    st.plotly_chart(
        stability_bars(reading.proof_settings(run, part), titles),
        theme=None,
        height=460,
        config=figures,
        key="stability_chart",
        alt="Rank correlation of each method's maps with themselves under each change",
    )
else:
    picked = st.plotly_chart(
        cause_points(reading.proof_densities(run), titles),
        theme=None,
        height=460,
        config=figures,
        key="cause_chart",
        selection_mode="points",
        on_select="rerun",
        alt="Density of relevance on each simulated finding against the fall of the logit without it",
    )
    if picked.selection.points:
        go(case_address(*picked.selection.points[0]["customdata"]))
    st.caption("Dotted line: what chance gives. Click a point to open its case.")

if part in TESTS:
    st.caption(
        as_markdown(TESTS[part])
        + " "
        + " ".join(
            f"**{figure.title}** ({figure.better} is better): {as_markdown(figure.definition)}. {as_markdown(figure.source)}."
            for figure in FIGURES
            if figure.test == part
        )
    )
