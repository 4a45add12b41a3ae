"""The reviews' database, SQLite in a file or PostgreSQL at an address: opened, brought to its newest form, and asked.

Whatever it cannot do is one error, in one line.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from filelock import FileLock
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import URL

_FIXED = "The first answers to this case have already been given, perhaps in another window, and cannot be changed."
MIGRATIONS = Path(__file__).parent / "migrations"
"""Alembic's folder."""

_BUSY_S = 20
# Alembic's context is one for the process
_one_migration = Lock()


class ReviewsError(RuntimeError):
    """The database cannot be used; the message says in one line what is wrong and what to do."""


class Database:
    """The reviews' database; made and brought to the newest form where it is not.

    Parameters
    ----------
    address
        As `Reviews` takes it.

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
                f"{address!r} is not a database address; use sqlite:///FILE or postgresql+psycopg://HOST/NAME"
            )
            raise ReviewsError(message) from error
        self.name = url.render_as_string(hide_password=True)
        with self._plainly():
            if url.get_backend_name() == "sqlite" and url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(
                url, pool_pre_ping=True, connect_args=_options(url.get_backend_name())
            )
            if url.get_backend_name() == "sqlite":
                event.listen(self.engine, "connect", _as_sqlite_is_safe)
            self._migrate(url)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session whose changes are kept all or not at all.

        Raises
        ------
        ReviewsError
            If the database cannot be used, or what may be given once was given before.
        """
        with self._plainly(), Session(self.engine) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _migrate(self, url: URL) -> None:
        """Bring the database to the newest form, of several servers that open it at once one after the other."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with _one_migration, _lock_beside(url), self.engine.begin() as connection:
            if url.get_backend_name() == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('shamsul migration'))"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            # Only what may be given once has a constraint
            raise ReviewsError(_FIXED) from error
        except (SQLAlchemyError, OSError, NoSuchModuleError, ImportError) as error:
            reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines() or ["?"]
            message = (
                f"The reviews' database {self.name} cannot be used ({reason[0]}). Nothing that was saved is lost; try "
                f"again when it is available."
            )
            raise ReviewsError(message) from error


def _lock_beside(url: URL) -> AbstractContextManager[object]:
    """Return a lock on a database in a file; SQLite's own comes too late, once its journal was set up."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return nullcontext()
    file = Path(str(url.database))
    return FileLock(file.with_name(f".{file.name}.lock"), timeout=_BUSY_S)


def _options(backend: str) -> dict[str, object]:
    return {"timeout": _BUSY_S} if backend == "sqlite" else {"connect_timeout": 5}


def _as_sqlite_is_safe(connection: object, _: object) -> None:
    """Let readers read while another writes, and wait for each other instead of failing."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
    cursor.close()
