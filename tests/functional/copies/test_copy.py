"""Copies of images in one's own account, on a real Glance and Swift: whose, how long, for what.

Swift takes no object of more than a million bytes here, so that an image has segments.
"""

import concurrent.futures
import contextlib
import datetime
import http.client
import json
import os
import pty
import re
import sqlite3
import time
import urllib.parse
import uuid

import pytest
import requests

from .. import commands
from ..conftest import download
from .conftest import CONTAINER, CREATE, SEGMENT, copied

LIST = ['image', 'temp', 'url', 'list']
COPIES = ['image', 'temp', 'url', 'copy', 'list']
DELETE = ['image', 'temp', 'url', 'copy', 'delete']
KEY = 'X-Container-Meta-Temp-URL-Key'


@contextlib.contextmanager
def images_of(cloud):
    """Yield Glance's database; what is changed in it is kept."""
    path = cloud.folder / 'glance/glance.db'
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as database, database:
        yield database


def alike(cloud, image, count):
    """Return the IDs of images with another's data, in Glance's database: to upload takes long."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    with images_of(cloud) as database:
        for table, own in (('images', 'id'), ('image_locations', 'image_id'),
                           ('image_properties', 'image_id')):
            columns = [name for _, name, *_ in database.execute(f'PRAGMA table_info({table})')
                       if name not in ('id', own)]
            for each in ids:
                database.execute(
                    f'INSERT INTO {table} ({own}, {", ".join(columns)})'  # noqa: S608
                    f' SELECT ?, {", ".join(columns)} FROM {table} WHERE {own} = ?', (each, image))
    return ids


def moment(row):
    return int(datetime.datetime.fromisoformat(row['expires_at']).timestamp())


def sent(cloud, *arguments, **kwargs):
    """Return what a command asks Swift, as "METHOD path" below the account, and its output."""
    result = cloud.openstack('--debug', *arguments, cloud='demo', **kwargs)
    assert result.code == 0, result.text
    return re.findall(r'"([A-Z]+ /v1/AUTH_\w+\S*) HTTP', result.stderr)


def test_an_image_in_files(cloud, account, image, data):
    """It is copied only if that is asked for; whoever has the URL gets what Glance has."""
    refused = cloud.refused(image, cloud='demo')
    assert refused.endswith('or have the image copied into your own account (--account, --key-file,'
                            ' --copy).')
    assert account.segments(image) == []
    row = copied(cloud, image)
    assert download(row['url']) == data
    assert requests.get(row['url'], headers={'Range': 'bytes=999990-1000009'},
                        timeout=30).content == data[999_990:1_000_010]
    assert row['container'] == CONTAINER and row['object'].startswith(f'{image}/')
    assert account.copies(image) == [row['object']]
    # As long as the URL, and an hour.
    assert len(account.segments(image)) == 3
    assert set(account.ends(image)) == {moment(row) + 3600}
    headers = account.head().headers
    assert headers[KEY] and 'X-Container-Read' not in headers
    cloud.secrets.append(headers[KEY])


def test_a_copy_that_is_there_is_found_and_asked_for(cloud, account, image):
    first = copied(cloud, image)
    written = account.segments(image)
    time.sleep(3)
    asked = sent(cloud, *CREATE, image, '--copy')
    assert {line.split()[0] for line in asked} == {'HEAD', 'GET'}
    assert len([line for line in asked if 'prefix=' in line]) == 2
    assert [line for line in asked if line.endswith(first['object'])] == [
        f'HEAD /v1/{first["account"]}/{CONTAINER}/{first["object"]}']
    assert account.segments(image) == written
    # A URL that lives longer moves its end, none shortens it.
    longer = copied(cloud, image, '--duration', '2h')
    assert set(account.ends(image)) == {moment(longer) + 3600}
    copied(cloud, image, '--duration', '1m')
    assert set(account.ends(image)) == {moment(longer) + 3600}
    assert account.head(first['object']).headers['Content-Type'] == 'application/octet-stream'
    row, = (row for row in cloud.rows(*COPIES, cloud='demo') if row['image_id'] == image)
    hashed = cloud.sdk().image.get_image(image)
    assert row == {
        'image_id': image, 'image_name': 'in files', 'size': 2 * SEGMENT + 500_000,
        'hash': f'sha512:{hashed.hash_value}', 'container': CONTAINER,
        'delete_at': datetime.datetime.fromtimestamp(
            moment(longer) + 3600, datetime.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}


def test_what_is_said_of_the_url_of_a_copy(cloud, account, image):
    url = copied(cloud, image)['url']
    # By its URL, and as what create makes.
    for arguments, env in (([url], {}), ([image, '--copy'], {}),
                           ([image], {'OSC_IMGURL_COPY': 'on'})):
        found = {row['check']: row for row in cloud.rows(
            'image', 'temp', 'url', 'check', *arguments, cloud='demo', env=env)}
        assert {row['result'] for row in found.values()} <= {'pass', 'skipped'}
        assert re.fullmatch('a copy of the image in your own account, deleted at 20.*Z',
                            found['store']['detail'])
        assert found['account']['result'] == found['key']['result'] == 'pass'
    shown = cloud.rows('image', 'temp', 'url', 'show', url)
    assert (shown['copied'], shown['image_id']) == (True, image)
    assert cloud.openstack(*DELETE, image, cloud='demo').code == 0
    result = cloud.openstack('image', 'temp', 'url', 'check', url, '-f', 'json', cloud='demo')
    first = next(row for row in json.loads(result.stdout) if row['result'] == 'fail')
    assert (first['check'], first['remedy']) == ('object', 'Make another (--copy).')
    # The image itself is not in Swift, and check copies nothing.
    result = cloud.openstack('image', 'temp', 'url', 'check', image, '--copy', '-f', 'json',
                             cloud='demo')
    first = next(row for row in json.loads(result.stdout) if row['result'] == 'fail')
    assert first['check'] == 'container' and '--copy' in first['remedy']
    assert account.head(image).status_code == 404


def test_a_store_whose_keys_are_others(cloud, account):
    """The image is in Swift, in the account of Glance; an empty one has no segments."""
    for content in (b'in swift', b''):
        image = cloud.upload('in swift', content)
        row = copied(cloud, image)
        assert download(row['url']) == content
        assert row['account'] != cloud.sdk().object_store.get_endpoint().rpartition('/')[2]
    # Whose keys are shown needs none.
    cloud.set_key('the account key')
    assert cloud.create(image, '--copy')['copied'] is False
    elsewhere = cloud.upload('in files', b'elsewhere', store='file1')
    row = cloud.create(elsewhere, '--copy')
    assert (row['copied'], download(row['url'])) == (True, b'elsewhere')


def test_many_images(cloud, account, stress):
    """Some are copied already; the kernel is copied too; and each copy can be deleted."""
    count = 100 if stress else 30
    kernel = cloud.upload('kernel', b'kernel', store='file1')
    gone = cloud.upload('to be deleted', b'gone', store='file1', kernel_id=kernel)
    many = cloud.upload('one of many', b'many', store='file1', kernel_id=kernel)
    images = {gone: b'gone', **dict.fromkeys(alike(cloud, many, count - 1), b'many')}
    first = list(images)[:3]
    rows = cloud.rows(*LIST, *first, '--copy', cloud='demo')
    assert all(row['copied'] for row in rows)
    asked = sent(cloud, *LIST, *images, '--copy', '--with-boot-images', '-f', 'json')
    assert len([line for line in asked if line.startswith('PUT')]) == 2 * (count - 3 + 1)
    rows = cloud.rows(*LIST, *images, '--copy', '--with-boot-images', '--long', cloud='demo')
    assert {row['image_id']: download(row['url']) for row in rows} == {**images, kernel: b'kernel'}
    listed = {row['image_id'] for row in cloud.rows(*COPIES, cloud='demo')}
    assert listed >= {*images, kernel}
    cloud.sdk().image.delete_image(gone)
    result = cloud.openstack(*DELETE, gone, 'kernel', cloud='demo')
    assert (result.code, result.text) == (0, '')
    left = {row['image_id'] for row in cloud.rows(*COPIES, cloud='demo')}
    assert listed - left == {gone, kernel}
    assert account.segments(kernel) == []
    assert requests.get(rows[1]['url'], timeout=30).status_code == 404
    result = cloud.openstack(*DELETE, 'nobody', first[1], gone, first[2], cloud='demo')
    assert result.code == 1
    unknown, no_copy = result.stderr.splitlines()
    assert unknown.startswith("No image has the name 'nobody'")
    assert no_copy == f'There is no copy of image {gone} in the container {CONTAINER}.'
    assert left - {row['image_id'] for row in cloud.rows(*COPIES, cloud='demo')} == set(first[1:])
    account.put('of-another')
    assert cloud.openstack(*DELETE, '--all', cloud='demo').code == 0
    assert cloud.rows(*COPIES, cloud='demo') == []
    listed = account.swift.get(f'/{CONTAINER}', params={'format': 'json'}).json()
    assert [each['name'] for each in listed] == ['of-another']


def test_the_urls_of_a_copy_that_was_deleted_stay_dead(cloud, account, image, data):
    """Also where the cache knows them; each copy has a name of its own."""
    urls = []
    for _ in range(2):
        row = copied(cloud, image, '--cache')
        assert row['cached'] is False and download(row['url']) == data
        assert [requests.get(url, timeout=30).status_code for url in urls] == [404] * len(urls)
        assert copied(cloud, image, '--cache')['url'] == row['url']
        urls.append(row['url'])
        assert cloud.openstack(*DELETE, image, cloud='demo').code == 0
        assert requests.get(row['url'], timeout=30).status_code == 404
    assert account.copies(image) == account.segments(image) == []


def test_a_copy_is_deleted_by_the_name_that_is_listed(cloud, account, data):
    """Glance may have deleted the image, or given its name to another."""
    image = cloud.upload('a friend', data, store='file1')
    url = copied(cloud, image)['url']
    cloud.sdk().image.delete_image(image)
    assert 'a friend' in {row['image_name'] for row in cloud.rows(*COPIES, cloud='demo')}
    successor = cloud.upload('a friend', data, store='file1')
    assert cloud.openstack(*DELETE, 'a friend', cloud='demo').code == 0
    assert requests.get(url, timeout=30).status_code == 404 and account.copies(image) == []
    copied(cloud, successor)
    third = cloud.upload('a friend', data, store='file1')
    copied(cloud, third)
    result = cloud.openstack(*DELETE, 'a friend', cloud='demo')
    assert (result.code, result.stdout) == (1, '')
    first, second = sorted((successor, third))
    assert result.stderr == (f"Copies of several images have the name 'a friend': {first},"
                             f' {second}. Name one by its ID.\n')
    assert cloud.openstack(*DELETE, successor, third, cloud='demo').code == 0


def test_a_copy_that_has_the_name_of_earlier_ones(cloud, account, image, data):
    """The image's ID alone: it is used, listed, checked and deleted."""
    row = copied(cloud, image)
    headers = account.head(row['object']).headers
    assert account.swift.put(
        f'/{CONTAINER}/{image}', params={'multipart-manifest': 'put'},
        data=json.dumps([{'path': f'/{CONTAINER}/{name}'} for name in account.segments(image)]),
        headers={name: headers[name] for name in headers
                 if name.lower().startswith(('x-object-meta', 'x-delete-at'))}).ok
    assert account.swift.delete(f'/{CONTAINER}/{row["object"]}').ok
    row = copied(cloud, image)
    assert row['object'] == image and download(row['url']) == data
    assert image in {each['image_id'] for each in cloud.rows(*COPIES, cloud='demo')}
    assert cloud.rows('image', 'temp', 'url', 'show', row['url'])['copied'] is True
    found = cloud.rows('image', 'temp', 'url', 'check', row['url'], cloud='demo')
    assert {each['result'] for each in found} <= {'pass', 'skipped'}
    assert cloud.openstack(*DELETE, image, cloud='demo').code == 0
    assert requests.get(row['url'], timeout=30).status_code == 404


def test_what_is_handed_over(cloud, image, data):
    """Image, kernel and ramdisk of which each is copied."""
    boot = {f'{name}_id': cloud.upload(name, name.encode(), store='file1')
            for name in ('kernel', 'ramdisk')}
    naming = cloud.upload('naming', data, store='file1', **boot)
    export = ['image', 'temp', 'url', 'export', naming, '--for', 'ironic']
    refused = cloud.openstack(*export, cloud='demo')
    assert (refused.code, refused.stdout) == (1, '') and '--copy' in refused.stderr
    result = cloud.openstack('-q', *export, '--copy', cloud='demo')
    assert (result.code, result.stderr) == (0, '')
    told = json.loads(result.stdout)
    assert f'/{CONTAINER}/{naming}/' in told['image_source']
    assert {name: download(told[name]) for name in ('image_source', 'kernel', 'ramdisk')} == {
        'image_source': data, 'kernel': b'kernel', 'ramdisk': b'ramdisk'}


def test_a_bar_on_a_terminal_only(cloud, image):
    controller, terminal = pty.openpty()
    child = commands.start(
        [*CREATE, image, '--copy', '-f', 'value', '-c', 'url'], cwd=cloud.home,
        stderr=terminal, env={
            **commands.ENVIRONMENT, 'HOME': str(cloud.home), 'OS_CLOUD': 'demo', 'TERM': 'xterm',
            'OS_CLIENT_CONFIG_FILE': str(cloud.folder / 'clouds.yaml')})
    os.close(terminal)
    url, _ = child.communicate()
    assert url.count('\n') == 1
    shown = os.read(controller, 100_000).decode()
    os.close(controller)
    assert 'in files' in shown and '/2.5 MB' in shown
    # It goes when it is done.
    assert shown.endswith('\r\x1b[K')


def test_two_at_once(cloud, account, image, data):
    with concurrent.futures.ThreadPoolExecutor() as threads:
        rows = list(threads.map(lambda _: copied(cloud, image, true_process=True), range(3)))
    time.sleep(3)
    assert all(download(row['url']) == data for row in rows)
    assert {row['object'] for row in rows} <= {*account.copies(image)}
    assert min(account.ends(image)) >= max(map(moment, rows)) + 3300
    # From then on all use the same.
    rows = [copied(cloud, image) for _ in range(2)]
    assert len({row['object'] for row in rows}) == 1


def test_what_others_write_into_the_container(cloud, account, image):
    """Whoever may write there may do no more than that: nothing elsewhere is touched."""
    copied(cloud, image)
    assert account.swift.put('/private').ok
    assert account.swift.put('/private/secret', data=b'secret').ok
    url = account.swift.get_endpoint()
    for name in (f'.segments/{image}/../../../private/secret', '.segments/../private/secret',
                 '.segments//x', '.segments/plain', f'.segments/{image}/x', '..'):
        raw(url, f'/{CONTAINER}/{name}', cloud.sdk('demo').session.get_token())
    copied(cloud, image, '--duration', '3h')
    for what in ('--all', image):
        assert cloud.openstack(*DELETE, what, cloud='demo').code == 0
        assert cloud.rows(*COPIES, cloud='demo') == []
        copied(cloud, image)
    secret = account.swift.get('/private/secret')
    assert secret.content == b'secret' and 'X-Delete-At' not in secret.headers
    listed = account.swift.get(f'/{CONTAINER}', params={'format': 'json'}).json()
    assert {'..', '.segments/plain', f'.segments/{image}/x'} <= {each['name'] for each in listed}


def test_planted_segments(cloud, account, image, data):
    """What has a segment's name, and in a listing its size and MD5, but is none."""
    first, *rest = (data[start:start + SEGMENT] for start in range(0, len(data), SEGMENT))
    row = copied(cloud, image)
    assert account.swift.delete(f'/{CONTAINER}/{row["object"]}').ok
    written, = {name.rpartition('/')[0] for name in account.segments(image)}
    for name in account.segments(image):
        assert account.swift.delete(f'/{CONTAINER}/{name}').ok
    account.put('part', first)
    part = {'path': f'/{CONTAINER}/part'}
    # The listing of the first shows the data beside which its manifest is.
    for folder, data_of, headers, query in (
            ('a', first, {'X-Object-Manifest': f'{CONTAINER}/part'}, ''),
            ('b', json.dumps([part]).encode(), {}, '?multipart-manifest=put'),
            ('c', b'', {'X-Symlink-Target': f'{CONTAINER}/part'}, ''),
            ('d', b'x' * SEGMENT, {}, ''),
            ('e', first, {'X-Delete-After': '600'}, '')):
        account.put(f'.segments/{image}/{folder * 16}/00000000{query}', data_of, **headers)
    # A large object comes last in the listing, and so is the one that is found.
    account.put(f'.segments/{image}/{"f" * 16}/00000000', first,
                **{'X-Object-Manifest': f'{CONTAINER}/part'})
    account.put(f'.segments/{image}/{"f" * 16}/00000001', rest[0],
                **{'X-Object-Manifest': f'{CONTAINER}/nothing'})
    row = copied(cloud, image)
    assert download(row['url']) == data
    used = {each['name'] for each in account.swift.get(
        f'/{CONTAINER}/{row["object"]}', params={'multipart-manifest': 'get'}).json()}
    assert not any(f'/{letter * 16}/' in name for name in used for letter in 'abcdf')
    assert not any(name.startswith(f'/{CONTAINER}/{written}') for name in used)


def raw(storage_url, path, token):
    """Write an object whose path no client sends as it is."""
    parts = urllib.parse.urlsplit(storage_url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc)) as connection:
        connection.request('PUT', parts.path + path, b'planted', {'X-Auth-Token': token})
        assert connection.getresponse().status == 201


def test_a_copy_that_somebody_has_overwritten(cloud, account):
    """Swift takes a PUT for a copy that has another's segments; it is no copy then."""
    image = cloud.upload('to be overwritten', b'x' * 100, store='file1')
    row = copied(cloud, image)
    url, name = row['url'], row['object']
    assert 'would let others change the copy' in cloud.refused(
        image, '--copy', '--method', 'PUT', cloud='demo')
    account.put(name, b'y' * 100)
    result = cloud.openstack('image', 'temp', 'url', 'check', url, '-f', 'json', cloud='demo')
    first = next(row for row in json.loads(result.stdout) if row['result'] == 'fail')
    assert (result.code, first['check']) == (1, 'store')
    assert 'is no copy that this command has made' in first['detail']
    # Its segments are nobody's any more; the object stays.
    assert cloud.openstack(*DELETE, '--all', cloud='demo').code == 0
    assert account.segments(image) == [] and account.head(name).ok
    assert account.swift.delete(f'/{CONTAINER}/{name}').ok


def test_what_is_in_use_is_left_alone(cloud, account, image):
    account.put(image, b'of another')
    assert copied(cloud, image)['object'] != image
    env = {'OSC_IMGURL_COPY_CONTAINER': 'elsewhere', 'OSC_IMGURL_COPY': 'true'}
    row = cloud.create(image, cloud='demo', env=env)
    assert (row['container'], row['copied']) == ('elsewhere', True)
    assert requests.get(row['url'], timeout=30).status_code == 200
    # What says that it is our copy, and is of another size, is none.
    account.put(image, b'of another', **{
        'X-Object-Meta-Image-Hash': f'sha512:{cloud.sdk().image.get_image(image).hash_value}'})
    assert copied(cloud, image)['object'] != image
    assert account.head(image).headers['Content-Length'] == '10'


def test_a_container_that_others_can_use(cloud, account, image):
    copied(cloud, image)
    account.post(**{'X-Container-Read': '.r:*'})
    result = cloud.openstack(*CREATE, image, '--copy', cloud='demo')
    account.post(**{'X-Remove-Container-Read': 'x'})
    assert (result.code, result.stderr) == (
        0, f'Others may read what is in the container {CONTAINER}, where copies are kept: its'
        ' X-Container-Read is .r:*\n')


def test_a_role_that_may_not_write(cloud, image):
    refused = cloud.refused(image, '--copy', cloud='reader')
    assert refused.startswith('Swift does not') and refused.endswith(
        'The copy would go there. Use credentials with a role that may write there, or another'
        ' container (copy_container).')


def test_no_object_store(cloud, image):
    """A region whose catalog has no other service than Glance."""
    identity = cloud.sdk('admin').identity
    glance = next(identity.services(type='image'))
    identity.create_region(id='nowhere')
    env = cloud.config(region_name='nowhere')
    endpoint = identity.create_endpoint(
        service_id=glance.id, interface='public', region_id='nowhere',
        url=cloud.sdk().session.get_endpoint(service_type='image'))
    for options in ([], ['--copy']):
        line = cloud.refused(image, *options, cloud='demo', env=env)
        assert line.startswith('There is no object-store in the catalog of this cloud')
    identity.delete_endpoint(endpoint)
    identity.delete_region('nowhere')


@pytest.fixture
def no_hash(cloud):
    """The ID of an image whose hash Glance does not tell, in its database."""
    image = cloud.upload('without', b'no hash', store='file1')
    with images_of(cloud) as database:
        database.execute('UPDATE images SET checksum = NULL, os_hash_value = NULL,'
                         ' os_hash_algo = NULL WHERE id = ?', (image,))
    return image


def test_an_image_without_a_hash(cloud, no_hash):
    assert cloud.refused(no_hash, '--copy', cloud='demo') == (
        f'Glance shows no hash of image without ({no_hash}), so a copy cannot be verified. Copy it'
        ' unverified (--copy-unverified).')
    assert download(copied(cloud, no_hash, '--copy-unverified')['url']) == b'no hash'


def test_quotas(cloud, account, image):
    """Of the container, and of the account."""
    small = cloud.upload('small', b'small', store='file1')
    copied(cloud, small)
    full = 'There is no more room in Swift (HTTP 413): the quota of the account or of the container'
    account.post(**{'X-Container-Meta-Quota-Bytes': '500000'})
    assert cloud.refused(image, '--copy', cloud='demo').startswith(full)
    assert account.copies(image) == []
    account.post(**{'X-Remove-Container-Meta-Quota-Bytes': 'x'})
    admin = cloud.sdk('admin')
    role = admin.identity.create_role(name='ResellerAdmin')
    admin.identity.assign_project_role_to_user(
        admin.current_project_id, admin.current_user_id, role)
    url = account.swift.get_endpoint()
    for quota in ('500000', ''):
        set_to = cloud.sdk('admin').session.post(
            url, headers={'X-Account-Meta-Quota-Bytes': quota})
        assert set_to.status_code == 204
        if quota:
            assert cloud.refused(image, '--copy', cloud='demo').startswith(full)
    assert copied(cloud, image)
