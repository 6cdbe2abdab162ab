"""URLs that are extended and revoked one by one, on real clouds."""

import concurrent.futures
import json
import re
import secrets
import subprocess
import time

import pytest
import requests

from ..conftest import require
from .conftest import download
from .links import CONTAINER, LINK, end_of, extend, links, revoke, state, status

NOTE = 'für Bob; end=1, "ö"\n%41'


@pytest.fixture(autouse=True)
def no_links_left(cloud):
    yield
    assert cloud.openstack(*LINK, 'revoke', '--all').code == 0


@pytest.fixture
def untouched(cloud, image):
    """See that nothing changes the image's object."""
    before = state(cloud, f'/glance/{image}')
    yield
    assert state(cloud, f'/glance/{image}') == before and 'X-Delete-At' not in before


@pytest.mark.usefixtures('untouched')
def test_create_extend_and_revoke(cloud, image, data):
    row = cloud.create('cirros', '--revocable', '--note', NOTE, '--duration', '7d')
    assert re.fullmatch('[0-9a-f]{32}', row['link'])
    assert 7 * 86400 - 60 < row['expires'] - time.time() <= 7 * 86400
    assert f'/{CONTAINER}/{image}/{row["link"]}/cirros.raw?' in row['url']
    assert (row['container'], row['object'], row['copied'], row['cached']) == (
        'glance', image, False, False)
    assert download(row['url']) == data
    head = requests.head(row['url'], timeout=30)
    assert head.headers['Content-Length'] == str(len(data))
    assert 'filename="cirros.raw"' in head.headers['Content-Disposition']
    assert 'X-Delete-At' not in head.headers and 'link' not in head.headers['Content-Type']
    part = requests.get(row['url'], headers={'Range': 'bytes=1000-1999'}, timeout=30)
    assert (part.status_code, part.content) == (206, data[1000:2000])
    listed, = links(cloud)
    assert (listed['link'], listed['image_id'], listed['expires_at'], listed['note']) == (
        row['link'], image, row['expires_at'], NOTE)

    longer = extend(cloud, row['link'], '--duration', '30d')
    assert longer['expires_at'] > row['expires_at'] and longer['note'] == NOTE
    assert links(cloud)[0]['expires_at'] == longer['expires_at']
    assert download(row['url']) == data

    revoke(cloud, row['link'])
    assert status(row['url']) == 404
    assert links(cloud) == []


def test_options_of_create(cloud, image, data):
    end = int(time.time()) + 86400
    row = cloud.create(image, '--revocable', '--expires-at', str(end), '--digest', 'sha512',
                       '--filename', 'for Bob.img', '--inline', '--ip-range', '127.0.0.0/8')
    assert (row['expires'], row['digest'], links(cloud)[0]['link']) == (end, 'sha512', row['link'])
    assert 'temp_url_ip_range=127.0.0.0' in row['url'] and download(row['url']) == data
    disposition = requests.head(row['url'], timeout=30).headers['Content-Disposition']
    assert disposition.startswith('inline; filename="for Bob.img"')


@pytest.mark.parametrize('name', ['..', 'a\nb', '%2e%2e/#?', 'x"; filename="y', '\x1b[31m'])
def test_names_of_images(cloud, data, name):
    row = cloud.create(cloud.upload(name, data), '--revocable')
    assert download(row['url']) == data
    revoke(cloud, '-', stdin=row['url'])
    assert status(row['url']) == 404


def test_an_end_that_comes(cloud, image, data):
    """It is the link's, and not that of the signature; extended sooner and later."""
    kept, ends = (cloud.create(image, '--revocable', '--duration', '4s') for _ in range(2))
    extend(cloud, '-', '--duration', '1h', stdin=kept['url'])
    end_of(ends['url'])
    assert time.time() - ends['expires'] < 2
    assert download(kept['url']) == data
    assert [each['link'] for each in links(cloud)] == [kept['link']]
    expired = links(cloud, '--expired')
    assert {each['link'] for each in expired} == {kept['link'], ends['link']}
    assert next(each for each in expired
                if each['link'] == ends['link'])['remaining'].startswith('expired ')
    result = cloud.openstack(*LINK, 'extend', ends['link'], kept['link'], '--duration', '2s')
    assert result.code == 1 and f'There is no link {ends["link"]}' in result.stderr
    assert kept['link'] in result.stdout
    end_of(kept['url'])


def test_no_longer_than_the_signature(cloud, image):
    row = cloud.create(image, '--revocable', '--longest', '1d')
    line = cloud.openstack(*LINK, 'extend', row['link'], '--duration', '2d').stderr
    assert 'The signature of the URL expires at' in line and '--longest' in line
    assert 'expires at' in cloud.refused(
        image, '--revocable', '--longest', '1d', '--duration', '2d')
    assert 'is past' in cloud.openstack(
        *LINK, 'extend', row['link'], '--expires-at', '2020-01-01').stderr
    long, = links(cloud, '--long')
    assert long['expires'] == row['expires'] and long['file_name'] == 'cirros.raw'
    assert long['signed_until'] > row['expires_at']


def test_only_one_is_revoked(cloud, image):
    """By its URL, of many; at once."""
    rows = [cloud.create(image, '--revocable', '--no-check') for _ in range(5)]
    revoke(cloud, '-', stdin=rows[2]['url'])
    assert [status(row['url']) for row in rows] == [200, 200, 404, 200, 200]
    assert len(links(cloud, '--image', image)) == 4
    revoke(cloud, '--image', image)
    assert {status(row['url']) for row in rows} == {404}


def test_a_download_in_progress_finishes(cloud, data):
    large = cloud.upload('large', data * 100)
    row = cloud.create(large, '--revocable')
    with requests.get(row['url'], stream=True, timeout=30) as answer:
        chunks = answer.iter_content(100_000)
        content = next(chunks)
        revoke(cloud, row['link'])
        assert status(row['url']) == 404
        content += b''.join(chunks)
    assert content == data * 100


def test_list_and_export(cloud, image, data):
    row, = cloud.rows('image', 'temp', 'url', 'list', image, '--revocable')
    assert row['link'] and download(row['url']) == data
    script = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', 'curl',
                             env={'OSC_IMGURL_REVOCABLE': 'true'})
    assert script.code == 0 and f'/{CONTAINER}/' in script.stdout
    assert len(links(cloud)) == 2


def test_replaced_data_is_refused(cloud, data):
    image = cloud.upload('replaced', data)
    row = cloud.create(image, '--revocable')
    cloud.sdk().object_store.put(f'/glance/{image}', data=data[::-1])
    assert status(row['url']) == 409


@pytest.mark.parametrize(('options', 'words'), [
    (['--method', 'PUT'], 'A URL for PUT would change the link'),
    (['--object-prefix', ''], '--object-prefix'),
    (['--copy'], '(--copy, --revocable)'),
    (['--note', 'x' * 201], 'may have 200'),
    (['--longest', 'never'], 'Invalid time')])
def test_what_no_link_can_be(cloud, image, options, words):
    assert words in cloud.refused(image, '--revocable', *options)
    assert links(cloud) == []


def test_never_a_link_to_a_static_large_object(cloud, image):
    """Some tools delete its segments with the link."""
    store = cloud.sdk().object_store
    assert store.put('/glance/segment', data=b'x').ok
    assert store.put('/glance/large', params={'multipart-manifest': 'put'},
                     json=[{'path': '/glance/segment'}]).ok
    line = cloud.refused(image, '--revocable', '--object', 'large')
    assert 'is in segments' in line and '--copy' in line
    assert links(cloud) == []


@pytest.mark.parametrize('reference', [
    '..', 'a/b', '%2e%2e', '', '0' * 32, 'http://127.0.0.1:1/x', '{url}/..', '{url}%0a'])
def test_what_names_no_link(cloud, image, reference):
    row = cloud.create(image, '--revocable')
    path, _, query = row['url'].partition('?')
    reference = reference.format(url=path) + (f'?{query}' if '{' in reference else '')
    for command in (['extend', '--duration', '7d'], ['revoke']):
        result = cloud.openstack(*LINK, *command, reference)
        assert result.code == 1 and len(result.stderr.strip().splitlines()) == 1
    assert status(row['url']) == 200


def test_a_url_at_another_host(cloud, image):
    """Nobody is asked there: the account of these credentials has the link, or nobody."""
    row = cloud.create(image, '--revocable')
    elsewhere = re.sub(r'//[^/]+', '//127.0.0.1:1', row['url'])
    assert extend(cloud, elsewhere, '--duration', '7d')['link'] == row['link']
    for command in (['extend', '--duration', '1s'], ['revoke']):
        result = cloud.openstack(*LINK, *command, '-', stdin=row['url'], cloud='demo')
        assert result.code == 1 and f'There is no link {row["link"]}' in result.stderr
    assert links(cloud)[0]['remaining'].startswith('6 days')


def test_what_others_write_into_the_container(cloud, image):
    """Only what has the form of a link is one, and what it says is shown as text."""
    made = cloud.create(image, '--revocable')['link']
    store = cloud.sdk().object_store
    of_link = 'application/x-image-temp-url-link; end=9999999999; until=999999999999; key='
    for name, content_type in (
            (f'{image}/{"0" * 32}/%1b[31m%0a', f'{of_link}{"0" * 12}; note=%0a%1b'),
            (f'{image}/{"1" * 32}/x', 'text/plain'), (f'{image}/{"2" * 32}', of_link),
            (f'{"-" * 36}/{"3" * 32}/x', f'{of_link}{"0" * 12}')):
        assert store.put(f'/{CONTAINER}/{name}', headers={'Content-Type': content_type}).ok
    table = cloud.openstack(*LINK, 'list', '--long').stdout
    assert r'\n\x1b' in table and '\x1b' not in table
    assert {each['link'] for each in links(cloud)} == {made, '0' * 32}
    revoke(cloud, '--all')
    names = store.get(f'/{CONTAINER}').text.splitlines()
    assert {name.split('/')[1] for name in names} == {'1' * 32, '2' * 32, '3' * 32}
    for name in names:
        assert store.delete(f'/{CONTAINER}/{name}').ok


def test_nobody_to_ask(cloud, image):
    line = cloud.refused(
        image, '--revocable', '--os-auth-type', 'none', '--endpoint-url', 'http://127.0.0.1:1',
        '--account', 'AUTH_x', '--key-file', '-', stdin='a key', cloud=None)
    assert 'and so authentication' in line


def test_without_revocable(cloud, image):
    assert '--revocable' in cloud.refused(image, '--note', 'for Bob')
    row = cloud.create(image)
    assert row['link'] is None
    result = cloud.openstack(*LINK, 'revoke', '-', stdin=row['url'])
    assert result.code == 1 and 'can be neither extended nor revoked' in result.stderr
    assert status(row['url']) == 200


def test_keys(cloud, image, data, key_file):
    """Only the account's sign; those of a container are told apart."""
    store = cloud.sdk().object_store
    cloud.set_key('the key of glance', container='glance')
    assert download(cloud.create(image, '--revocable')['url']) == data
    assert 'The given key is not' in cloud.refused(
        image, '--revocable', '--key-file', key_file('the key of glance'))
    store.post('/glance', headers={'X-Remove-Container-Meta-Temp-URL-Key': 'x'})
    assert download(cloud.create(image, '--revocable', '--key-file', key_file('a key'))['url']
                    ) == data


def test_another_account(cloud, image, key_file):
    account = cloud.create(image)['account']
    line = cloud.refused(image, '--revocable', '--account', account, '--key-file',
                         key_file('a key'), cloud='demo')
    assert f'The image is in account {account}' in line and '--copy' in line


@pytest.mark.parametrize('header', ['Write', 'Read'])
def test_a_container_that_others_may_use(cloud, image, header):
    store = cloud.sdk().object_store
    store.put(f'/{CONTAINER}')
    store.post(f'/{CONTAINER}', headers={f'X-Container-{header}': 'demo:demo'})
    line = cloud.refused(image, '--revocable')
    assert f'its X-Container-{header} is demo:demo' in line
    store.post(f'/{CONTAINER}', headers={f'X-Container-{header}': ''})
    assert links(cloud) == []


def test_a_url_that_does_not_work_leaves_no_link(cloud, image, key_file):
    """It is signed with a digest that this Swift does not know of."""
    line = cloud.refused(image, '--revocable', '--api-version', 'v2', '--check')
    assert 'does not work' in line
    assert links(cloud) == []


def test_two_extend_at_once(cloud, image):
    row = cloud.create(image, '--revocable')
    with concurrent.futures.ThreadPoolExecutor() as threads:
        done = list(threads.map(lambda days: cloud.openstack(
            *LINK, 'extend', row['link'], '--duration', f'{days}d', true_process=True), (2, 3)))
    assert 0 in {each.code for each in done}
    long, = links(cloud, '--long')
    left = long['expires'] - time.time()
    assert any(days * 86400 - 120 < left <= days * 86400 for days in (2, 3))
    assert status(row['url']) == 200


def check(cloud, url, /, *options, **kwargs):
    """Return what the checks say, by name, and the first that fails."""
    result = cloud.openstack(
        'image', 'temp', 'url', 'check', '-', '-f', 'json', *options, stdin=url, **kwargs)
    rows = {row['check']: row for row in json.loads(result.stdout)}
    failed = next((row for row in rows.values() if row['result'] == 'fail'), None)
    assert result.code == (1 if failed else 0)
    return rows, failed and (failed['check'], failed['detail'])


@pytest.mark.parametrize('who', [
    {'cloud': 'glance'}, {'cloud': 'demo'}, {'cloud': 'demo', 'options': ['--os-auth-type', 'none']}
], ids=['owner', 'another', 'nobody'])
def test_check(cloud, data, who):
    image = cloud.upload('checked', data)
    options = who.get('options', [])
    if options:
        endpoint = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
        options, who = [*options, '--endpoint-url', endpoint], {'cloud': None}
    one, other, gone = (cloud.create(image, '--revocable') for _ in range(3))
    rows, failed = check(cloud, one['url'], *options, **who)
    assert failed is None and rows['object']['result'] == 'pass'
    if who['cloud'] == 'glance':
        assert f'a link to image {image}, which ends at {one["expires_at"]}' in (
            rows['store']['detail'])
    revoke(cloud, one['link'])
    _, failed = check(cloud, one['url'], *options, **who)
    assert failed == ('object', 'the link is revoked or expired, or was never there')
    cloud.sdk().object_store.put(f'/glance/{image}', data=data[::-1])
    _, failed = check(cloud, other['url'], *options, **who)
    assert failed == ('object', 'the data of the image is another than when the link was made')
    cloud.sdk().image.delete_image(image)
    _, failed = check(cloud, gone['url'], *options, **who)
    assert failed == ('object', 'the link is there, and the data of its image is gone')


def test_show(cloud, image, key_file):
    row = cloud.create(image, '--revocable')
    shown = cloud.rows('image', 'temp', 'url', 'show', '-', '--key-file', key_file('a key'),
                       stdin=row['url'])
    assert (shown['link'], shown['image_id'], shown['method']) == (row['link'], image, 'GET')


@pytest.mark.parametrize(('program', 'command', 'refused'), [
    ('curl', ['curl', '-fsSOJ', '{url}'], 22),
    ('wget', ['wget', '-q', '-O', 'disk.raw', '{url}'], 8),
    ('curl', ['curl', '-fsS', '-C', '-', '-o', 'disk.raw', '{url}'], 22),
    ('aria2c', ['aria2c', '-q', '-x4', '-o', 'disk.raw', '{url}'], 3),
    ('qemu-img', ['qemu-img', 'convert', '-f', 'raw', '-O', 'raw', '{url}', 'disk.raw'], 1)],
    ids=['curl', 'wget', 'curl resumes', 'aria2c', 'qemu-img'])
def test_what_downloads(cloud, tmp_path, program, command, refused):
    require(program)
    content = secrets.token_bytes(512 * 1024)
    row = cloud.create(cloud.upload('disk', content), '--revocable')

    def run():
        return subprocess.run([part.format(url=row['url']) for part in command], cwd=tmp_path,
                              capture_output=True, check=False).returncode

    file = tmp_path / 'disk.raw'
    if '-C' in command:
        file.write_bytes(content[:1000])
    assert run() == 0
    assert file.read_bytes() == content
    file.unlink()
    revoke(cloud, row['link'])
    assert run() == refused
    # wget leaves an empty one.
    assert not file.exists() or file.read_bytes() == b''


def test_a_key_that_signs_a_link_is_not_removed_by_surprise(cloud, image):
    row = cloud.create(image, '--revocable', '--duration', '1h')
    result = cloud.openstack('image', 'temp', 'url', 'key', 'unset')
    assert result.code == 1 and 'links of the key' in result.stderr
    assert '--force' in result.stderr
    assert status(row['url']) == 200


def test_a_rotation_is_not_finished_while_links_live(cloud, image):
    rotate = ['image', 'temp', 'url', 'key', 'rotate']
    row = cloud.create(image, '--revocable', '--duration', '1h')
    cloud.rows(*rotate)
    while 'may work until' in (line := cloud.openstack(
            *rotate, '--finish', '--longest', '1s').stderr):
        pass
    assert 'URLs of 1 links of the key' in line
    assert status(row['url']) == 200
    revoke(cloud, row['link'])
    cloud.rows(*rotate, '--finish', '--longest', '1s')
    cloud.set_key('a key')
