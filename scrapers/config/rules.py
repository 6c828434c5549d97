"""What no type can say: settings that must fit together, or name something that exists."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ingest_api.contract.source import LONGEST_AGGREGATED, repeats
from scrapers.config import forms
from scrapers.config.listing import Field, Listing
from scrapers.config.model import Source

KeyPath = tuple[str, ...]  # a setting, and the way to it through mappings


class Broken(NamedTuple):
    """A broken rule: where, what to do, and another setting of the source that it hangs on."""

    at: KeyPath
    what: str
    beside: str | None = None


def broken_rules(source: Source, environ: Mapping[str, str]) -> Iterator[Broken]:
    """Each rule that `source` breaks, in the environment that its runs will have."""
    yield from _together(source)
    yield from _durations(source)
    yield from _forms(source)
    if source.deliver == "redis" and not environ.get("PORTALWIRE_REDIS_URL"):
        yield Broken(("deliver",), "redis needs PORTALWIRE_REDIS_URL: set it to the Redis that the server listens to")


def _together(source: Source) -> Iterator[Broken]:
    if source.every is not None and source.cron is not None:
        yield Broken(("cron",), "stands beside every: keep one of the two", "every")
    for setting in ("every", "cron", "portal", "start", "fields", "login", "wait"):
        if source.pushed and getattr(source, setting) is not None:
            what = "stands beside pushed: a program delivers this source, there is nothing to run"
            yield Broken((setting,), what, "pushed")
    if source.aggregate and len(source.name) > LONGEST_AGGREGATED:
        what = f"needs a name of at most {LONGEST_AGGREGATED} characters: the candles are named after it"
        yield Broken(("aggregate",), what)
    if source.aggregate and repeats(source.aggregate.windows):
        yield Broken(("aggregate", "windows"), "has the same length twice (60s is 1m): leave one out")
    for setting in ("login", "wait"):
        if getattr(source, setting) and source.fetch != "browser":
            yield Broken((setting,), "needs a browser: add fetch: browser", "fetch")
    if source.fields and source.portal:
        yield Broken(("portal",), "stands beside fields: keep one of the two", "fields")
    if source.fields and not source.start:
        yield Broken(("start",), "is missing: fields need the address of the first page", "fields")
    if source.expect.at_most is not None and source.expect.at_most < source.expect.at_least:
        yield Broken(("expect", "at_most"), "is less than at_least")


def _durations(source: Source) -> Iterator[Broken]:
    if source.every is not None and source.every < 1:
        yield Broken(("every",), "is less than a second: no portal wants that")
    if source.limit < 1:
        yield Broken(("limit",), "is less than a second: no run is that short")
    if source.misfire is not None and source.misfire < 1:
        yield Broken(("misfire",), "is less than a second: leave it out to run once, however late")


def _forms(source: Source) -> Iterator[Broken]:
    """Texts that are not what they should be."""
    wrong_zone = forms.zone(source.timezone)
    found: list[tuple[KeyPath, str | None]] = [(("hosts",), forms.host(host)) for host in source.hosts]
    found.append((("timezone",), wrong_zone))
    if source.cron is not None and not wrong_zone:
        found.append((("cron",), forms.cron(source.cron, source.timezone)))
    if source.start is not None:
        found.append((("start",), forms.address(source.start)))
    found += [(at, forms.selector(text, browser=True)) for at, text in _of_the_browser(source)]
    found += _of_the_listing(source.fields) if source.fields else ()
    return (Broken(at, what) for at, what in found if what)


def _of_the_browser(source: Source) -> Iterator[tuple[KeyPath, str]]:
    """Selectors that a browser is given."""
    if source.wait is not None:
        yield ("wait",), source.wait
    if source.login:
        yield ("login", "submit"), source.login.submit
        yield ("login", "until"), source.login.until
        for selector in source.login.fields:
            yield ("login", "fields", selector), selector


def _of_the_listing(listing: Listing) -> Iterator[tuple[KeyPath, str | None]]:
    yield ("fields", "rows"), forms.selector(listing.rows)
    if listing.next is not None:
        yield ("fields", "next"), forms.selector(listing.next)
    for name in ("key", "topic", "url"):
        yield from _of_a_field(("fields", name), getattr(listing, name))
    for name, field in listing.fields.items():
        yield from _of_a_field(("fields", "fields", name), field)


def _of_a_field(at: KeyPath, field: Field | str | None) -> Iterator[tuple[KeyPath, str | None]]:
    if field is None:
        return
    if isinstance(field, str):
        yield at, forms.selector(field)
        return
    if field.selector is not None:
        yield (*at, "selector"), forms.selector(field.selector)
    if field.format is not None:
        yield (*at, "format"), forms.date_format(field.format)
    for code in field.languages:
        yield (*at, "languages"), forms.language(code)
