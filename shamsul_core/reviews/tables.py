"""The tables of the reviews' database; `migrations` makes them."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - SQLAlchemy reads the annotations

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_FIRST = text("step = 1")


class Base(DeclarativeBase):
    """What all tables have in common."""


class Answer(Base):
    """One answer of one reader, never changed; what is ``None`` is older than its column."""

    __tablename__ = "answer"
    __table_args__ = (
        Index("answer_of_reader", "run", "reader", "image_id", "pathology"),
        # what is said before the maps are seen is said once, from however many windows
        Index(
            "first_answer_once",
            *("run", "reader", "image_id", "pathology", "method", "question"),
            unique=True,
            sqlite_where=_FIRST,
            postgresql_where=_FIRST,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(String(64))
    reader: Mapped[str] = mapped_column(String(200))
    image_id: Mapped[str] = mapped_column(String(200))
    pathology: Mapped[str] = mapped_column(String(64))
    method: Mapped[str] = mapped_column(String(64))
    question: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(Text)
    answered: Mapped[datetime]
    step: Mapped[int | None]
    is_blinded: Mapped[bool | None]
    map_order: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(String(200))
    version: Mapped[str | None] = mapped_column(String(64))


class Showing(Base):
    """Something that happened to one step of a case on a reader's screen, never changed."""

    __tablename__ = "showing"
    __table_args__ = (Index("showing_of_run", "run", "reader"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(String(64))
    reader: Mapped[str] = mapped_column(String(200))
    image_id: Mapped[str] = mapped_column(String(200))
    pathology: Mapped[str] = mapped_column(String(64))
    step: Mapped[int]
    showing: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(16))
    happened: Mapped[datetime]


class Worklist(Base):
    """The cases that a reader is asked to judge, never changed; a later one takes its place."""

    __tablename__ = "worklist"
    __table_args__ = (Index("worklist_of_reader", "run", "reader"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(String(64))
    reader: Mapped[str] = mapped_column(String(200))
    # JSON: [[image_id, pathology], ...], so that a list is there or not
    cases: Mapped[str] = mapped_column(Text)
    assigned_by: Mapped[str] = mapped_column(String(200))
    assigned: Mapped[datetime]


class EndedSignIn(Base):
    """A sign-in that its reader ended, by what is remembered of its cookie."""

    __tablename__ = "ended_sign_in"

    mark: Mapped[str] = mapped_column(String(64), primary_key=True)
    ended: Mapped[datetime]
