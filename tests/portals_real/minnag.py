"""Minnesota Attorney General: opinions by date. One document may hold several opinions, told apart by their subject."""

from scrapers import Entry, portal


@portal("minnag", start="https://www.ag.state.mn.us/office/opinions/DATE.asp")
def scrape(visit):
    for row in visit().all('#op p:has(a[href$=".pdf"])', at_least=1):
        link = row.text("a")
        subject = row.text().removeprefix(link).partition(":")[0].strip()
        yield Entry(
            key=f"{row.attr('a', 'href')} {subject}",
            data={"title": link.partition("—")[2], "date": row.date("a strong"), "subject": subject},
            url=row.link("a"),
        )
