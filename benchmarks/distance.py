"""What a cloud far away costs: the same commands through a network with a delay, and without."""

import contextlib
import dataclasses
import pathlib
import urllib.parse
from collections.abc import Callable, Iterable, Iterator

import openstack
import yaml
from measure import Commands, Row, empty, fill, medians, requests_of, upload
from network import Network, network
from openstack.config import OpenStackConfig

# In seconds.
FAR = 0.2
NEAR = 0.05
NAMES = 1000
MACHINES = 300
REGION = 'far'


@contextlib.contextmanager
def far_region(run: Commands, through: Network) -> Iterator[Commands]:
    """Add a region to the cloud in which all is reached through a network; it ends with this."""
    def relayed(url: str) -> str:
        parts = urllib.parse.urlsplit(url)
        assert parts.port
        return parts._replace(netloc=f'127.0.0.1:{through.relay(parts.port)}').geturl()

    config = OpenStackConfig(config_files=[str(run.clouds_yaml)], load_envvars=False)
    with openstack.connection.Connection(config=config.get_one('admin')) as admin:
        identity, made = admin.identity, []
        identity.create_region(id=REGION)
        for service in list(identity.services()):
            if service.type == 'identity':
                continue
            endpoint = next(identity.endpoints(service_id=service.id, interface='public'))
            made.append(identity.create_endpoint(
                service_id=service.id, interface='public', region_id=REGION,
                url=relayed(endpoint.url)))
        clouds = yaml.safe_load(run.clouds_yaml.read_text())
        for cloud in clouds['clouds'].values():
            cloud['region_name'] = REGION
        auth_url = relayed(clouds['clouds']['glance']['auth']['auth_url'])
        clouds['clouds']['glance']['auth']['auth_url'] = auth_url
        path = pathlib.Path(run.home) / 'far.yaml'
        path.write_text(yaml.safe_dump(clouds))
        yield dataclasses.replace(run, clouds_yaml=path)
        for endpoint in made:
            identity.delete_endpoint(endpoint)
        identity.delete_region(REGION)


def distance(run: Commands) -> Iterator[Row]:
    image_id = upload(run, 'far', b'x')
    list_ = ('image', 'temp', 'url', 'list', '-f', 'value')

    def named(name: str, lines: Iterable[str]) -> tuple[str, str]:
        path = pathlib.Path(run.home) / name
        path.write_text('\n'.join(lines))
        return '--from-file', str(path)

    ids = fill(run.cloud, NAMES, object_name=image_id)
    boots = fill(run.cloud, 2 * MACHINES, 'boot')
    machines = fill(run.cloud, MACHINES, 'machine', boots=boots)
    names = [f'image {number}' for number in range(NAMES)]
    with network() as through, far_region(run, through) as far:
        def at(delay: float, measure: Callable[[], float]) -> Callable[[], float]:
            def delayed() -> float:
                through.delay = delay
                return measure()
            return delayed

        create = ('image', 'temp', 'url', 'create', image_id, '-f', 'value')
        show = ('image', 'show', image_id, '-f', 'value')
        for delay, goal in ((FAR, 1.2), (0.0, 1.1)):
            ours, theirs = medians(at(delay, far.wall(*create)), at(delay, far.wall(*show)),
                                   rounds=7)
            yield Row(f'image temp url create UUID, {delay * 1000:.0f} ms away', 'image show UUID',
                      ours / theirs, goal, detail=f'{ours:.2f} s, {theirs:.2f} s')
        yield Row('its HTTP requests', 'those of image show, how many more',
                  requests_of(far, *create) - requests_of(far, *show), 2)
        for what, arguments in (
                (f'--from-file, {NAMES} names', named('names', names)),
                (f'--check, {NAMES} URLs', ('--check', *named('ids', ids))),
                (f'--with-boot-images, {MACHINES} images that name two',
                 ('--with-boot-images', *named('machines', machines)))):
            away, here, first = medians(
                at(NEAR, far.wall(*list_, *arguments)), at(0, far.wall(*list_, *arguments)),
                at(NEAR, lambda: far.first_row(*list_, *arguments)), rounds=3)  # noqa: B023
            yield Row(f'image temp url list {what}, {NEAR * 1000:.0f} ms away', 'no delay',
                      away / here, 1.5,
                      detail=f'{away:.1f} s, {here:.1f} s; the first row {first:.2f} s')
    empty(run.cloud)
