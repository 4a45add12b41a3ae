"""What a run is about and what failed in it, in words and plain HTML tables."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from shamsul_core.figures.colours import LINE
from shamsul_core.messages import EXAMPLES, kind_of
from shamsul_core.run.wording import cohort_in_words, preprocessing_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from shamsul_core.run import Manifest

_STYLE = f"""<style>
.facts {{ border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }}
.facts :is(th, td) {{ border: 0; padding: 0.2rem 1.2rem 0.2rem 0; font-weight: 400; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }}
.facts :is(thead th, th[scope=row]) {{ opacity: 0.75; white-space: nowrap; }}
.facts tbody tr {{ border-top: 1px solid {LINE}; }}
</style>"""


def model_facts(manifest: Manifest) -> dict[str, str]:
    """Return what there is to know of a run's model, cohort and making."""
    model, cohort = manifest.model, manifest.cohort
    return {
        "Model": str(model["source"]),
        "Trained": "yes" if model["is_trained"] else "no; its predictions and heatmaps mean nothing",
        "Model fingerprint": str(model["fingerprint"]),
        "Preprocessing": preprocessing_in_words(model.get("preprocessing")),
        "Precision": _in_words(model.get("precision")),
        "Cohort": f"{cohort_in_words(cohort)}, {_in_words(cohort.get('radiographs'))} radiographs",
        "Simulated": str(cohort.get("simulated") or "not marked as simulated"),
        "Cohort fingerprint": str(cohort["fingerprint"]),
        "Pathologies explained": ", ".join(manifest.pathologies),
        "Explained on": manifest.created,
    }


def setting_facts(manifest: Manifest) -> dict[str, str]:
    """Return the preset, the settings of each method, and the versions of the libraries."""
    methods = {str(method["title"]): _in_words(method["settings"]) for method in manifest.methods.values()}
    software = ", ".join(dict.fromkeys(str(part["software"]) for part in manifest.made_with.values()))
    made_by = {"SHAMSUL": software} if software else {}
    return {"Preset": manifest.preset} | methods | made_by | dict(manifest.versions)


def facts_table(facts: Mapping[str, str], label: str) -> str:
    """Return HTML: a row a fact."""
    rows = (
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(fact)}</td></tr>' for name, fact in facts.items()
    )
    return f'{_STYLE}<table class="facts" aria-label="{escape(label)}"><tbody>{"".join(rows)}</tbody></table>'


def failure_table(failures: pd.DataFrame, label: str, *, most: int) -> str:
    """Return HTML: a row a failure with its reason, of many that are alike three, and `most` rows in all.

    Parameters
    ----------
    failures
        As `Run.failures` is.
    """
    columns = {"image_id": "Radiograph", "step": "Step", "method": "Method", "pathology": "Pathology"}
    if failures.empty:
        return ""
    kinds = [failures["step"], failures["method"], failures["error"].astype("string").fillna("").map(kind_of)]
    alike = failures.groupby(kinds, sort=False, dropna=False)["error"]
    counted = failures[[*columns, "error"]].astype("string").fillna("").assign(alike=alike.transform("size"))
    listed = counted[(counted["alike"] <= EXAMPLES + 1) | (alike.cumcount() < EXAMPLES)].head(most)
    rows = "".join(_cells("td", row) for row in listed.itertuples(index=False))
    head = _cells("th", [*columns.values(), "Reason", "Failures like this"])
    return (
        f'{_STYLE}<table class="facts" aria-label="{escape(label)}"><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table>"
    ) + (f"<p>and {len(failures) - len(listed)} more</p>" if len(failures) > len(listed) else "")


def line_list(lines: Sequence[str], label: str) -> str:
    """Return HTML: a line each, nothing where there are none."""
    rows = "".join(_cells("td", [line]) for line in lines)
    table = f'{_STYLE}<table class="facts" aria-label="{escape(label)}"><tbody>{rows}</tbody></table>'
    return table if lines else ""


def left_out(dropped: Mapping[str, str]) -> str:
    """Return which observations are outside the weighted average, in words; empty where none is.

    >>> left_out({"Fracture": "no positive", "Pleural Other": "no positive"})
    'Fracture, Pleural Other (no positive)'
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in dropped.items():
        by_reason.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())


def _cells(tag: str, values: Iterable[Any]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(str(value))}</{tag}>' for value in values)}</tr>"


def _in_words(settings: Mapping[str, Any] | Sequence[Any] | None) -> str:
    if settings is None:
        return "unknown"
    if isinstance(settings, dict):
        return ", ".join(f"{name} {_in_words(value)}" for name, value in settings.items()) or "none"
    if isinstance(settings, list | tuple):
        return " ".join(str(value) for value in settings)
    return str(settings)
