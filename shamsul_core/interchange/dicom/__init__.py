"""A case as DICOM, so that a PACS viewer shows it beside the patient's other images."""

from shamsul_core.interchange.dicom.case import case_as_dicom

__all__ = ["case_as_dicom"]
