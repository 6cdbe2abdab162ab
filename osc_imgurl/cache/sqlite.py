# SPDX-License-Identifier: Apache-2.0
"""The on-disk cache: the same URL for the same question, for any number of processes.

An entry is found by a fingerprint of all that shaped the URL, so that a changed key, account
or option is never answered with an old URL. A cached URL is a bearer secret: the file is its
owner's only. The signing key is never stored. A cache that cannot be used costs a warning,
never the URL.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from osc_imgurl.cache.entry import CacheInfo, Entry, WarnOnce
from osc_imgurl.errors import CacheFailed, logger

LOG = logger(__name__)

T = TypeVar('T')

# How long to wait for other processes that are writing, in seconds.
LOCK_TIMEOUT = 5.0
SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE urls (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT, image_id TEXT, method TEXT, account TEXT, container TEXT,
    key_fingerprint TEXT, expires INTEGER, url TEXT
);
CREATE INDEX urls_by_image ON urls (image_id);
CREATE INDEX urls_by_expiry ON urls (expires);
PRAGMA user_version = 1;
"""


def default_path() -> pathlib.Path:
    """Return where the cache is: below the platform's folder for a user's caches."""
    import platformdirs

    return platformdirs.user_cache_path('osc-imgurl') / 'urls.sqlite'


class SQLiteCache:
    """The cache in a file, for the processes of one user on one machine.

    :param path: of the file; its folder is made where it is missing, and belongs to the cache.
    """

    def __init__(self, path: pathlib.Path | None = None) -> None:
        self.path = path or default_path()
        self._warn = WarnOnce(str(self.path))

    def get_or_create(self, fingerprint: str, valid_until: int, make: Callable[[], Entry],
                      refresh: bool = False) -> tuple[Entry, bool]:
        """See :class:`Cache`. Reading and creating are one transaction."""
        made: Entry | None = None

        def select(connection: sqlite3.Connection) -> Entry | None:
            row = connection.execute(
                'SELECT * FROM urls WHERE id = ? AND fingerprint = ? AND expires >= ?',
                (_row_id(fingerprint), fingerprint, valid_until)).fetchone()
            return Entry(*row[1:]) if row and not refresh else None

        def read_or_create(connection: sqlite3.Connection) -> tuple[Entry, bool]:
            nonlocal made
            if found := select(connection):
                return found, True
            with _transaction(connection):
                # Another process may have been faster.
                if found := select(connection):
                    return found, True
                made = make()
                insert(connection, [made])
                connection.execute('DELETE FROM urls WHERE expires < ?', (valid_until,))
            return made, False

        try:
            return self._use(read_or_create)
        except (CacheFailed, sqlite3.Error, OSError) as error:
            self._warn(_reason(error))
            return made or make(), False

    def entries(self) -> list[Entry]:
        """See :class:`Cache`.

        :raises CacheFailed: the cache cannot be read.
        """
        return self._use_existing(
            lambda connection: [Entry(*row[1:]) for row in connection.execute(
                'SELECT * FROM urls ORDER BY expires, image_id')], [])

    def delete(self, fingerprints: Iterable[str]) -> int:
        """See :class:`Cache`.

        :raises CacheFailed: the cache cannot be written.
        """
        def delete(connection: sqlite3.Connection) -> int:
            with _transaction(connection):
                return sum(
                    connection.execute('DELETE FROM urls WHERE id = ? AND fingerprint = ?',
                                       (_row_id(each), each)).rowcount
                    for each in fingerprints)

        return self._use_existing(delete, 0)

    def info(self) -> CacheInfo:
        """See :class:`Cache`.

        :raises CacheFailed: the cache cannot be read.
        """
        entries = self._use_existing(lambda connection: int(
            connection.execute('SELECT count(*) FROM urls').fetchone()[0]), 0)
        size = self.path.stat().st_size if self.path.exists() else 0
        return CacheInfo('sqlite', str(self.path), size, entries)

    def _use_existing(self, operation: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Return what an operation does, or the other value where there is no cache yet."""
        try:
            return self._use(operation) if self.path.exists() else otherwise
        except (CacheFailed, sqlite3.Error, OSError) as error:
            raise CacheFailed(
                f'The cache {self.path} cannot be used: {_reason(error)}.') from error

    def _use(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Return what an operation does; a damaged file is set aside and begun anew."""
        inode = self._prepare()
        try:
            return self._open_and_use(operation)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            # Unless another process has begun it anew already.
            if self.path.stat().st_ino == inode:
                self._set_aside(error)
        self._prepare()
        return self._open_and_use(operation)

    def _open_and_use(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        with contextlib.closing(sqlite3.connect(
                self.path, timeout=LOCK_TIMEOUT, isolation_level=None)) as connection:
            # A killed process does not spoil the file; what a power failure may spoil is set
            # aside.
            connection.execute('PRAGMA synchronous = OFF')
            if _version(connection) == 0:
                with _transaction(connection):
                    if _version(connection) == 0:
                        for statement in _SCHEMA.split(';'):
                            connection.execute(statement)
            if _version(connection) > SCHEMA_VERSION:
                raise CacheFailed('a newer osc-imgurl has made it')
            return operation(connection)

    def _prepare(self) -> int:
        """Make folder and file, for their owner only, and return the file's inode."""
        folder = self.path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        self._tighten(folder, flags | os.O_DIRECTORY, 0o700)
        return self._tighten(self.path, flags | os.O_CREAT, 0o600)

    def _tighten(self, path: pathlib.Path, flags: int, mode: int) -> int:
        if path.is_symlink():
            raise CacheFailed(f'{path} is a symbolic link')
        descriptor = os.open(path, flags, mode)
        try:
            found = os.fstat(descriptor)
            if found.st_uid != os.geteuid():
                raise CacheFailed(f'{path} belongs to another user')
            if not stat.S_ISDIR(found.st_mode) and not stat.S_ISREG(found.st_mode):
                raise CacheFailed(f'{path} is not a file')
            if stat.S_IMODE(found.st_mode) & ~mode:
                LOG.warning('Other users could read the cache: the mode of %s was %o, and is now'
                            ' %o', path, stat.S_IMODE(found.st_mode), mode)
                os.fchmod(descriptor, mode)
            return found.st_ino
        finally:
            os.close(descriptor)

    def _set_aside(self, error: Exception) -> None:
        aside = self.path.with_name(self.path.name + '.damaged')
        self.path.replace(aside)
        self.path.with_name(self.path.name + '-journal').unlink(missing_ok=True)
        LOG.warning('The cache %s is damaged (%s): it is set aside as %s, and begun anew',
                    self.path, error, aside.name)


def insert(connection: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Add entries to the table, in place of those with the same fingerprints."""
    connection.executemany(
        'INSERT OR REPLACE INTO urls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ((_row_id(entry.fingerprint), *dataclasses.astuple(entry)) for entry in entries))


def _row_id(fingerprint: str) -> int:
    """Return the start of a fingerprint as a number: the shortest way to a row.

    Rows are found in fewer pages by a number than by a text of 64 characters.
    """
    return int(fingerprint[:15], 16)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
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


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
