"""The server: stores what scrapers deliver and shows it live. `python -m realtime.serve`"""

# gevent must be in place before anything opens a socket or makes a lock
from gevent import monkey

monkey.patch_all()

import gc  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import ssl  # noqa: E402
import sys  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from contextlib import suppress  # noqa: E402
from itertools import chain  # noqa: E402
from typing import Annotated  # noqa: E402

import gevent  # noqa: E402
import structlog  # noqa: E402
import typer  # noqa: E402
from gevent.event import Event  # noqa: E402

from realtime import logs  # noqa: E402
from realtime.app import App  # noqa: E402
from realtime.errors import RealtimeError, StoreAway  # noqa: E402
from realtime.fanout.takeover import Handler  # noqa: E402
from realtime.processes import WRONG_SETTINGS, Processes  # noqa: E402
from realtime.serving import Server  # noqa: E402
from realtime.settings import Settings  # noqa: E402
from realtime.siblings import Siblings, inboxes  # noqa: E402
from realtime.store.engine import migrate, open_engine  # noqa: E402
from realtime.tls import tls_context  # noqa: E402
from realtime.websocket import Handler as EncryptedHandler  # noqa: E402

DATABASE_AWAY = 4  # the exit code of a start that another try may help
DATABASE_REPLACED = 3  # the exit code that asks to be started again, on the database that is there now
COLLECT = (50_000, 20, 50)  # allocations, and younger collections, between two collections of each age
GRACE = 5.0  # seconds that requests under way may still take when the server is told to end

log = structlog.get_logger()


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (PORTALWIRE_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (PORTALWIRE_PORT).")] = None,
    database: Annotated[str | None, typer.Option(help="Database address (PORTALWIRE_DATABASE_URL).")] = None,
    processes: Annotated[int | None, typer.Option(help="Server processes on this port (PORTALWIRE_PROCESSES).")] = None,
    listener: Annotated[int | None, typer.Option(hidden=True, help="The parent's socket, for a child.")] = None,
    number: Annotated[int, typer.Option(hidden=True, help="Which child it is.")] = 0,
    ends: Annotated[str, typer.Option("--inboxes", hidden=True, help="The two ends of each child's inbox.")] = "",
) -> None:
    """Store what scrapers deliver, and show it live.

    Settings come from the environment, each PORTALWIRE_ variable in the README; the options here go before them.
    Ends on Ctrl-C or SIGTERM, after the requests under way.
    """
    given = {
        "PORTALWIRE_HOST": host,
        "PORTALWIRE_PORT": port,
        "PORTALWIRE_DATABASE_URL": database,
        "PORTALWIRE_PROCESSES": processes,
    }
    environment = {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}
    try:
        settings = Settings.read(environment)
        logs.configure(settings.log_level)
        if settings.processes > 1 and listener is None:
            raise typer.Exit(_serve_together(settings, environment))
        listening = _listen(settings) if listener is None else socket.socket(fileno=listener)
        tls = tls_context(settings)
        siblings = _siblings(number, ends) if ends else None
        app = App(settings, siblings)
    except (RealtimeError, OSError) as error:
        sys.stderr.write(f"portalwire: {error}\n")
        raise typer.Exit(DATABASE_AWAY if isinstance(error, StoreAway) else WRONG_SETTINGS) from error
    _serve(settings, app, listening, tls, siblings)


def _serve_together(settings: Settings, environment: Mapping[str, str]) -> int:
    """Several processes on one socket; the schema is brought up to date before they start."""
    engine = open_engine(settings.database_url, writes=True)
    migrate(engine)
    listener = _listen(settings)
    pairs = inboxes(settings.processes)
    ends = ",".join(f"{inbox.fileno()}:{outbox.fileno()}" for inbox, outbox in pairs)
    command = [sys.executable, "-m", "realtime.serve", "--listener", str(listener.fileno()), "--inboxes", ends]
    descriptors = [each.fileno() for each in (listener, *chain.from_iterable(pairs))]
    together = Processes(
        lambda number: [*command, "--number", str(number)], environment, settings.processes, descriptors
    )
    gevent.signal_handler(signal.SIGTERM, together.stop)
    gevent.signal_handler(signal.SIGINT, together.stop)
    return together.run()


def _siblings(number: int, ends: str) -> Siblings:
    """A child's, by the descriptors it was given."""
    pairs = [[socket.socket(fileno=int(end)) for end in pair.split(":")] for pair in ends.split(",")]
    return Siblings(number, pairs[number][0], [outbox for _, outbox in pairs])


def _serve(
    settings: Settings, app: App, listener: socket.socket, tls: ssl.SSLContext | None, siblings: Siblings | None
) -> None:
    """Serves until it is told to end."""
    shared = {"wsgi.multiprocess": settings.processes > 1}
    encrypted = {} if tls is None else {"ssl_context": tls}
    handler = Handler if tls is None else EncryptedHandler
    server = Server(listener, app.flask, environ=shared, handler_class=handler, log=None, error_log=None, **encrypted)
    server.siblings = siblings
    told_to_end = Event()
    gevent.signal_handler(signal.SIGTERM, told_to_end.set)
    gevent.signal_handler(signal.SIGINT, told_to_end.set)
    _raise_files()
    _rest_the_collector()
    server.start()
    if siblings is not None:
        gevent.spawn(siblings.run, server.take, app.numbers)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{'https' if tls else 'http'}://{host}:{listener.getsockname()[1]}"
    database = settings.database_url.split("@")[-1]
    log.info("serving", address=address, pid=os.getpid(), database=database, epoch=app.store.epoch)
    app.over.rawlink(lambda _: told_to_end.set())
    told_to_end.wait()
    server.end(GRACE)
    app.close()
    log.info("stopped")
    if app.over.is_set():
        raise typer.Exit(DATABASE_REPLACED)


def _raise_files() -> None:
    """A client is a file: as many as the system lets this process have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems say more than they give
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _rest_the_collector() -> None:
    """What is there now stays: the garbage collector need not look through it again and again, and what a batch makes
    and drops again needs no looking through at all. See docs/performance.md."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


def _listen(settings: Settings) -> socket.socket:
    """The listening socket. Without TCP_NODELAY a keep-alive POST waits 40 ms for its answer."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise OSError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): is another server running? "
            "Set PORTALWIRE_PORT to another port."
        ) from error
    listener.listen(4096)
    listener.setblocking(False)
    return listener


if __name__ == "__main__":
    typer.run(serve)
