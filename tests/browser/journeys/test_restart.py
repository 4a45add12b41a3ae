"""The server is restarted while somebody reads: nothing on the screen parts, and the next key counts."""

from __future__ import annotations

from tests.browser.journeys.visit import Visit
from tests.serving import free_port, served


def test_a_restart_in_the_middle(page, demonstration_run):
    scores = demonstration_run.scores
    radiographs = sorted(scores.loc[scores["expert_area_px"] > 0, "image_id"].unique())
    port = free_port()
    with served(None, port=port) as server:
        visit = Visit(page, server.address)
        visit.open("/?filter_annotated=yes")
        visit.press("n")
        case = visit.sees(radiographs[1])
        visit.go_to("Distributions")
        page.get_by_role("radio", name="LRP", exact=True).click()
        page.wait_for_url("**methods=lrp**")
        visit.back()
        visit.sees(*case)
    visit.press("n")  # nobody hears it yet
    with served(None, port=port):
        visit.sees(radiographs[2])
        visit.press("p")
        visit.sees(*case)
        visit.back()
        visit.sees(radiographs[2])
        page.reload()
        visit.sees(radiographs[2])
    assert visit.complaints == []
