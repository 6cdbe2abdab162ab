# SPDX-License-Identifier: Apache-2.0
"""What all requests share: retries, and logs in which no temporary URL is good for anything."""

from __future__ import annotations

import logging
import re
from typing import Any

import requests.adapters
import urllib3.exceptions
from urllib3.util import Retry

# Too busy, or too many requests: the server asks to try again, and says when (Retry-After).
RETRIED_STATUSES = (429, 503)
BACKOFF_FACTOR = 0.5
_SIGNATURE = re.compile(r'(temp_url_sig=)[^&\s\'"]*')


class _Discreet(logging.Filter):
    """Hides signatures in what urllib3 logs, and makes a retry no warning."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _SIGNATURE.sub(r'\1***', record.getMessage()), ()
        if record.msg.startswith('Retrying '):
            record.levelno, record.levelname = logging.DEBUG, 'DEBUG'
        return True


class _Retries(logging.LoggerAdapter[logging.Logger]):
    """A log for keystoneauth, which warns of each retry; the failure of the last one is told."""

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)


for _name in ('urllib3.connection', 'urllib3.connectionpool', 'urllib3.util.retry'):
    logging.getLogger(_name).addFilter(_Discreet())


def retrying_adapter(num_retries: int) -> requests.adapters.HTTPAdapter:
    """Return what makes a requests session retry, as :func:`session_retries` does.

    All that we send may be sent twice: it reads, or sets a value that is told whole.
    """
    return requests.adapters.HTTPAdapter(max_retries=Retry(
        total=num_retries, status_forcelist=RETRIED_STATUSES, allowed_methods=None,
        backoff_factor=BACKOFF_FACTOR, raise_on_status=False))


def session_retries(num_retries: int) -> dict[str, Any]:
    """Return what tells a keystoneauth session to retry a request.

    Connection errors are retried, and 503 and 429 after the time that ``Retry-After`` says.
    """
    return {'connect_retries': num_retries, 'status_code_retries': num_retries,
            'retriable_status_codes': list(RETRIED_STATUSES),
            'logger': _Retries(logging.getLogger('keystoneauth.session'), {})}


def failure(error: Exception) -> str:
    """Return why there is no answer; the error's own text is long, and may hold a signature.

    :param error: of requests, or one that comes of such an error.
    """
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause:
        causes.append(cause)
        cause = next((part for part in (getattr(cause, 'reason', None), *cause.args,
                                        cause.__cause__, cause.__context__)
                      if isinstance(part, BaseException)), None)

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in causes)

    if among(requests.exceptions.SSLError):
        return 'its certificate is not accepted, or it does not speak TLS'
    if among(requests.exceptions.ProxyError):
        return 'the HTTP proxy of this machine\'s environment does not answer'
    for each in causes:
        if isinstance(each, OSError) and each.strerror:
            return each.strerror.lower()
    if among(requests.Timeout, urllib3.exceptions.TimeoutError):
        return 'there is no answer in time'
    return 'the connection is closed before an answer comes'
