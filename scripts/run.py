"""Everything at once, until Ctrl-C: the server, the scheduler and the demo portals of the Procfile.

    make run                        embedded: one server process, no Redis
    make run REDIS=1 PROCESSES=2    a private Redis, with its files in ./var/redis, and two server processes

Honcho runs them. This program sees that their ports are free, says where the page is once the server answers, and
adopts every process that loses its parent (a browser whose driver was killed), so that at the end none is left.
"""

import ctypes
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
HONCHO_KILLS_AFTER = 5.0  # seconds, as it is written in Honcho
PATIENCE = 3.0  # seconds between asking an orphan to end and ending it


def main() -> int:
    env = environment()
    host, port = env["PORTALWIRE_HOST"], int(env["PORTALWIRE_PORT"])
    for setting in ("PORTALWIRE_PORT", "PORTALWIRE_DEMO_PORT"):
        if taken(host, int(env[setting])):
            sys.exit(f"Port {env[setting]} is in use: end what runs there, or set {setting} to a free one.")
    adopt_orphans()
    command = [sys.executable, "-m", "honcho", "start", *programs(env)]
    honcho = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True, preexec_fn=end_with_parent)
    asked: list[float] = []  # when we were asked to stop

    def stop(*_: object) -> None:
        asked.append(time.monotonic())
        honcho.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    end_with_parent()
    announced = False
    while honcho.poll() is None:
        announced = announced or announce(near(host), port)
        bury(besides=honcho.pid)
        if hung_up() or (asked and time.monotonic() - asked[0] > HONCHO_KILLS_AFTER + 1):
            honcho.kill()  # it cannot write any more, or waits for an orphan that holds a pipe to it
        time.sleep(0.1)
    end_orphans()
    return 0 if asked else honcho.returncode or 1


def environment() -> dict[str, str]:
    """The environment of all processes: what is set stays, the rest is the demo's."""
    host, port = os.environ.get("PORTALWIRE_HOST", "127.0.0.1"), os.environ.get("PORTALWIRE_PORT", "5000")
    defaults = {
        "PORTALWIRE_HOST": host,
        "PORTALWIRE_PORT": port,
        "PORTALWIRE_INGEST_URL": f"http://{near(host)}:{port}",
        "PORTALWIRE_DEMO_PORT": "5050",
        "PORTALWIRE_DEMO_EVERY": "4",
        "PORTALWIRE_DEMO_USER": "buyer",  # the demo asks for these, the scheduler logs in with them
        "PORTALWIRE_DEMO_PASSWORD": "demo",
        "PYTHONUNBUFFERED": "1",
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**defaults, **os.environ, "PATH": path}


def programs(env: dict[str, str]) -> list[str]:
    """The names of the Procfile that run: the Redis too when one is asked for and `env` names no other, to which its
    address is added."""
    names = ["server", "scheduler", "demo", "ticks"]
    env["PORTALWIRE_PROCESSES"] = env.get("PROCESSES") or env.get("PORTALWIRE_PROCESSES") or "1"
    wanted = env.get("REDIS") or env["PORTALWIRE_PROCESSES"] != "1"
    if not wanted or env.get("PORTALWIRE_REDIS_URL"):
        return names
    env["REDIS_PORT"], env["REDIS_FOLDER"] = str(free_port()), str(ROOT / env.get("PORTALWIRE_VAR", "var") / "redis")
    env["PORTALWIRE_REDIS_URL"] = f"redis://127.0.0.1:{env['REDIS_PORT']}/0"
    Path(env["REDIS_FOLDER"]).mkdir(parents=True, exist_ok=True)
    return ["redis", *names]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def near(host: str) -> str:
    """The address by which this machine reaches a server that listens on `host`."""
    return "127.0.0.1" if host == "0.0.0.0" else host


def taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def announce(host: str, port: int) -> bool:
    """Says where the page is, if the server is ready."""
    if not ready(host, port):
        return False
    print(f"\n  Portalwire is at http://{host}:{port}   (Ctrl-C ends it)\n", flush=True)
    return True


def ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def hung_up() -> bool:
    """Whether the terminal or the pipe that we write to is gone. Make, which got the signal for it, keeps it."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    return bool(poll.poll(0))


def adopt_orphans() -> None:
    """From now on a descendant that loses its parent becomes our child (Linux; elsewhere honcho's groups must do)."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent() -> None:
    """When our parent is killed, we get a SIGTERM."""
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def bury(besides: int) -> None:
    """Takes note of adopted processes that ended, so that no zombies gather; `besides` is waited for elsewhere."""
    while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != besides:
        os.waitpid(ended.si_pid, 0)


def end_orphans() -> None:
    """Ends whatever became our child, and what becomes so by that, each gently first."""
    met: dict[int, float] = {}  # process id -> when we first met it
    while orphans := children():
        for pid in orphans:
            patient = time.monotonic() - met.setdefault(pid, time.monotonic()) < PATIENCE
            os.kill(pid, signal.SIGTERM if patient else signal.SIGKILL)
        time.sleep(0.1)
        for pid in orphans:
            os.waitpid(pid, os.WNOHANG)


def children() -> set[int]:
    """Our child processes, the ended ones too until they are waited for."""
    me = str(os.getpid())
    statuses = ((entry.name, read(entry / "stat")) for entry in Path("/proc").glob("[0-9]*"))
    return {int(pid) for pid, status in statuses if status.rpartition(")")[2].split()[1:2] == [me]}


def read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return ""


if __name__ == "__main__":
    sys.exit(main())
