"""A URL that `create` prints works: the HEAD at its end, and `list --check`."""

import json
import threading

import pytest

from .conftest import download
from .proxy import proxy

LIST = ['image', 'temp', 'url', 'list']
CHECK = ['image', 'temp', 'url', 'check']
CREATE = ['image', 'temp', 'url', 'create', '-f', 'value', '-c', 'url']


@pytest.fixture(scope='module')
def lost(cloud, data):
    """An image whose object is gone."""
    image_id = cloud.upload('lost', data)
    cloud.sdk().object_store.delete(f'/glance/{image_id}')
    return image_id


@pytest.fixture
def swift(cloud):
    """Swift, which the catalog then names here; ``env`` makes commands use that catalog."""
    endpoint, _, account = cloud.sdk().object_store.get_endpoint().partition('/v1/')
    with proxy(endpoint) as made:
        made.env = cloud.config(object_store_endpoint_override=f'{made.url}/v1/{account}')
        yield made


@pytest.fixture
def cache(cloud):
    """A proxy before Swift that an endpoint names; the catalog names Swift."""
    with proxy(cloud.sdk().object_store.get_endpoint().partition('/v1/')[0]) as made:
        yield made


@pytest.fixture
def all_told(cloud, key_file):
    account = cloud.sdk().object_store.get_endpoint().rpartition('/')[2]
    return ['--account', account, '--key-file', key_file('a key'), '--digest', 'sha256']


def heads(swift, image):
    return [each for each in swift.requests if each.startswith('HEAD') and image in each]


def test_what_was_guessed_is_tried(cloud, image, swift):
    cloud.create(image, env=swift.env)
    assert len(heads(swift, image)) == 1


def test_swift_itself_is_asked_and_not_a_proxy(cloud, image, swift, cache, data):
    """The one makes a HEAD a GET of the whole image, the other does not."""
    url = cloud.create(image, '--endpoint-url', cache.url, '--ip-range', '127.0.0.0/8', '--iso8601',
                       env=swift.env)['url']
    assert url.startswith(f'{cache.url}/v1/') and download(url) == data
    assert len(heads(swift, image)) == 1
    rows = cloud.rows(*LIST, image, '--check', '--endpoint-url', cache.url, env=swift.env)
    assert [row['url'].startswith(f'{cache.url}/v1/') for row in rows] == [True]
    assert len(heads(swift, image)) == 2
    # The download; a URL is requested as it stands, and the row says where.
    assert len(cache.requests) == 1
    rows = {row['check']: row['detail'] for row in cloud.rows(
        *CHECK, url, '--endpoint-url', cache.url, env=swift.env)}
    assert rows['request'] == f'HEAD to {cache.url}, without a token: HTTP 200'
    assert (len(heads(swift, image)), len(heads(cache, image))) == (2, 1)
    rows = {row['check']: row['detail'] for row in cloud.rows(
        *CHECK, image, '--endpoint-url', cache.url, env=swift.env)}
    assert rows['request'] == f'HEAD to {swift.url}, without a token: HTTP 200'
    assert (len(heads(swift, image)), len(heads(cache, image))) == (3, 1)


def test_a_url_that_does_not_work_through_a_proxy_is_an_error_too(cloud, lost, swift, cache):
    line = cloud.refused(lost, '--endpoint-url', cache.url, env=swift.env)
    assert f'(HTTP 404 from {swift.url}): there is no object' in line
    assert len(heads(swift, lost)) == 1


def test_another_cluster_than_the_catalogs(cloud, image, swift, cache, all_told):
    """Of which only the given endpoint knows whether it takes the URL."""
    swift.only, swift.plan = image, [(404, {'X-Trans-Id': 'tx'})]
    result = cloud.openstack(*CREATE, image, '--endpoint-url', cache.url, *all_told, '--check',
                             env=swift.env)
    assert result.code == 0 and result.stdout.startswith(cache.url)
    assert result.stderr.startswith(f'The URL works at {cache.url}, and not at {swift.url}, the'
                                    ' Swift of the catalog (HTTP 404): ')
    assert len(result.stderr.splitlines()) == 1


def test_without_a_catalog_the_given_endpoint_is_asked(cloud, image, cache, all_told):
    command = [*CREATE, '--os-auth-type', 'none', image, '--endpoint-url', cache.url, *all_told]
    result = cloud.openstack(*command, '--check', cloud=None)
    assert (result.code, result.stderr, cache.requests) == (0, '', heads(cache, image))
    assert len(cache.requests) == 1


@pytest.mark.parametrize(('answer', 'wanted'), [
    ({'Content-Length': '300000'}, 'something else than Swift answers at {}'),
    ({'Content-Length': None, 'X-Trans-Id': 'tx'}, 'does not say how many the object has')])
def test_an_answer_that_is_not_the_image_is_a_warning(cloud, image, swift, answer, wanted):
    swift.only = image
    for command in ([*CREATE, image], [*LIST, image, '--check', '-f', 'value', '-c', 'url']):
        swift.plan = [(200, answer)]
        result = cloud.openstack(*command, env=swift.env)
        assert result.code == 0 and image in result.stdout
        assert result.stderr.startswith(
            f'Could not verify the URL of image cirros ({image}): ')
        assert wanted.format(swift.url) in result.stderr
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize('size', ['5', '0'])
def test_an_answer_with_another_size_is_not_the_image(cloud, image, swift, size):
    swift.only = image
    for command in ([*CREATE, image], [*LIST, image, '--check', '-f', 'value', '-c', 'url']):
        swift.plan = [(200, {'Content-Length': size, 'X-Trans-Id': 'tx'})]
        result = cloud.openstack(*command, env=swift.env)
        assert (result.code, result.stdout) == (1, '')
        assert f'is not the data of image cirros ({image}) ({size} bytes' in result.stderr


def test_an_image_without_data(cloud, swift):
    """Zero bytes are a size, too."""
    image_id = cloud.upload('nothing', b'')
    result = cloud.openstack(*CREATE, image_id, env=swift.env)
    assert (result.code, result.stderr, len(heads(swift, image_id))) == (0, '', 1)
    cloud.sdk().image.delete_image(image_id)


def test_nothing_secret_goes_with_the_request(cloud, image, swift):
    netrc = cloud.home / '.netrc'
    netrc.write_text('machine 127.0.0.1 login somebody password secret\n')
    netrc.chmod(0o600)
    cloud.create(image, env=swift.env)
    netrc.unlink()
    headers, = (headers for request, headers in zip(swift.requests, swift.headers, strict=True)
                if image in request)
    assert not headers & {'authorization', 'x-auth-token', 'cookie'}


def test_what_was_told_is_not_tried_unless_asked(cloud, image, swift, all_told):
    cloud.create(image, *all_told, env=swift.env)
    assert heads(swift, image) == []
    cloud.create(image, *all_told, '--check', env=swift.env)
    assert len(heads(swift, image)) == 1
    cloud.create(image, '--no-check', env=swift.env)
    cloud.create(image, env={**swift.env, 'OSC_IMGURL_CHECK': 'false'})
    assert len(heads(swift, image)) == 1


def test_a_url_that_does_not_work_is_an_error(cloud, image, lost, all_told, key_file):
    line = cloud.refused(lost)
    assert '(HTTP 404): there is no object' in line and 'upload the image again' in line
    line = cloud.refused(image, *all_told, '--check', '--key-file', key_file('another key'))
    assert '(HTTP 401): signed with the given key' in line and 'key set' in line
    cloud.secrets.append('another key')
    url = cloud.create(lost, '--no-check')['url']
    assert lost in url


def test_a_server_that_cannot_be_reached_is_a_warning(cloud, image, swift, all_told):
    swift.only, swift.plan = image, [(500, {})]
    result = cloud.openstack(*CREATE, image, env=swift.env)
    assert result.code == 0 and image in result.stdout
    assert 'Could not verify the URL' in result.stderr
    assert 'answers HTTP 500' in result.stderr
    with proxy('http://nowhere') as unused:
        pass
    result = cloud.openstack(*CREATE, image, *all_told, '--check', env=cloud.config(
        object_store_endpoint_override=f'{unused.url}/v1/{all_told[1]}'))
    assert result.code == 0 and image in result.stdout
    assert 'Could not verify the URL' in result.stderr
    assert 'cannot be reached from here: connection refused' in result.stderr


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
    command = [*CREATE, image, '--ip-range']
    result = cloud.openstack(*command, '127.0.0.1', env=swift.env)
    assert result.code == 0 and image in result.stdout
    assert result.stderr == ('The URL works from its IP range only, and not from here: HEAD'
                             f' to {swift.url}, without a token: HTTP 401\n')
    assert cloud.openstack(*command, '127.0.0.2', env=swift.env).stderr == ''


def test_a_method_that_allows_no_head(cloud, image):
    create = ['image', 'temp', 'url', 'create', image, '--method', 'DELETE', '-f', 'json']
    result = cloud.openstack(*create)
    assert result.code == 0
    allowed = 'Anyone with this URL can remove the object until it expires\n'
    assert result.stderr == f'{allowed}A URL for DELETE cannot be tried, and is not checked\n'
    assert cloud.openstack(*create, '--no-check').stderr == allowed


def test_list(cloud, image, lost, data):
    result = cloud.openstack(*LIST, '-f', 'json')
    assert result.code == 0 and {row['image_id'] for row in json.loads(result.stdout)} == {
        image, lost}
    result = cloud.openstack(*LIST, '--check', '-f', 'json')
    assert result.code == 1
    row, = json.loads(result.stdout)
    assert (row['image_id'], download(row['url'])) == (image, data)
    assert f'The URL of image lost ({lost}) does not work (HTTP 404)' in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_list_asks_sixteen_at_once_and_no_more(cloud, swift):
    names = [f'one of many {number:02}' for number in range(16)]
    for name in names:
        cloud.upload(name, b'x')
    swift.only, swift.together = '/glance/', threading.Barrier(16)
    result = cloud.openstack(*LIST, *names, *names, '--check', '-f', 'value', '-c', 'image_name',
                             env=swift.env)
    assert (result.stdout.splitlines(), result.stderr) == ([*names, *names], '')
    assert swift.most_at_once == 16
