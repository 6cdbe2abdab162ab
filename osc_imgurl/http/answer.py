# SPDX-License-Identifier: Apache-2.0
"""Limits for answers: their time, their size, and complete headers.

A socket's timeout restarts with each read, so that a server can send one byte at a time for ever.
requests reads answers of any size. http.client accepts headers that break off, even in the middle
of a key.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import requests
import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions

from osc_imgurl.errors import remember_in

# Bytes. Our largest answers are smaller: a page of Glance's list has one or two megabytes, a page
# of 10 000 names in Swift at most ten.
MAX_ANSWER = 32 * 1024 * 1024
# Seconds for a whole answer, by default.
TIME_LIMIT = 60.0
# The content type of image data.
DATA = 'application/octet-stream'
# Seconds. A server that did not answer in time gets no other request for so long: users wait for it
# once.
SILENCE = 60.0
# Bytes of image data that must arrive within the time limit.
PART = 1024 * 1024


class AnswerTooLarge(requests.RequestException):
    """An answer has more than :data:`MAX_ANSWER` bytes."""


class AnswerEncoded(requests.RequestException):
    """An answer is compressed, and our requests do not allow that."""


class NoAnswerInTime(requests.RequestException):
    """A server does not answer in time, or did not a moment ago. keystoneauth does not retry it."""

    def __str__(self) -> str:
        return 'there is no answer in time'


class _Stream(io.RawIOBase):
    """A socket's bytes, with one time limit for all of them; ``ended`` after the last byte."""

    def __init__(self, sock: socket.socket, file: io.RawIOBase, time_limit: float) -> None:
        super().__init__()
        self.ended = False
        self._socket = sock
        self._file = file
        self._time_limit = time_limit
        self.renew()

    def renew(self) -> None:
        """Restart the time limit. Only the time spent waiting for bytes counts."""
        self._left = self._time_limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._left <= 0:
            raise TimeoutError
        self._socket.settimeout(self._left)
        since = time.monotonic()
        try:
            size = self._file.readinto(buffer)
        finally:
            self._left -= time.monotonic() - since
            self._socket.settimeout(self._time_limit)
        self.ended = size == 0
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer. The socket's timeout is the limit for the whole of it."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.stream = _Stream(sock, self.fp.detach(), sock.gettimeout() or TIME_LIMIT)
        self.fp = io.BufferedReader(self.stream)

    def begin(self) -> None:
        super().begin()
        # The body is still unread: an ended stream means broken headers.
        if self.stream.ended:
            raise http.client.IncompleteRead(b'')


def _left_unread(response: urllib3.HTTPResponse) -> urllib3.HTTPResponse:
    """Make urllib3 close an answer before a retry, instead of reading it to its end."""
    response.drain_conn = response.close  # type: ignore[method-assign]
    return response


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Answer

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        return _left_unread(super().getresponse())


class _TLSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Answer

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        return _left_unread(super().getresponse())


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class LimitingAdapter(requests.adapters.HTTPAdapter):
    """A requests adapter with limits: an endless answer is an error.

    A request's timeout is for the whole answer, and :data:`MAX_ANSWER` for its body. A compressed
    body is refused: a few kilobytes may become gigabytes before urllib3 returns the first byte.

    After a timeout, other requests to this server fail at once for :data:`SILENCE` seconds, except
    uploads of image data.

    :param by_part: whether a body of the type :data:`DATA` may have any size. The time limit is
        then for each :data:`PART` of it, and the caller's own time does not count.
    """

    def __init__(self, *, by_part: bool = False, **kwargs: Any) -> None:
        self._by_part = by_part
        # The end of each silent server's pause.
        self._silent: dict[str, float] = {}
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        _use_pools(manager)
        return manager

    def add_headers(self, request: requests.PreparedRequest, **kwargs: Any) -> None:
        request.headers['Accept-Encoding'] = 'identity'

    def send(self, request: requests.PreparedRequest, *args: Any,
             **kwargs: Any) -> requests.Response:
        # The server may quote what was sent.
        remember_in(request.headers)
        remember_in(kwargs.get('proxies') or {})
        if not _is_part(request) and time.monotonic() < self._silent.get(_server(request), 0):
            raise NoAnswerInTime
        try:
            return super().send(request, *args, **kwargs)
        except requests.Timeout as error:
            raise self._late(request) from error

    def build_response(self, req: requests.PreparedRequest,
                       resp: urllib3.BaseHTTPResponse) -> requests.Response:
        data = resp.status in (200, 206) and resp.headers.get('Content-Type') == DATA
        if resp.headers.get('Content-Encoding', '').lower() not in ('', 'identity'):
            limit = _encoded
        elif self._by_part and data:
            # Private, but requests itself reads cookies from it.
            limit = functools.partial(
                _renewed, resp._original_response)  # type: ignore[attr-defined]
        else:
            limit = _limited
        resp.stream = functools.partial(  # type: ignore[method-assign]
            self._in_time, req, functools.partial(limit, resp.stream))
        return super().build_response(req, resp)

    def _in_time(self, request: requests.PreparedRequest, limit: Callable[..., Iterator[bytes]],
                 *args: Any, **kwargs: Any) -> Iterator[bytes]:
        try:
            yield from limit(*args, **kwargs)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise self._late(request) from error

    def _late(self, request: requests.PreparedRequest) -> NoAnswerInTime:
        if not _is_part(request):
            self._silent[_server(request)] = time.monotonic() + SILENCE
        return NoAnswerInTime()


def _is_part(request: requests.PreparedRequest) -> bool:
    """Say whether a request uploads image data: it is worth another attempt."""
    return not isinstance(request.body, (str, bytes, type(None)))


def _server(request: requests.PreparedRequest) -> str:
    return urllib.parse.urlsplit(str(request.url)).netloc


def _use_pools(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {'http': _Pool, 'https': _TLSPool}


def _encoded(stream: Callable[..., Iterator[bytes]], *args: Any,
             **kwargs: Any) -> Iterator[bytes]:
    # The answer to a HEAD has the header, but no body.
    if any(stream(*args, **{**kwargs, 'decode_content': False})):
        raise AnswerEncoded
    return iter(())


def _limited(stream: Callable[..., Iterator[bytes]], *args: Any,
             **kwargs: Any) -> Iterator[bytes]:
    size = 0
    for chunk in stream(*args, **kwargs):
        size += len(chunk)
        if size > MAX_ANSWER:
            raise AnswerTooLarge
        yield chunk


def _renewed(answer: _Answer, stream: Callable[..., Iterator[bytes]], *args: Any,
             **kwargs: Any) -> Iterator[bytes]:
    size = 0
    for chunk in stream(*args, **kwargs):
        size += len(chunk)
        if size >= PART:
            size = 0
            answer.stream.renew()
        yield chunk
