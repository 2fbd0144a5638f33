"""A browser without a screen, for the scripts beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from selenium import webdriver

WAIT = 600.0
"""Seconds that a page may take: drawing without a graphics card takes its time."""


def browser(folder: Path) -> webdriver.Chrome:
    """Open Chromium with its profile in `folder`."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for switch in ("headless=new", "no-sandbox", "no-first-run", "hide-scrollbars", "use-gl=angle",
                   "use-angle=swiftshader", "enable-unsafe-swiftshader", f"user-data-dir={folder}"):  # fmt: skip
        options.add_argument(f"--{switch}")
    page = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    page.command_executor.client_config.timeout = WAIT
    page.set_page_load_timeout(WAIT)
    return page
