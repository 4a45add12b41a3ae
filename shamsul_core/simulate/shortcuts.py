"""A planted shortcut: a sign that goes with a label in the cohort and has nothing to do with the disease.

A network that trains on such a cohort may learn the sign instead of the finding, as in DeGrave, Janizek and Lee, *AI for
radiographic COVID-19 detection selects shortcuts over signal* (Nature Machine Intelligence 3:610, 2021), where
laterality markers and the corners of the picture told the hospitals apart. Here the sign and its share are known.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shamsul_core.messages import quoted
from shamsul_core.simulate.hierarchy import DEVICES
from shamsul_core.simulate.signs import SIGNS
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, canonical_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

INDEPENDENT = 0.5
"""The share at which a sign says nothing of the label."""


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """A sign that goes with a pathology's label.

    Parameters
    ----------
    sign
        One of `SIGNS`.
    pathology
        One of the ten that are localised, so that the finding has a contour, too.
    share
        0.5..1: of the radiographs that are labelled positive so many have the sign, and of the negative so many do not.
        At `INDEPENDENT` half of both have it.

    Raises
    ------
    ValueError
        If one of them is not allowed; the message is one line and says what is.
    """

    sign: str
    pathology: str
    share: float

    def __post_init__(self) -> None:
        if self.sign not in SIGNS:
            raise ValueError(_refusal(f"there is no sign {quoted(self.sign)}"))
        if self.pathology not in LOCALISED_PATHOLOGIES:
            raise ValueError(_refusal(f"{quoted(self.pathology)} is no pathology that can be localised"))
        if not INDEPENDENT <= self.share <= 1:
            raise ValueError(_refusal(f"the share {self.share:g} is not between 0.5 and 1"))
        if self.is_device and self.pathology == DEVICES:
            message = f"a {self.sign} is itself one of the {DEVICES}, no shortcut to them; give another sign or pathology"
            raise ValueError(message)

    @classmethod
    def parse(cls, text: str) -> Shortcut:
        """Return what ``SIGN:PATHOLOGY:SHARE`` says.

        Raises
        ------
        ValueError
            If it says something else, or what it names is not allowed.

        Examples
        --------
        >>> Shortcut.parse("corner tag:Airspace Opacity:0.9")
        Shortcut(sign='corner tag', pathology='Lung Opacity', share=0.9)
        """
        parts = [part.strip() for part in text.split(":")]
        if len(parts) != 3:
            raise ValueError(_refusal(f"{quoted(text)} has {len(parts)} parts"))
        sign, pathology, share = parts
        try:
            number = float(share)
        except ValueError:
            raise ValueError(_refusal(f"{quoted(share)} is not a number")) from None
        return cls(sign=sign.lower(), pathology=canonical_name(pathology), share=number)

    @property
    def is_device(self) -> bool:
        """Whether the sign is a support device, which is then labelled and outlined as what it is."""
        return SIGNS[self.sign].make is not None

    def is_drawn(self, label: float, random: np.random.Generator) -> bool:
        """Return whether a radiograph with a label of the pathology has the sign.

        Parameters
        ----------
        label
            1 positive, 0 negative, -1 uncertain; of the uncertain half have it, whatever the share.
        """
        share = {1.0: self.share, 0.0: 1 - self.share}.get(label, INDEPENDENT)
        return bool(random.random() < share)

    def labels(self, labels: Mapping[str, float], *, has_sign: bool) -> dict[str, float]:
        """Return the labels with the sign: a device makes `DEVICES` positive, for it is one; nothing else changes."""
        return dict(labels) | ({DEVICES: 1.0} if has_sign and self.is_device else {})

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def _refusal(what: str) -> str:
    pathologies = ", ".join(LOCALISED_PATHOLOGIES)
    return (
        f"--shortcut: {what}; give SIGN:PATHOLOGY:SHARE, the sign one of {', '.join(SIGNS)}, the pathology one of "
        f"{pathologies}, the share from 0.5 (independent) to 1 (always together)"
    )
