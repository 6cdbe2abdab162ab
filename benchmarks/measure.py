"""What is measured with: rows, medians, and real ``openstack`` processes."""

import contextlib
import dataclasses
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence


@dataclasses.dataclass(frozen=True)
class Row:
    """One goal, and what was measured."""

    what: str
    against: str
    ratio: float
    goal: float
    at_least: bool = False
    detail: str = ''

    @property
    def reached(self) -> bool:
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def __str__(self) -> str:
        goal = f'{">=" if self.at_least else "<="} {self.goal}'
        return (f'{"reached" if self.reached else "MISSED ":8} {self.ratio:6.2f}  {goal:8}'
                f' {self.what}, against {self.against}'
                f'{f" ({self.detail})" if self.detail else ""}')


def medians(*sides: Callable[[], float], rounds: int) -> list[float]:
    """Measure the sides in turn and return the median of each."""
    results = [[side() for side in sides] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*results, strict=True)]


def seconds(action: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        before = time.perf_counter()
        action()
        return time.perf_counter() - before
    return measure


@dataclasses.dataclass(frozen=True)
class Commands:
    """Real ``openstack`` processes against one cloud.

    ``clouds_yaml`` names its services; those in its folder have it on this machine. ``user`` is one
    of the clouds in it.
    """

    cloud: pathlib.Path
    clouds_yaml: pathlib.Path
    plugin: pathlib.Path
    bare: pathlib.Path
    home: str
    user: str = 'glance'

    def run(self, *arguments: str, plugin: bool = True, none: bool = False) -> list[str]:
        program = (self.plugin if plugin else self.bare) / 'bin/openstack'
        done = subprocess.run(
            [program, *(['--os-auth-type', 'none'] if none else []), *arguments],
            capture_output=True, text=True, check=True, env=self.environment(none))
        return done.stdout.splitlines() + done.stderr.splitlines()

    def environment(self, none: bool) -> dict[str, str]:
        return {'PATH': os.environ['PATH'], 'HOME': self.home,
                **({} if none else {'OS_CLOUD': self.user,
                                    'OS_CLIENT_CONFIG_FILE': str(self.clouds_yaml)})}

    def wall(self, *arguments: str, **kwargs: bool) -> Callable[[], float]:
        return seconds(lambda: self.run(*arguments, **kwargs))

    def first_row(self, *arguments: str) -> float:
        before = time.perf_counter()
        process = subprocess.Popen(
            [self.plugin / 'bin/openstack', *arguments], stdout=subprocess.PIPE,
            env=self.environment(False))
        assert process.stdout
        process.stdout.readline()
        passed = time.perf_counter() - before
        process.stdout.close()
        process.wait()
        return passed

    def wall_and_memory(self, *arguments: str) -> tuple[float, float, int]:
        """Return seconds, peak memory in KiB, and how many rows there were."""
        code = ('import resource, subprocess, sys; done = subprocess.run(sys.argv[1:],'
                ' capture_output=True, check=True); print(len(done.stdout.splitlines()),'
                ' resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)')
        before = time.perf_counter()
        done = subprocess.run(
            [sys.executable, '-c', code, self.plugin / 'bin/openstack', *arguments],
            capture_output=True, text=True, check=True, env=self.environment(False))
        passed = time.perf_counter() - before
        rows, memory = map(int, done.stdout.split())
        return passed, memory, rows


def requests_of(commands: Commands, *arguments: str) -> int:
    log = commands.run('--debug', *arguments)
    return sum(bool(re.match(r'https?://\S+ "[A-Z]+ ', line)) for line in log)


def upload(commands: Commands, name: str, data: bytes) -> str:
    """Upload an image, and return its ID."""
    path = pathlib.Path(commands.home) / 'image'
    path.write_bytes(data)
    return commands.run('image', 'create', name, '--file', str(path), '--disk-format', 'raw',
                        '--container-format', 'bare', '-f', 'value', '-c', 'id')[0]


@contextlib.contextmanager
def images(cloud: pathlib.Path) -> Iterator[sqlite3.Connection]:
    """Yield Glance's database; what is changed in it is kept."""
    path = cloud / 'glance/glance.db'
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as database, database:
        yield database


def fill(cloud: pathlib.Path, count: int, name: str = 'image', *, object_name: str = '',
         boots: Sequence[str] = ()) -> list[str]:
    """Give Glance many images, by its database: to upload them takes an hour.

    :param object_name: one object of one byte that they are all in; else each in its own.
    :param boots: IDs of others; each image names its own two to boot with.
    :returns: their IDs.
    """
    moment = '2026-01-01 00:00:00.000000'
    ids = [str(uuid.uuid4()) for _ in range(count)]
    with images(cloud) as database:
        owner = database.execute('SELECT owner FROM images').fetchone()[0]
        for number, image_id in enumerate(ids):
            database.execute(
                'INSERT INTO images (id, name, size, status, created_at, updated_at, deleted,'
                ' disk_format, container_format, owner, min_disk, min_ram, visibility)'
                " VALUES (?, ?, 1, 'active', ?, ?, 0, 'raw', 'bare', ?, 0, 0, 'public')",
                (image_id, f'{name} {number}', moment, moment, owner))
            database.execute(
                'INSERT INTO image_locations (image_id, value, created_at, deleted,'
                " meta_data, status) VALUES (?, ?, ?, 0, '{\"store\": \"swift1\"}', 'active')",
                (image_id, f'swift+config://ref1/glance/{object_name or image_id}', moment))
            for key, boot in zip(('kernel_id', 'ramdisk_id'), boots[2 * number:], strict=False):
                database.execute(
                    'INSERT INTO image_properties (image_id, name, value, created_at, deleted)'
                    ' VALUES (?, ?, ?, ?, 0)', (image_id, key, boot, moment))
    return ids


def empty(cloud: pathlib.Path) -> None:
    """Take all images out of Glance."""
    with images(cloud) as database:
        for table in ('image_properties', 'image_locations', 'images'):
            database.execute(f'DELETE FROM {table}')  # noqa: S608
