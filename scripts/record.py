"""A recorded minute of `make run`: both demo vendors live on the page, as docs/live.webp.

    make record                          a minute
    make record ARGS="20 /tmp/live.webp"    so many seconds, to another file

It runs everything on free ports with a database of its own, opens the page in a headless Chromium, waits until both
vendors have been read, and takes the window twice a second.
"""

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from scrapers.fetch.chromium import find

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "live.webp"
VENDORS = {"vendor_x": "Feldmark Metallhandel", "vendor_y": "Quarrelle Drives"}  # name -> title
MINUTE, EVERY = 60.0, 0.5  # seconds
WIDTH, HEIGHT = 1120, 700  # of the window
SHOWN = 840  # pixels, of the picture's width
READY = 120.0  # seconds until both vendors must be there
QUALITY = 60  # of WebP
MARK_READ = """
const button = [...document.querySelectorAll("button")].find((each) => each.textContent === "Mark read");
if (button) button.click(); // so that only what comes from now on is marked
"""


def main(seconds: float, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="portalwire-record-") as folder:
        with everything(Path(folder)) as url, browser(Path(folder)) as chrome:
            chrome.get(f"{url}/#/live")
            wait_for_both(url, chrome)
            chrome.execute_script(MARK_READ)
            say(f"recording {seconds:g} seconds")
            frames = [picture(chrome) for _ in ticks(seconds)]
        frames[0].save(
            target,
            save_all=True,
            append_images=frames[1:],
            duration=int(EVERY * 1000),
            loop=0,
            quality=QUALITY,
            method=6,
        )
    say(f"{len(frames)} frames, {target.stat().st_size / 1e6:.2f} MB: {target}")


@contextmanager
def everything(folder: Path) -> Iterator[str]:
    """`make run` meanwhile; the address of its page."""
    environment = {
        **os.environ,
        "PORTALWIRE_PORT": "0",
        "PORTALWIRE_DEMO_PORT": "0",
        "PORTALWIRE_DATABASE_URL": f"sqlite:///{folder / 'record.db'}",
        "PORTALWIRE_VAR": str(folder / "var"),
    }
    command = [sys.executable, str(ROOT / "scripts" / "run.py")]
    with (folder / "run.log").open("wb") as log:
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield address(running, folder / "run.log")
    finally:
        running.send_signal(signal.SIGINT)
        running.wait()


def address(running: subprocess.Popen[bytes], log: Path) -> str:
    """Where it says that the page is. Ends the program when it ends without saying so."""
    while not (said := re.search(r"Portalwire is at (\S+)", log.read_text(errors="replace"))):
        if running.poll() is not None:
            sys.exit(log.read_text(errors="replace"))
        time.sleep(0.1)
    return said[1]


@contextmanager
def browser(folder: Path) -> Iterator[Chrome]:
    binaries = find()
    options = ChromeOptions()
    options.binary_location = binaries.browser or ""
    for argument in ("--headless=new", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    chrome = Chrome(options=options, service=ChromeService(binaries.driver))
    screen = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        yield chrome
    finally:
        chrome.quit()


def wait_for_both(url: str, chrome: Chrome) -> None:
    """Until both vendors hold entries and are vouched for, and the page lists them. Ends the program when they do not
    come."""
    until = time.monotonic() + READY
    while not (fresh(url) >= VENDORS.keys() and listed(chrome)):
        if time.monotonic() > until:
            sys.exit(f"after {READY:.0f} s there are {fresh(url)}, not {set(VENDORS)}: does `make run` work here?")
        time.sleep(0.2)


def listed(chrome: Chrome) -> bool:
    rail = str(chrome.execute_script("return document.getElementById('rail').textContent"))
    return all(title in rail for title in VENDORS.values())


def fresh(url: str) -> set[str]:
    sources = requests.get(f"{url}/api/sources", timeout=10).json()["sources"]
    return {source["name"] for source in sources if source["state"] == "fresh" and source["present"]}


def ticks(seconds: float) -> Iterator[int]:
    """A number each EVERY seconds; a late one is not made up for."""
    begun = time.monotonic()
    for number in range(int(seconds / EVERY)):
        time.sleep(max(0.0, begun + number * EVERY - time.monotonic()))
        yield number


def picture(chrome: Chrome) -> Image.Image:
    """The window as it is now."""
    taken = chrome.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    window = Image.open(io.BytesIO(b64decode(taken["data"]))).convert("RGB")
    return window.resize((SHOWN, SHOWN * window.height // window.width), Image.Resampling.LANCZOS)


def say(what: str) -> None:
    print(f"record: {what}", flush=True)


if __name__ == "__main__":
    seconds, target = [*sys.argv[1:], *[str(MINUTE), str(TARGET)][len(sys.argv) - 1 :]]
    main(float(seconds), Path(target))
