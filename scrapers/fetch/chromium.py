"""Where Chromium and its driver are, and how Chromium is started."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scrapers.errors import BrowserMissing

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--no-first-run",
    "--no-default-browser-check",
    "--password-store=basic",
    "--window-size=1280,1024",
)


@dataclass(frozen=True)
class Binaries:
    """Paths of the browser and the driver; what is None Selenium Manager must find."""

    browser: str | None
    driver: str | None


def find(environ: Mapping[str, str] = os.environ) -> Binaries:
    """The browser that PORTALWIRE_CHROMIUM names, or the one on the PATH, with its driver.

    Raises BrowserMissing when PORTALWIRE_CHROMIUM names no file.
    """
    path = environ.get("PATH")
    named = environ.get("PORTALWIRE_CHROMIUM")
    if named and not Path(named).is_file():
        raise BrowserMissing(f"PORTALWIRE_CHROMIUM is {named}, and there is no such file")
    browser = named or next(filter(None, (shutil.which(name, path=path) for name in _BROWSERS)), None)
    beside = str(Path(browser).resolve().parent) if browser else None
    return Binaries(browser, shutil.which("chromedriver", path=path) or shutil.which("chromedriver", path=beside))


def arguments(profile: Path, hosts: Iterable[str], headed: bool) -> list[str]:
    """Chromium's command line. It resolves no host but `hosts`, whatever a page, a script or a redirect asks for."""
    rules = ["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in sorted(hosts))]
    own = [f"--user-data-dir={profile}", f"--host-resolver-rules={', '.join(rules)}"]
    if not headed:
        own.append("--headless=new")
    if os.geteuid() == 0:  # Chromium refuses to start as root with its sandbox
        own.append("--no-sandbox")
    return [*_ARGUMENTS, *own]
