"""A TCP proxy that does to connections what networks do: cut, refuse, delay, trickle, swallow, lose the answer."""

import asyncio
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

CHUNK = 64 * 1024  # bytes
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of a connection that ends by a reset


class Proxy:
    """Between whoever connects to `port` and 127.0.0.1:`target`. `done` counts what it did, by name; `windows` are when
    it did it, by this process's monotonic clock."""

    def __init__(self, target: int = 0) -> None:
        self.target = target
        self.done: Counter[str] = Counter()
        self.windows: list[tuple[float, float]] = []
        self._pause = 0.0  # seconds before each piece
        self._most = CHUNK  # bytes of a piece
        self._silent = self._refusing = False
        self._lose: Callable[[bytes], bool] | None = None  # of which request the answer is lost
        self._open: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> None:
        """Ends every connection by a reset."""
        now = time.monotonic()
        self.windows.append((now, now))
        self._do("cut", self._cut)

    @contextmanager
    def refused(self) -> Iterator[None]:
        """Nobody gets through, and whoever was, is cut."""
        with self._fault("refused"):
            self._refusing = True
            self._do("cut", self._cut)
            yield
            self._refusing = False

    @contextmanager
    def delayed(self, seconds: float) -> Iterator[None]:
        """Each piece takes so much longer, in both directions."""
        with self._fault("delayed"):
            self._pause = seconds
            yield
            self._pause = 0.0

    @contextmanager
    def trickling(self, most: int, pause: float) -> Iterator[None]:
        """So many bytes at a time."""
        with self._fault("trickled"):
            self._most, self._pause = most, pause
            yield
            self._most, self._pause = CHUNK, 0.0

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Half open: connections stay and can be made, and all they say is swallowed. Afterwards whoever says something
        on one of them hears that nobody knows it, as of a router that forgot it."""
        with self._fault("silent"):
            self._silent = True
            yield
            self._silent = False
            self._do("cut", lambda: self._cut(swallowed=True))

    @contextmanager
    def losing_answers(self, of: bytes = b"") -> Iterator[None]:
        """A request that holds `of` reaches the server; its answer is lost, and the connection with it."""
        with self._fault("answers lost"):
            self._lose = lambda said: of in said
            yield
            self._lose = None

    @contextmanager
    def losing_an_answer(self, of: bytes, after: bytes) -> Iterator[None]:
        """The same, only of the first such request once something was asked that holds `after`."""
        asked = iter([after, of])
        sought = next(asked)

        def lose(said: bytes) -> bool:
            nonlocal sought
            if not sought or sought not in said:
                return False
            sought = next(asked, b"")
            return not sought

        with self._fault("an answer lost"):
            self._lose = lose
            yield
            self._lose = None

    @contextmanager
    def _fault(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        self.done[name] += 1
        try:
            yield
        finally:
            self.windows.append((began, time.monotonic()))

    def _do(self, name: str, work: Callable[[], None]) -> None:
        self.done[name] += 1
        asyncio.run_coroutine_threadsafe(_called(work), self._loop).result(10)

    def _cut(self, *, swallowed: bool = False) -> None:
        for connection in list(self._open):
            if connection.swallowed or not swallowed:
                connection.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, sock=self._listener))
        self._loop.run_forever()
        server.close()
        self._cut()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer)
        self._open.add(connection)
        try:
            if self._refusing:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            connection.writers.append(back)
            pumps = self._pump(connection, reader, back, True), self._pump(connection, there, writer, False)
            await asyncio.gather(*pumps)
        except (OSError, asyncio.CancelledError):  # the second at the end of the proxy
            pass
        finally:
            self._open.discard(connection)
            connection.abort()

    async def _pump(
        self, connection: "_Connection", source: asyncio.StreamReader, sink: asyncio.StreamWriter, asks: bool
    ) -> None:
        while piece := await source.read(self._most):
            if self._pause:
                await asyncio.sleep(self._pause)
            if self._silent:
                connection.swallowed = True
            elif asks and self._lose is not None and self._lose(piece):
                connection.answer_lost = True
            elif not asks and connection.answer_lost:
                self.done["answer lost"] += 1
                connection.abort()
            if not connection.swallowed:
                sink.write(piece)
                await sink.drain()
        if not connection.swallowed:
            with suppress(OSError):
                sink.write_eof()


class _Connection:
    """Both halves of one. What `swallowed` something must not go on: it has a hole."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writers = [writer]
        self.swallowed = False
        self.answer_lost = False

    def abort(self) -> None:
        for writer in self.writers:
            held: socket.socket | None = writer.get_extra_info("socket")
            if held is not None and held.fileno() >= 0:
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


async def _called(work: Callable[[], None]) -> None:
    work()
