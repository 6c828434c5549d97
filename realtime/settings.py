"""The server's settings: read once from the environment, handed on as a value."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import limits
import msgspec

from ingest_api.auth import BadSecret, check_secret
from realtime.errors import BadSettings
from realtime.origins import Origins

Level = Literal["debug", "info", "warning", "error", "critical"]

_LOCAL_NAMES = ("localhost", "ip6-localhost")


class Settings(msgspec.Struct, kw_only=True, frozen=True):
    """How this server runs. Each field is the variable PORTALWIRE_<NAME IN CAPITALS>."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 5000  # 0: a free one
    database_url: str = "sqlite:///portalwire.db"
    log_level: Level = "info"
    redis_url: str | None = None
    redis_claim_after: Annotated[float, msgspec.Meta(gt=0)] = 15.0
    processes: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    secret: str | None = None
    origins: str = ""
    tls_certificate: str | None = None
    tls_key: str | None = None
    http_limit: str | None = None
    connections: Annotated[int, msgspec.Meta(ge=1)] = 200
    log_days: Annotated[float, msgspec.Meta(ge=1)] | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings in `environment`; BadSettings names the variable that is wrong."""
        given = {
            field.name: _converted(variable, environment[variable], field.type)
            for field in msgspec.structs.fields(cls)
            if environment.get(variable := f"PORTALWIRE_{field.name.upper()}")
        }
        settings = cls(**given)
        _check_access(settings)
        _check_redis(settings)
        return settings


_FORMS = {
    "port": "a port is a number from 1 to 65535",
    "log_level": "write debug, info, warning, error or critical",
    "processes": "how many processes, from 1 to 64",
    "connections": "how many connections one visitor may have, from 1 on",
    "log_days": "days, from 1 on",
    "redis_claim_after": "seconds, more than 0",
}
"""What a setting that is no text takes, by its name."""


def _converted(variable: str, value: str, kind: Any) -> Any:
    try:
        return msgspec.convert(value.lower() if kind is Level else value, kind, strict=False)
    except msgspec.ValidationError as error:
        name = variable.removeprefix("PORTALWIRE_").lower()
        raise BadSettings(f"{variable} is {value!r}: {_FORMS[name]}") from error


def _check_access(settings: Settings) -> None:
    """Whoever can reach this server must have to show a token, or be its one local user."""
    Origins.read(settings.origins)
    if settings.http_limit is not None:
        try:
            limits.parse_many(settings.http_limit)
        except ValueError as error:
            raise BadSettings(f"PORTALWIRE_HTTP_LIMIT is {settings.http_limit!r}: write 600/minute") from error
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise BadSettings("PORTALWIRE_TLS_CERTIFICATE and PORTALWIRE_TLS_KEY go together: set both, or neither")
    if settings.secret is not None:
        try:
            check_secret(settings.secret)
        except BadSecret as error:
            raise BadSettings(str(error)) from error
    elif not is_loopback(settings.host):
        raise BadSettings(
            f"PORTALWIRE_HOST is {settings.host}, which others can reach: set PORTALWIRE_SECRET, so that they need a "
            "token, or use 127.0.0.1"
        )


def _check_redis(settings: Settings) -> None:
    if settings.redis_url and not settings.redis_url.startswith(("redis://", "rediss://", "unix://")):
        raise BadSettings("PORTALWIRE_REDIS_URL is no address of a Redis: it begins with redis:// or rediss://")
    if settings.processes > 1 and not settings.redis_url:
        raise BadSettings("PORTALWIRE_PROCESSES is more than 1: set PORTALWIRE_REDIS_URL, over which they speak")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in _LOCAL_NAMES
