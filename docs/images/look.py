"""Takes screenshots of pages as people see them: 1440 and 390 px wide, light and dark, and as a PDF for A4 paper.

Usage: python docs/images/look.py FOLDER PAGE.html ...; needs the extra `test`, chromium and chromedriver. What it
writes is for looking at and isn't committed.
"""

from __future__ import annotations

import base64
import sys
import tempfile
import time
from pathlib import Path

from browser import browser
from selenium import webdriver

WIDTHS = {1440: 900, 390: 844}
"""Widths of a screen [px], and its height."""
HIGHEST = 12_000
"""px of a page that are shown."""
SETTLE = 3.0
"""Seconds after which a page has drawn itself."""


def look(page: webdriver.Chrome, file: Path, folder: Path) -> None:
    """Take all pictures of one page."""
    for width, height in WIDTHS.items():
        for scheme in ("light", "dark"):
            screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
            page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            page.get(file.resolve().as_uri())
            time.sleep(SETTLE)
            whole = int(page.execute_script("return document.documentElement.scrollHeight"))
            page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**screen, "height": min(whole, HIGHEST)})
            time.sleep(1.0)
            page.save_screenshot(str(folder / f"{file.stem}-{width}-{scheme}.png"))
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    (folder / f"{file.stem}.pdf").write_bytes(base64.b64decode(printed["data"]))


def main() -> None:
    """Look at the pages named."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        page = browser(Path(profile))
        try:
            for file in files:
                look(page, file, folder)
        finally:
            page.quit()


if __name__ == "__main__":
    main()
