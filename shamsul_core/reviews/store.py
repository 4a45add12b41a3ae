"""Readers' answers in a database.

Answers are only ever added. What a reader thinks now is the latest answer to each question; the ones before it are the
audit trail, and two who write at once lose nothing. What a reader says before seeing the maps is given once and stays.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import delete, func, select

from shamsul_core.reviews.case import Case, Circumstances
from shamsul_core.reviews.database import Database
from shamsul_core.reviews.questions import ALONE, CASE, QUESTIONS
from shamsul_core.reviews.tables import Answer, EndedSignIn, Showing, Worklist
from shamsul_core.version import software_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shamsul_core.reviews.questions import Step


_ASKED = ("reader", "image_id", "pathology", "method", "question")
COLUMNS = (*_ASKED, "value", "answered", "step", "is_blinded", "map_order", "run", "model", "version")
"""Of `Reviews.answers` and `Reviews.history`, see docs/reviews.md; ``answered`` is a UTC time, method `CASE` where it is
about the case, and the last six are empty where an answer is older than what they say."""

SHOWING_COLUMNS = ("reader", "image_id", "pathology", "step", "showing", "event", "happened")
"""Of `Reviews.showings`; ``happened`` is a UTC time."""

EVENTS = ("opened", "answered", "left", "hidden")
"""What happens to a step on a reader's screen: it opens; its first answers are given; the reader goes to another case;
the browser no longer shows the page."""

_LONGEST_SIGN_IN = timedelta(days=31)
"""A cookie is good for 30 days and a day of grace; after that nothing need be remembered of it."""


class Reviews:
    """The answers that readers gave on runs.

    Parameters
    ----------
    address
        ``sqlite:///FILE`` or ``postgresql+psycopg://USER:PASSWORD@HOST/NAME``, as SQLAlchemy has it. Made and brought to
        the newest form where it is not.

    Raises
    ------
    ReviewsError
        If there is no such database, or it cannot be reached or written.
    """

    def __init__(self, address: str) -> None:
        self._database = Database(address)

    def answer(
        self,
        run: str,
        reader: str,
        case: Case,
        question: str,
        value: str,
        circumstances: Circumstances,
        *,
        method: str = CASE,
    ) -> None:
        """Add an answer to a question that is asked with the maps in sight.

        Parameters
        ----------
        run
            Fingerprint of the run, see `run_key`.
        value
            As `Question.accepts` has it, of the methods shown where one is asked for; the empty one takes the answer back.

        Raises
        ------
        ValueError
            If there is no such question or it does not take this value.
        ReviewsError
            If it could not be stored.
        """
        asked = QUESTIONS.get(question)
        if (
            asked is None
            or asked.step == ALONE
            or not asked.accepts(value, circumstances.order)
            or method not in (circumstances.order if asked.is_per_method else (CASE,))
        ):
            message = f"no such answer: {question!r} {value!r} of method {method!r}"
            raise ValueError(message)
        with self._database.session() as session:
            session.add(_row(run, reader, case, question, value, circumstances, method))

    def answer_first(
        self, run: str, reader: str, case: Case, values: Mapping[str, str], circumstances: Circumstances
    ) -> None:
        """Store what a reader says before seeing the maps, all of it at once and once for all.

        Parameters
        ----------
        values
            An answer to each question of that step, by the question's name.

        Raises
        ------
        ValueError
            If one is missing, is empty, or no answer to its question.
        ReviewsError
            If it could not be stored, or was given before.
        """
        asked = [question.name for question in QUESTIONS.values() if question.step == ALONE]
        if set(values) != set(asked) or not all(
            value and QUESTIONS[name].accepts(value, ()) for name, value in values.items()
        ):
            message = f"no such first answers: {dict(values)!r}"
            raise ValueError(message)
        with self._database.session() as session:
            session.add_all(
                _row(run, reader, case, name, values[name], circumstances, CASE) for name in asked
            )

    def note(self, run: str, reader: str, case: Case, step: Step, showing: str, event: str) -> None:
        """Note what happened to a step on a reader's screen.

        Parameters
        ----------
        showing
            The same from its opening to its end, and no other's.
        event
            One of `EVENTS`.
        """
        if event not in EVENTS:
            message = f"no such event: {event!r}"
            raise ValueError(message)
        seen = {"run": run, "reader": reader, "image_id": case.image_id, "pathology": case.pathology}
        with self._database.session() as session:
            session.add(Showing(**seen, step=step, showing=showing, event=event, happened=_now()))

    def showings(self, run: str) -> pd.DataFrame:
        """Return what happened to the steps on readers' screens, in order: `SHOWING_COLUMNS`."""
        asked = select(*(getattr(Showing, name) for name in SHOWING_COLUMNS)).where(Showing.run == run)
        with self._database.session() as session:
            rows = session.execute(asked.order_by(Showing.id)).all()
        return pd.DataFrame([tuple(row) for row in rows], columns=list(SHOWING_COLUMNS))

    def history(self, run: str, reader: str | None = None) -> pd.DataFrame:
        """Return every answer of a run, or of one reader, in the order given: `COLUMNS`."""
        asked = select(*(getattr(Answer, name) for name in COLUMNS)).where(Answer.run == run)
        if reader is not None:
            asked = asked.where(Answer.reader == reader)
        with self._database.session() as session:
            rows = session.execute(asked.order_by(Answer.id)).all()
        history = pd.DataFrame([tuple(row) for row in rows], columns=list(COLUMNS))
        return history.astype({"step": "Int64", "is_blinded": "boolean"})

    def answers(self, run: str, reader: str | None = None) -> pd.DataFrame:
        """Return what readers think now: the latest answer to each question that was not taken back; `COLUMNS`."""
        latest = self.history(run, reader).drop_duplicates(list(_ASKED), keep="last")
        return latest[latest["value"] != ""].reset_index(drop=True)

    def of_case(self, run: str, reader: str, case: Case) -> Mapping[tuple[str, str], str]:
        """Return a reader's present answers on a case, by method and question."""
        asked = (
            select(Answer.method, Answer.question, Answer.value)
            .where(Answer.run == run, Answer.reader == reader)
            .where(Answer.image_id == case.image_id, Answer.pathology == case.pathology)
            .order_by(Answer.id)
        )
        with self._database.session() as session:
            answers = {(method, question): value for method, question, value in session.execute(asked)}
        return {key: value for key, value in answers.items() if value}

    def assign(self, run: str, readers: Sequence[str], cases: Sequence[Case], *, by: str = "") -> None:
        """Ask readers to judge these cases, in this order, in place of those asked before; answers stay.

        Parameters
        ----------
        cases
            Each counts once; none takes the request back.
        by
            Who asks.
        """
        listed = json.dumps([[case.image_id, case.pathology] for case in dict.fromkeys(cases)])
        now = _now()
        with self._database.session() as session:
            for reader in readers:
                session.add(Worklist(run=run, reader=reader, cases=listed, assigned_by=by, assigned=now))

    def assigned(self, run: str, reader: str) -> list[Case]:
        """Return what a reader is asked to judge, in order; empty where nothing was assigned."""
        latest = self.worklists(run, reader)
        return list(latest["cases"].iloc[-1]) if len(latest) else []

    def worklists(self, run: str, reader: str | None = None) -> pd.DataFrame:
        """Return every worklist of a run, or of one reader, in the order given.

        Returns
        -------
        pandas.DataFrame
            reader, cases (a tuple of `Case`), assigned_by, assigned (a UTC time).
        """
        asked = select(Worklist.reader, Worklist.cases, Worklist.assigned_by, Worklist.assigned)
        asked = asked.where(Worklist.run == run)
        if reader is not None:
            asked = asked.where(Worklist.reader == reader)
        with self._database.session() as session:
            worklists = [
                (name, tuple(Case(*case) for case in json.loads(cases)), *about)
                for name, cases, *about in session.execute(asked.order_by(Worklist.id))
            ]
        return pd.DataFrame(worklists, columns=["reader", "cases", "assigned_by", "assigned"])

    def readers(self, run: str) -> list[str]:
        """Return who answered or was assigned something, by name."""
        with self._database.session() as session:
            readers = {
                name
                for table in (Answer, Worklist)
                for name in session.scalars(select(table.reader).where(table.run == run).distinct())
            }
        return sorted(readers)

    def count(self, run: str) -> int:
        """Return how many answers were ever given on a run."""
        with self._database.session() as session:
            return session.scalar(select(func.count()).where(Answer.run == run)) or 0

    def end_sign_ins(self, marks: Iterable[str]) -> None:
        """Remember sign-ins that were ended, each by 64 letters, and forget those whose cookies have expired."""
        now = _now()
        with self._database.session() as session:
            session.execute(delete(EndedSignIn).where(EndedSignIn.ended < now - _LONGEST_SIGN_IN))
            for mark in marks:
                session.merge(EndedSignIn(mark=mark, ended=now))

    def ended_sign_ins(self) -> frozenset[str]:
        """Return what is remembered of the sign-ins that were ended."""
        with self._database.session() as session:
            return frozenset(session.scalars(select(EndedSignIn.mark)))

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


def _row(
    run: str, reader: str, case: Case, question: str, value: str, circumstances: Circumstances, method: str
) -> Answer:
    return Answer(
        run=run,
        reader=reader,
        image_id=case.image_id,
        pathology=case.pathology,
        method=method,
        question=question,
        value=value,
        answered=_now(),
        step=QUESTIONS[question].step,
        is_blinded=circumstances.is_blinded,
        map_order=" > ".join(circumstances.order),
        model=circumstances.model,
        version=software_version(),
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
