"""What the bounded process says of a file that it does not read."""

from __future__ import annotations

from typing import NoReturn


class RefusedError(ValueError):
    """A file that is not read; the message is the end of the sentence "this file: it ..."."""


class MaskError(ValueError):
    """A mask or a contour that cannot be used; the message says why."""


DAMAGED = "it is damaged or incomplete; copy it again from its source"
NOT_AN_IMAGE = "it is not a DICOM, PNG, JPEG or TIFF file"


def refuse(reason: str) -> NoReturn:
    """Raise a `RefusedError`.

    Parameters
    ----------
    reason
        The end of the sentence "this file: it ...", such as ``"it is missing"``.
    """
    raise RefusedError(reason)
