# SPDX-License-Identifier: Apache-2.0
"""What all requests share: TLS, no foreign password, retries, and logs without signatures."""

from __future__ import annotations

import logging
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

import requests.adapters
import urllib3.exceptions
from urllib3.util import Retry

from osc_imgurl.http import tls

# Too busy, or too many requests: the server asks to try again, and says when (Retry-After).
RETRIED_STATUSES = (429, 503)
BACKOFF_FACTOR = 0.5
# How long a server may ask us to wait, in seconds: what is beyond that is a stranger's wish.
MAX_RETRY_AFTER = 10
# How long an answer may take where the session has no time limit of its own, in seconds.
TIME_LIMIT = 60.0
# What requests raises: its own errors and, at headers that nobody expects, other people's.
FAILURES = (requests.RequestException, ValueError, OverflowError, RecursionError)
_SIGNATURE = re.compile(r'(temp_url_sig=)[^&\s\'"]*')


class _Retries(logging.LoggerAdapter[logging.Logger]):
    """A log for keystoneauth, which warns of each retry; only the last failure is reported."""

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)


def hide_signatures() -> None:
    """Have urllib3 log no signature of a temporary URL, and a retry at the debug level.

    The log of urllib3 is the whole process's, so that no import touches it: whoever runs the
    process calls this. To call it twice changes nothing.
    """
    for name in ('urllib3.connection', 'urllib3.connectionpool', 'urllib3.util.retry'):
        logging.getLogger(name).addFilter(_hide_signature)


def _hide_signature(record: logging.LogRecord) -> bool:
    record.msg, record.args = _SIGNATURE.sub(r'\1***', record.getMessage()), ()
    if record.msg.startswith('Retrying '):
        record.levelno, record.levelname = logging.DEBUG, 'DEBUG'
    return True


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request as it is: a ``.netrc`` may hold a password for the host, and nobody's here.

    requests looks into that file wherever it is given no authentication.
    """
    return request


def request_options(verify: bool | str | None,
                    cert: str | tuple[str, str] | None) -> dict[str, Any]:
    """Return what every request is given that does not go through keystoneauth.

    ``verify`` is given with the request: ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` win over a
    session's. They count only where certificates are verified and no file is given, as for the
    requests that keystoneauth makes. No redirection is followed: a token or a signature would go
    along.

    :param verify: whether certificates are verified, or the path of a file with authorities.
    :param cert: the client's certificate, or its file and its key's.
    """
    return {'verify': verify, 'cert': cert, 'auth': no_auth, 'allow_redirects': False}


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the ``Content-Length`` in bytes; None where there is none, or it is no length.

    What follows RFC 9110, section 8.6, and fits into 64 bits is one.
    """
    found = re.fullmatch('[0-9]{1,19}', headers.get('Content-Length', ''))
    return int(found[0]) if found else None


def retrying_adapter(num_retries: int) -> requests.adapters.HTTPAdapter:
    """Return what makes a requests session retry, as :func:`session_retries` does.

    All that we send may be sent twice: it reads, or sets a whole value.
    """
    return requests.adapters.HTTPAdapter(max_retries=_Retry(
        # A certificate that is wrong stays so.
        total=num_retries, other=0, status_forcelist=RETRIED_STATUSES, allowed_methods=None,
        backoff_factor=BACKOFF_FACTOR, raise_on_status=False))


class _Retry(Retry):
    """Waits as a server asks, but not for long."""

    def parse_retry_after(self, retry_after: str) -> float:
        try:
            seconds = super().parse_retry_after(retry_after)
        except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            return 0
        # Zero is no time to wait, and then the time between retries counts.
        return seconds if seconds <= MAX_RETRY_AFTER else 0


def _limit_retry_after(response: requests.Response, **_: Any) -> None:
    """Take a time out of an answer that keystoneauth would wait, however long it is."""
    asked = response.headers.get('Retry-After', '')
    if not (re.fullmatch('[0-9]{1,2}', asked) and int(asked) <= MAX_RETRY_AFTER):
        response.headers.pop('Retry-After', None)


def session_retries(num_retries: int) -> dict[str, Any]:
    """Return what tells a keystoneauth session to retry a request.

    Connection errors are retried, and 503 and 429 after the time that ``Retry-After`` says, up to
    :data:`MAX_RETRY_AFTER`.
    """
    return {'hooks': {'response': _limit_retry_after},
            'connect_retries': num_retries, 'status_code_retries': num_retries,
            'retriable_status_codes': list(RETRIED_STATUSES),
            'logger': _Retries(logging.getLogger('keystoneauth.session'), {})}


def failure(error: Exception) -> str:
    """Return why there is no answer; the error's own text is long, and may hold a signature.

    :param error: one of :data:`FAILURES`, or one that comes of such an error.
    """
    causes = _causes(error)

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in causes)

    if among(requests.exceptions.SSLError):
        return tls.explain(causes).reason
    if among(requests.exceptions.ProxyError):
        return 'the HTTP proxy of this machine\'s environment does not answer'
    for each in causes:
        if isinstance(each, OSError) and each.strerror:
            return each.strerror.lower()
    if among(requests.Timeout, urllib3.exceptions.TimeoutError):
        return 'there is no answer in time'
    if among(ValueError, OverflowError, RecursionError):
        return 'its address or its answer is invalid'
    return 'the connection is closed before an answer comes'


def remedy(error: Exception) -> tuple[str, ...]:
    """Return what to do where there is no answer, and what that is about; nothing if unknown.

    These are the arguments of an :class:`osc_imgurl.errors.ImgurlError` after its problem.

    :param error: as for :func:`failure`.
    """
    causes = _causes(error)
    if any(isinstance(each, requests.exceptions.SSLError) for each in causes):
        return tls.explain(causes).remedy
    return ()


def asked_at(error: Exception) -> str | None:
    """Return scheme, host and port of the request that an error comes of; None if unknown."""
    for each in _causes(error):
        if isinstance(each, requests.RequestException) and each.request and each.request.url:
            parts = urllib.parse.urlsplit(each.request.url)
            return f'{parts.scheme}://{parts.netloc.rpartition("@")[2]}'
    return None


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error, and those that it comes of."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause:
        causes.append(cause)
        cause = next((part for part in (getattr(cause, 'reason', None), *cause.args,
                                        cause.__cause__, cause.__context__)
                      if isinstance(part, BaseException)), None)
    return causes
