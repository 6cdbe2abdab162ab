# SPDX-License-Identifier: Apache-2.0
"""What every cache keeps, and what every cache can do."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Protocol

from osc_imgurl.errors import logger

LOG = logger(__name__)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A cached URL and what it is for.

    :ivar fingerprint: of all that shaped the URL: :func:`fingerprint`.
    :ivar key_fingerprint: of the key that signed it: :func:`key_fingerprint`.
    :ivar expires: Unix time, seconds.
    """

    fingerprint: str
    image_id: str
    method: str
    account: str | None
    container: str
    key_fingerprint: str
    expires: int
    url: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class CacheInfo:
    """What a cache is.

    :ivar path: of the file; None where the cache is no file.
    :ivar size: in bytes; None where it cannot be told.
    :ivar entries: how many; None where it cannot be told.
    """

    backend: str
    path: str | None
    size: int | None
    entries: int | None


class WarnOnce:
    """Says that a cache cannot be used, however often it is asked, once."""

    def __init__(self, cache: str) -> None:
        self._cache = cache
        self._said = False

    def __call__(self, reason: str) -> None:
        if not self._said:
            LOG.warning('The cache %s cannot be used: %s. The URL is good all the same',
                        self._cache, reason)
        self._said = True


class Cache(Protocol):
    """What every cache can do."""

    def get_or_create(self, fingerprint: str, valid_until: int, make: Callable[[], Entry],
                      refresh: bool = False) -> tuple[Entry, bool]:
        """Return an entry, and whether it was in the cache.

        :param valid_until: Unix time, seconds; an entry that expires earlier is replaced.
        :param make: makes the entry where there is none.
        :param refresh: replace an entry that is there.
        """

    def entries(self) -> list[Entry]:
        """Return all entries, the next to expire first."""

    def delete(self, fingerprints: Iterable[str]) -> int:
        """Remove entries and return how many there were."""

    def info(self) -> CacheInfo:
        """Return what this cache is."""


def fingerprint(*shaped_by: object) -> str:
    """Return what an entry is found by, of all that shaped its URL."""
    return hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest()
