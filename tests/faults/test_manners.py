"""Promise 9: a portal's own record of who asked for what and when, while several visits of one machine read it."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

from scrapers.errors import ScraperError
from scrapers.fetch.http import HttpVisit
from scrapers.fetch.limits import Limits, Politeness
from tests.faults.configurations import SQLITE
from tests.faults.table import Row, record
from tests.scrapers.web import Request, Web, html, other_web, web

__all__ = ["other_web", "web"]

VISITS = 6
ROUNDS = 2
PACE = 0.05  # seconds
RETRY_AFTER = 1  # seconds
PATHS = ("/list", "/private/list", "/into-private", "/elsewhere", "/disguised", "/busy", "/list?page=2")


def test_a_portals_own_record(web: Web, other_web: Web, tmp_path: Path) -> None:
    held: list[tuple[float, float]] = []  # from when until when nobody may ask
    place = other_web.url.rpartition(":")[2]

    def busy(request: Request) -> None:
        if len(held) < ROUNDS and (not held or held[-1][1] < time.time()):
            held.append((time.time(), time.time() + RETRY_AFTER))
            request.send(status=429, Retry_After=str(RETRY_AFTER))
        else:
            request.send(b"<ul><li>here we are")

    web.pages |= {path: html("<ul><li>Beam</ul>") for path in PATHS}
    web.pages["/robots.txt"] = html("User-agent: *\nDisallow: /private/\n", Content_Type="text/plain")
    web.pages["/into-private"] = lambda request: request.send(status=302, Location="/private/list")
    web.pages["/elsewhere"] = lambda request: request.send(status=302, Location=f"{other_web.url}/list")
    web.pages["/disguised"] = lambda request: request.send(status=302, Location=f"http://2130706433:{place}/list")
    web.pages["/busy"] = busy

    def look(number: int) -> None:
        visit = HttpVisit(
            f"s{number}", f"{web.url}/list", tmp_path, limits=Limits(backoff=0), politeness=Politeness(pace=PACE)
        )
        with closing(visit):
            for step in range(ROUNDS * len(PATHS)):
                with suppress(ScraperError):
                    visit(PATHS[(number + step) % len(PATHS)])

    with ThreadPoolExecutor(VISITS) as pool:
        list(pool.map(look, range(VISITS)))
    asked = web.log
    faults = [each.path for each in asked if each.path.startswith("/private")]
    faults += [f"elsewhere: {each.path}" for each in other_web.log]
    faults += [
        f"{each.path}, {each.at - start:.3f} s into a Retry-After"
        for each in asked
        for start, end in held
        if start + PACE < each.at < end  # one may have been on its way
    ]
    if asked[-1].at - asked[0].at < (len(asked) - 1) * PACE - PACE:
        faults.append("faster than its pace")
    assert len(held) > 1
    record(Row("a portal's own record of requests", SQLITE, 9, len(faults), len(asked), "requests"), faults)
