"""A real browser on the review page of a case."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FLAGS = (
    *("--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--window-size=1366,768"),
    "--hide-scrollbars",
)
PATIENCE_S = 60.0


@contextmanager
def served(case: Path) -> Iterator[str]:
    """Run ``guidegen review`` as a user does and yield the address it prints."""
    command = [sys.executable, "-m", "guidegen", "review", str(case), "--no-browser"]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def browser(downloads: Path, *flags: str) -> Iterator[object]:
    """A headless Chromium; the test is skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver")
    found, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not found or not driver:
        pytest.skip("Chromium and its driver are not on this machine (Debian: chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = found
    for flag in (*FLAGS, *flags):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    page = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        page.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 1366, "height": 768, "deviceScaleFactor": 1, "mobile": False},
        )
        yield page
    finally:
        page.quit()


class Reader:
    """Somebody at the page: looks, clicks, types, drags, and waits until it answers."""

    def __init__(self, page: object, address: str) -> None:
        self.page = page
        page.get(address)
        self.until(lambda: self.js("return document.querySelectorAll('tr[data-item]').length") > 0)

    def js(self, script: str, *given: object):
        return self.page.execute_script(script, *given)

    def one(self, selector: str):
        return self.page.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        return " ".join(
            self.js("return document.querySelector(arguments[0]).textContent", selector).split()
        )

    def until(self, holds, patience_s: float = PATIENCE_S):
        end = time.monotonic() + patience_s
        while True:
            try:
                found = holds()
            except Exception:
                found = None
            if found:
                return found
            assert time.monotonic() < end, "the page does not get there"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click as soon as it can be clicked; the page may draw it anew meanwhile."""

        def clicked() -> bool:
            found = self.one(selector)
            if not found.is_enabled():
                return False
            self.js("arguments[0].scrollIntoView({block: 'nearest'})", found)
            found.click()
            return True

        self.until(clicked)

    def type(self, selector: str, text: str, enter: bool = False) -> None:
        field = self.one(selector)
        field.clear()
        field.send_keys(text + ("\n" if enter else ""))

    def number(self, field: str, value: float) -> None:
        """Set a number of the chosen item by typing it."""
        chosen = self.until(lambda: self.one(f"#field-{field}"))
        self.js("arguments[0].scrollIntoView({block: 'center'})", chosen)
        chosen.click()
        self.js("arguments[0].select()", chosen)
        chosen.send_keys(f"{value}\n")

    def problems(self) -> list[str]:
        """Errors that the page or its policy gave."""
        return [
            line["message"] for line in self.page.get_log("browser") if line["level"] == "SEVERE"
        ]

    def shot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.save_screenshot(str(path))
