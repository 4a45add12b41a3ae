"""Matplotlib's settings for files that are the same bytes whenever, wherever and beside whatever they are drawn.

They are made once, when this is imported: they belong to the whole process, in which several readers' figures are drawn at
the same time, so that none may change them for itself (``rc_context``).
"""

import matplotlib as mpl

mpl.rcParams.update(
    {
        "text.parse_math": False,  # a name with two dollar signs stays a name
        "font.family": "DejaVu Sans",  # comes with matplotlib
        "svg.fonttype": "path",
        "svg.hashsalt": "shamsul",  # the ids in an SVG file are hashes; without a salt they are random
        "pdf.fonttype": 42,
    }
)
