"""Alaska Court of Appeals: a search result that holds other opinions too, with links to this very search."""

import re

from scrapers import Entry, portal
from scrapers.values import day

_CASE = re.compile(r"Alaska App\., (?P<date>\w+ \d+, \d{4}) \(NO\. (?P<docket>[^)]+)\)")


@portal("alaskactapp", start="https://govt.westlaw.com/akcases/Search/Results")
def scrape(visit):
    for row in visit().all("li:has(.co_resultsListDescription)", at_least=1):
        case = _CASE.search(row.text(".co_resultsListDescription"))
        if case:
            document = row.link("a.resultLink").partition("?")[0]
            data = {"title": row.text("a.resultLink"), "docket": case["docket"], "date": day(case["date"])}
            yield Entry(key=document.rpartition("/")[2], data=data, url=f"{document}?viewType=FullText&bhcp=1")
