"""Foreign text: what a run or a cohort that somebody else made says of itself is shown as it stands and is never markup.

Every kind of markup is escaped here and nowhere else, but for HTML, for which there is `html.escape`, and for matplotlib,
whose mathematics are off (`shamsul_core.figures.print.settings`). How long such a text may be is decided where it is read
(`shamsul_core.run.bounds`).
"""

from __future__ import annotations

import re
from html import escape

_MARKDOWN = re.compile(r"[\\`*_\[\]<>$~&#|!]|:(?=\w)|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
"""Markdown's signs, Streamlit's own (``:red[...]``, ``:smile:``, ``$x$``), and what begins a list at a line's beginning."""


def as_markdown(text: object) -> str:
    r"""Return a text so that Markdown shows it as it stands, on one line.

    >>> print(as_markdown("![](http://elsewhere/a.png) 50 % at *p* < 0.05"))
    \!\[\](http://elsewhere/a.png) 50 % at \*p\* \< 0.05
    >>> as_markdown("1. one\n\n# two")
    '1\\. one \\# two'
    """
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(str(text).split()))


def as_plotly(text: object) -> str:
    """Return a text so that Plotly, which reads some HTML and ``%{...}``, shows it as it stands.

    >>> as_plotly('<a href="http://elsewhere">%{x}</a>')
    '&lt;a href="http://elsewhere"&gt;%&#123;x}&lt;/a&gt;'
    """
    return escape(str(text), quote=False).replace("{", "&#123;")
