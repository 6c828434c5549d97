"""Everything at once, until Ctrl-C: the server, the scheduler and the demo portals of the Procfile.

    make run                        embedded: one server process, no Redis
    make run REDIS=1 PROCESSES=2    a private Redis, with its files in ./var/redis, and two server processes

Honcho runs them. This program sees beforehand that they can run, says where the page is once the server answers, and
adopts every process that loses its parent (a browser whose driver was killed), so that at the end none is left. It is
two processes, of which each ends what is left when the other is killed.
"""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import listening
import orphans

from scrapers.config import load
from scrapers.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
HONCHO_KILLS_AFTER = 5.0  # seconds, as it is written in Honcho
TICKS = "vendor_ticks"  # the source that the exchange delivers


def main() -> int:
    os.chdir(ROOT)
    env = environment()
    place = listening.place(env)
    see_delivery(env, place)
    names = programs(env)
    return orphans.overseen(lambda: run(names, env, place))


def run(names: list[str], env: dict[str, str], place: listening.Place) -> int:
    """Until one of the programs ends, or we are asked to."""
    orphans.adopt()
    command = [sys.executable, "-m", "honcho", "start", *names]
    honcho = subprocess.Popen(command, env=env, start_new_session=True, preexec_fn=orphans.end_with_parent)
    asked: list[float] = []  # when we were asked to stop

    def stop(*_: object) -> None:
        asked.append(time.monotonic())
        honcho.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    announced = False
    try:
        while honcho.poll() is None:
            announced = announced or announce(place)
            orphans.bury(besides=honcho.pid)
            if hung_up() or (asked and time.monotonic() - asked[0] > HONCHO_KILLS_AFTER + 1):
                honcho.kill()  # it cannot write any more, or waits for an orphan that holds a pipe to it
            time.sleep(0.1)
    finally:
        orphans.end()
    return 0 if asked else honcho.returncode or 1


def environment() -> dict[str, str]:
    """The environment of all processes: what is set stays, the rest is the demo's. An empty variable is not set."""
    defaults = {
        "PORTALWIRE_HOST": "127.0.0.1",
        "PORTALWIRE_PORT": "5000",
        "PORTALWIRE_DEMO_PORT": "5050",
        "PORTALWIRE_DEMO_EVERY": "4",
        "PORTALWIRE_DEMO_USER": "buyer",  # the demo asks for these, the scheduler logs in with them
        "PORTALWIRE_DEMO_PASSWORD": "demo",
        "PYTHONUNBUFFERED": "1",
    }
    given = {name: value for name, value in os.environ.items() if value or not name.startswith("PORTALWIRE_")}
    env = {**defaults, **given}
    listening.number(env, "PORTALWIRE_DEMO_EVERY", least=0.01)
    listening.number(env, "PORTALWIRE_DEMO_TICKS", least=0)
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return env


def see_delivery(env: dict[str, str], place: listening.Place) -> None:
    """Scrapers deliver to this server, unless told otherwise. What its certificate names we cannot know."""
    if place.tls and "PORTALWIRE_INGEST_URL" not in env:
        sys.exit(
            "PORTALWIRE_TLS_CERTIFICATE is set: set PORTALWIRE_INGEST_URL too, to https:// and the name that the "
            "certificate is for, so that the scrapers can deliver; or unset it."
        )
    env.setdefault("PORTALWIRE_INGEST_URL", place.url)


def programs(env: dict[str, str]) -> list[str]:
    """The names of the Procfile that run: the exchange where its source is configured, the Redis when one is asked for.
    Ends the program when schedules.yaml cannot be used."""
    redis = ["redis"] if own_redis(env) else []
    if env.get("PORTALWIRE_REDIS_URL"):
        env.setdefault("PORTALWIRE_DEMO_DOOR", "redis")  # schedules.yaml: where vendor_x delivers
    try:
        sources = load(Path(env.get("PORTALWIRE_SCHEDULES", "schedules.yaml")), env).sources
    except ConfigError as error:
        sys.exit(str(error))
    return [*redis, "server", "scheduler", "demo", *(["ticks"] if TICKS in sources else [])]


def own_redis(env: dict[str, str]) -> bool:
    """Whether a Redis of our own is needed, and `env` names no other; its address is then added."""
    env["PORTALWIRE_PROCESSES"] = env.get("PROCESSES") or env.get("PORTALWIRE_PROCESSES") or "1"
    wanted = env.get("REDIS") or env["PORTALWIRE_PROCESSES"] != "1"
    if not wanted or env.get("PORTALWIRE_REDIS_URL"):
        return False
    folder = Path(env.get("PORTALWIRE_VAR", "var")).absolute() / "redis"
    env["REDIS_PORT"], env["REDIS_FOLDER"] = str(listening.free_port()), str(folder)
    env["PORTALWIRE_REDIS_URL"] = f"redis://127.0.0.1:{env['REDIS_PORT']}/0"
    folder.mkdir(parents=True, exist_ok=True)
    return True


def announce(place: listening.Place) -> bool:
    """Says where the page is, if the server is ready."""
    if not place.ready():
        return False
    with suppress(BrokenPipeError):  # nobody reads it any more: the next look finds that too
        print(f"\n  Portalwire is at {place.url}   (Ctrl-C ends it)\n", flush=True)
    return True


def hung_up() -> bool:
    """Whether the terminal or the pipe that we write to is gone. Make, which got the signal for it, keeps it."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    return bool(poll.poll(0))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before anything was started
        sys.exit(130)
