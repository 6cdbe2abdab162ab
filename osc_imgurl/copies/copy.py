# SPDX-License-Identifier: Apache-2.0
"""A copy as a value, and as the headers of its object."""

from __future__ import annotations

import dataclasses
import re
import secrets
import urllib.parse
from collections.abc import Mapping

from osc_imgurl import http
from osc_imgurl.glance.image import Image, is_uuid
from osc_imgurl.swift.objects import DELETE_AT, read_end

HASH, NAME = 'X-Object-Meta-Image-Hash', 'X-Object-Meta-Image-Name'
# Swift's max_meta_value_length, in bytes, where an operator has not changed it.
MAX_META_VALUE = 256
# The container for copies, where none is given.
CONTAINER = 'image-temp-urls'
_OWN_NAME = re.compile('[0-9a-f]{16}')
_HASH = re.compile(r'[a-z0-9_]+:[0-9a-f]+')


@dataclasses.dataclass(frozen=True)
class Copy:
    """A copy of an image.

    :ivar container: the container that it is in.
    :ivar name: of its object; :func:`new_name` makes one.
    :ivar image_name: as it was when the copy was made, perhaps cut off; an untrusted user wrote it.
    :ivar size: in bytes.
    :ivar hash: of its data, with the algorithm in front, such as ``sha512:...``.
    :ivar delete_at: when Swift deletes it: Unix time, seconds; None: never.
    """

    container: str
    name: str
    image_name: str | None
    size: int
    hash: str
    delete_at: int | None

    @property
    def image_id(self) -> str:
        """The ID of the image."""
        return self.name.partition('/')[0]


def new_name(image_id: str) -> str:
    """Return a name for an image's copy that none had before: URLs of others never open it."""
    return f'{image_id}/{secrets.token_hex(8)}'


def image_id_of(name: str) -> str | None:
    """Return the ID of the image that an object is a copy of, by its name; None: of none.

    :param name: as :func:`new_name` makes it, or the ID alone, as earlier copies have it.
    """
    image_id, slash, own = name.partition('/')
    return image_id if is_uuid(image_id) and (not slash or _OWN_NAME.fullmatch(own)) else None


def is_container(name: str, given: str | None) -> bool:
    """Say whether a container is for copies, by its name.

    :param given: the container that the settings name.
    """
    return name == given if given else bool(re.fullmatch(f'{CONTAINER}(-[0-9a-f]{{32}})?', name))


def to_headers(copy: Copy) -> dict[str, str]:
    """Return what is written beside the data of a copy."""
    headers = {HASH: copy.hash}
    if copy.image_name:
        headers[NAME] = _quoted(copy.image_name)
    if copy.delete_at is not None:
        headers[DELETE_AT] = str(copy.delete_at)
    return headers


def from_headers(container: str, name: str, headers: Mapping[str, str]) -> Copy | None:
    """Return the copy that an object is, or None where it is none of ours.

    :param headers: of the object; whoever may write in the account may have written them.
    """
    size, found = http.content_length(headers), headers.get(HASH, '')
    if size is None or not _HASH.fullmatch(found):
        return None
    return Copy(container, name, urllib.parse.unquote(headers.get(NAME, '')) or None, size, found,
                read_end(headers))


def image_hash(image: Image) -> str | None:
    """Return the hash that Glance tells of an image's data, as in :class:`Copy`.

    That is ``os_hash_value``, else the MD5 in ``checksum``; None where it tells none.
    """
    if image.os_hash_value and image.os_hash_algo:
        return f'{image.os_hash_algo}:{image.os_hash_value}'
    return f'md5:{image.checksum}' if image.checksum else None


def _quoted(name: str) -> str:
    """Return a name percent-encoded, as much of it as one value may hold."""
    quoted = ''
    for char in name:
        more = urllib.parse.quote(char, safe='', errors='replace')
        if len(quoted) + len(more) > MAX_META_VALUE:
            break
        quoted += more
    return quoted


# What a copy lives longer than its URL, in seconds: a download that has begun may go on.
GRACE = 3600
# By how much a later URL may outrun that, in seconds, before the copy's end is moved.
SLACK = 300


def delete_at(expires: int) -> int:
    """Return when a copy is to be deleted whose URL expires at a moment; Unix times, seconds."""
    return expires + GRACE


def extended(found: int | None, expires: int) -> int | None:
    """Return until when a copy must live; None where it lives long enough.

    A copy's life is made longer, and never shorter.

    :param found: when it is deleted now: Unix time, seconds; None where that is never.
    :param expires: when the new URL expires.
    """
    wanted = delete_at(expires)
    return None if found is None or found >= wanted - SLACK else wanted


def ends_soon(found: int, now: float) -> bool:
    """Say whether what is written of a copy may be deleted before the copy is whole.

    :param found: when that is deleted: Unix time, seconds.
    :param now: Unix time, seconds.
    """
    return found - now < GRACE / 2
