"""The steps from an image to its URL, for object stores that are not at hand.

The object store is a stub here: it counts what it is asked, and answers what no local cloud does
(a cluster that hides /info or fails, methods and digests of other releases, an image whose own
location is in a gateway). The functional tests go through the same steps with a real Swift and a
real RADOS Gateway.
"""

import logging
import time
from unittest.mock import Mock

import pytest

from osc_imgurl.cache.sqlite import SQLiteCache
from osc_imgurl.copies import copier
from osc_imgurl.errors import (
    ImageNotFound,
    InvalidParameterValue,
    MissingParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.service import TempURLService
from osc_imgurl.settings.table import Kind, Settings, Source
from osc_imgurl.swift.capabilities import Capabilities
from osc_imgurl.swift.slot import ACCOUNT_SLOTS, CONTAINER_SLOTS
from osc_imgurl.target.cloud import Cloud
from osc_imgurl.target.resolve import Target, resolve
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

from .stubs import IMAGE_ID, NOW, Glance, Store, image

C2, C1 = CONTAINER_SLOTS
A2, A1 = ACCOUNT_SLOTS


def create(store, request=None, settings=None, locations=()):
    settings = settings or Settings(key=Key(b'a key'))
    return TempURLService(settings, Cloud(Glance(image(*locations)), store)).create(
        'cirros', request or URLOptions(), NOW)


@pytest.mark.parametrize(('catalog', 'url'), [
    ('http://swift/v1/AUTH_p', f'http://swift/v1/AUTH_p/glance/{IMAGE_ID}'),
    ('http://rgw/swift/v1', f'http://rgw/swift/v1/glance/{IMAGE_ID}'),
    ('http://rgw/swift/v1/AUTH_p', f'http://rgw/swift/v1/AUTH_p/glance/{IMAGE_ID}'),
])
def test_the_catalog_tells_the_endpoint_and_its_type(catalog, url):
    made = create(Store(catalog))
    assert made.url.startswith(f'{url}?temp_url_sig=')
    assert str(made.target.path) in url


def test_a_told_endpoint_keeps_the_catalogs_type():
    settings = Settings(key=Key(b'a key'), endpoint_url='http://proxy')
    assert create(Store('http://rgw/swift/v1'), settings=settings).url.startswith(
        f'http://proxy/swift/v1/glance/{IMAGE_ID}?')


def test_a_gateways_location():
    made = create(Store('https://rgw/swift/v1'),
                  locations=[f'swift+https://rgw/swift/v1/glance_{IMAGE_ID}/{IMAGE_ID}'])
    assert made.url.startswith(f'https://rgw/swift/v1/glance_{IMAGE_ID}/{IMAGE_ID}?')


@pytest.mark.parametrize(('capabilities', 'digest'), [
    (Capabilities(), 'sha1'),
    (Capabilities(True, ('GET',)), 'sha1'),
    (Capabilities(True, None, ('sha1', 'sha256', 'sha512')), 'sha256'),
    (Capabilities(True, None, ('sha1', 'sha512')), 'sha512'),
    (Capabilities(True, None, ('sha1',)), 'sha1'),
])
def test_the_digest_is_negotiated(capabilities, digest):
    assert create(Store(capabilities=capabilities)).temp_url.digest == digest


def test_a_cluster_without_a_digest_of_ours():
    with pytest.raises(ObjectStoreFailed, match='takes the digests sha3 and none of'):
        create(Store(capabilities=Capabilities(True, None, ('sha3',))))


def test_a_method_that_the_cluster_refuses():
    store = Store(capabilities=Capabilities(True, ('GET', 'HEAD'), ('sha256',)))
    with pytest.raises(InvalidParameterValue, match='takes no temporary URLs for PUT; it takes'):
        create(store, URLOptions(method='put'))


def test_a_told_digest_outlives_a_cluster_that_cannot_be_asked(caplog):
    store = Store(capabilities=ObjectStoreFailed('No answer.'))
    settings = Settings(key=Key(b'a key'), digest='sha512')
    assert create(store, settings=settings).temp_url.digest == 'sha512'
    assert 'No answer.' in caplog.text
    with pytest.raises(ObjectStoreFailed, match='No answer'):
        create(store)


@pytest.mark.parametrize(('container', 'account', 'key'), [
    ({C2: Key(b'1'), C1: Key(b'2')}, {A1: Key(b'3')}, b'1'),
    ({C1: Key(b'2')}, {A1: Key(b'3')}, b'2'),
    ({}, {A2: Key(b'3'), A1: Key(b'4')}, b'3'),
    ({}, {A1: Key(b'4')}, b'4'),
])
def test_the_first_key_of_the_slots(container, account, key):
    store = Store(container=container, account=account)
    assert create(store, settings=Settings()).url == create(
        Store(), settings=Settings(key=Key(key))).url


def test_no_key_anywhere():
    with pytest.raises(MissingParameterValue, match='no temporary URL key on account AUTH_p'):
        create(Store(), settings=Settings())


def test_keys_that_may_not_be_read():
    store = Store()
    store.answers['account_keys'] = ObjectStoreNotAuthorized('HTTP 403.')
    with pytest.raises(ObjectStoreNotAuthorized, match=r'HTTP 403\. The keys of account'):
        create(store, settings=Settings())


def test_nothing_is_asked_twice():
    store = Store(account={A1: Key(b'a key')})
    service = TempURLService(Settings(), Cloud(Glance(image()), store))
    for _ in range(3):
        service.create('cirros', URLOptions(), NOW)
    assert store.asked == ['container_keys', 'account_keys', 'capabilities']


@pytest.mark.parametrize(('answers', 'asked'), [
    ({'account_keys': {}}, ['container_keys', 'account_keys']),
    ({'container_keys': None}, ['container_keys']),
    ({'capabilities': ObjectStoreFailed('No answer.')},
     ['container_keys', 'account_keys', 'capabilities']),
])
def test_what_fails_is_not_asked_twice_either(answers, asked):
    """Or a list of ten thousand images would ask ten thousand times."""
    store = Store(account={A1: Key(b'a key')})
    store.answers.update(answers)
    service = TempURLService(Settings(), Cloud(Glance(image()), store))
    for _ in range(3):
        with pytest.raises((MissingParameterValue, ObjectStoreFailed)):
            service.create('cirros', URLOptions(), NOW)
    assert store.asked == asked


def test_without_a_cache_no_url_is_cached_and_none_is_copied():
    made = create(Store())
    assert (made.cached, made.copied) == (False, False)


def test_expiry():
    assert create(Store()).temp_url.expires == 1_700_001_200
    assert create(Store(), URLOptions(expires=1_800_000_000)).temp_url.expires == 1_800_000_000
    delayed = Settings(key=Key(b'a key'), expected_download_start_delay=60)
    create(Store(), URLOptions(expires=1_700_000_061), delayed)
    for expires, settings in ((1_700_000_000, None), (1_700_000_060, delayed)):
        with pytest.raises(InvalidParameterValue, match=r'Use a later one \(expires\)\.'):
            create(Store(), URLOptions(expires=expires), settings)


@pytest.mark.parametrize(('prefix', 'account'), [
    ('AUTH', 'AUTH_p'), ('AUTH_', 'AUTH_p'), ('KEY', 'KEY_p'), ('', 'p')])
def test_account_prefix(prefix, account):
    place = resolve(Image(IMAGE_ID), Settings(account_prefix=prefix), Store())
    assert place.path.account == account


def test_with_nobody_to_ask():
    told = Settings(key=Key(b'a key'), endpoint_url='http://swift', account='AUTH_x')
    made = TempURLService(told).create(f'glance://host/{IMAGE_ID}', URLOptions(), NOW)
    assert (made.temp_url.digest, made.image.name, made.guessed) == ('sha256', None, ())
    assert str(made.target.path) == f'/v1/AUTH_x/glance/{IMAGE_ID}'


def test_with_nobody_to_ask_a_gateway_gets_sha1():
    told = Settings(key=Key(b'a key'), endpoint_url='http://rgw/swift', endpoint_type='radosgw')
    assert TempURLService(told).create(IMAGE_ID, URLOptions(), NOW).temp_url.digest == 'sha1'


SHA256 = Capabilities(True, ('GET',), ('sha1', 'sha256'))
TOLD = {'key': Key(b'a key'), 'digest': 'sha256', 'account': 'AUTH_x', 'container': 'glance',
        'sources': {'container': Source(Kind.OPTION, 'container')}}


@pytest.mark.parametrize(('without', 'location', 'guessed'), [
    ((), None, ()),
    (('key',), None, ('key',)),
    (('digest',), None, ('digest',)),
    (('account',), None, ('account',)),
    (('sources',), None, ('container',)),
    (('sources', 'account'), 'swift+http://swift/v1/AUTH_x/glance/', ()),
    (('sources', 'account'), 'swift+config://ref1/glance/', ('account',)),
    (TOLD, None, ('account', 'container', 'key', 'digest')),
])
def test_what_was_guessed(without, location, guessed):
    store = Store(capabilities=SHA256, account={A1: Key(b'a key')})
    settings = Settings(**{name: value for name, value in TOLD.items() if name not in without})
    locations = [location + IMAGE_ID] if location else []
    assert create(store, settings=settings, locations=locations).guessed == guessed


def test_a_told_digest_is_a_guess_where_the_cluster_does_not_list_it():
    for capabilities, digest, guessed in (
            (Capabilities(), 'sha256', ('digest',)), (Capabilities(), 'sha1', ()),
            (SHA256, 'sha256', ())):
        settings = Settings(**{**TOLD, 'digest': digest})
        assert create(Store(capabilities=capabilities), settings=settings).guessed == guessed


def test_an_agreeing_location_costs_no_warning(caplog):
    settings = Settings(key=Key(b'a key'), container='images',
                        sources={'container': Source(Kind.CLOUD, 'clouds.yaml')})
    create(Store(), settings=settings, locations=[f'swift+config://ref1/images/{IMAGE_ID}'])
    assert not caplog.records
    made = create(Store(), settings=settings,
                  locations=[f'swift+config://ref1/others/{IMAGE_ID}'])
    assert made.target.path.container == 'others'
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def named(store):
    """Have a store tell which keys it is asked for."""
    for question in ('container_keys', 'account_keys'):
        answer = store.answers[question]
        store.answers[question] = lambda *names, answer=answer: (
            store.asked.append('/'.join(names)) or answer)
    return store


def create_by_id(store, settings=None, *locations, presume=False, method='GET', cache=None):
    glance = Glance(image(*locations))
    return TempURLService(settings or Settings(), Cloud(glance, store), cache).create(
        IMAGE_ID, URLOptions(method), NOW, presume=presume)


def test_swift_is_asked_by_the_rule_and_again_only_where_the_image_is_elsewhere():
    by_rule, elsewhere = ['AUTH_p', 'AUTH_p/glance'], f'swift+config://ref1/others/{IMAGE_ID}'
    for locations, more in (((), []), ([f'swift+config://ref1/glance/{IMAGE_ID}'], []),
                            ([elsewhere], ['AUTH_p/others'])):
        store = named(Store(account={A1: Key(b'a key')}))
        create_by_id(store, None, *locations)
        assert {each for each in store.asked if 'AUTH' in each} == {*by_rule, *more}
        assert store.asked.count('capabilities') == 1


@pytest.mark.parametrize(('reference', 'asked'), [
    (IMAGE_ID, {'AUTH_p', 'AUTH_p/glance_3a1'}), ('cirros', {'AUTH_p', 'AUTH_p/glance_3a1'})])
def test_no_container_is_asked_that_a_name_does_not_give(reference, asked):
    store = named(Store(account={A1: Key(b'a key')}))
    TempURLService(Settings(multiple_containers_seed=3), Cloud(Glance(image()), store)).create(
        reference, URLOptions(), NOW)
    assert {each for each in store.asked if 'AUTH' in each} == asked


def test_what_is_given_is_not_asked_ahead():
    store = Store()
    create_by_id(store, Settings(key=Key(b'a key')))
    assert store.asked == ['capabilities']


def test_what_is_asked_for_an_image_that_is_not_there_says_nothing(caplog):
    store = Store()
    for question in ('container_keys', 'account_keys', 'capabilities'):
        store.answers[question] = ObjectStoreFailed('HTTP 503.')
    for catalog in ('http://swift/v1/AUTH_p', None):
        store.url = catalog
        with pytest.raises(ImageNotFound):
            TempURLService(Settings(), Cloud(Glance(), store)).create(IMAGE_ID, URLOptions(), NOW)
    assert not caplog.records


def test_a_catalog_that_cannot_be_read_ends_it_before_anybody_is_asked(monkeypatch):
    """Keystone is not asked for a token twice: some lock an account out."""
    store, glance = Store(), Glance(image())
    monkeypatch.setattr(store, 'find_storage_url', Mock(side_effect=ObjectStoreFailed('No.')))
    with pytest.raises(ObjectStoreFailed):
        TempURLService(Settings(), Cloud(glance, store)).create(IMAGE_ID, URLOptions(), NOW)
    assert (store.asked, glance.asked) == ([], [])


SHA1 = Capabilities(True, ('GET', 'PUT'), ('sha1',))


@pytest.mark.parametrize(('catalog', 'settings', 'method', 'cache', 'presumed'), [
    ('http://swift/v1/AUTH_p', {}, 'GET', None, True),
    ('http://swift/v1/AUTH_p', {}, 'PUT', None, False),
    ('http://swift/v1/AUTH_p', {'digest': 'sha1'}, 'GET', None, False),
    ('http://swift/v1/AUTH_p', {}, 'GET', 'a cache', False),
    ('http://rgw/swift/v1/AUTH_p', {}, 'GET', None, False),
    ('http://rgw/swift/v1', {}, 'GET', None, False),
])
def test_a_digest_is_presumed_where_a_head_proves_it(tmp_path, catalog, settings, method, cache,
                                                     presumed):
    store = Store(catalog, capabilities=SHA1)
    settings = Settings(key=Key(b'a key'), **settings)
    made = create_by_id(store, settings, presume=True, method=method,
                        cache=SQLiteCache(tmp_path / 'urls') if cache else None)
    assert made.temp_url.digest == ('sha256' if presumed else 'sha1')
    assert store.asked == ([] if presumed else ['capabilities'])
    assert ('digest' in made.guessed) == (settings.digest is None)


def test_the_negotiated_url_is_the_same_where_its_digest_is():
    service = TempURLService(Settings(key=Key(b'a key')),
                             Cloud(Glance(image()), Store(capabilities=SHA256)))
    made = service.create(IMAGE_ID, URLOptions(), NOW, presume=True)
    assert service.negotiated(made, URLOptions(), NOW) is made


def test_another_digest_is_negotiated_where_the_cluster_takes_no_other():
    service = TempURLService(Settings(key=Key(b'a key')),
                             Cloud(Glance(image()), Store(capabilities=SHA1)))
    made = service.create(IMAGE_ID, URLOptions(), NOW, presume=True)
    negotiated = service.negotiated(made, URLOptions(), NOW)
    assert (made.temp_url.digest, negotiated.temp_url.digest) == ('sha256', 'sha1')
    assert negotiated.target == made.target
    assert negotiated.temp_url.expires == made.temp_url.expires


@pytest.mark.parametrize('request_', [URLOptions('BREW'), URLOptions(ip_range='x'),
                                      URLOptions(expires=1)])
def test_what_cannot_be_met_is_refused_before_anybody_is_asked(request_):
    store, glance = Store(), Glance(image())
    with pytest.raises(InvalidParameterValue):
        TempURLService(Settings(), Cloud(glance, store)).create(IMAGE_ID, request_, NOW)
    assert (store.asked, glance.asked) == ([], [])


def test_what_a_url_risks_is_said_once(caplog):
    service = TempURLService(Settings(key=Key(b'a key')), Cloud(Glance(image()), Store()))
    for _ in range(3):
        service.create(IMAGE_ID, URLOptions(prefix=''), NOW)
    assert len(caplog.messages) == 1
    service.create(IMAGE_ID, URLOptions(prefix='3a'), NOW)
    assert len(caplog.messages) == 2


def test_stores_in_one_swift_ask_it_once():
    own = Settings(container='glance', account='AUTH_p')
    settings = Settings(stores={'east': own, 'west': own})
    store = named(Store(account={A1: Key(b'a key')}))
    service = TempURLService(settings, Cloud(Glance(), store))
    for name in ('east', 'west'):
        service.create_for(image(stores=(name,)), URLOptions(), NOW)
    assert sorted(store.asked) == ['AUTH_p', 'AUTH_p/glance', 'account_keys', 'capabilities',
                                   'container_keys']


class Copier:
    """Stands for one that copies for ten minutes, which no test can wait for."""

    in_place = False

    def __init__(self):
        self.clock = 5000

    def may_copy(self, image, request):
        return True

    def has_object(self, image, target, object_store):
        return self.in_place

    def target(self, image):
        return Target('http://swift', ObjectPath('AUTH_p', 'copies', image.id))

    def ensure(self, image, request, expires):
        self.clock += 600
        return self.target(image), Key(b'of copies'), expires()


@pytest.mark.parametrize(('in_place', 'container', 'moment'), [
    (False, 'copies', NOW + 600), (True, 'glance', NOW)])
def test_the_life_of_a_copys_url_begins_when_there_is_a_copy(monkeypatch, in_place, container,
                                                             moment):
    made = Copier()
    made.in_place = in_place
    monkeypatch.setattr(copier, 'make_copier', lambda *_: made)
    monkeypatch.setattr(time, 'monotonic', lambda: made.clock)
    cache = Mock()
    cache.get_or_create = Mock(side_effect=lambda entry, *_: (entry.expires, False))
    service = TempURLService(Settings(key=Key(b'a key'), copy=True),
                             Cloud(Glance(image()), Store()), cache)
    url = service.create(IMAGE_ID, URLOptions(), NOW)
    assert (url.copied, url.target.path.container) == (not in_place, container)
    assert url.temp_url.expires == int(moment) + 1200
    assert cache.get_or_create.call_args.args[2] == moment


def test_an_image_that_is_not_in_swift_is_copied(monkeypatch):
    monkeypatch.setattr(copier, 'make_copier', lambda *_: Copier())
    service = TempURLService(Settings(copy=True), Cloud(Glance(image('file:///x')), Store()))
    assert service.create(IMAGE_ID, URLOptions(), NOW).target.path.container == 'copies'
    refusing = Store(capabilities=Capabilities(True, ('HEAD',)))
    service = TempURLService(Settings(copy=True), Cloud(Glance(image('file:///x')), refusing))
    with pytest.raises(InvalidParameterValue, match='takes no temporary URLs for GET'):
        service.create(IMAGE_ID, URLOptions(), NOW)
