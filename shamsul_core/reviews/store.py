"""Readers' answers in a database: SQLite in a file, or PostgreSQL at an address.

Answers are only ever added. What a reader thinks now is the latest answer to each question; the ones before it are the
audit trail, and two who write at once lose nothing.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import pandas as pd
from alembic import command
from alembic.config import Config
from sqlalchemy import Index, String, Text, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from shamsul_core.reviews.questions import CASE, QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shamsul_core.run import Manifest


COLUMNS = ("reader", "image_id", "pathology", "method", "question", "value", "answered")
"""Of `Reviews.answers` and `Reviews.history`; ``answered`` is a UTC time, method `CASE` where it is about the case."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_S = 20
_one_migration = Lock()  # Alembic's context is one for the process


class ReviewsError(RuntimeError):
    """The database cannot be used; the message says in one line what is wrong and what to do."""


@dataclass(frozen=True)
class Case:
    """What a reader judges: a pathology on a radiograph."""

    image_id: str
    pathology: str


def run_key(manifest: Manifest) -> str:
    """Return what answers on a run are stored under: the same wherever the run lies, another for other heatmaps."""
    about = (
        manifest.model["fingerprint"],
        manifest.cohort["fingerprint"],
        manifest.preset,
        dict(manifest.methods),
    )
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:32]


class Base(DeclarativeBase):
    """The tables; `migrations` makes them."""


class Answer(Base):
    """One answer of one reader, never changed."""

    __tablename__ = "answer"
    __table_args__ = (Index("answer_of_reader", "run", "reader", "image_id", "pathology"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(String(64))
    reader: Mapped[str] = mapped_column(String(200))
    image_id: Mapped[str] = mapped_column(String(200))
    pathology: Mapped[str] = mapped_column(String(64))
    method: Mapped[str] = mapped_column(String(64))
    question: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(Text)
    answered: Mapped[datetime]


class Worklist(Base):
    """The cases that a reader is asked to judge, never changed; a later one takes its place."""

    __tablename__ = "worklist"
    __table_args__ = (Index("worklist_of_reader", "run", "reader"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(String(64))
    reader: Mapped[str] = mapped_column(String(200))
    cases: Mapped[str] = mapped_column(
        Text
    )  # JSON: [[image_id, pathology], ...], so that a list is there or not
    assigned_by: Mapped[str] = mapped_column(String(200))
    assigned: Mapped[datetime]


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
        try:
            url = make_url(address)
        except ArgumentError as error:
            message = (
                f"{address!r} is no database's address; give sqlite:///FILE or postgresql+psycopg://HOST/NAME"
            )
            raise ReviewsError(message) from error
        self.name = url.render_as_string(hide_password=True)
        with self._plainly():
            if url.get_backend_name() == "sqlite" and url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(
                url, pool_pre_ping=True, connect_args=_options(url.get_backend_name())
            )
            if url.get_backend_name() == "sqlite":
                event.listen(self._engine, "connect", _as_sqlite_is_safe)
            self._migrate()

    def answer(
        self,
        run: str,
        reader: str,
        case: Case,
        question: str,
        value: str,
        *,
        method: str = CASE,
        methods: Sequence[str] = (),
    ) -> None:
        """Add an answer.

        Parameters
        ----------
        run
            Fingerprint of the run, see `run_key`.
        value
            As `Question.accepts` has it; the empty one takes the answer back.
        methods
            Of the run, where the question asks for one.

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
            or not asked.accepts(value, tuple(methods))
            or asked.is_per_method != (method != CASE)
        ):
            message = f"no such answer: {question!r} {value!r} of method {method!r}"
            raise ValueError(message)
        about = {"run": run, "reader": reader, "image_id": case.image_id, "pathology": case.pathology}
        row = Answer(**about, method=method, question=question, value=value, answered=_now())
        with self._session() as session:
            session.add(row)

    def history(self, run: str, reader: str | None = None) -> pd.DataFrame:
        """Return every answer of a run, or of one reader, in the order given: `COLUMNS`."""
        asked = select(*(getattr(Answer, name) for name in COLUMNS)).where(Answer.run == run)
        if reader is not None:
            asked = asked.where(Answer.reader == reader)
        with self._session() as session:
            rows = session.execute(asked.order_by(Answer.id)).all()
        return pd.DataFrame([tuple(row) for row in rows], columns=list(COLUMNS))

    def answers(self, run: str, reader: str | None = None) -> pd.DataFrame:
        """Return what readers think now: the latest answer to each question that was not taken back; `COLUMNS`."""
        latest = self.history(run, reader).drop_duplicates(list(COLUMNS[:5]), keep="last")
        return latest[latest["value"] != ""].reset_index(drop=True)

    def of_case(self, run: str, reader: str, case: Case) -> Mapping[tuple[str, str], str]:
        """Return a reader's present answers on a case, by method and question."""
        asked = (
            select(Answer.method, Answer.question, Answer.value)
            .where(Answer.run == run, Answer.reader == reader)
            .where(Answer.image_id == case.image_id, Answer.pathology == case.pathology)
            .order_by(Answer.id)
        )
        with self._session() as session:
            found = {(method, question): value for method, question, value in session.execute(asked)}
        return {key: value for key, value in found.items() if value}

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
        with self._session() as session:
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
        with self._session() as session:
            found = [
                (name, tuple(Case(*case) for case in json.loads(cases)), *about)
                for name, cases, *about in session.execute(asked.order_by(Worklist.id))
            ]
        return pd.DataFrame(found, columns=["reader", "cases", "assigned_by", "assigned"])

    def readers(self, run: str) -> list[str]:
        """Return who answered or was assigned something, by name."""
        with self._session() as session:
            found = {
                name
                for table in (Answer, Worklist)
                for name in session.scalars(select(table.reader).where(table.run == run).distinct())
            }
        return sorted(found)

    def count(self, run: str) -> int:
        """Return how many answers were ever given on a run."""
        with self._session() as session:
            return session.scalar(select(func.count()).where(Answer.run == run)) or 0

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with _one_migration, self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._plainly(), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, NoSuchModuleError, ImportError) as error:
            reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines() or ["?"]
            message = (
                f"The reviews' database {self.name} cannot be used ({reason[0]}). Nothing that was saved is lost; try "
                f"again when it is back."
            )
            raise ReviewsError(message) from error


def _options(backend: str) -> dict[str, object]:
    return {"timeout": _BUSY_S} if backend == "sqlite" else {"connect_timeout": 5}


def _as_sqlite_is_safe(connection: object, _: object) -> None:
    """Let readers read while another writes, and wait for each other instead of failing."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
    cursor.close()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
