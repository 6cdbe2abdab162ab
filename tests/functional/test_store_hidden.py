"""A sharded store that shows no locations, behind a Swift that knows SHA-1 only."""

import json
import os
import subprocess

import pytest
import requests
from openstack import resource

from .conftest import OPENSTACK, download


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--seed', '3', '--hide-locations', '--digests', 'sha1')
    cloud.set_key('a key')
    return cloud


def test_whose_key_signs_no_image(cloud, data):
    """The account that Glance uses needs no image for its key yet; nobody else's has any."""
    command = ['image', 'temp', 'url', 'key', 'set', '--generate', '--slot', '2', '--force']
    result = cloud.openstack(*command)
    assert (result.code, result.stderr) == (0, '')
    image_id = cloud.upload('the first', data)
    for user, warned in (('glance', False), ('demo', True)):
        result = cloud.openstack(*command, cloud=user)
        assert result.code == 0
        assert ('Glance keeps no image in account AUTH_' in result.stderr) is warned
    cloud.sdk().image.delete_image(image_id)
    cloud.sdk().object_store.post('/', headers={'X-Remove-Account-Meta-Temp-URL-Key-2': 'x'})


def test_the_sharding_rule_finds_the_container(cloud, image, data):
    for options in ([], ['--no-check'], ['--cache']):
        row = cloud.create('cirros', '--multiple-containers-seed', '3', *options)
        assert (row['container'], row['digest']) == (f'glance_{image[:3]}', 'sha1')
        assert download(row['url']) == data
    cached = cloud.rows('image', 'temp', 'url', 'cache', 'list')
    assert len(cached) == 1


def test_glances_own_config_file_tells_the_rule(cloud, image, data):
    config = str(cloud.folder / 'glance/glance-api.conf')
    assert download(cloud.create('cirros', '--config-file', config)['url']) == data


def test_a_wrong_seed_names_a_container_that_is_not_there(cloud, image):
    line = cloud.refused('cirros', '--multiple-containers-seed', '5')
    assert f'There is no container glance_{image[:5]} in account AUTH_' in line


def cause(cloud, subject, *options, user='glance'):
    """Return name and detail of the check that fails first."""
    result = cloud.openstack('image', 'temp', 'url', 'check', subject, '-f', 'json', *options,
                             cloud=user)
    assert result.code == 1, result.text
    first = next(row for row in json.loads(result.stdout) if row['result'] == 'fail')
    return first['check'], first['detail']


def test_check_finds_the_container_by_another_seed(cloud, image):
    right = cloud.create(image, '--multiple-containers-seed', '3', '--no-check')['url']
    url = right.replace(f'/glance_{image[:3]}/', f'/glance_{image[:5]}/')
    assert requests.head(url, timeout=30).status_code == 401
    for subject, options in ((url, []), (image, ['--multiple-containers-seed', '5'])):
        assert cause(cloud, subject, *options) == (
            'container', f'the object is in container glance_{image[:3]}, and the URL says'
                         f' glance_{image[:5]}')


def test_check_finds_the_account(cloud, image):
    row = cloud.create(image, '--multiple-containers-seed', '3', '--no-check')
    demo = cloud.sdk('demo').object_store.get_endpoint().rpartition('/')[2]
    url = row['url'].replace(row['account'], demo)
    assert requests.head(url, timeout=30).status_code == 401
    assert cause(cloud, url) == (
        'account', f'the object is in account {row["account"]}, and the URL says {demo}')
    # To demo itself the right account is not visible.
    assert cause(cloud, url, user='demo') == (
        'container', f'there is no container {row["container"]} in {demo}')


@pytest.fixture
def planted(cloud, image, data):
    """A member of the project puts an object of the image's name and size where it is not.

    Nobody but Glance knows the seed; without it the container is ``glance``.
    """
    store = cloud.sdk().object_store
    store.put('/glance')
    store.put(f'/glance/{image}', data=bytes(len(data)))
    yield f'/glance/{image}'
    store.delete(f'/glance/{image}')
    store.delete('/glance')


def test_an_object_that_glance_did_not_make(cloud, image, data, planted):
    for options in ([], ['--check'], ['--digest', 'sha1', '--cache']):
        line = cloud.refused('cirros', *options)
        assert f'{planted} is not the data of image cirros ({image})' in line
        assert 'its account and container in Swift, which Glance does not show, was guessed' in line
        assert '--copy' in line
    assert cause(cloud, image)[0] == 'object'
    url = cloud.create('cirros', '--no-check')['url']
    check, detail = cause(cloud, url)
    assert check == 'object' and 'is not the data of the image: its MD5 is' in detail
    result = cloud.openstack('image', 'temp', 'url', 'list', 'cirros', '--check')
    assert (result.code, 'is not the data of image' in result.stderr) == (1, True)
    result = cloud.openstack('image', 'temp', 'url', 'list', 'cirros')
    assert (result.code, 'not verified unless they are checked' in result.stderr) == (0, True)
    # With --copy, the image is copied from Glance.
    row = cloud.create('cirros', '--copy')
    assert row['copied'] is True and download(row['url']) == data


@pytest.mark.parametrize('large', ['DLO', 'SLO'])
def test_a_large_object_that_glance_did_not_make(cloud, image, data, planted, large):
    """Its ETag says nothing of its data."""
    store, part = cloud.sdk().object_store, f'{planted}-parts'
    store.put(part, data=bytes(len(data)))
    if large == 'DLO':
        store.put(planted, headers={'X-Object-Manifest': part.lstrip('/')})
    else:
        store.put(f'{planted}?multipart-manifest=put', json=[{'path': part}])
    result = cloud.openstack('image', 'temp', 'url', 'create', 'cirros')
    assert result.code == 0
    assert 'Could not verify that the URL is for the data of image cirros' in result.stderr
    row = cloud.create('cirros', '--copy')
    assert row['copied'] is True and download(row['url']) == data
    store.delete(part)


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
                           '--uri', url, cloud='demo')
    assert done.code == 0, done.text
    images = cloud.sdk('demo').image
    # OpenStackClient's --wait may return before the image is there.
    copy = resource.wait_for_status(images, images.find_image('copy'), 'active', [], 0.1, 60)
    original = images.get_image(image)
    assert (copy.status, copy.hash_value) == ('active', original.hash_value)


def settings_of(cloud, *options, user='glance', env=None):
    rows = cloud.rows('image', 'temp', 'url', 'settings', 'list', *options, cloud=user, env=env)
    return {row['setting']: (row['value'], row['source']) for row in rows}


def test_settings_list(cloud, tmp_path):
    session = cloud.sdk().session
    found = settings_of(cloud)
    endpoint, _, account = cloud.sdk().object_store.get_endpoint().partition('/v1/')
    assert found['endpoint_url'] == (endpoint, 'catalog')
    assert found['endpoint_type'] == ('swift', 'catalog')
    assert found['account'] == (account, 'catalog')
    assert account == f'AUTH_{session.get_project_id()}'
    assert found['digest'] == ('sha1', 'cluster')
    assert found['duration'] == (1200, 'default')
    # There is no container of that name here: the images are in sharded ones.
    assert found['key'][0] is None
    assert found['key'][1].startswith('not found: There is no container glance in account')
    value, source = settings_of(cloud, '--multiple-containers-seed', '3')['key']
    assert value.startswith('*** (fingerprint ') and source == 'account key'

    config = tmp_path / 'ironic.conf'
    config.write_text('[glance]\nswift_temp_url_key = a secret of Ironic\n'
                      'swift_account = AUTH_x\n')
    config.chmod(0o600)
    password = tmp_path / 'password'
    password.write_text('a secret of Redis')
    password.chmod(0o600)
    cloud.secrets.extend(['a secret of Ironic', 'a secret of Redis'])
    found = settings_of(
        cloud, '--config-file', str(config), '--digest', 'sha512',
        env={'OSC_IMGURL_DURATION': '1h',
             'OSC_IMGURL_CACHE_ARGUMENTS': 'host=127.0.0.1',
             'OSC_IMGURL_CACHE_PASSWORD_FILE': str(password)})
    assert found['key'][1] == f'[glance]swift_temp_url_key in {config}'
    assert found['account'] == ('AUTH_x', f'[glance]swift_account in {config}')
    assert found['digest'] == ('sha512', '--digest')
    assert found['duration'] == (3600, 'OSC_IMGURL_DURATION')
    assert found['cache_arguments'] == ('***', 'OSC_IMGURL_CACHE_ARGUMENTS')
    assert found['cache_password'] == ('***', 'OSC_IMGURL_CACHE_PASSWORD_FILE')


def test_settings_list_with_nobody_to_ask(cloud):
    found = settings_of(cloud, '--os-auth-type', 'none', user=None)
    assert found['digest'] == ('sha256', 'default')
    for name in ('endpoint_url', 'endpoint_type', 'account', 'key'):
        value, source = found[name]
        assert value is None and 'Give it (--' in source
