"""Reads portals that have no API: fetches their pages, takes the entries from them and delivers those."""

from ingest_api.contract import Entry
from scrapers.page import Page, Row
from scrapers.portal import Portal, portal

__all__ = ["Entry", "Page", "Portal", "Row", "portal"]
