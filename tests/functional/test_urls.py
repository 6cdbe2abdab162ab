"""What URLs do, on the oldest and the newest Swift and Glance that run on this Python."""

import hashlib
import os
import time
import urllib.parse

import pytest
import requests

from .conftest import download

LARGE = 12 * 1024 * 1000  # three of Glance's 4 MB chunks


@pytest.fixture(scope='module', params=[
    pytest.param([], id='newest'),
    pytest.param(['--oldest'], id='oldest', marks=pytest.mark.extra)])
def cloud(make_cloud, request):
    cloud = make_cloud('--large-object-size', '4', *request.param)
    cloud.set_key('the account key')
    return cloud


def get(url, method='GET', **headers):
    return requests.request(method, url, headers=headers, timeout=30)


def test_head_and_range(cloud, image, data):
    url = cloud.create(image)['url']
    head = get(url, 'HEAD')
    assert (head.status_code, head.headers['Content-Length']) == (200, str(len(data)))
    part = get(url, Range='bytes=1000-1999')
    assert (part.status_code, part.content) == (206, data[1000:2000])
    assert get(url, 'PUT').status_code == 401


def test_segmented_image(cloud):
    content = os.urandom(LARGE)
    image_id = cloud.upload('segmented', content)
    manifest = cloud.sdk().object_store.head(f'/glance/{image_id}').headers
    assert manifest['X-Object-Manifest'] == f'glance/{image_id}-'
    url = cloud.create('segmented')['url']
    assert hashlib.sha256(get(url).content).digest() == hashlib.sha256(content).digest()
    assert get(url, 'HEAD').headers['Content-Length'] == str(LARGE)
    border = LARGE // 3
    across = get(url, Range=f'bytes={border - 10}-{border + 9}')
    assert (across.status_code, across.content) == (206, content[border - 10:border + 10])


@pytest.mark.parametrize('digest', ['sha1', 'sha256', 'sha512'])
def test_digest(cloud, image, data, digest):
    row = cloud.create(image, '--digest', digest)
    assert row['digest'] == digest
    assert download(row['url']) == data


def test_method(cloud, image, data):
    row = cloud.create(image, '--method', 'head')
    assert row['method'] == 'HEAD'
    assert get(row['url'], 'HEAD').status_code == 200
    assert get(row['url']).status_code == 401


def test_ip_range(cloud, image, data):
    assert download(cloud.create(image, '--ip-range', '127.0.0.0/8')['url']) == data
    assert get(cloud.create(image, '--ip-range', '203.0.113.7')['url']).status_code == 401


def test_prefix(cloud, image, data):
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '--object-prefix', image[:8],
                             '-f', 'value', '-c', 'url')
    line, = result.stderr.splitlines()
    assert f'every object in the container glance whose name begins with {image[:8]}' in line
    url = result.stdout.strip()
    assert download(url) == data
    neighbour = cloud.sdk().object_store
    neighbour.put(f'/glance/{image[:8]}-other', data=b'other')
    assert get(url.replace(image + '?', image[:8] + '-other?')).content == b'other'
    neighbour.delete(f'/glance/{image[:8]}-other')
    assert 'does not begin with the prefix' in cloud.refused(image, '--object-prefix', 'zzz')


def test_empty_prefix_opens_the_container_and_says_so(cloud, image, data):
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '--object-prefix', '',
                             '-f', 'value', '-c', 'url')
    assert download(result.stdout.strip()) == data
    assert 'every object in the container glance' in result.stderr


@pytest.mark.parametrize(('options', 'disposition'), [
    (['--filename', 'my "image" ü%.img'],
     'attachment; filename="my %22image%22 %C3%BC%25.img"; '
     "filename*=UTF-8''my%20%22image%22%20%C3%BC%25.img"),
    (['--inline'], 'inline'),
    (['--inline', '--filename', 'a.img'],
     "inline; filename=\"a.img\"; filename*=UTF-8''a.img"),
])
def test_disposition(cloud, image, options, disposition):
    answer = get(cloud.create(image, *options)['url'])
    assert answer.status_code == 200
    assert urllib.parse.unquote(answer.headers['Content-Disposition']) == urllib.parse.unquote(
        disposition)


def test_expiry_forms(cloud, image, data):
    row = cloud.create(image, '--duration', '2h', '--iso8601')
    assert f'temp_url_expires={row["expires_at"]}' in row['url']
    assert download(row['url']) == data
    row = cloud.create(image, '--expires-at', '2037-01-31T18:00:00+01:00')
    assert row['expires_at'] == '2037-01-31T17:00:00Z'
    assert download(row['url']) == data


def test_expired(cloud, image):
    url = cloud.create(image, '--duration', '1', '--no-check')['url']
    expires = int(urllib.parse.parse_qs(url)['temp_url_expires'][0])
    while time.time() <= expires + 1:
        time.sleep(0.2)
    assert get(url).status_code == 401


def test_key_comes_from_the_newest_slot_of_the_container(cloud, image, data, key_file):
    """The URL with the key looked up is the one with the key told."""
    def url(*options):
        return cloud.create(image, '--expires-at', '2037-01-01T00:00:00Z', *options)['url']

    account_url = url()
    assert account_url == url('--key-file', key_file('the account key'))
    try:
        for slot, key in (('', 'the container key'), ('-2', 'container key % 41 %41 ü')):
            cloud.set_key(key.encode().decode('latin-1'), container='glance', slot=slot)
            cloud.secrets.append(key)
            container_url = url()
            assert container_url == url('--key-file', key_file(key))
            assert download(container_url) == data
            assert container_url != account_url
    finally:
        for slot in ('', '-2'):
            cloud.sdk().object_store.post(
                '/glance', headers={f'X-Remove-Container-Meta-Temp-URL-Key{slot}': 'x'})


def test_the_other_commands(cloud, image, data):
    rows = cloud.rows('image', 'temp', 'url', 'check', image)
    assert {row['result'] for row in rows} == {'pass', 'skipped'}
    row, = cloud.rows('image', 'temp', 'url', 'list', image, '--check')
    assert download(row['url']) == data
    location = cloud.rows('image', 'location', 'show', image)
    assert (location['container'], location['object']) == ('glance', image)
    assert cloud.rows('image', 'temp', 'url', 'key', 'rotate')['slot'] == 'account key 2'
    store = cloud.sdk().object_store
    for slot in ('', '-2'):
        cloud.secrets.append(store.head('/').headers[f'X-Account-Meta-Temp-Url-Key{slot}'])
    assert download(cloud.create(image)['url']) == download(row['url']) == data
    finished = cloud.rows('image', 'temp', 'url', 'key', 'rotate', '--finish', '--force')
    assert finished['slot'] == 'account key'
    assert requests.get(row['url'], timeout=30).status_code == 401
    assert download(cloud.create(image)['url']) == data
