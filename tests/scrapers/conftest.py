"""What tests of the scrapers share."""

from tests.scrapers.web import other_web, web

__all__ = ["other_web", "web"]
