"""What a stranger would check of every page that they see in a browser."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}


def look(page: Page, name: str, pictures: Path | None) -> None:
    """Anybody can use it, on a desk and on a phone. Keep a picture of each, if there is a folder for them."""
    for width, (wide, high) in WIDTHS.items():
        page.set_viewport_size({"width": wide, "height": high})
        assert page.evaluate("document.documentElement.scrollWidth") <= wide, f"{name} is too wide on a {width}"
        violations = Axe().run(page).response["violations"]
        assert [(one["id"], one["impact"]) for one in violations] == [], name
        if pictures:
            page.screenshot(path=pictures / f"{name}-{width}.png", full_page=True)
