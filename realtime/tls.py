"""TLS by the certificate settings, for a server without a proxy before it."""

import ssl

from realtime.errors import BadSettings
from realtime.settings import Settings


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """How connections are encrypted; None when no certificate is set. Raises BadSettings."""
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise BadSettings(
            f"PORTALWIRE_TLS_CERTIFICATE and PORTALWIRE_TLS_KEY do not serve ({error.strerror or error}): "
            "set the paths of a PEM certificate with its chain, and of its key without a password"
        ) from error
    return context
