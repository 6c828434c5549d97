"""Tokens: who may join which rooms, deliver which sources, and decide. Pure: nothing here waits or remembers.

A token is a JWT signed with HS256. A pattern is a name in which `*` stands for any characters. `vendor_x` covers the
source with all its topics, filters and candles, `vendor_*` every source whose name begins so, and `vendor_x/steel*` the
topics of one source that begin so, with their filters, but not the source as a whole.
"""

import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from ingest_api.contract.errors import Expired, Forbidden, Unauthenticated
from ingest_api.contract.source import CANDLES

SHORTEST_SECRET = 32  # bytes: as long as what HS256 makes of it
LONGEST_LIFE = 366 * 24 * 3600  # seconds a token may be valid; a revocation is kept as long
LONGEST_TOKEN = 8192  # characters
PATTERNS = 100  # of one claim

_ALGORITHMS = ["HS256"]
_INGESTED = re.compile(r"[a-z0-9*][a-z0-9_.*-]{0,63}")
_JOINED = re.compile(rf"{_INGESTED.pattern}(/.+)?")

Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Patterns = Annotated[tuple[Pattern, ...], msgspec.Meta(max_length=PATTERNS)]


class BadSecret(ValueError):
    """PORTALWIRE_SECRET is too short: make one with `python -c 'import secrets; print(secrets.token_urlsafe(48))'`."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Grant(msgspec.Struct, kw_only=True, frozen=True):
    """What a token allows, and until when (`expires`, seconds since 1970; None: for ever).

    `operate`: whether it may see holds and dead letters of what it may join, and decide.
    """

    sub: str = ""
    jti: str = ""
    join: tuple[str, ...] = ()
    ingest: tuple[str, ...] = ()
    operate: bool = False
    expires: float | None = None

    @property
    def id(self) -> str:
        """What limits are counted by: the token; two of one name are two."""
        return self.jti or self.sub

    def may_join(self, source: str, topic: str | None = None) -> bool:
        """Whether the room of a source, or of one of its topics, may be heard; with it, every filter of that room."""
        return any(_covers(pattern, source, topic) for pattern in self.join) or self._may_join_candles(source, topic)

    def may_ingest(self, source: str) -> bool:
        """Whether entries, runs and the configuration of a source may be delivered."""
        return any(_covers(pattern, source, None) for pattern in self.ingest)

    def _may_join_candles(self, source: str, window: str | None) -> bool:
        """Candles belong to the source whose entries they are made of, as its topics `candles/1m`."""
        if not source.endswith(CANDLES):
            return False
        topic = "candles" if window is None else f"candles/{window}"
        return any(_covers(pattern, source.removesuffix(CANDLES), topic) for pattern in self.join)

    @property
    def joins_all(self) -> bool:
        """Whether every source may be heard, also those that appear later."""
        return "*" in self.join

    def require_join(self, source: str, topic: str | None = None) -> None:
        """Raises Forbidden."""
        if not self.may_join(source, topic):
            room = source if topic is None else f"{source}/{topic}"
            raise Forbidden(f"this token does not cover {room!r}: it may join {_listed(self.join)}")

    def require_ingest(self, source: str) -> None:
        """Raises Forbidden."""
        if not self.may_ingest(source):
            raise Forbidden(f"this token may not deliver {source!r}: it may deliver {_listed(self.ingest)}")

    def require_operate(self) -> None:
        """Raises Forbidden."""
        if not self.operate:
            raise Forbidden("this token may not operate: it needs one made with --operate")


EVERYTHING = Grant(sub="local", join=("*",), ingest=("*",), operate=True)
"""What the one local user of a server without a secret may do."""


class _Claims(msgspec.Struct, kw_only=True):
    sub: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    jti: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    iat: int
    exp: int
    join: Patterns = ()
    ingest: Patterns = ()
    operate: bool = False


def issue(
    secret: str,
    *,
    sub: str,
    ttl: int,
    now: float,
    join: Sequence[str] = (),
    ingest: Sequence[str] = (),
    operate: bool = False,
) -> str:
    """A token for `sub`, valid for `ttl` seconds from `now`. Raises BadSecret; ValueError names what is wrong else."""
    if not 0 < ttl <= LONGEST_LIFE:
        raise ValueError(f"a token is valid for 1 s to {LONGEST_LIFE // 86400} days")
    claims = {
        "sub": sub,
        "jti": secrets.token_hex(8),
        "iat": int(now),
        "exp": int(now) + ttl,
        "join": list(join),
        "ingest": list(ingest),
        "operate": operate,
    }
    msgspec.convert(claims, _Claims)
    return jwt.encode({"alg": "HS256"}, claims, _key(secret), algorithms=_ALGORITHMS)


def check_patterns(join: Sequence[str], ingest: Sequence[str]) -> None:
    """Raises ValueError for a pattern that no source can ever fit."""
    for option, patterns, form in (("--join", join, _JOINED), ("--ingest", ingest, _INGESTED)):
        for pattern in patterns:
            if not form.fullmatch(pattern):
                raise ValueError(f"{option} {pattern!r} fits no source: write vendor_x, 'vendor_*' or '*'")


def read(secret: str, token: str, now: float) -> Grant:
    """What a token allows. Raises Expired, or Unauthenticated when we did not sign it."""
    claims = _claims(secret, token)
    if now >= claims.exp:
        raise Expired
    if claims.exp - claims.iat > LONGEST_LIFE:
        raise Unauthenticated("this token is valid for longer than we accept")
    return Grant(
        sub=claims.sub,
        jti=claims.jti,
        join=claims.join,
        ingest=claims.ingest,
        operate=claims.operate,
        expires=claims.exp,
    )


def check_secret(secret: str) -> None:
    """Raises BadSecret for one that can be guessed."""
    if len(secret.encode()) < SHORTEST_SECRET:
        raise BadSecret


def _claims(secret: str, token: str) -> _Claims:
    if len(token) > LONGEST_TOKEN:
        raise Unauthenticated("that is not a token of this server")
    try:
        claims: Any = jwt.decode(token, _key(secret), algorithms=_ALGORITHMS).claims
        return msgspec.convert(claims, _Claims)
    except (JoseError, ValueError, RecursionError) as error:
        raise Unauthenticated("that is not a token of this server") from error


@lru_cache(maxsize=8)
def _key(secret: str) -> OctKey:
    check_secret(secret)
    return OctKey.import_key(secret)


def _covers(pattern: str, source: str, topic: str | None) -> bool:
    of_source, slash, of_topic = pattern.partition("/")
    if not _expression(of_source).fullmatch(source):
        return False
    return not slash or (topic is not None and _expression(of_topic).fullmatch(topic) is not None)


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"(?:\\\*)+", ".*", re.escape(pattern)), re.DOTALL)


def _listed(patterns: Sequence[str]) -> str:
    return ", ".join(patterns) if patterns else "nothing"
