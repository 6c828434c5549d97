"""A portal that behaves as a test scripts it, on a real server, and keeps its own record of what it showed to whom."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from scrapers import Entry, portal
from scrapers.portal import Portal
from scrapers.visit import Visit
from tests.scrapers.web import Request, Web

Data = dict[str, str]
Mood = Literal["well", "heals", "cut", "gone", "empty", "torn", "login", "forgets", "shifts"]
"""How the portal is while a run looks at it. One page of the listing is cut off once, or always, is gone, has no items,
ends in the middle of its markup or asks for a login; or the listing ends after its first item, as if that were all; or
an item goes while it is read, so that another one slips from the page to come to the page that was read already."""

PAGE = 2  # items of a page of the listing
PAGES = 16  # at most, so many that no program fills them
LOGIN = "<title>Log in</title><form action=/login><input type=password name=p></form>"


@dataclass
class Look:
    """What one run was shown, in order. `ended` is when the portal had shown all that it would as a whole listing."""

    number: int
    mood: Mood
    page: int  # that the mood spoils
    shown: dict[str, Data] = field(default_factory=dict)
    ended: bool = False
    spoiled: int = 0  # times


class ScriptedPortal(Web):
    """Serves `/WHO/NUMBER`, the listing's pages. `truth` is what it has now, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.truth: dict[str, Data] = {}
        self.taken_down: Counter[str] = Counter()  # how often each key was
        self._looks: dict[str, Look] = {}  # who looks -> what it is shown
        self._numbers = iter(range(1, 1_000_000))
        self._lock = threading.Lock()

    def looked_at(self, who: str, mood: Mood, page: int) -> Look:
        """A run of `who` begins to look now."""
        for number in range(PAGES):
            self.pages[f"/{who}/{number}"] = partial(self._serve, who, number)
        look = self._looks[who] = Look(next(self._numbers), mood, page % self._count())
        return look

    def put(self, key: str, price: int) -> None:
        """An item comes, or is another price now."""
        self.truth[key] = {"name": f"Item {key}", "price": f"{price}.50"}

    def take_down(self, key: str) -> None:
        del self.truth[key]
        self.taken_down[key] += 1

    def shuffle(self, seed: int) -> None:
        keys = list(self.truth)
        random.Random(seed).shuffle(keys)
        self.truth = {key: self.truth[key] for key in keys}

    def _count(self) -> int:
        return max(1, -(-len(self.truth) // PAGE))

    def _serve(self, who: str, number: int, request: Request) -> None:
        with self._lock:
            look = self._looks[who]
            if number == look.page and look.mood not in ("well", "forgets", "shifts"):
                look.spoiled += 1
                if look.mood != "heals" or look.spoiled == 1:
                    self._spoil(look, request)
                    return
            keys = list(self.truth)[number * PAGE : (number + 1) * PAGE]
            last = number + 1 >= self._count()
            if look.mood == "forgets":
                keys, last = keys[:1], True
            look.shown |= {key: self.truth[key] for key in keys}
            look.ended = last and bool(keys)
            request.send(self._listing(keys, None if last else f"/{who}/{number + 1}"))
            if look.mood == "shifts" and number == look.page and not last:
                self.take_down(keys[0])

    def _spoil(self, look: Look, request: Request) -> None:
        whole = self._listing(list(self.truth), None)
        if look.mood == "gone":
            request.send(b"<p>no such page", 404)
        elif look.mood == "empty":
            request.send(self._listing([], None))
        elif look.mood == "torn":
            request.send(whole[: len(whole) // 2])
        elif look.mood == "login":
            request.send(LOGIN.encode())
        else:
            request.send_response(200)
            request.send_header("Content-Type", "text/html")
            request.send_header("Content-Length", str(len(whole)))
            request.end_headers()
            request.wfile.write(whole[: len(whole) // 2])
            request.close_connection = True

    def _listing(self, keys: list[str], following: str | None) -> bytes:
        items = "".join(
            f"<li id={key}><b>{self.truth[key]['name']}</b> <i>€ {self.truth[key]['price']}</i></li>" for key in keys
        )
        link = f'<a rel=next href="{following}">next</a>' if following else ""
        return f"<h1>Our prices</h1><a href=/>home</a><ul>{items}</ul><footer>{link}</footer>".encode()


def scraper(name: str, start: str) -> Portal:
    """How a `ScriptedPortal` is read."""

    @portal(name, start=start)
    def scrape(visit: Visit) -> Iterator[Entry]:
        page = visit()
        while page:
            page.one("footer")
            for row in page.all("li", at_least=1):
                yield Entry(key=row["id"], data={"name": row.text("b"), "price": row.money("i")})
            page = page.next("a[rel=next]")

    return scrape
