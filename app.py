"""The server's entry: ``streamlit run app.py -- --run DIR``; `main.py` is what each visit runs."""

import streamlit as st
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware

from dashboard.gate import SignedInOnly, tell_openness

app = st.App("main.py", middleware=[Middleware(SignedInOnly)])
tell_openness()
MultiPartParser.spool_max_size = (
    0  # uploads stay in memory; Starlette would write what is larger than 1 MB to the disk
)
