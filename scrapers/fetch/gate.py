"""Where a source may go: its own hosts, and no address inside our own network."""

import ipaddress
import socket
from collections.abc import Iterable

from scrapers.address import host_and_port, host_name, is_web
from scrapers.errors import Forbidden

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_WEB_PORTS = (80, 443)


class Gate:
    """Lets the start page's host pass, and the `hosts` that the source names (`host`, `host:port`, or a network).

    A host written as an address (or as localhost) means that very address. Any other name must lead to public
    addresses, or into a network the source names: a portal cannot send us to our own machines, not by a redirect
    and not by changing its name's address (DNS rebinding), since every connection is made to an address checked here.
    """

    def __init__(self, start: str, hosts: Iterable[str] = ()) -> None:
        self._hosts: set[tuple[str, int]] = set()
        self._networks: list[Network] = []
        host, port = host_and_port(start)
        self._admit(host, None if port in _WEB_PORTS else port)
        for entry in hosts:
            if "/" in entry:
                self._networks.append(ipaddress.ip_network(entry))
                continue
            name, separator, digits = entry.rpartition(":") if not entry.endswith("]") else (entry, "", "")
            if separator and digits.isdigit():
                self._admit(name.strip("[]"), int(digits))
            else:
                self._admit(entry.strip("[]"), None)

    @property
    def hosts(self) -> frozenset[tuple[str, int]]:
        """The hosts that may be gone to, with their ports."""
        return frozenset(self._hosts)

    def check(self, url: str) -> None:
        """Raises Forbidden when the source may not go to `url`."""
        if not is_web(url):
            raise Forbidden(f"only http and https are fetched, not {url[:200]!r}", page=url)
        host, port = host_and_port(url)
        if (host, port) not in self._hosts:
            place = host if port in _WEB_PORTS else f"{host}:{port}"
            raise Forbidden(
                f"{place} is not one of the source's hosts: name it under `hosts` if it may go there", page=url
            )

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses a connection to `host` may use. Raises Forbidden, or OSError when the name has none."""
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for address in found:
            if not self._may_reach(host, _parsed(address)):
                raise Forbidden(f"{host} leads to {address}, which is inside a private network")
        return list(dict.fromkeys(found))

    def _admit(self, host: str, port: int | None) -> None:
        self._hosts.update((host_name(host), each) for each in (_WEB_PORTS if port is None else (port,)))

    def _may_reach(self, host: str, address: Address) -> bool:
        if address.is_global and not address.is_multicast:
            return True
        if any(address in network for network in self._networks):
            return True
        return address.is_loopback if _is_local_name(host) else _is_literally(host, address)


def _parsed(text: str) -> Address:
    """The address; an IPv4 one that wears an IPv6 coat is taken out of it."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _is_literally(host: str, address: Address) -> bool:
    try:
        return _parsed(host) == address
    except ValueError:
        return False
