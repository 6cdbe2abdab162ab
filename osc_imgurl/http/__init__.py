# SPDX-License-Identifier: Apache-2.0
"""What all requests share: TLS, no foreign password, limits, retries, logs without signatures."""

from __future__ import annotations

import collections
import copy
import email.utils
import http.client
import logging
import re
from collections.abc import Mapping
from typing import Any

import requests
import urllib3.exceptions
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session
from urllib3.util import Retry

from osc_imgurl.errors import hide_secrets, logger, remember_in, rewrite
from osc_imgurl.http import tls
from osc_imgurl.http.answer import (
    MAX_ANSWER,
    AnswerEncoded,
    AnswerTooLarge,
    LimitingAdapter,
    NoAnswerInTime,
)

LOG = logger(__name__)

# Too busy, or too many requests: the server asks to try again, and says when (Retry-After).
RETRIED_STATUSES = (429, 503)
BACKOFF_FACTOR = 0.5
# How long a server may ask us to wait, in seconds; a longer time does not count.
MAX_RETRY_AFTER = 10
# How many connections to a host stay open; as many are in use at once.
MOST_CONNECTIONS = 32
# What requests raises: its own errors and, for unexpected headers, other libraries'.
FAILURES = (requests.RequestException, ValueError, OverflowError, RecursionError)
# How an answer is broken.
_BROKEN: Mapping[tuple[type[BaseException], ...], str] = {
    (AnswerTooLarge,): f'it has more than {MAX_ANSWER // 2**20} MiB',
    (http.client.IncompleteRead, requests.exceptions.ChunkedEncodingError): 'it is cut off',
    (AnswerEncoded,): 'it is compressed, which was not asked for'}


def hide_signatures() -> None:
    """Have urllib3 log no secret, such as a URL's signature, and a retry at the debug level.

    The log of urllib3 is the whole process's, so that no import touches it: the program
    calls this. To call it twice changes nothing.
    """
    for name in ('urllib3.connection', 'urllib3.connectionpool', 'urllib3.util.retry'):
        logging.getLogger(name).addFilter(_hide_signature)


def _hide_signature(record: logging.LogRecord) -> bool:
    rewrite(record, hide_secrets)
    if record.msg.startswith('Retrying '):
        record.levelno, record.levelname = logging.DEBUG, 'DEBUG'
    return True


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request as it is: a ``.netrc`` may hold a password for the host, and nobody's here.

    Without authentication, requests looks into that file.
    """
    return request


def request_options(verify: bool | str | None,
                    cert: str | tuple[str, str] | None) -> dict[str, Any]:
    """Return the options of every request outside keystoneauth.

    ``verify`` is given with the request: ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` win over a
    session's. As in keystoneauth, they count only if certificates are verified and no file is
    given. No redirection is followed: a token or a signature would go
    along.

    :param verify: whether certificates are verified, or the path of a file with authorities.
    :param cert: the client's certificate, or its file and its key's.
    """
    return {'verify': verify, 'cert': cert, 'auth': no_auth, 'allow_redirects': False}


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the ``Content-Length`` in bytes; None without a valid one.

    A valid one follows RFC 9110, section 8.6, and fits into 64 bits.
    """
    found = re.fullmatch('[0-9]{1,19}', headers.get('Content-Length', ''))
    return int(found[0]) if found else None


def read_time(headers: Mapping[str, str], name: str) -> float | None:
    """Return the moment in a header such as ``Date``: Unix time, seconds; None where it is none."""
    try:
        return email.utils.parsedate_to_datetime(headers[name]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def limited(session: Session, time_limit: float, num_retries: int = 0, *,
            by_part: bool = False) -> Session:
    """Return a session like another, but every answer ends: see :class:`LimitingAdapter`.

    Its token is the other's, its connections are its own. They carry no password of a ``.netrc``,
    to Keystone neither; and no text of ours quotes what it authenticates with.

    :param time_limit: of a whole answer, in seconds; the session's own counts in its place.
    :param num_retries: how often a reading request is made again if it finds no connection or no
        answer, or is answered 503 or 429.
    :param by_part: whether each part of an answer may take so long, and data have any size.
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
    # What a session closes when it ends.
    made._session = connections
    made.timeout = session.timeout or time_limit
    return made


def regions_with(session: Session, service_type: str, interface: str) -> list[str]:
    """Return the regions in which the catalog of a session has a service.

    :param interface: ``public``, ``internal`` or ``admin``.
    :raises keystoneauth1.exceptions.ClientException: Keystone cannot be asked.
    """
    if not isinstance(session.auth, BaseIdentityPlugin):
        return []
    found = session.auth.get_access(session).service_catalog.get_endpoints_data(
        service_type=service_type, interface=interface)
    return sorted({data.region_name for endpoints in found.values() for data in endpoints
                   if data.region_name})


def retrying_adapter(num_retries: int, shared: LimitingAdapter | None = None, *,
                     respect_retry_after: bool = True) -> LimitingAdapter:
    """Return what makes a requests session retry, and limits its answers.

    Every request with it may be sent twice: it reads, or sets a whole value.

    :param shared: another adapter, to share its open connections. A slow answer of one does not
        make the server silent for the other. Each session has its own adapter, and so no token or
        cookie of another. Threads may share it.
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
    """Waits as a server asks, but not for long, and says so; after a time-out there is no other."""

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
        # Zero is no time to wait, and then the time between retries counts.
        return seconds if seconds <= MAX_RETRY_AFTER else 0

    def sleep(self, response: urllib3.BaseHTTPResponse | None = None) -> None:
        last = self.history[-1]
        reason = f'HTTP {last.status}' if last.error is None else failure(last.error)
        seconds = self.get_backoff_time()
        if response is not None and 'Retry-After' in response.headers:
            reason += f', Retry-After: {response.headers["Retry-After"]}'
            if self.respect_retry_after_header:
                seconds = self.get_retry_after(response) or seconds
        LOG.debug('Waiting %.1f s before the request is made again: %s', seconds, reason)
        super().sleep(response)


def unanswered(server: str, error: Exception) -> str:
    """Return in a sentence why a server cannot be reached, or gives no valid answer.

    :param server: what a message calls it.
    :param error: as for :func:`failure`.
    """
    for broken, answer in _BROKEN.items():
        if _among(_causes(error), *broken):
            return f'{server} gives no answer that can be used: {answer}.'
    return f'{server} cannot be reached: {failure(error)}.'


def failure(error: Exception) -> str:
    """Return why there is no answer; the error's own text is long, and may hold a signature.

    :param error: one of :data:`FAILURES`, or an error caused by one.
    """
    causes = _causes(error)
    if _among(causes, requests.exceptions.SSLError):
        return tls.explain(causes).reason
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
    """Return the remedy for a missing answer, and the names in it; nothing if unknown.

    These are the arguments of an :class:`osc_imgurl.errors.ImgurlError` after its problem.

    :param error: as for :func:`failure`.
    """
    causes = _causes(error)
    return tls.explain(causes).remedy if _among(causes, requests.exceptions.SSLError) else ()


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and its causes."""
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
