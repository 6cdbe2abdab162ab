# SPDX-License-Identifier: Apache-2.0
"""An image as a value, the ways to name one, and a name for its file."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from osc_imgurl.errors import (
    ACTIVATE_IMAGE,
    ImageUnacceptable,
    InvalidParameterValue,
    MissingParameterValue,
    printable,
)
from osc_imgurl.glance.location import Location
from osc_imgurl.tempurl.url import names_temp_url

_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)
# In bytes. File systems take 255, and programs add something while they download.
MAX_FILE_NAME = 240
# What leads into another folder, or means something to a shell or a file system.
_SPECIAL = re.compile(r'[/\\:*?"<>|$`&;]')
_FORMAT = re.compile('[a-z0-9-]{1,20}')


@dataclasses.dataclass(frozen=True)
class Image:
    """An image as Glance shows it.

    :ivar owner: its project's ID; None if Glance does not show it.
    :ivar visibility: ``public``, ``community``, ``shared`` or ``private``; likewise.
    :ivar direct_url: its location; None if this cloud does not show it.
    :ivar locations: all its locations; empty if this cloud does not show them.
    :ivar properties: all that Glance shows, without these two.
    """

    id: str
    name: str | None = None
    status: str | None = None
    owner: str | None = None
    visibility: str | None = None
    direct_url: Location | None = None
    locations: tuple[Location, ...] = ()
    stores: tuple[str, ...] = ()
    properties: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """Its name and ID, as messages name it."""
        return named(self.id, self.name)

    @property
    def size(self) -> int | None:
        """Its size in bytes; None if Glance does not show it."""
        return self._bytes('size')

    @property
    def virtual_size(self) -> int | None:
        """The size in bytes of the disk in it; None if Glance does not show it."""
        return self._bytes('virtual_size')

    @property
    def disk_format(self) -> str | None:
        """Its format, such as ``qcow2``, as its owner says; None if Glance does not show it."""
        return self._text('disk_format')

    @property
    def container_format(self) -> str | None:
        """Its container, such as ``bare``, as its owner says; None if Glance does not show it."""
        return self._text('container_format')

    @property
    def checksum(self) -> str | None:
        """Its MD5 in hex; None if Glance does not show it."""
        return self._hash('checksum', 'md5')

    @property
    def os_hash_algo(self) -> str | None:
        """The algorithm of :attr:`os_hash_value`, such as ``sha512``; None if that is None."""
        return self._text('os_hash_algo') if self.os_hash_value else None

    @property
    def os_hash_value(self) -> str | None:
        """Its hash in hex; None if Glance does not show it, or its length is wrong."""
        return self._hash('os_hash_value', self._text('os_hash_algo'))

    @property
    def hash(self) -> tuple[str, str] | None:
        """Algorithm and hash of its data; None if Glance shows none.

        It is :attr:`os_hash_value`, else :attr:`checksum`.
        """
        if self.os_hash_algo and self.os_hash_value:
            return self.os_hash_algo, self.os_hash_value
        return ('md5', self.checksum) if self.checksum else None

    @property
    def shown_locations(self) -> tuple[Location, ...]:
        """Its locations; or its direct URL, if only that is shown."""
        return self.locations or ((self.direct_url,) if self.direct_url else ())

    def has_data(self, size: int | None, md5: str | None) -> bool | None:
        """Say whether data of a size (bytes) and an MD5 (hex) is this image's.

        :param size: None if unknown; likewise ``md5``.
        :returns: None if size and MD5 leave it open.
        """
        if None not in (size, self.size) and size != self.size:
            return False
        if size == self.size == 0:
            return True
        return None if md5 is None or self.checksum is None else md5 == self.checksum

    def _bytes(self, name: str) -> int | None:
        value = self.properties.get(name)
        return value if type(value) is int and value >= 0 else None

    def _text(self, name: str) -> str | None:
        value = self.properties.get(name)
        return value if isinstance(value, str) and value else None

    def _hash(self, name: str, algorithm: str | None) -> str | None:
        """Return a hash in lower case, if its length is the algorithm's.

        It may be a user's own: one can add a location to an image, with any hash.
        """
        if algorithm is None or algorithm not in hashlib.algorithms_guaranteed:
            return None
        length = 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size
        value = (self._text(name) or '').lower()
        # Algorithms with hashes of any length have the digest size 0.
        return value if length and re.fullmatch(f'[0-9a-f]{{{length}}}', value) else None


def named(image: str, name: str | None) -> str:
    """Return what messages call an image: ``cirros (3a1f6de0-...)``.

    :param image: its ID, or what the user calls it.
    :param name: None if Glance does not tell it.
    """
    return f'{name} ({image})' if name else image


def is_uuid(text: str) -> bool:
    """Say whether a text has the form of an image's UUID."""
    return bool(_UUID.fullmatch(text))


def referenced_id(image: str) -> str | None:
    """Return the UUID of a UUID or ``glance://host/UUID``; None for any other text."""
    image_id = image.rpartition('/')[2] if image.startswith('glance://') else image
    return image_id if is_uuid(image_id) else None


def may_see(project_id: str | None, image: Image, members: Collection[str] = ()) -> bool:
    """Say whether a project may see an image, by Glance's rules for projects without privileges.

    :param project_id: None for an unknown project; that equals no other one.
    :param members: of a ``shared`` image, the IDs of the projects that have accepted it.
    """
    if image.visibility in ('public', 'community'):
        return True
    return project_id is not None and (
        project_id == image.owner or (image.visibility == 'shared' and project_id in members))


def parse_href(image: str) -> str:
    """Return the UUID of ``glance://host/UUID``, and any other text as it is.

    :raises InvalidParameterValue: a ``glance://`` reference without a UUID; or a temporary URL:
        its signature is a secret, and must not get into the log of Glance.
    """
    if names_temp_url(image):
        raise InvalidParameterValue('This is a temporary URL, and not an image.',
                                    'Name the image by its ID.')
    if not image.startswith('glance://'):
        return image
    image_id = referenced_id(image)
    if image_id is None:
        raise InvalidParameterValue(
            f'The image reference {image} has no image ID: use glance://<host>/<image ID>.')
    return image_id


def validate_active(image: Image) -> None:
    """Accept only an image with data in it.

    :raises ImageUnacceptable: the image is not ``active``; the message names its status.
    """
    if image.status != 'active':
        advice = {'deactivated': ('Reactivate it.', ACTIVATE_IMAGE),
                  'queued': ('It has no data yet: upload or import it.',)}.get(
                      str(image.status), ('Wait until it is active.',))
        raise ImageUnacceptable(
            f'Image {image} is {image.status}, and only an active image can be downloaded.',
            *advice)


def file_name(image: Image) -> str:
    """Return ``<name>.<disk format>``, a safe name for a file in any folder.

    Any user can give an image any name, and programs save a download under it.

    What does not belong into such a name is replaced by ``_``: separators of folders, characters
    that are not printable, and a dot or a dash at the beginning, which would hide the file or
    make it an option. It is cut off after :data:`MAX_FILE_NAME`. An image without a name has its ID
    for one; without a disk format, the name has no ending. A name in the form of an ID is not used:
    it may be another image's.
    """
    disk_format = image.disk_format or ''
    ending = f'.{disk_format}' if _FORMAT.fullmatch(disk_format) else ''
    name = _clean(image.name or '').removesuffix(ending)
    if not name or is_uuid(name.lower()):
        name = _clean(image.id)
    if name[:1] in ('.', '-'):
        name = f'_{name[1:]}'
    return _cut(name, MAX_FILE_NAME - len(ending)) + ending


def _clean(text: str) -> str:
    shown = ''.join(char if printable(char) == char else '_' for char in text)
    return _SPECIAL.sub('_', shown).strip()


def _cut(text: str, length: int) -> str:
    """Return no more than so many bytes of a text, and no part of a character."""
    return text.encode()[:length].decode(errors='ignore')


@dataclasses.dataclass(frozen=True)
class OfflineImages:
    """Glance without authentication: only an image's ID is known."""

    def show(self, image: str) -> Image:
        """Return an image with its ID only.

        :raises InvalidParameterValue: it is given by its name.
        """
        image_id = parse_href(image)
        if not is_uuid(image_id):
            raise InvalidParameterValue(
                f'Without authentication {image!r} cannot be looked up: use the image\'s ID.')
        return Image(image_id)

    def find(self, image: str) -> NoReturn:
        """Fail: nobody can look an image up."""
        self.find_id(image)

    def find_id(self, image_id: str) -> NoReturn:
        """Fail: nobody can look an image up."""
        raise MissingParameterValue('Without authentication no image can be looked up.')
