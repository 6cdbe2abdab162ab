# SPDX-License-Identifier: Apache-2.0
"""Swift, through python-swiftclient on the caller's session.

A token goes to the catalog's endpoints only, never to one from a location or an option. Requests
use swiftclient's connection, not its functions: those log the beginning of a key, and
percent-decode a key with a ``%``.
"""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from types import MappingProxyType
from typing import Any

import requests
import swiftclient.client
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.session import Session

from osc_imgurl import http
from osc_imgurl.errors import (
    InvalidParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
    OutcomeUnknown,
    logger,
    one_line,
)
from osc_imgurl.http.answer import TIME_LIMIT
from osc_imgurl.swift.answers import (
    ACCOUNT_SLOTS,
    CONTAINER_SLOTS,
    CORRECT,
    MANIFEST,
    Capabilities,
    KeySlot,
    StoredObject,
    md5_of,
    read_info,
    read_keys,
    require_authorized,
    require_object_store,
    require_success,
)
from osc_imgurl.swift.catalog import Catalog
from osc_imgurl.tempurl.endpoint import Endpoint, split_storage_url
from osc_imgurl.tempurl.signing import Key, validate_key
from osc_imgurl.workers import Workers

LOG = logger(__name__)

# Concurrent prefetches: container, account and cluster.
MAX_CONCURRENCY = 3


class ObjectStore(Catalog):
    """The object store of a cloud, as one session sees it.

    :param session: an authenticated keystoneauth session.
    :param region_name: region of the catalog's endpoint; None for the first.
    :param interface: ``public``, ``internal`` or ``admin``.
    :param storage_url: the session's storage URL, instead of the catalog's.
    :param num_retries: retries after a failed connection, 503 or 429.
    :param timeout: seconds for an answer; the session's own timeout comes first.
    :ivar connections: a probe may share them.
    """

    def __init__(self, session: Session, region_name: str | None = None,
                 interface: str = 'public', storage_url: str | None = None, *,
                 num_retries: int = 0, timeout: float = TIME_LIMIT) -> None:
        super().__init__(http.limited(session, timeout), region_name, interface, storage_url)
        self.connections = Connections(self._session, num_retries)
        self._num_retries = num_retries
        self._in_regions: dict[str, ObjectStore] = {}

    def at(self, endpoint: str) -> ObjectStore:
        """Return the object store at an endpoint, by its region in the catalog.

        :returns: this one if the catalog does not name the endpoint. That may be a proxy, and gets
            no token.
        :raises ObjectStoreFailed: as :meth:`find_storage_url`.
        """
        region = self.find_region(endpoint)
        if region is None or region == self._region_name:
            return self
        if region not in self._in_regions:
            self._in_regions[region] = ObjectStore(
                self._session, region, self._interface, num_retries=self._num_retries)
        return self._in_regions[region]

    def memoized(self) -> MemoizedStore:
        """Return the same object store with memoized answers."""
        return MemoizedStore(self)

    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """Return the cluster's answer to ``/info``, requested without a token.

        :returns: all fields are None if the cluster hides ``/info``.
        :raises ObjectStoreFailed: the cluster cannot be reached, or answers with an error.
        """
        response = self._request('GET', f'{endpoint.cluster}/info')
        if response.status_code in (401, 403, 404):
            return Capabilities()
        require_success(response)
        try:
            return read_info(response.json())
        except (ValueError, AttributeError, TypeError, RecursionError):
            raise ObjectStoreFailed(
                f'What answers at {endpoint.cluster}/info is not an object store.',
                CORRECT) from None

    def container_keys(self, account: str | None,
                       container: str) -> dict[KeySlot, Key] | None:
        """Return a container's temporary URL keys by slot, or None if there is no container.

        Swift shows them to the account's owner only. Users with read access see none.

        :param account: None for a RADOS Gateway without accounts in its URLs.
        :raises ObjectStoreNotAuthorized: these credentials may not see the container.
        :raises ObjectStoreFailed: Swift cannot be reached, or answers with an error.
        """
        headers = self.head(account, container)
        return None if headers is None else read_keys(headers, CONTAINER_SLOTS)

    def account_keys(self, account: str | None) -> dict[KeySlot, Key] | None:
        """Return an account's temporary URL keys by slot, or None if there is no account.

        :raises ObjectStoreFailed: as :meth:`container_keys`.
        """
        headers = self.head(account)
        return None if headers is None else read_keys(headers, ACCOUNT_SLOTS)

    def head(self, account: str | None, container: str | None = None,
             name: str | None = None) -> Mapping[str, str] | None:
        """Return the headers of an account, a container or an object; None if there is none.

        :raises ObjectStoreNotAuthorized: these credentials may not see it.
        :raises ObjectStoreFailed: Swift cannot be reached, or answers with an error.
        """
        response = self._authenticated('HEAD', self._url(account, container, name), {})
        if response.status_code == 404:
            return None
        require_success(response)
        return response.headers

    def find_object(self, account: str | None, container: str,
                    name: str) -> StoredObject | None:
        """Return what Swift says of an object, or None if there is none.

        :raises ObjectStoreNotAuthorized: these credentials may not see the object.
        :raises ObjectStoreFailed: Swift cannot be reached, or answers with an error.
        """
        headers = self.head(account, container, name)
        if headers is None:
            return None
        size = http.content_length(headers)
        if size is None:
            raise ObjectStoreFailed(
                f'The object store does not say how large the object {name} is'
                f' (transaction {headers.get("X-Trans-Id", "unknown")}).')
        return StoredObject(size, md5_of(headers), MANIFEST in headers)

    def names(self, account: str | None, container: str | None = None) -> list[str]:
        """Return the names of an account's containers, or of a container's objects.

        :returns: one page of Swift's, 10 000 by default; empty without such an account or
            container.
        :raises ObjectStoreNotAuthorized: these credentials may not list them.
        :raises ObjectStoreFailed: Swift cannot be reached, or answers with an error.
        """
        response = self._authenticated('GET', self._url(account, container), {})
        if response.status_code == 404:
            return []
        require_success(response)
        return response.text.splitlines()

    def set_keys(self, account: str | None, container: str | None,
                 keys: Mapping[KeySlot, Key | None],
                 metadata: Mapping[str, str] = MappingProxyType({})) -> None:
        """Set temporary URL keys of an account or a container, in one request.

        :param container: None for the account's own.
        :param keys: by their slots; None empties a slot.
        :param metadata: more headers of the same request.
        :raises InvalidParameterValue: Swift cannot store a key unchanged; nothing is set.
        :raises ObjectStoreNotAuthorized: these credentials may not.
        :raises ObjectStoreFailed: Swift refuses the request (HTTP 4xx). It may be the answer to a
            retry, after the first request had succeeded.
        :raises OutcomeUnknown: any other answer, or none.
        """
        headers: dict[str, str | bytes] = {**metadata}
        for slot, key in keys.items():
            if key is None:
                headers[slot.header.replace('X-', 'X-Remove-', 1)] = 'x'
                continue
            try:
                headers[slot.header] = validate_key(key.value).value
            except ValueError as error:
                raise InvalidParameterValue(
                    f'The key for slot {slot} cannot be set: {error}.') from None
        url, status = self._url(account, container), None
        try:
            response = self._authenticated('POST', url, headers)
            status = response.status_code
            require_success(response)
        except ObjectStoreNotAuthorized:
            raise
        except ObjectStoreFailed as error:
            if status and 400 <= status < 500:
                raise
            raise OutcomeUnknown(error.problem, error.remedy, *error.names) from error

    def request(self, method: str, *names: str, account: str | None,
                headers: Mapping[str, str] | None = None, query: str = '',
                data: bytes | Body = b'') -> requests.Response:
        """Return an account's answer to a request for a container, or an object in it.

        :param account: None for a RADOS Gateway without accounts in its URLs.
        :raises ObjectStoreFailed: as :meth:`container_keys`.
        """
        url = self._url(account, *names) + (query and f'?{query}')
        return self._authenticated(method, url, headers or {}, data)

    def _url(self, account: str | None, *names: str | None) -> str:
        url = self.storage_url().rstrip('/')
        endpoint, own_account = split_storage_url(url)
        if account not in (None, own_account):
            url = f'{endpoint}/v1/{urllib.parse.quote(account)}'
        elif url == endpoint:
            # The catalog's URL has no API version.
            url += '/v1'
        for name in filter(None, (account, *names)):
            if {'.', '..'} & set(name.split('/')):
                raise InvalidParameterValue(
                    f'The name {name!r} has a part . or .., so that a request would go elsewhere.')
        return '/'.join([url, *(urllib.parse.quote(name) for name in names if name)])

    def _authenticated(self, method: str, url: str, headers: Mapping[str, str | bytes],
                       data: bytes | Body = b'') -> requests.Response:
        try:
            token = self._session.get_token()
        except ksa_exceptions.ClientException as error:
            raise ObjectStoreFailed(f'Keystone gives no token: {one_line(error)}') from error
        response = self._request(method, url, {**headers, 'X-Auth-Token': token}, data)
        require_authorized(response)
        if 200 <= response.status_code < 300 or response.status_code == 404:
            require_object_store(response)
        return response

    def _request(self, method: str, url: str, headers: Mapping[str, Any] | None = None,
                 data: bytes | Body = b'') -> requests.Response:
        parts = urllib.parse.urlsplit(url)
        base = f'{parts.scheme}://{parts.netloc}'
        LOG.debug('Swift request: %s %s', method, url)
        try:
            response: requests.Response = self.connections.to(base, data).request(
                method, parts._replace(scheme='', netloc='').geturl(), data, headers)
            # Read it, so that the connection can serve the next request.
            response.content  # noqa: B018
        except http.FAILURES as error:
            raise ObjectStoreFailed(
                http.unanswered(f'The object store at {base}', error),
                *http.remedy(error)) from error
        LOG.debug('Swift response: %s, %s', response.status_code,
                  response.headers.get('X-Trans-Id'))
        return response


class MemoizedStore(ObjectStore):
    """An object store with memoized answers about keys, names and clusters, for one flow.

    A failed request fails again, without another request. To change keys, use the object store
    itself.

    :param store: shares its connections.
    """

    def __init__(self, store: ObjectStore) -> None:
        vars(self).update(vars(store))
        self._store = store
        self._workers = Workers(MAX_CONCURRENCY)
        self._lock = threading.Lock()
        self._answers: dict[tuple[object, ...], Future[Any]] = {}
        self._memoized: dict[str, MemoizedStore] = {}

    def memoized(self) -> MemoizedStore:
        return self

    def at(self, endpoint: str) -> ObjectStore:
        found = self._store.at(endpoint)
        if found is self._store:
            return self
        return self._memoized.setdefault(endpoint, MemoizedStore(found))

    def prefetch(self, question: str, *about: object) -> None:
        """Start a request in another thread, and return at once.

        The caller that needs the answer gets any exception; without one it is lost.

        :param question: the name of a method of this class.
        :param about: its arguments.
        """
        with self._lock:
            if (question, *about) not in self._answers:
                self._answers[question, *about] = self._workers.submit(
                    lambda: getattr(self._store, question)(*about))

    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        found: Capabilities = self._answer('capabilities', endpoint)
        return found

    def container_keys(self, account: str | None, container: str) -> dict[KeySlot, Key] | None:
        found: dict[KeySlot, Key] | None = self._answer('container_keys', account, container)
        return found

    def account_keys(self, account: str | None) -> dict[KeySlot, Key] | None:
        found: dict[KeySlot, Key] | None = self._answer('account_keys', account)
        return found

    def names(self, account: str | None, container: str | None = None) -> list[str]:
        found: list[str] = self._answer('names', account, container)
        return found

    def _answer(self, question: str, *about: object) -> Any:
        self.prefetch(question, *about)
        return self._answers[question, *about].result()


class Body:
    """Data to stream in a request.

    :param size: bytes. ``chunks`` must yield exactly so many, or raise an error: that ends the
        request, and Swift discards the data.
    """

    def __init__(self, size: int, chunks: Iterable[bytes]) -> None:
        self._size = size
        self._chunks = chunks

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


class Connections:
    """Connections with a session's TLS options and time limit, for all threads.

    :param num_retries: retries after a failed connection, 503 or 429.
    :ivar adapter: a probe may share it.
    """

    def __init__(self, session: Session, num_retries: int) -> None:
        self._session = session
        self.adapter = http.retrying_adapter(num_retries)
        # A stream cannot be sent twice.
        self._once = http.retrying_adapter(0, self.adapter)
        self._of_thread = threading.local()

    def to(self, base: str, data: bytes | Body) -> swiftclient.client.HTTPConnection:
        """Return this thread's connection to a server; threads cannot share one.

        :param base: scheme, host and port.
        :param data: the request's body; a stream is not retried.
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
