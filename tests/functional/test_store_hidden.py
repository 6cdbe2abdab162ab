"""A sharded store that shows no locations, behind a Swift that knows SHA-1 only."""

import os
import subprocess

import pytest

from .conftest import OPENSTACK, download


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--seed', '3', '--hide-locations', '--digests', 'sha1')
    cloud.set_key('a key')
    return cloud


@pytest.fixture(scope='module')
def image(cloud, data):
    return cloud.upload('cirros', data)


def test_the_sharding_rule_finds_the_container(cloud, image, data):
    row = cloud.create('cirros', '--multiple-containers-seed', '3')
    assert (row['container'], row['digest']) == (f'glance_{image[:3]}', 'sha1')
    assert download(row['url']) == data


def test_glances_own_config_file_tells_the_rule(cloud, image, data):
    config = str(cloud.folder / 'glance/glance-api.conf')
    assert download(cloud.create('cirros', '--config-file', config)['url']) == data


def test_a_wrong_seed_names_a_container_that_is_not_there(cloud, image):
    line = cloud.refused('cirros', '--multiple-containers-seed', '5')
    assert f'There is no container glance_{image[:5]} in account AUTH_' in line


def test_location_show(cloud, image):
    show = ['image', 'location', 'show', 'cirros', '--multiple-containers-seed', '3']
    row = cloud.rows(*show, cloud='demo')
    assert (row['source'], row['locations'], row['scheme'], row['container']) == (
        'settings', [], None, f'glance_{image[:3]}')
    row = cloud.rows(*show)
    assert (row['source'], row['scheme'], row['container_agrees']) == (
        'get locations call', 'swift+config', True)


def test_copy_to_another_cloud_with_web_download(cloud, image, tmp_path):
    """The README's recipe; the other cloud is another project of this one."""
    url = cloud.create('cirros', '--multiple-containers-seed', '3')['url']
    # On anything but a terminal, `image create` waits for data on standard input.
    controller, terminal = os.openpty()
    with os.fdopen(controller), os.fdopen(terminal) as stdin:
        subprocess.run(
            [OPENSTACK, 'image', 'create', 'copy', '--disk-format', 'raw',
             '--container-format', 'bare'], stdin=stdin, check=True, capture_output=True,
            env={**os.environ, 'OS_CLOUD': 'demo',
                 'OS_CLIENT_CONFIG_FILE': str(cloud.folder / 'clouds.yaml')})
    done = cloud.openstack('image', 'import', 'copy', '--method', 'web-download',
                           '--uri', url, '--wait', cloud='demo')
    assert done.code == 0, done.text
    images = cloud.sdk('demo').image
    copy, original = images.find_image('copy'), images.get_image(image)
    assert (copy.status, copy.hash_value) == ('active', original.hash_value)
