# SPDX-License-Identifier: Apache-2.0
"""What every cache keeps, and what every cache can do.

A cache keeps when a URL was made, and not the URL. Whoever can write to it can make a URL expire
at another moment at which it could have expired anyway, and nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.options import MAX_EXPIRES
from osc_imgurl.tempurl.url import decode_signature


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is kept of a URL that was made.

    :ivar fingerprint: of all that shaped the URL: :func:`osc_imgurl.cache.reuse.reuse`.
    :ivar expires: Unix time, seconds: the expiry that was chosen first.
    :ivar key_fingerprint: of the key that signed it.
    :ivar signature_fingerprint: of its signature: :func:`signature_fingerprint`.
    """

    fingerprint: str
    expires: int
    image_id: str
    method: str
    account: str | None
    container: str
    key_fingerprint: str
    signature_fingerprint: str


# What is the same for all entries with the same fingerprint.
_SHAPED = ('fingerprint', 'image_id', 'method', 'account', 'container', 'key_fingerprint')


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


class Cache(Protocol):
    """What every cache can do."""

    def get_or_create(self, new: Entry, accepts: Callable[[int], bool], now: float,
                      refresh: bool = False) -> tuple[int, bool]:
        """Return when the URL expires that the new entry is for, and whether the cache knew.

        A cache that cannot be used costs one warning, and is not asked again.

        :param new: is kept where there is no entry that can be used.
        :param accepts: says whether an expiry (Unix time, seconds) can be used.
        :param now: Unix time, seconds.
        :param refresh: keep the new entry in place of one that can be used.
        """

    def entries(self) -> list[Entry]:
        """Return all entries, the next to expire first.

        :raises CacheFailed: the cache cannot be read.
        """

    def delete(self, fingerprints: Iterable[str]) -> int:
        """Remove entries and return how many there were.

        :raises CacheFailed: the cache cannot be written.
        """

    def info(self) -> CacheInfo:
        """Return what this cache is.

        :raises CacheFailed: the cache cannot be read.
        """


def open_cache(settings: Settings) -> Cache:
    """Return the cache that the settings name.

    :raises InvalidParameterValue: the backend is none, or does not take its arguments.
    """
    if settings.cache_backend:
        from osc_imgurl.cache.shared import SharedCache

        return SharedCache(settings.cache_backend, dict(settings.cache_arguments),
                           settings.duration + settings.align, settings.cache_password)
    from osc_imgurl.cache.sqlite import SQLiteCache

    return SQLiteCache()


def signature_fingerprint(signature: str) -> str:
    """Return a name for a signature, from which the signature cannot be told.

    :param signature: as it stands in a URL.
    :raises InvalidParameterValue: it is none.
    """
    return hashlib.sha256(
        b'osc-imgurl signature fingerprint\0' + decode_signature(signature)[1]).hexdigest()


def decode(values: object) -> Entry | None:
    """Return the entry that a cache holds, or None where that is none.

    :param values: of an entry's fields, in their order; an untrusted user may have written them.
    """
    if not isinstance(values, Sequence) or len(values) != len(dataclasses.fields(Entry)):
        return None
    entry = Entry(*values)
    texts = (entry.fingerprint, entry.image_id, entry.method, entry.container,
             entry.key_fingerprint, entry.signature_fingerprint,
             '' if entry.account is None else entry.account)
    # A bool is an int, and no moment.
    if type(entry.expires) is not int or not 0 <= entry.expires <= MAX_EXPIRES:
        return None
    return entry if all(isinstance(text, str) for text in texts) else None


def usable(found: Entry | None, new: Entry, accepts: Callable[[int], bool]) -> bool:
    """Say whether an entry that was found can be used in place of a new one.

    What stands beside the expiry must be what was asked for, or somebody else wrote it.
    """
    return found is not None and accepts(found.expires) and all(
        getattr(found, name) == getattr(new, name) for name in _SHAPED)
