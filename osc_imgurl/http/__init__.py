# SPDX-License-Identifier: Apache-2.0
"""Rules for all requests: TLS, no password of a ``.netrc``, limits, retries, logs without secrets.

Other modules build their sessions with :func:`limited` and :func:`retrying_adapter`.
"""

from __future__ import annotations

import collections
import copy
import email.utils
import http.client
import logging
import re
import ssl
from collections.abc import Iterable, Mapping
from typing import Any

import requests
import urllib3.exceptions
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session
from urllib3.util import Retry

from osc_imgurl.errors import (
    CLIENT_CERTIFICATE,
    TRUSTED_AUTHORITY,
    MissingParameterValue,
    hide_secrets,
    logger,
    remember_in,
    rewrite,
)
from osc_imgurl.http.answer import (
    MAX_ANSWER,
    AnswerEncoded,
    AnswerTooLarge,
    LimitingAdapter,
    NoAnswerInTime,
)

LOG = logger(__name__)

# Too many requests; too busy. Retry-After says when to try again.
RETRIED_STATUSES = (429, 503)
BACKOFF_FACTOR = 0.5
# We ignore a longer Retry-After, in seconds.
MAX_RETRY_AFTER = 10
# The largest number of open connections to one host.
MOST_CONNECTIONS = 32
# requests raises its own errors and, for unexpected headers, other libraries'.
FAILURES = (requests.RequestException, ValueError, OverflowError, RecursionError)
# Invalid answers: errors and their texts.
_BROKEN: Mapping[tuple[type[BaseException], ...], str] = {
    (AnswerTooLarge,): f'it has more than {MAX_ANSWER // 2**20} MiB',
    (http.client.IncompleteRead, requests.exceptions.ChunkedEncodingError): 'it is cut off',
    (AnswerEncoded,): 'it is compressed, although the request forbids that'}

# Reasons for a failed TLS connection ("it" is the server), each with its remedy as in remedy().
_UNKNOWN_AUTHORITY = (
    'its certificate is signed by an authority that is not trusted here',
    'If this is the right server, name the file with its authority.', TRUSTED_AUTHORITY)
_OTHER_HOST = (
    'its certificate is another host\'s',
    'Use the host name in the certificate, or have the server\'s operator correct it.')
_CLIENT_REFUSED = (
    'it does not accept the client\'s certificate',
    'Give one that the server\'s operator accepts.', CLIENT_CERTIFICATE)
_CLIENT_FILES = (
    'the client\'s certificate and its key do not belong together, or cannot be read',
    'Name others.', CLIENT_CERTIFICATE)
_NO_TLS = ('it does not speak TLS', 'Correct its URL, which begins with https.')
_CLOSED = (
    'it closes the connection during the TLS handshake; it may require a client certificate',
    'If it does, give one, and its key.', CLIENT_CERTIFICATE)
_NO_COMMON_VERSION = (
    'it supports no TLS version that this machine accepts',
    'Its operator can allow TLS 1.2 or 1.3.')
# By OpenSSL's numbers (x509_vfy.h, X509_V_ERR_...). They do not tell a certificate from its
# signers' certificates.
_OF_VERIFICATION: Mapping[int, tuple[str, ...]] = {
    9: ('its certificate, or its authority\'s, is not valid yet',
        'Look whether this machine\'s clock is right; if it is, tell the server\'s operator.'),
    10: ('its certificate, or its authority\'s, has expired',
         'Look whether this machine\'s clock is right; if it is, have the server\'s operator renew'
         ' the certificate.'),
    **dict.fromkeys((7, 18, 19, 20, 21), _UNKNOWN_AUTHORITY),
    **dict.fromkeys((62, 64), _OTHER_HOST),
}
# By the name of the alert sent by the server (RFC 8446, section 6.2).
_OF_ALERT: Mapping[str, tuple[str, ...]] = {
    'CERTIFICATE_REQUIRED': (
        'it requires a client certificate', 'Give one, and its key.', CLIENT_CERTIFICATE),
    # TLS 1.2 sends it for a missing certificate, and for much else.
    'HANDSHAKE_FAILURE': _CLOSED,
    'PROTOCOL_VERSION': _NO_COMMON_VERSION,
    **dict.fromkeys(('BAD_CERTIFICATE', 'CERTIFICATE_EXPIRED', 'CERTIFICATE_REVOKED',
                     'CERTIFICATE_UNKNOWN', 'DECRYPT_ERROR', 'UNKNOWN_CA',
                     'UNSUPPORTED_CERTIFICATE'), _CLIENT_REFUSED),
}
# By OpenSSL's name of an error in the answer or in the given files.
_OF_REASON: Mapping[str, tuple[str, ...]] = {
    'WRONG_VERSION_NUMBER': _NO_TLS,
    'UNSUPPORTED_PROTOCOL': _NO_COMMON_VERSION,
    'NO_CERTIFICATE_OR_CRL_FOUND': (
        'the file with trusted authorities holds no certificate', 'Name another.',
        TRUSTED_AUTHORITY),
    'KEY_VALUES_MISMATCH': _CLIENT_FILES,
}


def hide_signatures() -> None:
    """Hide secrets, such as signatures, in urllib3's log, and log its retries at level DEBUG.

    Importing the library changes no log: the program calls this function, once or more often.
    """
    for name in ('urllib3.connection', 'urllib3.connectionpool', 'urllib3.util.retry'):
        logging.getLogger(name).addFilter(_hide_signature)


def _hide_signature(record: logging.LogRecord) -> bool:
    rewrite(record, hide_secrets)
    if record.msg.startswith('Retrying '):
        record.levelno, record.levelname = logging.DEBUG, 'DEBUG'
    return True


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return the request as it is. Without an ``auth``, requests sends a password of ``.netrc``."""
    return request


def request_options(verify: bool | str | None,
                    cert: str | tuple[str, str] | None) -> dict[str, Any]:
    """Return the options of every request outside keystoneauth.

    ``verify`` is an option of the request, because ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE``
    override a session's. As in keystoneauth, they count only for ``verify=True``. No redirection
    is followed: it would send a token or signature to another host.

    :param verify: True, False, or the path of a file with authorities.
    :param cert: the path of the client's certificate, or the paths of certificate and key.
    """
    return {'verify': verify, 'cert': cert, 'auth': no_auth, 'allow_redirects': False}


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the ``Content-Length`` in bytes; None without a valid one.

    A valid one follows RFC 9110, section 8.6, and fits into 64 bits.
    """
    found = re.fullmatch('[0-9]{1,19}', headers.get('Content-Length', ''))
    return int(found[0]) if found else None


def read_time(headers: Mapping[str, str], name: str) -> float | None:
    """Return the moment in a header such as ``Date``: Unix time, seconds; None if invalid."""
    try:
        return email.utils.parsedate_to_datetime(headers[name]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def limited(session: Session, time_limit: float, num_retries: int = 0, *,
            by_part: bool = False) -> Session:
    """Return a copy of a session with limited answers: see :class:`LimitingAdapter`.

    It shares the token, not the connections. It sends no password of a ``.netrc``, not even to
    Keystone, and our messages hide its credentials.

    :param time_limit: seconds for a whole answer; the session's own timeout comes first.
    :param num_retries: retries of a GET or HEAD after a failed connection, a missing answer, 503
        or 429.
    :param by_part: whether the limit is for each part of an answer, and data have any size.
    """
    connections = copy.copy(session.session)
    connections.adapters = collections.OrderedDict()
    for scheme in ('http://', 'https://'):
        connections.mount(scheme, LimitingAdapter(
            by_part=by_part, max_retries=_retries(num_retries, allowed_methods=('GET', 'HEAD'))))
    connections.auth = no_auth
    remember_in({'auth': session.auth})
    made = copy.copy(session)
    made.session = connections
    # The session closes this one at its end.
    made._session = connections
    made.timeout = session.timeout or time_limit
    return made


def not_in_catalog(session: Session, service_type: str, called: str, region_name: str | None,
                   interface: str, *remedy: str) -> MissingParameterValue:
    """Return the error for a service that is not in the catalog; it names regions that have one.

    :param called: the service's name in the message.
    :param interface: ``public``, ``internal`` or ``admin``.
    :param remedy: and the names in it, if no region has the service.
    :raises keystoneauth1.exceptions.ClientException: Keystone gave no catalog.
    """
    problem = (f'There is no {called} in the catalog of this cloud (region {region_name or "any"},'
               f' interface {interface})')
    regions: set[str] = set()
    if isinstance(session.auth, BaseIdentityPlugin):
        found = session.auth.get_access(session).service_catalog.get_endpoints_data(
            service_type=service_type, interface=interface)
        regions = {data.region_name for endpoints in found.values() for data in endpoints
                   if data.region_name}
    if regions:
        return MissingParameterValue(
            f'{problem}, but in these regions: {", ".join(sorted(regions))}.',
            f'In clouds.yaml, {service_type.replace("-", "_")}_region_name is the region of this'
            ' service.')
    return MissingParameterValue(f'{problem}.', *remedy)


def retrying_adapter(num_retries: int, shared: LimitingAdapter | None = None, *,
                     respect_retry_after: bool = True) -> LimitingAdapter:
    """Return an adapter for a requests session: it retries, and limits answers.

    It retries every request: use it for requests that read, or set a whole value.

    :param shared: another adapter, to share its connections. Each session has its own adapter, so
        that no token, cookie or silent server is shared. Threads may share an adapter.
    :param respect_retry_after: whether to wait as long as a server asks.
    """
    made = LimitingAdapter(pool_maxsize=MOST_CONNECTIONS, max_retries=_retries(
        num_retries, allowed_methods=None, respect_retry_after_header=respect_retry_after))
    if shared:
        made.poolmanager = shared.poolmanager
    return made


def _retries(num_retries: int, **options: Any) -> Retry:
    # A wrong certificate stays wrong.
    return _Retry(total=num_retries, other=0, status_forcelist=RETRIED_STATUSES,
                  backoff_factor=BACKOFF_FACTOR, raise_on_status=False, **options)


class _Retry(Retry):
    """Waits for ``Retry-After`` up to a limit, logs each wait, does not retry after a timeout."""

    def increment(self, method: str | None = None, url: str | None = None,
                  response: urllib3.BaseHTTPResponse | None = None,
                  error: Exception | None = None, *args: Any, **kwargs: Any) -> _Retry:
        late = isinstance(error, urllib3.exceptions.TimeoutError) and not isinstance(
            error, urllib3.exceptions.NewConnectionError)
        retry = self.new(total=0, read=False) if late else self
        return Retry.increment(retry, method, url, response, error, *args, **kwargs)

    def parse_retry_after(self, retry_after: str) -> float:
        try:
            seconds = super().parse_retry_after(retry_after)
        except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            return 0
        # For 0, urllib3 waits for its own time between retries.
        return seconds if seconds <= MAX_RETRY_AFTER else 0

    def sleep(self, response: urllib3.BaseHTTPResponse | None = None) -> None:
        last = self.history[-1]
        reason = f'HTTP {last.status}' if last.error is None else failure(last.error)
        seconds = self.get_backoff_time()
        if response is not None and 'Retry-After' in response.headers:
            reason += f', Retry-After: {response.headers["Retry-After"]}'
            if self.respect_retry_after_header:
                seconds = self.get_retry_after(response) or seconds
        LOG.debug('Next attempt in %.1f s: %s', seconds, reason)
        super().sleep(response)


def unanswered(server: str, error: Exception) -> str:
    """Return a sentence: the server cannot be reached, or its answer is invalid, and why.

    :param server: its name in the sentence.
    :param error: as for :func:`failure`.
    """
    for broken, answer in _BROKEN.items():
        if _among(_causes(error), *broken):
            return f'{server} sent an invalid answer: {answer}.'
    return f'{server} cannot be reached: {failure(error)}.'


def failure(error: Exception) -> str:
    """Return why there is no answer. The error's own text is long and may contain a signature.

    :param error: one of :data:`FAILURES`, or an error caused by one.
    """
    causes = _causes(error)
    if _among(causes, requests.exceptions.SSLError):
        return _explain_tls(causes)[0]
    if _among(causes, requests.exceptions.ProxyError):
        return 'the HTTP proxy of this machine\'s environment does not answer'
    for each in causes:
        if isinstance(each, OSError) and each.strerror:
            return each.strerror.lower()
    if _among(causes, NoAnswerInTime, requests.Timeout, urllib3.exceptions.TimeoutError):
        return 'there is no answer in time'
    if _among(causes, ValueError, OverflowError, RecursionError):
        return 'its address or its answer is invalid'
    return 'the connection is closed before an answer comes'


def remedy(error: Exception) -> tuple[str, ...]:
    """Return the remedy for a missing answer, and the names in it; ``()`` if unknown.

    They follow the problem in the arguments of an :class:`osc_imgurl.errors.ImgurlError`.

    :param error: as for :func:`failure`.
    """
    causes = _causes(error)
    return _explain_tls(causes)[1:] if _among(causes, requests.exceptions.SSLError) else ()


def _explain_tls(causes: Iterable[BaseException]) -> tuple[str, ...]:
    """Return reason and remedy for a failed TLS connection, from an error and its causes."""
    for each in causes:
        if isinstance(each, ssl.SSLCertVerificationError):
            return _OF_VERIFICATION.get(
                each.verify_code, (f'its certificate is not accepted: {each.verify_message}',))
        # With TLS 1.3, the server's alert may come too late to be read.
        if isinstance(each, ssl.SSLEOFError):
            return _CLOSED
        # Python gives this error no ``reason``.
        if 'PEM lib' in str(each):
            return _CLIENT_FILES
        if isinstance(each, ssl.SSLError) and each.reason:
            alert = each.reason.partition('_ALERT_')[2]
            return _OF_ALERT.get(alert) or _OF_REASON.get(each.reason) or (
                f'TLS fails: {each.reason.replace("_", " ").lower()}',)
    return ('its certificate is not accepted, or it does not speak TLS',)


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause:
        causes.append(cause)
        cause = next((part for part in (getattr(cause, 'reason', None), *cause.args,
                                        cause.__cause__, cause.__context__)
                      if isinstance(part, BaseException)), None)
    return causes


def _among(causes: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(each, kinds) for each in causes)
