"""From which store an image is taken: as it is asked for, else as a trusted location says."""

import dataclasses

import pytest

from osc_imgurl.create import create_for
from osc_imgurl.errors import (
    ImageUnacceptable,
    InvalidParameterValue,
    MissingParameterValue,
    UntrustedLocation,
)
from osc_imgurl.glance.location import parse
from osc_imgurl.settings.table import Kind, Settings, Source, for_store
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.target.report import report_location, settings_in_effect
from osc_imgurl.target.store import Cloud, choose_store, named_store, store_of_path
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key, verify
from osc_imgurl.tempurl.url import ObjectPath
from osc_imgurl.tempurl.url import parse as parse_url

from ..stubs import IMAGE_ID, NOW, OFFLINE, OTHER_ID, Glance, Store, clock, image

EAST_KEY, WEST_KEY = Key(b'the key of the east'), Key(b'the key of the west')
EAST = Settings(container='east', account='AUTH_e', key=EAST_KEY)
WEST = Settings(container='west', multiple_containers_seed=3, account='AUTH_w', key=WEST_KEY,
                endpoint_url='http://west')
BOTH = Settings(stores={'east': EAST, 'west': WEST})
IN_EAST, IN_WEST = f'swift+config://e/east/{IMAGE_ID}', f'swift+config://w/west_3a1/{IMAGE_ID}'
KEYSTONE = 'keystone:5000/v3'


def kept(*places, stores=()):
    """Return an image that is kept at URIs, each in a store."""
    return dataclasses.replace(image(stores=stores), locations=tuple(
        parse(uri, store) for uri, store in places))


def create(image, settings, swift):
    return create_for(image, URLOptions(), Cloud(object_store=swift), settings, clock)


def asked_for(store):
    return dataclasses.replace(BOTH, store=store)


@pytest.mark.parametrize(('found', 'settings', 'wanted'), [
    (kept((IN_EAST, 'east')), BOTH, 'east'), (kept((IN_WEST, 'west')), BOTH, 'west'),
    (kept((IN_WEST, 'west'), (IN_EAST, 'east')), BOTH, 'west'),
    (kept(('file:///x', 'disk'), (IN_EAST, 'east')), BOTH, 'east'),
    (kept((IN_EAST, 'east'), (IN_WEST, 'west')), asked_for('west'), 'west'),
    # A location that names no store, and a store of which nothing is said.
    (kept((IN_EAST, None)), BOTH, None), (kept((IN_EAST, None)), asked_for('west'), 'west'),
    (kept((IN_EAST, 'north')), BOTH, 'north'), (kept((IN_EAST, 'north')), Settings(), None),
    # No location is shown.
    (kept(stores=('disk', 'west', 'east')), BOTH, 'west'), (kept(stores=('disk',)), BOTH, None),
    (kept(), BOTH, None), (kept(stores=('west', 'east')), asked_for('east'), 'east'),
    (kept(), asked_for('west'), 'west'),
    (kept(stores=('north',)), Settings(store='north'), 'north'),
    # A location that is not trusted does not choose.
    (kept((f'swift+https://evil/v1/AUTH_x/west/{IMAGE_ID}', 'west'), (IN_EAST, 'east')), BOTH,
     'east'),
    (kept((f'swift+https://evil/v1/AUTH_x/west/{IMAGE_ID}', 'west')), BOTH, None)])
def test_the_store(found, settings, wanted):
    store = choose_store(found, settings, Store())
    assert store.settings == for_store(settings, wanted)
    assert store.settings.store == wanted


@pytest.mark.parametrize(('found', 'settings', 'error', 'said'), [
    (kept((IN_EAST, 'east')), asked_for('west'), ImageUnacceptable, 'is in east and not'),
    (kept(stores=('east', 'disk')), asked_for('west'), ImageUnacceptable, 'is in east, disk'),
    # Only Swift has temporary URLs.
    (kept(('file:///x', 'disk'), (IN_EAST, 'east')), asked_for('disk'), ImageUnacceptable,
     'not in the store disk'),
    (kept(), Settings(store='west'), InvalidParameterValue, 'no settings are given for the store')])
def test_no_such_store(found, settings, error, said):
    with pytest.raises(error, match=said):
        choose_store(found, settings, Store())


S31 = Settings(container='images', account='AUTH_s', key=Key(b'the key of s31'), s3=True,
               multiple_containers_seed=3)
WITH_S3 = Settings(stores={'s31': S31, 'east': EAST}, multiple_containers_seed=3)
RGW = 'http://rgw/swift/v1'


@pytest.mark.parametrize('url', [RGW, f'{RGW}/AUTH_p'])
@pytest.mark.parametrize('found', [
    kept((f's3://anywhere/images/{IMAGE_ID}', 's31')), kept(stores=('s31',)),
    # Its kind is known by the location too.
    kept((f's3://rgw/images/{IMAGE_ID}', 's32'))])
@pytest.mark.parametrize('s3', [True, False])
def test_a_bucket_of_the_s3_store(found, url, s3, caplog):
    """It is the container, whatever seed others have; hidden, if a config file names the kind."""
    own = dataclasses.replace(S31, s3=s3)
    made = create(found, dataclasses.replace(
        WITH_S3, stores={'s31': own, 's32': own}), Store(url))
    account = '/AUTH_s' if url.endswith('p') else ''
    bucket = 'images' if s3 or found.locations else 'images_3a1'
    assert str(made.target.path) == f'/v1{account}/{bucket}/{IMAGE_ID}'
    assert (made.target.store, made.target.endpoint.url) == (
        's31' if not found.locations else found.locations[0].store, 'http://rgw/swift')
    assert caplog.text == ''


def test_an_s3_store_outside_swift_comes_last():
    both, alone = kept(stores=('s31', 'east')), kept(stores=('disk', 's31'))
    for url, names in (RGW, ['s31', 's31']), ('http://swift/v1/AUTH_p', ['east', 's31']):
        chosen = [choose_store(each, WITH_S3, Store(url)) for each in (both, alone)]
        assert [store.settings.store for store in chosen] == names
    with pytest.raises(ImageUnacceptable, match='not in Swift but in s3'):
        create(alone, WITH_S3, Store())


def test_the_report_of_an_s3_store(caplog):
    """Who sees the secret, whatever release of Glance shows it, is told so, and not it."""
    found = kept((f's3://KEY:sec/ret@rgw/images/{IMAGE_ID}', 's31'),
                 (f's3://KEY:sec/ret@rgw/other/{IMAGE_ID}', 's31'))
    report = report_location(IMAGE_ID, WITH_S3, Glance(found), Store(f'{RGW}/AUTH_p'))
    assert (report.scheme, report.account, report.container, report.object) == (
        's3', 'AUTH_s', 'images', IMAGE_ID)
    assert (report.container_by_rule, report.container_agrees) == ('images', True)
    assert report.targets == (f's31: http://rgw/swift/v1/AUTH_s/images/{IMAGE_ID}',)
    assert report.untrusted == (f's3://***@rgw/other/{IMAGE_ID}: its bucket is other, and the'
                                ' settings give images',)
    assert 'shows the password of its image store' in caplog.text
    assert 'sec/ret' not in f'{report}{caplog.text}'
    report = report_location(IMAGE_ID, WITH_S3, Glance(found), Store())
    assert (report.scheme, report.trusted, report.untrusted, report.container) == (
        's3', None, (), None)


# A user writes locations of own images, and the stores that they are in.

@pytest.mark.parametrize('planted', [
    # Another image's object, and an own one that the store named does not keep.
    f'swift+http://demo%3Ad:x@{KEYSTONE}/west_7bd/{OTHER_ID}',
    f'swift+http://demo%3Ad:x@{KEYSTONE}/east/{IMAGE_ID}',
    f'swift+http://demo%3Ad:x@{KEYSTONE}/mine/{IMAGE_ID}',
    f'swift+http://west/v1/AUTH_w/mine/{IMAGE_ID}',
    f'swift+http://evil/v1/AUTH_w/west_3a1/{IMAGE_ID}'])
@pytest.mark.parametrize('settings', [BOTH, asked_for('west')])
def test_a_planted_location_gets_no_key_of_the_store_it_names(planted, settings):
    with pytest.raises(UntrustedLocation, match=r'\(store west\)'):
        create(kept((planted, 'west')), settings, Store(account={}))


def test_a_location_is_signed_with_the_settings_that_it_is_trusted_by():
    """In the west's container it is good for the west only, whatever store it names."""
    in_west = f'swift+http://demo%3Ad:x@{KEYSTONE}/west_3a1/{IMAGE_ID}'
    store = Store(capabilities=Capabilities(True, ('GET',), ('sha256',)))
    made = create(kept((in_west, 'east'), (IN_EAST, 'east')), BOTH, store)
    assert str(made.target.path) == f'/v1/AUTH_e/east/{IMAGE_ID}'
    made = create(kept((in_west, 'west')), BOTH, store)
    assert str(made.target.path) == f'/v1/AUTH_w/west_3a1/{IMAGE_ID}'
    with pytest.raises(UntrustedLocation):
        create(kept((in_west, 'east')), BOTH, store)


def test_each_image_has_the_place_and_key_of_its_store():
    settings = Settings(stores={
        'east': dataclasses.replace(EAST, endpoint_url='http://east'), 'west': WEST})
    for name, path, key in (('east', f'/v1/AUTH_e/east/{IMAGE_ID}', EAST_KEY),
                            ('west', f'/v1/AUTH_w/west_3a1/{IMAGE_ID}', WEST_KEY)):
        made = create(kept(stores=(name,)), settings, OFFLINE)
        assert (made.target.endpoint.url, str(made.target.path), made.target.store) == (
            f'http://{name}', path, name)
        assert verify(parse_url(made.url), key, NOW).valid


class Missing(Store):
    """An object store without a container."""

    def container_keys(self, account, container):
        return None


class Regions(Store):
    """An object store that finds the one at an endpoint."""

    def at(self, endpoint):
        return Store(f'{endpoint}/v1/AUTH_p')


def test_the_swift_of_a_store():
    swift = Regions()
    assert named_store(None, BOTH, swift).swift is named_store('east', BOTH, swift).swift is swift
    assert named_store('west', BOTH, OFFLINE).swift is OFFLINE
    assert named_store('west', BOTH, swift).swift.storage_url() == 'http://west/v1/AUTH_p'
    # A given endpoint that is not the store's own may be a proxy's.
    assert named_store('north', Settings(endpoint_url='http://west'), swift).swift is swift


@pytest.mark.parametrize(('path', 'wanted'), [
    (f'AUTH_e/east/{IMAGE_ID}', 'east'), (f'AUTH_w/west_3a1/{IMAGE_ID}', 'west'),
    (f'AUTH_e/west_3a1/{IMAGE_ID}', None), (f'AUTH_w/west/{IMAGE_ID}', None)])
def test_the_store_of_a_url(path, wanted):
    for settings, name in ((BOTH, wanted), (asked_for('north'), 'north')):
        store = store_of_path(ObjectPath(*path.split('/')), settings, OFFLINE)
        assert store.settings == for_store(settings, name)


def test_the_report_names_all_places():
    found = kept((IN_EAST, 'east'), (IN_WEST, 'west'), (f'swift+https://evil/v1/x/y/{IMAGE_ID}',
                                                       'west'))
    east, west = (f'east: http://swift/v1/AUTH_e/east/{IMAGE_ID}',
                  f'west: http://west/v1/AUTH_w/west_3a1/{IMAGE_ID}')
    for settings, account, container in ((BOTH, 'AUTH_e', 'east'),
                                         (asked_for('west'), 'AUTH_w', 'west_3a1')):
        report = report_location('cirros', settings, Glance(found), Regions())
        assert report.targets == (east, west)
        assert (report.account, report.container, report.container_agrees) == (
            account, container, True)
        assert len(report.untrusted) == 1


def test_the_settings_of_the_stores_are_listed():
    source = Source(Kind.CLOUD, 'clouds.yaml')
    common = Settings(account='AUTH_e', sources={'account': source}, stores={'west': Settings(
        account='AUTH_e', container='west', key=WEST_KEY,
        sources={'account': source, 'container': Source(Kind.CLOUD, 'the west'),
                 'key': Source(Kind.CLOUD, 'a file')})})
    rows = {row.name: (row.value, row.source) for row in settings_in_effect(common, OFFLINE)}
    assert {name: value for name, value in rows.items() if name.startswith('stores.')} == {
        'stores.west.container': ('west', 'the west'),
        'stores.west.key': (f'*** (fingerprint {WEST_KEY.fingerprint})', 'a file')}
    rows = settings_in_effect(dataclasses.replace(common, store='west'), OFFLINE)
    assert ('container', 'west', 'the west') in [dataclasses.astuple(row) for row in rows]
    assert not [row for row in rows if row.name.startswith('stores.')]


def test_what_is_missing_names_the_store():
    settings = Settings(stores={'west': Settings(account='AUTH_w', container='west')})
    for store, said in (
            (Store(container=None), 'no temporary URL key on account AUTH_w (store west), nor on'),
            (Missing(), 'There is no container west in account AUTH_w (store west), where')):
        with pytest.raises(MissingParameterValue) as caught:
            create(kept(stores=('west',)), settings, store)
        assert said in str(caught.value)
