"""The case list: which radiographs of a run a reader goes through, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from shamsul_core.cohort.patients import CHEXPERT_ID
from shamsul_core.run.novelty_words import LINE
from shamsul_core.statistics.prediction.decisions import Thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.cohort import Radiograph

Label: TypeAlias = Literal["positive", "negative", "uncertain", "blank"]
_LABELS: dict[Label, float] = {"positive": 1.0, "negative": 0.0, "uncertain": -1.0, "blank": float("nan")}

_YES_OR_NO = ("is_predicted", "is_correct", "is_annotated", "is_explained")
_ANY_IOU = (0.0, 1.0)

BY_ID = "image_id"
BY_PROBABILITY = "probability"
BY_IOU = "iou"


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """Which radiographs the case list holds; what is ``None`` does not matter.

    A radiograph is in the list where one of its pathologies meets all of them.

    Parameters
    ----------
    search
        Part of the radiograph's id, in any case.
    pathology
        Only this one; any otherwise. By itself it leaves no radiograph out and says what the list
        is about.
    label, is_predicted, is_correct, is_annotated, is_explained
        As in `case_table`.
    view
        ``"frontal"`` or ``"lateral"``.
    is_unlike
        Whether it is unlike what the model was trained on, see `shamsul_core.run.novelty_words`.
    method
        Whose IoU is meant by `iou` and by sorting; the best method's otherwise.
    iou
        From and to. The whole range, 0 to 1, lets in what has no IoU too.
    """

    search: str = ""
    pathology: str | None = None
    label: Label | None = None
    is_predicted: bool | None = None
    is_correct: bool | None = None
    is_annotated: bool | None = None
    is_explained: bool | None = None
    view: str | None = None
    is_unlike: bool | None = None
    method: str | None = None
    iou: tuple[float, float] = _ANY_IOU

    @property
    def count(self) -> int:
        """Number of criteria that narrow the list, besides the search."""
        return self._of_pathologies + (self.view is not None) + (self.is_unlike is not None)

    @property
    def _of_pathologies(self) -> int:
        """Number of criteria that a finding must meet, besides being of the pathology."""
        asked = [self.label, *(getattr(self, column) for column in _YES_OR_NO)]
        return sum(value is not None for value in asked) + (self.iou != _ANY_IOU)

    @property
    def is_of_pathologies(self) -> bool:
        """Whether the list is about pathologies rather than radiographs."""
        return self.pathology is not None or self._of_pathologies > 0


_FINDING_COLUMNS = (
    *("image_id", "pathology", "view", "is_unlike", "label"),
    *("probability", *_YES_OR_NO),
)

_LISTED = ("pathology", "label", "probability", "iou", "method")


def case_table(
    image_ids: Sequence[str],
    pathologies: Sequence[str],
    radiographs: Mapping[str, Radiograph],
    predictions: pd.DataFrame,
    scores: pd.DataFrame,
    thresholds: Thresholds | None = None,
    novelty: pd.Series | None = None,
) -> pd.DataFrame:
    """Return one row for each radiograph and pathology.

    Parameters
    ----------
    image_ids
        The radiographs to list, of those in `radiographs`.
    predictions, scores
        The run's tables; what they do not hold yet is NaN.
    thresholds
        From which probability on each pathology counts as predicted; the fixed one by default.
    novelty
        By radiograph, see `shamsul_core.run.Run.novelty`.

    Returns
    -------
    pandas.DataFrame
        image_id, pathology, view; is_unlike (the training, missing where that is not known); label (1, 0, -1 uncertain, NaN blank); probability; is_predicted (at its threshold);
        is_correct (prediction against label, missing where either is unknown or uncertain); is_annotated (experts drew
        a contour); is_explained (at least one method has a heatmap or mask); then a column of IoU for each method
        scored.
    """
    thresholds = thresholds or Thresholds()
    index = pd.MultiIndex.from_product([image_ids, pathologies], names=["image_id", "pathology"])
    table = pd.DataFrame(index=index)
    listed = [radiographs[image_id] for image_id in image_ids]
    table["view"] = np.repeat([radiograph.view for radiograph in listed], len(pathologies))
    unlike = pd.Series(pd.NA, index=list(image_ids), dtype="boolean")
    if novelty is not None:
        unlike = (novelty > LINE).astype("boolean").reindex(list(image_ids))
    table["is_unlike"] = unlike.repeat(len(pathologies)).to_numpy()
    table["is_unlike"] = table["is_unlike"].astype("boolean")
    labels = [[radiograph.labels.get(name) for name in pathologies] for radiograph in listed]
    table["label"] = np.array(labels, float).ravel()
    probabilities = predictions.set_index("image_id").reindex(
        index=list(image_ids), columns=list(pathologies)
    )
    table["probability"] = probabilities.to_numpy(float, na_value=np.nan).ravel()
    own = np.tile([thresholds.of(name) for name in pathologies], len(image_ids))
    table["is_predicted"] = (table["probability"] >= own).astype("boolean")
    table.loc[table["probability"].isna(), "is_predicted"] = pd.NA
    table["is_correct"] = table["is_predicted"] == (table["label"] == 1)
    table.loc[~table["label"].isin([0, 1]), "is_correct"] = pd.NA
    by_finding = scores.groupby(["image_id", "pathology"], sort=False)[
        ["expert_area_px", "mask_area_px"]
    ].max()
    areas = by_finding.reindex(index)
    table["is_annotated"] = areas["expert_area_px"].gt(0)
    table["is_explained"] = areas["mask_area_px"].notna()
    # Not `pivot_table`, which drops a method without any IoU
    ious = scores.pivot(index=["image_id", "pathology"], columns="method", values="iou")  # noqa: PD010
    return table.join(ious).reset_index()


def list_cases(
    table: pd.DataFrame, criteria: Criteria, *, sort: str = BY_ID, is_descending: bool = False
) -> pd.DataFrame:
    """Return the radiographs that meet the criteria, each once, in order.

    Parameters
    ----------
    table
        What `case_table` returned.
    sort
        `BY_ID`, `BY_PROBABILITY` or `BY_IOU`; what has no value stands last, ties by id.

    Returns
    -------
    pandas.DataFrame
        image_id; then of the finding that comes first of those meeting the criteria: pathology, label, probability,
        iou and method (whose IoU it is; of equal ones the first). Where the list is about radiographs, sorted by id and
        with no criterion on pathologies, these are missing.
    """
    methods = [name for name in table.columns if name not in _FINDING_COLUMNS]
    chosen = [criteria.method] if criteria.method in methods else methods
    table = table.assign(**_best_of(table[chosen]))
    met = table[_meets(table, criteria)]
    order = {BY_ID: [BY_ID], BY_PROBABILITY: [BY_PROBABILITY, BY_ID], BY_IOU: [BY_IOU, BY_ID]}[sort]
    ascending = [not is_descending, *([True] * (len(order) - 1))]
    met = met.sort_values(order, ascending=ascending, na_position="last", kind="stable")
    listed = met.drop_duplicates("image_id")[["image_id", *_LISTED]]
    if sort == BY_ID and not criteria.is_of_pathologies:
        listed = listed.assign(pathology=None, label=np.nan, probability=np.nan, iou=np.nan, method=None)
    return listed.reset_index(drop=True)


def explained_pathology(table: pd.DataFrame, image_id: str, wanted: str | None = None) -> str | None:
    """Return which pathology to show on a radiograph: the one wanted where it is explained there, else its own first.

    That is the first that the experts marked, else the most probable; ``None`` where none is explained.

    Parameters
    ----------
    table
        What `case_table` returned.
    """
    here = table[(table["image_id"] == image_id) & table["is_explained"]]
    if here.empty:
        return None
    if wanted is not None and (here["pathology"] == wanted).any():
        return wanted
    marked = here[here["is_annotated"]]
    told = marked if len(marked) else here.sort_values("probability", ascending=False, kind="stable")
    return str(told["pathology"].iloc[0])


def count_explained(table: pd.DataFrame, pathology: str | None = None) -> tuple[int, int]:
    """Return on how many radiographs this pathology, or any, is explained, and how many radiographs there are.

    Parameters
    ----------
    table
        What `case_table` returned, or some of its rows.
    """
    explained = table[table["is_explained"]]
    if pathology is not None:
        explained = explained[explained["pathology"] == pathology]
    return int(explained["image_id"].nunique()), int(table["image_id"].nunique())


def _best_of(ious: pd.DataFrame) -> dict[str, Any]:
    """Return the highest IoU of each row and the column that it stands in, both missing where there is none."""
    values = ious.to_numpy(np.float64, na_value=np.nan)
    if not values.size:
        return {"iou": np.nan, "method": None}
    filled = np.where(np.isnan(values), -np.inf, values)
    best, highest = filled.argmax(axis=1), filled.max(axis=1)
    is_known = np.isfinite(highest)
    names = np.array(ious.columns, object)
    return {"iou": np.where(is_known, highest, np.nan), "method": np.where(is_known, names[best], None)}


def _meets(table: pd.DataFrame, criteria: Criteria) -> pd.Series[bool]:
    meets = pd.Series(data=True, index=table.index)
    if criteria.search.strip():
        wanted = criteria.search.strip()
        meets &= table["image_id"].str.contains(wanted, case=False, regex=False)
    for column in ("pathology", "view"):
        if (value := getattr(criteria, column)) is not None:
            meets &= table[column] == value
    if criteria.label is not None:
        label = _LABELS[criteria.label]
        meets &= table["label"].isna() if np.isnan(label) else table["label"] == label
    for column in ("is_unlike", *_YES_OR_NO):
        if (value := getattr(criteria, column)) is not None:
            meets &= (table[column] == value).fillna(value=False).astype(bool)
    if criteria.iou != _ANY_IOU:
        meets &= table["iou"].between(*criteria.iou)
    return meets


def short_name(image_id: str) -> str:
    """Return a radiograph's id as short as it stays unmistakable.

    >>> short_name("patient64541_study1_view2_lateral")
    'patient64541 s1 v2 lateral'
    >>> short_name("chest-7")
    'chest-7'
    """
    match = CHEXPERT_ID.fullmatch(image_id)
    if match is None:
        return image_id
    patient, study, view, side = match.groups()
    return f"{patient} s{study} v{view}" + (" lateral" if side == "lateral" else "")


def next_case(listed: pd.DataFrame, image_id: str) -> tuple[str, str | None] | None:
    """Return the radiograph after this one in a case list, around its end, and the pathology that it names, if any.

    The first where the list does not hold this one; ``None`` where it is empty.

    >>> listed = pd.DataFrame({"image_id": ["a", "b"], "pathology": ["Edema", None]})
    >>> next_case(listed, "a"), next_case(listed, "b")
    (('b', None), ('a', 'Edema'))
    """
    if listed.empty:
        return None
    image_ids = listed["image_id"].tolist()
    at = (image_ids.index(image_id) + 1) % len(image_ids) if image_id in image_ids else 0
    pathology = listed["pathology"].iloc[at]
    return image_ids[at], pathology if isinstance(pathology, str) else None
