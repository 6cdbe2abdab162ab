# SPDX-License-Identifier: Apache-2.0
"""Connections of python-swiftclient's, and data that is read while it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import swiftclient.client
from keystoneauth1.session import Session

from osc_imgurl import http


class Body:
    """Data of a known size that is read while it is sent.

    :param size: in bytes. Whoever gives the chunks must give so much, or raise an error: that ends
        the request, and Swift keeps nothing of it.
    """

    def __init__(self, size: int, chunks: Iterable[bytes]) -> None:
        self._size = size
        self._chunks = chunks

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


class Connections:
    """Connections with a session's TLS options and time limit; what is open serves all threads.

    :param num_retries: how often a request is made again that finds no connection, or that is
        answered 503 or 429.
    :ivar adapter: has what is open; others may share it.
    """

    def __init__(self, session: Session, num_retries: int) -> None:
        self._session = session
        self.adapter = http.retrying_adapter(num_retries)
        # What is read while it is sent is gone then.
        self._once = http.retrying_adapter(0, self.adapter)
        self._of_thread = threading.local()

    def to(self, base: str, data: bytes | Body) -> swiftclient.client.HTTPConnection:
        """Return this thread's connection to a server; one that two have mixes up their answers.

        :param base: scheme, host and port.
        :param data: what is to be sent.
        """
        adapter = self._once if isinstance(data, Body) else self.adapter
        made: dict[object, swiftclient.client.HTTPConnection]
        made = self._of_thread.__dict__.setdefault('made', {})
        if (base, adapter) not in made:
            connection = swiftclient.client.http_connection(
                base, timeout=self._session.timeout)[1]
            connection.requests_args.update(
                http.request_options(self._session.verify, self._session.cert))
            connection.request_session.mount(base, adapter)
            made[base, adapter] = connection
        return made[base, adapter]
