"""Logging in: a form filled from the environment, with the names that the configuration gives."""

from collections.abc import Mapping

from scrapers.config import Login
from scrapers.errors import BrowserFailed, CredentialsMissing, FetchFailed, LoginWall
from scrapers.fetch.driver import Browser


def credentials(login: Login, environ: Mapping[str, str]) -> dict[str, str]:
    """CSS selector of an input -> what goes into it. Raises CredentialsMissing, naming the variables."""
    missing = sorted(name for name in login.fields.values() if not environ.get(name))
    if missing:
        raise CredentialsMissing(f"the login needs {' and '.join(missing)} in the environment")
    return {selector: environ[name] for selector, name in login.fields.items()}


def form(login: Login) -> str:
    """A selector that is there when the login form shows: its last field, by custom the password."""
    return list(login.fields)[-1]


def log_in(browser: Browser, login: Login, values: Mapping[str, str], patience: float) -> None:
    """Fills in and sends the form that the browser shows.

    Raises SelectorFailed while nothing was sent, then LoginWall: whatever went wrong, the portal has counted a try.
    """
    browser.first([form(login)], patience)
    for selector, value in values.items():
        browser.fill(selector, value)
    try:
        browser.click(login.submit)
        let_in = browser.first([login.until], patience)
    except (FetchFailed, BrowserFailed) as error:
        raise LoginWall(f"the login form was sent, and then: {error.message}", page=error.page) from error
    if not let_in:
        raise LoginWall(
            f"the login form was sent and did not let us in within {patience:.0f} s: is the password right?",
            page=browser.url,
            selector=login.until,
        )
    browser.keep_cookies()
