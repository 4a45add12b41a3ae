"""A radiologist reviews explanations: through the list, other findings, a filter, a point, a table, and back again."""

from __future__ import annotations

import re

from playwright.sync_api import expect


def shows_most(scores, radiograph, pathology):
    """Whether a pathology has a heatmap on a radiograph, or none has."""
    explained = scores.loc[(scores["image_id"] == radiograph) & scores["mask_area_px"].notna(), "pathology"]
    return explained.empty or (explained == pathology).any()


def test_a_morning_of_reviewing(visit, demonstration_run):
    page, scores = visit.page, demonstration_run.scores
    radiographs = sorted(scores["image_id"].unique())
    visit.open("/")
    start = visit.sees(radiographs[0])
    assert shows_most(scores, *start)

    # Next shows a finding that is explained, where the radiograph has one, by button and by key
    trail = [start]
    for act in ("button", "n", "PageDown"):
        if act == "button":
            page.get_by_role("button", name="Next").click()
        else:
            visit.press(act)
        case = visit.sees(radiographs[len(trail)])
        assert shows_most(scores, *case)
        trail.append(case)

    # Another finding of the same radiograph is a step of the history, and so was each radiograph
    other = next(
        name for name in scores["pathology"].unique() if name != trail[-1][1] and name != "Lung Opacity"
    )
    page.get_by_role("radio", name=other).click()
    visit.sees(trail[-1][0], other)
    for case in reversed(trail):
        visit.back()
        visit.sees(*case)
    page.go_forward()
    visit.sees(*trail[1])

    # A filter holds in the list, in the address, through a reload and on the way through another page
    page.get_by_role("button", name="Filter and sort").click()
    page.get_by_role("combobox", name="Pathology").click()
    page.get_by_role("option", name="Pneumothorax", exact=True).click()
    page.get_by_role("combobox", name="Expert contour").click()
    page.get_by_role("option", name="yes", exact=True).click()
    visit.settle()
    page.keyboard.press("Escape")
    marked = scores[(scores["pathology"] == "Pneumothorax") & (scores["expert_area_px"] > 0)]
    count = page.get_by_test_id("case-list-count")
    expect(count).to_contain_text(f"{marked['image_id'].nunique()} of {len(radiographs)}")
    page.get_by_test_id("case-list").get_by_role("option").first.click()
    filtered = visit.sees(sorted(marked["image_id"])[0], "Pneumothorax")
    assert visit.query()["filter_pathology"] == "Pneumothorax"
    page.reload()
    visit.settle()
    visit.sees(*filtered)
    expect(count).to_contain_text(f"{marked['image_id'].nunique()} of")

    # A point opens its own case although another was open, and Back returns to the figure as it was
    visit.go_to("Distributions")
    page.get_by_role("radio", name="LRP", exact=True).click()
    page.wait_for_url("**methods=lrp**")
    points = page.locator(".scatterlayer .trace").first.locator(".points path")
    expect(points).not_to_have_count(0)
    visit.settle()
    highest = min((point.bounding_box() for point in points.all()[:40]), key=lambda box: box["y"])
    place = (highest["x"] + highest["width"] / 2, highest["y"] + highest["height"] / 2)
    page.mouse.move(*place)
    said = page.locator(".hoverlayer")
    expect(said).to_contain_text("IoU")
    figure = re.search(r"IoU ([0-9.]+)", said.text_content())[1]
    page.mouse.click(*place)
    radiograph, pathology = visit.sees(is_listed=False)
    assert (radiograph, pathology) != filtered
    score = scores.set_index(["image_id", "pathology", "method"]).loc[(radiograph, pathology, "lrp"), "iou"]
    assert f"{score:.2f}" == figure.rstrip(".")
    expect(page.get_by_test_id("metric-lrp-iou")).to_have_text(figure)
    visit.back()
    expect(points).not_to_have_count(0)
    assert visit.query()["methods"] == "lrp"

    # So does a link of its table
    link = page.get_by_role("link", name=re.compile(r"^\d\.\d\d")).first
    href = link.get_attribute("href")
    link.click()
    case = visit.sees(is_listed=False)
    assert f"radiograph={case[0]}" in href
    visit.back()
    visit.back()
    visit.sees(*filtered)


def test_holding_a_key_loses_no_press_and_runs_to_no_other(visit, demonstration_run):
    visit.open("/")
    radiographs = sorted(demonstration_run.scores["image_id"].unique())
    visit.sees(radiographs[0])
    marked = []
    for _ in range(50):
        visit.press("n")
        marked.append(
            visit.page.evaluate(
                "() => [...document.querySelectorAll('*')].map(node => node.shadowRoot?.querySelector('[aria-selected=true]')?.title)"
                ".find(title => title)"
            )
        )
    assert marked == radiographs[1:51]
    visit.sees(radiographs[50])
