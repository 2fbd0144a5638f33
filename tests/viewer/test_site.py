"""A world without a run as a page: all of its triangles are served, and a file holds it."""

import re
import time

import numpy as np
import pytest

pytest.importorskip("viser", reason="the extra `view` is not installed")

from twin.errors import TwinError
from twin.viewer.site import SitePage
from twin.world.builder import GeometryBuilder


@pytest.fixture
def page():
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[-90, -90, 0], [90, -90, 0], [90, 90, 0], [-90, 90, 0]], dtype=float)], "wet_ground")
    builder.add_box((0, 0, 0), (4, 4, 3), "concrete", builder.add_object("house"))
    opened = SitePage("yard", builder.build(), [np.array([1.0, 2.0, 9.0])], port=0)
    yield opened
    opened.close()


def test_the_camera_looks_at_the_things_and_sees_the_whole_ground(page):
    camera = page.server.initial_camera
    assert camera.look_at == pytest.approx((2.0, 2.0, 1.5))
    assert camera.far > 4 * np.hypot(180, 180)
    assert np.linalg.norm(np.subtract(camera.position, camera.look_at)) < 10.0


def test_a_click_tells_the_point_and_the_roof_above_it(page):
    """On the wall of the house at x = 0, 1 m up: the roof there is 3 m high; beside it the ground is 0."""
    point, roof = page.picked((-10.0, 2.0, 1.0), (1.0, 0.0, 0.0))
    assert point == pytest.approx((0.0, 2.0, 1.0)) and roof in (0.0, pytest.approx(3.0))
    point, roof = page.picked((2.0, 2.0, 50.0), (0.0, 0.0, -1.0))
    assert point == pytest.approx((2.0, 2.0, 3.0)) and roof == pytest.approx(3.0)
    point, roof = page.picked((20.0, 20.0, 50.0), (0.0, 0.0, -1.0))
    assert point == pytest.approx((20.0, 20.0, 0.0), abs=1e-6) and roof == pytest.approx(0.0, abs=1e-6)
    assert page.picked((0.0, 0.0, 50.0), (0.0, 0.0, 1.0)) is None


def test_a_page_is_a_file_that_is_not_replaced_unasked(page, tmp_path):
    page.export(tmp_path / "yard.html")
    assert "<html" in (tmp_path / "yard.html").read_text()[:2000].lower()
    with pytest.raises(TwinError, match="exists already"):
        page.export(tmp_path / "yard.html")
    page.export(tmp_path / "yard.html", force=True)


def test_the_page_draws_in_a_browser(page, tmp_path, browser):
    page.export(tmp_path / "yard.html")
    browser.open((tmp_path / "yard.html").as_uri())
    assert browser.run("return document.title") is not None
    assert not browser.errors()
    assert browser.requested() == {(tmp_path / "yard.html").as_uri()}


def test_a_click_in_the_browser_says_where_that_is(page, browser):
    """The camera looks at the middle of the house: there the click meets it, and the roof is 3 m high."""
    from selenium.webdriver import ActionChains

    browser.driver.set_window_size(900, 600)
    browser.open(page.server.address)
    end = time.monotonic() + 60.0
    while "Clicked" not in (text := browser.text()) and time.monotonic() < end:
        for canvas in browser.driver.find_elements("css selector", "canvas")[:1]:
            ActionChains(browser.driver).move_to_element(canvas).click().perform()
        time.sleep(0.5)
    x, y, z = (float(part) for part in re.search(r"Clicked: \[([^]]+)\]", text)[1].split(","))
    assert 0.0 <= x <= 4.0 and -0.01 <= y <= 4.0 and 0.0 < z <= 3.0, text
    assert re.search(rf"positions = \[\[{x:.2f}, {y:.2f}, 8\.00\]\]", text), "5 m above the roof"
    assert not browser.errors()
