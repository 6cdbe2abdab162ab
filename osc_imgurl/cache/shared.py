# SPDX-License-Identifier: Apache-2.0
"""A cache that many machines share, on a backend of dogpile.cache.

openstacksdk brings dogpile.cache along; the backend's own client (redis, valkey, pymemcache) is to
be installed beside it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dogpile.cache import make_region
from dogpile.cache.api import NO_VALUE, CacheBackend

from osc_imgurl.cache.base import TIME_LIMIT, CacheInfo, Entry, Guard, decode, usable
from osc_imgurl.errors import CacheFailed, InvalidParameterValue, remember_in

# The others of dogpile.cache are of no use to many machines, or their clients (python-memcached,
# pylibmc, bmemcached) unpickle what they read: who can write there could run code here.
BACKENDS = tuple(f'dogpile.cache.{name}' for name in (
    'redis', 'redis_sentinel', 'redis_cluster', 'valkey', 'valkey_sentinel', 'valkey_cluster',
    'pymemcache'))

# A process that dies while it creates an entry holds the others up so long, in seconds.
_LOCK_TIMEOUT = 2
_LOCK_INTERVAL = 0.05
# memcached takes a longer expiry, in seconds, for a date (doc/protocol.txt, "Expiration times"),
# and reads it as an integer of 32 bits.
_MEMCACHED_LONGEST = 30 * 86_400
_MEMCACHED_LAST = 2**31 - 1


class SharedCache:
    """A cache on a backend of dogpile.cache.

    :param backend: one of :data:`BACKENDS`.
    :param arguments: the backend's own, such as ``{'url': 'redis://cache.example.com'}``.
    :param lifetime: after how many seconds the backend may forget an entry.
    :param password: of the cache's server; a ``url`` needs none in it.
    :raises InvalidParameterValue: there is no such backend, its client is not installed, or it
        does not take the arguments.
    """

    def __init__(self, backend: str, arguments: Mapping[str, Any], lifetime: int,
                 password: str | None = None) -> None:
        if backend not in BACKENDS:
            raise InvalidParameterValue(
                f'The cache backend {backend} cannot be used.',
                f'Use one of {", ".join(BACKENDS)}.', 'cache_backend')
        remember_in({**arguments, 'password': password})
        self._name = backend
        self._guard = Guard(backend)
        self._region = make_region()
        with contextlib.suppress(CacheFailed):
            # Some backends connect now. One that finds no server is no invalid parameter.
            self._guard.ask(lambda: self._configure(arguments, lifetime, password))

    def _configure(self, arguments: Mapping[str, Any], lifetime: int,
                   password: str | None) -> None:
        try:
            self._region.configure(self._name, arguments={
                **_arguments(self._name, arguments, lifetime, password),
                'distributed_lock': True, 'lock_timeout': _LOCK_TIMEOUT})
        except (ImportError, LookupError, TypeError, ValueError, AttributeError) as error:
            # The arguments may hold a password.
            raise InvalidParameterValue(
                f'The cache backend {self._name} cannot be used ({type(error).__name__}).',
                'Check that its client is installed, and its arguments.',
                'cache_arguments') from error

    def get_or_create(self, new: Entry, accepts: Callable[[int], bool], now: float,
                      refresh: bool = False) -> tuple[int, bool]:
        """See :class:`osc_imgurl.cache.base.Cache`. The backend's lock is held while creating."""
        name = _name(new.fingerprint)

        def find() -> tuple[int, bool] | None:
            found = None if refresh else _get(self._region.actual_backend, name)
            return (found.expires, True) if found and usable(found, new, accepts) else None

        def get_or_create() -> tuple[int, bool]:
            backend = self._region.actual_backend
            mutex = backend.get_mutex(name)
            give_up = time.monotonic() + TIME_LIMIT - 1
            while not (found := find()) and not mutex.acquire(wait=False):
                if time.monotonic() > give_up:
                    raise CacheFailed('another process holds its lock')
                time.sleep(_LOCK_INTERVAL)
            if found:
                return found
            try:
                # Another process may have been faster.
                if not (found := find()):
                    backend.set_serialized(name, json.dumps(dataclasses.astuple(new)).encode())
            finally:
                # The lock may have been taken from a process that was too slow.
                with contextlib.suppress(Exception):
                    mutex.release()
            return found or (new.expires, False)

        return self._guard.ask_or_warn(get_or_create, (new.expires, False))

    def entries(self) -> list[Entry]:
        """See :class:`osc_imgurl.cache.base.Cache`.

        :raises CacheFailed: always; these backends cannot list what they hold.
        """
        raise CacheFailed(f'The cache {self._name} cannot list what it holds; ask its server.')

    def delete(self, fingerprints: Iterable[str]) -> int:
        """See :class:`osc_imgurl.cache.base.Cache`.

        :returns: how many fingerprints were given; these backends do not count.
        """
        names = [_name(fingerprint) for fingerprint in fingerprints]
        self._guard.ask(lambda: [self._region.actual_backend.delete(name) for name in names])
        return len(names)

    def info(self) -> CacheInfo:
        """See :class:`osc_imgurl.cache.base.Cache`."""
        return CacheInfo(self._name, None, None, None)


def _arguments(backend: str, given: Mapping[str, Any], lifetime: int,
               password: str | None) -> dict[str, Any]:
    """Return what a backend is given beside what all are; what the settings give counts."""
    if backend == 'dogpile.cache.pymemcache':
        if password is not None:
            raise InvalidParameterValue(f'The cache backend {backend} takes no password.')
        if lifetime > _MEMCACHED_LONGEST:
            lifetime = min(int(time.time()) + lifetime, _MEMCACHED_LAST)
        # Unless this is given, it unpickles what it reads: who can write there could run code here.
        return {'memcached_expire_time': lifetime, **given, 'serde': None}
    # Later than the guard, so that a thread which nobody waits for any more comes to its end.
    limit = 2 * TIME_LIMIT
    connection = {'socket_timeout': limit, 'socket_connect_timeout': limit,
                  # A server that does not answer is not asked again.
                  'retry': None, **given.get('connection_kwargs', {})}
    arguments = {'valkey_expiration_time' if 'valkey' in backend else 'redis_expiration_time':
                 lifetime, 'thread_local_lock': False, **given, 'connection_kwargs': connection}
    if password is not None:
        # The backends drop the one where there is a URL, and the other where there is none.
        arguments['password'] = connection['password'] = password
    return arguments


def _name(fingerprint: str) -> str:
    return f'osc-imgurl:{fingerprint}'


def _get(backend: CacheBackend, name: str) -> Entry | None:
    """Return the entry under a name; what is none counts as nothing, and is replaced."""
    try:
        value = backend.get_serialized(name)
    except Exception as error:
        # Of Redis and Valkey: there is a list or a hash, for example.
        if str(error).startswith('WRONGTYPE'):
            return None
        raise
    if value is NO_VALUE:
        return None
    try:
        return decode(json.loads(value))
    except (ValueError, RecursionError):
        return None
