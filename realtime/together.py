"""One reading for all who ask the same at once, however many they are."""

from collections.abc import Callable
from typing import Any, TypeVar

from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore

T = TypeVar("T")


class Together:
    """Whoever asks while a reading is under way shares the next one, with all who do: it begins after they asked, and
    so holds what was written before."""

    def __init__(self) -> None:
        self._turns: dict[str, BoundedSemaphore] = {}
        self._next: dict[str, AsyncResult] = {}  # readings that did not begin yet

    def read(self, name: str, reading: Callable[[], T]) -> T:
        """What `reading` returns or raises; readings of one name are the same. Switches."""
        following = self._next.get(name)
        if following is None:
            following = self._next[name] = AsyncResult()
            self._begin(name, reading, following)
        result: T = following.get()
        return result

    def _begin(self, name: str, reading: Callable[[], Any], result: AsyncResult) -> None:
        with self._turns.setdefault(name, BoundedSemaphore()):
            del self._next[name]
            try:
                result.set(reading())
            except Exception as error:  # noqa: BLE001 - raised again to all who asked
                result.set_exception(error)
        if name not in self._next:  # whoever waits for this turn is there
            self._turns.pop(name, None)
