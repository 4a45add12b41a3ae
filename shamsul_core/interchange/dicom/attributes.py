"""What the DICOM files of a case have in common: who made them, how they lie, and how long their texts may be."""

MANUFACTURER = "SHAMSUL"
FRONTAL = ("L", "F")
"""Patient orientation of a frontal radiograph: rows run to the patient's left, columns to the feet."""

SERIES_NUMBER = 9700
"""Of the radiograph, before those of the captures and the masks; far from those of an acquisition."""


def short(text: str) -> str:
    """Return what a long string holds of a text (VR LO, PS3.5 table 6.2-1): 64 characters, no backslash."""
    return text.replace("\\", "/").strip()[:64].strip()
