"""The cache in a file: what it answers, and what it survives."""

import fcntl
import hashlib
import os
import pathlib
import random
import resource
import signal
import sqlite3
import stat
import time

import pytest

from osc_imgurl.cache import base as room
from osc_imgurl.cache import sqlite as cache
from osc_imgurl.cache.base import Entry
from osc_imgurl.cache.sqlite import SQLiteCache
from osc_imgurl.errors import CacheFailed

NOW = 1_700_000_000
FIRST, SECOND, THIRD = NOW + 101, NOW + 102, NOW + 103


def named(name):
    return hashlib.sha256(name.encode()).hexdigest()


def entry(name='f', expires=FIRST):
    return Entry(named(name), expires, 'image', 'GET', 'AUTH_x', 'glance', 'key', 'signature')


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'osc-imgurl/urls.sqlite'


@pytest.fixture
def store(path):
    return SQLiteCache(path)


def ask(store, expires, *, valid_until=NOW, name='f', now=NOW, **kwargs):
    return store.get_or_create(entry(name, expires), lambda found: found >= valid_until, now,
                               **kwargs)


def test_the_first_expiry_is_kept(store, path):
    assert ask(store, FIRST) == (FIRST, False)
    assert ask(store, SECOND) == (FIRST, True)
    assert ask(SQLiteCache(path), THIRD) == (FIRST, True)
    assert ask(store, SECOND, name='g') == (SECOND, False)
    assert ask(store, SECOND, refresh=True) == (SECOND, False)
    assert ask(store, THIRD) == (SECOND, True)


def test_an_expiry_that_cannot_be_used_is_replaced(store):
    ask(store, FIRST)
    assert ask(store, SECOND, valid_until=FIRST) == (FIRST, True)
    assert ask(store, SECOND, valid_until=FIRST + 1) == (SECOND, False)
    assert store.entries() == [entry(expires=SECOND)]


def test_what_has_long_expired_is_removed(store):
    ask(store, FIRST)
    # Years ahead, as a clock may be: nothing of the others is lost.
    ask(store, NOW + cache.RETENTION, name='g', now=NOW + cache.RETENTION)
    assert len(store.entries()) == 2
    ask(store, NOW + cache.RETENTION, name='h', now=FIRST + cache.RETENTION + 1)
    assert [each.fingerprint for each in store.entries()] == sorted(map(named, 'gh'))


def test_entries_delete_info(store, path):
    assert (store.entries(), store.delete([named('f')]), store.info().entries) == ([], 0, 0)
    assert not path.exists()
    ask(store, SECOND)
    ask(store, FIRST, name='g')
    assert store.entries() == [entry('g', FIRST), entry('f', SECOND)]
    info = store.info()
    assert (info.backend, info.path, info.entries) == ('sqlite', str(path), 2)
    assert info.size == path.stat().st_size
    assert store.delete([named('f'), named('nothing')]) == 1
    assert store.entries() == [entry('g', FIRST)]


def test_more_entries_than_are_read_at_once(store, monkeypatch):
    names = [str(number) for number in range(50)]
    for name in names:
        ask(store, FIRST + int(name) // 7, name=name)
    everything = store.entries()
    assert sorted(each.fingerprint for each in everything) == sorted(map(named, names))
    assert [each.expires for each in everything] == [FIRST + number // 7 for number in range(50)]
    for at_once in (1, 7, 50):
        monkeypatch.setattr(cache, 'PAGE_SIZE', at_once)
        assert store.entries() == everything
    monkeypatch.setattr(cache, 'PAGE_SIZE', 7)
    assert store.delete(map(named, names[5:])) == 45
    assert sorted(each.fingerprint for each in store.entries()) == sorted(map(named, names[:5]))


def test_file_and_folder_are_their_owners_only(store, path, caplog):
    ask(store, FIRST)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not caplog.records
    path.chmod(0o644)
    path.parent.chmod(0o755)
    assert ask(store, SECOND) == (FIRST, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [record.args[0] for record in caplog.records] == [path.parent, path]


def write_row(path, **values):
    """Write into a row as an untrusted user could."""
    with sqlite3.connect(path) as database:
        database.execute(f'UPDATE entries SET {", ".join(f"{name} = ?" for name in values)}',  # noqa: S608
                         list(values.values()))
    database.close()


@pytest.mark.parametrize('values', [
    {name: value} for name, values in {
        'expires': [None, '', str(FIRST), float(FIRST), 1e300, -1, 2**62, b'x'],
        'fingerprint': [None, 'another', 5], 'image_id': ['another', b'\xff', None],
        'method': ['PUT', 1], 'account': ['AUTH_y', 0, b'AUTH_x', None],
        'container': ['\n', None], 'key_fingerprint': ['another', 3.5],
        'signature_fingerprint': [None, 7]}.items()
    for value in values], ids=str)
def test_what_an_untrusted_user_wrote_is_replaced(store, path, caplog, values):
    ask(store, FIRST)
    write_row(path, **values)
    # Nothing that is none of an entry's types is listed.
    assert all(isinstance(each, Entry) and type(each.expires) is int for each in store.entries())
    assert ask(store, SECOND) == (SECOND, False)
    assert ask(store, THIRD) == (SECOND, True)
    assert store.entries() == [entry(expires=SECOND)]
    assert not caplog.records


def test_a_text_that_is_none_is_replaced(store, path, caplog):
    ask(store, FIRST)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE entries SET account = CAST(x'ff00fe' AS TEXT)")
    assert ask(store, SECOND) == (SECOND, False)
    assert not caplog.records


def older(path):
    """Make a cache as the first release did."""
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    with sqlite3.connect(path) as database:
        database.executescript(
            'CREATE TABLE urls (id INTEGER PRIMARY KEY, fingerprint TEXT, image_id TEXT,'
            ' method TEXT, account TEXT, container TEXT, key_fingerprint TEXT, expires INTEGER,'
            ' url TEXT); PRAGMA user_version = 1')
        database.execute("INSERT INTO urls VALUES (1, 'f', 'i', 'GET', 'a', 'c', 'k', ?, ?)",
                         (FIRST, 'http://swift/v1/a/c/o?temp_url_sig=secret'))
    database.close()


@pytest.mark.parametrize('read', [SQLiteCache.entries, SQLiteCache.info])
def test_an_older_file_is_replaced_in_silence(store, path, caplog, read):
    older(path)
    read(store)
    assert store.entries() == []
    assert ask(store, FIRST) == (FIRST, False)
    assert ask(store, SECOND) == (FIRST, True)
    assert not caplog.records
    # Its URLs are nowhere any more.
    assert not any(b'temp_url_sig' in file.read_bytes() for file in path.parent.iterdir())


def ask_with_a_warning(store, caplog, words):
    """The URL works, nothing is stored, and one line says why, however often it is called."""
    caplog.clear()
    assert ask(store, FIRST) == (FIRST, False)
    assert ask(store, SECOND) == (SECOND, False)
    assert len(caplog.records) == 1
    assert words in caplog.text
    assert 'The URL works, but is not cached' in caplog.text


def write_something(path, content):
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(content)


@pytest.mark.parametrize('content', [b'not a database' * 100, b'SQLite format 3\0' + b'x' * 500])
def test_what_is_no_database_is_set_aside(store, path, caplog, content):
    write_something(path, content)
    assert ask(store, FIRST) == (FIRST, False)
    assert ask(store, SECOND) == (FIRST, True)
    assert path.with_name('urls.sqlite.damaged').read_bytes() == content
    assert len(caplog.records) == 1 and 'moved it to' in caplog.text


def test_a_truncated_file_is_set_aside(store, path, caplog):
    for number in range(200):
        ask(store, FIRST, name=str(number))
    content = path.read_bytes()
    with path.open('r+b') as file:
        # The pages of the table are gone, the first with the schema is there.
        file.truncate(4096 * 2)
    assert ask(store, FIRST)[0] == FIRST
    assert ask(store, SECOND) == (FIRST, True)
    assert len(caplog.records) == 1 and 'moved it to' in caplog.text
    assert len(content) > path.stat().st_size


def test_a_newer_schema_is_left_alone(store, path, caplog):
    ask(store, FIRST)
    with sqlite3.connect(path) as database:
        database.execute(f'PRAGMA user_version = {cache.SCHEMA_VERSION + 1}')
    before = path.read_bytes()
    ask_with_a_warning(store, caplog, 'a newer osc-imgurl created it')
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made(tmp_path, caplog):
    (tmp_path / 'file').touch()
    ask_with_a_warning(SQLiteCache(tmp_path / 'file/osc-imgurl/urls.sqlite'), caplog,
                       'Not a directory')
    # Nobody can write there, not even root.
    ask_with_a_warning(SQLiteCache(pathlib.Path('/proc/osc-imgurl/urls.sqlite')), caplog,
                       'No such file or directory')


@pytest.mark.parametrize('what', ['file', 'folder'])
def test_a_symbolic_link_is_not_followed(store, path, tmp_path, caplog, what):
    target = tmp_path / 'elsewhere'
    if what == 'file':
        path.parent.mkdir(mode=0o700)
        path.symlink_to(target)
    else:
        target.mkdir()
        path.parent.symlink_to(target)
    ask_with_a_warning(store, caplog, 'is a symbolic link')
    assert not target.exists() or not list(target.iterdir())


def test_a_lock_that_becomes_a_symbolic_link_is_not_followed(store, path, tmp_path, caplog,
                                                            monkeypatch):
    # It was looked at just before, so that only here it can be put in between.
    ask(store, FIRST)
    lock, target, opened = path.with_name('urls.sqlite.lock'), tmp_path / 'elsewhere', os.open

    def open_late(file, *arguments, **kwargs):
        if file == lock:
            lock.rename(target)
            lock.symlink_to(target)
        return opened(file, *arguments, **kwargs)

    monkeypatch.setattr(os, 'open', open_late)
    ask_with_a_warning(store, caplog, 'Too many levels of symbolic links')


def test_a_pipe_is_no_file(store, path, caplog):
    path.parent.mkdir(mode=0o700)
    os.mkfifo(path, 0o600)
    ask_with_a_warning(store, caplog, 'is not a file')


def test_a_file_of_another_user(store, caplog, monkeypatch):
    # To give a file to another user takes root, so here it is us who become another.
    ask(store, FIRST)
    monkeypatch.setattr('os.geteuid', lambda: 12345)
    ask_with_a_warning(store, caplog, 'belongs to another user')


def test_locked_by_another_process(store, path, caplog, monkeypatch):
    monkeypatch.setattr(cache, 'LOCK_TIMEOUT', 0.1)
    ask(store, FIRST, name='g')
    other = sqlite3.connect(path, isolation_level=None)
    other.execute('BEGIN EXCLUSIVE')
    ask_with_a_warning(store, caplog, 'database is locked')
    with pytest.raises(CacheFailed, match='database is locked'):
        store.entries()
    other.close()
    assert ask(SQLiteCache(path), SECOND) == (SECOND, False)


def in_a_child(action):
    """Run something in a process of its own, and return its exit status."""
    pid = os.fork()
    if not pid:
        code = 99
        try:
            code = action()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize('size', [0, 5000])
def test_no_space_left(store, path, size):
    """A limit on the size of files is met as a full disk is: a write fails."""
    def action():
        warnings = []
        room.LOG.warning = lambda text, *arguments: warnings.append(text)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        good = (ask(store, FIRST), ask(store, SECOND)) == ((FIRST, False), (SECOND, False))
        return 0 if good and len(warnings) == 1 else 1

    assert in_a_child(action) == 0


def test_killed_writers_leave_a_readable_cache(store, path, caplog):
    generator = random.Random(1)
    for _ in range(200):
        pid = os.fork()
        if not pid:
            for number in range(1_000_000):
                ask(store, FIRST, name=f'{os.getpid()}-{number}')
            os._exit(0)
        time.sleep(generator.uniform(0, 0.02))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert store.entries()
    assert ask(store, FIRST) == (FIRST, False)
    assert ask(store, SECOND) == (FIRST, True)
    with sqlite3.connect(path) as database:
        assert database.execute('PRAGMA integrity_check').fetchone() == ('ok',)
    assert not caplog.records


def together(actions):
    """Run each action in a process of its own; they begin at the same moment."""
    start_reader, start_writer = os.pipe()
    pids = []
    for action in actions:
        pid = os.fork()
        if not pid:
            os.close(start_writer)
            os.read(start_reader, 1)
            action()
            os._exit(0)
        pids.append(pid)
    os.close(start_writer)
    for pid in pids:
        os.waitpid(pid, 0)
    os.close(start_reader)


def test_all_processes_get_the_same_expiry(path, tmp_path):
    """They begin together, before there is a file."""
    def action(number):
        expires, _ = ask(SQLiteCache(path), FIRST + number)
        (tmp_path / str(number)).write_text(str(expires))

    together([lambda number=number: action(number) for number in range(64)])
    assert len({(tmp_path / str(number)).read_text() for number in range(64)}) == 1


def test_no_entry_is_lost_where_many_meet_a_damaged_file(path):
    names = [str(number) for number in range(12)]
    path.parent.mkdir(mode=0o700)
    for _ in range(25):
        path.touch(mode=0o600)
        path.write_bytes(b'not a database' * 100)
        together([lambda name=name: ask(SQLiteCache(path), FIRST, name=name) for name in names])
        assert {each.fingerprint for each in SQLiteCache(path).entries()} == set(
            map(named, names))


@pytest.mark.parametrize('statement', [
    'DROP TABLE entries', 'ALTER TABLE entries DROP COLUMN container',
    'DROP TABLE entries; CREATE VIEW entries AS SELECT 1 AS id',
    'DROP TABLE entries; CREATE TABLE entries (id, expires); INSERT INTO entries VALUES (1, 1)'])
@pytest.mark.parametrize('first', [SQLiteCache.entries, SQLiteCache.info])
def test_a_file_with_other_tables_is_set_aside(store, path, caplog, statement, first):
    ask(store, FIRST)
    with sqlite3.connect(path) as database:
        database.executescript(statement)
    database.close()
    first(store)
    assert ask(store, FIRST) == (FIRST, False)
    assert ask(store, SECOND) == (FIRST, True)
    assert len(caplog.records) == 1 and 'moved it to' in caplog.text


@pytest.mark.parametrize('before', [0, 1])
def test_a_process_that_stops_while_it_begins_a_file_anew(store, path, caplog, monkeypatch,
                                                          before):
    monkeypatch.setattr(cache, 'LOCK_TIMEOUT', 0.1)
    ask(SQLiteCache(path), FIRST)
    for _ in range(before):
        ask(store, FIRST)
    with path.with_name('urls.sqlite.lock').open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ask_with_a_warning(store, caplog, 'another process holds its lock')


def test_a_query_without_end(store, path, caplog, monkeypatch):
    """What hangs in SQLite itself costs no more than any other cache."""
    monkeypatch.setattr('osc_imgurl.cache.base.TIME_LIMIT', 0.1)

    def action():
        ask_with_a_warning(SQLiteCache(path), caplog, 'it does not answer within 0.1 seconds')
        return 0

    ask(store, FIRST)
    with sqlite3.connect(path) as database:
        database.executescript(
            'DROP TABLE entries; CREATE VIEW entries AS WITH RECURSIVE n(id) AS'
            ' (SELECT 0 UNION ALL SELECT id + 1 FROM n) SELECT -1 - id AS id, 0 AS fingerprint,'
            ' 0 AS expires, 0 AS image_id, 0 AS method, 0 AS account, 0 AS container,'
            ' 0 AS key_fingerprint, 0 AS signature_fingerprint FROM n')
    database.close()
    # The query ends with its process.
    assert in_a_child(action) == 0
