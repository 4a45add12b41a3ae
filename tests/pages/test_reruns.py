"""Nothing is lost because a page is made anew: callbacks end, answers arrive, files are there."""

from __future__ import annotations

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import media_file_manager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.state import SessionState

from dashboard import reruns
from dashboard.reruns import UNUSED_S, AnsweringQueue, KeptWays, PatientFiles, UnbrokenCallbacks


def test_a_callback_ends_though_another_run_waits():
    waits = []

    def break_off():
        if waits:
            raise StopException

    class Changed(SessionState):
        def on_script_will_rerun(self, *_states, **_more):
            waits.append("another run")  # the reader goes on, while the callback is at its work
            safe["turn"] = 1
            safe["taken"] = safe["turn"] + 1

    safe = UnbrokenCallbacks(Changed(), break_off)
    safe.on_script_will_rerun(None)
    waits.clear()
    assert (safe["turn"], safe["taken"]) == (1, 2)
    waits.append("another run")
    with pytest.raises(StopException):  # and then it is the other's turn
        safe["turn"]


def test_what_a_reader_did_is_taken_though_another_run_waits_already():
    taken = []

    def break_off():
        raise StopException

    class Changed(SessionState):
        def on_script_will_rerun(self, *states, **_more):
            taken.extend(states)

    safe = UnbrokenCallbacks(Changed(), break_off)
    safe.on_script_will_rerun("a click, which no later run brings again")
    assert taken == ["a click, which no later run brings again"]


def _message(kind, **values):
    message = ForwardMsg()
    part = getattr(message, kind)
    part.SetInParent()
    for name, value in values.items():
        setattr(part, name, value)
    return message


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("backend_operation_response", {"request_id": "download"}),
        ("file_urls_response", {"response_id": "upload"}),
    ],
)
@pytest.mark.parametrize("fragments", [None, ["a fragment"]])
def test_an_answer_outlasts_the_start_of_a_run_and_goes_once(kind, values, fragments):
    queue = AnsweringQueue()
    queue.enqueue(_message(kind, **values))
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=fragments)
    assert [message.WhichOneof("type") for message in queue.flush()] == [kind]
    assert queue.flush() == []


def test_what_the_run_before_wanted_to_show_goes():
    queue = AnsweringQueue()
    message = _message("delta", fragment_id="")
    message.delta.new_element.markdown.body = "of the run before"
    queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True)
    assert queue.flush() == []


@pytest.fixture
def session(monkeypatch):
    """The session for which files are added; a test names another by setting its item."""
    current = ["theirs"]
    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: current[0])
    return current


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(reruns, "monotonic", lambda: now[0])
    return now


@pytest.mark.usefixtures("session")
def test_another_sessions_end_takes_no_download_from_a_page_that_is_being_made(clock):
    files = PatientFiles(MemoryMediaFileStorage("/media"))
    offered = files.add_deferred(lambda: b"figures", "text/csv", "1.1", "scores.csv")
    files.clear_session_refs("theirs")  # their page begins to be made anew
    files.remove_orphaned_files()  # another's ends
    address = files.execute_deferred(offered)
    for _ in range(5):  # and others' before their browser asks for the file
        files.remove_orphaned_files()
    name = address.removeprefix("/media/").split(".")[0]
    assert files.read_file(name).content == b"figures"

    # Only what no page has shown for long goes
    files.add_deferred(lambda: b"shown", "text/csv", "1.2")
    clock[0] += UNUSED_S
    files.remove_orphaned_files()
    assert files.read_file(name) is None
    with pytest.raises(media_file_manager.MediaFileStorageError):
        files.execute_deferred(offered)
    assert len(files._deferred_callables) == 1


def test_what_is_shown_again_begins_anew(session, clock):
    files = PatientFiles(MemoryMediaFileStorage("/media"))
    files.add(b"picture", "image/png", "1.1")
    (name,) = files._file_metadata
    files.clear_session_refs("theirs")
    files.remove_orphaned_files()
    clock[0] += UNUSED_S - 1
    session[0] = "another"
    files.add(b"picture", "image/png", "1.1")
    clock[0] += 2
    files.remove_orphaned_files()
    files.clear_session_refs("another")
    files.remove_orphaned_files()
    assert files.read_file(name) is not None
    clock[0] += UNUSED_S
    files.remove_orphaned_files()
    assert files.read_file(name) is None


def asked(page, *, query="", is_way=False):
    return RerunData(page_script_hash=page, query_string=query, is_history_navigation=is_way)


@pytest.mark.parametrize(
    ("requests", "page", "query"),
    [
        # A link to a case, then what the page that is left reports of itself
        (
            [asked("compare", query="radiograph=a", is_way=True), asked("distributions")],
            "compare",
            "radiograph=a",
        ),
        # Two links: the last
        ([asked("compare", is_way=True), asked("selection", query="x", is_way=True)], "selection", "x"),
        # Something chosen on the page, then a link
        ([asked("distributions"), asked("compare", query="y", is_way=True)], "compare", "y"),
        # Nothing but choices
        ([asked("distributions"), asked("distributions", query="z")], "distributions", "z"),
    ],
)
def test_a_way_to_another_page_is_not_forgotten_for_what_the_page_left_behind_asks(requests, page, query):
    waiting = KeptWays()
    for request in requests:
        assert waiting.request_rerun(request)
    begun = waiting.on_scriptrunner_ready().rerun_data
    assert (begun.page_script_hash, begun.query_string) == (page, query)


def test_a_way_is_gone_once_its_run_began():
    waiting = KeptWays()
    waiting.request_rerun(asked("compare", is_way=True))
    waiting.on_scriptrunner_ready()
    waiting.request_rerun(asked("distributions"))
    assert waiting.on_scriptrunner_ready().rerun_data.page_script_hash == "distributions"
