"""A store that keeps each image in a container of its own, in its owner's account."""

import pytest

from .conftest import download


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--store', 'multi-tenant')
    cloud.set_key('the key of demo', cloud='demo')
    cloud.set_key('the key of glance')
    return cloud


@pytest.fixture(scope='module')
def image(cloud, data):
    return cloud.upload('mine', data, cloud='demo', visibility='shared')


def test_create(cloud, image, data):
    row = cloud.create('mine', cloud='demo')
    project = cloud.sdk('demo').session.get_project_id()
    assert (row['account'], row['container'], row['object']) == (
        f'AUTH_{project}', f'glance_{image}', image)
    assert download(row['url']) == data


def test_location_show(cloud, image):
    row = cloud.rows('image', 'location', 'show', 'mine', cloud='demo')
    assert row['scheme'] == 'swift+http'
    assert row['container'] == f'glance_{image}'


def test_who_may_not_see_the_keys(cloud, image):
    for user in ('reader', 'glance'):
        line = cloud.refused(image, cloud=user)
        assert 'Use the credentials of the project that owns it' in line


def test_a_told_key_needs_no_owner(cloud, image, data, key_file):
    row = cloud.create(image, '--key-file', key_file('the key of demo'), cloud='reader')
    assert download(row['url']) == data


def test_the_location_counts_and_an_option_overrules_it(cloud, image, data):
    account = cloud.create(image, cloud='demo')['account']
    command = ['image', 'temp', 'url', 'create', image, '-f', 'value', '-c', 'url']
    configured = cloud.openstack(*command, cloud='demo',
                                 env={'OS_IMAGE_TEMP_URL_ACCOUNT': 'AUTH_other'})
    assert download(configured.stdout.strip()) == data
    assert f'The image lies in account {account} by its own location' in configured.stderr
    told = [*command, '--account', 'AUTH_other', '--key-file', '-']
    refused = cloud.openstack(*told, stdin='a key', cloud='demo')
    assert (refused.code, refused.stdout) == (1, '')
    assert f'the image lies in account {account} by its own location' in refused.stderr
    overruled = cloud.openstack(*told, '--no-check', stdin='a key', cloud='demo')
    assert '/v1/AUTH_other/' in overruled.stdout
    assert 'as told with --account' in overruled.stderr
