"""A reader judges in a real browser: first the radiograph alone, then the maps; nothing on the page names a method."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from shamsul_core.figures.scene.overlay import decode_scene
from shamsul_core.reviews import Case, Circumstances, Reviews, run_key
from tests.made import image_id
from tests.serving import served

SLOW = 240_000
MAPS = Circumstances(model="made", order=("lime", "shap", "gradcam", "lrp"), is_blinded=True)
SIGNIFICANCE = "How medically significant is the area it highlights?"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('reviews')}/reviews.sqlite"


@pytest.fixture(scope="module")
def server(made_run, address):
    """A server that nobody leads on; each test has readers of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHAMSUL_REVIEWS", address)
        with served(made_run.folder) as server:
            yield server


@pytest.fixture(scope="module")
def stored(server, address):
    reviews = Reviews(address)
    yield reviews
    reviews.close()


@pytest.fixture
def small(browser):
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    yield context.new_page()
    context.close()


def give_name(page, server, name, query=""):
    page.goto(f"{server.address}/review{query}")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text("case 1 of" if not query else "case", exact=False).first).to_be_visible(
        timeout=SLOW
    )
    expect(page.locator("[data-testid=canvas-expert][data-zoom]")).to_be_visible(timeout=SLOW)


def trust(page, words="2 · a little"):
    page.get_by_text(words).click()
    page.get_by_role("button", name="Save and show the heatmaps").click()
    expect_maps(page)


def expect_maps(page):
    expect(page.locator("[data-testid='canvas-Map D'][data-zoom]")).to_be_visible(timeout=SLOW)
    expect(rating(page, "D", 5)).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("textbox", name="Comment")).to_be_visible(timeout=SLOW)


def rating(page, letter, value):
    group = page.get_by_role("radiogroup", name=f"Map {letter}: {SIGNIFICANCE}")
    return group.get_by_role("radio", name=str(value))


def case_shown(page):
    """The case that the viewer shows, once the page is at rest."""
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible(timeout=SLOW)
    viewer = page.get_by_test_id("viewer")
    expect(viewer).to_have_attribute("aria-busy", "false")
    return viewer.get_attribute("data-image"), viewer.get_attribute("data-pathology")


def given(stored, run, reader):
    """Question and value of a reader's answers, in the order given."""
    history = stored.history(run_key(run.manifest), reader)
    return list(zip(history["question"], history["value"], strict=True))


def wait_for(page, answers, expected):
    for _ in range(200):
        if answers() == expected:
            return
        page.wait_for_timeout(50)
    assert answers() == expected


def test_a_reader_first_sees_the_radiograph_alone_and_the_first_answer_stays(
    page, browser, server, stored, made_run
):
    frames = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
    give_name(page, server, "Ada")
    assert page.locator("[data-testid^=canvas-]").count() == 1
    expect(
        page.get_by_text(re.compile(r"^The model gives \w[\w ]* a probability of 0\.\d\d\.$"))
    ).to_be_visible()
    expect(page.get_by_text(SIGNIFICANCE)).to_have_count(0)
    scene = next(
        decode_scene(frame[frame.index(b'{"version"') - 4 :])
        for frame in reversed([one for one in frames if isinstance(one, bytes)])
        if b'"radiograph":' in frame and b'{"version"' in frame
    )
    assert [panel["key"] for panel in scene["panels"]] == ["expert"]
    (alone,) = scene["panels"]
    assert not alone["metrics"]
    assert alone["map"] is alone["levels"] is alone["note"] is None
    assert not scene["expert_outlines"]["counts"]
    assert not (scene["facts"])
    assert not (scene["grid"])
    assert not (scene["agreements"])
    expect(page.get_by_role("button", name="Save and show the heatmaps")).to_be_disabled()
    trust(page)
    expect(page.get_by_text("2 · a little")).to_be_visible()
    expect(page.get_by_role("radio", name="3 · somewhat")).to_have_count(0)
    case = case_shown(page)

    again = browser.new_context().new_page()
    give_name(again, server, "Ada")
    expect_maps(again)
    assert case_shown(again) == case
    expect(again.get_by_text("2 · a little")).to_be_visible()
    again.context.close()
    key = run_key(made_run.manifest)
    (answer,) = stored.history(key, "Ada").to_dict("records")
    assert (answer["question"], answer["value"], answer["step"]) == ("trust_before", "2", 1)
    assert (answer["model"], answer["map_order"]) == ("made", "")
    events = stored.showings(key).query("reader == 'Ada'")
    assert events[["step", "event"]].to_numpy().tolist()[:3] == [
        [1, "opened"],
        [1, "answered"],
        [2, "opened"],
    ]


def test_a_reader_rates_comes_back_and_finds_the_rating(page, browser, server, stored, made_run):
    name, comment = "Dr <b>Bea</b>", "<script>alert(1)</script> **bold** $x$"
    give_name(page, server, name)
    trust(page)
    rating(page, "B", 4).click()
    page.get_by_role("textbox", name="Comment").fill(comment)
    page.get_by_role("textbox", name="Comment").blur()
    expected = [("trust_before", "2"), ("significance", "4"), ("comment", comment)]
    wait_for(page, lambda: given(stored, made_run, name), expected)
    content = page.content().lower()
    for told in ("lime", "shap", "grad-cam", "gradcam", "lrp"):
        assert told not in content.replace("shamsul", ""), told
    answer = stored.answers(run_key(made_run.manifest), name).iloc[1]
    assert answer["is_blinded"]
    assert answer["map_order"].split(" > ")[1] == answer["method"], "Map B is the second in the order shown"
    again = browser.new_context().new_page()
    give_name(again, server, name)
    expect_maps(again)
    expect(rating(again, "B", 4)).to_be_checked()
    expect(again.get_by_role("textbox", name="Comment")).to_have_value(comment)
    again.get_by_text("Hide the methods' names").click()
    expect(again.locator("[data-testid=canvas-lrp][data-zoom]")).to_be_visible(timeout=SLOW)
    again.get_by_role("radiogroup", name=f"LRP: {SIGNIFICANCE}").get_by_role("radio", name="5").click()
    wait_for(again, lambda: given(stored, made_run, name), [*expected, ("significance", "5")])
    assert not stored.history(run_key(made_run.manifest), name)["is_blinded"].iloc[-1]
    again.context.close()


# Each kind of widget: how it is answered by mouse, and what is stored then.
WIDGETS = {
    "scale of a map": (lambda page: rating(page, "A", 2), ("significance", "2")),
    "choice of a map": (
        lambda page: page.get_by_role("radiogroup", name="Map C: Does it cover").get_by_role("radio", name="partly"),
        ("covers", "partly"),
    ),
    "scale of the case": (
        lambda page: page.get_by_role("radiogroup", name="trust the prediction now").get_by_role("radio", name="2"),
        ("trust_after", "2"),
    ),
    "check box": (lambda page: page.get_by_text("Discuss this case"), ("flag", "yes")),
}  # fmt: skip


def test_no_key_changes_an_answer_given_by_mouse(page, server, stored, made_run):
    give_name(page, server, "Cy")
    page.get_by_text("2 · a little").click()
    keys = ["+", "-", "=", "0", "Home", "i", "d", "Enter", "Escape", "Space", "End"]
    keys += ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]
    for key in keys:
        page.keyboard.press(key)
    expect(page.get_by_role("radio", name="2 · a little")).to_be_checked()
    trust(page)
    case = case_shown(page)
    expected = [("trust_before", "2")]
    for find, answer in WIDGETS.values():
        find(page).click()
        expected.append(answer)
        wait_for(page, lambda: given(stored, made_run, "Cy"), expected)
        for key in keys:
            page.keyboard.press(key)
        # and to the next case and back, by the keys that go there
        for there, back in (("n", "p"), ("PageDown", "PageUp")):
            page.keyboard.press(there)
            expect(page.get_by_text("case 2 of")).to_be_visible(timeout=SLOW)
            page.keyboard.press(back)
            expect(page.get_by_text("case 1 of")).to_be_visible(timeout=SLOW)
    expect_maps(page)
    assert case_shown(page) == case
    page.get_by_role("textbox", name="Comment").click()
    page.keyboard.type("npNP+-0 i")
    page.keyboard.press("PageDown")
    page.keyboard.press("Tab")
    expected.append(("comment", "npNP+-0 i"))
    wait_for(page, lambda: given(stored, made_run, "Cy"), expected)
    expect(page.get_by_text("case 1 of")).to_be_visible()


def test_keys_are_the_widgets_own_while_it_has_the_keyboard(page, server, stored, made_run):
    give_name(page, server, "Kay")
    trust(page)
    rating(page, "A", 3).focus()
    page.keyboard.press("Space")
    wait_for(page, lambda: given(stored, made_run, "Kay"), [("trust_before", "2"), ("significance", "3")])
    for key in ("n", "p", "PageDown", "PageUp"):
        page.keyboard.press(key)
    expect(rating(page, "A", 3)).to_be_checked()
    expect(page.get_by_text("case 1 of")).to_be_visible()
    assert len(given(stored, made_run, "Kay")) == 2


def test_presses_in_quick_succession_are_none_lost(page, server):
    give_name(page, server, "Quick")
    count = int(re.search(r"case 1 of (\d+)", page.locator(".st-key-questions").inner_text())[1])
    for _ in range(7):
        page.keyboard.press("n")
    expect(page.get_by_text(f"case {7 % count + 1} of {count}")).to_be_visible(timeout=SLOW)
    for _ in range(3):
        page.keyboard.press("p")
    expect(page.get_by_text(f"case {4 % count + 1} of {count}")).to_be_visible(timeout=SLOW)


def test_picture_and_questions_are_in_sight_together_on_a_small_screen(small, server):
    give_name(small, server, "Sam")
    trust(small)
    for letter in "ABCD":
        expect(small.get_by_test_id(f"canvas-Map {letter}")).to_be_in_viewport(ratio=1)
        expect(rating(small, letter, 5)).to_be_in_viewport(ratio=1)
    best = small.get_by_role("radiogroup", name="Which heatmap is best?").get_by_role("radio", name="Map D")
    expect(best).to_be_in_viewport(ratio=1)
    expect(small.get_by_role("button", name="Next ›")).to_be_in_viewport(ratio=1)
    small.get_by_role("textbox", name="Comment").scroll_into_view_if_needed()
    expect(small.get_by_test_id("canvas-Map A")).to_be_in_viewport(ratio=1)
    small.get_by_role("button", name="Next ›").click()
    expect(small.get_by_text("case 2 of")).to_be_in_viewport(ratio=1, timeout=SLOW)
    assert small.locator(".st-key-questions").evaluate("node => node.scrollTop") == 0


def test_the_name_outlives_a_reload_and_no_address_carries_it(page, server):
    give_name(page, server, "Dr Zoë Ü")
    assert "Zo" not in page.url
    page.reload()
    expect(page.get_by_role("textbox", name="Your name")).to_have_value("Dr Zoë Ü", timeout=SLOW)
    expect(page.locator("[data-testid=canvas-expert][data-zoom]")).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="Methods").click()
    page.get_by_role("link", name="Review").click()
    expect(page.get_by_role("textbox", name="Your name")).to_have_value("Dr Zoë Ü", timeout=SLOW)
    page.get_by_role("textbox", name="Your name").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Enter your name in the sidebar")).to_be_visible(timeout=SLOW)
    page.reload()
    expect(page.get_by_text("Enter your name in the sidebar")).to_be_visible(timeout=SLOW)


def test_a_link_opens_its_case_and_back_returns_to_the_former(page, browser, server):
    give_name(page, server, "Lin")
    first = case_shown(page)
    page.keyboard.press("n")
    expect(page.get_by_text("case 2 of")).to_be_visible(timeout=SLOW)
    second = case_shown(page)
    assert second != first
    colleague = browser.new_context().new_page()
    give_name(colleague, server, "Max", page.url[page.url.index("?") :])
    assert case_shown(colleague) == second
    assert "Lin" not in page.url
    colleague.context.close()
    page.go_back()
    expect(page.get_by_text("case 1 of")).to_be_visible(timeout=SLOW)
    assert case_shown(page) == first
    page.go_forward()
    expect(page.get_by_text("case 2 of")).to_be_visible(timeout=SLOW)
    assert case_shown(page) == second
    page.reload()
    expect(page.get_by_text("case 2 of")).to_be_visible(timeout=SLOW)


def test_a_hidden_page_is_not_read(page, server, stored, made_run):
    give_name(page, server, "Hal")

    def events():
        showings = stored.showings(run_key(made_run.manifest)).query("reader == 'Hal'")
        return showings["event"].tolist()

    def show(state):
        page.evaluate(
            "state => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });"
            " document.dispatchEvent(new Event('visibilitychange')); }",
            state,
        )

    wait_for(page, events, ["opened"])
    show("hidden")
    wait_for(page, events, ["opened", "hidden"])
    show("visible")
    wait_for(page, events, ["opened", "hidden", "opened"])
    page.keyboard.press("n")
    wait_for(page, events, ["opened", "hidden", "opened", "left", "opened"])


def test_without_sign_in_nobody_sees_results_at_any_address(page, server):
    for part in ("results", "assign"):
        give_name(page, server, "Curious", f"?show={part}")
        for told in ("Results", "Assign", "Download answers (CSV)"):
            expect(page.get_by_text(told, exact=True)).to_have_count(0)


def test_a_database_that_cannot_be_used_is_a_sentence(page, made_run, monkeypatch):
    monkeypatch.setenv("SHAMSUL_REVIEWS", "sqlite:////proc/none/reviews.sqlite")
    with served(made_run.folder) as server:
        page.goto(f"{server.address}/review")
        expect(page.get_by_text("cannot be used")).to_be_visible(timeout=SLOW)
        expect(page.get_by_text("Traceback")).to_have_count(0)


def test_an_answer_that_cannot_be_saved_is_said_and_what_was_saved_outlives_the_server(
    page, made_run, tmp_path, monkeypatch
):
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path}/reviews.sqlite")
    with served(made_run.folder) as server:
        give_name(page, server, "Ada")
        stored = Reviews(f"sqlite:///{tmp_path}/reviews.sqlite")
        holder = sqlite3.connect(Path(tmp_path) / "reviews.sqlite", isolation_level=None)
        trust(page)
        rating(page, "A", 4).click()
        expected = [("trust_before", "2"), ("significance", "4")]
        wait_for(page, lambda: given(stored, made_run, "Ada"), expected)
        case_shown(page)  # at rest, so that nothing but the next answer meets the fault
        holder.execute("ALTER TABLE answer RENAME TO gone")
        rating(page, "B", 5).click()
        expect(page.get_by_text("no such table").first).to_be_visible(timeout=SLOW)
        expect(page.get_by_text("Nothing that was saved is lost").first).to_be_visible()
        assert page.get_by_text("Traceback").count() == 0
        holder.execute("ALTER TABLE gone RENAME TO answer")
        holder.close()
        page.reload()
        expect_maps(page)
        expect(rating(page, "A", 4)).to_be_checked()
        rating(page, "B", 5).click()
        wait_for(page, lambda: given(stored, made_run, "Ada"), [*expected, ("significance", "5")])
        stored.close()
    with served(made_run.folder) as server:
        give_name(page, server, "Ada")
        expect_maps(page)
        expect(rating(page, "A", 4)).to_be_checked()
        expect(rating(page, "B", 5)).to_be_checked()


def test_what_readers_write_is_text_wherever_it_is_shown(page, made_run, tmp_path, monkeypatch):
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path}/reviews.sqlite")
    written = "<img src=x onerror='window.hurt=1'><script>window.hurt=1</script> [x](javascript:window.hurt=1) **b**"
    stored, key = Reviews(f"sqlite:///{tmp_path}/reviews.sqlite"), run_key(made_run.manifest)
    case = Case(image_id(1), "Edema")
    stored.answer(key, written[:60], case, "significance", "3", MAPS, method="lrp")
    stored.answer(key, written, case, "significance", "4", MAPS, method="lrp")
    stored.assign(key, [written], [case], by=written)
    stored.close()
    with served(made_run.folder, arguments=["--lead"]) as server:
        give_name(page, server, written[:60])
        said = "2 readers, 2 heatmap ratings, 2 of them with the methods' names hidden"
        for part, there in (("Results", said), ("Assign", "Selected cases")):
            page.get_by_text(part, exact=True).click()
            expect(page.get_by_text(there)).to_be_visible(timeout=SLOW)
            expect(page.locator("[data-testid=stDataFrame] canvas").last).to_be_visible(timeout=SLOW)
        assert "show=assign" in page.url
        page.get_by_role("combobox", name="Readers").click()
        expect(page.get_by_role("option", name=written, exact=True)).to_be_visible()
        page.get_by_role("option", name=written, exact=True).click()
        page.get_by_text("From a list", exact=True).click()
        page.get_by_role("textbox", name="One case per line").fill(written)
        page.get_by_role("textbox", name="One case per line").blur()
        expect(page.get_by_text(f"Not explained in this run: {written}")).to_be_visible(timeout=SLOW)
        page.goto(f"{server.address}/selection?criterion={quote(written)}")
        expect(page.get_by_text("The link asks for")).to_be_visible(timeout=SLOW)
        assert page.evaluate("window.hurt") is None
        assert page.locator("img[src=x], a[href^=javascript]").count() == 0
