# SPDX-License-Identifier: Apache-2.0
"""Ask through a temporary URL, as anybody may: without a token."""

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
from osc_imgurl.swift.answers import md5_of

LOG = logger(__name__)

# In seconds: for an answer, where the session has no time limit of its own, and for a connection.
# Where Swift is out of reach, nobody is to wait for long to be warned of it.
TIMEOUT = 10.0
CONNECT_TIMEOUT = 4.0


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back.

    :ivar status: the HTTP status; None where there was no answer.
    :ivar failure: why there was none; else empty.
    :ivar transaction: Swift's transaction id; None where something else than Swift answers.
    :ivar date: the server's clock: Unix time, seconds; None where it does not say.
    :ivar size: of the object, in bytes; None where the answer does not say.
    :ivar md5: of the object's data, in hex; likewise, as for a large object.
    :ivar target: the path of the object that a symbolic link stands for, as the answer says it.
    :ivar server: what the answer says of who answers.
    :ivar remedy: what to do where there was none, and what that is about; empty if unknown.
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

    @property
    def works(self) -> bool:
        """Whether the URL is good; a part that is not there (416) was at least allowed."""
        return self.status in (200, 204, 206, 416)

    def has_object(self, size: int | None) -> bool:
        """Say whether Swift answers with an object of a size in bytes; None: of any."""
        return self.works and self.transaction is not None and size in (None, self.size)

    @property
    def refused(self) -> bool:
        """Whether the URL is definitely not good."""
        return self.status in (401, 403, 404)


class Probe:
    """Sends requests through temporary URLs; no token goes with them.

    :param verify: whether certificates are verified, or the path of a file with authorities.
    :param cert: the client's certificate, or its file and its key's.
    :param timeout: in seconds.
    :param num_retries: how often a request is made again that finds no connection, or that is
        answered 503 or 429.
    :param connections: those of the object store that are open, so that none is made anew for a
        single request.
    """

    def __init__(self, verify: bool | str | None = True, cert: str | tuple[str, str] | None = None,
                 timeout: float | None = None, num_retries: int = 0,
                 connections: LimitingAdapter | None = None) -> None:
        self._options = http.request_options(verify, cert)
        self._timeout = timeout or TIMEOUT
        self._num_retries = num_retries
        self._connections = connections
        # requests does not say that a session may be shared among threads.
        self._of_thread = threading.local()

    def ask(self, url: str, method: str = 'HEAD') -> Answer:
        """Return what a URL answers; a GET asks for the first byte only.

        :param url: a temporary URL; in no log of this library, and in no error.
        """
        headers = {'Range': 'bytes=0-0'} if method == 'GET' else {}
        path, query = urllib.parse.urlsplit(url)[2:4]
        signature = urllib.parse.parse_qs(query).get('temp_url_sig', [''])[0]
        LOG.debug('Request without a token: %s %s', method, path)
        try:
            with self._session.request(
                    # What is not read to its end costs the connection, but may be a whole image.
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
    """Return the address from which this machine reaches an endpoint; None where it does not.

    Behind a network address translation the server sees another one. Nothing is sent.
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
    # A server may send back what it was sent.
    headers = CaseInsensitiveDict({
        name: hide_secrets(value, signature) for name, value in response.headers.items()})
    return Answer(
        response.status_code, transaction=headers.get('X-Trans-Id'),
        date=http.read_time(headers, 'Date'),
        size=http.content_length(headers) if response.status_code == 200 else None,
        server=headers.get('Server') or headers.get('Via'), md5=md5_of(headers),
        target=headers.get('Content-Location'))
