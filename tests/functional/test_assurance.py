"""A URL that `create` prints works: the HEAD at its end, and `list --check`."""

import json
import threading

import pytest

from .conftest import download
from .proxy import proxy

LIST = ['image', 'temp', 'url', 'list']


@pytest.fixture(scope='module')
def lost(cloud, data):
    """An image whose object is gone."""
    image_id = cloud.upload('lost', data)
    cloud.sdk().object_store.delete(f'/glance/{image_id}')
    return image_id


@pytest.fixture
def swift(cloud):
    with proxy(cloud.sdk().object_store.get_endpoint().partition('/v1/')[0]) as made:
        yield made


@pytest.fixture
def all_told(cloud, key_file):
    account = cloud.sdk().object_store.get_endpoint().rpartition('/')[2]
    return ['--account', account, '--key-file', key_file('a key'), '--digest', 'sha256']


def heads(swift, image):
    return [each for each in swift.requests if each.startswith('HEAD') and image in each]


def test_what_was_guessed_is_tried(cloud, image, swift):
    cloud.create(image, '--endpoint-url', swift.url)
    assert len(heads(swift, image)) == 1


def test_nothing_secret_goes_with_the_request(cloud, image, swift):
    netrc = cloud.home / '.netrc'
    netrc.write_text('machine 127.0.0.1 login somebody password secret\n')
    netrc.chmod(0o600)
    cloud.create(image, '--endpoint-url', swift.url)
    netrc.unlink()
    headers, = swift.headers
    assert not headers & {'authorization', 'x-auth-token', 'cookie'}


def test_what_was_told_is_not_tried_unless_asked(cloud, image, swift, all_told):
    cloud.create(image, '--endpoint-url', swift.url, *all_told)
    assert heads(swift, image) == []
    cloud.create(image, '--endpoint-url', swift.url, *all_told, '--check')
    assert len(heads(swift, image)) == 1
    cloud.create(image, '--endpoint-url', swift.url, '--no-check')
    cloud.create(image, '--endpoint-url', swift.url, env={'OS_IMAGE_TEMP_URL_CHECK': 'false'})
    assert len(heads(swift, image)) == 1


def test_a_url_that_does_not_work_is_an_error(cloud, image, lost, all_told, key_file):
    line = cloud.refused(lost)
    assert '(HTTP 404): there is no object' in line and 'upload the image anew' in line
    line = cloud.refused(image, *all_told, '--check', '--key-file', key_file('another key'))
    assert '(HTTP 401): signed with the told key' in line and 'key set' in line
    cloud.secrets.append('another key')
    url = cloud.create(lost, '--no-check')['url']
    assert lost in url


def test_a_server_that_cannot_be_reached_is_a_warning(cloud, image, swift):
    command = ['image', 'temp', 'url', 'create', image, '-f', 'value', '-c', 'url']
    swift.plan = [(500, {})]
    result = cloud.openstack(*command, '--endpoint-url', swift.url)
    assert result.code == 0 and image in result.stdout
    assert 'It is not known whether the URL works' in result.stderr
    assert 'answers HTTP 500' in result.stderr
    with proxy('http://nowhere') as unused:
        pass
    result = cloud.openstack(*command, '--endpoint-url', unused.url)
    assert result.code == 0 and image in result.stdout
    assert 'connection refused' in result.stderr


def test_an_ip_range_without_this_machine_is_a_warning(cloud, image):
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '--ip-range',
                             '203.0.113.0/24', '-f', 'value', '-c', 'url')
    assert result.code == 0 and image in result.stdout
    assert result.stderr == (
        "The URL works from its IP range only, and not from here: this machine's address 127.0.0.1"
        ' is not in 203.0.113.0/24\n')


def test_an_ip_range_behind_an_address_translation_is_a_warning(cloud, image, swift):
    """This machine is in the range by its own address, and not by the one that Swift sees."""
    swift.source = '127.0.0.2'
    command = ['image', 'temp', 'url', 'create', image, '--endpoint-url', swift.url, '-f', 'value',
               '-c', 'url', '--ip-range']
    result = cloud.openstack(*command, '127.0.0.1')
    assert result.code == 0 and image in result.stdout
    assert result.stderr == ('The URL works from its IP range only, and not from here: HEAD'
                             ' without a token: HTTP 401\n')
    assert cloud.openstack(*command, '127.0.0.2').stderr == ''


def test_a_method_that_allows_no_head(cloud, image):
    create = ['image', 'temp', 'url', 'create', image, '--method', 'DELETE', '-f', 'json']
    result = cloud.openstack(*create)
    assert result.code == 0
    assert result.stderr == 'A URL for DELETE cannot be tried, and is not checked\n'
    assert cloud.openstack(*create, '--no-check').stderr == ''


def test_list(cloud, image, lost, data):
    result = cloud.openstack(*LIST, '-f', 'json')
    assert result.code == 0 and {row['image_id'] for row in json.loads(result.stdout)} == {
        image, lost}
    result = cloud.openstack(*LIST, '--check', '-f', 'json')
    assert result.code == 1
    row, = json.loads(result.stdout)
    assert (row['image_id'], download(row['url'])) == (image, data)
    assert f'The URL of image {lost} does not work (HTTP 404)' in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_list_asks_eight_at_once_and_no_more(cloud, swift):
    names = [f'one of many {number:02}' for number in range(16)]
    for name in names:
        cloud.upload(name, b'x')
    swift.together = threading.Barrier(8)
    result = cloud.openstack(*LIST, *names, '--check', '--endpoint-url', swift.url,
                             '-f', 'value', '-c', 'image_name')
    assert (result.stdout.splitlines(), result.stderr) == (names, '')
    assert swift.most_at_once == 8
