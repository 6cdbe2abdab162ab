# SPDX-License-Identifier: Apache-2.0
"""Try a temporary URL: requests without a token."""

from __future__ import annotations

import dataclasses
import socket
import threading
import urllib.parse

import requests
from requests.structures import CaseInsensitiveDict

from osc_imgurl import http
from osc_imgurl.errors import hide_secrets, logger
from osc_imgurl.http.answer import LimitingAdapter
from osc_imgurl.swift.answers import MANIFEST, md5_of

LOG = logger(__name__)

# Seconds for an answer, if the session has no limit of its own, and for a connection. They are
# short: if Swift is out of reach, a warning should come soon.
TIMEOUT = 10.0
CONNECT_TIMEOUT = 4.0


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer to a probe; a field is None if the answer does not say.

    :ivar status: the HTTP status; None without an answer.
    :ivar failure: why there is no answer; else empty.
    :ivar transaction: Swift's transaction ID; other servers have none.
    :ivar date: the server's clock: Unix time, seconds.
    :ivar size: of the object, in bytes.
    :ivar md5: of the object's data, in hex; None for a large object.
    :ivar segmented: whether the object is a dynamic large object, as Glance's Swift store makes of
        a large image.
    :ivar target: the path of a symbolic link's target.
    :ivar server: from the headers ``Server`` or ``Via``.
    :ivar remedy: arguments of an error after its problem; empty if unknown.
    """

    status: int | None
    failure: str = ''
    transaction: str | None = None
    date: float | None = None
    size: int | None = None
    server: str | None = None
    remedy: tuple[str, ...] = ()
    md5: str | None = None
    target: str | None = None
    segmented: bool = False

    @property
    def works(self) -> bool:
        """Whether the URL works: 416, for a range of an empty object, is fine, too."""
        return self.status in (200, 204, 206, 416)

    def has_object(self, size: int | None) -> bool:
        """Say whether Swift answers with an object of a size in bytes; None: of any size."""
        return self.works and self.transaction is not None and size in (None, self.size)

    @property
    def refused(self) -> bool:
        """Whether the URL does not work, beyond doubt."""
        return self.status in (401, 403, 404)


class Probe:
    """Tries temporary URLs, without a token.

    :param verify: True, False, or the path of a file with authorities.
    :param cert: the path of the client's certificate, or the paths of certificate and key.
    :param timeout: seconds.
    :param num_retries: retries after a failed connection, 503 or 429.
    :param connections: the object store's, to reuse them.
    """

    def __init__(self, verify: bool | str | None = True, cert: str | tuple[str, str] | None = None,
                 timeout: float | None = None, num_retries: int = 0,
                 connections: LimitingAdapter | None = None) -> None:
        self._options = http.request_options(verify, cert)
        self._timeout = timeout or TIMEOUT
        self._num_retries = num_retries
        self._connections = connections
        # requests does not promise that threads can share a session.
        self._of_thread = threading.local()

    def ask(self, url: str, method: str = 'HEAD') -> Answer:
        """Return the answer to a temporary URL; a GET requests the first byte only.

        No log and no error contains the URL.
        """
        headers = {'Range': 'bytes=0-0'} if method == 'GET' else {}
        path, query = urllib.parse.urlsplit(url)[2:4]
        signature = urllib.parse.parse_qs(query).get('temp_url_sig', [''])[0]
        LOG.debug('Request without a token: %s %s', method, path)
        try:
            with self._session.request(
                    # Do not read a GET's body: a server may send the whole image. This closes the
                    # connection.
                    method, url, headers=headers, stream=method == 'GET', **self._options,
                    timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout)) as response:
                answer = _read(response, signature)
        except http.FAILURES as error:
            answer = Answer(None, http.failure(error), remedy=http.remedy(error))
        LOG.debug('Response: %s, %s', answer.status or answer.failure, answer.transaction)
        return answer

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._of_thread, 'session'):
            session = requests.Session()
            for scheme in ('http://', 'https://'):
                session.mount(scheme, http.retrying_adapter(
                    self._num_retries, self._connections, respect_retry_after=False))
            self._of_thread.session = session
        found: requests.Session = self._of_thread.session
        return found


def own_address(endpoint: str) -> str | None:
    """Return this machine's address on the way to an endpoint; None without a route.

    Behind address translation (NAT), the server sees another. This sends nothing.
    """
    parts = urllib.parse.urlsplit(endpoint)
    try:
        target = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_DGRAM)[0]
        with socket.socket(target[0], socket.SOCK_DGRAM) as unconnected:
            unconnected.connect(target[4])
            return str(unconnected.getsockname()[0])
    except OSError:
        return None


def _read(response: requests.Response, signature: str) -> Answer:
    # A server may echo the signature.
    headers = CaseInsensitiveDict({
        name: hide_secrets(value, signature) for name, value in response.headers.items()})
    return Answer(
        response.status_code, transaction=headers.get('X-Trans-Id'),
        date=http.read_time(headers, 'Date'),
        size=http.content_length(headers) if response.status_code == 200 else None,
        server=headers.get('Server') or headers.get('Via'), md5=md5_of(headers),
        target=headers.get('Content-Location'), segmented=MANIFEST in headers)
