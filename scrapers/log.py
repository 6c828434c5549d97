"""Logs go to stderr: readable on a terminal, one JSON object a line otherwise; stdout belongs to the entries."""

import logging
import sys

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor


def configure(*, on_terminal: int = logging.INFO) -> None:
    """Called once by each command; `on_terminal` is the least level that a person is shown."""
    is_terminal = sys.stderr.isatty()
    level = on_terminal if is_terminal else logging.INFO
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    readable: list[Processor] = [structlog.dev.ConsoleRenderer()]
    machine: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    rendered = readable if is_terminal else machine
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _capture(shared, rendered, level)


def _capture(shared: list[Processor], rendered: list[Processor], level: int) -> None:
    """What libraries have to say, in the same form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(foreign_pre_chain=shared, processors=[ProcessorFormatter.remove_processors_meta, *rendered])
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING))
    logging.captureWarnings(True)
