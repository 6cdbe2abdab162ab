"""The cache in a file: what it answers, and what it survives."""

import os
import pathlib
import random
import resource
import signal
import sqlite3
import stat
import time

import pytest

from osc_imgurl.cache import entry as cache_entry
from osc_imgurl.cache import sqlite as cache
from osc_imgurl.cache.entry import Entry, fingerprint
from osc_imgurl.cache.sqlite import SQLiteCache
from osc_imgurl.errors import CacheFailed
from osc_imgurl.tempurl.key import Key

NOW = 1_700_000_000


def entry(name='f', expires=NOW + 100, url='http://swift/url'):
    return Entry(fingerprint(name), 'image', 'GET', 'AUTH_x', 'glance', 'key', expires, url)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'osc-imgurl/urls.sqlite'


@pytest.fixture
def store(path):
    return SQLiteCache(path)


def ask(store, url, *, valid_until=NOW, name='f', **kwargs):
    found, cached = store.get_or_create(
        fingerprint(name), valid_until, lambda: entry(name, url=url), **kwargs)
    return found.url, cached


def test_the_first_url_is_kept(store, path):
    assert ask(store, 'first') == ('first', False)
    assert ask(store, 'second') == ('first', True)
    assert ask(SQLiteCache(path), 'third') == ('first', True)
    assert ask(store, 'other', name='g') == ('other', False)
    assert ask(store, 'new', refresh=True) == ('new', False)
    assert ask(store, 'third') == ('new', True)


def test_an_entry_that_expires_too_soon_is_replaced(store):
    ask(store, 'first')
    assert ask(store, 'second', valid_until=NOW + 100) == ('first', True)
    later = entry(expires=NOW + 200, url='second')
    assert store.get_or_create(later.fingerprint, NOW + 101, lambda: later) == (later, False)
    assert store.entries() == [later]


def test_what_has_expired_is_removed(store):
    ask(store, 'first')
    later = entry('g', expires=NOW + 200)
    store.get_or_create(later.fingerprint, NOW + 101, lambda: later)
    assert store.entries() == [later]


def test_entries_delete_info(store, path):
    first, second = (fingerprint(name) for name in 'fg')
    assert (store.entries(), store.delete([first]), store.info().entries) == ([], 0, 0)
    assert not path.exists()
    ask(store, 'first')
    ask(store, 'other', name='g')
    assert {each.url for each in store.entries()} == {'first', 'other'}
    info = store.info()
    assert (info.backend, info.path, info.entries) == ('sqlite', str(path), 2)
    assert info.size == path.stat().st_size
    assert store.delete([first, fingerprint('nothing')]) == 1
    assert [each.fingerprint for each in store.entries()] == [second]


def test_file_and_folder_are_their_owners_only(store, path, caplog):
    ask(store, 'first')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not caplog.records
    path.chmod(0o644)
    path.parent.chmod(0o755)
    assert ask(store, 'second') == ('first', True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [record.args[0] for record in caplog.records] == [path.parent, path]


def test_fingerprints():
    assert fingerprint('a', None, 1) == fingerprint('a', None, 1)
    assert fingerprint('a', 'b') != fingerprint('ab')
    name = Key(b'a key').fingerprint
    assert len(name) == 12 and name != Key(b'a key ').fingerprint


def test_a_url_is_in_no_repr():
    assert 'http' not in repr(entry())


def ask_with_a_warning(store, caplog, words):
    """The URL is good, nothing is kept, and one line says why, however often it is asked."""
    caplog.clear()
    assert ask(store, 'good') == ('good', False)
    assert ask(store, 'also good') == ('also good', False)
    assert len(caplog.records) == 1
    assert words in caplog.text
    assert 'The URL is good all the same' in caplog.text


def write_something(path, content):
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(content)


@pytest.mark.parametrize('content', [b'not a database' * 100, b'SQLite format 3\0' + b'x' * 500])
def test_what_is_no_database_is_set_aside(store, path, caplog, content):
    write_something(path, content)
    assert ask(store, 'first') == ('first', False)
    assert ask(store, 'second') == ('first', True)
    assert path.with_name('urls.sqlite.damaged').read_bytes() == content
    assert len(caplog.records) == 1 and 'it is set aside' in caplog.text


def test_a_truncated_file_is_set_aside(store, path, caplog):
    for number in range(200):
        ask(store, 'x' * 500, name=str(number))
    content = path.read_bytes()
    with path.open('r+b') as file:
        # The pages of the table are gone, the first with the schema is there.
        file.truncate(4096 * 2)
    assert ask(store, 'first')[0] == 'first'
    assert ask(store, 'second') == ('first', True)
    assert len(caplog.records) == 1 and 'it is set aside' in caplog.text
    assert len(content) > path.stat().st_size


def test_a_newer_schema_is_left_alone(store, path, caplog):
    ask(store, 'first')
    with sqlite3.connect(path) as database:
        database.execute(f'PRAGMA user_version = {cache.SCHEMA_VERSION + 1}')
    before = path.read_bytes()
    ask_with_a_warning(store, caplog, 'a newer osc-imgurl has made it')
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


def test_a_pipe_is_no_file(store, path, caplog):
    path.parent.mkdir(mode=0o700)
    os.mkfifo(path, 0o600)
    ask_with_a_warning(store, caplog, 'is not a file')


def test_a_file_of_another_user(store, caplog, monkeypatch):
    # To give a file to another user takes root, so here it is us who become another.
    ask(store, 'first')
    monkeypatch.setattr('os.geteuid', lambda: 12345)
    ask_with_a_warning(store, caplog, 'belongs to another user')


def test_locked_by_another_process(store, path, caplog, monkeypatch):
    monkeypatch.setattr(cache, 'LOCK_TIMEOUT', 0.1)
    ask(store, 'first', name='g')
    other = sqlite3.connect(path, isolation_level=None)
    other.execute('BEGIN EXCLUSIVE')
    ask_with_a_warning(store, caplog, 'database is locked')
    with pytest.raises(CacheFailed, match='database is locked'):
        store.entries()
    other.close()
    assert ask(store, 'second') == ('second', False)


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
        cache_entry.LOG.warning = lambda text, *arguments: warnings.append(text)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        good = ask(store, 'good') == ('good', False) and ask(store, 'more') == ('more', False)
        return 0 if good and len(warnings) == 1 else 1

    assert in_a_child(action) == 0


def test_killed_writers_leave_a_readable_cache(store, path, caplog):
    generator = random.Random(1)  # noqa: S311
    for _ in range(200):
        pid = os.fork()
        if not pid:
            for number in range(1_000_000):
                ask(store, 'x' * 300, name=f'{os.getpid()}-{number}')
            os._exit(0)
        time.sleep(generator.uniform(0, 0.02))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert store.entries()
    assert ask(store, 'first') == ('first', False)
    assert ask(store, 'second') == ('first', True)
    with sqlite3.connect(path) as database:
        assert database.execute('PRAGMA integrity_check').fetchone() == ('ok',)
    assert not caplog.records


def test_all_processes_get_the_same_url(path, tmp_path):
    """They begin together, before there is a file."""
    start_reader, start_writer = os.pipe()
    pids = []
    for number in range(64):
        pid = os.fork()
        if not pid:
            os.close(start_writer)
            os.read(start_reader, 1)
            url, _ = ask(SQLiteCache(path), f'url {number}')
            (tmp_path / str(number)).write_text(url)
            os._exit(0)
        pids.append(pid)
    os.close(start_writer)
    for pid in pids:
        os.waitpid(pid, 0)
    os.close(start_reader)
    assert len({(tmp_path / str(number)).read_text() for number in range(64)}) == 1
