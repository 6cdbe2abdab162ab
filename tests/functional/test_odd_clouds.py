"""Odd accounts, a Swift below a path, two stores in one Glance, and credentials of all kinds."""

import json
import re
import time

import pytest
import requests

from .conftest import download
from .credentials import odd_credentials
from .locations import plant
from .proxy import proxy

NOT_ALLOWED = 'Glance at {glance} does not allow this with these credentials: HTTP {status}'
NOT_SHOWN = 'The keys of account {account} are shown to its owner only.'
NO_CATALOG = 'Credentials that are not scoped to a project see no catalog: name one.'
NO_PROJECT = 'These credentials are not scoped to a project, so that they name no account.'


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--two-stores', '--reseller-prefix', 'KEY', '--store', 'credentials')
    cloud.set_key('a key')
    return cloud


@pytest.fixture(scope='module')
def account(cloud):
    return f'KEY_{cloud.sdk().session.get_project_id()}'


@pytest.mark.parametrize('spelling', [
    '{server}/v1/{account}', '{proxy}/object-store/v1/{account}/',
    '{shouting}/object-store/v1/{account}'])
def test_the_catalog_says_account_and_path(cloud, image, account, data, spelling):
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    with proxy(server) as between:
        between.below = '/object-store'
        shouting = between.url.replace('http', 'HTTP')
        storage_url = spelling.format(server=server, proxy=between.url, shouting=shouting,
                                      account=account)
        env = cloud.config(object_store_endpoint_override=storage_url)
        row = cloud.create(image, env=env)
        assert row['account'] == account
        assert row['url'].startswith(
            f'{storage_url.replace("HTTP", "http").rstrip("/")}/east-images/{image}?')
        assert download(row['url']) == data
        rows = cloud.rows('image', 'temp', 'url', 'check', '-', stdin=row['url'], env=env)
        assert {each['result'] for each in rows} == {'pass', 'skipped'}
        slots = cloud.rows('image', 'temp', 'url', 'key', 'list', env=env)
        assert [each['slot'] for each in slots if each['set']] == ['account key']
        row = cloud.rows('image', 'location', 'show', image, env=env)
        assert (row['account'], row['container']) == (account, 'east-images')
        paths = [each.partition(' ')[2] for each in between.requests]
        assert all(path.startswith('/object-store/') for path in paths)
        assert bool(paths) == ('object-store' in storage_url)


def test_a_given_prefix_comes_before_the_catalogs(cloud, image, account):
    given = cloud.openstack('image', 'temp', 'url', 'create', image, '--account-prefix', 'AUTH')
    assert given.code == 1 and f'AUTH_{account.removeprefix("KEY_")}' in given.stderr


def test_a_storage_url_that_is_none(cloud, image):
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    env = cloud.config(object_store_endpoint_override=f'{server}/v1/AUTH_x/c')
    assert 'expected an account or nothing behind the API version' in cloud.refused(image, env=env)


@pytest.fixture
def without_account(cloud):
    """A function that has the catalog name no account, for some interfaces; undone at the end."""
    identity, changed = cloud.sdk('admin').identity, []

    def change(*interfaces):
        for endpoint in identity.endpoints():
            if '/v1/' in endpoint.url and endpoint.interface in interfaces:
                changed.append(endpoint)
                url = endpoint.url.partition('/v1/')[0] + '/v1'
                assert identity.patch(f'/endpoints/{endpoint.id}', json={
                    'endpoint': {'url': url}}).ok

    yield change
    for endpoint in changed:
        assert identity.patch(f'/endpoints/{endpoint.id}', json={
            'endpoint': {'url': endpoint.url}}).ok


def test_another_interface_names_the_account(cloud, image, account, data, without_account):
    """As in a catalog whose admin interface has none; and as for an endpoint that is given so."""
    without_account('admin')
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    for entries in ({'interface': 'admin'}, {'object_store_endpoint_override': f'{server}/v1'},
                    {'object_store_endpoint_override': server}):
        env = cloud.config(**entries)
        row = cloud.create(image, env=env)
        assert (row['account'], download(row['url'])) == (account, data)
        slots = cloud.rows('image', 'temp', 'url', 'key', 'list', env=env)
        assert [each['slot'] for each in slots if each['set']] == ['account key']
        for subject in image, row['url']:
            rows = cloud.rows('image', 'temp', 'url', 'check', subject, env=env)
            assert {each['result'] for each in rows} == {'pass', 'skipped'}
        copy = cloud.create(image, '--copy', cloud='demo', env=env)
        assert copy['account'] == f'KEY_{cloud.sdk("demo").session.get_project_id()}'
        assert download(copy['url']) == data


@pytest.fixture
def reseller(cloud):
    """Have demo use all accounts, of whatever name."""
    identity = cloud.sdk('admin').identity
    role = identity.create_role(name='ResellerAdmin')
    auth = cloud.sdk('demo').session.auth.get_access(cloud.sdk('demo').session)
    grant = f'/projects/{auth.project_id}/users/{auth.user_id}/roles/{role.id}'
    assert identity.put(grant).ok
    yield
    identity.delete_role(role)


def test_an_account_of_no_project(cloud, image, data, reseller):
    """The storage URL names it, for keys, copies and URLs."""
    server = cloud.sdk().object_store.get_endpoint().partition('/v1')[0]
    env = cloud.config(object_store_endpoint_override=f'{server}/v1/KEY_MossoCloudFS_x')
    result = cloud.openstack('image', 'temp', 'url', 'key', 'set', '--generate', cloud='demo',
                             env=env)
    assert result.code == 0
    found = requests.head(
        f'{server}/v1/KEY_MossoCloudFS_x', timeout=30,
        headers={'X-Auth-Token': cloud.sdk('demo').session.get_token()})
    assert found.headers['X-Account-Meta-Temp-URL-Key']
    row = cloud.create(image, '--copy', cloud='demo', env=env)
    assert (row['account'], row['copied']) == ('KEY_MossoCloudFS_x', True)
    assert download(row['url']) == data
    copy = row['object']
    row = cloud.create(image, '--object', copy, '--container', 'image-temp-urls', cloud='demo',
                       env=env)
    assert row['url'].startswith(f'{server}/v1/KEY_MossoCloudFS_x/image-temp-urls/{copy}?')
    assert download(row['url']) == data
    rows = cloud.rows('image', 'temp', 'url', 'check', '-', stdin=row['url'], cloud='demo', env=env)
    assert {each['result'] for each in rows} == {'pass', 'skipped'}


def test_no_interface_names_the_account(cloud, image, account, data, without_account, key_file):
    without_account('public', 'internal', 'admin')
    server = f'http://127.0.0.1:{cloud.ports["proxy"]}'
    env = cloud.config(interface='admin')
    said = f'The URL of this cloud\'s object store, {server}/v1 (interface admin), names no account'
    for options, user in ([], 'glance'), (['--copy'], 'demo'):
        assert said in cloud.refused(image, *options, cloud=user, env=env)
    keys = cloud.openstack('image', 'temp', 'url', 'key', 'list', env=env)
    assert (keys.code, said in keys.stderr) == (1, True)
    env = cloud.config(image_temp_url={'account': account, 'container': 'east-images',
                                       'key_file': key_file('a key')})
    row = cloud.create(image, env=env)
    listed, = cloud.rows('image', 'temp', 'url', 'list', image, '--check', env=env)
    for url in row['url'], listed['url']:
        assert f'/v1/{account}/east-images/' in url and download(url) == data
    for subject in image, row['url']:
        rows = cloud.rows('image', 'temp', 'url', 'check', subject, env=env)
        assert {each['result'] for each in rows} == {'pass', 'skipped'}
    slots = cloud.rows('image', 'temp', 'url', 'key', 'list', env=env)
    assert [each['slot'] for each in slots if each['set']] == ['account key']


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
    assert f'Image {images["east"]} is in east and not in the store west' in only.stderr


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
    ({'duration': 60}, 'image_temp_url.stores.west.duration in clouds.yaml is no setting of a st'),
    ('west-images', 'image_temp_url.stores.west in clouds.yaml is not a mapping of settings')])
def test_what_is_wrong_with_a_store(cloud, images, given, said):
    line = cloud.refused(images['west'], env=cloud.config(
        image_temp_url={'stores': {'west': given}}))
    assert said in line and 'of the west' not in line


def test_a_store_that_the_image_is_not_in(cloud, images, stores):
    line = cloud.refused(images['east'], '--store', 'west', env=stores)
    assert f'Image {images["east"]} is in east and not in the store west' in line
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


@pytest.fixture(scope='module')
def credentials(cloud):
    return odd_credentials(cloud)


@pytest.mark.parametrize('name', [
    'unrestricted', 'restricted', 'one role of two', 'rules for both', 'trust'])
def test_credentials_that_make_a_url(cloud, credentials, image, data, name):
    assert download(cloud.create(image, cloud=name, env=credentials)['url']) == data


@pytest.mark.parametrize(('name', 'said'), [
    ('rules for images', NOT_SHOWN), ('rules for objects', NOT_ALLOWED),
    ('domain', NOT_ALLOWED), ('system', NOT_ALLOWED), ('unscoped', NO_CATALOG)])
def test_credentials_that_do_not(cloud, credentials, image, name, said):
    account = cloud.create(image)['account']
    glance = f'http://127.0.0.1:{cloud.ports["glance"]}'
    said = said.format(account=account, glance=glance,
                       status=401 if name.startswith('rules') else 403)
    line = cloud.refused('cirros', cloud=name, env=credentials)
    assert said in line


def test_rules_for_images_and_a_given_key(cloud, credentials, image, data, key_file):
    row = cloud.create(image, '--key-file', key_file('a key'), cloud='rules for images',
                       env=credentials)
    assert download(row['url']) == data


@pytest.mark.parametrize('name', ['domain', 'system', 'unscoped'])
def test_keys_without_a_project(cloud, credentials, name):
    result = cloud.openstack('image', 'temp', 'url', 'key', 'list', cloud=name, env=credentials)
    assert (result.code, result.stdout) == (1, '')
    assert result.stderr.splitlines() == [
        f'{NO_PROJECT} Use a project\'s, or give the account (--account).']
