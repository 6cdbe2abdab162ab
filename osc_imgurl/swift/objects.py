# SPDX-License-Identifier: Apache-2.0
"""A container in the user's own account: write, list and delete its objects."""

from __future__ import annotations

import dataclasses
import functools
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

import requests

from osc_imgurl.errors import (
    DELETE_COPIES,
    ImgurlError,
    InvalidParameterValue,
    ObjectStoreFailed,
    ObjectStoreFull,
)
from osc_imgurl.swift.answers import CORRECT, require_success
from osc_imgurl.swift.object_store import Body
from osc_imgurl.workers import side_by_side

if TYPE_CHECKING:
    from osc_imgurl.swift.endpoint import Swift

T = TypeVar('T')

# Swift's answers without room for an object.
FULL = {413: 'the quota of the account or of the container is used up, or the object too large',
        507: 'its disks are full'}
# The limit of a list. A page has up to 10 000 objects.
MOST_PAGES = 1000
DELETE_AT = 'X-Delete-At'
# A symbolic link's condition on its target's data.
TARGET_ETAG = 'X-Symlink-Target-Etag'
# The headers of a container that others may use.
SHARED = {'X-Container-Read': 'read', 'X-Container-Write': 'change'}
# Concurrent requests to read or delete objects.
AT_ONCE = 8
# Errors from reading an answer of another shape.
NOT_EXPECTED = (ValueError, LookupError, TypeError, OverflowError, RecursionError)


@dataclasses.dataclass(frozen=True)
class Listed:
    """An object in a container's list.

    :ivar size: bytes.
    :ivar md5: the ETag; not the data's MD5 for a large object.
    """

    name: str
    size: int
    md5: str
    content_type: str = ''


class Container:
    """A container of the user's own account.

    :param account: None for a RADOS Gateway without accounts in its URLs.

    Every method raises ObjectStoreNotAuthorized if Swift refuses these credentials, ObjectStoreFull
    if a quota is used up, and ObjectStoreFailed after any other error.
    """

    def __init__(self, store: Swift, name: str, account: str | None) -> None:
        self.name = name
        self._store = store
        self._account = account

    def headers(self) -> Mapping[str, str] | None:
        """Return the container's headers, or None if there is no such container."""
        return self._head()

    def create(self) -> None:
        """Create the container unless it exists.

        :raises InvalidParameterValue: it is another project's, in a RADOS Gateway.
        """
        response = self._request('PUT', self.name)
        if response.status_code == 409:
            raise InvalidParameterValue(
                f'The container {self.name} is another project\'s: in this object store no two'
                ' projects have a container of the same name.',
                'Ask the operator to delete it, or have the image copied into another.',
                'copy', 'copy_container')
        _require_success(response)

    def head(self, name: str, query: str = '') -> Mapping[str, str] | None:
        """Return an object's headers, or None if there is no such object."""
        return self._head(name, query=query)

    def list(self, prefix: str = '', *, after: str = '') -> Iterator[Listed]:
        """Yield the objects with a prefix in their names, page by page.

        :param after: begin behind this name.
        """
        for _ in range(MOST_PAGES):
            query = urllib.parse.urlencode({'format': 'json', 'prefix': prefix, 'marker': after})
            response = self._request('GET', self.name, query=query)
            if response.status_code == 404:
                return
            page = _listing(_require_success(response))
            for each in page:
                if each.name <= after or not each.name.startswith(prefix):
                    raise _no_list(response)
                yield each
                after = each.name
            if not page:
                return
        raise _no_list(response)

    def put(self, name: str, data: bytes | Body, headers: Mapping[str, str],
            query: str = '') -> Mapping[str, str] | None:
        """Write an object, and return the headers of the answer.

        A :class:`Body` is sent once: it cannot be read again for a retry.

        :returns: None if a condition in the headers is not met: ``If-None-Match``, or
            :data:`TARGET_ETAG`.
        """
        response = self._request('PUT', self.name, name, headers=headers, query=query, data=data)
        if response.status_code == 412 or (response.status_code == 409 and TARGET_ETAG in headers):
            return None
        return _require_success(response).headers

    def post(self, name: str, headers: Mapping[str, str], *, symlink: bool = False) -> bool:
        """Replace an object's metadata, and say whether there is such an object.

        :param symlink: whether it may be a symbolic link. Swift then writes the link's metadata
            and answers with a redirection to the target. We do not follow it.
        """
        response = self._request('POST', self.name, name, headers=headers)
        return (symlink and response.status_code == 307) or self._unless_missing(response)

    def delete(self, name: str) -> bool:
        """Delete an object, and say whether there was one."""
        return self._unless_missing(self._request('DELETE', self.name, name))

    def manifest(self, name: str) -> set[str] | None:
        """Return the names of a large object's segments, in this container.

        :returns: an empty set if there is no such object; None if the object store does not say,
            like RADOS Gateways.
        """
        response = self._request('GET', self.name, name, query='multipart-manifest=get')
        if response.status_code == 404:
            return set()
        try:
            return {str(each['name']).removeprefix(f'/{self.name}/')
                    for each in _require_success(response).json()}
        except NOT_EXPECTED:
            return None

    @property
    def _request(self) -> Callable[..., requests.Response]:
        return functools.partial(self._store.request, account=self._account)

    def _head(self, *name: str, query: str = '') -> Mapping[str, str] | None:
        response = self._request('HEAD', self.name, *name, query=query)
        return None if response.status_code == 404 else _require_success(response).headers

    @staticmethod
    def _unless_missing(response: requests.Response) -> bool:
        return response.status_code != 404 and bool(_require_success(response))


def read_end(headers: Mapping[str, str]) -> int | None:
    """Return when Swift deletes the object with these headers: Unix time, seconds; None: never."""
    moment = headers.get(DELETE_AT, '')
    return int(moment) if re.fullmatch('[0-9]{1,10}', moment) else None


def delete_each(delete: Callable[[T], object], items: Iterable[T]) -> list[ImgurlError]:
    """Delete items concurrently, and return the errors."""
    def attempt(item: T) -> ImgurlError | None:
        try:
            delete(item)
        except ImgurlError as error:
            return error
        return None

    return list(filter(None, side_by_side(attempt, items, AT_ONCE)))


def _require_success(response: requests.Response) -> requests.Response:
    if response.status_code in FULL:
        raise ObjectStoreFull(
            f'There is no more room in Swift (HTTP {response.status_code}):'
            f' {FULL[response.status_code]}.', 'Delete copies, or ask the operator for more room.',
            DELETE_COPIES)
    require_success(response)
    return response


def _listing(response: requests.Response) -> list[Listed]:
    try:
        listed = [Listed(str(each['name']), int(each['bytes']), str(each['hash']),
                         str(each.get('content_type', '')))
                  for each in response.json() if 'name' in each]
        for each in listed:
            # JSON can contain surrogates, a URL cannot.
            each.name.encode()
    except NOT_EXPECTED:
        raise _no_list(response) from None
    return listed


def _no_list(response: requests.Response) -> ObjectStoreFailed:
    return ObjectStoreFailed(
        f'What answers at {response.url.partition("?")[0]} lists other things than objects of this'
        ' container, or its list does not end.', CORRECT)
