"""The Pub/Sub channel beside the stream, for senders who accept that Pub/Sub keeps nothing.

Every server process hears every message; the store takes a batch once. What comes while the server or its store is
away, or faster than it is stored, is lost.
"""

from datetime import UTC, datetime
from functools import partial
from queue import Full, Queue

import structlog

from ingest_api.contract import wire
from ingest_api.contract.errors import ContractError, Unavailable
from ingest_api.intake import Intake, stored

CHANNEL = "portalwire:ingest"
WAITING = 100  # messages that may wait; more are dropped

log = structlog.get_logger()


class ChannelDoor:
    """`hear` takes a message without waiting, `run` stores what was heard."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._heard: Queue[bytes] = Queue(WAITING)

    def hear(self, message: bytes) -> None:
        try:
            self._heard.put_nowait(message)
        except Full:
            log.warning("message lost", reason="more messages than can be stored")

    def run(self) -> None:
        """Stores messages, for ever."""
        while True:
            message = self._heard.get()
            structlog.contextvars.clear_contextvars()
            try:
                self._take(message)
            except Unavailable as error:
                log.warning("message lost", reason=error.message)
            except Exception:
                log.exception("message failed")

    def _take(self, message: bytes) -> None:
        try:
            stored(self._intake, partial(wire.open_submission, message, datetime.now(UTC)))
        except Unavailable:
            raise
        except ContractError as error:
            self._intake.bury(message, error)
