"""What is given for the images in one Glance store, beside what is given for all."""

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings.sources import load
from osc_imgurl.settings.table import Settings, for_store
from osc_imgurl.tempurl.signing import Key

GLANCE = """
[DEFAULT]
enabled_backends = my-east:swift, west:swift, disk:file
[glance_store]
default_backend = my-east
[my-east]
swift_store_container = east-images
swift_store_multiple_containers_seed = 2
[west]
swift_store_multiple_containers_seed = 3
"""
WEST = {'container': 'west-images', 'multiple-containers-seed': 4, 'account': None}


@pytest.fixture
def glance(tmp_path):
    path = tmp_path / 'glance-api.conf'
    path.write_text(GLANCE)
    return str(path)


def target(settings, store):
    found = for_store(settings, store)
    return found.container, found.multiple_containers_seed


def test_the_groups_of_glances_stores(glance):
    settings = load({}, config_files=[glance])
    # The default store's count where nobody knows in which store an image is.
    assert target(settings, None) == target(settings, 'elsewhere') == ('east-images', 2)
    assert target(settings, 'my-east') == ('east-images', 2)
    # What a store does not say is Glance's default, and not another store's.
    assert target(settings, 'west') == ('glance', 3)
    west = for_store(settings, 'west')
    assert str(west.sources['multiple_containers_seed']).startswith('[west]swift_store_multiple')
    assert 'container' not in west.sources
    assert set(settings.stores) == {'my-east', 'west'}


S3 = """
[DEFAULT]
enabled_backends = s31:s3, s32:glance.store.s3.Store, west:swift, disk:file
[glance_store]
default_backend = s31
[backend_defaults]
swift_store_container = swift-images
[s31]
s3_store_bucket = images-$s3_store_region_name
s3_store_region_name = one
s3_store_secret_key = what is not read
swift_store_multiple_containers_seed = 3
[west]
s3_store_bucket = none
swift_store_multiple_containers_seed = 2
"""


def test_glances_s3_stores(tmp_path):
    """Options of Swift stores are nothing to them."""
    path = tmp_path / 'glance-api.conf'
    path.write_text(S3)
    settings = load({}, config_files=[str(path)])
    assert target(settings, None) == target(settings, 's31') == ('images-one', 0)
    assert target(settings, 's32') == ('glance', 0)
    assert target(settings, 'west') == ('swift-images', 2)
    assert {name: own.s3 for name, own in settings.stores.items()} == {
        's31': True, 's32': True, 'west': False}
    assert settings.s3
    s31 = for_store(settings, 's31')
    assert str(s31.sources['container']) == f'[s31]s3_store_bucket in {path}'
    assert 'what is not read' not in repr(settings)


@pytest.mark.parametrize(('default', 'container', 's3'), [
    ('', 'in-swift', False), ('default_store = s3', 'in-s3', True),
    ('default_store = s3+https', 'in-s3', True), ('default_store = swift', 'in-swift', False)])
def test_the_only_store_that_has_no_name(tmp_path, default, container, s3):
    path = tmp_path / 'glance-api.conf'
    path.write_text(f'[glance_store]\n{default}\nswift_store_container = in-swift\n'
                    's3_store_bucket = in-s3\n')
    settings = load({}, config_files=[str(path)])
    assert (settings.container, settings.s3) == (container, s3)


def test_a_store_in_clouds_yaml():
    settings = load({}, cloud={'image_temp_url': {
        'container': 'common', 'account': 'AUTH_x', 'stores': {'west': WEST, 'empty': None}}})
    west = for_store(settings, 'west')
    assert (west.container, west.multiple_containers_seed, west.account) == (
        'west-images', 4, 'AUTH_x')
    assert str(west.sources['container']) == 'image_temp_url.stores.west.container in clouds.yaml'
    assert str(west.sources['account']) == 'image_temp_url.account in clouds.yaml'
    assert target(settings, None) == target(settings, 'empty') == ('common', 0)


def test_which_source_of_a_store_counts(glance):
    cloud = {'image_temp_url': {'stores': {'west': WEST, 'my_east': {'account': 'AUTH_e'}}}}
    settings = load({}, cloud=cloud, config_files=[glance])
    assert target(settings, 'west') == ('west-images', 4)
    # openstacksdk writes _ for - in every name of clouds.yaml.
    east = for_store(settings, 'my-east')
    assert (east.account, east.container) == ('AUTH_e', 'east-images')
    cloud['image_temp_url']['container'] = 'common'
    assert target(load({}, cloud=cloud, config_files=[glance]), 'my-east') == ('common', 2)
    environment = {'OSC_IMGURL_CONTAINER': 'environment'}
    assert target(load({}, cloud=cloud, environment=environment), 'west') == ('environment', 4)
    options = {'multiple_containers_seed': '7'}
    assert target(load(options, environment, cloud), 'west') == ('environment', 7)


def test_a_key_of_a_store(tmp_path):
    for name in 'common', 'west':
        (tmp_path / name).write_text(f'the key of {name}')
        (tmp_path / name).chmod(0o600)
    cloud = {'image_temp_url': {'key_file': str(tmp_path / 'common'), 'stores': {
        'west': {'key_file': str(tmp_path / 'west')}, 'east': {'container': 'x'}}}}
    settings = load({}, cloud=cloud)
    assert [for_store(settings, name).key for name in ('west', 'east', None)] == [
        Key(b'the key of west'), Key(b'the key of common'), Key(b'the key of common')]
    assert for_store(load({}, cloud=cloud, ignored=('key', 'key_file')), 'west').key is None
    assert 'the key' not in repr(settings) and str(tmp_path / 'west') not in repr(settings)


def test_the_settings_of_a_store_have_no_others():
    settings = Settings(stores={'west': Settings(container='x')})
    west = for_store(settings, 'west')
    assert west == Settings(container='x', store='west')
    assert for_store(west, 'west') == west
    assert for_store(settings, 'east') == Settings(store='east')
    assert for_store(settings, None) is settings


@pytest.mark.parametrize(('stores', 'said'), [
    ({'west': {'key': 'the secret'}}, 'The key may not stand in image_temp_url.stores.west.key in'),
    ({'west': {'cache_password': 'the secret'}}, 'OpenStackClient prints'),
    ({'west': {'duration': 60}}, 'is not a setting of a store; those are: key_file, endpoint_'),
    ({'west': {'store': 'east'}}, 'image_temp_url.stores.west.store in clouds.yaml is not a sett'),
    ({'west': {'contaner': 'x'}}, 'image_temp_url.stores.west.contaner in clouds.yaml names no'),
    ({'west': 'x'}, 'image_temp_url.stores.west in clouds.yaml is not a mapping'),
    (['west'], 'image_temp_url.stores in clouds.yaml is not a mapping'),
    ({'west': {'container': 'a/b'}}, 'The settings of the store west: Invalid container'),
    ({'west': {'key_file': '/no/such'}}, 'The settings of the store west: The key file /no/such'),
    ({'west': {'endpoint_url': 'http://rgw/x', 'endpoint_type': 'radosgw'}},
     'The settings of the store west: The endpoint http://rgw/x of a RADOS Gateway')])
def test_what_a_store_may_not_say(stores, said):
    with pytest.raises(InvalidParameterValue) as caught:
        load({}, cloud={'image_temp_url': {'stores': stores}})
    assert said in str(caught.value) and 'the secret' not in str(caught.value)
