"""Settings: read once, refused in words."""

import pytest

from realtime.errors import BadSettings
from realtime.settings import Settings


def test_defaults_are_for_one_machine() -> None:
    settings = Settings.read({})
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PORTALWIRE_PORT", "http", "PORTALWIRE_PORT is 'http': a port is a number"),
        ("PORTALWIRE_LOG_LEVEL", "loud", "PORTALWIRE_LOG_LEVEL is 'loud': write debug, info"),
        ("PORTALWIRE_PROCESSES", "65", "PORTALWIRE_PROCESSES is '65'"),
        ("PORTALWIRE_LOG_DAYS", "week", "PORTALWIRE_LOG_DAYS is 'week'"),
        ("PORTALWIRE_REDIS_CLAIM_AFTER", "0", "PORTALWIRE_REDIS_CLAIM_AFTER is '0'"),
        ("PORTALWIRE_PORT", "70000", "1 to 65535"),
        ("PORTALWIRE_HOST", "0.0.0.0", "others can reach"),
        ("PORTALWIRE_HOST", "example.org", "others can reach"),
        ("PORTALWIRE_SECRET", "x" * 31, "PORTALWIRE_SECRET is too short"),
        ("PORTALWIRE_TLS_KEY", "key.pem", "go together"),
        ("PORTALWIRE_HTTP_LIMIT", "often", "600/minute"),
        ("PORTALWIRE_CONNECTIONS", "0", "connections"),
        ("PORTALWIRE_ORIGINS", "prices.example", "an origin is like"),
        ("PORTALWIRE_ORIGINS", "https://a.example, https://b.example/page", "b.example/page"),
        ("PORTALWIRE_ORIGINS", "*", "an origin is like"),
    ],
)
def test_what_is_wrong_is_named(variable: str, value: str, words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        Settings.read({variable: value})


def test_a_host_that_others_can_reach_needs_a_secret() -> None:
    assert Settings.read({"PORTALWIRE_HOST": "0.0.0.0", "PORTALWIRE_SECRET": "x" * 32}).host == "0.0.0.0"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_taken(host: str) -> None:
    assert Settings.read({"PORTALWIRE_HOST": host}).host == host


def test_a_level_may_be_written_large() -> None:
    assert Settings.read({"PORTALWIRE_LOG_LEVEL": "DEBUG"}).log_level == "debug"
