"""A case's maps as the network forgets its layers, side by side."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.figures.colours import LINE, LINK, MUTED, TEXT
from shamsul_core.figures.scene.display import AS_AT_FIRST
from shamsul_core.localisation.baselines import BASELINES
from shamsul_core.proof.catalogue import STAGES
from shamsul_core.statistics.proof_words import unsigned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.heatmap import FloatArray
    from shamsul_core.run.proof import SmallMaps

_GREY = 40
"""Under the colours, so that no relevance is not as dark as the page."""

_SIDE_PX = 128

_STYLE = f"""<style>
.cascade {{ overflow-x: auto; }}
.cascade:focus-visible {{ outline: 2px solid {LINK}; }}
.cascade table {{ border-collapse: separate; border-spacing: 0.35rem; font-size: 0.85rem; margin-left: -0.35rem; }}
.cascade :is(th, td) {{ border: 0; padding: 0; font-weight: 400; text-align: left; vertical-align: top; color: {MUTED}; }}
.cascade thead th {{ vertical-align: bottom; max-width: 8rem; }}
.cascade tbody th {{ color: {TEXT}; padding-right: 0.6rem; position: sticky; left: 0; background: #000; }}
.cascade img {{ width: 7.2rem; height: 7.2rem; border: 1px solid {LINE}; display: block; }}
@media (max-width: 800px) {{ .cascade img {{ width: 4.6rem; height: 4.6rem; }} .cascade thead th {{ max-width: 4.6rem; }} }}
</style>"""


def cascade_strip(
    maps: SmallMaps, pathology: str, titles: Mapping[str, str], kept_of_case: Mapping[tuple[str, str], float]
) -> str:
    """Return the strips of a case as HTML, a row a method and a column a stage; every word of it is escaped.

    Parameters
    ----------
    maps
        The radiograph's, as `shamsul_core.run.proof.ProofOfRun.maps` reads them.
    titles
        Of the run's methods.
    kept_of_case
        By method and stage, the rank correlation with the map of the network itself.
    """
    every = {**titles, **BASELINES}
    stages = {"": "the model itself"} | {stage: f"{stage} randomised" for stage in STAGES}
    methods = [name for name in every if ("", name, pathology) in maps]
    head = "".join(f'<th scope="col">{escape(words)}</th>' for words in stages.values())
    rows = []
    for method in methods:
        cells = []
        for stage, words in stages.items():
            values = maps.get((stage, method, pathology))
            kept = kept_of_case.get((method, stage), float("nan"))
            told = "" if np.isnan(kept) else f"keeps {unsigned(kept)}"
            label = f"{every[method]}, {words}{', ' if told else ''}{told}"
            picture = "–" if values is None else f'<img src="{_picture(values)}" alt="{escape(label)}">'
            cells.append(f"<td>{picture}{escape(told)}</td>")
        rows.append(f'<tr><th scope="row">{escape(every[method])}</th>{"".join(cells)}</tr>')
    return (
        f'{_STYLE}<div class="cascade" role="region" tabindex="0" aria-label="Maps as the layers are randomised">'
        f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _picture(values: FloatArray) -> str:
    """Return a small map in the colours of relevance, enlarged, as a data address."""
    table = AS_AT_FIRST.colour_map.table.astype(np.float32)
    largest = float(np.abs(values).max())
    steps = np.rint(127 * values / largest).astype(int) + 127 if largest > 0 else np.full(values.shape, 127)
    colours = table[np.clip(steps, 0, 254)]
    opacity = colours[..., 3:] / 255
    over = opacity * colours[..., :3] + (1 - opacity) * _GREY
    enlarged = cv2.resize(over[..., ::-1], (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_NEAREST)
    _, content = cv2.imencode(".png", np.clip(np.rint(enlarged), 0, 255).astype(np.uint8))
    return f"data:image/png;base64,{b64encode(content.tobytes()).decode()}"
