"""The cache that many machines share, on a server that is a dictionary.

The functional tests use Redis, Valkey and memcached. This one answers at once, fails when it is
told to, and shows what a backend is given.
"""

import dataclasses
import json
import threading

import pytest
from dogpile.cache.api import NO_VALUE, CacheBackend
from dogpile.cache.region import _backend_loader

from osc_imgurl.cache import shared
from osc_imgurl.cache.base import CacheInfo, Entry
from osc_imgurl.cache.shared import SharedCache
from osc_imgurl.errors import CacheFailed, InvalidParameterValue

NOW = 1_700_000_000
NEW = Entry('f', NOW + 60, 'i', 'GET', 'AUTH_p', 'glance', 'k', 's')
OLD = dataclasses.replace(NEW, expires=NOW + 30)
NAME = 'osc-imgurl:f'
REDIS, MEMCACHED = 'dogpile.cache.redis', 'dogpile.cache.pymemcache'


class Server(CacheBackend):
    """What it holds, what it was given, and what it fails with."""

    holds, arguments, error, locked = {}, None, None, False

    def __init__(self, arguments):
        Server.arguments = arguments
        if 'wrong' in arguments:
            raise TypeError('wrong')

    def get_mutex(self, key):
        return self

    def acquire(self, wait=True):
        assert not wait
        return not Server.locked

    def release(self):
        raise RuntimeError('It was taken.')

    def get_serialized(self, key):
        if Server.error:
            raise Server.error
        return Server.holds.get(key, NO_VALUE)

    def set_serialized(self, key, value):
        Server.holds[key] = value

    def delete(self, key):
        Server.holds.pop(key, None)

    get = set = get_multi = set_multi = delete_multi = None


Server.__abstractmethods__ = frozenset()


@pytest.fixture(autouse=True)
def server(monkeypatch):
    monkeypatch.setattr(_backend_loader, 'load', lambda backend: Server)
    for name, value in (('holds', {}), ('arguments', None), ('error', None), ('locked', False)):
        monkeypatch.setattr(Server, name, value)


def cache(backend=REDIS, arguments=(), lifetime=600, password=None):
    return SharedCache(backend, dict(arguments), lifetime, password)


def hold(entry):
    Server.holds[NAME] = json.dumps(dataclasses.astuple(entry)).encode()


def test_the_first_entry_counts_until_it_is_refreshed():
    made = cache()
    assert made.get_or_create(OLD, lambda expires: True, NOW) == (OLD.expires, False)
    assert cache().get_or_create(NEW, lambda expires: True, NOW) == (OLD.expires, True)
    assert made.get_or_create(NEW, lambda expires: expires != OLD.expires, NOW) == (
        NEW.expires, False)
    assert made.get_or_create(OLD, lambda expires: True, NOW, refresh=True) == (OLD.expires, False)
    assert json.loads(Server.holds[NAME]) == list(dataclasses.astuple(OLD))


@pytest.mark.parametrize('field', ['fingerprint', 'image_id', 'method', 'account', 'container',
                                   'key_fingerprint'])
def test_an_entry_of_another_url_is_replaced(field):
    hold(dataclasses.replace(OLD, **{field: 'x'}))
    assert cache().get_or_create(NEW, lambda expires: True, NOW) == (NEW.expires, False)


@pytest.mark.parametrize('value', [b'', b'{', b'[]', b'"text"', b'[1, 2, 3, 4, 5, 6, 7, 8]',
                                   b'[' * 100_000])
def test_what_is_no_entry_is_replaced(value):
    Server.holds[NAME] = value
    assert cache().get_or_create(NEW, lambda expires: True, NOW) == (NEW.expires, False)
    assert json.loads(Server.holds[NAME])[1] == NEW.expires


def test_a_value_of_another_kind_is_replaced():
    Server.error = ValueError('WRONGTYPE Operation against a key holding the wrong kind of value')
    assert cache().get_or_create(NEW, lambda expires: True, NOW) == (NEW.expires, False)
    assert NAME in Server.holds


@pytest.mark.parametrize(('error', 'said'), [
    (OSError(111, 'Connection refused'), 'Connection refused'),
    (ValueError('It is ill: <Client password=secret>'), 'It is ill'), (KeyError(), 'KeyError')])
def test_a_server_that_fails_is_one_warning(caplog, error, said):
    Server.error = error
    made = cache()
    for _ in range(2):
        assert made.get_or_create(NEW, lambda expires: True, NOW) == (NEW.expires, False)
    assert caplog.messages == [
        f'The cache {REDIS} cannot be used: {said}. The URL works, but is not cached']
    with pytest.raises(CacheFailed, match=said):
        made.delete(['f'])


def test_a_server_that_hangs_is_one_warning(caplog, monkeypatch):
    monkeypatch.setattr('osc_imgurl.cache.base.TIME_LIMIT', 0.01)
    hangs = threading.Event()
    monkeypatch.setattr(Server, 'get_serialized', lambda self, key: hangs.wait(30))
    made = cache()
    for _ in range(2):
        assert made.get_or_create(NEW, lambda expires: True, NOW) == (NEW.expires, False)
    hangs.set()
    message, = caplog.messages
    assert 'it does not answer within 0.01 seconds' in message


def test_another_process_holds_the_lock(caplog, monkeypatch):
    monkeypatch.setattr(shared, 'TIME_LIMIT', 1)
    Server.locked = True
    assert cache().get_or_create(NEW, lambda expires: True, NOW) == (NEW.expires, False)
    assert 'another process holds its lock' in caplog.messages[0] and not Server.holds


def test_entries_are_deleted_and_not_listed():
    made = cache()
    hold(OLD)
    assert made.delete(['f', 'g']) == 2 and not Server.holds
    with pytest.raises(CacheFailed, match=f'The cache {REDIS} cannot list its entries'):
        made.entries()
    assert made.info() == CacheInfo(REDIS, None, None, None)


@pytest.mark.parametrize('backend', [
    'redis', 'redis_sentinel', 'redis_cluster', 'valkey', 'valkey_sentinel', 'valkey_cluster',
    'pymemcache'])
def test_each_backend_that_many_machines_can_use(backend):
    assert cache(f'dogpile.cache.{backend}').info().backend == f'dogpile.cache.{backend}'


def test_a_gateways_url_has_no_account():
    new = dataclasses.replace(NEW, account=None)
    hold(dataclasses.replace(OLD, account=None))
    assert cache().get_or_create(new, lambda expires: True, NOW) == (OLD.expires, True)


@pytest.mark.parametrize('backend', ['dogpile.cache.memory', 'dogpile.cache.memcached', 'redis'])
def test_other_backends(backend):
    with pytest.raises(InvalidParameterValue, match=f'{backend} cannot be used') as caught:
        cache(backend)
    assert caught.value.names == ('cache_backend',)


def test_arguments_that_a_backend_does_not_take():
    with pytest.raises(InvalidParameterValue, match=r'cannot be used \(TypeError\)') as caught:
        cache(arguments={'wrong': 'secret'})
    assert caught.value.names == ('cache_arguments',) and 'secret' not in str(caught.value)


@pytest.mark.parametrize('kind', ['redis', 'valkey'])
def test_what_redis_and_valkey_are_given(kind):
    cache(f'dogpile.cache.{kind}', {'url': f'{kind}://host', 'connection_kwargs': {'x': 1}},
          600, 'secret')
    assert Server.arguments == {
        f'{kind}_expiration_time': 600, 'thread_local_lock': False, 'url': f'{kind}://host',
        'password': 'secret', 'distributed_lock': True, 'lock_timeout': 2,
        'connection_kwargs': {'socket_timeout': 10.0, 'socket_connect_timeout': 10.0,
                              'retry': None, 'password': 'secret', 'x': 1}}
    cache(f'dogpile.cache.{kind}')
    assert 'password' not in {*Server.arguments, *Server.arguments['connection_kwargs']}


@pytest.mark.parametrize(('lifetime', 'given'), [
    (600, 600), (30 * 86_400, 30 * 86_400), (30 * 86_400 + 1, NOW + 30 * 86_400 + 1),
    (10**9, 2**31 - 1)])
def test_what_memcached_is_given(monkeypatch, lifetime, given):
    monkeypatch.setattr(shared.time, 'time', lambda: NOW + 0.5)
    cache(MEMCACHED, {'url': 'host', 'serde': 'pickle'}, lifetime)
    assert Server.arguments == {'memcached_expire_time': given, 'url': 'host', 'serde': None,
                                'distributed_lock': True, 'lock_timeout': 2}


def test_memcached_takes_no_password():
    with pytest.raises(InvalidParameterValue, match='supports no password'):
        cache(MEMCACHED, password='secret')
