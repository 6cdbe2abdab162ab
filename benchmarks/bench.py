"""How fast we are, as ratios of one run: ours against something that everybody knows.

Both sides of a ratio are measured in turn, so that a busy machine slows down both, and
compared by their medians. A goal that is missed is reported as missed.
"""

import argparse
import dataclasses
import pathlib
import random
import secrets
import sqlite3
import statistics
import tempfile
import uuid

from copies import copies
from distance import distance
from links import links
from measure import Commands, Row, fill, medians, requests_of, seconds, upload
from swiftclient.utils import generate_temp_url

from osc_imgurl.cache.base import Entry
from osc_imgurl.cache.sqlite import SQLiteCache, insert
from osc_imgurl.tempurl.signing import Key, Parameters, sign
from osc_imgurl.tempurl.url import ObjectPath

SIGNATURES = 100_000
IMAGES = 10_000
ACCOUNT = 'AUTH_0123456789abcdef0123456789abcdef'
EXPIRES = 2_000_000_000
KEY = secrets.token_bytes(32)


def signing() -> list[Row]:
    names = [str(uuid.uuid4()) for _ in range(SIGNATURES)]
    key = Key(KEY)

    def swiftclient() -> None:
        for name in names:
            generate_temp_url(f'/v1/{ACCOUNT}/glance/{name}', EXPIRES, KEY, 'GET', absolute=True)

    def ours() -> None:
        for name in names:
            assert sign(Parameters('http://swift.example.com',
                                   ObjectPath(ACCOUNT, 'glance', name), EXPIRES), key).url

    theirs, own = medians(*map(seconds, (swiftclient, ours)), rounds=7)
    each = SIGNATURES / 1e6
    return [Row(f'sign() of {SIGNATURES} objects', 'generate_temp_url', own / theirs, 1.0,
                detail=f'{own / each:.2f} us, swiftclient {theirs / each:.2f} us')]


def cache() -> list[Row]:
    lookups = 1000
    with tempfile.TemporaryDirectory() as folder:
        sides = []
        for size in (1_000, 1_000_000):
            store = SQLiteCache(pathlib.Path(folder) / str(size) / 'urls.sqlite')
            entry = Entry('0', EXPIRES, 'image', 'GET', ACCOUNT, 'glance', 'key', '0' * 64)
            store.get_or_create(entry, lambda expires: True, 0)
            entries = [dataclasses.replace(entry, fingerprint=secrets.token_hex(32))
                       for _ in range(size)]
            with sqlite3.connect(store.path) as database:
                for each in entries:
                    insert(database, each)
            database.close()
            wanted = random.sample(entries, lookups)

            def look_up(store=store, wanted=wanted) -> None:
                for entry in wanted:
                    assert store.get_or_create(entry, lambda expires: True, 0)[1]

            sides.append(seconds(look_up))
        small, large = medians(*sides, rounds=7)
    return [Row('cache look-up, 1000000 entries', '1000 entries', large / small, 1.5,
                detail=f'{large / lookups * 1e6:.0f} us each')]


def commands(run: Commands) -> list[Row]:
    image_id = upload(run, 'one', b'an image')
    key = pathlib.Path(run.home + '/key')
    key.touch(mode=0o600)
    key.write_text('a key')
    create = ('image', 'temp', 'url', 'create', image_id, '-f', 'value')
    told = (*create, '--endpoint-url', 'http://127.0.0.1:1', '--account', ACCOUNT, '--key-file',
            str(key), '--digest', 'sha256')
    show = ('image', 'show', image_id, '-f', 'value')

    ours, theirs = medians(run.wall(*told, none=True), run.wall('module', 'list', none=True),
                           rounds=11)
    yield Row('image temp url create UUID, all told', 'module list', ours / theirs, 1.05,
              detail=f'{ours:.2f} s')
    ours, theirs, first = medians(
        run.wall(*create), run.wall(*show),
        lambda: run.first_row('image', 'temp', 'url', 'list', '-f', 'value'), rounds=11)
    yield Row('image temp url create UUID, looked up', 'image show UUID', ours / theirs, 1.1,
              detail=f'{ours:.2f} s')
    more = requests_of(run, *create) - requests_of(run, *show)
    yield Row('its HTTP requests', 'those of image show, how many more', more, 2)
    for arguments in (('--version',), show):
        ours, theirs = medians(run.wall(*arguments), run.wall(*arguments, plugin=False),
                               rounds=21)
        name = 'openstack --version' if arguments == ('--version',) else 'image show UUID'
        yield Row(f'{name} with the plugin', 'without', ours / theirs, 1.01,
                  detail=f'{ours:.3f} s, {theirs:.3f} s')
    fill(run.cloud, IMAGES)
    first, theirs = medians(
        lambda: run.first_row('image', 'temp', 'url', 'list', '-f', 'value'), run.wall(*show),
        rounds=7)
    yield Row(f'the first row of image temp url list, {IMAGES} images', 'image show UUID',
              first / theirs, 1.5, detail=f'{first:.2f} s')
    ours, theirs, fewer = [], [], []
    for _ in range(5):
        ours.append(run.wall_and_memory('image', 'temp', 'url', 'list', '-f', 'value'))
        theirs.append(run.wall_and_memory('image', 'list', '-f', 'value'))
        fewer.append(run.wall_and_memory('image', 'temp', 'url', 'list', '-f', 'value',
                                         '--limit', str(IMAGES // 10)))
    assert {rows for _, _, rows in ours + theirs} == {IMAGES + 1}
    (wall, memory, _), (their_wall, their_memory, _), (_, less_memory, _) = (
        [statistics.median(column) for column in zip(*side, strict=True)]
        for side in (ours, theirs, fewer))
    yield Row(f'image temp url list -f value, {IMAGES} images', 'image list', wall / their_wall,
              0.25, detail=f'{wall:.1f} s, {their_wall:.1f} s')
    yield Row('its peak memory', 'image list', memory / their_memory, 1.0,
              detail=f'{memory / 1024:.0f} MiB, {their_memory / 1024:.0f} MiB')
    yield Row('its peak memory', f'the same for {IMAGES // 10} images', memory / less_memory,
              1.1, detail=f'{less_memory / 1024:.0f} MiB')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--cloud', type=pathlib.Path, required=True)
    parser.add_argument('--plugin', type=pathlib.Path, required=True)
    parser.add_argument('--bare', type=pathlib.Path, required=True)
    parser.add_argument('--only', choices=('signing', 'cache', 'commands', 'distance', 'copies',
                                           'links'))
    options = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as home:
        cloud = options.cloud.resolve()
        run = Commands(cloud, cloud / 'clouds.yaml', options.plugin.resolve(),
                       options.bare.resolve(), home)
        parts = {'signing': signing, 'cache': cache, 'distance': lambda: distance(run),
                 'commands': lambda: commands(run), 'copies': lambda: copies(run),
                 'links': lambda: links(run)}
        print('            ratio  goal')
        for name, part in parts.items():
            if options.only in (None, name):
                for row in part():
                    missed += not row.reached
                    print(row, flush=True)
    print(f'{missed} goals missed' if missed else 'all goals reached')


if __name__ == '__main__':
    main()
