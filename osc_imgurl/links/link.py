# SPDX-License-Identifier: Apache-2.0
"""A link as a value. Its object's name and Content-Type hold all fields."""

from __future__ import annotations

import dataclasses
import re
import secrets
import urllib.parse

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.glance.image import Image, file_name, is_uuid
from osc_imgurl.tempurl.options import URLOptions, format_expires, parse_duration
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

# The container for links. In a RADOS Gateway, the project's ID follows.
CONTAINER = 'image-temp-url-links'
YEAR = 365 * 86_400
# Characters. Percent-encoded, one can take 12 bytes of a header.
MAX_NOTE = 200
METHODS = ('GET', 'HEAD')
_CONTAINER = re.compile(f'{CONTAINER}(-[0-9a-f]{{32}})?')
_NAME = re.compile(r'([0-9a-f-]{36})/([0-9a-f]{32})/([^/]+)', re.DOTALL)
_CONTENT_TYPE = re.compile(
    r'application/x-image-temp-url-link; ?end=(\d{1,10}); ?until=(\d{1,12});'
    r' ?key=([0-9a-f]{12})(?:; ?note=([\w.~%-]+))?', re.ASCII)


@dataclasses.dataclass(frozen=True)
class LinkOptions:
    """Options of a link.

    :ivar note: the owner's note, such as the receiver of the URL.
    :ivar longest: the limit for extensions, counted from now: seconds, or with units (``30d``). The
        URL's signature expires then.
    :raises InvalidParameterValue: the note is too long, or the time is invalid.
    """

    note: str | None = None
    longest: int | str = YEAR

    def __post_init__(self) -> None:
        if self.note is not None and len(self.note) > MAX_NOTE:
            raise InvalidParameterValue(
                f'The note has {len(self.note)} characters, and may have {MAX_NOTE}.',
                'Write a shorter one.', 'note')
        try:
            object.__setattr__(self, 'longest', parse_duration(self.longest))
        except ValueError as error:
            raise InvalidParameterValue(
                f'Invalid time {self.longest!r}: {error}.', 'Correct it.', 'longest') from None

    def signed_until(self, now: float) -> int:
        """Return the expiry of a signature made now: Unix time, seconds."""
        return int(now) + int(self.longest)


@dataclasses.dataclass(frozen=True)
class Link:
    """A small object in Swift. It stands for an image's object, and its end is its URL's end.

    :ivar id: 32 hex digits.
    :ivar file_name: the name for a download.
    :ivar expires: the end, when Swift deletes the object: Unix time, seconds.
    :ivar signed_until: the expiry of the URL's signature, likewise: the last possible end.
    :ivar key_fingerprint: the fingerprint of the URL's key.
    """

    id: str
    image_id: str
    file_name: str
    expires: int
    signed_until: int
    key_fingerprint: str
    note: str | None = None

    @property
    def name(self) -> str:
        """The name of its object; clients save the download under the last part."""
        return f'{self.image_id}/{self.id}/{self.file_name}'

    @property
    def content_type(self) -> str:
        """The Content-Type of its object: a container's listing shows these fields."""
        note = '' if not self.note else (
            f'; note={urllib.parse.quote(self.note, safe="", errors="replace")}')
        return (f'application/x-image-temp-url-link; end={self.expires};'
                f' until={self.signed_until}; key={self.key_fingerprint}{note}')

    def until(self, expires: int, now: float) -> Link:
        """Return the same link with another end.

        :param expires: Unix time, seconds, like ``now``.
        :raises InvalidParameterValue: it is past, or after the expiry of the URL's signature.
        """
        if expires <= now:
            raise InvalidParameterValue(
                f'The end {format_expires(expires)} is past.', 'Use a later one, or revoke it.',
                'expires')
        if expires > self.signed_until:
            raise InvalidParameterValue(
                f'The signature of the URL expires at {format_expires(self.signed_until)}, so that'
                f' its link cannot live until {format_expires(expires)}.',
                'End it sooner, or make one that may live longer.', 'expires', 'longest')
        return dataclasses.replace(self, expires=expires)


def new_link(image: Image, key: Key, options: LinkOptions, expires: int, now: float) -> Link:
    """Return a new link as a value, with a name that was never used before.

    :param expires: its end: Unix time, seconds, like ``now``.
    :raises InvalidParameterValue: the end is after the expiry of the URL's signature.
    """
    link = Link(secrets.token_hex(16), image.id, file_name(image), 0, options.signed_until(now),
                key.fingerprint, options.note)
    return link.until(expires, now)


def validate(options: URLOptions) -> None:
    """Accept options for a link's URL.

    :raises InvalidParameterValue: they allow more than reading this image.
    """
    if options.method not in METHODS:
        raise InvalidParameterValue(
            f'A URL for {options.method} would change the link and not the image.',
            f'Use {" or ".join(METHODS)}.', 'method')
    if options.prefix is not None:
        raise InvalidParameterValue(
            'A URL for a prefix cannot be revoked: the name of a link is random.', 'Leave it out.',
            'prefix')


def named(path: ObjectPath) -> tuple[str, str] | None:
    """Return the IDs of link and image in an object's name; None for any other object.

    :param path: an untrusted user may have written it.
    """
    match = _CONTAINER.fullmatch(path.container) and _NAME.fullmatch(path.object)
    return (match[2], match[1]) if match and is_uuid(match[1]) else None


def read_link(name: str, content_type: str) -> Link | None:
    """Return the link in an object's name and Content-Type; None for any other object.

    :param name: any user with write access to the account may have written it.
    """
    found, match = _NAME.fullmatch(name), _CONTENT_TYPE.fullmatch(content_type)
    if not found or not is_uuid(found[1]) or not match:
        return None
    return Link(found[2], found[1], found[3], int(match[1]), int(match[2]), match[3],
                urllib.parse.unquote(match[4]) if match[4] else None)
