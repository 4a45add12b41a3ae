"""CheXlocalize's own files besides the cohort's: pickled heatmaps, and CSV files of thresholds."""

from shamsul_core.interchange.chexlocalize.maps import (
    CHEXLOCALIZE_ORDER,
    ImportedMap,
    parse_map_name,
    read_map,
)
from shamsul_core.interchange.chexlocalize.tables import (
    read_probability_cutoffs,
    read_thresholds,
    read_thresholds_of_methods,
    write_probability_cutoffs,
    write_thresholds,
)
from shamsul_core.interchange.tensor_pickle import MapError, UnsafePickleError

__all__ = [
    "CHEXLOCALIZE_ORDER",
    "ImportedMap",
    "MapError",
    "UnsafePickleError",
    "parse_map_name",
    "read_map",
    "read_probability_cutoffs",
    "read_thresholds",
    "read_thresholds_of_methods",
    "write_probability_cutoffs",
    "write_thresholds",
]
