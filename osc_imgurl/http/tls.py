# SPDX-License-Identifier: Apache-2.0
"""Explain failed TLS connections."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Iterable

from osc_imgurl.errors import CLIENT_CERTIFICATE, TRUSTED_AUTHORITY


@dataclasses.dataclass(frozen=True)
class Problem:
    """Reason and remedy for one kind of failure.

    :ivar reason: in it, "it" is the server.
    :ivar remedy: arguments of an error after its problem.
    """

    reason: str
    remedy: tuple[str, ...]


_UNKNOWN_AUTHORITY = Problem(
    'its certificate is signed by an authority that is not trusted here',
    ('If this is the right server, name the file with its authority.', TRUSTED_AUTHORITY))
_OTHER_HOST = Problem(
    'its certificate is another host\'s',
    ('Use the host name in the certificate, or have the server\'s operator correct it.',))
_CLIENT_REFUSED = Problem(
    'it does not accept the client\'s certificate',
    ('Give one that the server\'s operator accepts.', CLIENT_CERTIFICATE))
_CLIENT_FILES = Problem(
    'the client\'s certificate and its key do not belong together, or cannot be read',
    ('Name others.', CLIENT_CERTIFICATE))
_NO_TLS = Problem(
    'it does not speak TLS',
    ('Correct its URL, which begins with https.',))
_CLOSED = Problem(
    'it closes the connection during the TLS handshake; it may require a client certificate',
    ('If it does, give one, and its key.', CLIENT_CERTIFICATE))
_NO_COMMON_VERSION = Problem(
    'it supports no TLS version that this machine accepts',
    ('Its operator can allow TLS 1.2 or 1.3.',))
# By OpenSSL's numbers (x509_vfy.h, X509_V_ERR_...). They do not tell a certificate from its
# signers' certificates.
_OF_VERIFICATION = {
    9: Problem('its certificate, or its authority\'s, is not valid yet',
               ('Look whether this machine\'s clock is right; if it is, tell the server\'s'
                ' operator.',)),
    10: Problem('its certificate, or its authority\'s, has expired',
                ('Look whether this machine\'s clock is right; if it is, have the server\'s'
                 ' operator renew the certificate.',)),
    **dict.fromkeys((7, 18, 19, 20, 21), _UNKNOWN_AUTHORITY),
    **dict.fromkeys((62, 64), _OTHER_HOST),
}
# By the name of the alert sent by the server (RFC 8446, section 6.2).
_OF_ALERT = {
    'CERTIFICATE_REQUIRED': Problem(
        'it requires a client certificate',
        ('Give one, and its key.', CLIENT_CERTIFICATE)),
    # TLS 1.2 sends it for a missing certificate, and for much else.
    'HANDSHAKE_FAILURE': _CLOSED,
    'PROTOCOL_VERSION': _NO_COMMON_VERSION,
    **dict.fromkeys(('BAD_CERTIFICATE', 'CERTIFICATE_EXPIRED', 'CERTIFICATE_REVOKED',
                     'CERTIFICATE_UNKNOWN', 'DECRYPT_ERROR', 'UNKNOWN_CA',
                     'UNSUPPORTED_CERTIFICATE'), _CLIENT_REFUSED),
}
# By OpenSSL's name of an error in the answer or in the given files.
_OF_REASON = {
    'WRONG_VERSION_NUMBER': _NO_TLS,
    'UNSUPPORTED_PROTOCOL': _NO_COMMON_VERSION,
    'NO_CERTIFICATE_OR_CRL_FOUND': Problem(
        'the file with trusted authorities holds no certificate',
        ('Name another.', TRUSTED_AUTHORITY)),
    'KEY_VALUES_MISMATCH': _CLIENT_FILES,
}


def explain(causes: Iterable[BaseException]) -> Problem:
    """Return reason and remedy for a failed TLS connection, from an error and its causes."""
    for each in causes:
        if isinstance(each, ssl.SSLCertVerificationError):
            return _OF_VERIFICATION.get(each.verify_code, Problem(
                f'its certificate is not accepted: {each.verify_message}', ()))
        # With TLS 1.3, the server's alert may come too late to be read.
        if isinstance(each, ssl.SSLEOFError):
            return _CLOSED
        # Python gives this error no ``reason``.
        if 'PEM lib' in str(each):
            return _CLIENT_FILES
        if isinstance(each, ssl.SSLError) and each.reason:
            alert = each.reason.partition('_ALERT_')[2]
            return _OF_ALERT.get(alert) or _OF_REASON.get(each.reason) or Problem(
                f'TLS fails: {each.reason.replace("_", " ").lower()}', ())
    return Problem('its certificate is not accepted, or it does not speak TLS', ())
