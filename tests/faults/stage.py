"""A server with a sender before it and clients behind it, put together for one scenario, and counted at its end."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sqlalchemy.exc import OperationalError

from tests.conftest import eventually
from tests.faults import counts
from tests.faults.configurations import SQLITE, Configured, configured
from tests.faults.counts import Span
from tests.faults.follower import Changes, Follower, Following
from tests.faults.node import Noded
from tests.faults.proxy import Proxy
from tests.faults.scripted import Portal
from tests.faults.sender import Sender, Way, by_http
from tests.faults.service import Service

SOURCE = "vendor_x"


@dataclass
class Stage:
    """All of it runs."""

    configuration: str
    setup: Configured
    service: Service
    sender: Sender
    clients: list[Following]
    _stack: ExitStack
    log: Changes = field(default_factory=list)
    kept: set[str] = field(default_factory=set)  # batches that the database has
    ahead: list[tuple[str, int, int]] = field(default_factory=list)
    timed: bool = True  # the server's clock is never set: what it tells of the time counts

    def look(self) -> None:
        """Whether a client was told of what is not in the database: its name, its cursor and the head."""
        had = [(client, len(client.lives), client.cursor) for client in self.clients]
        with suppress(OperationalError):  # the database is away too
            head = counts.head_of(self.database, SOURCE)
            self.ahead += [
                (client.name, cursor, head)
                for client, lives, cursor in had
                if cursor > head and lives == len(client.lives)
            ]

    def notes(self) -> Counter[str]:
        """What people said, and how often it is in the database."""
        return counts.notes_of(self.database)

    @property
    def database(self) -> str:
        return self.setup.environment["PORTALWIRE_DATABASE_URL"]

    def deliver(self, count: int) -> None:
        """So many batches; every third time the clients are waited for, so that some find them there."""
        for number in range(count):
            if number % 3 == 0:
                self.gather()
            self.sender.deliver(1)

    @contextmanager
    def delivering(self, count: int) -> Iterator[Future[None]]:
        """The same beside something else; at the end it is waited for."""
        with ThreadPoolExecutor(1) as pool:
            delivery = pool.submit(self.sender.deliver, count)
            yield delivery
            delivery.result()

    def misses(self, delivery: Future[None]) -> None:
        """Until the sender, while it delivers, got no answer once more."""
        before = self.sender.unanswered
        eventually(lambda: self.sender.unanswered > before or delivery.done(), what="the sender misses an answer")

    def another(self) -> None:
        """One more client comes, who has nothing yet."""
        self.clients.append(self._stack.enter_context(Follower(self.clients[0].url, SOURCE)))

    def gather(self) -> None:
        """Until every client is in its room."""
        for client in self.clients:
            eventually(lambda client=client: client.there, what=f"{client.name} is in its room")

    def settle(self) -> None:
        """Until every client has everything; then they go."""
        self._read()
        for client in self.clients:
            eventually(lambda client=client: client.cursor >= len(self.log), what=f"{client.name} has everything")
        self._stack.close()

    def leave(self) -> None:
        """The clients go as they are."""
        self._stack.close()
        self._read()

    def _read(self) -> None:
        self.log = counts.log_of(self.database, SOURCE)
        self.kept = counts.kept_of(self.database, SOURCE)

    def count(self, scenario: str, apart: Sequence[Span] = ()) -> None:
        """Records what was broken of the promises 1 to 5 and 7."""
        self.settle()
        counts.note(scenario, self.configuration, self.found(apart))

    def found(self, apart: Sequence[Span] = ()) -> dict[int, counts.Found]:
        """What was broken of each promise."""
        wrong, changes, _ = counts.missed(self.clients, self.log)
        told, others, _ = counts.told(self.clients, self.timed)
        lost, acknowledged, of = counts.lost(self.sender, self.log)
        return {
            1: ([*lost, *counts.unkept(self.sender, self.kept)], acknowledged, of),
            2: counts.extra(self.sender, self.log),
            3: counts.gaps(self.log),
            4: ([*wrong, *told, *self.ahead], changes + others, "changes, watermarks and ticks that clients took"),
            5: counts.late(self.clients, self.sender, apart),
            7: counts.differing(self.sender),
        }


@contextmanager
def staged(
    configuration: str,
    folder: Path,
    seed: int,
    *,
    fault: str = "",
    kills: int = 1,
    bug: str = "",
    portal: Portal | None = None,
    setup: Configured | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    way: Callable[[str], Way] = by_http,
    to_door: Proxy | None = None,
    to_clients: Proxy | None = None,
) -> Iterator[Stage]:
    """`way` is the sender's to the server at an address. Proxies may be between it and the door, and between clients
    and server. `setup` is there already where a scenario changes it; what `environment` says goes before its own."""
    with ExitStack() as stack:
        made = setup or stack.enter_context(configured(configuration, folder))
        service = Service(folder, {**made.environment, **environment}, fault, kills, bug)
        service.start()
        stack.callback(service.stop)
        sender = Sender(portal or Portal(SOURCE, seed), way(_through(to_door, service)))
        with ExitStack() as clients:
            seen_at = _through(to_clients, service)
            followers: list[Following] = [
                *(clients.enter_context(Follower(seen_at, SOURCE, history=history)) for history in (False, True)),
                clients.enter_context(Noded(seen_at, SOURCE, history=bool(seed % 2))),
            ]
            stage = Stage(configuration, made, service, sender, followers, clients)
            if configuration != SQLITE:  # whoever opens that after a kill repairs it, which is the server's part
                sender.look = stage.look
            yield stage


def _through(proxy: Proxy | None, service: Service) -> str:
    if proxy is None:
        return service.url
    proxy.target = service.port
    return f"http://127.0.0.1:{proxy.port}"
