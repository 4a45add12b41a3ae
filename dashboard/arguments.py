"""What the server was started with: ``streamlit run app.py -- [--run RUN ...] [--lead]``, as `serve` does it."""

from __future__ import annotations

import argparse
import sys


def arguments() -> argparse.Namespace:
    """Return the server's arguments: run (folders, or ``None``) and lead."""
    parser = argparse.ArgumentParser(prog="streamlit run app.py --", description="SHAMSUL's dashboard")
    parser.add_argument(
        "--run",
        nargs="+",
        action="extend",
        metavar="RUN",
        help="run folders to show, s3://bucket/folder, or a folder that contains runs",
    )
    parser.add_argument(
        "--lead",
        action="store_true",
        help="without sign-in: show everybody's answers and allow cases to be assigned on this server",
    )
    return parser.parse_known_args(sys.argv[1:])[0]
