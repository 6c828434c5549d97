"""What tests of the scrapers share."""

from tests.scrapers.door import door
from tests.scrapers.rig import rig
from tests.scrapers.scheduling import started
from tests.scrapers.web import other_web, web

__all__ = ["door", "other_web", "rig", "started", "web"]
