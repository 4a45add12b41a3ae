"""Who reads: signed in with an OpenID Connect provider where the secrets file has ``[auth]``; without it nobody is asked.

``[roles]`` names who leads a study and, if wanted, who reads; without sign-in whoever uses a server started with
``--lead`` leads, and nobody elsewhere.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.errors import StreamlitAuthError

from dashboard.arguments import arguments
from shamsul_core.run.wording import RESEARCH_ONLY

if TYPE_CHECKING:
    from collections.abc import Mapping

OPEN = "Sign-in is off and this server can be reached by others: anyone who reaches it sees everything and can answer under any name."
_SECRET_LENGTH = 32
_NAME_STYLE = "font-size:0.875rem;overflow-wrap:anywhere"


class SignInError(RuntimeError):
    """The secrets file does not say who may enter; nobody does, and the message says in one line what to do."""


@lru_cache(maxsize=1)
def settings() -> dict[str, Any]:
    """Return what the secrets file says, read once and not to be changed; empty where there is none.

    Raises
    ------
    SignInError
        If it is there but cannot be read, names roles without ``[auth]``, or signs cookies with what is no secret: none may
        pass for no sign-in.
    """
    try:
        told: dict[str, Any] = st.secrets.to_dict()
    except OSError as error:
        if not any(Path(path).exists() for path in st.get_option("secrets.files")):
            return {}
        message = f"The secrets file cannot be read, so nobody can sign in. {error}"
        raise SignInError(message) from error
    if "roles" in told and "auth" not in told:
        message = (
            "The secrets file has [roles] but no [auth], so nobody can sign in; add [auth] or remove [roles]."
        )
        raise SignInError(message)
    secret = told.get("auth", {}).get("cookie_secret")
    if secret is not None and not _is_secret(str(secret)):
        message = (
            f"cookie_secret in the secrets file is shorter than {_SECRET_LENGTH} characters or a placeholder, so that "
            f"anyone could sign in as anybody; nobody can sign in until it is made with: "
            f'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
        raise SignInError(message)
    return told


def _is_secret(text: str) -> bool:
    """Return whether a text can be what `secrets.token_urlsafe` makes, not ``xxx...`` or ``replace me``."""
    return len(text) >= _SECRET_LENGTH and len(set(text)) >= _SECRET_LENGTH // 3


def is_on() -> bool:
    """Return whether readers must sign in."""
    return "auth" in settings()


def identity(claims: Mapping[str, Any]) -> str | None:
    """Return under which name a provider's claims are known here; ``None`` where nobody signed in or may enter.

    It is the e-mail, unless the provider says that it did not verify it, and ``sub`` otherwise (OpenID Connect Core 1.0,
    5.1). Where ``roles.readers`` is given, only those it names and the leads may enter.
    """
    if claims.get("is_logged_in") is not True:
        return None
    is_verified = str(claims.get("email_verified", True)).lower() == "true"  # some providers send words
    name = _without_case(str((is_verified and claims.get("email")) or claims.get("sub") or ""))
    readers = _named("readers")
    return name if name and (not readers or name in known_readers()) else None


def reader() -> str | None:
    """Return who is signed in; ``None`` where nobody is or nobody is asked."""
    return identity(st.user.to_dict()) if is_on() else None


def may_enter() -> bool:
    """Return whether this session may see anything."""
    try:
        return not is_on() or reader() is not None
    except SignInError:
        return False


def is_lead() -> bool:
    """Return whether this session's reader leads: sees everybody's answers and assigns cases.

    Without sign-in nobody is known, and so nobody does but on a server that was started with ``--lead``.
    """
    return reader() in _named("leads") if is_on() else arguments().lead


def is_open() -> bool:
    """Return whether the server listens to others than this machine's users, see ``server.address``."""
    address = st.get_option("server.address") or ""
    try:
        return not (address == "localhost" or address.startswith("unix:") or ip_address(address).is_loopback)
    except ValueError:
        return True  # a name, or none, which means every address


def require_sign_in() -> None:
    """Stop the page, which then shows nothing but how to sign in, unless the reader did or nobody is asked."""
    try:
        is_on()
    except SignInError as error:
        st.error(str(error))
        st.stop()
    if may_enter():
        return
    st.title("SHAMSUL")
    st.markdown(RESEARCH_ONLY)
    if st.user.get("is_logged_in"):
        st.text("You are signed in, but you do not have access to this dashboard. Ask the study lead.")
        st.button("Sign out", on_click=st.logout)
    elif st.button("Sign in"):
        try:
            st.login()
        except StreamlitAuthError as error:
            st.error(f"Nobody can sign in: {' '.join(str(error).split())}")
    st.stop()


def show_reader() -> None:
    """Say at the side who is signed in, and let them sign out."""
    name = reader()
    if name is not None:
        with st.sidebar.container(gap=None):
            st.html(f'<div style="{_NAME_STYLE}">Signed in as {escape(name)}</div>')
            st.button("Sign out", on_click=st.logout, type="tertiary")


def known_readers() -> set[str]:
    """Return whom the secrets file names."""
    return _named("readers") | _named("leads")


def known_as(name: str) -> str:
    """Return a name as answers are stored under it."""
    return _without_case(name) if is_on() else name.strip()


def _named(role: str) -> set[str]:
    names = settings().get("roles", {}).get(role, [])
    return {_without_case(str(name)) for name in ([names] if isinstance(names, str) else names)}


def _without_case(name: str) -> str:
    """Return an e-mail as it is compared; a provider's ``sub`` differs by case."""
    name = name.strip()
    return name.casefold() if "@" in name else name
