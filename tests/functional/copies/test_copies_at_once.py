"""Many images copied at once, between a real Glance and a real Swift: what stops one leaves the
others whole."""

import itertools
import json
import os
import pty
import signal
import threading
import time

import pytest

from .. import commands
from ..conftest import download
from .conftest import CREATE, FILE, altered, through

LIST = ['image', 'temp', 'url', 'list', '--copy']
IMAGES = 4


@pytest.fixture
def images(cloud, data):
    """The IDs of images in files, in the order in which they are named."""
    return [cloud.upload(f'fleet {number}', data, store='file1') for number in range(IMAGES)]


def start(cloud, arguments, env, **options):
    return commands.start(
        arguments, cwd=cloud.home, env={
            **commands.ENVIRONMENT, 'HOME': str(cloud.home), 'OS_CLOUD': 'demo', 'TERM': 'xterm',
            **env}, **options)


def test_four_are_copied_at_once(cloud, account, images, glance, data):
    """Glance answers none before all four ask; rows come in the order of the images."""
    glance.together = threading.Barrier(IMAGES)
    result = cloud.openstack(*LIST, *images, '-f', 'json', **through(cloud, glance))
    assert result.code == 0, result.text
    rows = json.loads(result.stdout)
    assert [row['image_id'] for row in rows] == images
    assert [download(row['url']) for row in rows] == [data] * IMAGES
    # In a log, a line when a copy starts, and another when it ends.
    lines = result.stderr.splitlines()
    assert sorted(line.split()[0] for line in lines) == ['Copied'] * IMAGES + ['Copying'] * IMAGES
    assert f'Copying fleet 0 ({images[0]}): 2.5 MB ...' in lines
    # What is copied already is said nothing of.
    result = cloud.openstack(*LIST, *images, '-f', 'json', cloud='demo')
    assert (result.code, result.stderr) == (0, '')
    assert len({name for image in images for name in account.copies(image)}) == IMAGES


@pytest.mark.parametrize('jobs', [1, 2])
def test_no_more_than_jobs(cloud, images, glance, jobs):
    result = cloud.openstack(*LIST, *images, '--jobs', str(jobs), '-f', 'json',
                             **through(cloud, glance))
    assert result.code == 0, result.text
    assert len([each for each in glance.requests if FILE in each]) == IMAGES
    under_way = itertools.accumulate(
        1 if line.startswith('Copying ') else -1 for line in result.stderr.splitlines())
    assert max(under_way) <= jobs


@pytest.mark.parametrize('jobs', ['0', '33'])
def test_jobs_out_of_range(cloud, images, jobs):
    result = cloud.openstack(*LIST, '--jobs', jobs, cloud='demo')
    assert (result.code, result.text) == (
        1, f'{jobs} images cannot be copied at once. Use 1 to 32 (--jobs).\n')


def test_one_that_fails(cloud, account, images, glance, data):
    glance.only, glance.plan = f'{images[1]}{FILE}', [altered]
    result = cloud.openstack(*LIST, *images, '-f', 'json', **through(cloud, glance))
    assert result.code == 1
    rows = json.loads(result.stdout)
    whole = [images[0], *images[2:]]
    assert [row['image_id'] for row in rows] == whole
    assert [download(row['url']) for row in rows] == [data] * len(whole)
    said = [line for line in result.stderr.splitlines() if not line.startswith('Cop')]
    assert len(said) == 1 and f'({images[1]}) is not what' in said[0]
    assert account.copies(images[1]) == account.segments(images[1]) == []


def test_the_same_image_is_copied_once(cloud, account, images, glance):
    result = cloud.openstack(*LIST, *[images[0]] * IMAGES, '-f', 'json', **through(cloud, glance))
    assert result.code == 0, result.text
    assert len({row['url'].partition('?')[0] for row in json.loads(result.stdout)}) == 1
    assert len([each for each in glance.requests if FILE in each]) == 1
    assert len(account.copies(images[0])) == 1


@pytest.mark.parametrize(('number', 'status'), [
    (signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_end_in_the_middle(cloud, account, images, swift, data, number, status):
    """One is stuck: the others are whole, and the next command goes on from there."""
    swift.only, swift.plan = '/00000001', ['delay']
    env = through(cloud, swift=swift)['env']
    process = start(cloud, [*LIST, *images, '-f', 'json'], env)
    while sum(bool(account.copies(image)) for image in images) < IMAGES - 1:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == status
    assert 'Traceback' not in stderr
    left, = (image for image in images if not account.copies(image))
    if number == signal.SIGINT:
        # Those before the stuck one may have rows, in a whole document.
        listed = [row['image_id'] for row in json.loads(stdout)]
        assert listed == images[:len(listed)] and left not in listed
    assert len(account.segments(left)) == 1
    swift.plan, swift.requests = [], []
    result = cloud.openstack(*LIST, *images, '-f', 'json', **through(cloud, swift=swift))
    assert result.code == 0, result.text
    assert [download(row['url']) for row in json.loads(result.stdout)] == [data] * IMAGES
    sent = [each for each in swift.requests if each.startswith('PUT') and '/.segments/' in each]
    assert len(sent) == 2 and all(left in each for each in sent)


def test_fail_fast(cloud, images, glance):
    glance.only, glance.plan = f'{images[1]}{FILE}', [altered]
    result = cloud.openstack(*LIST, *images, '--fail-fast', '-f', 'json',
                             **through(cloud, glance))
    assert result.code == 1
    assert [row['image_id'] for row in json.loads(result.stdout)] == images[:1]


def shown(cloud, arguments, stdout=None, **env):
    """Return what a command prints on a terminal."""
    controller, terminal = pty.openpty()
    process = start(cloud, arguments, {
        'OS_CLIENT_CONFIG_FILE': str(cloud.folder / 'clouds.yaml'), 'COLUMNS': '100', **env},
        stdout=stdout or terminal, stderr=terminal)
    os.close(terminal)
    printed = b''
    # Its end is an error on Linux.
    try:
        while part := os.read(controller, 10_000):
            printed += part
    except OSError:
        pass
    os.close(controller)
    assert process.wait() == 0
    return printed.decode()


def test_one_bar_for_all(cloud, images):
    printed = shown(cloud, [*LIST, *images, '-f', 'value', '-c', 'image_name'])
    assert f'of {IMAGES} copies' in printed and '/10.0 MB' in printed
    # Rows come between, and nothing of the bar is left on their lines.
    lines = [line.rpartition('\r\x1b[K')[2].rstrip('\r') for line in printed.split('\n')]
    assert lines == [*(f'fleet {number}' for number in range(IMAGES)), '']
    # It never takes a second line, and the cursor stays visible.
    assert '\x1b[1A' not in printed and '\x1b[?25l' not in printed


def test_a_dumb_terminal(cloud, images):
    printed = shown(cloud, [*CREATE, images[0], '--copy', '-f', 'value', '-c', 'image_name'],
                    TERM='dumb')
    first, last, row, end = printed.split('\r\n')
    assert first == f'Copying fleet 0 ({images[0]}): 2.5 MB ...'
    assert last.startswith(f'Copied fleet 0 ({images[0]}) in ')
    assert (row, end) == ('fleet 0', '') and '\x1b' not in printed


def test_quiet(cloud, images):
    result = cloud.openstack('-q', *CREATE, images[0], '--copy', cloud='demo')
    assert (result.code, result.stderr) == (0, '')
