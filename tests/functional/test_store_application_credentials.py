"""A store that reads with application credentials: its locations name Keystone, and no user."""

import pathlib
import tempfile

import pytest

from .conftest import download, tool

CONTAINERS = {'glance': 0, 'sharded': 3}


@pytest.fixture(scope='module', params=CONTAINERS)
def cloud(make_cloud, request):
    """A cloud whose Glance starts again, with other credentials."""
    cloud = make_cloud('--store', 'credentials', '--seed', str(CONTAINERS[request.param]))
    cloud.set_key('a key')
    identity = cloud.sdk().identity
    user = cloud.sdk().session.get_user_id()
    made = identity.post(f'/users/{user}/application_credentials', json={
        'application_credential': {'name': 'of the store'}}).json()['application_credential']
    cloud.secrets.append(made['secret'])
    config = cloud.folder / 'glance/glance-api.conf'
    lines = [line for line in config.read_text().splitlines()
             if not line.startswith(('swift_store_user', 'swift_store_key'))]
    end = lines.index('[glance_store]') + 1
    lines[end:end] = [f'swift_store_application_credential_id = {made["id"]}',
                      f'swift_store_application_credential_secret = {made["secret"]}']
    config.write_text('\n'.join(lines))
    tool('down', cloud.folder)
    tool('up', cloud.folder, '--fork-from', pathlib.Path(tempfile.gettempdir()) / 'forking')
    return cloud


@pytest.fixture
def seed(cloud, image):
    """The options by which the settings give the image's container."""
    location = cloud.sdk().image.get(f'/images/{image}').json()['direct_url']
    keystone = cloud.sdk().config.get_auth_args()['auth_url'].partition('://')[2]
    container = location.rsplit('/', 2)[1]
    assert location == f'swift+http://{keystone}/{container}/{image}'
    return ['--multiple-containers-seed', '3'] if container != 'glance' else []


def test_a_url(cloud, image, data, seed):
    row = cloud.create('cirros', *seed)
    project = cloud.sdk().session.get_project_id()
    assert (row['account'], row['object']) == (f'AUTH_{project}', image)
    assert download(row['url']) == data
    listed, = cloud.rows('image', 'temp', 'url', 'list', '--check', *seed)
    assert download(listed['url']) == data
    for subject in 'cirros', row['url']:
        rows = cloud.rows('image', 'temp', 'url', 'check', subject, *seed)
        assert {each['result'] for each in rows} == {'pass', 'skipped'}
    shown = cloud.rows('image', 'location', 'show', 'cirros', *seed)
    assert (shown['container'], shown['trusted']) == (row['container'], shown['locations'][0])


def test_the_container_must_be_the_settings(cloud, image, seed):
    if seed:
        line = cloud.refused('cirros')
        assert f'its container is glance_{image[:3]}, and the settings give glance' in line
        assert '--copy' in line


def test_a_copy(cloud, image, data):
    """Keystone knows every token: where Glance sends it there, nothing is lost."""
    row = cloud.create('cirros', '--copy', cloud='demo')
    assert row['copied'] is True
    assert download(row['url']) == data
