# SPDX-License-Identifier: Apache-2.0
"""The parts of a copy. It is a static large object, and its segments are in its own container.

A container's key opens no other container. Every process writes segments in a folder of its own;
the others may use them in their copies, and never change them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from osc_imgurl import http
from osc_imgurl.errors import (
    GlanceFailed,
    ImageDownloadFailed,
    ObjectStoreFailed,
    ObjectStoreFull,
    ObjectStoreNotAuthorized,
    logger,
)
from osc_imgurl.glance.image import is_uuid
from osc_imgurl.swift.answers import Capabilities, md5_of
from osc_imgurl.swift.object_store import Body
from osc_imgurl.swift.objects import Listed
from osc_imgurl.workers import read_ahead

LOG = logger(__name__)

T = TypeVar('T')

# How many chunks of 1 MiB to read ahead.
AHEAD = 8
FOLDER = '.segments/'
# In bytes.
SEGMENT_SIZE = 2**30
# Swift's default limits: bytes in an object, and segments in a manifest.
MAX_OBJECT_SIZE = 5 * 2**30
MAX_SEGMENTS = 1000
# No cluster really allows more segments.
MOST_SEGMENTS = 100_000
_NAME = re.compile(re.escape(FOLDER) + '([^/]+)/[0-9a-f]{16}/[0-9]{8}')


@dataclasses.dataclass(frozen=True)
class Segment:
    """A part of an image's data.

    :ivar start: its first byte.
    :ivar size: in bytes.
    """

    number: int
    start: int
    size: int


@dataclasses.dataclass(frozen=True)
class Stored:
    """A segment in Swift.

    :ivar name: of its object.
    :ivar md5: of its data, in hex.
    """

    name: str
    size: int
    md5: str


def folder(image_id: str) -> str:
    """Return the folder of an image's segments."""
    return f'{FOLDER}{image_id}/'


def own_folder(image_id: str) -> str:
    """Return a new folder for the segments by one process."""
    return f'{folder(image_id)}{secrets.token_hex(8)}/'


def name(own: str, segment: Segment) -> str:
    """Return the name of a segment in a folder."""
    return f'{own}{segment.number:08}'


def plan(size: int, capabilities: Capabilities) -> list[Segment]:
    """Return the segments for data of a size, in bytes, within the limits of a cluster.

    :raises ObjectStoreFailed: the data is too large.
    """
    largest = capabilities.max_object_size or MAX_OBJECT_SIZE
    most = MAX_SEGMENTS if capabilities.max_segments is None else min(
        capabilities.max_segments, MOST_SEGMENTS)
    if not most:
        raise ObjectStoreFailed('This cluster takes no static large objects, and so no copies.',
                                'Its operator can add the slo middleware to the proxy\'s pipeline.')
    each = min(largest, max(SEGMENT_SIZE, -(-size // most)))
    if size > each * most:
        raise ObjectStoreFailed(f'The image has {size} bytes, and this cluster takes no object of'
                                f' more than {each * most}.')
    return [Segment(number, start, min(each, size - start))
            for number, start in enumerate(range(0, size, each))]


def image_of(name: str) -> str | None:
    """Return the image ID in a segment's name; None for other names.

    :param name: of an object. Users with rights on the account can write it.
    """
    match = _NAME.fullmatch(name)
    return match[1] if match and is_uuid(match[1]) else None


def found(stored: Iterable[Listed]) -> Mapping[tuple[int, int], Mapping[str, str]]:
    """Return the names of segments, by number and size, then by MD5."""
    by_number: dict[tuple[int, int], dict[str, str]] = {}
    for each in stored:
        number = int(each.name.rpartition('/')[2])
        by_number.setdefault((number, each.size), {})[each.md5] = each.name
    return by_number


def holds(headers: Mapping[str, str], stored: Stored) -> bool:
    """Say whether an object is a segment; Swift asks the same before it accepts a manifest.

    It may be a large object, or a link. Listings show neither.

    :param headers: of the object, from a HEAD.
    """
    return http.content_length(headers) == stored.size and md5_of(headers) == stored.md5


def manifest(container: str, stored: Iterable[Stored]) -> bytes:
    """Return the manifest of a large object, for Swift's ``multipart-manifest=put``."""
    return json.dumps([
        {'path': f'/{container}/{each.name}', 'etag': each.md5, 'size_bytes': each.size}
        for each in stored]).encode()


class Reader:
    """An image's data, read in order; after a failure, again from any byte.

    :param open_at: returns the data from a byte on.
    """

    def __init__(self, open_at: Callable[[int], Iterable[bytes]]) -> None:
        self._open_at = open_at
        self._chunks: Iterator[bytes] = iter(())
        self._rest = b''
        self._position: int | None = None

    def read(self, start: int, size: int) -> Iterator[bytes]:
        """Yield ``size`` bytes from a byte on.

        :raises ImageDownloadFailed: there are fewer.
        :raises ImgurlError: Glance fails.
        """
        if start != self._position:
            self._chunks, self._rest = read_ahead(self._open_at(start), AHEAD), b''
        self._position = None
        position, end = start, start + size
        while position < end:
            chunk = self._rest or next(self._chunks, b'')
            if not chunk:
                raise ImageDownloadFailed(
                    f'The data of the image is cut off: Glance gives {position} bytes of it.',
                    'Try again.')
            chunk, self._rest = chunk[:end - position], chunk[end - position:]
            position += len(chunk)
            yield chunk
        self._position = position

    def at_end(self) -> bool:
        """Say whether all data has been read."""
        return not (self._rest or next(self._chunks, b''))


class Transfer:
    """Sends the segments of an image, one after another, and hashes the data on the way.

    :param algorithm: of the hash.
    :param known: segments in Swift, from :func:`found`.
    :param put: writes a segment's data, and returns Swift's MD5 of it.
    :param keep: keeps a known segment; False if it is gone, or is not one.
    :param progress: gets the number of bytes done.
    """

    def __init__(self, reader: Reader, algorithm: str,
                 known: Mapping[tuple[int, int], Mapping[str, str]], *,
                 put: Callable[[str, Body], str | None], keep: Callable[[Stored], bool],
                 progress: Callable[[int], None], num_retries: int) -> None:
        self._reader = reader
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._known = known
        self._put = put
        self._keep = keep
        self._progress = progress
        self._num_retries = num_retries

    def hexdigest(self) -> str:
        """Return the hash of all data so far."""
        return self._hash.hexdigest()

    def store(self, segment: Segment, name: str) -> Stored:
        """Return a segment in Swift: a known one with the same data, else a new one."""
        known = self._known.get((segment.number, segment.size), {})
        if known and (stored := self._find(segment, known)):
            return stored
        return self._again(lambda: self._send(segment, name))

    def _find(self, segment: Segment, known: Mapping[str, str]) -> Stored | None:
        """Return the known segment with the same data; None leaves the data to be read again."""
        before = self._hash.copy()

        def read() -> str:
            md5 = hashlib.md5(usedforsecurity=False)
            for chunk in self._hashed(segment, md5):
                del chunk
            return md5.hexdigest()

        md5 = self._again(read)
        if md5 in known and self._keep(stored := Stored(known[md5], segment.size, md5)):
            return stored
        self._hash = before
        return None

    def _send(self, segment: Segment, name: str) -> Stored:
        md5 = hashlib.md5(usedforsecurity=False)
        found = self._put(name, Body(segment.size, self._hashed(segment, md5)))
        if found != md5.hexdigest():
            raise ObjectStoreFailed(
                f'The object store does not say that it has what was sent to it ({name}): its MD5'
                f' is {found}, and not {md5.hexdigest()}.', 'Try again; if it stays so, tell its'
                ' operator.')
        return Stored(name, segment.size, md5.hexdigest())

    def _hashed(self, segment: Segment, md5: hashlib._Hash) -> Iterator[bytes]:
        position = segment.start
        for chunk in self._reader.read(segment.start, segment.size):
            self._hash.update(chunk)
            md5.update(chunk)
            yield chunk
            position += len(chunk)
            self._progress(position)

    def _again(self, attempt: Callable[[], T]) -> T:
        """Return the result of the first attempt to succeed; each starts with the same hash."""
        before = self._hash
        retry = 0
        while True:
            self._hash = before.copy()
            try:
                return attempt()
            except (GlanceFailed, ImageDownloadFailed, ObjectStoreFailed) as error:
                if retry >= self._num_retries or isinstance(
                        error, ObjectStoreFull | ObjectStoreNotAuthorized):
                    raise
                LOG.debug('A segment is sent again: %s', error)
                time.sleep(http.BACKOFF_FACTOR * 2 ** retry)
                retry += 1
