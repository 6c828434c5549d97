"""Whether a text is what a setting takes: a selector, an address, a date's form, a language, a zone, a cron line.

Each function returns what is wrong with it and what to do, None for a good one.
"""

import ipaddress
from datetime import UTC, date, datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import soupsieve
from cronsim import CronSimError
from dateparser.data.languages_info import language_order

from scrapers.address import is_web
from scrapers.trigger import Cron

_SOME_DAY = date(2031, 12, 25)  # no two of its parts are alike
_OF_BROWSERS = "pseudo-class"  # soupsieve's word for what it does not know; a browser may


def selector(text: str, *, browser: bool = False) -> str | None:
    """A CSS selector; in a browser also with pseudo-classes that only browsers know."""
    try:
        soupsieve.compile(text)
    except soupsieve.SelectorSyntaxError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        if not (browser and _OF_BROWSERS in reason):
            return f"{text!r} is no CSS selector: {reason[0].lower()}{reason[1:]}"
    return None


def address(text: str) -> str | None:
    try:
        good = is_web(text)
    except ValueError:
        good = False
    return None if good else f"{text!r} is no address of a page: it begins with http:// or https:// and a host"


def date_format(text: str) -> str | None:
    try:
        read = datetime.strptime(_SOME_DAY.strftime(text), text).date()
    except ValueError as error:
        return f'{text!r} is no form of a date ({error}): write it as strptime takes it, "%d %B %Y"'
    return None if read == _SOME_DAY else f'{text!r} leaves out the year, the month or the day: write "%d %B %Y"'


def language(code: str) -> str | None:
    if code in language_order:
        return None
    near = get_close_matches(code, language_order, n=1, cutoff=0.5)
    return f"{code!r} is no language: {f'did you mean {near[0]}?' if near else 'write de, en or fr'}"


def zone(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder, or a name too long for a file
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f"did you mean {near[0]}?" if near else "write it like Europe/Berlin"
        return f"{name!r} is no time zone: {hint}"
    return None


def cron(line: str, timezone: str) -> str | None:
    if len(line) > 200:
        return "is too long for a cron line"
    form = 'write minute, hour, day, month, weekday: "*/5 8-18 * * MON-FRI"'
    try:
        first = next(Cron("", line, timezone).slots(datetime.now(UTC)), None)
    except CronSimError as error:
        return f"{line!r} is no cron line ({str(error).lower()}): {form}"
    return None if first else f"{line!r} never comes: {form}"


def host(text: str) -> str | None:
    if "/" in text:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            return f"{text!r} is neither a host nor a network: write host, host:port or 10.1.0.0/16"
    return None
