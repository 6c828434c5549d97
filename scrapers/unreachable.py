"""Why no answer came, in words: what the network said, found beneath what a library made of it."""

import socket
import ssl
from http.client import RemoteDisconnected

from urllib3.exceptions import NewConnectionError


def why(error: BaseException) -> str | None:
    """None when the network had no part in it."""
    return next(filter(None, map(_said, _causes(error))), None)


def never_connected(error: BaseException) -> bool:
    """Whether there was no connection at all."""
    return any(isinstance(cause, NewConnectionError) for cause in _causes(error))


def _said(error: BaseException) -> str | None:
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"it does not speak TLS as we do ({error.reason or 'no reason given'})"
    if isinstance(error, RemoteDisconnected | ConnectionResetError | BrokenPipeError):
        return "it hung up"
    if isinstance(error, OSError) and error.errno and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return None


def _causes(error: BaseException) -> list[BaseException]:
    """The error, and what it was made of, the libraries' ways of keeping that included."""
    found = [error]
    for each in found:  # it grows meanwhile
        for cause in (getattr(each, "reason", None), *each.args, each.__cause__, each.__context__):
            if isinstance(cause, BaseException) and not any(cause is known for known in found):
                found.append(cause)
    return found
