# SPDX-License-Identifier: Apache-2.0
"""What every cache keeps, and what every cache can do.

A cache keeps when a URL was made, and not the URL. Whoever can write to it can make a URL expire
at another moment at which it could have expired anyway, and nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from osc_imgurl.errors import CacheFailed, InvalidParameterValue, logger, one_line
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.options import MAX_EXPIRES
from osc_imgurl.tempurl.signing import Key, Parameters, sign
from osc_imgurl.tempurl.url import decode_signature
from osc_imgurl.workers import Workers


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is kept of a URL that was made.

    :ivar fingerprint: of all that shaped the URL: :func:`osc_imgurl.cache.base.reuse`.
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


LOG = logger(__name__)

T = TypeVar('T')

# How long a cache may take for an answer, in seconds.
TIME_LIMIT = 5.0


class Guard:
    """Asks a cache, as long as it answers.

    The cache is asked in a thread: a time limit holds then whatever it hangs in (the look-up of
    a name, one address after another, a network's file system, a server that sends a byte now and
    then), and a thread that hangs does not keep the process from its end.

    :param cache: what it is called in messages.
    :param once: ask it in a thread the first time only. That is for a cache whose operations have
        time limits of their own, and take less time than to change threads twice.
    """

    def __init__(self, cache: str, *, once: bool = False) -> None:
        self._cache = cache
        self._once = once
        self._answered = False
        self._failure = ''
        self._warned = False
        self._worker: Workers
        self._process: int | None = None

    def ask(self, operation: Callable[[], T]) -> T:
        """Return what an operation does.

        :raises CacheFailed: it failed or took too long, or an earlier one did.
        :raises InvalidParameterValue: as the operation.
        """
        if not self._failure:
            try:
                answer = (operation() if self._once and self._answered
                          else self._ask_in_thread(operation))
                self._answered = True
                return answer
            except InvalidParameterValue:
                raise
            except TimeoutError:
                self._failure = f'it does not answer within {TIME_LIMIT:g} seconds'
            except Exception as error:
                # Whatever a backend's client raises.
                self._failure = _reason(error)
        raise CacheFailed(f'The cache {self._cache} cannot be used: {self._failure}.')

    def _ask_in_thread(self, operation: Callable[[], T]) -> T:
        # A thread does not live on in a process that was forked.
        if self._process != os.getpid():
            self._process, self._worker = os.getpid(), Workers()
        return self._worker.submit(operation).result(TIME_LIMIT)

    def ask_or_warn(self, operation: Callable[[], T], otherwise: T) -> T:
        """Return what an operation does, or the other value and a warning, once."""
        try:
            return self.ask(operation)
        except CacheFailed as error:
            if not self._warned:
                LOG.warning('%s The URL is good all the same', error)
            self._warned = True
            return otherwise


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # Behind it there may be a client's repr, with a password in it.
    return one_line(error).partition('<')[0].strip(' .:') or type(error).__name__


# How far the clocks of the hosts that share a cache may differ, and how long ago a command may have
# looked at its clock, in seconds.
CLOCK_MARGIN = 60


def reuse(cache: Cache, parameters: Parameters, key: Key, image_id: str, settings: Settings, *,
          now: float, refresh: bool = False) -> tuple[Parameters, bool]:
    """Return the parameters with the expiry that the cache knows, and whether it knew one.

    :param parameters: of a new URL, whose expiry is kept where the cache knows none.
    :param now: Unix time, seconds.
    :param refresh: keep the new one in place of one that can be used.
    """
    options, path = parameters.options, parameters.path
    duration = options.seconds or settings.duration
    earliest = now + settings.expected_download_start_delay
    latest = now + duration + settings.align + CLOCK_MARGIN

    def accepts(expires: int) -> bool:
        """Say whether an expiry could have been chosen until now, and lies far enough ahead."""
        if options.expires is not None:
            return expires == options.expires
        return earliest <= expires <= latest and (
            not settings.align or (expires - duration) % settings.align == 0)

    shaped_by = {**dataclasses.asdict(parameters), 'expires': None, 'image_id': image_id,
                 'key_fingerprint': key.fingerprint, 'duration': duration, 'align': settings.align}
    entry = Entry(
        hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest(), parameters.expires, image_id,
        options.method, path.account, path.container, key.fingerprint,
        signature_fingerprint(sign(parameters, key).signature))
    expires, cached = cache.get_or_create(entry, accepts, now, refresh)
    return dataclasses.replace(parameters, expires=expires), cached
