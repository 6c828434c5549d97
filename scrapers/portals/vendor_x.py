"""Feldmark Metallhandel: a public price list, 30 articles a page, in HTML of another age."""

from collections.abc import Iterator

from scrapers import Entry, Page, portal
from scrapers.visit import Visit


@portal("vendor_x", start="http://127.0.0.1:5050/vendor-x/prices")
def scrape(visit: Visit) -> Iterator[Entry]:
    page: Page | None = visit()
    while page:
        # Phones get a second, hidden row of an article; it has the class "m".
        for row in page.all("table.prices tr.item:not(.m)", at_least=1):
            yield Entry(
                key=row["data-sku"],
                topic=row.text(".group").lower(),
                data={
                    "name": row.text(".name"),
                    "price": row.money(".price", decimal=","),
                    "currency": "EUR",
                    "per": row.text(".per"),
                    "valid_from": row.date(".from", order="DMY"),
                    "available": row.text(".avail"),
                },
                url=row.link(".name a"),
            )
        page = page.next("a[rel=next]")
