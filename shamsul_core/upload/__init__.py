"""A reader's own radiograph: taken in, explained by a worker process, and held in memory like a run of one."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Where processes of ours are started: wherever the server was, they find this package."""
