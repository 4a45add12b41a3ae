"""Readers' answers: kept one and all, the latest counts, and a database that is gone is one sentence."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, text

from shamsul_core.reviews import QUESTIONS, Case, Circumstances, Reviews, ReviewsError, run_key, store
from shamsul_core.reviews.database import MIGRATIONS
from shamsul_core.reviews.tables import Base
from shamsul_core.version import software_version

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CASE = Case("patient1_study1_view1_frontal", "Edema")
OTHER = Case("patient2_study1_view1_frontal", "Cardiomegaly")
ALONE = Circumstances(model="the model")
MAPS = Circumstances(model="the model", order=("lrp", "lime"), is_blinded=True)


@pytest.fixture
def reviews(database):
    opened = Reviews(database)
    yield opened
    opened.close()


@pytest.fixture
def in_a_file(tmp_path):
    opened = Reviews(f"sqlite:///{tmp_path}/new/folder/reviews.sqlite")
    yield opened
    opened.close()


def test_the_latest_answer_counts_and_all_are_kept(reviews):
    for value in ("2", "5", "4"):
        reviews.answer("run", "Ada", CASE, "significance", value, MAPS, method="lrp")
    reviews.answer("run", "Ada", CASE, "comment", "above the <b>diaphragm</b> $x$", MAPS)
    reviews.answer("run", "Bo", CASE, "significance", "1", MAPS, method="lrp")
    reviews.answer("other run", "Ada", CASE, "significance", "1", MAPS, method="lrp")
    assert reviews.of_case("run", "Ada", CASE) == {
        ("lrp", "significance"): "4",
        ("", "comment"): "above the <b>diaphragm</b> $x$",
    }
    assert reviews.answers("run")["value"].tolist() == ["4", "above the <b>diaphragm</b> $x$", "1"]
    history = reviews.history("run", "Ada")
    assert history["value"].tolist() == ["2", "5", "4", "above the <b>diaphragm</b> $x$"]
    assert history["answered"].is_monotonic_increasing
    assert reviews.readers("run") == ["Ada", "Bo"]


def test_an_answer_can_be_taken_back(reviews):
    reviews.answer("run", "Ada", CASE, "best", "lime", MAPS)
    reviews.answer("run", "Ada", CASE, "best", "", MAPS)
    assert reviews.of_case("run", "Ada", CASE) == {}
    assert reviews.answers("run").empty
    assert len(reviews.history("run")) == 2


def test_an_answer_says_how_it_came_about(reviews):
    reviews.answer_first("run", "Ada", CASE, {"trust_before": "2"}, ALONE)
    reviews.answer("run", "Ada", CASE, "significance", "4", MAPS, method="lrp")
    named = Circumstances(model="the model", order=("lime", "lrp"), is_blinded=False)
    reviews.answer("run", "Ada", CASE, "best", "lrp", named)
    columns = ["step", "is_blinded", "map_order", "run", "model", "version"]
    rest = ["run", "the model", software_version()]
    first, second, third = reviews.answers("run")[columns].astype(object).to_numpy().tolist()
    assert first[0] == 1
    assert pd.isna(first[1])
    assert first[2:] == ["", *rest]
    assert second == [2, True, "lrp > lime", *rest]
    assert third == [2, False, "lime > lrp", *rest]


def test_first_answers_are_given_once_and_stay(reviews):
    reviews.answer_first("run", "Ada", CASE, {"trust_before": "2"}, ALONE)
    with pytest.raises(ReviewsError, match="first answers to this case have already been given"):
        reviews.answer_first("run", "Ada", CASE, {"trust_before": "5"}, ALONE)
    for given in ({}, {"trust_before": ""}, {"trust_before": "6"}, {"trust_after": "3"}):
        with pytest.raises(ValueError, match="no such first answers"):
            reviews.answer_first("run", "Bo", CASE, given, ALONE)
    reviews.answer_first("run", "Bo", CASE, {"trust_before": "5"}, ALONE)
    reviews.answer_first("run", "Ada", OTHER, {"trust_before": "1"}, ALONE)
    assert reviews.history("run")["value"].tolist() == ["2", "5", "1"]
    assert reviews.of_case("run", "Ada", CASE) == {("", "trust_before"): "2"}


def test_of_many_windows_one_gives_the_first_answers(database):
    Reviews(database).close()

    def give(value):
        mine = Reviews(database)
        try:
            mine.answer_first("run", "Ada", CASE, {"trust_before": value}, ALONE)
        except ReviewsError:
            return None
        finally:
            mine.close()
        return value

    with ThreadPoolExecutor(8) as pool:
        taken = [value for value in pool.map(give, "12345123") if value]
    opened = Reviews(database)
    assert opened.history("run")["value"].tolist() == taken
    assert len(taken) == 1
    opened.close()


def test_events_of_a_step_are_kept_in_order(reviews):
    for step, showing, happening in ((1, "a", "opened"), (1, "a", "answered"), (2, "b", "opened")):
        reviews.note("run", "Ada", CASE, step, showing, happening)
    with pytest.raises(ValueError, match="no such event"):
        reviews.note("run", "Ada", CASE, 1, "a", "slept")
    kept = reviews.showings("run")
    assert kept["event"].tolist() == ["opened", "answered", "opened"]
    assert kept["showing"].tolist() == ["a", "a", "b"]
    assert kept["happened"].is_monotonic_increasing
    assert reviews.showings("other run").empty


@pytest.mark.parametrize(
    ("question", "value", "method"),
    [
        ("significance", "6", "lrp"),
        ("significance", "3", "unet"),
        ("significance", "0", "lrp"),
        ("significance", "3", ""),
        ("best", "unet", ""),
        ("covers", "perhaps", "lrp"),
        ("trust_before", "3", "lrp"),
        ("trust_before", "3", ""),
        ("nothing", "3", ""),
    ],
)
def test_what_is_no_answer_is_refused(reviews, question, value, method):
    with pytest.raises(ValueError, match="no such answer"):
        reviews.answer("run", "Ada", CASE, question, value, MAPS, method=method)
    assert reviews.count("run") == 0


def test_twenty_readers_at_once_lose_nothing(database):
    address = database
    Reviews(address).close()

    def read(number):
        mine = Reviews(address)  # a connection of its own, as another server's
        for step in range(20):
            mine.answer(
                "run", f"reader {number}", CASE, "significance", str(1 + step % 5), MAPS, method="lrp"
            )
        mine.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(read, range(20)))
    opened = Reviews(address)
    assert opened.history("run")["reader"].value_counts().to_dict() == {
        f"reader {number}": 20 for number in range(20)
    }
    assert opened.answers("run")["value"].tolist() == ["5"] * 20
    opened.close()


def test_assigned_cases_come_in_their_order_and_are_replaced(reviews):
    reviews.assign("run", ["Ada", "Cy"], [OTHER, CASE, OTHER], by="lead")
    assert reviews.assigned("run", "Ada") == reviews.assigned("run", "Cy") == [OTHER, CASE]
    assert reviews.assigned("run", "Bo") == reviews.assigned("other run", "Ada") == []
    reviews.assign("run", ["Ada"], [CASE])
    assert reviews.assigned("run", "Ada") == [CASE]
    reviews.assign("run", ["Cy"], [])
    assert reviews.assigned("run", "Cy") == []
    assert reviews.readers("run") == ["Ada", "Cy"]
    kept = reviews.worklists("run")
    assert kept["reader"].tolist() == ["Ada", "Cy", "Ada", "Cy"]
    assert kept["cases"].tolist() == [(OTHER, CASE), (OTHER, CASE), (CASE,), ()]
    assert kept["assigned_by"].tolist() == ["lead", "lead", "", ""]
    assert kept["assigned"].is_monotonic_increasing


def test_a_file_that_goes_away_is_one_line_and_works_again(in_a_file, tmp_path):
    reviews = in_a_file
    reviews.answer("run", "Ada", CASE, "flag", "yes", MAPS)
    path = tmp_path / "new" / "folder" / "reviews.sqlite"
    reviews.close()
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    with pytest.raises(
        ReviewsError, match=r"reviews\.sqlite cannot be used \(.*\)\. Nothing that was saved is lost"
    ) as error:
        reviews.of_case("run", "Ada", CASE)
    assert "\n" not in str(error.value)
    path.rmdir()
    path.with_suffix(".away").rename(path)
    assert reviews.of_case("run", "Ada", CASE) == {("", "flag"): "yes"}


def test_a_locked_file_is_one_line(in_a_file, tmp_path, monkeypatch):
    monkeypatch.setattr("shamsul_core.reviews.database._BUSY_S", 0.1)
    address = f"sqlite:///{tmp_path}/new/folder/reviews.sqlite"
    impatient = Reviews(address)
    holder = sqlite3.connect(tmp_path / "new" / "folder" / "reviews.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ReviewsError, match="database is locked"):
        impatient.answer("run", "Ada", CASE, "flag", "yes", MAPS)
    holder.execute("ROLLBACK")
    holder.close()
    impatient.answer("run", "Ada", CASE, "flag", "yes", MAPS)
    assert impatient.count("run") == 1
    impatient.close()


def test_a_full_disk_is_one_line_and_loses_nothing(in_a_file, tmp_path):
    """SQLite answers a bound on its file as it answers a full disk."""
    in_a_file.answer("run", "Ada", CASE, "comment", "before", MAPS)
    opened = Reviews(f"sqlite:///{tmp_path}/new/folder/reviews.sqlite")
    bound = [1]  # SQLite takes no less than there is
    event.listen(
        opened._database.engine, "connect", lambda one, _: one.execute(f"PRAGMA max_page_count = {bound[0]}")
    )
    opened._database.engine.dispose()

    def fill():
        for number in range(100):
            opened.answer("run", "Ada", CASE, "comment", f"{number} " * 900, MAPS)

    with pytest.raises(ReviewsError, match="full") as error:
        fill()
    assert "\n" not in str(error.value)
    assert opened.count("run") >= 1
    kept = opened.history("run")["value"].tolist()
    bound[0] = 1_000_000
    opened._database.engine.dispose()
    opened.answer("run", "Ada", CASE, "comment", "after", MAPS)
    assert opened.history("run")["value"].tolist() == [*kept, "after"]
    opened.close()


@pytest.mark.parametrize("address", ["nonsense", "oracle9://x/y", "sqlite:////proc/none/reviews.sqlite"])
def test_an_address_that_leads_nowhere_is_one_line(address):
    with pytest.raises(ReviewsError) as error:
        Reviews(address)
    assert "\n" not in str(error.value)


def test_migrations_make_what_the_models_say(reviews, database):
    engine = create_engine(database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_what_was_assigned_before_worklists_is_taken_over(database):
    Reviews(database).close()  # makes the folder, too
    engine = create_engine(database)
    migrate(engine, command.downgrade, "0001")
    rows = [("Bo", CASE), ("Ada", OTHER), ("Ada", CASE)]
    with engine.begin() as connection:
        for reader, case in rows:
            connection.execute(
                text("INSERT INTO assignment (run, reader, image_id, pathology) VALUES ('run', :r, :i, :p)"),
                {"r": reader, "i": case.image_id, "p": case.pathology},
            )
    opened = Reviews(database)
    assert opened.assigned("run", "Ada") == [OTHER, CASE]
    assert opened.assigned("run", "Bo") == [CASE]
    opened.assign("run", ["Ada"], [CASE])
    opened.close()
    migrate(engine, command.downgrade, "0001")
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT reader, image_id FROM assignment ORDER BY reader")).all()
    assert kept == [("Ada", CASE.image_id), ("Bo", CASE.image_id)]
    engine.dispose()


def test_answers_given_before_there_were_steps_stay(database):
    Reviews(database).close()
    engine = create_engine(database)
    migrate(engine, command.downgrade, "0002")
    with engine.begin() as connection:
        for question, value in (("trust_before", "3"), ("trust_before", "4"), ("comment", "kept")):
            connection.execute(
                text(
                    "INSERT INTO answer (run, reader, image_id, pathology, method, question, value, answered) "
                    "VALUES ('run', 'Ada', :i, :p, '', :q, :v, '2026-01-01 10:00:00')"
                ),
                {"i": CASE.image_id, "p": CASE.pathology, "q": question, "v": value},
            )
    opened = Reviews(database)
    assert opened.history("run")["value"].tolist() == ["3", "4", "kept"]
    assert opened.of_case("run", "Ada", CASE) == {("", "trust_before"): "4", ("", "comment"): "kept"}
    assert (
        opened.answers("run")[["step", "is_blinded", "map_order", "model", "version"]].isna().all(axis=None)
    )
    opened.answer("run", "Ada", CASE, "comment", "and more", MAPS)
    opened.close()
    migrate(engine, command.downgrade, "0002")
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT value FROM answer ORDER BY id")).scalars().all()
    assert kept == ["3", "4", "kept", "and more"]
    engine.dispose()


def migrate(engine, change, revision):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        change(config, revision)


def test_a_run_is_the_same_wherever_it_lies(made_run, tmp_path):
    import shutil

    elsewhere = shutil.copytree(made_run.folder, tmp_path / "elsewhere")
    assert run_key(type(made_run).open(elsewhere).manifest) == run_key(made_run.manifest)


def test_every_question_takes_its_own_answers_and_nothing_else():
    for question in QUESTIONS.values():
        assert question.accepts("", ())
        if question.kind != "text":
            assert not question.accepts("something else", ("lime",))


AT_ONCE = """
import multiprocessing, sys
from shamsul_core.reviews import Reviews

def open_it(barrier, address):
    barrier.wait()
    for _ in range(3):
        Reviews(address).close()

forking = multiprocessing.get_context("fork")
barrier = forking.Barrier(8)
opening = [forking.Process(target=open_it, args=(barrier, sys.argv[1])) for _ in range(8)]
for one in opening:
    one.start()
for one in opening:
    one.join()
sys.exit(sum(one.exitcode != 0 for one in opening))
"""


def test_eight_servers_open_an_empty_database_at_once(database):
    """Red before: five of eight failed on one SQLite file."""
    done = subprocess.run([sys.executable, "-c", AT_ONCE, database], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_ended_sign_ins_are_remembered_as_long_as_their_cookies_last(reviews, database, monkeypatch):
    began = datetime(2026, 1, 1)
    monkeypatch.setattr(store, "_now", lambda: began)
    reviews.end_sign_ins(["a" * 64, "b" * 64])
    reviews.end_sign_ins(["b" * 64])
    monkeypatch.setattr(store, "_now", lambda: began + timedelta(days=31))
    reviews.end_sign_ins(["c" * 64])
    again = Reviews(database)
    assert again.ended_sign_ins() == {"a" * 64, "b" * 64, "c" * 64}
    again.close()
    monkeypatch.setattr(store, "_now", lambda: began + timedelta(days=31, seconds=1))
    reviews.end_sign_ins([])
    assert reviews.ended_sign_ins() == {"c" * 64}
