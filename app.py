"""The server's entry: ``streamlit run app.py -- --run DIR``; `main.py` is what each visit runs."""

import streamlit as st
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware

from dashboard.gate import OwnHostOnly, OwnNamesOnly, SignedInOnly, ask_no_other_host, tell_openness
from dashboard.limits import NotTooMany
from dashboard.reruns import lose_nothing
from dashboard.signed_out import SignedOutNowhere
from dashboard.unforeseen import take_over, tell_reader
from shamsul_core.memory import leave_no_dump, overwrite_freed_memory

app = st.App(
    "main.py",
    middleware=[
        Middleware(OwnHostOnly),
        Middleware(OwnNamesOnly),
        Middleware(SignedOutNowhere),
        Middleware(SignedInOnly),
        Middleware(NotTooMany),
    ],
    on_script_error=tell_reader,
)
take_over()
lose_nothing()
ask_no_other_host()
tell_openness()
overwrite_freed_memory()
leave_no_dump()
MultiPartParser.spool_max_size = (
    0  # uploads stay in memory; Starlette would write what is larger than 1 MB to the disk
)
