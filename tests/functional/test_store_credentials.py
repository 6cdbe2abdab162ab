"""A store whose locations carry Glance's password; sharded; SHA-1 turned off."""

import json

import pytest

from .conftest import download
from .locations import plant


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--store', 'credentials', '--seed', '3',
                       '--digests', 'sha256 sha512')
    cloud.set_key('a key')
    return cloud


def test_create(cloud, image, data):
    row = cloud.create('cirros')
    assert (row['container'], row['digest']) == (f'glance_{image[:3]}', 'sha256')
    assert download(row['url']) == data
    assert download(cloud.create('cirros', '--digest', 'sha512')['url']) == data


def test_a_digest_that_the_cluster_refuses(cloud, image):
    line = cloud.refused('cirros', '--digest', 'sha1')
    assert 'supports sha256, sha512, not the digest sha1' in line


def test_the_location_is_masked_and_warned_of(cloud, image):
    password = cloud.secrets[1]
    shown = cloud.sdk('demo').image.get(f'/images/{image}').json()
    assert password in shown['direct_url'], 'nothing to be masked'
    for debug in ([], ['--debug']):
        result = cloud.openstack(*debug, 'image', 'location', 'show', 'cirros', cloud='demo')
        assert 'shows the password of its image store' in result.stderr
        assert 'swift+http://***@127.0.0.1:' in result.stdout
    for debug in ([], ['--debug']):
        assert cloud.openstack(*debug, 'image', 'temp', 'url', 'create', 'cirros').code == 0


def test_location_show(cloud, image):
    row = cloud.rows('image', 'location', 'show', 'cirros')
    assert (row['scheme'], row['stores'], row['container']) == (
        'swift+http', [], f'glance_{image[:3]}')
    assert (row['container_by_rule'], row['container_agrees']) == ('glance', False)
    config = str(cloud.folder / 'glance/glance-api.conf')
    row = cloud.rows('image', 'location', 'show', 'cirros', '--config-file', config)
    assert (row['container_by_rule'], row['container_agrees']) == (
        f'glance_{image[:3]}', True)


@pytest.fixture(scope='module')
def private(cloud, data):
    """An image that only its owner may see."""
    return cloud.upload('private', data, cloud='admin', visibility='private')


@pytest.fixture(scope='module')
def planted(cloud, private, data):
    """An image of demo's whose location names the private one's object.

    The location is one that Glance accepts: demo has such a container and object, too.
    """
    store = cloud.sdk('demo').object_store
    store.put('/glance')
    store.put(f'/glance/{private}', data=data)
    image = cloud.upload('harmless', cloud='demo', visibility='shared')
    settings = json.loads((cloud.folder / 'settings.json').read_text())
    plant(cloud, image, f'swift+http://demo%3Ademo:{settings["passwords"]["demo"]}'
                        f'@127.0.0.1:{settings["ports"]["keystone"]}/v3/glance/{private}')
    return image


def test_a_location_of_another_image_is_not_signed(cloud, planted, private, data):
    for options in ([], ['--copy'], ['--method', 'PUT'], ['--method', 'POST'],
                    ['--method', 'DELETE'], ['--account', cloud.create('cirros')['account']]):
        line = cloud.refused(planted, *options)
        assert f'its object is {private}, and not the image\'s ID' in line
        assert '(--container, --object, --account, --key-file).' in line
    result = cloud.openstack('image', 'temp', 'url', 'list', planted, 'cirros', '--check',
                             '--with-boot-images', '-f', 'json')
    assert [row['image_name'] for row in json.loads(result.stdout)] == ['cirros']
    assert result.code == 1 and f'({planted}) is trusted' in result.stderr


def test_check_names_the_location(cloud, planted, private):
    result = cloud.openstack('image', 'temp', 'url', 'check', planted, '-f', 'json')
    rows = {row['check']: row for row in json.loads(result.stdout)}
    assert result.code == 1 and rows['store']['result'] == 'fail'
    assert f'its object is {private}' in rows['store']['detail']
    assert '--object' in rows['store']['remedy']
    # No URL can be made: the cause is the only row.
    assert rows.keys() == {'store'}


def test_location_show_says_why_it_is_not_trusted(cloud, planted, private, image):
    row = cloud.rows('image', 'location', 'show', planted)
    reason, = row['untrusted']
    assert reason.startswith(row['locations'][0]) and f'its object is {private}' in reason
    assert (row['trusted'], row['account'], row['container'], row['object']) == (None,) * 4
    row = cloud.rows('image', 'location', 'show', image)
    assert (row['trusted'], row['untrusted']) == (row['locations'][0], [])


def test_an_object_is_signed_explicitly(cloud, planted, private, data):
    result = cloud.openstack('image', 'temp', 'url', 'create', planted, '--object', private,
                             '--container', f'glance_{private[:3]}', '-f', 'json')
    row = json.loads(result.stdout)
    assert (row['object'], row['container']) == (private, f'glance_{private[:3]}')
    assert download(row['url']) == data
    assert f'({planted}) is trusted' in result.stderr
    rows = cloud.rows('image', 'temp', 'url', 'check', planted, '--object', private,
                      '--container', f'glance_{private[:3]}')
    assert {row['result'] for row in rows} == {'pass', 'skipped'}


def test_credentials_of_another_project(cloud, image, data, key_file):
    line = cloud.refused(image, cloud='demo')
    assert 'its credentials are of the project service, and not of yours' in line
    account = cloud.create(image)['account']
    handed_over = ['--account', account, '--key-file', key_file('a key')]
    line = cloud.refused(image, *handed_over, cloud='demo')
    assert f'its container is glance_{image[:3]}, and the settings give glance' in line
    row = cloud.create(image, *handed_over, '--multiple-containers-seed', '3', cloud='demo')
    assert download(row['url']) == data
