"""Makes a token, or withdraws one. `python -m realtime.token --join 'vendor_x*' --ttl 1h --name alice`"""

import os
import re
import sys
import time
from typing import Annotated

import requests
import typer

from ingest_api.auth import BadSecret, check_patterns, issue, read
from realtime.store.moments import iso

HOW = (
    "set PORTALWIRE_SECRET to the server's secret; a new one is made with "
    "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
)
WITHIN = 10  # seconds that the server may take to answer
A_MOMENT = 60  # seconds; how long our own token for withdrawing another one is valid

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def token(
    join: Annotated[
        list[str] | None, typer.Option(help="Rooms it may join: vendor_x, 'vendor_*', vendor_x/steel.")
    ] = None,
    ingest: Annotated[list[str] | None, typer.Option(help="Sources it may deliver.")] = None,
    operate: Annotated[bool, typer.Option("--operate", help="It may see holds and dead letters, and decide.")] = False,
    ttl: Annotated[str, typer.Option(help="How long it is valid: 90s, 15m, 1h, 30d.")] = "1h",
    name: Annotated[str, typer.Option(help="Whose it is.")] = "someone",
    revoke: Annotated[str | None, typer.Option(metavar="ID", help="Withdraw the token with this id instead.")] = None,
    url: Annotated[str | None, typer.Option(help="The server, to withdraw (PORTALWIRE_INGEST_URL).")] = None,
) -> None:
    """Print a token for a server with PORTALWIRE_SECRET; what it says about itself goes to standard error.

    --join and --ingest may be given several times.
    """
    secret = os.environ.get("PORTALWIRE_SECRET")
    if not secret:
        raise _wrong(f"a token is signed with a secret: {HOW}")
    try:
        if revoke is not None:
            _revoke(revoke, _server(url), issue(secret, sub=name, ttl=A_MOMENT, now=time.time(), operate=True))
            return
        if not (join or ingest or operate):
            raise ValueError("it would allow nothing: say --join, --ingest or --operate")
        check_patterns(join or [], ingest or [])
        made = issue(
            secret,
            sub=name,
            ttl=_seconds(ttl),
            now=time.time(),
            join=join or [],
            ingest=ingest or [],
            operate=operate,
        )
    except BadSecret as error:
        raise _wrong(f"{error}") from error
    except ValueError as error:
        raise _wrong(f"no token by these options: {error}") from error
    grant = read(secret, made, time.time())
    sys.stderr.write(f"id {grant.jti}, for {grant.sub}, until {iso(int((grant.expires or 0) * 1000))}\n")
    sys.stdout.write(f"{made}\n")


def _seconds(ttl: str) -> int:
    match = re.fullmatch(r"(\d{1,9})([smhd])", ttl)
    if match is None:
        raise _wrong(f"--ttl is {ttl!r}: write 90s, 15m, 1h or 30d")
    return int(match[1]) * _UNITS[match[2]]


def _server(url: str | None) -> str:
    port = os.environ.get("PORTALWIRE_PORT") or "5000"
    return (url or os.environ.get("PORTALWIRE_INGEST_URL") or f"http://127.0.0.1:{port}").rstrip("/")


def _revoke(jti: str, server: str, operator: str) -> None:
    try:
        answer = requests.post(
            f"{server}/api/tokens/revoke",
            json={"jti": jti},
            headers={"Authorization": f"Bearer {operator}"},
            timeout=WITHIN,
        )
    except requests.RequestException as error:
        raise _wrong(f"no answer from {server} ({type(error).__name__}): set --url or PORTALWIRE_INGEST_URL") from error
    if answer.status_code != 204:
        raise _wrong(f"{server} answered {answer.status_code}: {answer.text[:300]}")
    sys.stderr.write(f"withdrawn: {jti}\n")


def _wrong(message: str) -> typer.Exit:
    sys.stderr.write(f"portalwire: {message}\n")
    return typer.Exit(2)


if __name__ == "__main__":
    typer.run(token)
