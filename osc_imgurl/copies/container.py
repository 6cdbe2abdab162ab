# SPDX-License-Identifier: Apache-2.0
"""The container for copies in the session's own account, its key, and its copies."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from osc_imgurl import http
from osc_imgurl.copies import segments
from osc_imgurl.copies.copy import (
    CONTAINER,
    Copy,
    extended,
    from_headers,
    image_id_of,
    to_headers,
)
from osc_imgurl.errors import (
    ImgurlError,
    InvalidParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
    logger,
)
from osc_imgurl.glance.image import Image, referenced_id
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift import key_slots
from osc_imgurl.swift.answers import CONTAINER_SLOTS, Capabilities
from osc_imgurl.swift.endpoint import find_endpoint
from osc_imgurl.swift.key_slots import SETTLING
from osc_imgurl.swift.objects import (
    AT_ONCE,
    DELETE_AT,
    SHARED,
    Container,
    Listed,
    delete_each,
    read_end,
)
from osc_imgurl.target.resolve import (
    Target,
    find_key,
    own_container,
    session_account,
    session_endpoint,
)
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath
from osc_imgurl.workers import side_by_side

if TYPE_CHECKING:
    from osc_imgurl.swift.endpoint import Swift

LOG = logger(__name__)

# How often to move an object's end, while others move it back.
ATTEMPTS = 5
# A listing from here on has no segments: '0' comes behind '/'.
BEHIND_SEGMENTS = segments.FOLDER.replace('/', '0')


class CopyContainer:
    """The container for copies in the session's own account. Threads share it.

    Every method raises ImgurlError without an object store, or if Swift fails.

    :ivar store: its object store.
    """

    def __init__(self, settings: Settings, object_store: Swift) -> None:
        self._settings = settings
        self.store = object_store
        self._lock = threading.RLock()
        self._prepared = False
        self._key: Key | None = None
        self._settled = 0.0

    @functools.cached_property
    def container(self) -> Container:
        """The container."""
        if self._settings.copy_container:
            return Container(self.store, self._settings.copy_container, self._account)
        return own_container(CONTAINER, self._settings, self.store)

    @functools.cached_property
    def _account(self) -> str | None:
        return session_account(self._settings, self.store)

    def target(self, name: str) -> Target:
        """Return where a copy is, for its URL.

        :param name: of its object.
        """
        account = self._account
        endpoint = dataclasses.replace(
            find_endpoint(self._settings, self.store), accounts=account is not None)
        return Target(endpoint, ObjectPath(account, self.container.name, name,
                                           self._settings.api_version))

    def key(self, target: Target) -> Key:
        """Return the key to sign with: the container's, and in a RADOS Gateway the account's.

        :raises MissingParameterValue: this is a gateway, and the account has no key.
        """
        with self._lock:
            if self._key is None:
                # Another process may have set another key at the same time.
                time.sleep(max(0, self._settled - time.monotonic()))
                self._key = find_key(target, self.store)[1]
            return self._key

    def capabilities(self) -> Capabilities:
        """Return the cluster's own limits; nothing if it does not answer."""
        with contextlib.suppress(ObjectStoreFailed):
            return self.store.capabilities(session_endpoint(self._settings, self.store))
        return Capabilities()

    def prepare(self, target: Target) -> None:
        """Make the container and its key, unless they exist; warn if others may use it.

        :raises ObjectStoreNotAuthorized: these credentials may not.
        :raises InvalidParameterValue: the container is another project's.
        """
        with self._lock:
            if self._prepared:
                return
            try:
                self._prepare(target)
            except ObjectStoreNotAuthorized as error:
                raise ObjectStoreNotAuthorized(
                    f'{error.problem} The copy would go there.', 'Use credentials with a role that'
                    ' may write there, or another container.', 'copy_container') from None
            self._prepared = True

    def _prepare(self, target: Target) -> None:
        if target.endpoint.radosgw:
            # Without a key nothing needs to be copied.
            self.key(target)
        account, name = target.path.account, self.container.name
        headers = self._headers(target)
        if headers is None:
            self.container.create()
            headers = {}
        if not target.endpoint.radosgw:
            keys = [headers[slot.header] for slot in CONTAINER_SLOTS if headers.get(slot.header)]
            if not keys:
                self.store.set_keys(account, name, {CONTAINER_SLOTS[-1]: key_slots.generate()})
            if keys and _is_settled(headers):
                self._key = Key(keys[0].encode('latin-1'))
            else:
                self._settled = time.monotonic() + SETTLING
        for header, use in SHARED.items():
            if headers.get(header):
                LOG.warning('Others may %s what is in the container %s, where copies are kept: its'
                            ' %s is %s', use, name, header, headers[header])

    def _headers(self, target: Target) -> Mapping[str, str] | None:
        """Return the container's headers, or None if there is no container.

        :raises InvalidParameterValue: it is another project's.
        """
        owned = not target.endpoint.radosgw or (
            self.container.name in self.store.names(target.path.account))
        try:
            headers = self.container.headers()
        except ObjectStoreNotAuthorized:
            if owned:
                raise
            headers = {}
        if headers is not None and not owned:
            raise InvalidParameterValue(
                f'The container {self.container.name} is another project\'s.',
                'Have copies kept in another.', 'copy_container')
        return headers

    def find(self, name: str) -> Copy | None:
        """Return an object as a copy, or None if there is no object.

        :raises InvalidParameterValue: the object is not a copy of ours.
        """
        headers = self.container.head(name)
        if headers is None:
            return None
        copy = from_headers(self.container.name, name, headers)
        if copy is None:
            raise InvalidParameterValue(
                f'The object {name} in the container {self.container.name} is no copy that this'
                ' command has made.', 'Make another.', 'copy')
        return copy

    def copies(self) -> Iterator[Copy]:
        """Yield all copies."""
        names = (each.name for each in self.container.list(after=BEHIND_SEGMENTS)
                 if image_id_of(each.name))
        for copy, _ in self._read(names):
            yield copy

    def copies_of(self, image_id: str) -> list[Copy]:
        """Return an image's copies, the oldest first."""
        return [copy for copy, _ in self._oldest_first(image_id)]

    def copies_that_stay(self, image_id: str, own: str | None = None) -> list[Copy]:
        """Return an image's copies, the oldest first: all processes use that one.

        A process withdraws a new copy if another is older. So wait until the first stays.

        :param own: the name of a copy by this process. Swift may not list it yet.
        """
        known = {own} if own else set()
        while True:
            found = self._oldest_first(image_id, known)
            copies = [copy for copy, _ in found]
            if not found or copies[0].name in known or _is_settled(found[0][1]):
                return copies
            time.sleep(SETTLING)
            known.update(copy.name for copy in copies)

    def _oldest_first(self, image_id: str,
                      known: Iterable[str] = ()) -> list[tuple[Copy, Mapping[str, str]]]:
        listed = (each.name for each in self.container.list(image_id)
                  if image_id_of(each.name) == image_id)
        return sorted(self._read(dict.fromkeys((*known, *listed))),
                      key=lambda each: (each[1].get('X-Timestamp', ''), each[0].name))

    def _read(self, names: Iterable[str]) -> Iterator[tuple[Copy, Mapping[str, str]]]:
        """Yield the copies among these objects, with their headers."""
        def read(name: str) -> tuple[Copy, Mapping[str, str]] | None:
            headers = self.container.head(name)
            copy = None if headers is None else from_headers(self.container.name, name, headers)
            return None if headers is None or copy is None else (copy, headers)

        yield from filter(None, side_by_side(read, names, AT_ONCE))

    def segments_of(self, image_id: str) -> list[Listed]:
        """Return the segments of an image's copies, and no other objects."""
        return [each for each in self.container.list(segments.folder(image_id))
                if segments.image_of(each.name) == image_id]

    def extend(self, copy: Copy, expires: int) -> Copy | None:
        """Return a copy after making it live long enough for a URL; None if it has just ended.

        :param expires: when the URL expires: Unix time, seconds.
        """
        moment = extended(copy.delete_at, expires)
        if moment is None:
            return copy
        longer = dataclasses.replace(copy, delete_at=moment)
        # First the segments: none of them may end before the copy. Other attempts' may be gone.
        self.extend_all([each.name for each in self.segments_of(copy.image_id)], moment)
        return longer if self._extend(copy.name, moment, to_headers(longer)) else None

    def extend_all(self, names: Iterable[str], delete_at: int) -> bool:
        """Make segments live until a moment (Unix time, seconds), or longer; False if one is gone.

        They may be part of another process's copy.
        """
        return all(list(side_by_side(
            lambda name: self._extend(name, delete_at, {DELETE_AT: str(delete_at)}), names,
            AT_ONCE)))

    def reuse(self, stored: segments.Stored, delete_at: int) -> bool:
        """Make a segment live until a moment, or longer; False if it is gone, or is not one."""
        headers = self.container.head(stored.name)
        return (headers is not None and segments.holds(headers, stored)
                and self.extend_all([stored.name], delete_at))

    def _extend(self, name: str, delete_at: int, headers: Mapping[str, str]) -> bool:
        """Write headers with a later end, unless the end is late enough; False if it is gone."""
        for _ in range(ATTEMPTS):
            # Others may write at the same time, and the last one counts.
            found = self.container.head(name)
            if found is None:
                return False
            end = read_end(found)
            if end is None or end >= delete_at:
                break
            self.container.post(name, headers)
        return True

    def clear(self) -> list[ImgurlError]:
        """Delete all copies and segments, copies in progress too; return the errors.

        Other objects stay.
        """
        left = (each.name for each in self.container.list(segments.FOLDER)
                if segments.image_of(each.name))
        # First the objects with URLs.
        return delete_each(
            self.container.delete, [*(copy.name for copy in self.copies()), *left])

    def delete_all(self, image_ids: Iterable[str]) -> list[ImgurlError]:
        """Delete the copies of images, as :meth:`delete` does; return the errors."""
        return delete_each(self.delete, image_ids)

    def delete(self, image_id: str) -> None:
        """Delete an image's copies and all their segments, those in progress too.

        :raises InvalidParameterValue: there is no copy.
        """
        copies, parts = self.copies_of(image_id), self.segments_of(image_id)
        if not copies and not parts:
            raise InvalidParameterValue(
                f'There is no copy of image {image_id} in the container {self.container.name}.')
        # First the objects with URLs.
        for name in (*(copy.name for copy in copies), *(each.name for each in parts)):
            self.container.delete(name)

    def image_id(self, reference: str, find: Callable[[str], Image]) -> str:
        """Return the ID of an image with copies. Glance may have deleted the image.

        :param reference: its ID, ``glance://host/ID``, or its name in the copy or in Glance.
        :param find: finds an image in Glance.
        :raises InvalidParameterValue: copies of several images have the name.
        :raises ImgurlError: as ``find``, if no copy has the name.
        """
        found = referenced_id(reference)
        if found:
            return found
        named = sorted({copy.image_id for copy in self.copies() if copy.image_name == reference})
        if len(named) > 1:
            raise InvalidParameterValue(
                f'Copies of several images have the name {reference!r}: {", ".join(named)}.',
                'Name one by its ID.')
        return named[0] if named else find(reference).id


def _is_settled(headers: Mapping[str, str]) -> bool:
    """Say whether an object or container has not just changed, by its server's clock."""
    now, changed = (http.read_time(headers, name) for name in ('Date', 'Last-Modified'))
    return now is None or changed is None or abs(now - changed) > SETTLING
