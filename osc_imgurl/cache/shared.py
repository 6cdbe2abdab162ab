# SPDX-License-Identifier: Apache-2.0
"""A cache that many machines share, on any backend of dogpile.cache.

openstacksdk brings dogpile.cache along; the backend's own client (redis, pymemcache) is to be
installed beside it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dogpile.cache import make_region
from dogpile.cache.api import NO_VALUE

from osc_imgurl.cache.entry import CacheInfo, Entry, WarnOnce
from osc_imgurl.errors import CacheFailed, InvalidParameterValue, one_line

# A process that dies while it creates an entry holds the others up so long, in seconds.
_LOCK_ARGUMENTS: Mapping[str, Any] = {'distributed_lock': True, 'lock_timeout': 10}
_BACKEND_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    'dogpile.cache.redis': {'thread_local_lock': False, 'socket_timeout': 5},
    'dogpile.cache.valkey': {'thread_local_lock': False, 'socket_timeout': 5},
}
_EXPIRATION_ARGUMENTS = {
    'dogpile.cache.redis': 'redis_expiration_time',
    'dogpile.cache.valkey': 'valkey_expiration_time',
    'dogpile.cache.pymemcache': 'memcached_expire_time',
    'dogpile.cache.memcached': 'memcached_expire_time',
}


class SharedCache:
    """A cache on a backend of dogpile.cache.

    :param backend: its name, such as ``dogpile.cache.redis``.
    :param arguments: the backend's own, such as ``{'url': 'redis://cache.example.com'}``.
    :param lifetime: after how many seconds the backend may forget an entry.
    :param password: of the cache's server; a ``url`` needs none in it.
    :raises InvalidParameterValue: there is no such backend, its client is not installed, or it
        does not take the arguments.
    """

    def __init__(self, backend: str, arguments: Mapping[str, Any], lifetime: int,
                 password: str | None = None) -> None:
        arguments = {**_LOCK_ARGUMENTS, **_BACKEND_ARGUMENTS.get(backend, {}), **arguments}
        if backend in _EXPIRATION_ARGUMENTS:
            arguments.setdefault(_EXPIRATION_ARGUMENTS[backend], lifetime)
        self._backend = backend
        self._warn = WarnOnce(backend)
        # JSON and not dogpile's default, pickle, which runs what it reads.
        self._region = make_region(
            key_mangler='osc-imgurl:{}'.format,
            serializer=lambda value: json.dumps(value).encode(), deserializer=json.loads)
        try:
            if password is not None:
                arguments['password'] = password
                # The Redis backends drop the argument where there is a URL, and not this one.
                arguments['connection_kwargs'] = {
                    **arguments.get('connection_kwargs', {}), 'password': password}
            self._region.configure(backend, arguments=arguments)
        except Exception as error:
            # Whatever the backend's client raises; the arguments may hold a password.
            raise InvalidParameterValue(
                f'The cache backend {backend} cannot be used ({type(error).__name__}): check its'
                ' name, that its client is installed, and cache_arguments.') from error

    def get_or_create(self, fingerprint: str, valid_until: int, make: Callable[[], Entry],
                      refresh: bool = False) -> tuple[Entry, bool]:
        """See :class:`osc_imgurl.cache.sqlite.Cache`. The backend's lock is held while creating."""
        made: Entry | None = None
        try:
            found = self._get(fingerprint, valid_until)
            if found and not refresh:
                return found, True
            with self._locked(fingerprint):
                found = self._get(fingerprint, valid_until)
                if found and not refresh:
                    return found, True
                made = make()
                self._region.set(fingerprint, dataclasses.astuple(made))
        except Exception as error:
            # Whatever the backend's client raises, it costs a warning and not the URL.
            self._warn(one_line(error))
        return made or make(), False

    def entries(self) -> list[Entry]:
        """See :class:`osc_imgurl.cache.sqlite.Cache`.

        :raises CacheFailed: always; these backends cannot list what they hold.
        """
        raise CacheFailed(
            f'The cache {self._backend} cannot list what it holds; ask its server.')

    def delete(self, fingerprints: Iterable[str]) -> int:
        """See :class:`osc_imgurl.cache.sqlite.Cache`."""
        fingerprints = list(fingerprints)
        self._region.delete_multi(fingerprints)
        return len(fingerprints)

    def info(self) -> CacheInfo:
        """See :class:`osc_imgurl.cache.sqlite.Cache`."""
        return CacheInfo(self._backend, None, None, None)

    def _get(self, fingerprint: str, valid_until: int) -> Entry | None:
        value = self._region.get(fingerprint)
        entry = None if value is NO_VALUE else Entry(*value)
        return entry if entry and entry.expires >= valid_until else None

    @contextlib.contextmanager
    def _locked(self, fingerprint: str) -> Iterator[None]:
        """Hold the backend's lock, where it has one for many machines."""
        mutex = self._region.actual_backend.get_mutex(f'osc-imgurl:{fingerprint}')
        if mutex is None:
            yield
            return
        mutex.acquire()
        try:
            yield
        finally:
            mutex.release()
