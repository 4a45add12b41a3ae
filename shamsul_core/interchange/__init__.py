"""Others' formats, both ways: CheXlocalize and DICOM."""
