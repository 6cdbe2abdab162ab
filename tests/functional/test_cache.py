"""The caches, as the command uses them: a file, Redis and memcached. No cloud is needed."""

import shutil
import signal
import socket
import subprocess
import time

import pytest

from . import forked
from .conftest import OPENSTACK

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
KEY = 'the signing key'
COMMAND = [OPENSTACK, '--os-auth-type', 'none', 'image', 'temp', 'url']
TOLD = ['create', IMAGE_ID, '--endpoint-url', 'http://127.0.0.1:1', '--account', 'AUTH_x',
        '--key-file', 'key', '-f', 'value', '-c', 'url', '-c', 'cached']


@pytest.fixture
def home(tmp_path):
    (tmp_path / 'key').write_text(KEY)
    (tmp_path / 'key').chmod(0o600)
    return tmp_path


def start(home, *arguments, host='', **env):
    (home / host).mkdir(exist_ok=True)
    return forked.start([*COMMAND, *arguments], cwd=home,
                        env={**forked.ENVIRONMENT, 'HOME': str(home / host), **env})


def run(home, *arguments, **env):
    process = start(home, *arguments, **env)
    stdout, stderr = process.communicate()
    assert KEY not in stdout + stderr
    return stdout.split(), stderr, process.returncode


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
    assert create(home, OS_IMAGE_TEMP_URL_CACHE_ENABLED='true') == (url, True)
    assert create(home, '--no-cache', OS_IMAGE_TEMP_URL_CACHE_ENABLED='true') != (url, True)
    for other in (['--duration', '2h'], ['--account', 'AUTH_y'], ['--method', 'HEAD'],
                  ['--digest', 'sha1'], ['--container', 'c'], ['--ip-range', '127.0.0.1'],
                  ['--filename', 'a'], ['--inline'], ['--iso8601'], ['--prefix', '3a'],
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


def test_neither_key_nor_url_is_to_be_read_by_others(home):
    create(home, '--cache')
    folder = home / '.cache/osc-imgurl'
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        assert KEY.encode() not in file.read_bytes()


def test_a_broken_cache_costs_a_warning(home):
    folder = home / '.cache/osc-imgurl'
    folder.mkdir(parents=True, mode=0o700)
    (folder / 'urls.sqlite').mkdir()
    (url, cached), stderr, code = run(home, *TOLD, '--cache')
    assert (url.startswith('http://127.0.0.1:1/v1/AUTH_x/glance/'), cached, code) == (
        True, 'False', 0)
    assert len(stderr.splitlines()) == 1 and 'The URL is good all the same' in stderr


def test_64_processes_print_the_same_url(home):
    processes = [start(home, *TOLD, '--cache') for _ in range(64)]
    answers = [process.communicate() for process in processes]
    assert {stderr for _, stderr in answers} == {''}
    assert len({stdout.split()[0] for stdout, _ in answers}) == 1
    assert sorted(stdout.split()[1] for stdout, _ in answers).count('False') == 1


def test_cache_commands(home):
    url, _ = create(home, '--cache')
    other = IMAGE_ID.replace('3', '4')
    run(home, *[other if word == IMAGE_ID else word for word in TOLD], '--cache')
    rows, _, _ = run(home, 'cache', 'list', '-f', 'value', '-c', 'image_id', '-c', 'method',
                     '-c', 'account', '-c', 'container')
    assert sorted(rows) == sorted([IMAGE_ID, other, *['GET', 'AUTH_x', 'glance'] * 2])
    table, _, _ = run(home, 'cache', 'list')
    assert 'temp_url_sig' not in ' '.join(table)
    urls, _, _ = run(home, 'cache', 'list', '--long', '-f', 'value', '-c', 'url')
    assert url in urls
    shown, _, _ = run(home, 'cache', 'show', '-f', 'value')
    path = home / '.cache/osc-imgurl/urls.sqlite'
    assert shown == [str(path), str(path.stat().st_size), '2', 'sqlite']
    assert run(home, 'cache', 'delete', '--expired')[2] == 0
    _, stderr, code = run(home, 'cache', 'delete', IMAGE_ID, 'nobody')
    assert code == 1 and 'no URL for: nobody. Nothing is deleted' in stderr
    assert run(home, 'cache', 'delete', IMAGE_ID)[1:] == ('', 0)
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
    if not shutil.which(program):
        pytest.skip(f'{program} is not installed (Debian: redis-server, memcached)')
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
    process.terminate()
    process.wait()


REDIS = ('redis-server', ['--port', '{port}', '--bind', '127.0.0.1', '--save', ''])
MEMCACHED = ('memcached', ['-p', '{port}', '-l', '127.0.0.1', '-U', '0', '-u', 'nobody'])


@pytest.mark.parametrize(('server', 'backend', 'arguments'), [
    (REDIS, 'dogpile.cache.redis', 'host=127.0.0.1,port={}'),
    (REDIS, 'dogpile.cache.redis', 'url=redis://127.0.0.1:{}/0'),
    (MEMCACHED, 'dogpile.cache.pymemcache', 'url=127.0.0.1:{}'),
], indirect=['server'], ids=['redis', 'redis url', 'memcached'])
def test_many_hosts_share_a_cache(home, server, backend, arguments):
    process, port = server
    env = {'OS_IMAGE_TEMP_URL_CACHE_ENABLED': 'true',
           'OS_IMAGE_TEMP_URL_CACHE_BACKEND': backend,
           'OS_IMAGE_TEMP_URL_CACHE_ARGUMENTS': arguments.format(port)}
    hosts = [start(home, *TOLD, host=host, **env) for host in 'abcdefgh']
    answers = [host.communicate() for host in hosts]
    assert {stderr for _, stderr in answers} == {''}
    url, = {stdout.split()[0] for stdout, _ in answers}
    assert [stdout.split()[1] for stdout, _ in answers].count('False') == 1
    later(url, '--no-cache', home=home)
    assert create(home, **env) == (url, True)
    assert create(home, '--refresh', **env)[1] is False
    shown, _, _ = run(home, 'cache', 'show', '-f', 'value', **env)
    assert shown == ['None', 'None', 'None', backend]
    _, stderr, code = run(home, 'cache', 'list', **env)
    assert code == 1 and 'cannot list what it holds' in stderr
    # A dead server costs a warning and not the URL.
    process.send_signal(signal.SIGKILL)
    process.wait()
    (_, cached), stderr, code = run(home, *TOLD, **env)
    assert (cached, code) == ('False', 0)
    assert len(stderr.splitlines()) == 1 and 'The URL is good all the same' in stderr


@pytest.mark.parametrize('server', [REDIS], indirect=True)
def test_what_a_shared_cache_holds(home, server):
    redis = pytest.importorskip('redis')
    client = redis.StrictRedis(port=server[1])
    url, _ = create(home, '--duration', '100', OS_IMAGE_TEMP_URL_CACHE_ENABLED='true',
                    OS_IMAGE_TEMP_URL_CACHE_BACKEND='dogpile.cache.redis',
                    OS_IMAGE_TEMP_URL_CACHE_ARGUMENTS=f'port={server[1]},host=127.0.0.1')
    name, = client.keys('*')
    value = client.get(name)
    assert url.encode() in value and KEY.encode() not in value
    assert 0 < client.ttl(name) <= 100


PASSWORD = 'password-of-the-cache'
PROTECTED = ('redis-server', [*REDIS[1], '--requirepass', PASSWORD, '--user', 'worker', 'on',
                              f'>{PASSWORD}', '~*', '&*', '+@all'])


@pytest.mark.parametrize('server', [PROTECTED], indirect=True)
@pytest.mark.parametrize('arguments', [
    'host=127.0.0.1,port={}', 'url=redis://127.0.0.1:{}/0',
    'host=127.0.0.1,port={},username=worker', 'url=redis://worker@127.0.0.1:{}'])
def test_the_password_of_a_shared_cache(home, server, arguments):
    password = home / 'password'
    password.write_text(PASSWORD + '\n')
    password.chmod(0o600)
    env = {'OS_IMAGE_TEMP_URL_CACHE_ENABLED': 'true',
           'OS_IMAGE_TEMP_URL_CACHE_BACKEND': 'dogpile.cache.redis',
           'OS_IMAGE_TEMP_URL_CACHE_ARGUMENTS': arguments.format(server[1]),
           'OS_IMAGE_TEMP_URL_CACHE_PASSWORD_FILE': str(password)}
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
        assert 'The URL is good all the same' in stderr and PASSWORD not in stderr


@pytest.mark.parametrize('arguments', [
    f'host=127.0.0.1,password={PASSWORD}', f'url=redis://:{PASSWORD}@127.0.0.1'])
def test_a_password_is_refused_where_it_would_be_printed(home, arguments):
    _, stderr, code = run(home, *TOLD, OS_IMAGE_TEMP_URL_CACHE_ARGUMENTS=arguments)
    assert code == 1 and len(stderr.splitlines()) == 1 and PASSWORD not in stderr
    assert 'OpenStackClient prints it' in stderr and 'cache_password_file' in stderr


def test_a_backend_that_is_none(home):
    _, stderr, code = run(home, *TOLD, OS_IMAGE_TEMP_URL_CACHE_ENABLED='true',
                          OS_IMAGE_TEMP_URL_CACHE_BACKEND='dogpile.cache.nothing')
    assert code == 1
    assert 'The cache backend dogpile.cache.nothing cannot be used' in stderr
