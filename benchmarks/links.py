"""What it costs that a URL can be revoked, and to list what is given out."""

from collections.abc import Iterator

import openstack
from measure import Commands, Row, empty, medians, requests_of, upload
from openstack.config import OpenStackConfig

from osc_imgurl import Client, Settings, URLOptions

LINKS = 1000


def _make(run: Commands, image_id: str) -> None:
    """Make many links to an image."""
    config = OpenStackConfig(config_files=[str(run.clouds_yaml)], load_envvars=False)
    with openstack.connection.Connection(config=config.get_one(run.user)) as cloud:
        client = Client(cloud.session, Settings(revocable=True, check=False))
        images = [client.glance.find(image_id)] * LINKS
        assert all(made.url for made in client.create_many(images, URLOptions(duration='1h')))


def links(run: Commands) -> Iterator[Row]:
    image_id = upload(run, 'linked', b'an image')
    create = ('image', 'temp', 'url', 'create', image_id, '-f', 'value')
    revocable = (*create, '--revocable')
    # The first makes the container.
    run.run(*revocable)
    ours, theirs = medians(run.wall(*revocable), run.wall(*create), rounds=11)
    yield Row('image temp url create UUID --revocable', 'create UUID', ours / theirs, 1.1,
              detail=f'{ours:.2f} s, {theirs:.2f} s')
    yield Row('its HTTP requests', 'those of create UUID, how many more',
              requests_of(run, *revocable) - requests_of(run, *create), 2)
    link_list = ('image', 'temp', 'url', 'link', 'list', '-f', 'value')
    few = requests_of(run, *link_list)
    _make(run, image_id)
    assert len(run.run(*link_list)) > LINKS
    ours, theirs = medians(run.wall(*link_list), run.wall('image', 'show', image_id), rounds=11)
    yield Row(f'image temp url link list, {LINKS} links', 'image show UUID', ours / theirs, 1.2,
              detail=f'{ours:.2f} s, {theirs:.2f} s')
    yield Row('its HTTP requests', 'those for a few links, how many more',
              requests_of(run, *link_list) - few, 0)
    run.run('image', 'temp', 'url', 'link', 'revoke', '--all')
    empty(run.cloud)
