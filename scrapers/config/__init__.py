"""The configuration of the scrapers: schedules.yaml, checked with line numbers, and the settings of the environment."""

from scrapers.config.listing import Field, Listing
from scrapers.config.load import load
from scrapers.config.model import Aggregate, Expect, Login, Removal, Schedules, Source
from scrapers.config.settings import Settings

__all__ = ["Aggregate", "Expect", "Field", "Listing", "Login", "Removal", "Schedules", "Settings", "Source", "load"]
