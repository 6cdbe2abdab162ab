"""The catalog's storage URLs: below a path, with another account or prefix, without an account."""

import pytest
import requests

from .conftest import download
from .proxy import proxy


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--reseller-prefix', 'KEY', '--store', 'credentials')
    cloud.set_key('a key')
    return cloud


@pytest.fixture(scope='module')
def account(cloud):
    return f'KEY_{cloud.sdk().session.get_project_id()}'


@pytest.mark.parametrize('spelling', [
    '{server}/v1/{account}', '{proxy}/object-store/v1/{account}/',
    '{shouting}/object-store/v1/{account}'])
def test_the_catalog_says_account_and_path(cloud, image, account, data, spelling):
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    with proxy(server) as between:
        between.below = '/object-store'
        shouting = between.url.replace('http', 'HTTP')
        storage_url = spelling.format(server=server, proxy=between.url, shouting=shouting,
                                      account=account)
        env = cloud.config(object_store_endpoint_override=storage_url)
        row = cloud.create(image, env=env)
        assert row['account'] == account
        assert row['url'].startswith(
            f'{storage_url.replace("HTTP", "http").rstrip("/")}/glance/{image}?')
        assert download(row['url']) == data
        rows = cloud.rows('image', 'temp', 'url', 'check', '-', stdin=row['url'], env=env)
        assert {each['result'] for each in rows} == {'pass', 'skipped'}
        slots = cloud.rows('image', 'temp', 'url', 'key', 'list', env=env)
        assert [each['slot'] for each in slots if each['set']] == ['account key']
        row = cloud.rows('image', 'location', 'show', image, env=env)
        assert (row['account'], row['container']) == (account, 'glance')
        paths = [each.partition(' ')[2] for each in between.requests]
        assert all(path.startswith('/object-store/') for path in paths)
        assert bool(paths) == ('object-store' in storage_url)


def test_a_given_prefix_comes_before_the_catalogs(cloud, image, account):
    given = cloud.openstack('image', 'temp', 'url', 'create', image, '--account-prefix', 'AUTH')
    assert given.code == 1 and f'AUTH_{account.removeprefix("KEY_")}' in given.stderr


def test_a_storage_url_that_is_none(cloud, image):
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    env = cloud.config(object_store_endpoint_override=f'{server}/v1/AUTH_x/c')
    assert 'expected an account or nothing behind the API version' in cloud.refused(image, env=env)


@pytest.fixture
def without_account(cloud):
    """A function that has the catalog name no account, for some interfaces; undone at the end."""
    identity, changed = cloud.sdk('admin').identity, []

    def change(*interfaces):
        for endpoint in identity.endpoints():
            if '/v1/' in endpoint.url and endpoint.interface in interfaces:
                changed.append(endpoint)
                url = endpoint.url.partition('/v1/')[0] + '/v1'
                assert identity.patch(f'/endpoints/{endpoint.id}', json={
                    'endpoint': {'url': url}}).ok

    yield change
    for endpoint in changed:
        assert identity.patch(f'/endpoints/{endpoint.id}', json={
            'endpoint': {'url': endpoint.url}}).ok


def test_another_interface_names_the_account(cloud, image, account, data, without_account):
    """As in a catalog whose admin interface has none; and as for an endpoint that is given so."""
    without_account('admin')
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    for entries in ({'interface': 'admin'}, {'object_store_endpoint_override': f'{server}/v1'},
                    {'object_store_endpoint_override': server}):
        env = cloud.config(**entries)
        row = cloud.create(image, env=env)
        assert (row['account'], download(row['url'])) == (account, data)
        slots = cloud.rows('image', 'temp', 'url', 'key', 'list', env=env)
        assert [each['slot'] for each in slots if each['set']] == ['account key']
        for subject in image, row['url']:
            rows = cloud.rows('image', 'temp', 'url', 'check', subject, env=env)
            assert {each['result'] for each in rows} == {'pass', 'skipped'}
        copy = cloud.create(image, '--copy', cloud='demo', env=env)
        assert copy['account'] == f'KEY_{cloud.sdk("demo").session.get_project_id()}'
        assert download(copy['url']) == data


@pytest.fixture
def reseller(cloud):
    """Have demo use all accounts, of whatever name."""
    identity = cloud.sdk('admin').identity
    role = identity.create_role(name='ResellerAdmin')
    auth = cloud.sdk('demo').session.auth.get_access(cloud.sdk('demo').session)
    grant = f'/projects/{auth.project_id}/users/{auth.user_id}/roles/{role.id}'
    assert identity.put(grant).ok
    yield
    identity.delete_role(role)


def test_an_account_of_no_project(cloud, image, data, reseller):
    """The storage URL names it, for keys, copies and URLs."""
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    env = cloud.config(object_store_endpoint_override=f'{server}/v1/KEY_MossoCloudFS_x')
    result = cloud.openstack('image', 'temp', 'url', 'key', 'set', '--generate', cloud='demo',
                             env=env)
    assert result.code == 0
    found = requests.head(
        f'{server}/v1/KEY_MossoCloudFS_x', timeout=30,
        headers={'X-Auth-Token': cloud.sdk('demo').session.get_token()})
    assert found.headers['X-Account-Meta-Temp-URL-Key']
    row = cloud.create(image, '--copy', cloud='demo', env=env)
    assert (row['account'], row['copied']) == ('KEY_MossoCloudFS_x', True)
    assert download(row['url']) == data
    copy = row['object']
    row = cloud.create(image, '--object', copy, '--container', 'image-temp-urls', cloud='demo',
                       env=env)
    assert row['url'].startswith(f'{server}/v1/KEY_MossoCloudFS_x/image-temp-urls/{copy}?')
    assert download(row['url']) == data
    rows = cloud.rows('image', 'temp', 'url', 'check', '-', stdin=row['url'], cloud='demo', env=env)
    assert {each['result'] for each in rows} == {'pass', 'skipped'}


def test_no_interface_names_the_account(cloud, image, account, data, without_account, key_file):
    without_account('public', 'internal', 'admin')
    server = f'http://127.0.0.1:{cloud.ports["proxy"]}'
    env = cloud.config(interface='admin')
    said = f'The URL of this cloud\'s object store, {server}/v1 (interface admin), names no account'
    for options, user in ([], 'glance'), (['--copy'], 'demo'):
        assert said in cloud.refused(image, *options, cloud=user, env=env)
    keys = cloud.openstack('image', 'temp', 'url', 'key', 'list', env=env)
    assert (keys.code, said in keys.stderr) == (1, True)
    env = cloud.config(image_temp_url={'account': account, 'container': 'glance',
                                       'key_file': key_file('a key')})
    row = cloud.create(image, env=env)
    listed, = cloud.rows('image', 'temp', 'url', 'list', image, '--check', env=env)
    for url in row['url'], listed['url']:
        assert f'/v1/{account}/glance/' in url and download(url) == data
    for subject in image, row['url']:
        rows = cloud.rows('image', 'temp', 'url', 'check', subject, env=env)
        assert {each['result'] for each in rows} == {'pass', 'skipped'}
    slots = cloud.rows('image', 'temp', 'url', 'key', 'list', env=env)
    assert [each['slot'] for each in slots if each['set']] == ['account key']
