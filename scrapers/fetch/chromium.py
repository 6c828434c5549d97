"""Where Chromium and its driver are, and how Chromium is started."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scrapers.errors import BrowserMissing
from scrapers.fetch.gate import Gate

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
    "--disk-cache-size=33554432",
    "--mute-audio",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",  # a proxy would make the check of addresses void
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
    path = environ.get("PATH", os.defpath)
    named = environ.get("PORTALWIRE_CHROMIUM")
    if named and not Path(named).is_file():
        raise BrowserMissing(f"PORTALWIRE_CHROMIUM is {named}, and there is no such file")
    browser = named or next(filter(None, (shutil.which(name, path=path) for name in _BROWSERS)), None)
    beside = str(Path(browser).resolve().parent) if browser else ""
    return Binaries(browser, shutil.which("chromedriver", path=os.pathsep.join([path, beside])))


def arguments(profile: Path, gate: Gate, headed: bool) -> list[str]:
    """Chromium's command line. Whatever a page, a script or a redirect asks for, it knows no host but the gate's, and
    those at the address that was checked here."""
    own = [f"--user-data-dir={profile}", f"--host-resolver-rules={', '.join([*_places(gate), 'MAP * ~NOTFOUND'])}"]
    if not headed:
        own.append("--headless=new")
    if os.geteuid() == 0:  # Chromium refuses to start as root with its sandbox
        own.append("--no-sandbox")
    return [*_ARGUMENTS, *own]


def _places(gate: Gate) -> Iterator[str]:
    for host, port in sorted(gate.hosts):
        with suppress(OSError):  # a name without an address stays unknown to the browser too
            address = gate.addresses(host, port)[0]
            yield f"MAP {host}:{port} {f'[{address}]' if ':' in address else address}"
