# SPDX-License-Identifier: Apache-2.0
"""What all caches share: entries, their rules, and a circuit breaker."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from osc_imgurl.errors import CacheFailed, InvalidParameterValue, logger, one_line
from osc_imgurl.tempurl.options import MAX_EXPIRES
from osc_imgurl.tempurl.url import decode_signature
from osc_imgurl.workers import Workers

LOG = logger(__name__)

T = TypeVar('T')

# Seconds for one operation of a cache.
TIME_LIMIT = 5.0
# Equal in all entries with the same fingerprint.
_SHAPED = ('fingerprint', 'image_id', 'method', 'account', 'container', 'key_fingerprint')


@dataclasses.dataclass(frozen=True)
class Entry:
    """One URL in the cache, without its secrets.

    :ivar fingerprint: the cache key, a hash of everything that shapes the URL: :func:`reuse`.
    :ivar expires: Unix time, seconds: the expiry that was chosen first.
    """

    fingerprint: str
    expires: int
    image_id: str
    method: str
    account: str | None
    container: str
    key_fingerprint: str
    signature_fingerprint: str


@dataclasses.dataclass(frozen=True)
class CacheInfo:
    """Kind and size of a cache.

    :ivar path: the cache's file; None for a shared cache.
    :ivar size: bytes; None for a shared cache.
    :ivar entries: their number; None for a shared cache.
    """

    backend: str
    path: str | None
    size: int | None
    entries: int | None


def signature_fingerprint(signature: str) -> str:
    """Return a one-way hash of a signature: it identifies a URL without revealing it.

    :param signature: as in a URL.
    :raises InvalidParameterValue: it is not a signature.
    """
    return hashlib.sha256(
        b'osc-imgurl signature fingerprint\0' + decode_signature(signature)[1]).hexdigest()


def decode(values: object) -> Entry | None:
    """Return an entry read from a cache; None if invalid.

    :param values: the fields in their order; an untrusted user may have written them.
    """
    if not isinstance(values, Sequence) or len(values) != len(dataclasses.fields(Entry)):
        return None
    entry = Entry(*values)
    texts = (entry.fingerprint, entry.image_id, entry.method, entry.container,
             entry.key_fingerprint, entry.signature_fingerprint,
             '' if entry.account is None else entry.account)
    # A bool is an int, too.
    if type(entry.expires) is not int or not 0 <= entry.expires <= MAX_EXPIRES:
        return None
    return entry if all(isinstance(text, str) for text in texts) else None


def usable(found: Entry | None, new: Entry, accepts: Callable[[int], bool]) -> bool:
    """Say whether an entry in the cache replaces a new one.

    All but expiry and signature must be equal. If not, an untrusted user wrote the entry.
    """
    return found is not None and accepts(found.expires) and all(
        getattr(found, name) == getattr(new, name) for name in _SHAPED)


class CircuitBreaker:
    """Calls a cache until it fails once.

    Operations run in a daemon thread. So the time limit holds for everything (DNS, several
    addresses, a network file system, a slow server), and a thread that hangs does not keep the
    process alive.

    :param cache: its name in messages.
    :param once: use the thread for the first call only. This is for a cache with time limits of
        its own, and operations shorter than two changes of thread.
    """

    def __init__(self, cache: str, *, once: bool = False) -> None:
        self._cache = cache
        self._once = once
        self._answered = False
        self._failure = ''
        self._warned = False
        self._worker: Workers
        self._process: int | None = None

    def call(self, operation: Callable[[], T]) -> T:
        """Return the operation's result.

        :raises CacheFailed: this or an earlier operation failed or took too long.
        :raises InvalidParameterValue: the operation raised it.
        """
        if not self._failure:
            try:
                answer = (operation() if self._once and self._answered
                          else self._call_in_thread(operation))
                self._answered = True
                return answer
            except InvalidParameterValue:
                raise
            except TimeoutError:
                self._failure = f'it does not answer within {TIME_LIMIT:g} seconds'
            except Exception as error:
                # A backend's client may raise anything.
                self._failure = _reason(error)
        raise CacheFailed(f'The cache {self._cache} cannot be used: {self._failure}.')

    def _call_in_thread(self, operation: Callable[[], T]) -> T:
        # A forked process has none of its parent's threads.
        if self._process != os.getpid():
            self._worker, self._process = Workers(), os.getpid()
        return self._worker.submit(operation).result(TIME_LIMIT)

    def call_or_warn(self, operation: Callable[[], T], otherwise: T) -> T:
        """Return the operation's result; if it fails, log one warning and return ``otherwise``."""
        try:
            return self.call(operation)
        except CacheFailed as error:
            if not self._warned:
                LOG.warning('%s The URL works, but is not cached', error)
            self._warned = True
            return otherwise


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # A client's repr may follow, with a password in it.
    return one_line(error).partition('<')[0].strip(' .:') or type(error).__name__
