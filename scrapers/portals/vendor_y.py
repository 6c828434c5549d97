"""Quarrelle Drives: stock and prices behind a login, in a table that a script draws. Needs `fetch: browser`."""

from collections.abc import Iterator

from scrapers import Entry, Page, portal
from scrapers.visit import Visit


@portal("vendor_y", start="http://127.0.0.1:5050/vendor-y/stock")
def scrape(visit: Visit) -> Iterator[Entry]:
    page: Page | None = visit()
    while page:
        for row in page.all("#stock tr[data-part]", at_least=1):
            yield Entry(
                key=row["data-part"],
                topic=row.text(".range"),
                data={
                    "name": row.text(".name"),
                    "price": row.money(".price"),
                    "currency": "GBP",
                    "stock": row.number(".stock"),
                    "lead_days": row.number(".lead"),
                },
                url=row.link(".part a"),
            )
        page = page.next("#more a.next")
