"""A real RADOS Gateway that holds Glance's images, with and without accounts in its URLs."""

import json
import time
import urllib.parse
import uuid

import pytest
import requests

from osc_imgurl.tempurl.options import METHODS, URLOptions
from osc_imgurl.tempurl.signing import Key, Parameters, allows, sign, verify
from osc_imgurl.tempurl.url import ObjectPath, parse

from .conftest import download
from .proxy import proxy

needs_ceph = pytest.mark.needs('ceph', 'ceph-mon', 'ceph-osd', 'radosgw')
pytestmark = [pytest.mark.extra, needs_ceph]
KEY = 'the key of the gateway'


@pytest.fixture(scope='module', params=[False, True], ids=['without account', 'with account'])
def with_account(request):
    return request.param


@pytest.fixture(scope='module')
def cloud(make_cloud, with_account):
    cloud = make_cloud('--radosgw', *(['--account-in-url'] if with_account else []))
    cloud.set_key(KEY)
    return cloud


@pytest.fixture(scope='module')
def gateway(cloud):
    """Scheme, host and port."""
    return cloud.sdk().object_store.get_endpoint().partition('/swift')[0]


@pytest.fixture
def account(cloud, with_account):
    project_id = cloud.sdk().session.get_project_id()
    return f'AUTH_{project_id}' if with_account else None


@pytest.fixture(autouse=True)
def the_gateway_lives(gateway):
    yield
    assert requests.get(f'{gateway}/swift/info', timeout=30).status_code == 200


def status(url, method='GET'):
    return requests.request(method, url, timeout=30).status_code


def signed(gateway, account, name, *, container='glance', key=KEY, digest='sha1', **options):
    where = ObjectPath(account, container, name)
    return sign(Parameters(f'{gateway}/swift', where, int(time.time()) + 600,
                           URLOptions(**options), digest), Key(key.encode())).url


@pytest.mark.parametrize('options', [[], ['--endpoint-type', 'radosgw']])
def test_get_head_and_range(cloud, image, data, gateway, account, options):
    row = cloud.create('cirros', *options)
    assert (row['endpoint'], row['account'], row['container'], row['object'], row['digest']) == (
        f'{gateway}/swift', account, 'glance', image, 'sha1')
    path = urllib.parse.urlsplit(row['url']).path
    assert path == '/'.join(['/swift/v1', *([account] if account else []), 'glance', image])
    assert download(row['url']) == data
    head = requests.head(row['url'], timeout=30)
    assert (head.status_code, head.headers['Content-Length']) == (200, str(len(data)))
    part = requests.get(row['url'], headers={'Range': 'bytes=1000-1999'}, timeout=30)
    assert (part.status_code, part.content) == (206, data[1000:2000])
    assert status(row['url'], 'PUT') == 403


@pytest.mark.parametrize('seed', [0, 3])
def test_signed_without_asking_anybody(cloud, gateway, account, key_file, seed):
    """An object named like an image; seed 3 puts it into a sharded container."""
    name = str(uuid.uuid4())
    container = f'glance_{name[:3]}' if seed else 'glance'
    store = cloud.sdk().object_store
    store.put(f'/{container}')
    store.put(f'/{container}/{name}', data=b'content')
    row = cloud.create(
        name, '--os-auth-type', 'none', '--endpoint-type', 'radosgw', '--endpoint-url', gateway,
        '--key-file', key_file(KEY), '--multiple-containers-seed', str(seed),
        *(['--account', account] if account else []), cloud=None)
    assert (row['container'], row['digest']) == (container, 'sha1')
    assert download(row['url']) == b'content'
    assert requests.head(row['url'], timeout=30).headers['Content-Length'] == '7'
    part = requests.get(row['url'], headers={'Range': 'bytes=3-'}, timeout=30)
    assert (part.status_code, part.content) == (206, b'tent')


def test_a_digest_that_the_gateway_refuses(cloud, image, gateway, account):
    line = cloud.refused(image, '--digest', 'sha256')
    assert '(HTTP 403): the cluster does not say that it supports sha256' in line
    assert 'Sign with sha1 (--digest).' in line
    url = cloud.create(image, '--digest', 'sha256', '--no-check')['url']
    assert status(url) == 403


def test_an_ip_range_is_refused(cloud, image, gateway, account):
    """The gateway would let everybody use the URL."""
    assert 'knows no IP range' in cloud.refused(image, '--ip-range', '203.0.113.0/24')
    added = signed(gateway, account, image) + '&temp_url_ip_range=203.0.113.0/24'
    assert status(added) == 200


def test_prefix(cloud, image, data, gateway, account):
    url = cloud.create(image, '--object-prefix', image[:8])['url']
    assert download(url) == data
    store = cloud.sdk().object_store
    other = str(uuid.uuid4())
    for name in (f'{image[:8]}-neighbour', other):
        store.put(f'/glance/{name}', data=b'other')
    assert download(url.replace(f'{image}?', f'{image[:8]}-neighbour?')) == b'other'
    assert status(url.replace(f'{image}?', f'{other}?')) in (401, 403)


@pytest.mark.parametrize('path', ['', '/', '/swift', '/swift/'])
def test_endpoint(cloud, image, data, gateway, path):
    url = cloud.create(image, '--endpoint-type', 'radosgw', '--endpoint-url', gateway + path)
    assert download(url['url']) == data


def test_the_gateway_itself_is_asked_and_not_a_proxy(cloud, image, data, gateway):
    with proxy(gateway) as cache:
        for endpoint in ([f'{cache.url}/swift'], [cache.url, '--endpoint-type', 'radosgw']):
            result = cloud.openstack('image', 'temp', 'url', 'create', image, '-f', 'value', '-c',
                                     'url', '--endpoint-url', *endpoint)
            assert (result.code, result.stderr, cache.requests) == (0, '', [])
            assert result.stdout.startswith(f'{cache.url}/swift/v1/')
            assert download(result.stdout.strip()) == data
            cache.requests.clear()


def test_an_endpoint_with_another_path(cloud, image, gateway):
    line = cloud.refused(image, '--endpoint-type', 'radosgw', '--endpoint-url',
                         gateway + '/other')
    assert 'it must be /swift or empty' in line


def test_keys(cloud, image, data):
    """The account's keys count; a container's the gateway keeps, and does not use."""
    cloud.set_key('of no use', container='glance')
    assert download(cloud.create(image)['url']) == data
    cloud.set_key('the second key', slot='-2')
    rows = cloud.rows('image', 'temp', 'url', 'check', image)
    key, = (row for row in rows if row['check'] == 'key')
    assert key['detail'].startswith('signed with account key 2')
    cloud.sdk().object_store.post('/', headers={'X-Remove-Account-Meta-Temp-URL-Key-2': 'x'})


def test_a_rotation(cloud):
    """The gateway keeps when it began."""
    rotate = ['image', 'temp', 'url', 'key', 'rotate']
    store = cloud.sdk().object_store
    assert cloud.rows(*rotate, '--longest', '1s')['slot'] == 'account key 2'
    cloud.secrets += [store.head('/').headers[f'X-Account-Meta-Temp-Url-Key{slot}']
                      for slot in ('', '-2')]
    result = cloud.openstack(*rotate, '--finish', '--longest', '1h')
    assert result.code == 1 and 'may work until' in result.stderr
    time.sleep(3)
    assert cloud.rows(*rotate, '--finish', '--longest', '1s')['slot'] == 'account key'
    assert 'X-Account-Meta-Temp-Url-Rotation' not in store.head('/').headers
    cloud.set_key(KEY)


def test_a_copy(cloud, data):
    """It is signed with the account's key: a container's has no effect."""
    name = cloud.upload('in files', data, store='file1')
    line = cloud.refused(name, '--copy', cloud='demo')
    assert 'There is no temporary URL key on' in line and 'key set --generate' in line
    generate = cloud.openstack('image', 'temp', 'url', 'key', 'set', '--generate', cloud='demo')
    assert generate.code == 0
    # All projects share one set of names for their containers: each has its own.
    own = f'image-temp-urls-{cloud.sdk("demo").session.get_project_id()}'
    row = cloud.create(name, '--copy', cloud='demo')
    assert (row['copied'], row['container'], row['digest']) == (True, own, 'sha1')
    assert download(row['url']) == data
    rows = cloud.rows('image', 'temp', 'url', 'check', '-', stdin=row['url'], cloud='demo')
    assert {each['result'] for each in rows} == {'pass', 'skipped'}
    listed, = cloud.rows('image', 'temp', 'url', 'copy', 'list', cloud='demo')
    assert (listed['image_id'], listed['size']) == (name, len(data))
    # Without an account in the URL it could be read in two ways.
    kind = 'swift' if row['account'] else 'radosgw'
    assert cloud.rows('image', 'temp', 'url', 'show', '-', '--endpoint-type', kind,
                      stdin=row['url'], cloud='demo')['copied']
    # Another project's container is in nobody's way, but for who names it.
    others = cloud.sdk('demo').object_store
    assert others.put('/image-temp-urls').ok
    assert download(cloud.create(name, '--copy')['url']) == data
    taken = {'OSC_IMGURL_COPY_CONTAINER': 'image-temp-urls'}
    assert "The container image-temp-urls is another project's" in cloud.refused(
        name, '--copy', env=taken)
    other = {'OSC_IMGURL_COPY_CONTAINER': 'copies-of-glance'}
    row_of_other = cloud.create(name, '--copy', env=other)
    assert row_of_other['container'] == 'copies-of-glance'
    assert download(row_of_other['url']) == data
    longer = cloud.create(name, '--copy', '--duration', '3h', cloud='demo')
    assert download(longer['url']) == data
    assert cloud.openstack('image', 'temp', 'url', 'copy', 'delete', name, cloud='demo').code == 0
    assert status(row['url']) == 404


def test_filename_and_expiry(cloud, image, data):
    row = cloud.create(image, '--filename', 'a b.img', '--iso8601')
    answer = requests.get(row['url'], timeout=30)
    assert answer.content == data
    assert 'a%20b.img' in answer.headers['Content-Disposition']


def check(cloud, subject, *options, user='glance'):
    """Return the name of the check that fails first, or None."""
    result = cloud.openstack('image', 'temp', 'url', 'check', subject, '-f', 'json', *options,
                             cloud=user)
    rows = json.loads(result.stdout)
    failed = next((row for row in rows if row['result'] == 'fail'), None)
    assert result.code == (1 if failed else 0)
    return failed and failed['check']


def test_check(cloud, image, gateway, account):
    url = signed(gateway, account, image)
    assert check(cloud, url) is None
    assert check(cloud, image) is None
    cloud.secrets.append('another key')
    assert check(cloud, signed(gateway, account, image, key='another key')) == 'key'
    assert check(cloud, signed(gateway, account, image, digest='sha256')) == 'digest'
    assert check(cloud, signed(gateway, account, image, method='HEAD')) == 'method'
    assert check(cloud, signed(gateway, account, 'nothing')) == 'object'
    assert check(cloud, signed(gateway, account, image).replace(image, 'nothing')) == 'path'
    assert check(cloud, signed(gateway, account, image, prefix=image[:4]).replace(
        f'prefix={image[:4]}', f'prefix={image[:2]}')) == 'query'
    assert check(cloud, signed(gateway, account, image, container='other')) == 'container'


def test_what_may_crash_a_gateway_is_not_tried(cloud, image, gateway, with_account):
    """The fixture sees that the gateway lives; it would not."""
    url = signed(gateway, None, image)
    assert check(cloud, url) == ('account' if with_account else None)
    assert check(cloud, url, '--os-auth-type', 'none', user=None) == 'account'
    bare = url.replace(f'/glance/{image}', '/glance')
    result = cloud.openstack('image', 'temp', 'url', 'check', bare)
    assert result.code == 1 and 'its path names no object' in result.stderr


@pytest.mark.parametrize('method', METHODS)
def test_the_methods_that_a_url_allows(cloud, image, gateway, account, key_file, method):
    """As we say of it; nothing that changes an object is tried."""
    url = signed(gateway, account, image, method=method)
    for asked in ('GET', 'HEAD'):
        allowed = allows(method, asked, gateway=True)
        assert status(url, asked) == (200 if allowed else 403)
        failed = verify(parse(url), Key(KEY.encode()), time.time(), asked).failed
        assert failed == (() if allowed else ('method',))
    rows = cloud.rows('image', 'temp', 'url', 'check', '-', '--method', method, stdin=url)
    assert {each['result'] for each in rows} == {'pass', 'skipped'}


@pytest.mark.parametrize('form', [
    '{gateway}/swift/v1/KEY_{project}', '{gateway}/swift/v1/{project}', '{proxy}/v1',
    '{proxy}/rgw/v1'])
def test_what_catalogs_call_a_gateway(cloud, image, data, gateway, with_account, form):
    """Its accounts have any name, and it is served below any path."""
    if with_account == form.startswith('{proxy}'):
        pytest.skip('of the other gateway')
    with proxy(f'{gateway}/swift') as between:
        between.below = '/rgw' if 'rgw' in form else ''
        storage_url = form.format(gateway=gateway, proxy=between.url,
                                  project=cloud.sdk().session.get_project_id())
        env = cloud.config(object_store_endpoint_override=storage_url)
        given = [] if with_account else ['--endpoint-type', 'radosgw']
        row = cloud.create(image, *given, env=env)
        assert row['url'].startswith(f'{storage_url}/glance/{image}?')
        assert row['account'] == (storage_url.rpartition('/')[2] if with_account else None)
        assert download(row['url']) == data
        for subject in image, row['url']:
            rows = cloud.rows('image', 'temp', 'url', 'check', subject, *given, env=env)
            assert {each['result'] for each in rows} == {'pass', 'skipped'}, rows
        result = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', 'curl', *given,
                                 env=env)
        assert result.code == 0 and f'{storage_url}/glance/{image}?' in result.stdout
        kind = 'swift' if with_account else 'radosgw'
        for options in (['--endpoint-type', kind], *([] if with_account else [[]])):
            shown = cloud.rows('image', 'temp', 'url', 'show', row['url'], *options)
            assert (shown['account'], shown['container'], shown['object']) == (
                row['account'], 'glance', image)
        if with_account:
            result = cloud.openstack('image', 'temp', 'url', 'show', row['url'])
            assert (result.code, result.stdout) == (1, '')
            said = f'account {row["account"]}, container glance, object {image}; or no account'
            assert said in result.stderr
            assert '(--endpoint-type)' in result.stderr


def test_location_show(cloud, image, account):
    row = cloud.rows('image', 'location', 'show', image)
    assert (row['scheme'], row['account'], row['container']) == (
        'swift+config', account, 'glance')


def test_show(cloud, image, gateway, account, key_file):
    row = cloud.rows('image', 'temp', 'url', 'show', signed(gateway, account, image),
                     '--key-file', key_file(KEY))
    assert (row['endpoint'], row['account'], row['image_id'], row['method']) == (
        f'{gateway}/swift', account, image, 'GET')
