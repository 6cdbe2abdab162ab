"""openstack image temp url key ..."""

import pytest
import requests

from osc_imgurl.tempurl.key import Key

from .conftest import download

KEY = ['image', 'temp', 'url', 'key']
ACCOUNT, CONTAINER = 'X-Account-Meta-Temp-Url-Key', 'X-Container-Meta-Temp-Url-Key'


@pytest.fixture(scope='module')
def cloud(make_cloud):
    return make_cloud()


@pytest.fixture(autouse=True)
def clean(cloud, image):
    """Begin each test with one key in the account's first slot, and none elsewhere."""
    cloud.set_key('the first key')
    store = cloud.sdk().object_store
    store.post('/', headers={'X-Remove-Account-Meta-Temp-URL-Key-2': 'x'})
    store.post('/glance', headers={'X-Remove-Container-Meta-Temp-URL-Key': 'x',
                                   'X-Remove-Container-Meta-Temp-URL-Key-2': 'x'})


def keys(cloud, container=''):
    """Return what is really in the two slots; secrets from then on."""
    headers = cloud.sdk().object_store.head(f'/{container}').headers
    name = CONTAINER if container else ACCOUNT
    found = [headers.get(name), headers.get(name + '-2')]
    cloud.secrets.extend(filter(None, found))
    return found


def change(cloud, *arguments, **kwargs):
    result = cloud.openstack(*KEY, *arguments, **kwargs)
    assert (result.code, result.text) == (0, '')


def fails(cloud, *arguments, user='glance', stdin=''):
    before = keys(cloud), keys(cloud, 'glance')
    result = cloud.openstack(*KEY, *arguments, cloud=user, stdin=stdin)
    assert (result.code, result.stdout) == (1, '')
    assert len(result.stderr.splitlines()) == 1
    assert (keys(cloud), keys(cloud, 'glance')) == before
    return result.stderr


def status(url):
    return requests.get(url, timeout=30).status_code


def test_list(cloud):
    name = Key(b'the first key').fingerprint
    rows = [{'slot': 'account key', 'set': True, 'fingerprint': name},
            {'slot': 'account key 2', 'set': False, 'fingerprint': None}]
    assert cloud.rows(*KEY, 'list') == rows
    cloud.set_key('a container key', container='glance', slot='-2')
    rows += [{'slot': 'container key', 'set': False, 'fingerprint': None},
             {'slot': 'container key 2', 'set': True,
              'fingerprint': Key(b'a container key').fingerprint}]
    assert cloud.rows(*KEY, 'list', '--container', 'glance') == rows


def test_set(cloud, image, data, key_file):
    change(cloud, 'set', '--key-file', key_file('the second key\n'), '--slot', '2')
    assert keys(cloud) == ['the first key', 'the second key']
    assert 'is a key in slot account key already' in fails(
        cloud, 'set', '--key-file', '-', stdin='another key')
    change(cloud, 'set', '--key-file', '-', '--force', stdin='another key')
    assert keys(cloud) == ['another key', 'the second key']
    change(cloud, 'set', '--generate', '--container', 'glance')
    generated, other = keys(cloud, 'glance')
    assert len(generated) == 43 and other is None
    assert download(cloud.create(image)['url']) == data
    # The key that is there already may be set again.
    change(cloud, 'set', '--key-file', '-', stdin='another key')


def test_unset_and_the_cache(cloud, image, data):
    url = cloud.create(image, '--cache')['url']
    assert cloud.create(image, '--cache')['cached'] is True
    change(cloud, 'unset')
    assert keys(cloud) == [None, None]
    assert status(url) == 401
    assert cloud.rows('image', 'temp', 'url', 'cache', 'list') == []
    assert 'no temporary URL key on account' in cloud.refused(image)
    assert 'There is no key in slot account key.' in fails(cloud, 'unset')
    assert 'set one' in fails(cloud, 'rotate')
    change(cloud, 'set', '--generate')
    keys(cloud)
    assert download(cloud.create(image)['url']) == data


def test_rotate(cloud, image, data):
    old = cloud.create(image, '--cache')
    row, = cloud.rows(*KEY, 'rotate')
    assert row.pop('remaining').startswith('0:')
    assert row == {'image_id': image, 'method': 'GET', 'container': 'glance',
                   'expires_at': old['expires_at']}
    first, second = keys(cloud)
    assert first == 'the first key' and len(second) == 43
    # New URLs have the new key, and the old ones are good until the rotation is finished.
    new = cloud.create(image, '--cache')
    assert new['cached'] is False
    assert download(old['url']) == download(new['url']) == data
    assert cloud.rows(*KEY, 'rotate', '--finish') == []
    assert keys(cloud) == [second, None]
    assert (status(old['url']), status(new['url'])) == (401, 200)
    assert [entry['expires_at'] for entry in cloud.rows('image', 'temp', 'url', 'cache', 'list')
            ] == [new['expires_at']]
    assert 'No rotation is under way' in fails(cloud, 'rotate', '--finish')


def test_rotate_again_before_the_end(cloud, image, data):
    cloud.rows(*KEY, 'rotate', '--key-file', '-', stdin='the second key')
    url = cloud.create(image)['url']
    cloud.rows(*KEY, 'rotate', '--key-file', '-', stdin='the third key')
    assert keys(cloud) == ['the second key', 'the third key']
    assert download(url) == data
    assert 'set already' in fails(cloud, 'rotate', '--key-file', '-', stdin='the third key')


def test_with_nobody_to_ask(cloud):
    line = fails(cloud, '--os-auth-type', 'none', 'list', user=None)
    assert 'use credentials instead of --os-auth-type none' in line


def test_who_may_not(cloud):
    account = 'AUTH_' + cloud.sdk().session.get_project_id()
    line = fails(cloud, 'list', '--account', account, user='demo')
    assert 'does not show' in line and 'HTTP 403' in line
    assert 'There is no container nothing of account' in fails(
        cloud, 'list', '--container', 'nothing')


def test_no_key_in_debug_output(cloud):
    keys(cloud)
    for arguments in (['list'], ['set', '--key-file', '-', '--slot', '2'], ['unset']):
        result = cloud.openstack('--debug', *KEY, *arguments, stdin='a secret key')
        assert result.code == 0
        assert 'Swift request: HEAD' in result.stderr
        assert 'a secret key' not in result.text
