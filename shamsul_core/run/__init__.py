"""The run on disk: everything the engine found out about a cohort with one model and one set of settings.

::

    <run>/
        manifest.json                     what was explained, with which model and settings; see `Manifest`
        heatmaps/<image_id>.safetensors   all that was found out about one radiograph; see `RadiographResult`
        predictions.parquet               image_id, then one column per observation (probability)
        scores.parquet                    one row per radiograph, pathology and method; see `SCORE_COLUMNS`
        yardsticks.parquet                baselines and ceilings of the scores; see `YARDSTICK_COLUMNS`
        proof.parquet                     what `shamsul proof` found; see `PROOF_COLUMNS`
        proof/                            the same, one file a test and radiograph, and small maps; see `run.proof`
        failures.parquet                  image_id, step, method, pathology, error

A radiograph's file appears whole or not at all and holds, besides its heatmaps, its predictions and what failed, so
that the tables can be made again from these files at any time. Only this module knows the files. Reading a run needs
neither torch nor Streamlit, and no pickle is ever written or read.
"""

from shamsul_core.run.manifest import SCHEMA, Manifest, RunError
from shamsul_core.run.result import RadiographResult
from shamsul_core.run.run import Run, find_runs
from shamsul_core.run.tables import FAILURE_COLUMNS, PROOF_COLUMNS, SCORE_COLUMNS, YARDSTICK_COLUMNS

__all__ = [
    "FAILURE_COLUMNS",
    "PROOF_COLUMNS",
    "SCHEMA",
    "SCORE_COLUMNS",
    "YARDSTICK_COLUMNS",
    "Manifest",
    "RadiographResult",
    "Run",
    "RunError",
    "find_runs",
]
