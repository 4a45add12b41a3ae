"""How does it work, with which settings, and what must nobody conclude from it?"""

import streamlit as st

from dashboard import reading as tables
from dashboard.guard import enter
from dashboard.notes import show_banner
from dashboard.texts import text
from shamsul_core.cohort.truth_words import BOX, MIXED, words_of_cohort
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.legend import colour_bar
from shamsul_core.run.wording import is_adaptive, origin_in_words, settings_in_words, threshold_in_words
from shamsul_core.statistics.proof_words import says_of

run, cohort = enter()
show_banner(run)
methods = run.manifest.methods
truth = words_of_cohort(cohort)

proved = {one.method: says_of(one) for one in tables.proof_if_readable(run)}

reading, warning = st.columns(2, gap="large")
with warning:
    st.markdown(text("conclusions"))
with reading:
    st.markdown(text("reading").replace("{mark}", truth.marked_as))
    st.html(colour_bar())

for name, method in methods.items():
    with st.container(border=True):
        st.markdown(f"## {as_markdown(method['title'])}")
        works, settings = st.columns([3, 2], gap="large")
        works.markdown(text(name) + "\n\n**Known limits**\n\n" + text(f"{name}-limits"))
        if method["settings"]:
            settings.markdown(
                "**In this run**\n"
                + "".join(f"\n- {as_markdown(setting)}" for setting in settings_in_words(method["settings"]))
            )
        if told := proved.get(name):
            settings.markdown(
                "**What the tests say of it in this run**\n"
                + "".join(f"\n- {as_markdown(said)}" for said in told)
            )

scoring, sampling = st.columns(2, gap="large")
with scoring:
    if truth is not BOX:
        st.markdown(text("scores"))
    if truth in {BOX, MIXED}:
        st.markdown(text("scores-boxes"))
    st.caption(f"In this run: {as_markdown(threshold_in_words(run.segmentation))}")
with sampling:
    if any(is_adaptive(methods[name]["settings"]) for name in ("lime", "shap") if name in methods):
        st.markdown(text("sampling"))
st.caption(as_markdown(origin_in_words(run.manifest)))
