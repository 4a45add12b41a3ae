"""Which radiographs were taken how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.cohort.radiograph import Radiograph

ViewFilter: TypeAlias = Literal["all views", "frontal", "AP", "PA", "lateral"]


def ids_of_view(radiographs: Mapping[str, Radiograph], which: ViewFilter) -> set[str]:
    """Return the ids of the radiographs of a view; one whose view is not known is only among all."""
    return {
        image_id
        for image_id, radiograph in radiographs.items()
        if which in ("all views", radiograph.view, radiograph.projection)
    }
