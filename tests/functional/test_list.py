"""openstack image temp url list."""

import contextlib
import http.server
import json
import os
import pty
import signal
import threading
import time
import urllib.parse
import urllib.request

import pytest

from . import commands
from .conftest import download
from .proxy import Server
from .silent import silent_server

LIST = ['image', 'temp', 'url', 'list']


@pytest.fixture(scope='module')
def cloud(make_cloud):
    return make_cloud()


@pytest.fixture(scope='module')
def images(cloud):
    """Thirty images: more than fit into the first page."""
    return {f'image {number:02}': cloud.upload(f'image {number:02}', b'%d' % number,
                                               tags=['many'])
            for number in range(30)}


@pytest.fixture(scope='module')
def boot_images(cloud):
    ids = {name: cloud.upload(name, name.encode()) for name in ('kernel', 'ramdisk')}
    ids['machine'] = cloud.upload('machine', b'machine', kernel_id=ids['kernel'],
                                  ramdisk_id=ids['ramdisk'])
    return ids


def names(cloud, *arguments, **kwargs):
    return [row['image_name'] for row in cloud.rows(*LIST, *arguments, **kwargs)]


def test_rows(cloud, images):
    rows = cloud.rows(*LIST, 'image 03', images['image 01'], f'glance://x/{images["image 02"]}')
    assert [row['image_name'] for row in rows] == ['image 03', 'image 01', 'image 02']
    assert list(rows[0]) == ['image_id', 'image_name', 'expires_at', 'url']
    assert [download(row['url']) for row in rows] == [b'3', b'1', b'2']
    assert {row['image_id'] for row in rows} == {images[row['image_name']] for row in rows}
    row, = cloud.rows(*LIST, 'image 03', '--long', '--digest', 'sha512')
    assert list(row)[4:] == ['method', 'digest', 'endpoint', 'account', 'container', 'object',
                             'copied', 'link', 'cached', 'owner', 'visibility', 'expires', 'size',
                             'virtual_size', 'disk_format', 'container_format', 'checksum',
                             'os_hash_algo', 'os_hash_value']
    assert f'temp_url_expires={row["expires"]}' in row['url']
    assert (row['size'], row['disk_format'], len(row['os_hash_value'])) == (1, 'raw', 128)
    assert (row['digest'], row['method'], row['cached']) == ('sha512', 'GET', False)
    assert download(row['url']) == b'3'


def test_all_that_match(cloud, images):
    assert names(cloud, '--tag', 'many') == sorted(images)
    assert names(cloud, '--tag', 'many', '--sort', 'name:desc') == sorted(images, reverse=True)
    assert names(cloud, '--tag', 'many', '--limit', '28') == sorted(images)[:28]
    for options in (['--limit', '2'], ['--max-items', '27'], ['--limit', '2', '--max-items', '3'],
                    ['--limit', '3', '--max-items', '2'], ['--limit', '0'], ['--max-items', '0']):
        listed = cloud.rows('image', 'list', '--tag', 'many', *options)
        assert len(names(cloud, '--tag', 'many', *options)) == len(listed)
    assert names(cloud, '--tag', 'many', '--marker', 'image 26') == sorted(images)[27:]
    assert names(cloud, '--name', 'image 07') == ['image 07']
    assert names(cloud, '--tag', 'many', '--private') == []
    assert names(cloud, '--tag', 'nobody') == []


def test_a_missing_key_is_reported_once(cloud, images):
    for options, hint in ([], ' List them (--with-errors).'), (['--with-errors'], ''):
        result = cloud.openstack(*LIST, '--tag', 'many', *options, cloud='demo')
        first, last = result.stderr.splitlines()
        assert first.startswith(f'image 00 ({images["image 00"]}): There is no container glance')
        assert last == f'29 more of the images have no URL, for a reason above.{hint}'
        assert result.code == 1
        assert result.stdout.count('There is no container') == 30 * len(options)


def test_properties_and_visibility(cloud):
    cloud.upload('blue', b'blue', color='blue', shape='round', visibility='private')
    cloud.upload('blue too', b'blue', color='blue', visibility='community')
    assert names(cloud, '--property', 'color=blue', '--property', 'shape=round') == ['blue']
    assert names(cloud, '--property', 'color=blue', '--private') == ['blue']
    assert names(cloud, '--property', 'color=blue', '--community') == ['blue too']
    assert names(cloud, '--property', 'color=blue', '--all') == ['blue', 'blue too']
    assert names(cloud, '--property', 'color=blue', '--status', 'queued') == []


def test_the_filters_of_image_list(cloud):
    own, other = (cloud.upload('filtered', b'x', cloud=user, visibility='private')
                  for user in ('glance', 'admin'))
    hidden = cloud.upload('filtered', b'x', os_hidden=True)
    shared = cloud.upload('filtered', b'x', cloud='admin', visibility='shared')
    projects = {user: cloud.sdk(user).current_project_id for user in ('glance', 'admin', 'demo')}
    cloud.sdk('admin').image.post(f'/images/{shared}/members', json={'member': projects['demo']})

    def ids(*options, command=LIST, column='image_id', user='admin'):
        found = cloud.rows(*command, '--name', 'filtered', *options, cloud=user)
        return sorted(row[column] for row in found)

    given = ['--account', f'AUTH_{projects["glance"]}', '--key-file', '-']
    for options, user, wanted in (
            (['--hidden'], 'admin', [hidden]),
            (['--project', 'admin'], 'admin', sorted([other, shared])),
            (['--project', 'admin', '--project-domain', 'Default'], 'admin',
             sorted([other, shared])),
            (['--project', projects['glance'], '--private'], 'admin', [own]),
            (['--shared', '--member-status', 'pending'], 'demo', [shared]),
            (['--shared', '--member-status', 'Accepted'], 'demo', []),
            (['--all', '--max-items', '1', '--sort', 'created_at:asc'], 'admin', [own])):
        there = ids(*options, command=['image', 'list'], column='ID', user=user)
        if '--max-items' not in options:
            assert there == wanted
        found = cloud.rows(*LIST, '--name', 'filtered', *options, *given, cloud=user,
                           stdin='the account key')
        assert sorted(row['image_id'] for row in found) == wanted
    result = cloud.openstack(*LIST, '--project', 'nobody', cloud='admin')
    assert (result.code, result.stdout) == (1, '')
    assert 'There is no project nobody' in result.stderr and 'Use its ID' in result.stderr


def test_what_create_takes(cloud, images):
    options = ['--method', 'put', '--ip-range', '127.0.0.0/8', '--iso8601', '--filename', 'auto',
               '--expires-at', '2037-01-31T18:00:00Z']
    result = cloud.openstack(*LIST, 'image 01', 'image 02', *options, '-f', 'json', '--long')
    assert result.stderr.splitlines() == [
        'Anyone with this URL can replace the object until it expires']
    for row in json.loads(result.stdout):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(row['url']).query))
        assert (row['method'], row['expires']) == ('PUT', 2117037600)
        assert (query['temp_url_ip_range'], query['filename']) == (
            '127.0.0.0/8', f'{row["image_name"]}.raw')
        assert query['temp_url_expires'] == '2037-01-31T18:00:00Z'
    for wrong, why in ((['--filename', 'x'], 'Use auto, which gives each its own (--filename)'),
                       (['--method', 'PATCH'], 'is unknown'),
                       (['--expires-at', '2020-01-01T00:00:00Z'], 'is in the past'),
                       (['--ip-range', 'here'], 'is invalid')):
        result = cloud.openstack(*LIST, 'image 01', 'image 02', *wrong)
        assert (result.code, result.stdout) == (1, '')
        assert len(result.stderr.splitlines()) == 1 and why in result.stderr


def test_from_file(cloud, images, tmp_path):
    path = tmp_path / 'images'
    path.write_text(f'# two\nimage 05\n\n  {images["image 06"]}  \n  # image 07\n')
    assert names(cloud, '--from-file', str(path)) == ['image 05', 'image 06']
    everything = list(images.values())
    assert names(cloud, 'image 07', '--from-file', '-', stdin='\n'.join(everything)) == [
        'image 07', *images]
    result = cloud.openstack(*LIST, '--from-file', str(tmp_path / 'none'))
    assert (result.code, result.stdout) == (1, '')
    assert 'cannot be read: No such file' in result.stderr


def test_many_ids_are_few_requests(cloud, images):
    result = cloud.openstack('--debug', *LIST, *images.values(), '-f', 'value')
    assert len(result.stdout.splitlines()) == 30
    # One page of 25, and the five that are left.
    assert result.stderr.count('Glance request: ') == 2


def test_boot_images(cloud, boot_images):
    rows = cloud.rows(*LIST, 'kernel', 'machine', 'machine', '--with-boot-images')
    assert list(rows[0]) == ['image_id', 'image_name', 'role', 'parent', 'expires_at', 'url']
    machine = boot_images['machine']
    assert [(row['image_name'], row['role'], row['parent']) for row in rows] == [
        ('kernel', 'image', None), ('machine', 'image', None), ('kernel', 'kernel', machine),
        ('ramdisk', 'ramdisk', machine)]
    assert names(cloud, 'machine') == ['machine']


def test_a_bad_image_does_not_spoil_the_rest(cloud, images):
    queued = cloud.upload('queued')
    filed = cloud.upload('filed', b'file', store='file1')
    nobody = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
    wanted = ['image 01', 'queued', 'filed', nobody, 'no such name', 'image 02']
    for options in (['-f', 'value', '-c', 'image_name'], ['-f', 'json'], []):
        result = cloud.openstack(*LIST, *wanted, *options)
        assert result.code == 1
        assert 'image 01' in result.stdout and 'image 02' in result.stdout
        lines = result.stderr.splitlines()
        assert len(lines) == 4
        for line, (name, why) in zip(lines, [
                (queued, 'is queued'), (filed, 'is not in Swift but in file'),
                (nobody, 'No image has the ID'), ('no such name', 'No image has the name')],
                strict=True):
            assert name in line and why in line
    result = cloud.openstack(*LIST, *wanted, '--fail-fast', '-f', 'value', '-c', 'image_name')
    assert (result.code, result.stdout) == (1, 'image 01\n')
    assert len(result.stderr.splitlines()) == 1 and 'is queued' in result.stderr
    result = cloud.openstack(*LIST, *wanted, '--with-errors', '-f', 'json')
    rows = json.loads(result.stdout)
    assert (result.code, list(rows[0])) == (
        1, ['image_id', 'image_name', 'expires_at', 'url', 'error'])
    assert [(row['image_id'], row['image_name']) for row in rows] == [
        (images['image 01'], 'image 01'), (queued, 'queued'), (filed, 'filed'), (nobody, None),
        (None, 'no such name'), (images['image 02'], 'image 02')]
    assert [row['url'] is None for row in rows] == [False, True, True, True, True, False]
    assert rows[0]['error'] is None
    assert [row['error'] for row in rows if row['error']] == result.stderr.splitlines()


def test_what_makes_no_sense(cloud):
    for options, why, user in (
            (['image 01', '--public'], 'not both', 'glance'),
            (['image 01', '--limit', '1'], 'not both', 'glance'),
            (['--limit', '-1'], 'Use 0 for no limit (--limit)', 'glance'),
            (['--sort', 'taste'], 'refuses this: HTTP 400', 'glance'),
            (['--os-auth-type', 'none'], 'Only Glance has the images', None)):
        result = cloud.openstack(*LIST, *options, cloud=user)
        assert (result.code, result.stdout) == (1, '')
        assert why in result.stderr


def test_the_cache(cloud, images):
    first = cloud.rows(*LIST, 'image 01', 'image 02', '--cache', '--long')
    time.sleep(1.1)
    second = cloud.rows(*LIST, 'image 02', 'image 03', '--cache', '--long')
    assert [row['cached'] for row in first + second] == [False, False, True, False]
    assert second[0]['url'] == first[1]['url']
    row, = cloud.rows(*LIST, 'image 02', '--cache', '--refresh', '--long')
    assert not row['cached'] and row['url'] != second[0]['url']


def test_a_cache_that_hangs_is_asked_once_for_all_images(cloud, images):
    with silent_server() as (port, accepted):
        result = cloud.openstack(*LIST, '--tag', 'many', '--cache', '-f', 'json', env={
            'OSC_IMGURL_CACHE_BACKEND': 'dogpile.cache.redis',
            'OSC_IMGURL_CACHE_ARGUMENTS': f'host=127.0.0.1,port={port}'})
        assert len(accepted) == 1
    assert result.code == 0
    assert {row['image_id'] for row in json.loads(result.stdout)} == set(images.values())
    assert len(result.stderr.splitlines()) == 1
    assert 'it does not answer within 5 seconds. The URL works, but is not cached' in result.stderr


@contextlib.contextmanager
def gate_before_glance(cloud, tmp_path):
    """Yield a clouds.yaml and an event: pages behind the first wait for the event."""
    opened = threading.Event()
    glance = json.loads((cloud.folder / 'settings.json').read_text())['ports']['glance']

    class Gate(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if 'marker=' in self.path:
                opened.wait(60)
            request = urllib.request.Request(
                f'http://127.0.0.1:{glance}{self.path}',
                headers={'X-Auth-Token': self.headers['X-Auth-Token']})
            with urllib.request.urlopen(request) as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header('Content-Type', 'application/json')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with Server(('127.0.0.1', 0), Gate) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        clouds = tmp_path / 'clouds.yaml'
        clouds.write_text((cloud.folder / 'clouds.yaml').read_text().replace(
            '  glance:\n', '  glance:\n    image_endpoint_override:'
                           f' http://127.0.0.1:{server.server_port}\n'))
        try:
            yield {'PATH': os.environ['PATH'], 'HOME': str(tmp_path), 'OS_CLOUD': 'glance',
                   'OS_CLIENT_CONFIG_FILE': str(clouds)}, opened
        finally:
            opened.set()
            server.shutdown()


@pytest.mark.parametrize('formatter', ['value', 'csv'])
def test_rows_appear_while_later_pages_are_fetched(cloud, images, tmp_path, formatter):
    with gate_before_glance(cloud, tmp_path) as (env, opened):
        process = commands.start(
            [*LIST, '--tag', 'many', '-f', formatter, '-c', 'image_name'],
            cwd=tmp_path, env=env)
        header = 1 if formatter == 'csv' else 0
        first = [process.stdout.readline().strip('"\n') for _ in range(25 + header)][header:]
        assert first == sorted(images)[:25]
        assert process.poll() is None
        opened.set()
        rest, stderr = process.communicate()
    assert [line.strip('"') for line in rest.splitlines()] == sorted(images)[25:]
    assert (stderr, process.returncode) == ('', 0)


def test_progress_on_a_terminal_only(cloud, images, tmp_path):
    with gate_before_glance(cloud, tmp_path) as (env, opened):
        controller, terminal = pty.openpty()
        process = commands.start(
            [*LIST, '--tag', 'many', '-f', 'value', '-c', 'image_name'],
            stderr=terminal, cwd=tmp_path, env=env)
        os.close(terminal)
        process.stdout.readline()
        time.sleep(1.5)
        opened.set()
        assert len(process.stdout.read().splitlines()) == 29
        process.wait()
        shown = os.read(controller, 10_000).decode()
        os.close(controller)
    assert '25 images ...' in shown
    assert shown.endswith('\r\x1b[K')


def test_a_reader_that_has_enough(cloud, images, tmp_path):
    with gate_before_glance(cloud, tmp_path) as (env, opened):
        process = commands.start(
            [*LIST, '--tag', 'many', '-f', 'value', '-c', 'image_name'],
            cwd=tmp_path, env=env)
        assert process.stdout.readline() == 'image 00\n'
        process.stdout.close()
        opened.set()
        assert process.stderr.read() == ''
        process.stderr.close()
        assert process.wait() == 128 + signal.SIGPIPE
