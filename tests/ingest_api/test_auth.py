"""What tokens allow, issued and read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from ingest_api.auth import LONGEST_LIFE, BadSecret, Grant, issue, read
from ingest_api.contract.errors import Expired, Forbidden, Unauthenticated

SECRET = "a secret of more than thirty-two bytes"
NOW = 1_800_000_000.5


def signed(secret: str = SECRET, **claims: object) -> str:
    fit = {"sub": "a", "jti": "1", "iat": int(NOW), "exp": int(NOW) + 60}
    return jwt.encode({"alg": "HS256"}, {**fit, **claims}, OctKey.import_key(secret), algorithms=["HS256"])


def test_a_token_says_what_it_was_made_with() -> None:
    token = issue(SECRET, sub="alice", ttl=60, now=NOW, join=["vendor_*"], ingest=["vendor_x"], operate=True)
    grant = read(SECRET, token, NOW)
    assert (grant.sub, grant.join, grant.ingest, grant.operate) == ("alice", ("vendor_*",), ("vendor_x",), True)
    assert grant.expires == int(NOW) + 60
    assert grant.jti != read(SECRET, issue(SECRET, sub="alice", ttl=60, now=NOW), NOW).jti


def test_it_ends_on_the_second() -> None:
    token = issue(SECRET, sub="alice", ttl=60, now=NOW)
    read(SECRET, token, int(NOW) + 59.999)
    with pytest.raises(Expired):
        read(SECRET, token, int(NOW) + 60)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "é.é.é",
        "a.b.c",
        "x" * 10_000,
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
        signed("another secret of more than 32 bytes"),
        signed(join="vendor_x"),
        signed(operate="yes"),
        signed(exp=None),
        signed(exp="tomorrow"),
        signed(sub=""),
        signed(exp=int(NOW) + LONGEST_LIFE + 60),
        signed(join=["*"] * 101),
    ],
)
def test_what_we_did_not_make_does_not_count(token: str) -> None:
    with pytest.raises(Unauthenticated):
        read(SECRET, token, NOW)


def test_a_changed_claim_does_not_count() -> None:
    header, _, signature = signed().split(".")
    _, claims, _ = signed(operate=True).split(".")
    with pytest.raises(Unauthenticated):
        read(SECRET, f"{header}.{claims}.{signature}", NOW)


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(BadSecret, match="too short: make one with"):
        issue(secret, sub="a", ttl=60, now=NOW)


@pytest.mark.parametrize("ttl", [0, -1, LONGEST_LIFE + 1])
def test_a_token_has_an_end(ttl: int) -> None:
    with pytest.raises(ValueError, match="valid for"):
        issue(SECRET, sub="a", ttl=ttl, now=time.time())


@pytest.mark.parametrize(
    ("pattern", "source", "topic", "covered"),
    [
        ("vendor_x", "vendor_x", None, True),
        ("vendor_x", "vendor_x", "steel", True),
        ("vendor_x", "vendor_xy", None, False),
        ("vendor_x", "evil_vendor_x", None, False),
        ("vendor_*", "vendor_x", "steel/round", True),
        ("vendor_*", "other", None, False),
        ("*", "anything", "at all", True),
        ("vendor_x/steel", "vendor_x", "steel", True),
        ("vendor_x/steel", "vendor_x", None, False),
        ("vendor_x/steel", "vendor_x", "steelworks", False),
        ("vendor_x/st*", "vendor_x", "steel", True),
        ("vendor_x/*", "vendor_x", "steel", True),
        ("vendor_x/*", "vendor_x", None, False),
        ("*steel", "vendor_x", "steel", False),
        ("vendor.x", "vendor_x", None, False),
        ("ticks", "ticks.candles", None, True),
        ("ticks", "ticks.candles", "1m", True),
        ("ticks/candles/1m", "ticks.candles", "1m", True),
        ("ticks/candles/1m", "ticks.candles", "5m", False),
        ("ticks/candles/1m", "ticks", None, False),
        ("ticks.candles", "ticks", None, False),
        ("vendor_x/a[b]", "vendor_x", "a[b]", True),
        ("vendor_x/a[b]", "vendor_x", "ab", False),
    ],
)
def test_patterns(pattern: str, source: str, topic: str | None, covered: bool) -> None:
    assert Grant(join=(pattern,)).may_join(source, topic) is covered


def test_nothing_is_covered_by_nothing() -> None:
    assert not Grant().may_join("vendor_x")
    assert not Grant().may_ingest("vendor_x")


def test_the_right_to_join_is_none_to_deliver() -> None:
    grant = Grant(join=("*",))
    with pytest.raises(Forbidden, match="may not deliver 'vendor_x': it may deliver nothing"):
        grant.require_ingest("vendor_x")
    with pytest.raises(Forbidden, match="--operate"):
        grant.require_operate()


@given(st.text(max_size=30), st.text(max_size=30))
def test_only_a_star_is_special(source: str, other: str) -> None:
    plain = source.replace("*", "").replace("/", "")
    assert Grant(join=(plain,)).may_join(other) is (plain == other)
