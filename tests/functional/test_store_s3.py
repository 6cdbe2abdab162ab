"""Images in Glance's S3 store on a RADOS Gateway: a URL of the Swift API opens the bucket."""

import http.client
import json
import os
import urllib.parse
import uuid

import pytest
import requests

from .conftest import download
from .locations import plant

pytestmark = [pytest.mark.extra,
              pytest.mark.needs('ceph', 'ceph-mon', 'ceph-osd', 'radosgw')]
BUCKET = 'glance-s3'
# Glance's smallest that makes segments: in its S3 store, and in the Swift store.
PARTS, SEGMENT = 10 * 2**20, 1_024_000


@pytest.fixture(scope='module', params=[False, True], ids=['without account', 'with account'])
def with_account(request):
    return request.param


@pytest.fixture(scope='module')
def cloud(make_cloud, with_account):
    cloud = make_cloud('--radosgw', '--s3-store', '--large-object-size', '1',
                       *(['--account-in-url'] if with_account else []))
    cloud.set_key('the key of the gateway')
    return cloud


@pytest.fixture(scope='module')
def conf(cloud):
    return ['--config-file', str(cloud.folder / 'glance/glance-api.conf')]


@pytest.fixture(scope='module')
def gateway(cloud):
    """Scheme, host and port."""
    return cloud.sdk().object_store.get_endpoint().partition('/swift')[0]


@pytest.fixture(scope='module')
def account(cloud, with_account):
    return f'AUTH_{cloud.sdk().session.get_project_id()}' if with_account else None


@pytest.fixture(scope='module')
def parts(cloud):
    """The ID of an image in parts, and its data."""
    data = os.urandom(PARTS + 1000)
    return cloud.upload('in parts', data), data


def no_gateway(cloud, gateway):
    """Return what makes the catalog's object store a plain Swift for a command."""
    project = cloud.sdk().session.get_project_id()
    return cloud.config(object_store_endpoint_override=f'{gateway}/v1/AUTH_{project}')


def range_of(url, first, last):
    """Return how many bytes an answer says that it has, and how many it has."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request('GET', f'{parts.path}?{parts.query}', headers={
        'Range': f'bytes={first}-{last}', 'Connection': 'close'})
    answer = connection.getresponse()
    assert answer.status == 206
    # It would stop reading where the answer says.
    return int(answer.headers['Content-Length']), len(answer.fp.read())


def test_an_image_in_the_bucket(cloud, image, data, conf, gateway, account):
    row = cloud.create('cirros', *conf)
    assert (row['endpoint'], row['account'], row['container'], row['object'], row['copied']) == (
        f'{gateway}/swift', account, BUCKET, image, False)
    assert download(row['url']) == data
    for subject in 'cirros', row['url']:
        rows = cloud.rows('image', 'temp', 'url', 'check', subject, *conf)
        assert {each['result'] for each in rows} == {'pass', 'skipped'}, rows
    listed = {each['image_id']: each for each in cloud.rows(
        'image', 'temp', 'url', 'list', '--check', *conf)}
    assert download(listed[image]['url']) == data
    result = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', 'curl', *conf)
    assert result.code == 0 and f'/{BUCKET}/{image}?' in result.stdout
    # Its data is compared: no copy is needed.
    assert not cloud.create('cirros', '--copy', *conf)['copied']


def test_an_image_in_parts(cloud, parts, conf):
    image, data = parts
    url = cloud.create(image, *conf)['url']
    assert download(url) == data
    head = requests.head(url, timeout=30)
    assert (head.status_code, head.headers['Content-Length']) == (200, str(len(data)))
    edge = 5 * 2**20
    part = requests.get(url, headers={'Range': f'bytes={edge - 9}-{edge + 9}'}, timeout=30)
    assert (part.status_code, part.content) == (206, data[edge - 9:edge + 10])
    assert range_of(url, edge - 9, edge + 9) == (19, 19)


def test_where_it_is(cloud, image, gateway, account, conf):
    row = cloud.rows('image', 'location', 'show', 'cirros', *conf)
    uri = f's3://{gateway.partition("://")[2]}/{BUCKET}/{image}'
    assert (row['scheme'], row['account'], row['container'], row['object'], row['trusted']) == (
        's3', account, BUCKET, image, uri)
    assert (row['container_by_rule'], row['container_agrees'], row['untrusted']) == (
        BUCKET, True, [])
    account = f'/{account}' if account else ''
    assert row['targets'] == [f's31: {gateway}/swift/v1{account}/{BUCKET}/{image}']


def test_who_gives_the_bucket(cloud, image, data):
    """The store's own setting, or one for all images; sharding is nothing to a bucket."""
    for given in ({'stores': {'s31': {'container': BUCKET}}, 'multiple_containers_seed': 3},
                  {'container': BUCKET, 'multi_tenant': True}):
        env = cloud.config(image_temp_url=given)
        result = cloud.openstack('image', 'temp', 'url', 'create', image, '-f', 'value', '-c',
                                 'url', env=env)
        assert (result.code, result.stderr) == (0, '')
        assert download(result.stdout.strip()) == data
    assert download(cloud.create(image, '--container', BUCKET)['url']) == data


def test_nobody_gives_the_bucket(cloud, image, data):
    line = cloud.refused('cirros')
    assert f'its bucket is {BUCKET}, and neither a container nor a glance-api.conf' in line
    assert 'have the image copied' in line and '--copy' in line
    row = cloud.create('cirros', '--copy')
    assert row['copied'] and download(row['url']) == data
    env = cloud.config(image_temp_url={'stores': {'s31': {'container': 'other'}}})
    assert f'its bucket is {BUCKET}, and the settings give other' in cloud.refused(image, env=env)


def test_without_a_gateway(cloud, image, gateway, conf):
    env = no_gateway(cloud, gateway)
    for options in conf, []:
        line = cloud.refused(image, *options, env=env)
        assert f'({image}) is not in Swift but in s3 (store s31)' in line and '--copy' in line
    row = cloud.rows('image', 'location', 'show', image, *conf, env=env)
    assert (row['scheme'], row['trusted'], row['untrusted'], row['container']) == (
        's3', None, [], None)


def test_what_users_write(cloud, image, conf, gateway):
    """Glance keeps it, and gives out the object with rights of its own; we sign nothing."""
    store = cloud.sdk().object_store
    own = str(uuid.uuid4())
    assert store.put('/private').ok and store.put(f'/private/{own}', data=b'not for all').ok
    host = gateway.partition('://')[2]
    for name, uri, why in (
            ('of another', f's3://{host}/{BUCKET}/{image}', f'its object is {image}'),
            ('elsewhere', f's3://evil.example.com/{BUCKET}/{image}', f'its object is {image}'),
            ('private', f's3://{host}/private/{own}', 'its bucket is private'),
            ('odd', f's3://{host}/{BUCKET}/{image}?{own}', 'not of a form that Glance writes')):
        planted = cloud.upload(name, cloud='demo', visibility='private',
                               id=own if name == 'private' else str(uuid.uuid4()))
        plant(cloud, planted, uri, store='s31')
        line = cloud.refused(planted, *conf)
        assert why in line
        result = cloud.openstack('image', 'location', 'show', planted, *conf, '--debug')
        assert result.code == 0 and why in result.stdout


def test_access_key_and_secret_in_the_location(make_cloud, data):
    """As older releases of Glance write it; no secret is printed, logged or kept."""
    cloud = make_cloud('--oldest', '--radosgw', '--s3-store')
    cloud.set_key('a key')
    conf = ['--config-file', str(cloud.folder / 'glance/glance-api.conf')]
    image = cloud.upload('cirros', data)
    written = cloud.sdk().image.get(f'/images/{image}').json()['direct_url']
    settings = json.loads((cloud.folder / 'settings.json').read_text())['passwords']
    assert f's3://{settings["s3_access_key"]}:{settings["s3_secret_key"]}@' in written
    masked = f's3://***@{written.partition("@")[2]}'
    planted = cloud.upload('planted', cloud='demo', visibility='private')
    plant(cloud, planted, written, store='s31')
    row = cloud.create(image, '--cache', *conf)
    assert download(row['url']) == data
    shown = cloud.rows('image', 'location', 'show', image, *conf)
    assert shown['trusted'] == shown['direct_url'] == masked
    for code, *command in (
            (0, 'temp', 'url', 'create', image, '--cache'), (0, 'temp', 'url', 'check', image),
            (1, 'temp', 'url', 'create', planted), (1, 'temp', 'url', 'list'),
            (0, 'location', 'show', image), (0, 'location', 'show', planted)):
        result = cloud.openstack('image', *command, *conf, '--debug')
        assert result.code == code
        assert ('password of its image store' in result.stderr) == ('show' in command)
    assert masked in cloud.refused(image) and masked in cloud.refused(planted, *conf)
    kept = b''.join(path.read_bytes() for path in cloud.home.rglob('*') if path.is_file())
    assert image.encode() in kept
    assert not any(secret.encode() in kept for secret in cloud.secrets)


def test_a_segmented_image_of_the_swift_store(cloud, conf, tmp_path):
    """The gateway sends a byte too many for its ranges: a warning says so, and a copy helps."""
    data = os.urandom(2 * SEGMENT)
    image = cloud.upload('segmented', data, store='swift1')
    create = ['image', 'temp', 'url', 'create', image, *conf, '-f', 'json']
    warning = 'RADOS Gateways (seen of Ceph 16) send one byte too many for a range'
    result = cloud.openstack(*create)
    assert result.code == 0 and warning in result.stderr
    assert 'Have the image copied (--copy).' in result.stderr
    url = json.loads(result.stdout)['url']
    assert download(url) == data
    assert range_of(url, 100, 199) == (100, 101)
    row, = (each for each in cloud.rows('image', 'temp', 'url', 'check', image, *conf)
            if each['check'] == 'object')
    assert warning in row['detail'] and row['remedy'] == 'Have the image copied (--copy).'
    copied = cloud.openstack(*create, '--copy')
    assert copied.code == 0 and warning not in copied.stderr
    row = json.loads(copied.stdout)
    assert row['copied'] and download(row['url']) == data
    assert range_of(row['url'], 100, 199) == (100, 100)


def test_hidden_locations(make_cloud, data):
    """The settings alone say where it is; on a plain Swift it is in no container."""
    cloud = make_cloud('--radosgw', '--s3-store', '--hide-locations')
    cloud.set_key('a key')
    image = cloud.upload('cirros', data)
    conf = ['--config-file', str(cloud.folder / 'glance/glance-api.conf')]
    env = cloud.config(image_temp_url={'stores': {'s31': {'container': BUCKET}}})
    for options, given in (conf, None), ([], env):
        row = cloud.create('cirros', *options, env=given)
        assert (row['container'], row['object']) == (BUCKET, image)
        assert download(row['url']) == data
    gateway = cloud.sdk().object_store.get_endpoint().partition('/swift')[0]
    line = cloud.refused(image, *conf, env=no_gateway(cloud, gateway))
    assert f'({image}) is not in Swift but in s3 (store s31)' in line
