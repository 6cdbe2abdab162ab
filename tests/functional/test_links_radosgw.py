"""Links in a RADOS Gateway: copies that share the image's data."""

import time

import pytest
import requests

from .conftest import download
from .links import extend, links, revoke, state, status

pytestmark = [pytest.mark.extra, pytest.mark.needs('ceph', 'ceph-mon', 'ceph-osd', 'radosgw')]
MB = 1_024_000
# As long as it may be: 2400 bytes of a header.
NOTE = '😀' * 200


@pytest.fixture(scope='module', params=[(), ('--account-in-url',)],
                ids=['without account', 'with account'])
def cloud(request, make_cloud):
    cloud = make_cloud('--radosgw', '--large-object-size', '1', *request.param)
    cloud.set_key('the key of the gateway')
    return cloud


def test_a_link(cloud, image, data):
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '--revocable')
    assert result.code == 0 and result.stderr.count('ten minutes') == 1
    row = cloud.create(image, '--revocable', '--note', NOTE)
    before = state(cloud, f'/glance/{image}')
    assert download(row['url']) == data
    part = requests.get(row['url'], headers={'Range': 'bytes=1000-1999'}, timeout=30)
    assert (part.status_code, part.content) == (206, data[1000:2000])
    head = requests.head(row['url'], timeout=30)
    assert head.headers['Content-Disposition'].endswith('cirros.raw"')
    for duration in ('30d', '1h'):
        extend(cloud, row['link'], '--duration', duration)
    assert download(row['url']) == data
    listed = next(each for each in links(cloud, '--long') if each['link'] == row['link'])
    assert listed['note'] == NOTE and 3500 < listed['expires'] - time.time() <= 3600
    revoke(cloud, '-', stdin=row['url'])
    assert status(row['url']) == 404
    assert state(cloud, f'/glance/{image}') == before
    revoke(cloud, '--all')
    assert links(cloud) == []


def test_an_image_in_segments(cloud, data):
    image = cloud.upload('segmented', (data * 7)[:2 * MB])
    line = cloud.refused(image, '--revocable')
    assert 'is in segments' in line and '--copy' in line


def test_a_container_of_another_project(cloud, image):
    """Who makes it first could read what is put there."""
    own = cloud.sdk().session.get_project_id()
    name = f'image-temp-url-links-{own}'
    store = cloud.sdk().object_store
    for each in store.get(f'/{name}').text.split():
        store.delete(f'/{name}/{each}')
    store.delete(f'/{name}')
    others = cloud.sdk('demo').object_store
    assert others.put(f'/{name}', headers={'X-Container-Read': own, 'X-Container-Write': own}).ok
    assert store.put(f'/{name}/of another', data=b'x').ok
    line = cloud.refused(image, '--revocable')
    assert f'The container {name} is another project\'s' in line and '(--copy' in line
    assert others.get(f'/{name}').text.split('\n')[0] == 'of another'
    assert others.delete(f'/{name}/of another').ok and others.delete(f'/{name}').ok
