# SPDX-License-Identifier: Apache-2.0
"""The parts of a copy: a static large object whose segments lie in the container of the copy.

A container's key opens nothing in another container. Every process writes below a name of its own
and never touches another's segments; what is the same may be used by all.
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

FOLDER = '.segments/'
# In bytes.
SEGMENT_SIZE = 2**30
# What Swift allows by default, where the cluster does not say: in bytes, and in a manifest.
MAX_OBJECT_SIZE = 5 * 2**30
MAX_SEGMENTS = 1000
# Beyond that a cluster says what cannot be: of segments.
MOST_SEGMENTS = 100_000
_NAME = re.compile(re.escape(FOLDER) + '([^/]+)/[0-9a-f]{16}/[0-9]{8}')


@dataclasses.dataclass(frozen=True)
class Segment:
    """A part of an image's data.

    :ivar start: where it begins, in bytes.
    :ivar size: in bytes.
    """

    number: int
    start: int
    size: int


@dataclasses.dataclass(frozen=True)
class Stored:
    """A segment that is in Swift.

    :ivar name: of its object.
    :ivar md5: of its data, in hex.
    """

    name: str
    size: int
    md5: str


def folder(image_id: str) -> str:
    """Return what the names of an image's segments begin with."""
    return f'{FOLDER}{image_id}/'


def own_folder(image_id: str) -> str:
    """Return what the names of the segments begin with that one process writes."""
    return f'{folder(image_id)}{secrets.token_hex(8)}/'


def name(own: str, segment: Segment) -> str:
    """Return the name of a segment's object in one process's folder."""
    return f'{own}{segment.number:08}'


def plan(size: int, capabilities: Capabilities) -> list[Segment]:
    """Return the segments of so many bytes, as large as this cluster allows, and as is handy.

    :raises ObjectStoreFailed: it does not fit into what the cluster allows.
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
    """Return the ID of the image that an object is a segment of; None where it is none of ours.

    :param name: what anybody may have written who may write in the container.
    """
    match = _NAME.fullmatch(name)
    return match[1] if match and is_uuid(match[1]) else None


def found(stored: Iterable[Listed]) -> Mapping[tuple[int, int], Mapping[str, str]]:
    """Return the names of an image's segments, by number and size, and by their MD5."""
    by_number: dict[tuple[int, int], dict[str, str]] = {}
    for each in stored:
        number = int(each.name.rpartition('/')[2])
        by_number.setdefault((number, each.size), {})[each.md5] = each.name
    return by_number


def holds(headers: Mapping[str, str], stored: Stored) -> bool:
    """Say whether an object is the data of a segment, as Swift asks before it takes a manifest.

    A large object may have the name of a segment, and a listing may show other data of it.

    :param headers: of the object, as a HEAD gives them.
    """
    return http.content_length(headers) == stored.size and md5_of(headers) == stored.md5


def manifest(container: str, stored: Iterable[Stored]) -> bytes:
    """Return what makes one object of segments (Swift's ``multipart-manifest=put``)."""
    return json.dumps([
        {'path': f'/{container}/{each.name}', 'etag': each.md5, 'size_bytes': each.size}
        for each in stored]).encode()


LOG = logger(__name__)

T = TypeVar('T')

# How many chunks of 1 MiB wait to be sent.
AHEAD = 8


class Reader:
    """An image's data, read in order, and again from anywhere.

    :param open_at: gives the data from a byte on.
    """

    def __init__(self, open_at: Callable[[int], Iterable[bytes]]) -> None:
        self._open_at = open_at
        self._chunks: Iterator[bytes] = iter(())
        self._rest = b''
        self._position: int | None = None

    def read(self, start: int, size: int) -> Iterator[bytes]:
        """Yield so many bytes from a byte on.

        :raises ImageDownloadFailed: there are fewer.
        :raises ImgurlError: Glance ceases to give the data.
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
        """Say whether there is nothing behind what was read last."""
        return not (self._rest or next(self._chunks, b''))


class Transfer:
    """Sends the segments of an image, one after another, and hashes the whole on the way.

    :param algorithm: of the hash.
    :param known: segments that are in Swift already, as
        :func:`osc_imgurl.copies.segments.found` gives them.
    :param put: writes a segment's data, and returns the MD5 that Swift says of it.
    :param keep: takes a segment that is there already; False where it is gone, or is none.
    :param progress: is told how many bytes are done.
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
        """Return the hash of what has been sent."""
        return self._hash.hexdigest()

    def store(self, segment: Segment, name: str) -> Stored:
        """Return a segment that is in Swift then: one that is known, else one of this name."""
        known = self._known.get((segment.number, segment.size), {})
        if known and (stored := self._find(segment, known)):
            return stored
        return self._again(lambda: self._send(segment, name))

    def _find(self, segment: Segment, known: Mapping[str, str]) -> Stored | None:
        """Return the known segment that has the data, and read on; None, as if nothing was read."""
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
        """Return what is done at last; each time the hash is as it was before."""
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
