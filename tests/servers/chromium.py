"""A real browser: the machine's Chromium, or Debian's, installed when we may, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.servers.packages import find_or_install

PLACES = ["/usr/bin", "/usr/local/bin", "/snap/bin"]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A browser without a window. Raises ServerError when there is none and none can be had."""
    program = find_or_install("chromium", places=PLACES, package="chromium")
    # Root may not use Chromium's own sandbox, and it visits nothing but this machine.
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=arguments)
        try:
            yield browser
        finally:
            browser.close()
