"""A store that keeps each image in a container of its own, in its owner's account."""


import pytest

from osc_imgurl import Client
from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.settings.table import Settings

from .conftest import download
from .locations import attackers_server, plant


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--store', 'multi-tenant')
    cloud.set_key('the key of demo', cloud='demo')
    cloud.set_key('the key of glance')
    return cloud


@pytest.fixture(scope='module')
def image(cloud, data):
    return cloud.upload('mine', data, cloud='demo', visibility='shared')


def test_a_key_before_the_first_image_costs_no_warning(cloud, data):
    """Nobody's, and then one's own: its container is made with it."""
    command = ['image', 'temp', 'url', 'key', 'set', '--generate', '--slot', '2', '--force']
    result = cloud.openstack(*command, cloud='demo')
    assert (result.code, result.stderr) == (0, '')
    image_id = cloud.upload('of others', data, cloud='admin')
    result = cloud.openstack(*command, cloud='demo')
    assert result.code == 0 and 'Glance keeps no image' not in result.stderr
    cloud.sdk('admin').image.delete_image(image_id)
    cloud.sdk('demo').object_store.post(
        '/', headers={'X-Remove-Account-Meta-Temp-URL-Key-2': 'x'})


def test_create(cloud, image, data):
    row = cloud.create('mine', cloud='demo')
    project = cloud.sdk('demo').session.get_project_id()
    assert (row['account'], row['container'], row['object']) == (
        f'AUTH_{project}', f'glance_{image}', image)
    assert download(row['url']) == data


def test_location_show(cloud, image):
    row = cloud.rows('image', 'location', 'show', 'mine', cloud='demo')
    assert row['scheme'] == 'swift+http'
    assert row['container'] == f'glance_{image}'


def test_who_may_not_see_the_keys(cloud, image):
    for user in ('reader', 'glance'):
        line = cloud.refused(image, cloud=user)
        assert 'service project), or give the key' in line


def test_a_told_key_needs_no_owner(cloud, image, data, key_file):
    row = cloud.create(image, '--key-file', key_file('the key of demo'), cloud='reader')
    assert download(row['url']) == data


def test_the_location_counts_and_an_option_overrules_it(cloud, image, data):
    account = cloud.create(image, cloud='demo')['account']
    command = ['image', 'temp', 'url', 'create', image, '-f', 'value', '-c', 'url']
    configured = cloud.openstack(*command, cloud='demo',
                                 env={'OSC_IMGURL_ACCOUNT': 'AUTH_other'})
    assert download(configured.stdout.strip()) == data
    assert f'The image lies in account {account} by its own location' in configured.stderr
    told = [*command, '--account', 'AUTH_other', '--key-file', '-']
    refused = cloud.openstack(*told, stdin='a key', cloud='demo')
    assert (refused.code, refused.stdout) == (1, '')
    assert f'the image lies in account {account} by its own location' in refused.stderr
    overruled = cloud.openstack(*told, '--no-check', stdin='a key', cloud='demo')
    assert '/v1/AUTH_other/' in overruled.stdout
    assert 'as given by --account' in overruled.stderr


@pytest.fixture(scope='module')
def attacker():
    with attackers_server() as (address, requests):
        yield address, requests


@pytest.fixture(scope='module')
def planted(cloud, attacker, image):
    """An image whose location names the image of another, at a host of its writer's."""
    address, requests = attacker
    account = cloud.create(image, cloud='demo')['account']
    planted = cloud.upload('planted', cloud='demo', visibility='shared')
    plant(cloud, planted, f'swift+http://{address}/v1/{account}/glance_{image}/{image}',
          store='swift1')
    requests.clear()
    return planted


COMMANDS = {
    'create': ['create'], 'create PUT': ['create', '--method', 'PUT'],
    'create --copy': ['create', '--copy'],
    'list': ['list'], 'list --check': ['list', '--check'], 'check': ['check']}


@pytest.mark.parametrize('command', COMMANDS.values(), ids=COMMANDS)
def test_no_signature_goes_to_a_attackers_host(cloud, planted, attacker, image, command):
    verb, *options = command
    result = cloud.openstack('image', 'temp', 'url', verb, planted, *options, '-f', 'json',
                             cloud='demo')
    assert result.code == 1 and 'temp_url_sig' not in result.text
    assert f'its object is {image}, and not the image\'s ID' in result.text
    assert attacker[1] == []


@pytest.fixture
def own(cloud, attacker, data):
    """A queued image, its object in Swift, and its location there and at an attacker's host."""
    store = cloud.sdk('demo').object_store
    image = cloud.upload('own', cloud='demo', visibility='shared')
    store.put(f'/glance_{image}')
    store.put(f'/glance_{image}/{image}', data=data)
    good = f'{store.get_endpoint()}/glance_{image}/{image}'.replace('http', 'swift+http', 1)
    host = store.get_endpoint().partition('://')[2].partition('/')[0]
    return image, good, good.replace(host, attacker[0])


# Glance goes by the netloc and drops what is behind ? and #; the eye goes by the last @.
MISLEADING = {
    'an @ behind the host': '{evil}/v1/AUTH_x@{keystone}/v3/glance/{id}',
    'an @ in the query': '{evil}/v1/AUTH_x/c/{id}?@{keystone}/v3/glance/{id}',
    'an @ in the fragment': '{evil}/v1/AUTH_x/c/{id}#@{keystone}/v3/glance/{id}',
    'an object without a name': '{evil}/v1/AUTH_x/glance_{id}/',
    'a container without a name': '{evil}/v1/AUTH_x//{id}',
    'no host': '/{evil}/v1/AUTH_x/glance_{id}/{id}'}


@pytest.fixture(scope='module')
def misleading(cloud, attacker):
    """Community images of demo's, each with a location that Glance reads at the attacker's host.

    With show_multiple_locations Glance takes each of these from an ordinary user.
    """
    keystone = cloud.sdk().config.get_auth_args()['auth_url'].partition('://')[2].partition('/')[0]
    made = {}
    for name, form in MISLEADING.items():
        made[name] = image = cloud.upload(name, cloud='demo', visibility='community')
        plant(cloud, image, 'swift+http://' + form.format(
            evil=attacker[0], keystone=keystone, id=image), store='swift1')
    return made


@pytest.mark.parametrize('name', MISLEADING)
def test_no_token_goes_to_a_attackers_host(cloud, misleading, attacker, name):
    image = misleading[name]
    attacker[1].clear()
    for options in ([], ['--copy'], ['--copy', '--copy-unverified']):
        line = cloud.refused(image, *options, cloud='admin')
        assert 'it is not of a form that Glance writes' in line
        assert ('Glance may send your token to the host in' in line) is bool(options)
        assert 'is not in Swift' not in line and attacker[0].partition(':')[0] in line
    shown = cloud.rows('image', 'location', 'show', image, cloud='admin')
    assert shown['trusted'] is None and shown['container'] is None
    assert attacker[0].partition(':')[0] in shown['locations'][0]
    assert attacker[1] == []


def test_a_location_that_changes_after_the_image_was_found(cloud, attacker, data):
    """A list copies others meanwhile; without the object, Glance reads the other location."""
    image = cloud.upload('changing', data, cloud='demo', visibility='community')
    client = Client(cloud.sdk('admin').session, Settings(copy=True))
    found = client.glance.find(image)
    plant(cloud, image, f'swift+http://{attacker[0]}/v1/AUTH_x/glance_{image}/{image}',
          store='swift1')
    cloud.sdk('demo').object_store.delete(f'/glance_{image}/{image}')
    attacker[1].clear()
    failure, = client.create_many([found])
    assert isinstance(failure.error, ImageUnacceptable)
    assert 'is not copied: Glance may send your token' in str(failure.error)
    assert attacker[1] == []


def test_a_copy_sends_no_token_to_an_endpoint_that_is_given(cloud, attacker, own):
    image, _, elsewhere = own
    plant(cloud, image, elsewhere, store='swift1')
    attacker[1].clear()
    cloud.sdk('demo').object_store.post(
        '/', headers={'X-Remove-Account-Meta-Temp-URL-Key': 'x'})
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '--copy', '--endpoint-url',
                             f'http://{attacker[0]}', '--no-check', cloud='demo')
    cloud.set_key('the key of demo', cloud='demo')
    assert (result.code, result.stdout) == (1, '')
    assert 'It is not copied: Glance may send your token' in result.stderr
    assert attacker[1] == []


def test_no_token_of_a_list_goes_to_a_attackers_host(cloud, misleading, attacker):
    attacker[1].clear()
    result = cloud.openstack('image', 'temp', 'url', 'list', '--community', cloud='admin',
                             env={'OSC_IMGURL_COPY': 'true'})
    assert (result.code, result.stdout.strip()) == (1, '')
    assert all(image in result.stderr for image in misleading.values())
    assert attacker[1] == []


def test_glance_sends_the_token_of_who_asks_there(cloud, misleading, attacker):
    """Why such an image is not copied: without us, Glance does it."""
    attacker[1].clear()
    cloud.openstack('image', 'save', misleading['an @ behind the host'], '--file', 'saved',
                    cloud='admin')
    assert attacker[1]


def test_an_own_object_at_a_attackers_host(cloud, attacker, own, key_file):
    """Everything is right but the host: nothing is sent there, and nothing printed."""
    image, _, elsewhere = own
    plant(cloud, image, elsewhere, store='swift1')
    attacker[1].clear()
    # Nor is Glance asked for the data: it would send the token there.
    for options in ([], ['--copy']):
        line = cloud.refused(image, *options, cloud='demo')
        assert "its endpoint is not one of the object store's" in line and '--copy' not in line
    row = cloud.rows('image', 'location', 'show', image, cloud='demo')
    assert row['trusted'] is None and row['untrusted']
    # Who gives the host trusts it.
    url = cloud.create(image, '--endpoint-url', f'http://{attacker[0]}', '--no-check',
                       cloud='demo')['url']
    assert url.startswith(elsewhere.removeprefix('swift+') + '?')
    assert attacker[1] == []


def test_the_first_location_that_is_trusted_counts(cloud, attacker, own, data):
    image, good, elsewhere = own
    plant(cloud, image, elsewhere, good, store='swift1')
    attacker[1].clear()
    shown = cloud.rows('image', 'location', 'show', image, cloud='demo')
    assert (shown['locations'], shown['trusted']) == ([elsewhere, good], good)
    assert download(cloud.create(image, cloud='demo')['url']) == data
    assert attacker[1] == []


def test_a_path_inside_a_storage_url(cloud, data):
    """An object may have a name that looks like the path of another account's."""
    store = cloud.sdk('demo').object_store
    image = cloud.upload('inside', cloud='demo', visibility='shared')
    victim = cloud.sdk('glance').session.get_project_id()
    name = f'/c/v1/AUTH_{victim}/glance_{image}/{image}'
    store.put('/c')
    store.put(name, data=b'bait')
    # Glance fails to set who may read the container, and keeps the location.
    plant(cloud, image, f'{store.get_endpoint()}{name}'.replace('http', 'swift+http', 1),
          store='swift1', status=500)
    for options in ([], ['--method', 'DELETE']):
        assert "its endpoint is not one of the object store's" in cloud.refused(
            image, *options, cloud='admin')


def test_credentials_that_are_made_up(cloud, data):
    """A multi-tenant store takes a location with credentials, and never uses them."""
    store = cloud.sdk('demo').object_store
    image = cloud.upload('made up', cloud='demo', visibility='community')
    store.put('/private')
    store.put(f'/private/{image}', data=data)
    plant(cloud, image, f'{store.get_endpoint()}/private/{image}'.replace(
        'http://', 'swift+http://service%3Ax:y@'), store='swift1')
    for options in ([], ['--copy']):
        line = cloud.refused(image, *options, cloud='glance')
        assert 'its credentials are not for the Keystone of this cloud' in line


def test_a_copy_of_another_projects_image(cloud, image, data):
    """Each in its own account; one's own image needs none."""
    others = cloud.upload('public', data, cloud='admin')
    row = cloud.create(others, '--copy', cloud='demo')
    project = cloud.sdk('demo').session.get_project_id()
    assert (row['copied'], row['account'], row['container']) == (
        True, f'AUTH_{project}', 'image-temp-urls')
    assert download(row['url']) == data
    assert cloud.create(image, '--copy', cloud='demo')['copied'] is False
