"""The shelf: what a reader brought stays until they have been away for a quarter of an hour, and then is gone."""

from __future__ import annotations

import threading

import pytest

from shamsul_core.upload.shelf import KEPT_S, MOST, MOST_IN_ALL, MOST_OF_A_READER, Shelf


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def erased():
    return []


@pytest.fixture
def shelf(clock, erased):
    return Shelf(erased.append, clock=clock)


def test_it_is_kept_for_a_quarter_of_an_hour_after_each_sign_of_life_and_not_longer(shelf, clock, erased):
    assert KEPT_S == 15 * 60
    token = shelf.open(None)
    shelf.put(token, "radiograph")
    for _ in range(5):
        clock.now += KEPT_S
        shelf.sweep()
        assert shelf.items(token) == ("radiograph",)
        assert shelf.touch(token, None)
    clock.now += KEPT_S + 1
    assert not shelf.touch(token, None), "who comes a second late finds nothing, swept or not"
    shelf.sweep()
    assert shelf.items(token) == ()
    assert erased == ["radiograph"]


def test_one_readers_absence_erases_nothing_of_anothers(shelf, clock, erased):
    gone, here = shelf.open(None), shelf.open(None)
    shelf.put(gone, "theirs")
    shelf.put(here, "mine")
    clock.now += KEPT_S + 1
    shelf._places[here].seen = clock.now
    shelf.sweep()
    assert erased == ["theirs"]
    assert shelf.items(here) == ("mine",)


def test_what_is_removed_is_erased_at_once_and_only_once(shelf, erased):
    token = shelf.open(None)
    shelf.put(token, "first")
    shelf.put(token, "second")
    shelf.remove(token, "first")
    shelf.remove(token, "first")
    assert erased == ["first"]
    assert shelf.items(token) == ("second",)


def test_a_place_is_its_owners_and_nobody_guesses_its_token(shelf):
    token = shelf.open("ada@example.org")
    assert len(token) >= 40
    assert shelf.touch(token, "ada@example.org")
    assert not shelf.touch(token, "eve@example.org")
    assert not shelf.touch(token, None)
    assert not shelf.touch("", None)
    assert token != shelf.open("ada@example.org")


def test_there_is_room_for_five(shelf):
    token = shelf.open(None)
    assert [shelf.put(token, number) for number in range(MOST + 1)] == [True] * MOST + [False]
    assert not shelf.put("no such place", 1)


def test_a_signed_in_reader_has_ten_in_all_their_tabs_and_others_have_theirs(shelf, erased):
    tabs = [shelf.open("ada@example.org") for _ in range(3)]
    put = [shelf.put(tab, number) for tab in tabs for number in range(MOST)]
    assert put == [True] * MOST_OF_A_READER + [False] * (len(put) - MOST_OF_A_READER)
    assert "You have 10 radiographs in all your tabs" in shelf.why_full(tabs[2], "ada@example.org")
    assert "Up to 5 radiographs can be kept at a time" in shelf.why_full(tabs[0], "ada@example.org")
    assert shelf.why_full(None, "bo@example.org") == ""
    assert shelf.put(shelf.open("bo@example.org"), "theirs")
    shelf.remove(tabs[0], 0)
    assert shelf.put(tabs[2], "one more")


def test_fifty_readers_who_did_not_sign_in_have_two_each_and_there_is_an_end(shelf):
    assert all(shelf.put(shelf.open(None), number) for number in range(MOST_IN_ALL))
    assert MOST_IN_ALL >= 2 * 50
    assert not shelf.put(shelf.open(None), "too many")
    assert (
        shelf.why_full(None, None) == "Too many radiographs are on this server. Try again in a few minutes."
    )


def test_it_is_swept_though_no_page_is_open(clock):
    is_erased = threading.Event()
    shelf = Shelf(lambda _: is_erased.set(), clock=clock)
    shelf.put(shelf.open(None), "radiograph")
    clock.now += KEPT_S + 1
    shelf.sweep_for_ever(every_s=0.01)
    assert is_erased.wait(10)


def test_what_cannot_be_erased_keeps_nothing_else_and_does_not_end_the_sweeping(clock):
    erased, are_erased = [], threading.Event()

    def erase(item):
        if item == "broken":
            raise OSError(item)
        erased.append(item)
        if len(erased) == 3:
            are_erased.set()

    shelf = Shelf(erase, clock=clock)

    def leave(*items):
        token = shelf.open(None)
        for item in items:
            shelf.put(token, item)

    leave("first", "broken", "second")
    clock.now += KEPT_S + 1
    shelf.sweep_for_ever(every_s=0.01)
    leave("third")
    while "second" not in erased:
        threading.Event().wait(0.01)
    clock.now += KEPT_S + 1
    assert are_erased.wait(10)
    assert set(erased) == {"first", "second", "third"}
