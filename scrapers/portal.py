"""A portal is a function that reads it, in a file of its own; `discover` finds them all."""

import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from ingest_api.contract import Entry
from scrapers.errors import PortalError
from scrapers.visit import Visit

Scrape = Callable[[Visit], Iterator[Entry]]

PORTALS = Path(__file__).with_name("portals")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Portal:
    """How one portal is read. `parser` is the version of that reading: raise it when the same page gives other data."""

    name: str
    start: str
    scrape: Scrape
    parser: str
    doc: str
    file: Path


def portal(name: str, *, start: str, parser: str = "1") -> Callable[[Scrape], Portal]:
    """Makes a generator function `scrape(visit)` the reading of the portal that begins at `start`.

    Raises PortalError for a name or an address that cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise PortalError(f"a portal's name is lower-case letters, digits, '_', '.' and '-', at most 64: not {name!r}")
    address = urlsplit(start)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise PortalError(f"the start of {name} must be an address with http:// or https://, not {start!r}")

    def declare(scrape: Scrape) -> Portal:
        module = inspect.getmodule(scrape)
        doc = inspect.getdoc(module) or inspect.getdoc(scrape) or ""
        return Portal(name, start, scrape, parser, doc, Path(inspect.getfile(scrape)))

    return declare


def discover(*folders: Path) -> dict[str, Portal]:
    """Every portal in the folders' files (default: `scrapers/portals`), by name; files that begin with `_` are helpers.

    Raises PortalError when a file does not import, holds no portal, or when two portals have the same name.
    """
    found, faults = survey(*folders)
    for fault in faults.values():
        raise fault
    return found


def survey(*folders: Path) -> tuple[dict[str, Portal], dict[Path, PortalError]]:
    """What `discover` finds, and beside it each file that it would refuse, with the reason: one does not hide the
    others."""
    found: dict[str, Portal] = {}
    faults: dict[Path, PortalError] = {}
    for folder in folders or (PORTALS,):
        if not folder.is_dir():
            faults[folder] = PortalError(f"there is no folder of portals at {folder}")
        for file in sorted(folder.glob("[!_]*.py")):
            try:
                _add(found, file)
            except PortalError as error:
                faults[file] = error
    return found, faults


def _add(found: dict[str, Portal], file: Path) -> None:
    for new in _portals(file):
        if new.name in found:
            raise PortalError(f"{file} and {found[new.name].file} both hold a portal named {new.name!r}")
        found[new.name] = new


def _portals(file: Path) -> list[Portal]:
    module = _imported(file)
    portals = [value for value in vars(module).values() if isinstance(value, Portal) and value.file == file.resolve()]
    if not portals:
        raise PortalError(f"{file} holds no function with @portal (name it with a leading _ if it is a helper)")
    return portals


def _imported(file: Path) -> ModuleType:
    file = file.resolve()
    name = f"portalwire_portals.{hashlib.blake2b(bytes(file), digest_size=6).hexdigest()}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PortalError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and the like look their module up there
    try:
        spec.loader.exec_module(module)
    except (
        Exception,
        SystemExit,
    ) as error:  # a portal's file may raise anything, and the person needs to know which file it was
        del sys.modules[name]
        raise PortalError(f"{file} does not import: {type(error).__name__}: {error}") from error
    return module
