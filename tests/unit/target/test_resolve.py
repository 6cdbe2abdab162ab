"""Where an image's object is, by settings, location and catalog; and where a URL is tried."""

import logging

import pytest

from osc_imgurl.errors import (
    InvalidParameterValue,
    MissingParameterValue,
    UntrustedLocation,
)
from osc_imgurl.settings.table import Kind, Settings, Source
from osc_imgurl.swift.endpoint import endpoint_of, find_endpoint, type_of
from osc_imgurl.target import resolve as resolving
from osc_imgurl.target.resolve import own_account, session_account
from osc_imgurl.target.store import choose_store
from osc_imgurl.tempurl.endpoint import Endpoint

from ..stubs import IMAGE_ID, OFFLINE, Store, image

SWIFT, GATEWAY = 'http://swift/v1/AUTH_p', 'http://rgw/swift/v1'
GATEWAY_WITH_ACCOUNTS = 'http://rgw/swift/v1/AUTH_p'
BELOW_A_PATH = 'http://rgw/rgw/v1'
ADMIN = 'http://swift/v1'
SINGLE = f'swift+config://ref1/images/{IMAGE_ID}'
MULTI = f'swift+http://swift/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}'
EVIL = f'swift+https://evil/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}'
WARNED = [logging.WARNING]
RADOSGW = Settings(endpoint_type='radosgw')


def resolve(image, settings, swift, object_name=None):
    return resolving.resolve(image, choose_store(image, settings, swift), object_name)


def endpoint_and_type(settings, swift):
    endpoint = find_endpoint(settings, swift)
    return endpoint.url, endpoint.type


def given(kind, **values):
    """Return settings that a source gives."""
    return Settings(**values, sources={name: Source(kind, f'the {name}') for name in values})


@pytest.mark.parametrize(('settings', 'uris', 'catalog', 'path', 'guessed'), [
    # Nothing is given, and no location is shown: all is a guess.
    (Settings(), [], SWIFT, f'/v1/AUTH_p/glance/{IMAGE_ID}', ('account', 'container')),
    (Settings(container='images'), [], SWIFT, f'/v1/AUTH_p/images/{IMAGE_ID}', ('account',)),
    (Settings(multiple_containers_seed=3), [], SWIFT, f'/v1/AUTH_p/glance_3a1/{IMAGE_ID}',
     ('account',)),
    (Settings(account='AUTH_y'), [], SWIFT, f'/v1/AUTH_y/glance/{IMAGE_ID}', ('container',)),
    (Settings(account='AUTH_y', container='images', multiple_containers_seed=3), [], SWIFT,
     f'/v1/AUTH_y/images_3a1/{IMAGE_ID}', ()),
    (Settings(api_version='v2'), [], SWIFT, f'/v2/AUTH_p/glance/{IMAGE_ID}',
     ('account', 'container')),
    # A location says the container, and a multi-tenant store's the account too.
    (Settings(), [SINGLE], SWIFT, f'/v1/AUTH_p/images/{IMAGE_ID}', ('account',)),
    (Settings(), [MULTI], SWIFT, f'/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}', ()),
    (Settings(), [EVIL, 'file:///x', MULTI], SWIFT, f'/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}',
     ()),
    (Settings(), ['swift+config://ref1/images/renamed'], SWIFT, '/v1/AUTH_p/images/renamed',
     ('account',)),
    (Settings(), ['file:///x'], SWIFT, f'/v1/AUTH_p/glance/{IMAGE_ID}', ('account', 'container')),
    # A RADOS Gateway without accounts in its URLs.
    (Settings(), [], GATEWAY, f'/v1/glance/{IMAGE_ID}', ('container',)),
    (given(Kind.OPTION, account='AUTH_y'), [], GATEWAY, f'/v1/AUTH_y/glance/{IMAGE_ID}',
     ('container',)),
    # A program gives it as Ironic does: a gateway's URLs lack it.
    (Settings(account='AUTH_y'), [], GATEWAY, f'/v1/glance/{IMAGE_ID}', ('container',)),
    (given(Kind.CLOUD, account='AUTH_y'), [], GATEWAY, f'/v1/glance/{IMAGE_ID}', ('container',)),
    (Settings(), [], GATEWAY_WITH_ACCOUNTS, f'/v1/AUTH_p/glance/{IMAGE_ID}',
     ('account', 'container')),
])
def test_where_the_object_is(caplog, settings, uris, catalog, path, guessed):
    target = resolve(image(*uris), settings, Store(catalog))
    assert (str(target.path), target.guessed) == (path, guessed)
    assert caplog.records == []


@pytest.mark.parametrize(('settings', 'uri', 'path', 'warnings'), [
    # An option is given for this one image.
    (Settings(container='mine'), SINGLE, f'/v1/AUTH_p/mine/{IMAGE_ID}', [
        'The image lies in container images by its own location; the URL is for mine, as given by'
        ' container']),
    (Settings(container='mine', multiple_containers_seed=3), SINGLE,
     f'/v1/AUTH_p/mine_3a1/{IMAGE_ID}', [
        'The image lies in container images by its own location; the URL is for mine_3a1, as given'
        ' by container, multiple_containers_seed']),
    (Settings(account='AUTH_y'), MULTI, f'/v1/AUTH_y/glance_{IMAGE_ID}/{IMAGE_ID}', [
        'The image lies in account AUTH_x by its own location; the URL is for AUTH_y, as given by'
        ' account']),
    # Any other source speaks of all images.
    (given(Kind.CLOUD, container='mine'), SINGLE, f'/v1/AUTH_p/images/{IMAGE_ID}', [
        'The image lies in container images by its own location, and not in mine as given by the'
        ' container; the location counts']),
    (given(Kind.ENVIRONMENT, account='AUTH_y'), MULTI, f'/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}', [
        'The image lies in account AUTH_x by its own location, and not in AUTH_y as given by the'
        ' account; the location counts']),
    # They agree, or a default is the loser.
    (Settings(container='images'), SINGLE, f'/v1/AUTH_p/images/{IMAGE_ID}', []),
    (Settings(), SINGLE, f'/v1/AUTH_p/images/{IMAGE_ID}', []),
    (Settings(account='AUTH_x'), MULTI, f'/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}', []),
])
def test_settings_that_contradict_the_location(caplog, settings, uri, path, warnings):
    target = resolve(image(uri), settings, Store())
    assert str(target.path) == path
    assert [record.getMessage() for record in caplog.records] == warnings
    assert [record.levelno for record in caplog.records] == WARNED * len(warnings)


@pytest.mark.parametrize('settings', [
    Settings(), Settings(account='AUTH_y'), Settings(multiple_containers_seed=3),
    given(Kind.CLOUD, container='mine')])
def test_a_location_that_is_not_trusted_is_an_error(settings):
    with pytest.raises(UntrustedLocation):
        resolve(image(EVIL), settings, Store())


@pytest.mark.parametrize(('settings', 'object_name', 'path', 'guessed'), [
    (Settings(container='mine'), None, f'/v1/AUTH_p/mine/{IMAGE_ID}', ('account',)),
    (Settings(), 'another', '/v1/AUTH_p/glance/another', ('account', 'container')),
])
def test_a_location_that_is_not_trusted_is_passed_over_explicitly(caplog, settings, object_name,
                                                                   path, guessed):
    target = resolve(image(EVIL), settings, Store(), object_name)
    assert (str(target.path), target.guessed) == (path, guessed)
    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage().endswith(
        'The URL is for another object, as the options say')


def test_an_object_explicitly_in_the_images_container():
    target = resolve(image(SINGLE), Settings(), Store(), 'another')
    assert (str(target.path), target.guessed) == ('/v1/AUTH_p/images/another', ('account',))


@pytest.mark.parametrize(('settings', 'catalog', 'wanted'), [
    (Settings(), SWIFT, ('http://swift', 'swift')),
    (Settings(), 'http://swift:8080/cluster/v1/AUTH_p', ('http://swift:8080/cluster', 'swift')),
    (Settings(), GATEWAY, ('http://rgw/swift', 'radosgw')),
    (Settings(), GATEWAY_WITH_ACCOUNTS, ('http://rgw/swift', 'swift')),
    (Settings(endpoint_url='http://proxy'), SWIFT, ('http://proxy', 'swift')),
    (Settings(endpoint_url='http://proxy'), GATEWAY, ('http://proxy/swift', 'radosgw')),
    (Settings(endpoint_url='http://proxy'), GATEWAY_WITH_ACCOUNTS, ('http://proxy', 'swift')),
    (Settings(endpoint_url='http://proxy'), None, ('http://proxy', 'swift')),
    (RADOSGW, BELOW_A_PATH, ('http://rgw/rgw', 'radosgw')),
    (Settings(), 'http://host/radosgw/swift/v1/', ('http://host/radosgw/swift', 'radosgw')),
    (RADOSGW, 'http://rgw/v1', ('http://rgw', 'radosgw')),
    (Settings(account='AUTH_y'), 'http://swift/v1', ('http://swift', 'swift')),
    (Settings(account='AUTH_y'), 'http://swift:8080/', ('http://swift:8080', 'swift')),
    (Settings(), 'http://rgw/swift', ('http://rgw/swift', 'radosgw')),
    (Settings(endpoint_type='swift'), GATEWAY, ('http://rgw/swift', 'swift')),
    (Settings(endpoint_type='radosgw'), GATEWAY, ('http://rgw/swift', 'radosgw')),
    # A gateway that has accounts in its URLs crashes at one without.
    (Settings(endpoint_type='radosgw'), GATEWAY_WITH_ACCOUNTS, ('http://rgw/swift', 'swift')),
    (Settings(endpoint_type='radosgw'), SWIFT, ('http://swift/swift', 'radosgw')),
    (Settings(endpoint_type='radosgw', endpoint_url='http://proxy'), None,
     ('http://proxy/swift', 'radosgw')),
    (given(Kind.OPTION, endpoint_type='radosgw', account='AUTH_y'), GATEWAY,
     ('http://rgw/swift', 'swift')),
    (given(Kind.CLOUD, endpoint_type='radosgw', account='AUTH_y'), GATEWAY,
     ('http://rgw/swift', 'radosgw')),
])
def test_endpoint_and_type(settings, catalog, wanted):
    assert endpoint_and_type(settings, Store(catalog)) == wanted
    target = resolve(image(), settings, Store(catalog))
    assert target.endpoint.url == wanted[0]
    assert (target.path.account is None) is (wanted[1] == 'radosgw')


def test_endpoint_and_type_with_nobody_to_ask():
    assert endpoint_and_type(Settings(endpoint_url='http://proxy'), OFFLINE) == (
        'http://proxy', 'swift')
    assert endpoint_and_type(
        Settings(endpoint_url='http://proxy', endpoint_type='radosgw'), OFFLINE) == (
            'http://proxy/swift', 'radosgw')
    with pytest.raises(MissingParameterValue, match='endpoint of Swift is unknown') as raised:
        endpoint_and_type(Settings(account='AUTH_y'), OFFLINE)
    assert (raised.value.remedy, raised.value.names) == ('Give it.', ('endpoint_url',))


def test_a_gateway_has_no_other_path():
    with pytest.raises(InvalidParameterValue, match='has the path /other') as raised:
        endpoint_and_type(Settings(endpoint_type='radosgw'), Store('http://rgw/other/v1/AUTH_p'))
    assert raised.value.names == ('endpoint_url', 'endpoint_type')


def test_a_catalog_without_an_object_store():
    class Without(Store):
        def storage_url(self):
            raise MissingParameterValue('There is no object-store in the catalog.')

    with pytest.raises(MissingParameterValue, match='no object-store'):
        endpoint_and_type(Settings(), Without(None))
    assert endpoint_and_type(Settings(endpoint_url='http://proxy'), Without(None)) == (
        'http://proxy', 'swift')


@pytest.mark.parametrize(('settings', 'catalog', 'account'), [
    (Settings(), SWIFT, 'AUTH_p'),
    (Settings(account='AUTH_y'), SWIFT, 'AUTH_y'),
    (Settings(account_prefix='KEY'), SWIFT, 'KEY_p'),
    # What another reseller prefix is, or that there is none, the catalog shows.
    (Settings(), 'http://swift/v1/KEY_p', 'KEY_p'),
    (Settings(), 'http://swift/object-store/v1/p/', 'p'),
    # It counts whatever project it is of.
    (Settings(), 'http://swift/v1/KEY_another', 'KEY_another'),
    (Settings(), 'http://swift/v1/MossoCloudFS_x', 'MossoCloudFS_x'),
    (Settings(account_prefix='AUTH'), 'http://swift/v1/AUTH_another', 'AUTH_p'),
    (Settings(account_prefix='AUTH'), 'http://swift/v1/KEY_p', 'AUTH_p'),
    (Settings(account_prefix=''), 'http://swift/v1/KEY_p', 'p'),
    (Settings(endpoint_type='swift'), GATEWAY, 'AUTH_p'),
    (Settings(endpoint_url='http://proxy'), None, 'AUTH_p'),
    (Settings(), GATEWAY, None),
    (Settings(), GATEWAY_WITH_ACCOUNTS, 'AUTH_p'),
    (given(Kind.OPTION, account='AUTH_y'), GATEWAY, 'AUTH_y'),
    # The admin interface of many a Swift has no account.
    (given(Kind.CLOUD, account='AUTH_y'), ADMIN, 'AUTH_y'),
    (Settings(endpoint_type='swift'), ADMIN, 'AUTH_p'),
    (Settings(account_prefix='KEY'), ADMIN, 'KEY_p'),
    (RADOSGW, ADMIN, None),
    (RADOSGW, BELOW_A_PATH, None),
])
def test_own_account(settings, catalog, account):
    assert own_account(settings, Store(catalog)) == account


def test_a_storage_url_names_the_account_where_there_is_no_project():
    swift = Store('http://swift/v1/MossoCloudFS_x')
    swift.answers['project_id'] = MissingParameterValue('There is no project.')
    assert own_account(Settings(), swift) == 'MossoCloudFS_x'


@pytest.mark.parametrize(('settings', 'others', 'account'), [
    (Settings(), [SWIFT], 'AUTH_p'),
    (Settings(), ['http://swift/v1/KEY_p', 'http://in-swift/v1/KEY_p'], 'KEY_p'),
    (given(Kind.CLOUD, account='AUTH_y'), [SWIFT], 'AUTH_y'),
    (Settings(), ['http://rgw/swift/v1'], None),
    (given(Kind.CLOUD, account='AUTH_y'), ['http://rgw/swift/v1'], None),
    (RADOSGW, [SWIFT], None)])
def test_another_interface_says_the_account(settings, others, account):
    swift = Store(ADMIN, others=others)
    assert own_account(settings, swift) == account
    path = resolve(image(), settings, swift).path
    assert str(path) == f'/v1/{f"{account}/" if account else ""}glance/{IMAGE_ID}'
    assert endpoint_of('http://swift', account, settings, swift).may_be_tried
    by_catalog = session_account(settings, swift)
    assert by_catalog == (account if account != 'AUTH_y' else 'AUTH_p')


@pytest.mark.parametrize('others', [[], [BELOW_A_PATH], [SWIFT, 'http://swift/v1/AUTH_another']])
def test_no_interface_says_the_account(others):
    with pytest.raises(MissingParameterValue, match='http://swift/v1 names no account'):
        own_account(Settings(), Store(ADMIN, others=others))
    assert find_endpoint(Settings(), Store(ADMIN, others=others)).url == 'http://swift'


def test_an_account_that_nobody_says():
    settings = Settings(endpoint_url='http://swift')
    with pytest.raises(MissingParameterValue, match='account of the images') as raised:
        own_account(settings, OFFLINE)
    assert (raised.value.remedy, raised.value.names) == ('Give it.', ('account',))
    assert own_account(Settings(endpoint_url='http://swift', account='AUTH_y'), OFFLINE) == 'AUTH_y'


@pytest.mark.parametrize(('account', 'catalog', 'wanted'), [
    ('AUTH_p', SWIFT, True),
    ('AUTH_p', GATEWAY_WITH_ACCOUNTS, True),
    ('AUTH_p', None, True),
    (None, GATEWAY, True),
    (None, BELOW_A_PATH, False),
    (None, GATEWAY_WITH_ACCOUNTS, False),
    (None, None, False),
])
def test_may_be_tried(account, catalog, wanted):
    for swift in [Store(catalog)] if catalog else [Store(None), OFFLINE]:
        assert endpoint_of('http://rgw/swift', account, Settings(), swift).may_be_tried is wanted


@pytest.mark.parametrize(('endpoint', 'catalog', 'cluster'), [
    ('http://swift', SWIFT, 'http://swift'), ('http://proxy', SWIFT, 'http://swift'),
    ('http://proxy', None, 'http://proxy'), ('http://proxy/swift', GATEWAY, 'http://rgw/swift'),
    ('http://proxy/swift', SWIFT, 'http://swift/swift'),
    ('http://proxy', GATEWAY_WITH_ACCOUNTS, 'http://rgw/swift'),
    ('http://proxy', 'http://[::1]:1/object-store/v1/AUTH_p/', 'http://[::1]:1/object-store')])
def test_where_the_cluster_is(endpoint, catalog, cluster):
    """There it is asked what it supports, and a new URL is tried."""
    assert endpoint_of(endpoint, 'AUTH_p', Settings(), Store(catalog)).cluster == cluster
    assert endpoint_of(endpoint, 'AUTH_p', Settings(), OFFLINE).cluster == endpoint


def test_a_gateway_below_a_path_is_tried_there():
    swift = Store(BELOW_A_PATH)
    assert endpoint_of('http://proxy/rgw', None, RADOSGW, swift).cluster == 'http://rgw/rgw'
    given = Settings(endpoint_url='http://proxy', endpoint_type='radosgw')
    assert find_endpoint(given, swift).cluster == 'http://rgw/rgw'


@pytest.mark.parametrize(('url', 'catalog', 'wanted'), [
    ('http://rgw/swift/v1/glance/x', GATEWAY, 'radosgw'),
    ('http://rgw/swiftx/v1/glance/x', GATEWAY, None),
    ('http://proxy/v1/glance/x', GATEWAY, None),
    ('http://rgw/swift/v1/KEY_p/glance/x', 'http://rgw/swift/v1/KEY_p', 'swift'),
    ('http://rgw/swift/v1/p/glance/x', 'http://rgw/swift/v1/p', 'swift'),
    ('http://rgw/v1/glance/x', 'http://rgw/v1', None),
    # Made without the account that it needs.
    ('http://rgw/swift/v1/glance/x?a=/b/', GATEWAY_WITH_ACCOUNTS, None),
    ('http://swift/v1/AUTH_p/glance/x', SWIFT, 'swift'),
    ('http://swift/v1/AUTH_p/glance/x', None, None)])
def test_the_type_of_a_url_by_the_catalog(url, catalog, wanted):
    assert type_of(url, Settings(), Store(catalog)) == wanted
    assert type_of(url, Settings(), OFFLINE) is None
    assert type_of(url, RADOSGW, OFFLINE) == 'radosgw'


@pytest.mark.parametrize(('url', 'settings', 'catalog', 'wanted'), [
    # The catalog knows, whatever is given; and where a proxy is, too.
    ('http://rgw/swift/v1/KEY_p/glance/x', RADOSGW, 'http://rgw/swift/v1/KEY_p', 'swift'),
    ('http://rgw/v1/glance/x', RADOSGW, 'http://rgw/v1', 'radosgw'),
    ('http://rgw/rgw/v1/glance/x', RADOSGW, BELOW_A_PATH, 'radosgw'),
    ('http://proxy/swift/v1/KEY_p/c/x', Settings(endpoint_url='http://proxy/swift'),
     'http://rgw/swift/v1/KEY_p', 'swift'),
    ('http://proxy/swift/v1/c/x', Settings(endpoint_url='http://proxy'), GATEWAY, None),
    ('http://rgw/swift/v1/c/x', Settings(endpoint_type='swift'), GATEWAY, 'swift'),
    ('http://swift/swift/v1/c/x', RADOSGW, SWIFT, 'radosgw')])
def test_the_type_of_a_url_by_catalog_and_settings(url, settings, catalog, wanted):
    assert type_of(url, settings, Store(catalog)) == wanted


@pytest.mark.parametrize(('endpoint', 'accounts', 'radosgw'), [
    ('http://rgw/swift', False, True), ('http://rgw/swift', True, True),
    ('http://swift', True, False)])
def test_the_kind_of_an_endpoint(endpoint, accounts, radosgw):
    found = Endpoint(endpoint, accounts)
    assert (found.radosgw, found.container_keys) == (radosgw, not radosgw)
