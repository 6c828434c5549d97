"""US Court of Appeals, First Circuit: opinions. One opinion may decide several dockets, a row each."""

from scrapers import Entry, portal


@portal("ca1", start="https://www.ca1.uscourts.gov/opn/aci")
def scrape(visit):
    for row in visit().all("table.views-table tbody tr", at_least=1):
        docket = row.text(".opn-csno a")
        title = row.text(".opn-short-title").removesuffix(row.text(".opn-short-title span", default="")).strip()
        yield Entry(
            key=f"{row.text('.opn-opnfilelink a')} {docket}",
            data={"title": title, "docket": docket, "date": row.date(".date-display-single", order="YMD")},
            url=row.link(".opn-opnfilelink a"),
        )
