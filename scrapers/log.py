"""Logs go to stderr: readable on a terminal, one JSON object a line otherwise; stdout belongs to the entries."""

import sys

import structlog
from structlog.typing import Processor


def configure() -> None:
    """Called once by each command."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    readable: list[Processor] = [structlog.dev.ConsoleRenderer()]
    machine: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *(readable if sys.stderr.isatty() else machine)],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
