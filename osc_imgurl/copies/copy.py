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
# Swift's default max_meta_value_length, in bytes.
MAX_META_VALUE = 256
# The default container.
CONTAINER = 'image-temp-urls'
# How much longer a copy lives than its URL, in seconds: for a download in progress.
GRACE = 3600
# How much of it a later URL may use, in seconds, before the copy's end is moved.
SLACK = 300
_OWN_NAME = re.compile('[0-9a-f]{16}')
_HASH = re.compile(r'[a-z0-9_]+:[0-9a-f]+')


@dataclasses.dataclass(frozen=True)
class Copy:
    """A copy of an image.

    :ivar container: its container.
    :ivar name: of its object; :func:`new_name` makes one.
    :ivar image_name: from the time of copying, perhaps cut off; an untrusted user wrote it.
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
    """Return a new name for an image's copy: no URL of another copy opens it."""
    return f'{image_id}/{secrets.token_hex(8)}'


def image_id_of(name: str) -> str | None:
    """Return a copy's image ID, from the name of its object; None for other names.

    :param name: from :func:`new_name`, or the ID alone, as in earlier copies.
    """
    image_id, slash, own = name.partition('/')
    return image_id if is_uuid(image_id) and (not slash or _OWN_NAME.fullmatch(own)) else None


def is_container(name: str, given: str | None) -> bool:
    """Say whether a container is for copies, by its name.

    :param given: the container in the settings.
    """
    return name == given if given else bool(re.fullmatch(f'{CONTAINER}(-[0-9a-f]{{32}})?', name))


def to_headers(copy: Copy) -> dict[str, str]:
    """Return the headers of a copy's object."""
    headers = {HASH: copy.hash}
    if copy.image_name:
        headers[NAME] = _quoted(copy.image_name)
    if copy.delete_at is not None:
        headers[DELETE_AT] = str(copy.delete_at)
    return headers


def from_headers(container: str, name: str, headers: Mapping[str, str]) -> Copy | None:
    """Return an object as a copy; None if it is not one.

    :param headers: of the object. Users with rights on the account can write them.
    """
    size, found = http.content_length(headers), headers.get(HASH, '')
    if size is None or not _HASH.fullmatch(found):
        return None
    return Copy(container, name, urllib.parse.unquote(headers.get(NAME, '')) or None, size, found,
                read_end(headers))


def image_hash(image: Image) -> str | None:
    """Return Glance's hash of an image's data, as in :class:`Copy`; None if it shows none."""
    return ':'.join(image.hash) if image.hash else None


def _quoted(name: str) -> str:
    """Return a name percent-encoded, cut off at the limit of a header."""
    quoted = ''
    for char in name:
        more = urllib.parse.quote(char, safe='', errors='replace')
        if len(quoted) + len(more) > MAX_META_VALUE:
            break
        quoted += more
    return quoted


def delete_at(expires: int) -> int:
    """Return the end of a copy, from the expiry of its URL; Unix times, seconds."""
    return expires + GRACE


def extended(found: int | None, expires: int) -> int | None:
    """Return the later end that a copy needs; None if its end is late enough.

    :param found: its end now: Unix time, seconds; None: never.
    :param expires: when the new URL expires.
    """
    wanted = delete_at(expires)
    return None if found is None or found >= wanted - SLACK else wanted


def ends_soon(found: int, now: float) -> bool:
    """Say whether segments may end before their copy is whole.

    :param found: their end: Unix time, seconds.
    :param now: Unix time, seconds.
    """
    return found - now < GRACE / 2
