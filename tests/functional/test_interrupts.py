"""Ctrl-C and SIGTERM while servers are asked that do not answer."""

import json
import os
import signal
import tempfile
import time

import pytest

from . import commands
from .proxy import proxy

# In seconds: a day, so that nothing but the signal ends a command, and when one that hangs is given
# up.
SETTINGS = {'timeout': 86_400}
HANGS = 120


@pytest.fixture(scope='module')
def images(cloud):
    return [cloud.upload(name, b'x') for name in 'abc']


@pytest.fixture
def swift(cloud):
    """Swift behind a proxy; ``env`` makes commands go through it."""
    endpoint, _, account = cloud.sdk().object_store.get_endpoint().partition('/v1/')
    with proxy(endpoint) as made:
        made.env = cloud.config(object_store_endpoint_override=f'{made.url}/v1/{account}',
                                image_temp_url=SETTINGS)
        yield made


@pytest.fixture
def glance(cloud):
    with proxy(cloud.sdk().session.get_endpoint(service_type='image').rstrip('/')) as made:
        made.env = cloud.config(image_endpoint_override=made.url, image_temp_url=SETTINGS)
        yield made


def end(cloud, env, arguments, when, number):
    """Send a command a signal when it is time; return its status and what it has printed."""
    with tempfile.TemporaryFile('w+') as stdout, tempfile.TemporaryFile('w+') as stderr:
        child = commands.start(
            ['image', 'temp', 'url', *arguments], cwd=cloud.home, stdout=stdout,
            stderr=stderr, env={**commands.ENVIRONMENT, 'HOME': str(cloud.home),
                                'OS_CLOUD': 'glance', **env})

        def printed(file):
            file.seek(0)
            return file.read()

        while not when(printed(stdout)):
            time.sleep(0.02)
        os.kill(child.pid, number)
        try:
            child.wait(HANGS)
        finally:
            child.kill()
        return child.returncode, printed(stdout), printed(stderr)


def came(server, *parts):
    return all(any(part in each for each in server.requests) for part in parts)


@pytest.mark.parametrize(('number', 'status'), [
    (signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_list_with_checks_under_way(cloud, images, swift, number, status):
    """The first URL is checked, and for the second nobody answers."""
    swift.only, swift.plan = images[1], ['delay'] * 9
    code, stdout, stderr = end(
        cloud, swift.env, ['list', '--check', '-f', 'value', '-c', 'image_name'],
        lambda printed: 'a\n' in printed and came(swift, images[1], images[2]), number)
    assert (code, stdout, stderr) == (status, 'a\n', '')


def test_what_is_printed_is_whole_in_every_format(cloud, images, glance):
    glance.only, glance.plan = 'name=nobody', ['delay']
    code, stdout, stderr = end(
        cloud, glance.env, ['list', images[0], 'nobody', '-f', 'json'],
        lambda printed: came(glance, '/v2/images'), signal.SIGINT)
    assert (code, stderr) == (130, '')
    assert {row['image_name'] for row in json.loads(stdout)} <= {'a'}


@pytest.mark.parametrize('command', [['create', 'a'], ['check', 'a'], ['list']])
def test_a_command_that_waits_for_glance(cloud, images, glance, command):
    glance.plan = ['delay']
    code, stdout, stderr = end(
        cloud, glance.env, command, lambda printed: came(glance, '/v2/images'), signal.SIGINT)
    assert (code, stdout.strip(), stderr) == (130, '', '')
