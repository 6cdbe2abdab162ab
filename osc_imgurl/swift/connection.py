# SPDX-License-Identifier: Apache-2.0
"""A connection of python-swiftclient's, and data that is read while it is sent."""

from __future__ import annotations

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


def connect(base: str, num_retries: int, session: Session) -> swiftclient.client.HTTPConnection:
    """Return a connection to a server, with a session's TLS options and time limit.

    :param base: scheme, host and port.
    """
    connection = swiftclient.client.http_connection(
        base, timeout=session.timeout)[1]
    connection.requests_args.update(http.request_options(session.verify, session.cert))
    connection.request_session.mount(base, http.retrying_adapter(num_retries))
    return connection
