"""Makes viewer.png and report.png of docs/looking.md anew, in a browser without a screen.

Usage: python docs/images/make.py; needs the extra `test`, chromium and chromedriver.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from browser import WAIT, browser
from selenium import webdriver
from selenium.common.exceptions import TimeoutException

from twin.recording.reader import Recording
from twin.runs.surroundings import sea_of, world_of
from twin.viewer.replay import Replay

HERE = Path(__file__).resolve().parent
RUN = (
    "run city/patrol -o bad.h5 --set network.kind=fixed --set network.delay=150ms --set network.loss=0.5 "
    "--set network.jitter.kind=exponential --set network.jitter.scale=80ms"
)
SHOWN_AT = 22.5  # s


def until(condition: Callable[[], object]) -> None:
    """Wait for something."""
    end = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > end:
            sys.exit("waited in vain")
        time.sleep(0.5)


def picture(page: webdriver.Chrome, name: str) -> None:
    """Save what is seen; while the page draws, the browser may be too busy for that."""

    def saved() -> bool:
        try:
            return page.save_screenshot(str(HERE / name))
        except TimeoutException:
            return False

    until(saved)


def viewer(page: webdriver.Chrome, path: Path) -> None:
    """Take a picture of the viewer."""
    page.set_window_size(1300, 1000)
    with Recording(path) as run:
        world = world_of(run)
        replay = Replay(run, None if world is None else world.geometry, port=0, sea=sea_of(run, world))
        replay.player.seek(SHOWN_AT)
        answering = threading.Thread(target=replay.serve)
        answering.start()
        page.get(f"http://127.0.0.1:{replay.server.get_port()}/")
        until(lambda: page.find_elements("css selector", "[role=slider]"))
        time.sleep(60.0)  # the scene has no mark by which one sees that all of it is there
        # It draws without end, which leaves a browser without a graphics card no time for a picture.
        page.execute_script("window.requestAnimationFrame = () => 0")
        page.execute_script("document.querySelectorAll('.mantine-Notification-root').forEach(note => note.remove())")
        picture(page, "viewer.png")
        page.get("about:blank")
        replay.close()
        answering.join()


def report(page: webdriver.Chrome, path: Path) -> None:
    """Take a picture of the top of the report."""
    page.set_window_size(1280, 1400)
    page.get(path.as_uri())
    until(lambda: page.execute_script("return document.querySelectorAll('.main-svg').length") >= 3)
    time.sleep(2.0)
    picture(page, "report.png")


def main() -> None:
    """Run, look, and take the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for line in (RUN, "report bad.h5 -o bad.html"):
            subprocess.run([sys.executable, str(HERE.parents[1] / "cli.py"), *line.split()], cwd=folder, check=False)
        page = browser(folder / "chromium")
        try:
            report(page, folder / "bad.html")
            viewer(page, folder / "bad.h5")
        finally:
            page.quit()


if __name__ == "__main__":
    main()
