"""Two Swift stores in one Glance, each with an endpoint, a container and settings."""

import json
import re
import time

import pytest
import requests

from .conftest import download
from .locations import plant


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--two-stores', '--reseller-prefix', 'KEY', '--store', 'credentials')
    cloud.set_key('a key')
    return cloud


@pytest.fixture(scope='module')
def account(cloud):
    return f'KEY_{cloud.sdk().session.get_project_id()}'


@pytest.fixture(scope='module')
def images(cloud, data):
    """The IDs of an image in each store, and of one in both."""
    found = {'east': cloud.upload('in east', data, store='east'),
             'west': cloud.upload('in west', data, store='west'),
             'both': cloud.upload('in both', data, store='east')}
    glance = cloud.sdk().image
    copied = glance.post(f'/images/{found["both"]}/import', json={
        'method': {'name': 'copy-image'}, 'stores': ['west']})
    assert copied.status_code == 202, copied.text
    # Glance copies beside its requests, and its database is not for two writers at once.
    deadline = time.monotonic() + 60
    while ((shown := glance.get(f'/images/{found["both"]}').json())['stores'] != 'east,west'
           or 'os_glance_import_task' in shown):
        assert time.monotonic() < deadline, 'the copy is not there'
        time.sleep(0.2)
    return found


def target(cloud, store, image):
    """Return where a store keeps an image, and at which of the two endpoints of Swift."""
    if store == 'east':
        return f'http://127.0.0.1:{cloud.ports["proxy"]}', 'east-images'
    return f'http://127.0.0.1:{cloud.ports["west"]}', f'west-images_{image[:3]}'


@pytest.fixture
def stores(cloud):
    """A clouds.yaml that says of the store west where it is."""
    return cloud.config(image_temp_url={
        'container': 'east-images', 'stores': {'west': {
            'container': 'west-images', 'multiple_containers_seed': 3,
            'endpoint_url': f'http://127.0.0.1:{cloud.ports["west"]}'}}})


def test_links_in_two_regions(cloud, images, data, stores):
    """Each is made where its image is; here both regions are of one Swift."""
    link = ['image', 'temp', 'url', 'link']
    rows = [cloud.create(images[store], '--revocable', env=stores) for store in ('east', 'west')]
    assert f':{cloud.ports["west"]}/' in rows[1]['url']
    assert all(download(row['url']) == data for row in rows)
    listed = cloud.rows(*link, 'list', env=stores)
    assert sorted(each['link'] for each in listed) == sorted(row['link'] for row in rows)
    revoked = cloud.openstack(*link, 'revoke', rows[0]['link'], '-', stdin=rows[1]['url'],
                              env=stores)
    assert (revoked.code, revoked.text) == (0, '')
    assert [requests.head(row['url'], timeout=30).status_code for row in rows] == [404, 404]


@pytest.mark.parametrize(('name', 'options', 'store'), [
    ('east', [], 'east'), ('west', [], 'west'), ('both', [], 'east'),
    ('both', ['--store', 'west'], 'west'), ('both', ['--store', 'east'], 'east')])
def test_the_image_says_in_which_store_it_is(cloud, images, stores, data, name, options, store):
    endpoint, container = target(cloud, store, images[name])
    row = cloud.create(images[name], *options, '--check', env=stores)
    assert (row['endpoint'], row['container']) == (endpoint, container)
    assert download(row['url']) == data
    for subject in row['url'], images[name]:
        rows = cloud.rows('image', 'temp', 'url', 'check', subject, *options, env=stores)
        assert {each['result'] for each in rows} == {'pass', 'skipped'}, rows
        assert endpoint in rows[-1]['detail']


def test_the_regions_own_swift_is_asked_for_keys(cloud, images, stores):
    result = cloud.openstack('--debug', 'image', 'temp', 'url', 'create', images['west'],
                             env=stores)
    endpoint, container = target(cloud, 'west', images['west'])
    asked = re.findall(rf'Swift request: HEAD (\S+)/v1/\S+/{container}\n', result.stderr)
    assert (result.code, asked) == (0, [endpoint])


@pytest.mark.parametrize('entries', [
    {'region_name': 'West', 'image_region_name': 'RegionOne'},
    {'region_name': 'nowhere', 'image_region_name': 'RegionOne',
     'object_store_region_name': 'West'},
    {'region_name': 'West', 'image_region_name': 'RegionOne', 'interface': 'internal',
     'object_store_interface': 'public'}])
def test_each_service_may_have_a_region_and_an_interface(cloud, images, data, entries):
    """In clouds.yaml; the image service of this cloud is in one region, and Swift in two."""
    env = cloud.config(**entries)
    shown = cloud.rows('image', 'list', '--name', 'in east', env=env)
    assert [row['ID'] for row in shown] == [images['east']]
    row = cloud.create('in east', '--check', '--container', 'east-images', env=env)
    assert row['endpoint'] == target(cloud, 'west', '')[0]
    assert download(row['url']) == data


@pytest.mark.parametrize(('entries', 'service', 'regions'), [
    ({'image_region_name': 'West'}, 'image service', 'RegionOne'),
    ({'object_store_region_name': 'nowhere'}, 'object-store', 'RegionOne, West')])
def test_a_region_without_a_service(cloud, images, entries, service, regions):
    line = cloud.refused(images['east'], env=cloud.config(**entries))
    assert line.startswith(f'There is no {service} in the catalog of this cloud (region ')
    assert f', but in these regions: {regions}. ' in line


def test_a_list_takes_each_image_from_its_store(cloud, images, stores, data):
    rows = cloud.rows('image', 'temp', 'url', 'list', *images.values(), '--check', '--long',
                      env=stores)
    assert [(row['endpoint'], row['container']) for row in rows] == [
        target(cloud, 'east', images['east']), target(cloud, 'west', images['west']),
        target(cloud, 'east', images['both'])]
    assert {download(row['url']) for row in rows} == {data}
    only = cloud.openstack('image', 'temp', 'url', 'list', images['east'], images['both'],
                           '--store', 'west', '-f', 'json', env=stores)
    assert [row['image_id'] for row in json.loads(only.stdout)] == [images['both']]
    assert f'({images["east"]}) is in east and not in the store west' in only.stderr


def test_location_show_lists_both(cloud, images, stores, account):
    image = images['both']
    shown = [f'{store}: {"/".join([endpoint, "v1", account, container, image])}'
             for store in ('east', 'west')
             for endpoint, container in [target(cloud, store, image)]]
    for options, container in (([], 'east-images'), (['--store', 'west'],
                                                     f'west-images_{image[:3]}')):
        row = cloud.rows('image', 'location', 'show', image, *options, env=stores)
        assert (row['stores'], row['targets'], row['untrusted']) == (['east', 'west'], shown, [])
        assert (row['container'], row['container_by_rule']) == (container, container)


def test_settings_list(cloud, stores):
    source = 'image_temp_url.stores.west.container in clouds.yaml'
    rows = {row['setting']: (row['value'], row['source']) for row in cloud.rows(
        'image', 'temp', 'url', 'settings', 'list', env=stores)}
    assert rows['container'][0] == 'east-images'
    assert rows['stores.west.container'] == ('west-images', source)
    rows = {row['setting']: (row['value'], row['source']) for row in cloud.rows(
        'image', 'temp', 'url', 'settings', 'list', '--store', 'west', env=stores)}
    assert rows['container'] == ('west-images', source)
    assert rows['multiple_containers_seed'][0] == 3
    assert not [name for name in rows if name.startswith('stores.')]


def test_glances_own_config_file(cloud, images, account, data, key_file):
    """Nobody is asked: the file says which container is whose."""
    for store in ('east', 'west'):
        endpoint, container = target(cloud, store, images['both'])
        row = cloud.create(
            images['both'], '--store', store, '--config-file',
            str(cloud.folder / 'glance/glance-api.conf'), '--endpoint-url', endpoint,
            '--account', account, '--key-file', key_file('a key'), cloud=None,
            env={'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': 'http://127.0.0.1:1'})
        assert row['container'] == container
        assert download(row['url']) == data


@pytest.mark.parametrize(('given', 'said'), [
    ({'account': 'KEY_of_nobody'}, '(store west): its container is west-images_'),
    ({'account': 'KEY_of_nobody', 'container': 'west-images', 'multiple_containers_seed': 3},
     'The keys of account KEY_of_nobody (store west) are shown to its owner only'),
    ({'multiple_containers_seed': 99}, 'The settings of the store west: Invalid multiple_containers'
                                       '_seed \'99\' (image_temp_url.stores.west.multiple_'),
    ({'key': 'of the west'}, 'The key may not stand in image_temp_url.stores.west.key in cloud'),
    ({'duration': 60}, 'stores.west.duration in clouds.yaml is not a setting of a store; those'),
    ('west-images', 'image_temp_url.stores.west in clouds.yaml is not a mapping of settings')])
def test_what_is_wrong_with_a_store(cloud, images, given, said):
    line = cloud.refused(images['west'], env=cloud.config(
        image_temp_url={'stores': {'west': given}}))
    assert said in line and 'of the west' not in line


def test_a_store_that_the_image_is_not_in(cloud, images, stores):
    line = cloud.refused(images['east'], '--store', 'west', env=stores)
    assert f'({images["east"]}) is in east and not in the store west' in line
    assert '--store' in line


@pytest.fixture(scope='module')
def planted(cloud, images, data):
    """Images of demo's that claim to be in the west: one by another's object, one by the east's.

    Demo has such containers and objects, too: Glance accepts the locations.
    """
    store = cloud.sdk('demo').object_store
    password = json.loads((cloud.folder / 'settings.json').read_text())['passwords']['demo']
    start = f'swift+http://demo%3Ademo:{password}@127.0.0.1:{cloud.ports["keystone"]}/v3/'

    def image(container, name):
        made = cloud.upload('planted', cloud='demo', visibility='shared')
        name = name or made
        store.put(f'/{container}')
        store.put(f'/{container}/{name}', data=data)
        plant(cloud, made, f'{start}{container}/{name}', store='west')
        return made

    return (image(f'west-images_{images["west"][:3]}', images['west']),
            image('east-images', None))


def test_a_location_does_not_choose_key_and_container(cloud, images, planted, account, key_file):
    """Whoever writes a location writes its store: no key of a store signs what is not there."""
    env = cloud.config(image_temp_url={'stores': {'west': {
        'container': 'west-images', 'multiple_containers_seed': 3, 'account': account,
        'key_file': key_file('a key')}}})
    of_another, in_the_east = planted
    for image, said in (
            (of_another, f'its object is {images["west"]}, and not'),
            (in_the_east, 'its container is east-images, and the settings give'
                          f' west-images_{in_the_east[:3]}')):
        for options in ([], ['--method', 'PUT'], ['--store', 'west']):
            assert said in cloud.refused(image, *options, env=env)
        row = cloud.rows('image', 'location', 'show', image, env=env)
        assert (row['trusted'], row['targets']) == (None, [])
