# SPDX-License-Identifier: Apache-2.0
"""An image's data on its way from Glance to Swift: no file, and a few MiB of memory.

While a part is sent, the next are read. What fails is sent again, a segment at a time; Glance then
reads on from there.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from osc_imgurl import http
from osc_imgurl.copies.segments import Segment, Stored
from osc_imgurl.errors import (
    GlanceFailed,
    ImageDownloadFailed,
    ObjectStoreFailed,
    ObjectStoreFull,
    ObjectStoreNotAuthorized,
    logger,
)
from osc_imgurl.swift.connection import Body
from osc_imgurl.workers import read_ahead

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
