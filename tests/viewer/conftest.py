"""A real browser without a screen; tests that need one are skipped where it isn't installed."""

import json
import shutil

import pytest


class Browser:
    """A page in Chromium: what it asked for, what it complained about."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url):
        self.leave()
        self.driver.get(url)

    def screen(self, width, height=900, media=""):
        """Make the page so wide [px], which a window may not be, and laid out for a medium."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})

    def leave(self):
        """Leave the page and forget its logs; before its server ends, or the page complains of that."""
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get_log("browser")

    def requested(self):
        """Addresses that the page asked for, but those within itself."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return {url for url in sent if not url.startswith(("data:", "blob:"))}

    def errors(self):
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def run(self, script):
        return self.driver.execute_script(script)

    def text(self):
        """What can be read on the page; nothing while it is without a body, between two documents."""
        return self.run("return document.body?.innerText ?? ''")


@pytest.fixture
def browser(chromium):
    page = Browser(chromium)
    yield page
    page.leave()
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed: no browser to test in")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for switch in (
        "headless=new", "no-sandbox", "no-first-run", "disable-quic", "disable-sync", "disable-component-update",
        "disable-background-networking", "use-gl=angle", "use-angle=swiftshader", "enable-unsafe-swiftshader",
        "window-size=900,600", f"user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    opened.set_page_load_timeout(120)
    opened.set_script_timeout(120)
    yield opened
    opened.quit()
