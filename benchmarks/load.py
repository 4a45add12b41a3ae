"""Many readers at once: ``python -m benchmarks.load [READERS] [SECONDS]``, 20 and 180 without them; the demonstration.

Each reader is a session of its own in Streamlit's websocket protocol, without a browser, and does what a reader does on
the page *review*: gives a name, says how far they trust a prediction, rates the four maps, comments, goes to the next case,
and so on, with a pause of 1 to 5 seconds before each. Measured is the time from an input until the server has sent all that the page then shows. At
the end every answer must be in the database, in its order; exits with 1 where one is missing or a page showed an error.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter

import numpy as np
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from shamsul_core.reviews import QUESTIONS, Reviews, run_key
from shamsul_core.run import Run
from tests.serving import ROOT, served

DEMONSTRATION = ROOT / "assets" / "demo" / "run"
TRUST = [f"{value} · {words}" for value, words in QUESTIONS["trust_before"].scale.items()]


class Session:
    """A page as a browser holds it: its widgets, what they are set to, and the errors shown."""

    def __init__(self, socket: ClientConnection, page: str) -> None:
        self._socket, self._page = socket, page
        self._set: dict[str, WidgetState] = {}
        self.widgets: list[tuple[str, str, str]] = []  # kind, label and id, in the page's order
        self.place = 0  # of the case shown
        self.errors: list[str] = []

    async def send(self, *states: WidgetState) -> float:
        """Send the widgets' states, these changed, and return the seconds until the page is whole again."""
        message = BackMsg()
        message.rerun_script.page_name = self._page
        self._set |= {state.id: state for state in states}
        message.rerun_script.widget_states.widgets.extend(self._set.values())
        started = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        self.widgets = []
        while True:
            answer = ForwardMsg.FromString(await asyncio.wait_for(self._socket.recv(decode=False), 60))
            kind = answer.WhichOneof("type")
            if kind == "delta":
                self._note(answer.delta.new_element)
            elif kind == "script_finished" and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                break
        shown = {widget for _, _, widget in self.widgets}
        self._set = {
            name: state
            for name, state in self._set.items()
            if name in shown and state.WhichOneof("value") not in {"trigger_value", "json_trigger_value"}
        }
        return time.perf_counter() - started

    def find(self, kind: str, label: str) -> list[str]:
        """Return the ids of the widgets of this kind whose label holds this one."""
        return [widget for one, said, widget in self.widgets if one == kind and label in said]

    def _note(self, element: object) -> None:
        kind = element.WhichOneof("type")  # type: ignore[attr-defined]
        content = getattr(element, kind) if kind else None
        if kind == "exception" or (kind == "alert" and content.format == content.ERROR):
            self.errors.append(content.message if kind == "exception" else content.body)
        elif kind == "bidi_component":
            name = content.component_name.rsplit(".", 1)[-1]
            self.widgets.append((kind, name, content.id))
            if name == "shamsul_cases":
                self.place = json.loads(content.json or content.mixed.json)["place"]
        elif hasattr(content, "id") and hasattr(content, "label"):
            self.widgets.append((kind, content.label, content.id))


class Reader:
    """One reader's inputs, as they were given."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.given: list[tuple[str, str]] = []  # question and value
        self.seconds: dict[str, list[float]] = {"first page": [], "next case": [], "answer": []}
        self.errors: list[str] = []

    async def read(self, address: str, until: float) -> None:
        """Read and answer until then; what goes wrong ends it and is kept."""
        chance = random.Random(self.name)  # noqa: S311 - draws answers and pauses, no secrets
        stream = address.replace("http", "ws", 1) + "/_stcore/stream"
        try:
            async with connect(stream, origin=address, subprotocols=["streamlit"], max_size=None) as socket:
                session = Session(socket, "review")
                try:
                    await self._read(session, chance, until)
                finally:
                    self.errors += session.errors
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
            self.errors.append(f"{type(error).__name__}: {error}")

    async def _read(self, session: Session, chance: random.Random, until: float) -> None:
        await asyncio.sleep(chance.uniform(0, 5))
        self.seconds["first page"].append(await session.send())
        (asked,) = session.find("text_input", "Your name")
        self.seconds["next case"].append(await session.send(WidgetState(id=asked, string_value=self.name)))
        while True:
            for question in ("trust_before", *("significance",) * 4, "comment"):
                await asyncio.sleep(chance.uniform(1, 5))
                if time.monotonic() > until:
                    return
                await self._answer(session, chance, question)
            await asyncio.sleep(chance.uniform(1, 5))
            (steps,) = session.find("bidi_component", "shamsul_cases")
            ahead = json.dumps([{"event": "place", "value": session.place + 1}])
            state = WidgetState(id=_make_trigger_id(steps, "events"), json_trigger_value=ahead)
            self.seconds["next case"].append(await session.send(state))

    async def _answer(self, session: Session, chance: random.Random, question: str) -> None:
        number = chance.randrange(5)
        value = f"{self.name} {len(self.given)}" if question == "comment" else str(number + 1)
        kind = {"trust_before": "radio", "significance": "button_group", "comment": "text_area"}[question]
        asked = session.find(kind, QUESTIONS[question].text)
        widget = asked[sum(one == question for one, _ in self.given) % len(asked)]
        state = WidgetState(id=widget)
        if kind == "button_group":
            state.string_array_value.data.append(value)
        else:
            state.string_value = value if kind == "text_area" else TRUST[number]
        seconds = await session.send(state)
        if question == "trust_before":
            (button,) = session.find("button", "Save and show the heatmaps")
            seconds = await session.send(WidgetState(id=button, trigger_value=True))
        self.given.append((question, value))
        self.seconds["answer"].append(seconds)


async def read_all(address: str, count: int, seconds: float) -> list[Reader]:
    """Let so many readers read for so long."""
    readers = [Reader(f"reader {number}") for number in range(count)]
    until = time.monotonic() + seconds
    await asyncio.gather(*(reader.read(address, until) for reader in readers))
    return readers


def missing(readers: list[Reader], reviews: Reviews, key: str) -> list[str]:
    """Return a line for each reader whose answers are not in the database, each and in their order."""
    wrong = []
    for reader in readers:
        kept = reviews.history(key, reader.name)
        stored = list(zip(kept["question"], kept["value"], strict=True))
        if stored != reader.given:
            wrong.append(f"{reader.name}: gave {len(reader.given)} answers, {len(stored)} are stored")
    return wrong


def main(readers: str = "20", seconds: str = "180") -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        stored = os.environ.setdefault("SHAMSUL_REVIEWS", f"sqlite:///{folder}/reviews.sqlite")
        with served(None) as server:
            done = asyncio.run(read_all(server.address, int(readers), float(seconds)))
        reviews = Reviews(stored)
        lost = missing(done, reviews, run_key(Run.open(DEMONSTRATION).manifest))
        reviews.close()
    kinds = {kind: [one for reader in done for one in reader.seconds[kind]] for kind in done[0].seconds}
    kinds["all of these"] = [*itertools.chain(*kinds.values())]
    for what, taken in kinds.items():
        times = np.array(taken)
        median, high, longest = np.percentile(times, [50, 95, 100]) if len(times) else [np.nan] * 3
        print(
            f"{what}: {len(times)}, median {median:.2f} s, 95th percentile {high:.2f} s, longest {longest:.2f} s"
        )
    errors = Counter(error for reader in done for error in reader.errors)
    answers = sum(len(reader.given) for reader in done)
    print(
        f"{readers} readers, {seconds} s: {answers} answers, {len(lost)} readers miss some, {errors.total()} errors"
    )
    print("\n".join([*lost, *(f"{count} × {error}" for error, count in errors.most_common(10))]))
    return int(bool(lost or errors))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
