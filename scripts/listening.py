"""Where `make run` listens: what the environment says of hosts, ports and numbers, checked before anything starts."""

import errno
import http.client
import socket
import ssl
import sys
from dataclasses import dataclass

Env = dict[str, str]


@dataclass(frozen=True)
class Place:
    """Where the server is, for programs on this machine."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def ready(self) -> bool:
        """Whether the server answers. Its certificate may be for another name; nothing secret is asked here."""
        connection = (
            http.client.HTTPSConnection(self.host, self.port, timeout=2, context=ssl._create_unverified_context())
            if self.tls
            else http.client.HTTPConnection(self.host, self.port, timeout=2)
        )
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def place(env: Env) -> Place:
    """Where the server will be. Ends the program, with a sentence, when it cannot be there."""
    host = env["PORTALWIRE_HOST"]
    ours = {name: port(env, name) for name in ("PORTALWIRE_PORT", "PORTALWIRE_DEMO_PORT")}
    if len(set(ours.values())) < len(ours):
        sys.exit(
            f"PORTALWIRE_PORT and PORTALWIRE_DEMO_PORT are both {env['PORTALWIRE_PORT']}: set one to another port."
        )
    for name, where in (("PORTALWIRE_PORT", host), ("PORTALWIRE_DEMO_PORT", "127.0.0.1")):
        see_free(where, ours[name], name)
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return Place(near, ours["PORTALWIRE_PORT"], bool(env.get("PORTALWIRE_TLS_CERTIFICATE")))


def port(env: Env, name: str) -> int:
    """The port that a variable names; for 0 a free one, which it names from now on."""
    given = env[name]
    if not given.isdecimal() or int(given) > 65535:
        sys.exit(f"{name} is {given!r}: a port is a number from 1 to 65535.")
    if int(given) == 0:
        env[name] = str(free_port())
    return int(env[name])


def number(env: Env, name: str, least: float) -> None:
    """Ends the program when a variable that is set is no number, or less than `least`."""
    given = env.get(name)
    try:
        good = given is None or float(given) >= least
    except ValueError:
        good = False
    if not good:
        sys.exit(f"{name} is {given!r}: it is a number from {least:g} on.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def see_free(host: str, port: int, name: str) -> None:
    """Ends the program when nothing can listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        sys.exit(f"PORTALWIRE_HOST is {host!r}, which names no address: use 127.0.0.1, or an address of this machine.")
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            sys.exit(f"Port {port} is for root only: set {name} to one from 1024 on.")
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sys.exit(f"Port {port} is in use: end what runs there, or set {name} to a free one.")
            sys.exit(f"PORTALWIRE_HOST is {host!r}: {error.strerror}. Use 127.0.0.1, or an address of this machine.")
