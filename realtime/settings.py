"""The server's settings: read once from the environment, handed on as a value."""

import ipaddress
from collections.abc import Mapping

import msgspec

from realtime.errors import BadSettings

_LOCAL_NAMES = ("localhost", "ip6-localhost")


class Settings(msgspec.Struct, kw_only=True, frozen=True):
    """How this server runs. Each field is the variable PORTALWIRE_<NAME IN CAPITALS>."""

    host: str = "127.0.0.1"
    port: int = 5000
    database_url: str = "sqlite:///portalwire.db"
    log_level: str = "info"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings in `environment`; BadSettings names the variable that is wrong."""
        given = {
            field: environment[variable]
            for field in cls.__struct_fields__
            if environment.get(variable := f"PORTALWIRE_{field.upper()}")
        }
        try:
            settings = msgspec.convert(given, cls, strict=False)
        except msgspec.ValidationError as error:
            raise BadSettings(f"a PORTALWIRE_ variable is wrong: {error}") from error
        if not 0 <= settings.port <= 65535:
            raise BadSettings(f"PORTALWIRE_PORT is {settings.port}: a port is a number from 1 to 65535")
        if not is_loopback(settings.host):
            raise BadSettings(
                f"PORTALWIRE_HOST is {settings.host}, which others can reach, and this server has no tokens yet: "
                "use 127.0.0.1, or put a proxy with its own access control before it"
            )
        return settings


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in _LOCAL_NAMES
