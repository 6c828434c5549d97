"""The page as a reader has it: what it says, what it shows, what one does on it."""

from pathlib import Path
from typing import Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.conftest import ROOT, eventually

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WITHIN = 60.0  # seconds

ROWS = """
return [...document.querySelectorAll("#rows tr[data-id]")].map((tr) => ({
  id: tr.dataset.id, kind: tr.dataset.kind, unread: "unread" in tr.dataset,
  name: tr.querySelector(".open").textContent, text: tr.innerText,
  struck: getComputedStyle(tr.querySelector(".open")).textDecorationLine,
}))
"""

RUN_AXE = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  done(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" | ")}`)));
"""


class Reading:
    """One browser on the page of one server."""

    def __init__(self, chrome: Chrome, url: str) -> None:
        self.chrome = chrome
        self.url = url

    def open(self, hash: str = "#/live") -> "Reading":
        """Loads the page anew, as a visitor who was never here, and waits until it is live."""
        self.resize(1440)
        self.theme("light")
        self.arrive(hash)
        self.wait(lambda: self.line == "live", "the page is live")
        return self

    def arrive(self, hash: str = "#/live") -> None:
        """Loads the page as a visitor who was never here: cookies are those of a host, whatever its port."""
        self.chrome.get("about:blank")
        self.chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.chrome.get(f"{self.url}/openapi.json")
        self.chrome.execute_script("localStorage.clear()")
        self.chrome.get(f"{self.url}/{hash}")

    def go(self, hash: str) -> None:
        self.chrome.execute_script("location.hash = arguments[0]", hash)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(script, *arguments)

    def wait(self, condition: Any, what: str, within: float = WITHIN) -> Any:
        return eventually(condition, within, what)

    def press(self, keys: str) -> None:
        self.chrome.switch_to.active_element.send_keys(keys)

    def escape(self) -> None:
        self.press(Keys.ESCAPE)

    def click(self, selector: str) -> None:
        """Clicks on it where it is then: what was found may be drawn anew before the click."""
        self.wait(lambda: self._clicked(selector), f"{selector} is clicked")

    def _clicked(self, selector: str) -> bool:
        try:
            self.chrome.find_element(By.CSS_SELECTOR, selector).click()
        except StaleElementReferenceException:
            return False
        return True

    def text(self, selector: str) -> str:
        return str(self.js("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    @property
    def line(self) -> str:
        return str(self.js("return document.body.dataset.line ?? ''"))

    @property
    def claim(self) -> str:
        return self.text("#claim-text")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows that exist in the document, from the top."""
        found: list[dict[str, Any]] = self.js(ROWS)
        return found

    @property
    def names(self) -> list[str]:
        return [row["name"] for row in self.rows]

    def row(self, id: str) -> dict[str, Any]:
        return next((row for row in self.rows if row["id"] == id), {})

    def resize(self, width: int, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def theme(self, scheme: str) -> None:
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def violations(self) -> list[str]:
        """What axe finds wrong with the page as it is."""
        if not self.js("return Boolean(window.axe)"):
            self.js(Path(AXE).read_text())
        found: list[str] = self.chrome.execute_async_script(RUN_AXE)
        return found
