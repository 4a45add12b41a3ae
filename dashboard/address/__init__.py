"""The view lives in the browser's address: a link, Back, a reload and a second tab all open what the address names.

Each page reads its choices by `choice` and its kind, and then calls `write_address`. The rules:

- The address decides where the reader came by it: on the first run of a page (by a link, a click on another page, a
  restarted server), and after Back and Forward.
- On every other run the reader's choice decides. What such a run is told of the address may be older than the choice:
  the browser sends what it had when it asked.
- What is not the default is named. A choice outlasts a change of page, so that a page entered without an address of its
  own is as the reader left it.
- Another case is a step of the browser's history, to which Back returns. Filters and the like change the entry in place.
- A link within the dashboard (``./?...``) opens in the same tab and in the session, wherever it stands; see `go`.

Streamlit's own ``bind="query-params"`` is not used beside it: it names options by their texts, and a page that is entered
again with a bound value gets a step of the history of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.component import component

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

_PAGE, _KEPT, _TURN = "page whose address was read", "choices kept", "choices of this run"
_LONGEST = 200
"""Characters of a search that the address holds."""

_show_address = component("shamsul_address", "address", "address.js")


@dataclass
class _Turn:
    """What one run of a page has read so far.

    Parameters
    ----------
    is_entering
        Whether the address decides.
    is_written
        Whether the browser was told, or need not be.
    written
        What the address is to name; ``None`` takes a name out of it.
    steps
        The names whose change is a step of the history.
    """

    number: int
    is_entering: bool
    is_written: bool = False
    written: dict[str, str | None] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)


def begin() -> None:
    """Begin a run of a page; before any choice is read."""
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        # Until this address was read to the end, by this run or by one that overtakes it
        st.session_state.pop(_PAGE, None)
    former: _Turn | None = st.session_state.get(_TURN)
    number = 1 if former is None else former.number + 1
    st.session_state[_TURN] = _Turn(number, is_entering=st.session_state.get(_PAGE) != _page())


def choice(
    key: str,
    options: Sequence[str],
    otherwise: str,
    *,
    is_step: bool = False,
    is_always_named: bool = False,
    owner: str = "",
    among: str = "in this run",
) -> str:
    """Return one of `options`, and prepare the state of a widget of this key, if there is one.

    Where the address names nothing that is there, a sentence says so.

    Parameters
    ----------
    key
        The choice's name in the address.
    otherwise
        The default, which the address need not name.
    is_step
        Whether it is part of a case: always named, and a step of the history.
    is_always_named
        Whether the address names the default, too, since it may be another one tomorrow.
    owner
        Tells apart what several pages keep under one `key`; the state's name is then ``"<owner> <key>"``.
    among
        Where the options are, for the sentence.
    """

    def read(asked: str) -> str | None:
        if asked in options:
            return asked
        st.warning(f"The link asks for `{_plain(asked)}`, which is not {among}.")
        return None

    name = _named(key, owner)
    value = _decide(key, name, read, otherwise, lambda value: value in options)
    is_unnamed = value == otherwise and not (is_step or is_always_named)
    _note(key, value, is_default=is_unnamed, is_step=is_step)
    return value


def flag(key: str) -> bool:
    """Return whether something is switched on, which it is not by default."""
    value = _decide(key, key, lambda asked: {"true": True, "false": False}.get(asked), False, lambda _: True)  # noqa: FBT003
    _note(key, str(value).lower(), is_default=not value)
    return value


def text(key: str) -> str:
    """Return what the reader typed, empty by default."""
    value = _decide(key, key, lambda asked: asked[:_LONGEST], "", lambda _: True)
    _note(key, value, is_default=not value)
    return value


def interval(key: str, low: float, high: float) -> tuple[float, float]:
    """Return the ends of an interval, both within `low` and `high`; the whole by default."""
    value = _decide(
        key,
        key,
        lambda asked: read_interval(asked, low, high),
        (low, high),
        lambda value: low <= value[0] <= value[1] <= high,
    )
    _note(key, f"{value[0]:g}-{value[1]:g}", is_default=value == (low, high))
    return value


def read_interval(asked: str, low: float, high: float) -> tuple[float, float] | None:
    """Return the ends of an interval that an address names; ``None`` where it names none within these bounds.

    >>> read_interval("0.2-0.5", 0, 1), read_interval("0.5-0.2", 0, 1), read_interval("0-nan", 0, 1)
    ((0.2, 0.5), None, None)
    """
    try:
        first, last = map(float, asked.split("-"))
    except ValueError:
        return None
    return (first, last) if low <= first <= last <= high else None


def choose(owner: str = "", **choices: str) -> None:
    """Take what the reader chose elsewhere than in a widget of its own; for callbacks. It beats the address."""
    st.session_state[_PAGE] = _page()
    for key, value in choices.items():
        st.session_state[_named(key, owner)] = value


def forget(*keys: str) -> None:
    """Return choices to their defaults; for callbacks, and for any kind of value."""
    st.session_state[_PAGE] = _page()
    for key in keys:
        st.session_state.pop(key, None)
        st.session_state.get(_KEPT, {}).pop(key, None)


def is_entering() -> bool:
    """Return whether the reader came by the address in this run."""
    turn: _Turn = st.session_state[_TURN]
    return turn.is_entering


def write_address() -> None:
    """Bring what was read to the browser's address; after the page's choices, as early as they are known."""
    turn: _Turn = st.session_state[_TURN]
    turn.is_written = True
    with st.sidebar:
        _show_address(
            key="address",
            data={
                "number": turn.number,
                "page": _path(),
                "otherPages": [path for path in _paths() if path != _path()],
                "isEntering": turn.is_entering,
                "choices": turn.written,
                "steps": turn.steps,
            },
        )
    st.session_state[_PAGE] = _page()


def finish() -> None:
    """Bring to the address what a page read that did not do so itself."""
    turn: _Turn | None = st.session_state.get(_TURN)
    if turn is not None and not turn.is_written:
        write_address()


def keep_unread() -> None:
    """Leave what the address asks for to a later run, when the page can show it."""
    turn: _Turn = st.session_state[_TURN]
    turn.is_written = True


def stop() -> NoReturn:
    """End a page that has nothing more to show, as ``st.stop``, after which nothing could be brought to the address."""
    finish()
    st.stop()


def go(address: str) -> NoReturn:
    """Leave for an address of this dashboard, relative to the page's own, as a link to it would; a step of the history."""
    with st.sidebar:
        _show_address(key="go", data={"number": st.session_state[_TURN].number, "goTo": address})
    st.stop()


def _decide(
    key: str,
    name: str,
    read: Callable[[str], T | None],
    otherwise: T,
    is_valid: Callable[[T], bool],
) -> T:
    turn: _Turn = st.session_state[_TURN]
    kept = st.session_state.setdefault(_KEPT, {})
    value = None
    if turn.is_entering and (asked := st.query_params.get(key)) is not None:
        value = read(asked)
    else:
        value = st.session_state.get(name, kept.get(name))
    if value is None or not is_valid(value):
        value = otherwise
    # Streamlit forgets a widget's state with its page
    st.session_state[name] = kept[name] = value
    return value


def _note(key: str, value: str, *, is_default: bool, is_step: bool = False) -> None:
    turn: _Turn = st.session_state[_TURN]
    turn.written[key] = None if is_default else value
    if is_step:
        turn.steps.append(key)


def _page() -> str:
    context = get_script_run_ctx()
    return "" if context is None else context.page_script_hash


def _path() -> str:
    context = get_script_run_ctx()
    page = None if context is None else context.pages_manager.get_pages().get(context.page_script_hash)
    return "" if page is None else page.get("url_pathname", "")


def _paths() -> list[str]:
    context = get_script_run_ctx()
    pages = {} if context is None else context.pages_manager.get_pages()
    return [page.get("url_pathname", "") for page in pages.values()]


def _named(key: str, owner: str) -> str:
    return f"{owner} {key}".strip()


def _plain(text: str) -> str:
    """Return foreign text so that it cannot leave the backticks it stands in."""
    return text.replace("`", "").replace("\n", " ")[:80]
