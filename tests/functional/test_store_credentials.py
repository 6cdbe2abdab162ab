"""A store whose locations carry Glance's password; sharded; SHA-1 turned off."""

import pytest

from .conftest import download


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
    assert 'refuses the digest sha1; it takes sha256, sha512' in line


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
