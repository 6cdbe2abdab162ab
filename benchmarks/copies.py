"""What a copy costs, beside what everybody knows: to save the same image from Glance."""

import dataclasses
import pathlib
from collections.abc import Iterator

import openstack
from measure import Commands, Row, empty, medians
from openstack.config import OpenStackConfig

# In bytes: two segments.
SIZE = 2 * 10**9
SMALL = 10**6
# So many images, and the size of each.
FLEET, EACH = 4, 500 * 10**6
# In KiB.
MEMORY = 64 * 1024


def _upload(run: Commands, store: str, size: int) -> str:
    """Upload an image to a store, and return its ID."""
    config = OpenStackConfig(config_files=[str(run.clouds_yaml)], load_envvars=False)
    path = pathlib.Path(run.home) / 'image'
    with (path.open('wb') as file,
          openstack.connection.Connection(config=config.get_one('glance')) as cloud):
        file.truncate(size)
        made = cloud.image.post('/images', json={
            'name': store, 'disk_format': 'raw', 'container_format': 'bare',
            'visibility': 'public'}).json()
        with path.open('rb') as data:
            cloud.image.put(f'/images/{made["id"]}/file', data=data, headers={
                'Content-Type': 'application/octet-stream',
                'X-Image-Meta-Store': store}).raise_for_status()
    path.unlink()
    return str(made['id'])


def copies(run: Commands) -> Iterator[Row]:
    # Who does not own the account in which Glance keeps its images.
    run = dataclasses.replace(run, user='demo')
    create = ('image', 'temp', 'url', 'create', '--copy', '-f', 'value')
    delete = ('image', 'temp', 'url', 'copy', 'delete')
    _, small, _ = run.wall_and_memory(*create, _upload(run, 'file1', SMALL))
    for store, where in (('file1', 'in files'), ('swift1', 'in Swift')):
        image_id, memory = _upload(run, store, SIZE), []

        def copy(image_id: str = image_id, memory: list[int] = memory) -> float:
            seconds, peak, _ = run.wall_and_memory(*create, image_id)
            memory.append(peak)
            run.run(*delete, image_id)
            return seconds

        ours, theirs = medians(
            copy, run.wall('image', 'save', image_id, '--file', '/dev/null'), rounds=3)
        yield Row(f'image temp url create --copy, {SIZE / 1e9:.0f} GB {where}',
                  'image save --file /dev/null', ours / theirs, 1.2,
                  detail=f'{ours:.1f} s, {theirs:.1f} s')
        more = max(memory) - small
        yield Row('its peak memory beyond that of a copy of 1 MB', '64 MiB', more / MEMORY, 1.0,
                  detail=f'{more / 1024:.0f} MiB')
    yield from _fleet(run, small)
    empty(run.cloud)


def _fleet(run: Commands, small: int) -> Iterator[Row]:
    """Copy several images at once, and one after another."""
    images = [_upload(run, 'file1', EACH) for _ in range(FLEET)]
    memory = []

    def copy(*options: str) -> float:
        seconds, peak, rows = run.wall_and_memory(
            'image', 'temp', 'url', 'list', '--copy', '-f', 'value', *images, *options)
        assert rows == FLEET
        if not options:
            memory.append(peak)
        run.run('image', 'temp', 'url', 'copy', 'delete', '--all')
        return seconds

    ours, theirs = medians(copy, lambda: copy('--jobs', '1'), rounds=5)
    yield Row(f'image temp url list --copy, {FLEET} images of {EACH / 1e6:.0f} MB',
              'the same with --jobs 1', ours / theirs, 0.8, detail=f'{ours:.1f} s, {theirs:.1f} s')
    more = max(memory) - small
    yield Row('its peak memory beyond that of a copy of 1 MB', '64 MiB', more / MEMORY, 1.0,
              detail=f'{more / 1024:.0f} MiB')
