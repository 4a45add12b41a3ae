"""The colours of everything that is drawn, by what they mean; `dashboard/viewer` has those that it shares by the same names.

Pages are for a dark room, files for paper. What carries meaning is told apart in all common colour blindness, and never
by colour alone.
"""

BLACK, WHITE = "#000000", "#ffffff"

TEXT, MUTED, LINE = "#d7dce0", "#a3adb5", "#2a2f34"
"""Words; words that matter less; grids and borders. On black."""

FAINT, SURFACE = "#59636c", "#14171a"
"""Chance lines and what is merely there; what lies over the page."""

ACCENT, SECOND, AREA = "#4fb3d9", "#f2b134", "#2a6f8c"
"""What is measured; what stands out from it; large areas, which must not dazzle. On black."""

LINK = "#6cc4e8"
WARNING, WARNING_SURFACE = "#ffd166", "#1d1808"

INK, FAINT_INK = "#1a1a1a", "#a8adb2"
"""On paper: words; grids and chance lines."""

ACCENT_INK, SECOND_INK, AREA_INK = "#0072b2", "#d55e00", "#8cc5e8"
"""On paper: what is measured; what stands out from it; large areas."""

EXPERT, MASK = "#3df5a6", "#fff3c4"
"""The experts' contour, a continuous line, and the method's mask, a dashed one, over a radiograph."""

CHANGED = "#ff9de2"
"""Where a finding changes a simulated radiograph, dotted over it; what location alone gives, dashed over a chart."""

EXPERT_INK, MASK_INK = "#00a86b", "#8a7f45"
"""The same in a legend on paper."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255.

    >>> rgb(EXPERT)
    (61, 245, 166)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
