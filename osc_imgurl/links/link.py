# SPDX-License-Identifier: Apache-2.0
"""A link as a value, and as the name and the Content-Type of its object."""

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

# The container for links; in a RADOS Gateway with the project's ID behind it.
CONTAINER = 'image-temp-url-links'
YEAR = 365 * 86_400
# In characters: percent-encoded, each may take 12 bytes of a header.
MAX_NOTE = 200
METHODS = ('GET', 'HEAD')
_CONTAINER = re.compile(f'{CONTAINER}(-[0-9a-f]{{32}})?')
_NAME = re.compile(r'([0-9a-f-]{36})/([0-9a-f]{32})/([^/]+)', re.DOTALL)
_CONTENT_TYPE = re.compile(
    r'application/x-image-temp-url-link; ?end=(\d{1,10}); ?until=(\d{1,12});'
    r' ?key=([0-9a-f]{12})(?:; ?note=([\w.~%-]+))?', re.ASCII)


@dataclasses.dataclass(frozen=True)
class LinkOptions:
    """What a link is to be, beside its URL.

    :ivar note: what its owner wants to remember of it, such as who has the URL.
    :ivar longest: how long it may live at the most, however often it is extended: in seconds, or
        in units as in ``30d``. The signature of its URL expires then.
    :raises InvalidParameterValue: the note is too long, or the time is none.
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
        """Return when the signature of a URL that is signed now expires; Unix times, seconds."""
        return int(now) + int(self.longest)


@dataclasses.dataclass(frozen=True)
class Link:
    """A small object in Swift that stands for an image's object, so that one URL has its own end.

    :ivar id: 32 hex digits.
    :ivar file_name: under which name the image is saved.
    :ivar expires: when Swift deletes the object, so that the URL ends: Unix time, seconds.
    :ivar signed_until: when the signature of the URL expires, likewise: no link lives longer.
    :ivar key_fingerprint: of the key that signed the URL.
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
        """The name of its object; its last part is the name of the file that a client saves."""
        return f'{self.image_id}/{self.id}/{self.file_name}'

    @property
    def content_type(self) -> str:
        """The Content-Type of its object, in which a container's listing shows the rest."""
        note = '' if not self.note else (
            f'; note={urllib.parse.quote(self.note, safe="", errors="replace")}')
        return (f'application/x-image-temp-url-link; end={self.expires};'
                f' until={self.signed_until}; key={self.key_fingerprint}{note}')

    def until(self, expires: int, now: float) -> Link:
        """Return the same link with another end.

        :param expires: Unix time, seconds, as ``now`` is.
        :raises InvalidParameterValue: that is past, or beyond the signature of its URL.
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
    """Return a link that is to be made; nothing is made here, and no name is used twice.

    :param expires: when it is to end: Unix time, seconds, as ``now`` is.
    :raises InvalidParameterValue: it is to live longer than the signature of its URL.
    """
    link = Link(secrets.token_hex(16), image.id, file_name(image), 0, options.signed_until(now),
                key.fingerprint, options.note)
    return link.until(expires, now)


def validate(options: URLOptions) -> None:
    """Accept options of a URL that can be a link's.

    :raises InvalidParameterValue: the URL allows more than reading this image.
    """
    if options.method not in METHODS:
        raise InvalidParameterValue(
            f'A URL for {options.method} would change the link and not the image.',
            f'Use {" or ".join(METHODS)}.', 'method')
    if options.prefix is not None:
        raise InvalidParameterValue(
            'A URL for a prefix cannot be revoked: the name of a link begins with no prefix that'
            ' you know.', 'Leave it out.', 'object_prefix')


def named(path: ObjectPath) -> tuple[str, str] | None:
    """Return the IDs of link and image that an object is named by; None where it is no link.

    :param path: an untrusted user may have written it.
    """
    match = _CONTAINER.fullmatch(path.container) and _NAME.fullmatch(path.object)
    return (match[2], match[1]) if match and is_uuid(match[1]) else None


def read_link(name: str, content_type: str) -> Link | None:
    """Return the link that an object is, or None where it is none of ours.

    :param name: of the object; whoever may write in the account may have written it.
    """
    found, match = _NAME.fullmatch(name), _CONTENT_TYPE.fullmatch(content_type)
    if not found or not is_uuid(found[1]) or not match:
        return None
    return Link(found[2], found[1], found[3], int(match[1]), int(match[2]), match[3],
                urllib.parse.unquote(match[4]) if match[4] else None)
