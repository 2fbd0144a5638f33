"""Report and viewer in a real browser: they load, complain of nothing, ask for nothing, and the slider moves robots."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("viser", reason="the extra `view` is not installed")
pytest.importorskip("plotly", reason="the extra `report` is not installed")

from twin.analysis.report import write_report
from twin.analysis.report_run import take_apart
from twin.clock import NS
from twin.recording.reader import Recording
from twin.recording.schema import Header, Layout
from twin.recording.writer import Writer
from twin.runs.run import run
from twin.specs.scenario import load_scenario
from twin.state import BodyState, Event, Frame, LinkState, Node
from twin.viewer.replay import Replay

WAIT = 60.0  # s; a browser that draws without a graphics card takes its time


def until(condition):
    end = time.monotonic() + WAIT
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
    return found


@pytest.fixture
def recording(stage, tmp_path):
    changes = ("network.kind=fixed", "network.delay=20 ms", "duration=1 s", "robots.ball.kind=mass",
               "description=</script><script>window.hacked = 1</script>")  # fmt: skip
    built = stage("height", *changes)
    scenario, _ = load_scenario(built.world.folder / "scenarios/height.toml", changes)
    run(built, scenario, tmp_path / "run.h5")
    with Recording(tmp_path / "run.h5") as opened:
        yield opened


def press(browser, key):
    """Press a key where no widget has the focus."""
    from selenium.webdriver import ActionChains

    browser.run("document.activeElement.blur()")
    ActionChains(browser.driver).send_keys(key).perform()


@pytest.fixture
def served(browser, recording):
    """A replay that answers; its page is left before it ends."""
    replay = Replay(recording, None, port=0)
    answering = threading.Thread(target=replay.serve)
    answering.start()
    yield replay
    browser.leave()
    replay.close()
    answering.join()


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_a_report_draws_its_figures_and_fits(browser, recording, tmp_path, width):
    write_report([take_apart(recording, None)], tmp_path / "report.html")
    browser.screen(width)
    browser.open((tmp_path / "report.html").as_uri())
    figures = until(lambda: browser.run("return document.querySelectorAll('.plotly-graph-div .main-svg').length"))
    assert figures >= 3, "time line, latency, age"
    assert browser.run("return window.hacked") is None
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"
    assert browser.errors() == []
    assert browser.requested() == {(tmp_path / "report.html").as_uri()}


def test_on_paper_no_number_and_no_verdict_is_broken(browser, recording, tmp_path):
    """All cells of short words or numbers are one line high between the margins of A4, 186 mm apart: 703 px."""
    write_report([take_apart(recording, None)], tmp_path / "report.html")
    browser.screen(703, media="print")
    browser.open((tmp_path / "report.html").as_uri())
    cells = browser.run("""return [...document.querySelectorAll("td.number, td.short")].map(cell => {
        const style = getComputedStyle(cell), line = parseFloat(style.lineHeight);
        const padding = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
        return [cell.textContent, cell.clientHeight - padding, line];
    }).filter(([_, height, line]) => height > 1.5 * line)""")
    assert cells == []
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off"
    browser.run("dispatchEvent(new Event('beforeprint'))")
    widths = browser.run("return [...document.querySelectorAll('.main-svg')].map(svg => svg.clientWidth)")
    assert widths and max(widths) <= 703


def test_slider_and_keys_of_a_replay_move_the_robots(browser, served, recording):
    from selenium.webdriver.common.keys import Keys

    address = served.server.address
    browser.driver.set_window_size(900, 600)
    browser.open(address)
    slider = until(lambda: browser.driver.find_elements("css selector", "[role=slider]"))[0]
    until(lambda: browser.run("return document.querySelector('canvas') !== null"))
    positions = recording["state/position"][:]
    assert np.array_equal(served.scene.robots[0].position, positions[0, 0])
    until(lambda: press(browser, "l") or served.player.time > 0.0)  # it may not listen to keys yet
    press(browser, Keys.HOME)
    until(lambda: served.player.time == 0.0)
    press(browser, "l")
    until(lambda: served.player.time == 0.02)
    press(browser, Keys.PAGE_UP)
    until(lambda: served.player.speed == 2.0)
    press(browser, Keys.SPACE)
    until(lambda: served.player.time == served.player.duration and not served.player.playing)
    press(browser, Keys.HOME)
    until(lambda: np.array_equal(served.scene.robots[0].position, positions[0, 0]))
    for frame, key in ((1, Keys.ARROW_RIGHT), (2, Keys.ARROW_RIGHT), (1, Keys.ARROW_LEFT)):
        until(lambda: float(slider.get_attribute("aria-valuenow")) == served.player.time)  # the page may be behind
        slider.send_keys(key)
        until(lambda time=frame / 50: served.player.time == time)
    slider.send_keys(Keys.END)
    until(lambda: np.array_equal(served.scene.robots[0].position, positions[-1, 0]))
    assert not np.array_equal(positions[0], positions[-1])
    assert browser.errors() == []
    assert browser.requested() == {address}


def test_a_packet_is_watched_on_its_way(browser, served, recording):
    """20 ms each way, 1 ms of them a sixtieth of what the page plays in a second: it is listed and drawn meanwhile."""
    browser.driver.set_window_size(900, 600)
    browser.open(served.server.address)
    button = "[...document.querySelectorAll('button')].find(one => one.textContent.includes('watch the next packet'))"
    until(lambda: browser.run(f"return {button} !== undefined"))
    served.player.seek(0.3)
    until(lambda: browser.run(f"{button}.click(); return true") and served.player.speed < 0.1)
    until(lambda: "ball-0 → edge" in browser.text())
    served.player.playing = False
    until(lambda: "under way" in browser.text())
    assert browser.errors() == []


def test_the_page_says_whose_run_it_is_and_what_came_of_it(browser, served, recording):
    browser.open(served.server.address)
    until(lambda: "no requirements" in browser.text())
    text = browser.text()
    assert "</script><script>window.hacked = 1</script>" in text and "network fixed" in text
    assert browser.run("return window.hacked") is None
    shown = browser.run("return [...document.querySelectorAll('input')].map(one => one.value)")
    assert "latency" in shown, "the round trip is what one sees first"


HOSTILE = "<img src=x onerror='window.hacked = 1'>"


@pytest.fixture
def hostile(tmp_path):
    """A recording whose robot, group, mode and log are called like a piece of HTML."""
    one, none, empty = np.zeros((1, 3)), np.zeros(0), np.zeros(0, np.int32)
    bodies = BodyState(one, np.ones((1, 4)), one, one, none, none, np.zeros(2, np.int64))
    links = LinkState(0, empty, empty, none, none > 0, np.zeros(1, np.int64), none + 0j, none, none,
                      np.zeros((0, 3)), np.zeros((0, 3)))  # fmt: skip
    frame = Frame(0, bodies, links, {}, [HOSTILE], [], [Event(0, HOSTILE, HOSTILE, HOSTILE)], [(0, 0, HOSTILE, 1.0)])
    header = Header(Layout.of(frame), [Node(HOSTILE, HOSTILE, HOSTILE, 0)], f'[robots."{HOSTILE}"]', NS, 1, 50, 50, 50)
    with Writer(tmp_path / "run.h5", header) as writer:
        writer.write(frame)
        writer.write(replace(frame, time=NS, events=[], logs=[]))
        writer.finish({}, complete=True)
    with Recording(tmp_path / "run.h5") as opened:
        yield opened


@pytest.mark.parametrize("page", ["viewer", "report"])
def test_names_that_are_html_are_only_shown(browser, hostile, tmp_path, page):
    replay = Replay(hostile, None, port=0)
    answering = threading.Thread(target=replay.serve)
    answering.start()
    try:
        if page == "report":
            write_report([take_apart(hostile, None)], tmp_path / "report.html")
        address = replay.server.address
        browser.open(address if page == "viewer" else (tmp_path / "report.html").as_uri())
        until(lambda: "<img src=x" in browser.text())
        assert browser.run("return window.hacked") is None
        assert browser.errors() == []
    finally:
        browser.leave()
        replay.close()
        answering.join()


def test_a_file_plays_without_a_server(browser, recording, tmp_path):
    replay = Replay(recording, None, port=0)
    replay.export(tmp_path / "run.html")
    replay.close()
    browser.open((tmp_path / "run.html").as_uri())
    until(lambda: browser.run("return document.querySelector('canvas') !== null"))
    assert "no requirements" in browser.text(), "its verdict stands over it"
    assert browser.run("return window.hacked") is None
    assert browser.errors() == []
    assert browser.requested() == {(tmp_path / "run.html").as_uri()}
