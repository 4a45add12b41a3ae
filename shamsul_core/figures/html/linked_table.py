"""A table of figures as HTML that scrolls by itself, in which some figures lead to their cases."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from shamsul_core.figures.colours import FAINT, LINE, LINK, MUTED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_STYLE = f"""<style>
.linked {{ max-height: 26rem; overflow: auto; font-size: 0.85rem; font-variant-numeric: tabular-nums; }}
.linked:focus-visible {{ outline: 2px solid {LINK}; }}
.linked table {{ border-collapse: collapse; width: 100%; }}
.linked :is(th, td) {{ border: 0; padding: 0.22rem 0.8rem; font-weight: 400; text-align: right; white-space: nowrap; }}
.linked :is(th, td).text {{ text-align: left; }}
.linked thead th {{ position: sticky; top: 0; background: #000; color: {MUTED}; box-shadow: inset 0 -1px {LINE}; }}
.linked thead th[title] {{ cursor: help; text-decoration: underline dotted {FAINT}; text-underline-offset: 0.25em; }}
.linked tbody tr {{ border-top: 1px solid #1c2023; }}
.linked tbody tr:hover {{ background: #0f1214; }}
.linked a {{ color: {LINK}; text-underline-offset: 0.2em; }}
.linked a:focus-visible {{ outline: 2px solid {LINK}; outline-offset: 2px; }}
</style>"""


def linked_table(
    table: pd.DataFrame,
    label: str,
    *,
    links: Collection[str] = (),
    digits: Mapping[str, int] | None = None,
    meanings: Mapping[str, str] | None = None,
) -> str:
    """Return a table as HTML; every word of it is escaped.

    Parameters
    ----------
    label
        What it is, for a reader who does not see it.
    links
        Columns that hold an address, ``#`` and the text to show.
    digits
        Decimals of a column's numbers, 2 by default.
    meanings
        Of columns, shown when pointed at.

    Examples
    --------
    >>> rows = pd.DataFrame({"n": [3], "Best": ["./?radiograph=a#0.41"]})
    >>> print(linked_table(rows, "Scores", links=["Best"]).split("<tbody>")[1].split("</tbody>")[0])
    <tr><td>3</td><td><a href="./?radiograph=a">0.41</a></td></tr>
    """
    digits, meanings = digits or {}, meanings or {}
    names = [str(name) for name in table.columns]
    is_text = {name: name not in links and table[name].dtype.kind not in "iuf" for name in names}
    head = "".join(
        f"<th scope='col'{_class(is_text[name])}{_title(meanings.get(name))}>{escape(name)}</th>"
        for name in names
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(is_text[name])}>{_link(value) if name in links else _text(value, digits.get(name, 2))}</td>"
            for name, value in zip(names, row, strict=True)
        )
        + "</tr>"
        for row in table.itertuples(index=False)
    )
    return (
        f'{_STYLE}<div class="linked" role="region" tabindex="0" aria-label="{escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _link(value: object) -> str:
    if not isinstance(value, str):
        return "–"
    address, _, text = value.rpartition("#")
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def _text(value: Any, digits: int) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.{digits}f}" if isinstance(value, float) else escape(str(value))


def _class(is_text: bool) -> str:  # noqa: FBT001
    return ' class="text"' if is_text else ""


def _title(meaning: str | None) -> str:
    return f' title="{escape(meaning)}"' if meaning else ""
