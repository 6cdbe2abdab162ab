# SPDX-License-Identifier: Apache-2.0
"""The cache for many machines, on a backend of dogpile.cache.

openstacksdk depends on dogpile.cache. Users install the backend's client (redis, valkey,
pymemcache) themselves.
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

from osc_imgurl.cache.base import TIME_LIMIT, CacheInfo, CircuitBreaker, Entry, decode, usable
from osc_imgurl.errors import CacheFailed, InvalidParameterValue, remember_in

# The other backends of dogpile.cache serve one machine, or their clients (python-memcached,
# pylibmc, bmemcached) unpickle: anyone with write access to the cache could run code here.
BACKENDS = tuple(f'dogpile.cache.{name}' for name in (
    'redis', 'redis_sentinel', 'redis_cluster', 'valkey', 'valkey_sentinel', 'valkey_cluster',
    'pymemcache'))

# Other processes wait so many seconds for one that died while it created an entry.
_LOCK_TIMEOUT = 2
_LOCK_INTERVAL = 0.05
# memcached reads a longer expiry, in seconds, as a date (doc/protocol.txt, "Expiration times"), and
# the date as an integer of 32 bits.
_MEMCACHED_LONGEST = 30 * 86_400
_MEMCACHED_LAST = 2**31 - 1


class SharedCache:
    """A cache on a backend of dogpile.cache.

    :param backend: one of :data:`BACKENDS`.
    :param arguments: the backend's, such as ``{'url': 'redis://cache.example.com'}``.
    :param lifetime: seconds until the backend may delete an entry.
    :param password: the cache server's, so that ``url`` need not contain it.
    :raises InvalidParameterValue: there is no such backend, its client is not installed, or it
        refuses the arguments.
    """

    def __init__(self, backend: str, arguments: Mapping[str, Any], lifetime: int,
                 password: str | None = None) -> None:
        if backend not in BACKENDS:
            raise InvalidParameterValue(
                f'The cache backend {backend} cannot be used.',
                f'Use one of {", ".join(BACKENDS)}.', 'cache_backend')
        remember_in({**arguments, 'password': password})
        self._name = backend
        self._breaker = CircuitBreaker(backend)
        self._region = make_region()
        with contextlib.suppress(CacheFailed):
            # Some backends connect now. A server out of reach is not an invalid parameter.
            self._breaker.call(lambda: self._configure(arguments, lifetime, password))

    def _configure(self, arguments: Mapping[str, Any], lifetime: int,
                   password: str | None) -> None:
        try:
            self._region.configure(self._name, arguments={
                **_arguments(self._name, arguments, lifetime, password),
                'distributed_lock': True, 'lock_timeout': _LOCK_TIMEOUT})
        except (ImportError, LookupError, TypeError, ValueError, AttributeError) as error:
            # The error's text may quote a password in the arguments.
            raise InvalidParameterValue(
                f'The cache backend {self._name} cannot be used ({type(error).__name__}).',
                'Check that its client is installed, and its arguments.',
                'cache_arguments') from error

    def get_or_create(self, new: Entry, accepts: Callable[[int], bool], now: float,
                      refresh: bool = False) -> tuple[int, bool]:
        """See :meth:`osc_imgurl.cache.sqlite.SQLiteCache.get_or_create`.

        While creating, this holds the backend's lock.
        """
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
                # Another process may have created it before we had the lock.
                if not (found := find()):
                    backend.set_serialized(name, json.dumps(dataclasses.astuple(new)).encode())
            finally:
                # The backend takes the lock from a slow process.
                with contextlib.suppress(Exception):
                    mutex.release()
            return found or (new.expires, False)

        return self._breaker.call_or_warn(get_or_create, (new.expires, False))

    def entries(self) -> list[Entry]:
        """See :meth:`osc_imgurl.cache.sqlite.SQLiteCache.entries`.

        :raises CacheFailed: always; these backends cannot list their entries.
        """
        raise CacheFailed(f'The cache {self._name} cannot list its entries.',
                          'List them with a client of its server.')

    def delete(self, fingerprints: Iterable[str]) -> int:
        """See :meth:`osc_imgurl.cache.sqlite.SQLiteCache.delete`.

        :returns: the number of fingerprints given; these backends do not count.
        """
        names = [_name(fingerprint) for fingerprint in fingerprints]
        self._breaker.call(lambda: [self._region.actual_backend.delete(name) for name in names])
        return len(names)

    def info(self) -> CacheInfo:
        """See :meth:`osc_imgurl.cache.sqlite.SQLiteCache.info`."""
        return CacheInfo(self._name, None, None, None)


def _arguments(backend: str, given: Mapping[str, Any], lifetime: int,
               password: str | None) -> dict[str, Any]:
    """Return the backend's arguments: the given ones, and ours for expiry, limits and password."""
    if backend == 'dogpile.cache.pymemcache':
        if password is not None:
            raise InvalidParameterValue(f'The cache backend {backend} supports no password.')
        if lifetime > _MEMCACHED_LONGEST:
            lifetime = min(int(time.time()) + lifetime, _MEMCACHED_LAST)
        # Its default serializer unpickles: anyone with write access could run code here.
        return {'memcached_expire_time': lifetime, **given, 'serde': None}
    # Longer than the circuit breaker's limit: this ends the thread after the caller has given up.
    limit = 2 * TIME_LIMIT
    connection = {'socket_timeout': limit, 'socket_connect_timeout': limit,
                  # A silent server gets no second request.
                  'retry': None, **given.get('connection_kwargs', {})}
    arguments = {'valkey_expiration_time' if 'valkey' in backend else 'redis_expiration_time':
                 lifetime, 'thread_local_lock': False, **given, 'connection_kwargs': connection}
    if password is not None:
        # The backends use one with a URL, and the other without.
        arguments['password'] = connection['password'] = password
    return arguments


def _name(fingerprint: str) -> str:
    return f'osc-imgurl:{fingerprint}'


def _get(backend: CacheBackend, name: str) -> Entry | None:
    """Return the entry of this name; None if there is none, or an invalid one to replace."""
    try:
        value = backend.get_serialized(name)
    except Exception as error:
        # Redis and Valkey: the name holds a list or a hash, for example.
        if str(error).startswith('WRONGTYPE'):
            return None
        raise
    if value is NO_VALUE:
        return None
    try:
        return decode(json.loads(value))
    except (ValueError, RecursionError):
        return None
