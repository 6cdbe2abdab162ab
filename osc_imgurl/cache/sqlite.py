# SPDX-License-Identifier: Apache-2.0
"""The cache in a file, for all processes of one user.

The cache key is a fingerprint of everything that shapes the URL: another key, account or option
gives another entry. The file holds no key, URL or signature. A broken cache logs a warning, and the
URL is created without it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import os
import pathlib
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from osc_imgurl.cache.base import CacheInfo, CircuitBreaker, Entry, decode, usable
from osc_imgurl.errors import CacheFailed, logger

LOG = logger(__name__)

T = TypeVar('T')

# Seconds to wait for other processes' writes. This is shorter than the circuit breaker's limit, so
# that the message names the lock.
LOCK_TIMEOUT = 4.0
# Seconds until expired entries are deleted. A clock may be ahead, by a year if someone mistyped it,
# and must not delete live entries. An entry has about 300 bytes.
RETENTION = 2 * 366 * 86_400
# Entries to list or delete within one time limit.
PAGE_SIZE = 10_000
SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    fingerprint, expires, image_id, method, account, container, key_fingerprint,
    signature_fingerprint
);
CREATE INDEX entries_by_expiry ON entries (expires);
PRAGMA user_version = 2;
"""
_SELECT = ('SELECT id, fingerprint, expires, image_id, method, account, container, key_fingerprint,'
           ' signature_fingerprint FROM entries')


def default_path() -> pathlib.Path:
    """Return the cache file's path, below the platform's folder for user caches."""
    import platformdirs

    return platformdirs.user_cache_path('osc-imgurl') / 'urls.sqlite'


class SQLiteCache:
    """The cache in a file, for the processes of one user on one machine.

    :param path: the file. Its folder is for the cache alone, and is created if missing.
    """

    def __init__(self, path: pathlib.Path | None = None) -> None:
        self.path = path or default_path()
        self._lock = self.path.with_name(self.path.name + '.lock')
        self._breaker = CircuitBreaker(str(self.path), once=True)

    def get_or_create(self, new: Entry, accepts: Callable[[int], bool], now: float,
                      refresh: bool = False) -> tuple[int, bool]:
        """Return the expiry of an equal entry in the cache and True, or the new one's and False.

        Reading and creating are one transaction. A cache that fails logs one warning, and is not
        called again.

        :param new: the entry to store if none in the cache is usable.
        :param accepts: decides whether an expiry (Unix time, seconds) is usable.
        :param now: Unix time, seconds.
        :param refresh: store the new entry in any case.
        """
        def find(connection: sqlite3.Connection) -> tuple[int, bool] | None:
            row = connection.execute(
                f'{_SELECT} WHERE id = ?', (_row_id(new.fingerprint),)).fetchone()
            found = decode(row[1:]) if row and not refresh else None
            return (found.expires, True) if found and usable(found, new, accepts) else None

        def get_or_create(connection: sqlite3.Connection) -> tuple[int, bool]:
            if found := find(connection):
                return found
            with _transaction(connection):
                # Another process may have created it before we had the lock.
                if found := find(connection):
                    return found
                insert(connection, new)
                connection.execute('DELETE FROM entries WHERE expires < ?',
                                   (int(now) - RETENTION,))
            return new.expires, False

        return self._breaker.call_or_warn(
            lambda: self._use(get_or_create), (new.expires, False))

    def entries(self) -> list[Entry]:
        """Return all entries; the next to expire comes first.

        :raises CacheFailed: the cache cannot be read.
        """
        def page(connection: sqlite3.Connection, after: tuple[int, int]) -> list[tuple[Any, ...]]:
            return connection.execute(
                f"{_SELECT} WHERE typeof(expires) = 'integer' AND (expires, id) > (?, ?)"
                ' ORDER BY expires, id LIMIT ?', (*after, PAGE_SIZE)).fetchall()

        found: list[Entry] = []
        after = (-1, 0)
        nothing: list[tuple[Any, ...]] = []
        while rows := self._use_existing(functools.partial(page, after=after), nothing):
            found.extend(filter(None, (decode(row[1:]) for row in rows)))
            row_id, _, expires, *_ = rows[-1]
            after = (expires, row_id)
        return found

    def delete(self, fingerprints: Iterable[str]) -> int:
        """Remove entries, and return their number.

        :raises CacheFailed: the cache cannot be written.
        """
        rows = [(_row_id(each), each) for each in fingerprints]

        def delete(connection: sqlite3.Connection, rows: list[tuple[int, str]]) -> int:
            with _transaction(connection):
                return connection.executemany(
                    'DELETE FROM entries WHERE id = ? AND fingerprint = ?', rows).rowcount

        return sum(
            self._use_existing(
                functools.partial(delete, rows=rows[start:start + PAGE_SIZE]), 0)
            for start in range(0, len(rows), PAGE_SIZE))

    def info(self) -> CacheInfo:
        """Return the kind and size of this cache.

        :raises CacheFailed: the cache cannot be read.
        """
        entries = self._use_existing(lambda connection: int(
            connection.execute('SELECT count(*) FROM entries').fetchone()[0]), 0)
        size = self.path.stat().st_size if self.path.exists() else 0
        return CacheInfo('sqlite', str(self.path), size, entries)

    def _use_existing(self, operation: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Return the operation's result, or ``otherwise`` if there is no cache file yet."""
        return self._breaker.call(
            lambda: self._use(operation) if self.path.exists() else otherwise)

    def _use(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Return the operation's result; replace an unreadable file first."""
        _tighten(self.path.parent, stat.S_ISDIR, 0o700)
        with self._locked(fcntl.LOCK_SH):
            try:
                return self._open_and_use(operation)
            except (_Older, sqlite3.Error) as error:
                if not _unreadable(error):
                    raise
        # Only this process uses the file now; another may have replaced it just before.
        with self._locked(fcntl.LOCK_EX):
            try:
                return self._open_and_use(operation)
            except (_Older, sqlite3.Error) as error:
                if not _unreadable(error):
                    raise
                self._remove(error)
            return self._open_and_use(operation)

    @contextlib.contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        """Hold the lock: shared to use the file, exclusive to replace it."""
        _tighten(self._lock, stat.S_ISREG, 0o600)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_NOFOLLOW)
        give_up = time.monotonic() + LOCK_TIMEOUT
        try:
            while True:
                try:
                    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > give_up:
                        raise CacheFailed('another process holds its lock') from None
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    def _open_and_use(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        _tighten(self.path, stat.S_ISREG, 0o600)
        with contextlib.closing(sqlite3.connect(
                self.path, timeout=LOCK_TIMEOUT, isolation_level=None)) as connection:
            # Invalid UTF-8 is not ours: replace it.
            connection.text_factory = lambda text: text.decode(errors='replace')
            version = _version(connection)
            if version == 0:
                with _transaction(connection):
                    if _version(connection) == 0:
                        for statement in _SCHEMA.split(';'):
                            connection.execute(statement)
                version = _version(connection)
            if version > SCHEMA_VERSION:
                raise CacheFailed('a newer osc-imgurl created it')
            if version < SCHEMA_VERSION:
                raise _Older
            return operation(connection)

    def _remove(self, error: Exception) -> None:
        """Set the file aside; delete one of an older osc-imgurl, because it may contain URLs."""
        self.path.with_name(self.path.name + '-journal').unlink(missing_ok=True)
        if isinstance(error, _Older):
            self.path.unlink()
            return
        aside = self.path.with_name(self.path.name + '.damaged')
        self.path.replace(aside)
        LOG.warning('The cache %s is damaged (%s): moved it to %s, and created a new one',
                    self.path, error, aside.name)


class _Older(Exception):
    """An older osc-imgurl created the file."""


def _unreadable(error: Exception) -> bool:
    """Say whether the file's content causes an error, not its folder, its lock or the disk."""
    return isinstance(error, _Older) or getattr(error, 'sqlite_errorcode', 0) & 0xFF in (
        sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
        # No such table or column.
        sqlite3.SQLITE_ERROR)


def _tighten(path: pathlib.Path, is_kind: Callable[[int], bool], mode: int) -> None:
    """Create a file or folder if missing, and restrict it to its owner."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        if is_kind is stat.S_ISDIR:
            path.mkdir(mode, parents=True, exist_ok=True)
        else:
            path.touch(mode)
        found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise CacheFailed(f'{path} is a symbolic link')
    if found.st_uid != os.geteuid():
        raise CacheFailed(f'{path} belongs to another user')
    if not is_kind(found.st_mode):
        raise CacheFailed(f'{path} is not a {"folder" if is_kind is stat.S_ISDIR else "file"}')
    if stat.S_IMODE(found.st_mode) & ~mode:
        LOG.warning('Other users could read the cache: the mode of %s was %o, and is now %o',
                    path, stat.S_IMODE(found.st_mode), mode)
        path.chmod(mode)


def insert(connection: sqlite3.Connection, entry: Entry) -> None:
    """Add an entry; replace the one with the same fingerprint."""
    connection.execute('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
                       (_row_id(entry.fingerprint), *dataclasses.astuple(entry)))


def _row_id(fingerprint: str) -> int:
    """Return the start of a fingerprint as a number.

    SQLite reads fewer pages to find a number than a text of 64 characters.
    """
    return int(fingerprint[:15], 16)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    # Without fsync, a killed process does not damage the file. After a power failure we replace it.
    connection.execute('PRAGMA synchronous = OFF')
    connection.execute('BEGIN IMMEDIATE')
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute('ROLLBACK')
        raise
    connection.execute('COMMIT')


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute('PRAGMA user_version').fetchone()[0])
