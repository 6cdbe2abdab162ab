"""The caches, as the command uses them: a file, Redis and memcached. No cloud is needed."""

import contextlib
import json
import os
import pickle
import signal
import socket
import sqlite3
import subprocess
import time
import uuid

import pymemcache.client.base
import pytest
import redis

from osc_imgurl import parse, verify
from osc_imgurl.cache.base import Entry
from osc_imgurl.cache.shared import SharedCache
from osc_imgurl.errors import CacheFailed, InvalidParameterValue
from osc_imgurl.tempurl.signing import Key

from ..conftest import require
from . import commands
from .silent import silent_server

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
KEY = 'the signing key'
COMMAND = ['--os-auth-type', 'none', 'image', 'temp', 'url']
TOLD = ['create', IMAGE_ID, '--endpoint-url', 'http://127.0.0.1:1', '--account', 'AUTH_x',
        '--key-file', 'key', '-f', 'value', '-c', 'url', '-c', 'cached']


@pytest.fixture
def home(tmp_path):
    (tmp_path / 'key').write_text(KEY)
    (tmp_path / 'key').chmod(0o600)
    return tmp_path


def start(home, *arguments, host='', **env):
    (home / host).mkdir(exist_ok=True)
    return commands.start([*COMMAND, *arguments], cwd=home,
                          env={**commands.ENVIRONMENT, 'HOME': str(home / host), **env})


def run(home, *arguments, **env):
    done = commands.run([*COMMAND, *arguments], cwd=home,
                        env={**commands.ENVIRONMENT, 'HOME': str(home), **env})
    assert KEY not in done.stdout + done.stderr
    return done.stdout.split(), done.stderr, done.returncode


def create(home, *options, **env):
    (url, cached), stderr, code = run(home, *TOLD, *options, **env)
    assert (stderr, code) == ('', 0)
    return url, cached == 'True'


def later(url, *options, home, **env):
    """Create until the moment of signing is another one than the URL's."""
    while True:
        other, cached = create(home, *options, **env)
        if other != url:
            return other, cached
        time.sleep(0.2)


def test_the_cache_is_off_unless_asked_for(home):
    url, cached = create(home)
    assert not cached
    assert later(url, home=home)[1] is False
    assert not (home / '.cache/osc-imgurl').exists()


def test_the_same_question_gets_the_same_url(home):
    url, cached = create(home, '--cache')
    assert not cached
    later(url, home=home)
    assert create(home, '--cache') == (url, True)
    assert create(home, OSC_IMGURL_CACHE_ENABLED='true') == (url, True)
    assert create(home, '--no-cache', OSC_IMGURL_CACHE_ENABLED='true') != (url, True)
    for other in (['--duration', '2h'], ['--account', 'AUTH_y'], ['--method', 'HEAD'],
                  ['--digest', 'sha1'], ['--container', 'c'], ['--ip-range', '127.0.0.1'],
                  ['--filename', 'a'], ['--inline'], ['--iso8601'], ['--object-prefix', IMAGE_ID],
                  ['--endpoint-url', 'http://127.0.0.1:2']):
        assert create(home, '--cache', *other)[1] is False
    (home / 'key').write_text('another key')
    assert create(home, '--cache')[1] is False
    (home / 'key').write_text(KEY)
    refreshed, cached = create(home, '--cache', '--refresh')
    assert not cached and refreshed != url
    assert create(home, '--cache') == (refreshed, True)


def test_a_url_that_would_expire_too_soon_is_signed_anew(home):
    url, _ = create(home, '--cache', '--duration', '60')
    delay = ['--expected-download-start-delay', '60']
    while (made := create(home, '--cache', '--duration', '60', *delay))[0] == url:
        time.sleep(0.2)
    assert made[1] is False


def test_the_cache_holds_neither_key_nor_url_nor_signature(home):
    url, _ = create(home, '--cache')
    folder = home / '.cache/osc-imgurl'
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        for secret in (KEY, 'temp_url', parse(url).signature):
            assert secret.encode() not in file.read_bytes()


def plant(home, **values):
    """Write into the one entry of the cache as an untrusted user could."""
    with contextlib.closing(sqlite3.connect(home / '.cache/osc-imgurl/urls.sqlite')) as database:
        for name, value in values.items():
            with database:
                database.execute(f'UPDATE entries SET {name} = ?', [value])  # noqa: S608


DAY = 86_400


@pytest.mark.parametrize('ahead', [1200 + 300, 400 * DAY, -1, 10**9, 10**15])
def test_an_expiry_that_could_not_have_been_chosen_is_replaced(home, ahead):
    create(home, '--cache')
    plant(home, expires=int(time.time()) + ahead)
    before = int(time.time())
    url, cached = create(home, '--cache')
    assert not cached and before + 1200 <= parse(url).expires <= time.time() + 1200
    assert create(home, '--cache') == (url, True)


def test_an_expiry_that_could_have_been_chosen_is_signed(home):
    """Whoever can write to the cache chooses among the expiries that were possible, no more."""
    url, _ = create(home, '--cache')
    expires = parse(url).expires - 100
    plant(home, expires=expires, signature_fingerprint='x')
    other, cached = create(home, '--cache')
    assert cached and parse(other).expires == expires
    assert verify(parse(other), Key(KEY.encode()), time.time()).valid
    assert other.partition('?')[0] == url.partition('?')[0]


def test_an_expiry_that_is_not_aligned_is_replaced(home):
    align = ['--cache', '--align', '365d']
    url, _ = create(home, *align)
    plant(home, expires=parse(url).expires - 60)
    assert create(home, *align) == (url, False)
    plant(home, expires=parse(url).expires + 365 * DAY)
    assert create(home, *align) == (url, False)


def test_a_given_expiry_is_the_only_one(home):
    given = ['--cache', '--expires-at', '2040-01-01T00:00:00Z']
    url, _ = create(home, *given)
    plant(home, expires=parse(url).expires - 60)
    assert create(home, *given) == (url, False)
    assert create(home, *given) == (url, True)


def test_what_stands_beside_the_expiry_is_not_printed(home):
    url, _ = create(home, '--cache')
    plant(home, image_id=str(uuid.uuid4()), account='AUTH_other', container='theirs',
          method='PUT', key_fingerprint='0' * 12)
    other, cached = create(home, '--cache')
    assert not cached and 'attacker' not in other
    assert other.partition('?')[0] == url.partition('?')[0]
    rows, _, _ = run(home, 'cache', 'list', '-f', 'value', '-c', 'account', '-c', 'image_id')
    assert rows == [IMAGE_ID, 'AUTH_x']


def test_a_broken_cache_costs_a_warning(home):
    folder = home / '.cache/osc-imgurl'
    folder.mkdir(parents=True, mode=0o700)
    (folder / 'urls.sqlite').mkdir()
    (url, cached), stderr, code = run(home, *TOLD, '--cache')
    assert (url.startswith('http://127.0.0.1:1/v1/AUTH_x/glance/'), cached, code) == (
        True, 'False', 0)
    assert len(stderr.splitlines()) == 1 and 'The URL works, but is not cached' in stderr


def test_many_processes_print_the_same_url(home, stress):
    processes = [start(home, *TOLD, '--cache') for _ in range(64 if stress else 8)]
    answers = [process.communicate() for process in processes]
    assert {stderr for _, stderr in answers} == {''}
    assert len({stdout.split()[0] for stdout, _ in answers}) == 1
    assert sorted(stdout.split()[1] for stdout, _ in answers).count('False') == 1


def test_processes_meet_a_damaged_file(home, stress):
    folder = home / '.cache/osc-imgurl'
    folder.mkdir(parents=True, mode=0o700)
    images = sorted(str(uuid.uuid4()) for _ in range(12 if stress else 4))
    (folder / 'urls.sqlite').touch(mode=0o600)
    (folder / 'urls.sqlite').write_bytes(b'not a database' * 100)
    processes = [start(home, *[image if word == IMAGE_ID else word for word in TOLD], '--cache')
                 for image in images]
    answers = [process.communicate() for process in processes]
    warnings = ''.join(stderr for _, stderr in answers).splitlines()
    assert len(warnings) == 1 and 'is damaged' in warnings[0] and 'moved it to' in warnings[0]
    assert all(stdout.startswith('http') for stdout, _ in answers)
    kept, _, _ = run(home, 'cache', 'list', '-f', 'value', '-c', 'image_id')
    assert sorted(kept) == images


def test_cache_commands(home):
    url, _ = create(home, '--cache')
    other = IMAGE_ID.replace('3', '4')
    run(home, *[other if word == IMAGE_ID else word for word in TOLD], '--cache')
    rows, _, _ = run(home, 'cache', 'list', '-f', 'value', '-c', 'image_id', '-c', 'method',
                     '-c', 'account', '-c', 'container')
    assert sorted(rows) == sorted([IMAGE_ID, other, *['GET', 'AUTH_x', 'glance'] * 2])
    for options in ([], ['--long']):
        table, _, _ = run(home, 'cache', 'list', *options)
        assert 'temp_url_sig' not in ' '.join(table) and 'http' not in ' '.join(table)
    keys, _, _ = run(home, 'cache', 'list', '--long', '-f', 'value', '-c', 'key_fingerprint')
    assert keys == [Key(KEY.encode()).fingerprint] * 2
    # What the list does not show is printed again.
    assert create(home, '--cache') == (url, True)
    shown, _, _ = run(home, 'cache', 'show', '-f', 'value')
    path = home / '.cache/osc-imgurl/urls.sqlite'
    assert shown == [str(path), str(path.stat().st_size), '2', 'sqlite']
    assert run(home, 'cache', 'delete', '--expired')[2] == 0
    assert run(home, 'cache', 'delete', 'nobody', IMAGE_ID, 'no\nbody') == (
        [], 'The cache has no URL for nobody. Give the ID, as cache list shows it.\n'
            'The cache has no URL for no\\nbody. Give the ID, as cache list shows it.\n', 1)
    assert run(home, 'cache', 'list', '-f', 'value', '-c', 'image_id')[0] == [other]
    assert run(home, 'cache', 'delete', '--all')[1:] == ('', 0)
    assert run(home, 'cache', 'list', '-f', 'value')[0] == []
    _, stderr, code = run(home, 'cache', 'delete')
    assert code == 1 and 'Say what to delete' in stderr


def test_align_needs_no_shared_state(home):
    """Two hosts sign the same URL within the window, and it lives at least the duration."""
    window = 3600
    while True:
        before = time.time()
        urls = {create(home, '--align', '1h', '--duration', '10m', host=host)[0]
                for host in ('a', 'b')}
        after = time.time()
        if before // window == after // window:
            break
    url, = urls
    expires = int(url.rpartition('=')[2])
    assert (expires - 600) % window == 0
    assert after + 600 <= expires <= before + 600 + window


@pytest.fixture
def server(request, tmp_path):
    """Start a cache server on a free port of the loopback interface."""
    program, arguments = request.param
    require(program)
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, *(word.format(port=port) for word in arguments)], cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        with socket.socket() as client:
            if client.connect_ex(('127.0.0.1', port)) == 0:
                break
        assert process.poll() is None
        time.sleep(0.05)
    yield process, port
    # A test may have stopped it.
    process.kill()
    process.wait()


REDIS = ('redis-server', ['--port', '{port}', '--bind', '127.0.0.1', '--save', ''])
MEMCACHED = ('memcached', ['-p', '{port}', '-l', '127.0.0.1', '-U', '0', '-u', 'nobody'])


@pytest.mark.extra
@pytest.mark.parametrize(('server', 'backend', 'arguments'), [
    (REDIS, 'dogpile.cache.redis', 'host=127.0.0.1,port={}'),
    (REDIS, 'dogpile.cache.redis', 'url=redis://127.0.0.1:{}/0'),
    (REDIS, 'dogpile.cache.valkey', 'host=127.0.0.1,port={}'),
    (MEMCACHED, 'dogpile.cache.pymemcache', 'url=127.0.0.1:{}'),
], indirect=['server'], ids=['redis', 'redis url', 'valkey', 'memcached'])
def test_many_hosts_share_a_cache(home, server, backend, arguments):
    process, port = server
    env = {'OSC_IMGURL_CACHE_ENABLED': 'true',
           'OSC_IMGURL_CACHE_BACKEND': backend,
           'OSC_IMGURL_CACHE_ARGUMENTS': arguments.format(port)}
    hosts = [start(home, *TOLD, host=host, **env) for host in 'abc']
    answers = [host.communicate() for host in hosts]
    assert {stderr for _, stderr in answers} == {''}
    url, = {stdout.split()[0] for stdout, _ in answers}
    assert [stdout.split()[1] for stdout, _ in answers].count('False') == 1
    later(url, '--no-cache', home=home)
    assert create(home, **env) == (url, True)
    assert create(home, '--refresh', **env)[1] is False
    shown, _, _ = run(home, 'cache', 'show', '-f', 'value', **env)
    assert shown == [backend]
    _, stderr, code = run(home, 'cache', 'list', **env)
    assert code == 1 and 'cannot list its entries' in stderr
    # A server that hangs or is gone costs a warning and not the URL.
    for number, reason in ((signal.SIGSTOP, 'it does not answer within 5 seconds'),
                           (signal.SIGKILL, 'onnection refused')):
        process.send_signal(number)
        if number == signal.SIGKILL:
            process.wait()
        (_, cached), stderr, code = run(home, *TOLD, **env)
        assert (cached, code) == ('False', 0)
        assert len(stderr.splitlines()) == 1 and reason in stderr
        assert 'The URL works, but is not cached' in stderr
        _, stderr, code = run(home, 'cache', 'delete', '--all', **env)
        assert code == 1 and len(stderr.splitlines()) == 1


def redis_of(server):
    return redis.StrictRedis(port=server[1])


def in_redis(server):
    return {'OSC_IMGURL_CACHE_ENABLED': 'true',
            'OSC_IMGURL_CACHE_BACKEND': 'dogpile.cache.redis',
            'OSC_IMGURL_CACHE_ARGUMENTS': f'port={server[1]},host=127.0.0.1'}


@pytest.mark.extra
@pytest.mark.parametrize('server', [REDIS], indirect=True)
def test_what_a_shared_cache_holds(home, server):
    client = redis_of(server)
    url, _ = create(home, '--duration', '100', **in_redis(server))
    name, = client.keys('*')
    value = client.get(name)
    for secret in (KEY, 'temp_url', parse(url).signature):
        assert secret.encode() not in value
    assert str(parse(url).expires).encode() in value
    assert 0 < client.ttl(name) <= 100


@pytest.mark.extra
@pytest.mark.parametrize('server', [REDIS], indirect=True)
def test_what_an_untrusted_user_writes_to_a_shared_cache(home, server):
    client = redis_of(server)
    create(home, **in_redis(server))
    name, = client.keys('*')
    value = json.loads(client.get(name))
    # A host whose clock was wrong by 400 days.
    client.set(name, json.dumps([value[0], value[1] + 400 * DAY, *value[2:]]))
    other, cached = create(home, **in_redis(server))
    assert not cached and parse(other).expires <= time.time() + 1200
    assert create(home, **in_redis(server)) == (other, True)
    # What the release before wrote: a URL.
    client.set(name, json.dumps([*value[:1], IMAGE_ID, 'GET', 'AUTH_x', 'glance', value[6],
                                 value[1], 'http://attacker.example.com/']))
    other, cached = create(home, **in_redis(server))
    assert not cached and other.startswith('http://127.0.0.1:1/v1/AUTH_x/glance/')
    client.delete(name)
    client.rpush(name, 'a list')
    other, cached = create(home, **in_redis(server))
    assert not cached
    assert create(home, **in_redis(server)) == (other, True)


def remembered(expires=2_000_000_000):
    return Entry('f' * 64, expires, IMAGE_ID, 'GET', None, 'glance', 'key', 'signature')


def ask(cache, expires):
    return cache.get_or_create(remembered(expires), lambda found: found > 100, 0)


ARRAY = ['f' * 64, 2_000_000_000, IMAGE_ID, 'GET', None, 'glance', 'key', 'signature']


@pytest.mark.extra
@pytest.mark.parametrize(('server', 'backend', 'arguments'), [
    (REDIS, 'dogpile.cache.redis', '{{"host": "127.0.0.1", "port": {}}}'),
    (REDIS, 'dogpile.cache.valkey', '{{"host": "127.0.0.1", "port": {}}}'),
    (MEMCACHED, 'dogpile.cache.pymemcache', '{{"url": "127.0.0.1:{}"}}'),
], indirect=['server'], ids=['redis', 'valkey', 'memcached'])
def test_what_is_no_entry_is_replaced(server, backend, arguments, caplog):
    cache = SharedCache(backend, json.loads(arguments.format(server[1])), 1200)
    raw = cache._region.actual_backend

    def plant(value):
        raw.set_serialized(f'osc-imgurl:{"f" * 64}', value)

    plant(json.dumps(ARRAY).encode())
    assert ask(cache, 1_000) == (2_000_000_000, True)
    junk = [b'', b'\xff\x00\x80', b'{}', b'null', b'7', b'"12345678"', b'[]', b'[' * 200_000,
            b'9' * 5000, b'[1e999]', json.dumps(ARRAY).encode()[:-1],
            json.dumps({'expires': 2_000_000_000}).encode()]
    expiries = ['2000000000', 2_000_000_000.0, True, None, -1, 10**30, [], 50, float('nan')]
    junk += [json.dumps([ARRAY[0], expires, *ARRAY[2:]]).encode() for expires in expiries]
    junk += [json.dumps([*ARRAY[:at], {'a': 1}, *ARRAY[at + 1:]]).encode() for at in range(8)]
    for number, value in enumerate(junk):
        plant(value)
        assert ask(cache, 1_000 + number) == (1_000 + number, False), value
        assert ask(cache, 1_999) == (1_000 + number, True), value
    assert not caplog.records


@pytest.mark.extra
@pytest.mark.parametrize('server', [MEMCACHED], indirect=True)
def test_what_is_read_from_memcached_runs_nothing(home, server):
    """Other users of pymemcache keep pickles there, which run what they hold when they are read."""
    env = {'OSC_IMGURL_CACHE_ENABLED': 'true',
           'OSC_IMGURL_CACHE_BACKEND': 'dogpile.cache.pymemcache',
           'OSC_IMGURL_CACHE_ARGUMENTS': f'url=127.0.0.1:{server[1]}'}
    create(home, **env)
    client = pymemcache.client.base.Client(('127.0.0.1', server[1]))
    dumped = client.raw_command(b'lru_crawler metadump all', b'END\r\n').decode()
    name = next(line.split()[0].removeprefix('key=').replace('%3A', ':')
                for line in dumped.splitlines() if 'osc-imgurl' in line)

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(home / 'run'),)

    assert client.set(name, pickle.dumps(Evil()), flags=1)
    client.close()
    url, cached = create(home, **env)
    assert not cached and not (home / 'run').exists()
    assert create(home, **env) == (url, True)


@pytest.mark.parametrize('backend', ['memcached', 'pylibmc', 'bmemcached'])
def test_a_backend_whose_client_runs_what_it_reads_is_refused(backend):
    with pytest.raises(InvalidParameterValue, match=r'Use one of .*dogpile\.cache\.pymemcache'):
        SharedCache(f'dogpile.cache.{backend}', {'url': '127.0.0.1:1'}, 1200)


@pytest.mark.extra
@pytest.mark.parametrize('server', [MEMCACHED], indirect=True)
@pytest.mark.parametrize('duration', ['31d', '20000d'])
def test_memcached_keeps_what_lives_long(home, server, duration):
    """It takes an expiry of more than 30 days for a date, and reads it in 32 bits."""
    env = {'OSC_IMGURL_CACHE_BACKEND': 'dogpile.cache.pymemcache',
           'OSC_IMGURL_CACHE_ARGUMENTS': f'url=127.0.0.1:{server[1]}'}
    url, _ = create(home, '--cache', '--duration', duration, **env)
    assert create(home, '--cache', '--duration', duration, **env) == (url, True)


@pytest.mark.parametrize(('backend', 'arguments'), [
    ('redis', '{{"host": "127.0.0.1", "port": {}}}'),
    ('redis', '{{"url": "redis://:secret@127.0.0.1:{}"}}'),
    ('redis_sentinel', '{{"sentinels": [["127.0.0.1", {}]]}}'),
    ('redis_cluster', '{{"url": "redis://127.0.0.1:{}"}}'),
    ('valkey', '{{"host": "127.0.0.1", "port": {}}}'),
    ('pymemcache', '{{"url": "127.0.0.1:{}"}}')])
def test_a_server_that_says_nothing_is_asked_once(backend, arguments, caplog, monkeypatch):
    monkeypatch.setattr('osc_imgurl.cache.base.TIME_LIMIT', 0.5)
    with silent_server() as (port, accepted):
        cache = SharedCache(f'dogpile.cache.{backend}', json.loads(arguments.format(port)), 1200)
        for number in range(50):
            assert ask(cache, 1_000 + number) == (1_000 + number, False)
        with pytest.raises(CacheFailed, match='it does not answer within'):
            cache.delete(['f' * 64])
        assert len(accepted) == 1
    assert len(caplog.records) == 1
    assert 'The URL works, but is not cached' in caplog.text and 'secret' not in caplog.text


@pytest.mark.extra
@pytest.mark.parametrize('server', [REDIS], indirect=True)
def test_a_lock_that_is_never_released(server, caplog):
    client = redis_of(server)
    cache = SharedCache('dogpile.cache.redis', {'host': '127.0.0.1', 'port': server[1]}, 1200)
    # A process that dies while it holds the lock is forgotten after a while.
    client.set(f'_lockosc-imgurl:{"f" * 64}', 'x', px=1000)
    assert ask(cache, 1_000) == (1_000, False)
    assert ask(cache, 1_001) == (1_000, True)
    assert not caplog.records
    client.delete(f'osc-imgurl:{"f" * 64}')
    client.set(f'_lockosc-imgurl:{"f" * 64}', 'x')
    assert ask(cache, 1_002) == (1_002, False)
    assert len(caplog.records) == 1 and 'another process holds its lock' in caplog.text


PASSWORD = 'password-of-the-cache'
PROTECTED = ('redis-server', [*REDIS[1], '--requirepass', PASSWORD, '--user', 'worker', 'on',
                              f'>{PASSWORD}', '~*', '&*', '+@all'])


@pytest.mark.extra
@pytest.mark.parametrize('server', [PROTECTED], indirect=True)
@pytest.mark.parametrize('arguments', [
    'host=127.0.0.1,port={}', 'url=redis://127.0.0.1:{}/0',
    'host=127.0.0.1,port={},username=worker', 'url=redis://worker@127.0.0.1:{}'])
def test_the_password_of_a_shared_cache(home, server, arguments):
    password = home / 'password'
    password.write_text(PASSWORD + '\n')
    password.chmod(0o600)
    env = {'OSC_IMGURL_CACHE_ENABLED': 'true',
           'OSC_IMGURL_CACHE_BACKEND': 'dogpile.cache.redis',
           'OSC_IMGURL_CACHE_ARGUMENTS': arguments.format(server[1]),
           'OSC_IMGURL_CACHE_PASSWORD_FILE': str(password)}
    url, cached = create(home, **env)
    assert not cached and create(home, **env) == (url, True)
    for debug in ([], ['--debug']):
        stdout, stderr, code = run(home, *TOLD, *debug, **env)
        assert (stdout, code) == ([url, 'True'], 0) and PASSWORD not in stderr
    rows, stderr, code = run(home, '--debug', 'settings', 'list', '-f', 'json', **env)
    assert code == 0 and PASSWORD not in stderr + ' '.join(rows)
    assert '"***"' in ' '.join(rows).partition('"cache_password",')[2][:40]
    password.write_text('not ' + PASSWORD)
    for debug in ([], ['--debug']):
        (_, cached), stderr, code = run(home, *TOLD, *debug, **env)
        assert (cached, code) == ('False', 0)
        assert 'The URL works, but is not cached' in stderr and PASSWORD not in stderr


@pytest.mark.parametrize('arguments', [
    f'host=127.0.0.1,password={PASSWORD}', f'url=redis://:{PASSWORD}@127.0.0.1'])
def test_a_password_is_refused_where_it_would_be_printed(home, arguments):
    _, stderr, code = run(home, *TOLD, OSC_IMGURL_CACHE_ARGUMENTS=arguments)
    assert code == 1 and len(stderr.splitlines()) == 1 and PASSWORD not in stderr
    assert 'OpenStackClient prints' in stderr and 'cache_password_file' in stderr


def test_a_backend_that_is_none(home):
    _, stderr, code = run(home, *TOLD, OSC_IMGURL_CACHE_ENABLED='true',
                          OSC_IMGURL_CACHE_BACKEND='dogpile.cache.nothing')
    assert code == 1
    assert 'The cache backend dogpile.cache.nothing cannot be used' in stderr
