"""What is this cohort, and how well does the model predict on it?"""

import streamlit as st

from dashboard import pictures, reading
from dashboard.address import choice, flag, write_address
from dashboard.choices import threshold_choice
from dashboard.guard import enter
from dashboard.model_card import show_model_card
from dashboard.notes import show_banner, show_error, show_novelties
from shamsul_core.cohort.summary import has_indefinite_labels
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.observation_table import interval, number, observation_table
from shamsul_core.figures.html.run_facts import (
    facts_table,
    failure_table,
    left_out,
    line_list,
    model_facts,
    setting_facts,
)
from shamsul_core.run import RunError
from shamsul_core.run.wording import cohort_title, mixture_in_words
from shamsul_core.statistics.paper import PREDICTION, why_not_comparable

AVERAGES = {"auroc": "Weighted AUROC", "auprc": "Weighted AUPRC"}
AVERAGE_HELP = {
    "auroc": "Area under the receiver operating characteristic (ROC) curve, averaged over the observations with both positive "
    "and negative radiographs and weighted by the number of positives",
    "auprc": "Area under the precision-recall curve (average precision), averaged in the same way",
}
CURVES = {"ROC": "roc", "Precision-recall": "precision_recall", "Calibration": "calibration"}
PARTS = [*CURVES, "Cohort", "Run"]
FAILURES_SHOWN = 100

run, cohort = enter()
show_banner(run)
manifest, radiographs = run.manifest, reading.cohort_table(run)
with st.sidebar:
    rule = threshold_choice()
    choice("part", PARTS, PARTS[0])
    zeros = has_indefinite_labels(radiographs) and flag("u_zeros")
    if has_indefinite_labels(radiographs):
        st.toggle(
            "Count uncertain and blank as negative",
            key="u_zeros",
            help="Known as U-Zeros, the policy of the paper's training. If off, these labels are left out.",
        )
write_address()
try:
    assessment, failures = reading.assessment(run, rule, zeros=zeros), run.failures
    novelty = reading.novelty(run)
except RunError as error:
    show_error(error)
    st.stop()
performance = assessment.performance

st.header(as_markdown(cohort_title(cohort)), anchor=False)
show_model_card(run)
if leak := reading.leak(run):
    st.warning(as_markdown(leak), icon=":material/warning:")
show_novelties(novelty)
st.caption(
    f"{performance.radiographs} of {len(radiographs)} radiographs predicted · "
    f"model {as_markdown(manifest.model['source'])}, {'trained' if manifest.model['is_trained'] else 'untrained'} · "
    f"{len(failures)} failed"
)

if mixture := mixture_in_words(manifest):
    st.caption(f":material/info: Radiographs of this run were {as_markdown(mixture)}")

if not performance.radiographs:
    st.info("This run has no predictions yet. Come back when the first radiograph is done.")
elif not performance.is_labelled:
    st.info("The predicted radiographs have no labels, so the model's performance cannot be measured here.")
else:
    rings, figures = st.columns([0.33, 0.67], gap="medium")
    rings.image(
        pictures.assessment_picture(run, "figure3", rule, zeros=zeros),
        width="stretch",
        alt="Rings showing each observation's AUROC and number of positives, as in the paper's Figure 3",
    )
    with figures:
        is_papers = why_not_comparable(cohort) is None
        for place, (metric, title) in zip(st.columns(2), AVERAGES.items(), strict=True):
            average = performance.weighted.loc[metric]
            room = place.container(gap=None)
            room.metric(title, number(average["value"]), help=AVERAGE_HELP[metric])
            beside = f" The paper reports {PREDICTION[metric]:.2f}." if is_papers else ""
            room.caption(f"{interval(average)}{beside}")
        st.html(observation_table(assessment.table))
        if performance.dropped:
            st.caption(f"Not in the weighted averages: {as_markdown(left_out(performance.dropped))}.")

for title, tab in zip(PARTS, st.tabs(PARTS, on_change="rerun", key="part"), strict=True):
    if not tab.open:
        continue
    if title == "Cohort":
        tab.image(
            pictures.label_picture(run),
            width="stretch",
            alt="The paper's Table 1: labels for each observation",
        )
        tab.image(pictures.composition_picture(run), width="stretch", alt="Views, sexes and ages")
        if lines := reading.cohort_problems(run):
            tab.caption("What its files lack, or what is wrong with them:")
            tab.html(line_list(lines, "Problems of the cohort"))
            tab.download_button(
                "Download all (TXT)",
                lambda: "\n".join(map(str, (*cohort.problems, *cohort.remarks))),
                "problems.txt",
                "text/plain",
                on_click="ignore",
                icon=":material/download:",
            )
    elif title == "Run":
        facts, settings = tab.columns(2, gap="large")
        facts.html(facts_table(model_facts(manifest), "Model and cohort"))
        if seen := run.seen():
            image_id, picture = seen
            facts.image(
                picture, f"What the network sees of {as_markdown(image_id)}", alt="The network's input"
            )
        settings.html(facts_table(setting_facts(manifest), "Settings and versions"))
        tab.caption(f"{len(failures)} failed" + (":" if len(failures) else "."))
        if len(failures):
            tab.html(failure_table(failures, "Failures", most=FAILURES_SHOWN))
    elif performance.is_labelled:
        picture = pictures.assessment_picture(run, CURVES[title], rule, zeros=zeros)
        tab.image(picture, width="stretch", alt=f"{title} for each observation, one panel each")
    else:
        tab.caption("There are no labels, so there is nothing to show.")
