"""Links on Swifts old and new, with and without symbolic links, and to images in segments."""

import json
import secrets
import time

import pytest
import requests

from .conftest import download
from .links import CONTAINER, end_of, extend, links, revoke, state, status

# Of a segment; Glance's own tests of sizes are not to be repeated.
MB = 1_024_000


@pytest.fixture(scope='module', params=[
    pytest.param((), id='newest'), pytest.param(('--no-symlink', '--seed', '3'), id='no symlink'),
    pytest.param(('--store', 'multi-tenant'), id='multi-tenant'),
    pytest.param(('--oldest', '--seed', '3'), id='oldest', marks=pytest.mark.extra),
    pytest.param(('--oldest', '--no-symlink', '--store', 'multi-tenant'),
                 id='oldest, no symlink', marks=pytest.mark.extra)])
def cloud(request, make_cloud):
    cloud = make_cloud('--large-object-size', '1', *request.param)
    cloud.symlinks = '--no-symlink' not in request.param
    cloud.user = 'demo' if 'multi-tenant' in request.param else 'glance'
    cloud.set_key('a key', cloud=cloud.user)
    return cloud


@pytest.fixture(scope='module', params=[300_000, 2 * MB], ids=['plain', 'segments'])
def content(request):
    return secrets.token_bytes(request.param)


@pytest.fixture(scope='module')
def image(cloud, content):
    return cloud.upload('ubuntu', content, cloud=cloud.user, visibility='private')


def test_a_link(cloud, image, content):
    user = {'cloud': cloud.user}
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '--revocable', '--note',
                             'for Bob', '--check', '-f', 'json', **user)
    assert ('can read its note' in result.stderr) is not cloud.symlinks
    row = json.loads(result.stdout)
    path = f'/{row["container"]}/{image}'
    before = state(cloud, path, cloud.user)
    assert download(row['url']) == content
    part = requests.get(row['url'], headers={'Range': f'bytes={len(content) - 100}-'}, timeout=30)
    assert (part.status_code, part.content) == (206, content[-100:])
    head = requests.head(row['url'], timeout=30)
    assert ('note=' in head.headers['Content-Type']) is not cloud.symlinks
    assert 'filename="ubuntu.raw"' in head.headers['Content-Disposition']
    for duration in ('30d', '1h'):
        extend(cloud, row['link'], '--duration', duration, **user)
        assert download(row['url']) == content
    listed, = links(cloud, '--long', **user)
    assert (listed['link'], listed['note']) == (row['link'], 'for Bob')
    assert 3500 < listed['expires'] - time.time() <= 3600
    own = state(cloud, f'/{CONTAINER}/{image}/{row["link"]}/ubuntu.raw?symlink=get', cloud.user)
    assert own['X-Delete-At'] == str(listed['expires'])
    assert ('X-Symlink-Target' in own, 'X-Object-Manifest' in own) == (
        cloud.symlinks, not cloud.symlinks)
    assert ('X-Symlink-Target-Etag' in own) == (cloud.symlinks and len(content) < MB)
    other = cloud.create(image, '--revocable', **user)
    revoke(cloud, '-', stdin=row['url'], **user)
    assert (status(row['url']), status(other['url'])) == (404, 200)
    extend(cloud, '-', '--duration', '2s', stdin=other['url'], **user)
    end_of(other['url'])
    assert state(cloud, path, cloud.user) == before
    assert download(cloud.create(image, **user)['url']) == content


def test_an_image_that_is_gone(cloud, content):
    user = {'cloud': cloud.user}
    image = cloud.upload('gone', content, visibility='private', **user)
    row = cloud.create(image, '--revocable', **user)
    cloud.sdk(cloud.user).image.delete_image(image)
    if cloud.symlinks or cloud.user == 'demo':
        # In a multi-tenant store its container is gone, too.
        assert status(row['url']) == 404
    else:
        # The link's manifest stands for nothing then.
        assert download(row['url']) == b''
    revoke(cloud, '--image', image, **user)
