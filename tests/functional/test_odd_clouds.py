"""Accounts that do not begin with AUTH_, a Swift below a path, and two stores in one Glance."""

import pytest

from .conftest import download
from .proxy import proxy


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--two-stores', '--reseller-prefix', 'KEY', '--store', 'credentials')
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
            f'{storage_url.replace("HTTP", "http").rstrip("/")}/east-images/{image}?')
        assert download(row['url']) == data
        rows = cloud.rows('image', 'temp', 'url', 'check', '-', stdin=row['url'], env=env)
        assert {each['result'] for each in rows} == {'pass', 'skipped'}
        slots = cloud.rows('image', 'temp', 'url', 'key', 'list', env=env)
        assert [each['slot'] for each in slots if each['set']] == ['account key']
        row = cloud.rows('image', 'location', 'show', image, env=env)
        assert (row['account'], row['container']) == (account, 'east-images')
        paths = [each.partition(' ')[2] for each in between.requests]
        assert all(path.startswith('/object-store/') for path in paths)
        assert bool(paths) == ('object-store' in storage_url)


def test_a_given_prefix_comes_before_the_catalogs(cloud, image, account):
    given = cloud.openstack('image', 'temp', 'url', 'create', image, '--account-prefix', 'AUTH')
    assert given.code == 1 and f'AUTH_{account.removeprefix("KEY_")}' in given.stderr


@pytest.mark.parametrize(('override', 'said'), [
    ('{server}', 'expected an API version in its path'),
    ('{server}/v1', 'The object store answers HTTP')])
def test_a_storage_url_that_is_none(cloud, image, override, said):
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    env = cloud.config(object_store_endpoint_override=override.format(server=server))
    assert said in cloud.refused(image, env=env)
