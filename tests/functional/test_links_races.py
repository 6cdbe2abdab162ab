"""Links while processes are killed, and while there are many."""

import concurrent.futures
import random
import signal
import time

from osc_imgurl import Client, Settings, URLOptions
from osc_imgurl.links.link_container import living

from . import commands
from .conftest import download
from .links import CONTAINER, LINK, links, revoke, state, status

CREATE = ['image', 'temp', 'url', 'create', '--revocable', '--no-check', '-f', 'value', '-c', 'url']


def environment(cloud):
    return {**commands.ENVIRONMENT, 'HOME': str(cloud.home), 'OS_CLOUD': 'glance',
            'OS_CLIENT_CONFIG_FILE': str(cloud.folder / 'clouds.yaml')}


def kill_in(cloud, arguments, seconds):
    """Start a command, kill it after so many seconds, and return what it has printed."""
    process = commands.start(arguments, cwd=cloud.home, env=environment(cloud))
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    return process.communicate()[0]


def ends(cloud):
    """Return when each object in the container is deleted, by its name; None: never."""
    store = cloud.sdk().object_store
    listed = store.get(f'/{CONTAINER}', params={'format': 'json'})
    return {each['name']: store.head(f'/{CONTAINER}/{each["name"]}', params={'symlink': 'get'}
                                     ).headers.get('X-Delete-At')
            for each in (listed.json() if listed.ok else ())}


def test_killed_at_any_moment(cloud, image, data, stress):
    """No link lives for ever, and nothing happens to the image."""
    before = state(cloud, f'/glance/{image}')
    begun = time.monotonic()
    row = cloud.create(image, '--revocable', true_process=True)
    whole = time.monotonic() - begun
    random.seed()
    for _ in range(30 if stress else 6):
        # Most of a command is its start.
        moment = random.uniform(0.5, 1.1) * whole
        kill_in(cloud, [*CREATE, image], moment)
        kill_in(cloud, [*LINK, 'extend', row['link'], '--duration', '1d'], moment)
        assert all(ends(cloud).values())
        kill_in(cloud, [*LINK, 'revoke', row['link']], moment)
        if status(row['url']) == 404:
            row = cloud.create(image, '--revocable')
    assert all(ends(cloud).values())
    assert state(cloud, f'/glance/{image}') == before
    assert download(row['url']) == data
    revoke(cloud, '--all')
    assert ends(cloud) == {}


def test_many(cloud, image, stress):
    """One listing shows them, of no bytes; one of them is revoked, and the others stay."""
    sdk = cloud.sdk()
    client = Client(sdk.session, Settings(revocable=True, check=False))
    number = 1000 if stress else 100
    found = client.glance.find(image)
    made = list(client.create_many([found] * number, URLOptions(duration='1h')))
    urls = [each.url for each in made]
    begun = time.monotonic()
    living_ones = list(living(client.settings, client.swift, time.time()))
    assert time.monotonic() - begun < 5
    assert {each.id for each in living_ones} == {each.temp_url.link.id for each in made}
    assert {each.key_fingerprint for each in living_ones} == {
        made[0].temp_url.link.key_fingerprint}
    victim = number // 2
    begun = time.monotonic()
    assert client.links.revoke([urls[victim]]) == []
    assert status(urls[victim]) == 404
    assert time.monotonic() - begun < 1
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(status, urls))
    assert [each for each, answer in enumerate(answers) if answer != 200] == [victim]
    assert len(links(cloud)) == number - 1
    listed = sdk.object_store.get(f'/{CONTAINER}', params={'format': 'json'}).json()
    assert {each['bytes'] for each in listed} == {0}
    revoke(cloud, '--image', image)
    assert links(cloud) == []
