"""Heatmaps and masks of others, in CheXlocalize's formats, as a run."""

from shamsul_core.interchange.importing.heatmap_folder import import_folder
from shamsul_core.interchange.importing.segmentation_file import import_segmentations

__all__ = ["import_folder", "import_segmentations"]
