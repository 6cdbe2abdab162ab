"""Which settings are in effect: each with its value for people, and where that came from."""

import pytest

from osc_imgurl.errors import ObjectStoreFailed
from osc_imgurl.settings.table import TABLE, Settings
from osc_imgurl.swift.answers import ACCOUNT_SLOTS, CONTAINER_SLOTS, Capabilities
from osc_imgurl.target.report import settings_in_effect
from osc_imgurl.tempurl.signing import Key

from ..stubs import OFFLINE, Store

A2, A1 = ACCOUNT_SLOTS
C2, C1 = CONTAINER_SLOTS
KEY = Key(b'a key')
MASKED = f'*** (fingerprint {KEY.fingerprint})'


def rows(settings=None, store=None, **options):
    return {row.name: (row.value, row.source)
            for row in settings_in_effect(settings or Settings(), store or OFFLINE, **options)}


def test_each_setting_has_one_row_in_the_tables_order():
    found = settings_in_effect(Settings(), Store())
    assert [row.name for row in found] == [setting.name for setting in TABLE]


def test_what_is_looked_up():
    store = Store(account={A1: KEY}, capabilities=Capabilities(True, None, ('sha512', 'sha1')))
    found = rows(store=store)
    assert {name: found.pop(name) for name in (
        'endpoint_url', 'endpoint_type', 'account', 'digest', 'key')} == {
            'endpoint_url': ('http://swift', 'catalog'), 'endpoint_type': ('swift', 'catalog'),
            'account': ('AUTH_p', 'catalog'), 'digest': ('sha512', 'cluster'),
            'key': (MASKED, 'account key')}
    assert {source for _, source in found.values()} == {'default'}
    assert (found['duration'], found['container']) == ((1200, 'default'), ('glance', 'default'))


def test_what_is_given_is_not_looked_up():
    settings = Settings(endpoint_url='http://proxy', endpoint_type='swift', account='AUTH_y',
                        digest='sha1', key=KEY, duration=60)
    store = Store()
    found = rows(settings, store)
    assert {name: value for name, value in found.items() if value[1] != 'default'} == {
        'endpoint_url': ('http://proxy', 'endpoint_url'),
        'endpoint_type': ('swift', 'endpoint_type'), 'account': ('AUTH_y', 'account'),
        'digest': ('sha1', 'digest'), 'key': (MASKED, 'key'), 'duration': (60, 'duration')}
    assert store.asked == []


def test_secrets_are_masked():
    settings = Settings(key=KEY, cache_password='a password',
                        cache_arguments=(('url', 'a secret'),),
                        allowed_direct_url_schemes=('file', 'rbd'))
    found = rows(settings, Store())
    assert found['key'][0] == MASKED
    assert found['cache_password'][0] == found['cache_arguments'][0] == '***'
    assert found['allowed_direct_url_schemes'][0] == 'file,rbd'
    # What is not set is no secret.
    empty = rows(store=Store())
    assert (empty['cache_password'][0], empty['cache_arguments'][0]) == (None, '')
    assert empty['key'][0] is None


def test_what_is_not_found_says_why():
    store = Store()
    store.answers['capabilities'] = ObjectStoreFailed('No answer.')
    found = rows(store=store)
    assert found['digest'] == (None, 'not found: No answer.')
    assert found['key'][0] is None
    assert found['key'][1].startswith('not found: There is no temporary URL key on account AUTH_p')
    assert found['key'][1].endswith('(set a key, key_file).')
    called = rows(store=store, call=lambda name: f'--{name}')
    assert called['key'][1].endswith('(--set a key, --key_file).')


def test_with_nobody_to_ask():
    found = rows()
    assert {name for name, (_, source) in found.items() if source.startswith('not found: ')} == {
        'endpoint_url', 'endpoint_type', 'account', 'key'}
    assert found['digest'] == ('sha256', 'default')
    assert found['endpoint_url'][1].endswith('Give it (endpoint_url).')


@pytest.mark.parametrize('store', [OFFLINE, Store(None)])
def test_a_type_that_no_catalog_says_is_the_default(store):
    found = rows(Settings(endpoint_url='http://proxy'), store)
    assert found['endpoint_type'] == ('swift', 'default')


@pytest.mark.parametrize(('settings', 'wanted'), [
    (Settings(), (MASKED, 'container key')),
    # Which container it is depends on the image.
    (Settings(multiple_containers_seed=3), (None, 'not found: There is no temporary URL key on'
                                            ' account AUTH_p, nor on the container glance. Set'
                                            ' one, or give the key (set a key, key_file).')),
    (Settings(container='images'), (None, 'not found: There is no temporary URL key on account'
                                          ' AUTH_p, nor on the container images. Set one, or give'
                                          ' the key (set a key, key_file).')),
])
def test_the_key_of_the_container(settings, wanted):
    store = Store()
    store.answers['container_keys'] = lambda account, container: {
        C1: KEY} if (account, container) == ('AUTH_p', 'glance') else {}
    assert rows(settings, store)['key'] == wanted


@pytest.mark.parametrize(('settings', 'catalog', 'source'), [
    (Settings(), 'http://swift/v1/AUTH_p', 'catalog'),
    (Settings(), 'http://rgw/swift/v1', 'catalog'),
    (Settings(account_prefix='AUTH'), 'http://swift/v1/AUTH_p', 'project of the session'),
    (Settings(endpoint_url='http://proxy'), None, 'project of the session')])
def test_who_says_the_account(settings, catalog, source):
    assert rows(settings, Store(catalog))['account'][1] == source


def test_a_gateway_without_accounts():
    store = Store('http://rgw/swift/v1', account={A2: KEY})
    found = rows(store=store)
    assert (found['endpoint_url'], found['endpoint_type']) == (
        ('http://rgw/swift', 'catalog'), ('radosgw', 'catalog'))
    assert found['account'][0] is None
    assert (found['digest'], found['key']) == (('sha1', 'cluster'), (MASKED, 'account key 2'))


def test_the_cluster_is_asked_where_the_catalog_has_it():
    store = Store()
    store.answers['capabilities'] = lambda endpoint: Capabilities(
        True, ('GET',), ('sha256',) if endpoint.cluster == 'http://swift' else ('sha1',))
    assert rows(Settings(endpoint_url='http://proxy'), store)['digest'] == ('sha256', 'cluster')


def test_a_cluster_that_takes_no_get():
    store = Store(capabilities=Capabilities(True, ('PUT',), ('sha256',)))
    assert rows(store=store)['digest'][1].startswith('not found: This cluster supports temp')
