"""Maine Supreme Judicial Court: a year's opinions. The page was moved, so its links lead from where it used to be."""

from urllib.parse import urljoin

from scrapers import Entry, portal


@portal("me", start="https://www.courts.maine.gov/courts/sjc/lawcourt/2014/index.html")
def scrape(visit):
    page = visit()
    for row in page.all('tr:has(a[href^="lawcourt/"][href$=".pdf"])', at_least=1):
        number, case, date = row.all("td")
        link = urljoin(page.url, "../../" + case.attr("a", "href"))
        yield Entry(key=number.text(), data={"title": case.text(), "date": date.date()}, url=link)
