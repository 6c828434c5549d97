"""What can go wrong in a scrape. A class's docstring is its default message, for the person who must act.

`code` is the name by which logs, reports and the page know it; `lasting` says that another try will not mend it.
"""

from ingest_api.contract import RunFault


class ScraperError(Exception):
    """The scraper failed."""

    code = "scraper"
    lasting = False

    def __init__(
        self,
        message: str | None = None,
        *,
        page: str | None = None,
        selector: str | None = None,
        saved: str | None = None,
        body: bytes | None = None,
    ) -> None:
        """`page` is the address, `selector` what was looked for there, `saved` the file that holds the page, `body` the
        page's bytes where they were at hand."""
        self.message = message or " ".join((self.__doc__ or "").split())
        self.page = page
        self.selector = selector
        self.saved = saved
        self.body = body
        super().__init__(self.message)

    def __str__(self) -> str:
        where = [f"page {self.page}"] if self.page else []
        where += [f"selector {self.selector!r}"] if self.selector else []
        where += [f"saved as {self.saved}"] if self.saved else []
        return f"{self.message} ({', '.join(where)})" if where else self.message


class PortalError(ScraperError):
    """The portal's file cannot be used."""

    code = "portal"
    lasting = True


class SelectorFailed(ScraperError):
    """The page does not hold what the scraper expects: was the portal redesigned?"""

    code = "selector"
    lasting = True


class Unreadable(SelectorFailed):
    """The text is there, but it is not the value it should be."""

    code = "unreadable"


class BadEntry(ScraperError):
    """The scraper yielded an entry that the contract does not take."""

    code = "bad_entry"
    lasting = True


class LoginWall(ScraperError):
    """The portal shows a login instead of its entries: give the source a `login`, or renew its credentials."""

    code = "login_wall"
    lasting = True


class BotChallenge(ScraperError):
    """The portal asks whether we are human: look less often, or ask its owner to let Portalwire in."""

    code = "bot_challenge"
    lasting = True


class EmptyPage(ScraperError):
    """The page is empty. If it is drawn by JavaScript, the source needs `fetch: browser`."""

    code = "empty_page"


class TooBig(ScraperError):
    """The page is larger than any parser should be given."""

    code = "too_big"


class FetchFailed(ScraperError):
    """The page did not come."""

    code = "fetch"


class TimedOut(FetchFailed):
    """The page did not come in time."""

    code = "timeout"


class Refused(FetchFailed):
    """The portal refuses the page."""

    code = "refused"
    lasting = True


class Gone(Refused):
    """The portal does not know the page."""

    code = "gone"


class Forbidden(ScraperError):
    """We may not go there: the host is not the source's own, or robots.txt says no."""

    code = "forbidden"
    lasting = True


class BrowserMissing(ScraperError):
    """There is no Chromium with its driver here: install chromium and chromium-driver (Debian), or name the browser in
    PORTALWIRE_CHROMIUM."""

    code = "browser_missing"
    lasting = True


class BrowserFailed(ScraperError):
    """The browser failed; the next visit gets a new one."""

    code = "browser"


class CredentialsMissing(ScraperError):
    """The environment does not hold what the login form is to be filled with."""

    code = "credentials"
    lasting = True


class Hung(ScraperError):
    """The run took longer than its limit and was ended."""

    code = "hung"


class KeyMissing(BadEntry):
    """An entry has no key, so nobody can tell which entries are still there."""

    code = "key_missing"


class PagesMissed(FetchFailed):
    """Pages did not come, so nobody can tell which entries are still there."""

    code = "pages_missed"


class Interrupted(ScraperError):
    """The run was interrupted."""

    code = "interrupted"


class Crashed(ScraperError):
    """The scraper's process ended in the middle of a run."""

    code = "crashed"


class UnknownSource(ScraperError):
    """There is no such source."""

    code = "unknown_source"
    lasting = True


class ConfigError(ScraperError):
    """The configuration cannot be used."""

    code = "config"
    lasting = True

    def __init__(self, problems: list[str]) -> None:
        """Each problem begins with FILE:LINE."""
        self.problems = problems
        super().__init__("\n".join(problems))


class QualityFailed(ScraperError):
    """The run does not look like a good one: see `expect` in schedules.yaml."""

    code = "quality"


class FieldMissing(QualityFailed):
    """Entries lack a field that `expect` requires: was the portal redesigned?"""

    code = "field_missing"
    lasting = True


class DeliveryFailed(ScraperError):
    """The server did not take the entries; they are kept in the spool for the next run."""

    code = "delivery"


class SpoolFull(DeliveryFailed):
    """The spool cannot be written: is the disk full?"""

    code = "spool"


def fault(error: BaseException) -> RunFault:
    """Why a run failed, as its report tells it; an error that is not ours is the scraper's own mistake."""
    if isinstance(error, ScraperError):
        return RunFault(
            code=error.code,
            message=error.message,
            lasting=error.lasting,
            page=error.page,
            selector=error.selector,
            saved=error.saved,
        )
    return RunFault(code="bug", message=f"{type(error).__name__}: {error}", lasting=True)
