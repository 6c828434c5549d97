"""Logs: one JSON object a line on standard error, with the ids of the run and the request that caused it.

Libraries log by Python's own logging, and gevent prints what nobody caught: both are led here.
"""

import logging
import sys
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

import gevent
import structlog
from structlog.typing import EventDict, WrappedLogger

QUIETER = {"socketio": logging.ERROR, "engineio": logging.ERROR}
"""Libraries that tell more than anybody wants to know, and the least that is kept of it."""

LINES = 100  # of one event in a second; of what libraries say, of one logger

log = structlog.get_logger()


class Bounded:
    """A processor that leaves lines out where one event happens ever again: LINES of it pass in a second, and how many
    more there were is said with the first line of any kind after that second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: dict[str, int] = {}  # event -> its lines in this second
        self._ends = 0.0

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        if self._clock() >= self._ends:
            self._begin()
        name = line.get("logger") or line["event"]  # what a library says may be different every time
        self._counted[name] = self._counted.get(name, 0) + 1
        if self._counted[name] > LINES:
            raise structlog.DropEvent
        return line

    def _begin(self) -> None:
        """The next second; what is said of the last one has nothing of whoever happens to log now."""
        counted, self._counted, self._ends = self._counted, {}, self._clock() + 1
        for name, count in counted.items():
            if count > LINES:
                Context().run(log.warning, "lines left out", of=name, count=count - LINES)


def configure(level: str) -> None:
    """Sets up logging for the whole process; `level` is debug, info, warning or error."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            Bounded(),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Led()], level=max(number, logging.WARNING), force=True)
    logging.captureWarnings(True)
    for name, least in QUIETER.items():
        logging.getLogger(name).setLevel(least)
    gevent.get_hub().print_exception = _uncaught


class _Led(logging.Handler):
    """Python's own logging, as ours."""

    def emit(self, record: logging.LogRecord) -> None:
        exception = record.exc_info if record.exc_info and record.exc_info[0] else None
        more = {"exc_info": exception} if exception else {}
        level = min(50, max(10, record.levelno - record.levelno % 10))
        log.log(level, _message(record), logger=record.name, **more)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # its arguments are not what it says
        return str(record.msg)


def _uncaught(context: Any, kind: Any, error: Any, traceback: Any) -> None:
    """What nobody caught in a greenlet. A request and a call's arguments may hold a token: only a word of them."""
    if isinstance(context, dict):
        where = f"{context.get('REQUEST_METHOD')} {context.get('PATH_INFO')}"
    else:
        where = getattr(getattr(context, "_run", None), "__qualname__", type(context).__name__)
    log.error("uncaught", where=where[:200], exc_info=(kind, error, traceback))
