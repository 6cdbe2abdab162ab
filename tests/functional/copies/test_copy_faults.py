"""What fails while an image is copied, between a real Glance and a real Swift."""

import random
import signal
import time

import pytest
import requests

from .. import commands
from ..conftest import download
from .conftest import CONTAINER, CREATE, altered, copied, through


def dripping(body):
    for start in range(0, len(body), 100_000):
        time.sleep(0.01)
        yield body[start:start + 100_000]


def test_a_byte_is_altered(cloud, account, glance, image, data):
    glance.plan = [altered]
    refused = cloud.refused(image, '--copy', **through(cloud, glance))
    assert refused == (
        f'What Glance gives as image in files ({image}) is not what its sha512 says: it is damaged,'
        ' or has another size. No copy is made of it. Try again.')
    assert account.copies(image) == [] and account.segments(image) == []


def test_there_is_more_than_there_should_be(cloud, account, glance, image, data):
    glance.plan = [(200, {'Content-Type': 'application/octet-stream'}, data + b'x')]
    assert 'or has another size' in cloud.refused(image, '--copy', **through(cloud, glance))
    assert account.copies(image) == [] and account.segments(image) == []


def test_the_data_is_cut_off(cloud, account, glance, swift, image, data):
    """What is there is not sent again; and Glance is asked for the rest, if it may be."""
    glance.plan = [lambda body: [body[:2_200_000]]]
    refused = cloud.refused(image, '--copy', **through(cloud, glance))
    assert refused.startswith('Glance at') and account.copies(image) == []
    left = account.segments(image)
    assert len(left) == 2
    assert all(int(account.head(name).headers['X-Delete-At']) > time.time() for name in left)
    row = cloud.create(image, '--copy', **through(cloud, swift=swift))
    assert requests.get(row['url'], timeout=30).content == data
    assert len([each for each in swift.requests if each.startswith('PUT')
                and '/.segments/' in each]) == 1
    # A retry, within one command.
    other = cloud.upload('another', data, store='file1')
    glance.plan = [lambda body: [body[:2_200_000]], dripping]
    row = cloud.create(other, '--copy', **through(cloud, glance, num_retries=1))
    assert download(row['url']) == data
    assert glance.requests.count(f'GET /v2/images/{other}/file') == 2


@pytest.mark.parametrize(('step', 'said'), [
    (b'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n'
     b'Transfer-Encoding: chunked\r\n\r\nzz\r\n', 'it is cut off'),
    (b'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n'
     b'Transfer-Encoding: chunked\r\n\r\n-5\r\n', 'its address or its answer is invalid'),
    (b'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Encoding: gzip\r\n'
     b'Content-Length: 9\r\n\r\nnot a zip', 'it is compressed'),
    ((403, {'Content-Type': 'text/html'}, b'<html>no</html>'), 'HTTP 403')])
def test_what_is_no_data(cloud, account, glance, image, step, said):
    """It is Glance that is named, also where its answer fails while Swift is written to."""
    glance.plan = [step] * 3
    line = cloud.refused(image, '--copy', **through(cloud, glance))
    assert line.startswith(f'Glance at {glance.url} ') and said in line
    assert account.copies(image) == []


@pytest.mark.parametrize('answer', [
    b'[' * 100_000, b'[{"name": "\\ud800", "bytes": 1, "hash": "x"}]',
    b'[{"name": "a", "bytes": Infinity, "hash": "x"}]',
    b'[{"name": "elsewhere", "bytes": 1, "hash": "x"}]', b'null'])
def test_a_list_that_is_none(cloud, swift, image, answer):
    swift.only = 'prefix=.segments'
    swift.plan = [(200, {'X-Trans-Id': 'tx', 'Content-Type': 'application/json'}, answer)]
    line = cloud.refused(image, '--copy', **through(cloud, swift=swift))
    assert line.startswith(f'What answers at {swift.storage_url}/{CONTAINER} lists other thing')


def test_a_list_without_end(cloud, swift, image):
    name = f'.segments/{image}/0'
    swift.only = 'prefix=.segments'
    swift.plan = [(200, {'X-Trans-Id': 'tx', 'Content-Type': 'application/json'},
                   f'[{{"name": "{name}", "bytes": 1, "hash": "x"}}]'.encode())] * 9
    line = cloud.refused(image, '--copy', **through(cloud, swift=swift))
    assert 'its list does not end' in line and len(swift.plan) == 7


def test_swift_fails_in_the_middle(cloud, account, glance, swift, image, data):
    """Only the segment that failed is sent again."""
    swift.only = '/00000001'
    for step in ((503, {'X-Trans-Id': 'tx'}), 'drop', (201, {'X-Trans-Id': 'tx', 'Etag': 'other'})):
        swift.requests.clear()
        cloud.openstack('image', 'temp', 'url', 'copy', 'delete', '--all', cloud='demo')
        swift.plan = [step]
        row = cloud.create(image, '--copy', **through(cloud, swift=swift, num_retries=1))
        assert requests.get(row['url'], timeout=30).content == data
        sent = [each.rpartition('/')[2] for each in swift.requests
                if each.startswith('PUT') and '/.segments/' in each]
        assert sent == ['00000000', '00000001', '00000001', '00000002']


@pytest.mark.parametrize('sent', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt(cloud, account, swift, image, data, sent):
    """It ends at once, and the next command goes on."""
    swift.only, swift.plan = '/00000001', ['delay']
    env = through(cloud, swift=swift)['env']
    process = commands.start(
        [*CREATE, image, '--copy'], cwd=cloud.home,
        env={**commands.ENVIRONMENT, **env, 'HOME': str(cloud.home), 'OS_CLOUD': 'demo'})
    while not any(each.endswith('/00000001') for each in swift.requests):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(sent)
    out, _ = process.communicate(timeout=30)
    assert (out, process.returncode != 0) == ('', True)
    assert account.copies(image) == [] and len(account.segments(image)) == 1
    swift.requests.clear()
    row = cloud.create(image, '--copy', **through(cloud, swift=swift))
    assert requests.get(row['url'], timeout=30).content == data
    assert not any(each.endswith('/00000000') for each in swift.requests if 'PUT' in each)


def test_killed_at_any_moment(cloud, account, data, stress):
    """There is a whole object, or none; what is left is deleted, and the next goes on from it."""
    env = {**commands.ENVIRONMENT, 'HOME': str(cloud.home), 'OS_CLOUD': 'demo',
           'OS_CLIENT_CONFIG_FILE': str(cloud.folder / 'clouds.yaml')}

    def start(image):
        return commands.start([*CREATE, image, '--copy', '-f', 'value', '-c', 'url'],
                              cwd=cloud.home, env=env)

    started = time.monotonic()
    assert start(cloud.upload('not to be killed', data, store='file1')).wait() == 0
    longest = time.monotonic() - started
    image, whole, kills = None, 0, 50 if stress else 15
    for _ in range(kills):
        image = image or cloud.upload('to be killed', data, store='file1')
        process = start(image)
        time.sleep(random.uniform(0.3, 1) * longest)
        process.kill()
        url, _ = process.communicate()
        for name in account.segments(image):
            assert int(account.head(name).headers['X-Delete-At']) > time.time()
        named = account.copies(image)
        assert len(named) == 1 if url else len(named) <= 1
        if named:
            whole += 1
            assert download(copied(cloud, image)['url']) == data
            image = None
    assert 0 < whole < kills


@pytest.mark.parametrize(('where', 'steps'), [
    # While its second segment is sent; and when it has looked for the last time, and seen none.
    ('/00000001', []), ('prefix={image}', [None])])
def test_another_is_faster(cloud, account, swift, image, data, where, steps):
    """Its copy is the copy, and what this command has written is deleted."""
    others = []

    def meanwhile(body):
        others.append(cloud.create(image, '--copy', cloud='demo', true_process=True))
        return [body]

    swift.only, swift.plan = where.format(image=image), [*steps, meanwhile]
    row = cloud.create(image, '--copy', **through(cloud, swift=swift))
    other, = others
    assert account.copies(image) == [row['object']] == [other['object']]
    assert download(other['url']) == data
    assert len(account.segments(image)) == 3
