"""What no type can say: settings that must fit together, or name something that exists."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSimError

from ingest_api.contract.source import LONGEST_AGGREGATED, repeats
from scrapers.config.model import Source
from scrapers.trigger import Cron


def broken_rules(source: Source) -> Iterator[tuple[str, str]]:
    """Each broken rule: the setting, and what to do."""
    if source.every is not None and source.cron is not None:
        yield "cron", "stands beside every: keep one of the two"
    for setting in ("every", "cron", "portal", "start", "fields", "login", "wait"):
        if source.pushed and getattr(source, setting) is not None:
            yield setting, "stands beside pushed: a program delivers this source, there is nothing to run"
    if source.aggregate and len(source.name) > LONGEST_AGGREGATED:
        yield "aggregate", f"needs a name of at most {LONGEST_AGGREGATED} characters: the candles are named after it"
    if source.aggregate and repeats(source.aggregate.windows):
        yield "aggregate.windows", "has the same length twice (60s is 1m): leave one out"
    if source.every is not None and source.every < 1:
        yield "every", "is less than a second: no portal wants that"
    if source.limit < 1:
        yield "limit", "is less than a second: no run is that short"
    if source.login and source.fetch != "browser":
        yield "login", "needs a browser: add fetch: browser"
    if source.wait and source.fetch != "browser":
        yield "wait", "needs a browser: add fetch: browser"
    if source.fields and source.portal:
        yield "portal", "stands beside fields: keep one of the two"
    if source.fields and not source.start:
        yield "start", "is missing: fields need the address of the first page"
    if source.expect.at_most is not None and source.expect.at_most < source.expect.at_least:
        yield "expect.at_most", "is less than at_least"
    if source.misfire is not None and source.misfire < 1:
        yield "misfire", "is less than a second: leave it out to run once, however late"
    for host in source.hosts:
        if "/" in host and not _is_network(host):
            yield "hosts", f"{host!r} is neither a host nor a network: write host, host:port or 10.1.0.0/16"
    yield from _time(source)


def _time(source: Source) -> Iterator[tuple[str, str]]:
    if not _is_zone(source.timezone):
        near = get_close_matches(source.timezone, available_timezones(), n=1)
        hint = f"did you mean {near[0]}?" if near else "write it like Europe/Berlin"
        yield "timezone", f"{source.timezone!r} is no time zone: {hint}"
    elif source.cron is not None:
        reason = _no_cron(source.cron, source.timezone)
        if reason:
            yield "cron", reason


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder, or a name too long for a file
        return False
    return True


def _no_cron(line: str, timezone: str) -> str | None:
    if len(line) > 200:
        return "is too long for a cron line"
    form = 'write minute, hour, day, month, weekday: "*/5 8-18 * * MON-FRI"'
    try:
        first = next(Cron("", line, timezone).slots(datetime.now(UTC)), None)
    except CronSimError as error:
        return f"{line!r} is no cron line ({str(error).lower()}): {form}"
    return None if first else f"{line!r} never comes: {form}"
