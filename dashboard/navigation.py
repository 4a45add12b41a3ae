"""The dashboard's pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlencode

import streamlit as st

from dashboard.sign_in import may_enter

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

_PAGES = Path(__file__).parents[1] / "pages"
COMPARE = _PAGES / "compare.py"
_ICON = Path(__file__).with_name("icon.svg")  # one of Streamlit's own would be fetched from another host
_STYLE = """
html:root { font-size: max(16px, 0.7vw); } /* a 4K screen is not read at half the size of others */
.stApp:not(:has([data-testid="stExpandSidebarButton"])) [data-testid="stSidebar"] { width: 16rem !important; min-width: 16rem !important; }
[data-testid="stSidebarContent"] { padding-inline: 0.6rem; }
.stMainBlockContainer { padding: 0.9rem 1.6rem 1rem; }
.stApp:has([data-testid="stExpandSidebarButton"]) .stMainBlockContainer { padding-left: 3rem; } /* beside its button */
.stMainBlockContainer h3 { padding: 0.2rem 0 0.9rem; font-size: 1.4rem; }
.stMainBlockContainer > .stVerticalBlock { gap: 0.5rem; }
[data-testid="stSidebarHeader"] { height: 2.2rem; padding-bottom: 0; }
[data-testid="stBaseButton-primary"] { color: #06141b; }
[data-testid="stHeader"] { height: 2rem; background: transparent; }
/* Plotly's charts are made in pixels; it measures letters as the page draws them */
[data-testid="stElementContainer"]:has([data-testid="stPlotlyChart"]), [data-testid="stFullScreenFrame"]:has([data-testid="stPlotlyChart"]),
[data-testid="stPlotlyChart"] { height: 30rem !important; flex: none !important; }
@media (min-width: 2300px) { .js-plotly-plot text, #js-plotly-tester text { font-size: 0.78rem !important; } }
[data-testid="stSidebar"] [data-testid="stButtonGroup"] button { padding-inline: 0.7rem; }
[data-testid="stTabs"] img { max-width: 72rem; }
.st-key-address, .st-key-go { display: none; }
[data-testid="stElementContainer"]:has(> [data-testid="stHtml"] > .unseen) { position: absolute; }
[data-testid="stMain"] h2 { font-size: 1.4rem; padding: 0.2rem 0; }
[data-testid="stHeading"] [data-testid="stMarkdownContainer"] { margin-bottom: 0; } /* what follows would lie over it */
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); }
"""
_DECLARED = "navigation declared"


def navigate() -> StreamlitPage:
    """Set the page up, declare all pages and return the one that the address names."""
    st.set_page_config(page_title="SHAMSUL", page_icon=_ICON, layout="wide")
    st.html(f"<style>{_STYLE}</style>")
    st.session_state[_DECLARED] = True
    page = st.navigation(
        [
            st.Page(COMPARE, title="Compare", icon=":material/compare:", url_path="", default=True),
            st.Page(_PAGES / "distributions.py", title="Distributions", icon=":material/candlestick_chart:"),
            st.Page(_PAGES / "selection.py", title="Selection", icon=":material/stars:"),
            st.Page(_PAGES / "upload.py", title="Upload", icon=":material/upload_file:"),
            st.Page(_PAGES / "review.py", title="Review", icon=":material/rate_review:"),
            st.Page(_PAGES / "overview.py", title="Overview", icon=":material/monitoring:"),
            st.Page(_PAGES / "proof.py", title="Proof", icon=":material/fact_check:"),
            st.Page(_PAGES / "methods.py", title="Methods", icon=":material/menu_book:"),
            st.Page(_go_to_compare, title="Compare", url_path="compare", visibility="hidden"),
        ],
        position="sidebar" if may_enter() else "hidden",
    )
    name_tab(page.title)
    # For readers who hear the page; those who see it have the menu, and the radiographs the room
    st.html(f'<h1 class="unseen">{page.title}</h1>')
    return page


def name_tab(*words: str) -> None:
    """Name the browser's tab: the page, and what it shows."""
    st.set_page_config(page_title=" · ".join(("SHAMSUL", *words)))


def _go_to_compare() -> NoReturn:
    """Answer /compare, which Streamlit does not know: the default page has no name in the address."""
    st.switch_page(COMPARE, query_params=st.query_params.to_dict())


def case_address(image_id: str, pathology: str) -> str:
    """Return the address of a radiograph and pathology in compare, relative to any page."""
    return "./?" + urlencode({"radiograph": image_id, "pathology": pathology})


def proof_address(image_id: str, pathology: str) -> str:
    """Return the address of a case's maps as the layers are randomised, relative to any page."""
    return "./proof?" + urlencode(
        {"part_of_proof": "case", "proof_case": image_id, "proof_pathology": pathology}
    )


def ensure_navigation() -> None:
    """Go through main.py first, where Streamlit has not.

    A fresh server whose first request is a page's own address finds the folder ``pages/`` and runs the page without
    main.py (Streamlit 1.67, ``_mpa_v1`` in ``script_runner.py``). Declaring the navigation ends that for the server.
    """
    if _DECLARED not in st.session_state:
        navigate()
        st.rerun()
