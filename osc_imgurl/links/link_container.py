# SPDX-License-Identifier: Apache-2.0
"""The container for links in the user's own account, and the links in it.

One request each creates, changes and deletes a link: a killed process leaves no half of a change.
A link has no data of its own; in a RADOS Gateway it shares the image's. Links never write to the
image's object.
"""

from __future__ import annotations

import contextlib
import functools
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from osc_imgurl import http
from osc_imgurl.errors import (
    SET_KEY,
    ImageUnacceptable,
    ImgurlError,
    InvalidParameterValue,
    MissingParameterValue,
    ObjectMismatch,
    ObjectStoreFailed,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.links.link import CONTAINER, Link, read_link
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities, md5_of
from osc_imgurl.swift.endpoint import OfflineSwift
from osc_imgurl.swift.objects import DELETE_AT, SHARED, TARGET_ETAG, Container, read_end
from osc_imgurl.target.resolve import (
    Target,
    own_container,
    session_account,
    session_endpoint,
    signing_key,
)
from osc_imgurl.target.store import Store
from osc_imgurl.tempurl.options import format_expires
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

if TYPE_CHECKING:
    from osc_imgurl.swift.endpoint import Swift
    from osc_imgurl.swift.object_store import ObjectStore

# The query for a symbolic link itself, not its target.
ITSELF = 'symlink=get'
MANIFEST = 'X-Object-Manifest'
LARGE_OBJECTS = (MANIFEST, 'X-Static-Large-Object')
OF_A_GATEWAY = (
    'In a RADOS Gateway a link is a copy of the image that shares its data: its URL may work up to'
    ' ten minutes after its end, but not after it was revoked; it counts in the account\'s usage;'
    ' it outlives the image; and anyone with the URL can read its note')
SHOWN_NOTE = 'This Swift has no symbolic links: anyone with the URL can read its note'


class LinkContainer:
    """The container for links in the user's own account.

    Every method raises ImgurlError if the object store fails.
    """

    def __init__(self, settings: Settings, swift: ObjectStore) -> None:
        self._settings = settings
        self._swift = swift
        self._prepared = False

    @functools.cached_property
    def account(self) -> str | None:
        """The user's account; None for a RADOS Gateway without accounts in its URLs."""
        return session_account(self._settings, self._swift)

    @functools.cached_property
    def radosgw(self) -> bool:
        return session_endpoint(self._settings, self._swift).radosgw

    @functools.cached_property
    def container(self) -> Container:
        return own_container(CONTAINER, self._settings, self._swift)

    def key(self, target: Target, store: Store) -> Key:
        """Return the key for links to an image: an account key.

        Swift refuses a container key through a link to another container.

        :raises ImageUnacceptable: the image is in another account.
        :raises MissingParameterValue: the account has no key, or not the given one.
        """
        account = target.path.account
        if account != self.account:
            raise ImageUnacceptable(
                f'The image is in account {account}. Only URLs in the account of these credentials,'
                f' {self.account}, can be revoked.',
                'Use the credentials of the owner\'s project')
        key = signing_key(target, store)
        keys = list((self._swift.account_keys(account) or {}).values())
        if key in keys:
            return key
        if keys and not store.settings.key:
            return keys[0]
        whose = f'account {account}' if account else 'this account'
        which = 'The given key' if store.settings.key else 'The container\'s key'
        raise MissingParameterValue(
            f'{which} is not a key of {whose}. Only account keys sign URLs that can be revoked.',
            'Set one', SET_KEY)

    def make(self, link: Link, image: Image, path: ObjectPath,
             supported: Capabilities) -> list[str]:
        """Create a link to an object, and return warnings for the user, a sentence each.

        :param path: the object's. If its name is not the image's ID, the user gave it explicitly.
        :raises ImageUnacceptable: this object store cannot link to it.
        :raises InvalidParameterValue: other users have access to the container.
        :raises ObjectMismatch: the object has other data than the image, or the link another size.
        """
        self._prepare()
        if (supported.static_links and image.checksum and path.object == image.id
                and self._put(link, _symlink(path, image.checksum))):
            # Swift has compared the data.
            return []
        found = Container(self._swift, path.container, self.account).head(path.object)
        if found is None:
            raise ObjectStoreFailed(f'There is no object {path.object} in the container'
                                    f' {path.container}.', 'Upload the image again.')
        size, md5 = http.content_length(found), md5_of(found)
        if path.object == image.id and md5 and image.has_data(size, md5) is False:
            raise ObjectMismatch(
                f'The object at {path} is not the data of image {image} ({size} bytes, MD5 {md5};'
                f' Glance says {image.size} bytes, {image.checksum}).',
                'Have the image copied instead.', 'copy')
        stands_for = self._stands_for(path, found, supported)
        self._put(link, stands_for)
        try:
            self._verify(link, image.size if path.object == image.id else size)
        except ImgurlError:
            # If this fails, Swift deletes it at its end.
            with contextlib.suppress(ImgurlError):
                self.revoke(link)
            raise
        if self.radosgw:
            return [OF_A_GATEWAY]
        return [SHOWN_NOTE] if link.note and MANIFEST in stands_for else []

    def _put(self, link: Link, stands_for: Mapping[str, str]) -> bool:
        """Create a link's object; say whether it was created.

        It is not if the name exists, or if the target's ETag is another.
        """
        return self.container.put(link.name, b'', {
            **_headers(link), **stands_for, 'If-None-Match': '*'}) is not None

    def _stands_for(self, path: ObjectPath, found: Mapping[str, str],
                    supported: Capabilities) -> dict[str, str]:
        """Return the headers of a link to an object: a symbolic link, a manifest or a copy.

        Never a static large object: some tools delete its segments with it.

        :param found: the object's headers.
        """
        if LARGE_OBJECTS[1] in found or (self.radosgw and MANIFEST in found):
            raise ImageUnacceptable(
                'The image is in segments, and this object store has no links to it.',
                'Have it copied instead', 'copy')
        if self.radosgw:
            return {'X-Copy-From': f'/{_quoted(path)}'}
        if supported.symlink is False:
            return {MANIFEST: found.get(MANIFEST, _quoted(path))}
        return _symlink(path, md5_of(found))

    def _prepare(self) -> None:
        """Create the container if missing, and refuse one shared with other users.

        Users with write access to it could read the whole account: a link can point to any object.
        """
        if self._prepared:
            return
        # In a gateway, these credentials may see another project's container of this name.
        known = not self.radosgw or self.container.name in self._swift.names(self.account)
        headers = self.container.headers() if known else None
        if headers is None:
            self.container.create()
            headers = self.container.headers() or {}
        for header, use in SHARED.items():
            if headers.get(header):
                raise InvalidParameterValue(
                    f'Other users can {use} objects in the container for links,'
                    f' {self.container.name}: its {header} is {headers[header]}. Users with write'
                    ' access to it can read the whole account through a link.',
                    'Remove this access (swift post).')
        self._prepared = True

    def _verify(self, link: Link, size: int | None) -> None:
        found = self.container.head(link.name) or {}
        if http.content_length(found) != size:
            raise ObjectMismatch(
                f'The link to image {link.image_id} gives {http.content_length(found)} bytes, and'
                f' the image has {size}: this object store has no links, or the object is not the'
                ' image\'s data.', 'Have the image copied instead.', 'copy')
        if self.radosgw and read_end(found) != link.expires:
            raise _other_end(link, found)

    def links(self, image_id: str | None = None) -> Iterator[Link]:
        """Yield all links, or those of one image, even if expired: Swift deletes them soon."""
        for each in self.container.list(f'{image_id}/' if image_id else ''):
            if link := read_link(each.name, each.content_type):
                yield link

    def find(self, name: str) -> Link | None:
        """Return the link of this name, or None if there is none."""
        headers = self.container.head(name, ITSELF)
        return None if headers is None else read_link(name, headers.get('Content-Type', ''))

    def extend(self, link: Link, expires: int, now: float) -> Link:
        """Give a link another end, sooner or later, and return it.

        :param expires: Unix time, seconds, like ``now``.
        :raises InvalidParameterValue: the end is past, or after the expiry of the URL's signature;
            or the link is gone.
        :raises ObjectStoreFailed: another process has just changed the link.
        """
        changed = link.until(expires, now)
        before = self.container.head(link.name, ITSELF)
        # Swift forgets a header that we do not send again, such as a manifest's.
        if before is None or not self.container.post(link.name, symlink=True, headers={
                **_headers(changed), **{name: before[name] for name in (MANIFEST,)
                                        if name in before}}):
            raise gone(link.id)
        after = self.container.head(link.name, ITSELF) or {}
        if read_end(after) != expires:
            raise _other_end(link, after)
        return changed

    def revoke(self, link: Link) -> bool:
        """Delete a link: its URL starts no more downloads. Say whether there was one."""
        return self.container.delete(link.name)


def discard(link: Link, settings: Settings, swift: Swift) -> None:
    """Delete a link before anyone has its URL. If that fails, Swift deletes it at its end."""
    if not isinstance(swift, OfflineSwift):
        with contextlib.suppress(ImgurlError):
            LinkContainer(settings, swift).revoke(link)


def living(settings: Settings, swift: ObjectStore, now: float) -> Iterator[Link]:
    """Yield the working links in the user's account, with one listing.

    :param now: Unix time, seconds.
    """
    return (link for link in LinkContainer(settings, swift).links() if link.expires > now)


def _quoted(path: ObjectPath) -> str:
    return urllib.parse.quote(f'{path.container}/{path.object}')


def _symlink(path: ObjectPath, md5: str | None) -> dict[str, str]:
    return {'X-Symlink-Target': _quoted(path), **({TARGET_ETAG: md5} if md5 else {})}


def _headers(link: Link) -> dict[str, str]:
    return {'Content-Type': link.content_type, DELETE_AT: str(link.expires)}


def gone(link_id: str) -> InvalidParameterValue:
    """Return the error for a missing link."""
    return InvalidParameterValue(
        f'There is no link {link_id} in the account of these credentials: it is revoked or expired,'
        ' or was never there.')


def _other_end(link: Link, headers: Mapping[str, str]) -> ObjectStoreFailed:
    end = read_end(headers)
    return ObjectStoreFailed(
        f'The link {link.id} ends at {format_expires(end) if end else "no time"}: another process'
        ' has just changed it, or the object store ignores its new end.',
        'List the links, and try again or revoke it.')
