"""The steps from an image to its URL, for object stores that are not at hand.

The object store is a stub here: it counts what it is asked, and answers what no local cloud does
(a cluster that hides /info or fails, methods and digests of other releases, an image whose own
location is in a gateway). The functional tests go through the same steps with a real Swift and a
real RADOS Gateway.
"""

import logging
import queue
from unittest.mock import Mock

import pytest
from keystoneauth1.session import Session

from osc_imgurl import create as creating
from osc_imgurl.client import Client
from osc_imgurl.create import create_for
from osc_imgurl.errors import (
    ImageNotFound,
    InvalidParameterValue,
    MissingParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
    TempURLRefused,
)
from osc_imgurl.settings.table import Kind, Settings, Source
from osc_imgurl.swift.answers import ACCOUNT_SLOTS, CONTAINER_SLOTS, Capabilities
from osc_imgurl.target.resolve import Target
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.endpoint import Endpoint
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

from .stubs import IMAGE_ID, NOW, REFUSED, Glance, Probe, Store, clock, image

C2, C1 = CONTAINER_SLOTS
A2, A1 = ACCOUNT_SLOTS


def create_from(cloud, reference=IMAGE_ID, options=URLOptions(), settings=None, **others):
    return creating.create(reference, options, cloud, settings or Settings(), clock, **others)


def create(store, options=URLOptions(), settings=None, locations=()):
    return create_from(Cloud(Glance(image(*locations)), store), 'cirros', options,
                       settings or Settings(key=Key(b'a key')))


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
    with pytest.raises(ObjectStoreFailed, match='supports the digests sha3, and none of'):
        create(Store(capabilities=Capabilities(True, None, ('sha3',))))


def test_a_method_that_the_cluster_refuses():
    store = Store(capabilities=Capabilities(True, ('GET', 'HEAD'), ('sha256',)))
    with pytest.raises(InvalidParameterValue, match='not for PUT'):
        create(store, URLOptions(method='put'))


def test_a_told_digest_outlives_a_cluster_that_cannot_be_asked():
    store = Store(capabilities=ObjectStoreFailed('No answer.'))
    settings = Settings(key=Key(b'a key'), digest='sha512')
    made = create(store, settings=settings)
    assert (made.temp_url.digest, made.better) == ('sha512', ())
    assert made.warnings == ('No answer. Whether it takes the given digest is not known',)


def test_without_a_request_a_cluster_that_cannot_be_asked_is_a_silent_one():
    store = Store(capabilities=ObjectStoreFailed('No answer.'))
    made = create(store, settings=Settings(key=Key(b'a key'), check=False))
    assert made.temp_url.digest == 'sha1'
    assert made.warnings == ('No answer. So the URL is signed with sha1, which newer clusters may'
                             ' refuse',)


@pytest.mark.parametrize('check', [None, True])
@pytest.mark.parametrize(('error', 'remedy', 'names'), [
    (ObjectStoreFailed('No answer.'), 'Give one.', ('digest',)),
    (ObjectStoreFailed('No answer.', 'Correct the URL.', 'x'), 'Give one, or correct the URL.',
     ('digest', 'x'))])
def test_a_digest_helps_where_the_cluster_cannot_be_asked(check, error, remedy, names):
    with pytest.raises(ObjectStoreFailed) as raised:
        create(Store(capabilities=error), settings=Settings(
            key=Key(b'a key'), check=check))
    assert raised.value.problem == 'No answer. So it is not known which digest it takes.'
    assert (raised.value.remedy, raised.value.names) == (remedy, names)


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
    cloud = Cloud(Glance(image()), store).memoized()
    for _ in range(3):
        create_from(cloud, 'cirros')
    assert store.asked == ['container_keys', 'account_keys', 'capabilities']


@pytest.mark.parametrize(('answers', 'asked'), [
    ({'account_keys': {}}, ['container_keys', 'account_keys']),
    ({'container_keys': None}, ['container_keys', 'names']),
    ({'capabilities': ObjectStoreFailed('No answer.')},
     ['container_keys', 'account_keys', 'capabilities'])])
def test_what_fails_is_not_asked_twice_either(answers, asked):
    """Or a list of ten thousand images would ask ten thousand times."""
    store = Store(account={A1: Key(b'a key')})
    store.answers.update(answers)
    cloud = Cloud(Glance(image()), store).memoized()
    for _ in range(3):
        with pytest.raises((MissingParameterValue, ObjectStoreFailed)):
            create_for(image(), URLOptions(), cloud, Settings(), clock)
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
    made = create(Store(), settings=Settings(key=Key(b'a key'), account_prefix=prefix))
    assert made.target.path.account == account


def test_with_nobody_to_ask():
    told = Settings(key=Key(b'a key'), endpoint_url='http://swift', account='AUTH_x')
    made = create_from(Cloud(), f'glance://host/{IMAGE_ID}', settings=told)
    assert (made.temp_url.digest, made.image.name, made.guessed) == ('sha256', None, ())
    assert (made.better, made.warnings) == ((), ())
    assert str(made.target.path) == f'/v1/AUTH_x/glance/{IMAGE_ID}'


def test_with_nobody_to_ask_a_gateway_gets_sha1():
    told = Settings(key=Key(b'a key'), endpoint_url='http://rgw/swift', endpoint_type='radosgw')
    assert create_from(Cloud(), settings=told).temp_url.digest == 'sha1'


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


def create_by_id(store, settings=None, *locations):
    return create_from(Cloud(Glance(image(*locations)), store), settings=settings)


def test_swift_is_asked_by_the_rule_and_again_only_where_the_image_is_elsewhere():
    by_rule, elsewhere = ['AUTH_p', 'AUTH_p/glance'], f'swift+config://ref1/others/{IMAGE_ID}'
    for locations, more in (((), []), ([f'swift+config://ref1/glance/{IMAGE_ID}'], []),
                            ([elsewhere], ['AUTH_p/others'])):
        store = named(Store(account={A1: Key(b'a key')}))
        create_by_id(store, None, *locations)
        assert {each for each in store.asked if 'AUTH' in each} == {*by_rule, *more}
        assert store.asked.count('capabilities') == 1


@pytest.mark.parametrize('reference', [IMAGE_ID, 'cirros'])
def test_swift_is_asked_before_glance_answers(reference):
    asked, store, glance = queue.Queue(), Store(), Glance(image())
    store.answers = {
        **store.answers, 'capabilities': lambda _: asked.put('capabilities') or Capabilities(),
        'container_keys': lambda *names: asked.put(names) or {},
        'account_keys': lambda *names: asked.put(names) or {A1: Key(b'a key')}}
    glance.show = lambda _: {asked.get(timeout=10) for _ in range(3)} == {
        'capabilities', ('AUTH_p',), ('AUTH_p', 'glance')} and image()
    assert create_from(Cloud(glance, store), reference).target.path.object == IMAGE_ID


@pytest.mark.parametrize(('reference', 'asked'), [
    (IMAGE_ID, {'AUTH_p', 'AUTH_p/glance_3a1'}), ('cirros', {'AUTH_p', 'AUTH_p/glance_3a1'})])
def test_no_container_is_asked_that_a_name_does_not_give(reference, asked):
    store = named(Store(account={A1: Key(b'a key')}))
    create_from(Cloud(Glance(image()), store), reference,
                settings=Settings(multiple_containers_seed=3))
    assert {each for each in store.asked if 'AUTH' in each} == asked


def containers(*there):
    """Return a Swift with these containers, and a key; and which are asked for their keys."""
    store, asked = Store(account={A1: Key(b'a key')}), []
    store.answers['container_keys'] = lambda account, container: (
        asked.append(container) or ({} if container in there else None))
    store.answers['names'] = lambda account, container: there
    return store, asked


OWN = f'glance_{IMAGE_ID}'


@pytest.mark.parametrize(('there', 'settings', 'container', 'guessed', 'asked'), [
    (['glance'], {}, 'glance', True, ['glance']),
    ([OWN], {}, OWN, True, ['glance', OWN]),
    ([OWN, 'glance'], {}, 'glance', True, ['glance']),
    ([OWN], {'multi_tenant': True}, OWN, False, [OWN]),
    ([f'images_{IMAGE_ID}'], {'multi_tenant': True, 'container': 'images'}, f'images_{IMAGE_ID}',
     False, [f'images_{IMAGE_ID}'])])
@pytest.mark.parametrize('reference', [IMAGE_ID, 'cirros'])
def test_a_container_of_the_images_own(reference, there, settings, container, guessed, asked):
    store, found = containers(*there)
    made = create_from(Cloud(Glance(image()), store), reference, settings=Settings(**settings))
    assert made.target.path.container == container
    assert ('container' in made.guessed) is guessed
    assert found == asked
    assert [warning.partition(':')[0] for warning in made.warnings] == [
        'There is no container glance in account AUTH_p'] * (len(asked) - 1)


@pytest.mark.parametrize('sources', [['container'], ['multiple_containers_seed']])
def test_no_container_of_the_images_own_where_one_is_given(sources):
    settings = Settings(sources=dict.fromkeys(sources, Source(Kind.CLOUD, 'clouds.yaml')))
    with pytest.raises(MissingParameterValue, match='There is no container glance in'):
        create_by_id(containers(OWN)[0], settings)


def test_neither_container_is_there():
    store, _ = containers()
    with pytest.raises(MissingParameterValue, match='There is no container glance in'):
        create_by_id(store)
    store, _ = containers()
    store.answers['names'] = store.answers['container_keys'] = ObjectStoreNotAuthorized('HTTP 403.')
    with pytest.raises(ObjectStoreNotAuthorized, match='shown to its owner only'):
        create_by_id(store)


def test_a_diagnosis_asks_swift_nothing_again():
    store, client = Store(account={A1: Key(b'a key')}), Client(Session(), Settings(check=True))
    client.cloud = Cloud(Glance(image()), store, Probe(REFUSED))
    with pytest.raises(TempURLRefused):
        client.create(IMAGE_ID)
    assert sorted(store.asked) == ['account_keys', 'capabilities', 'container_keys']


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
            create_from(Cloud(Glance(), store))
    assert not caplog.records


def test_a_catalog_that_cannot_be_read_ends_it_before_anybody_is_asked(monkeypatch):
    """Keystone is not asked for a token twice: some lock an account out."""
    store, glance = Store(), Glance(image())
    monkeypatch.setattr(store, 'find_storage_url', Mock(side_effect=ObjectStoreFailed('No.')))
    with pytest.raises(ObjectStoreFailed):
        create_from(Cloud(glance, store))
    assert (store.asked, glance.asked) == ([], [])


@pytest.mark.parametrize(('method', 'duration', 'expires', 'ip_range'), [
    ('BREW', None, None, None), ('GET', '1x', None, None), ('GET', 0, None, None),
    ('GET', None, 1, None), ('GET', None, None, 'x')])
def test_what_cannot_be_met_is_refused_before_anybody_is_asked(method, duration, expires, ip_range):
    store, glance = Store(), Glance(image())
    with pytest.raises(InvalidParameterValue):
        create_from(Cloud(glance, store), options=URLOptions(
            method, duration, expires, ip_range=ip_range))
    assert (store.asked, glance.asked) == ([], [])


def test_a_duration_of_the_url_counts():
    assert create(Store(), URLOptions(duration='2h')).temp_url.expires == 1_700_007_200
    delayed = Settings(key=Key(b'a key'), expected_download_start_delay=600)
    with pytest.raises(InvalidParameterValue, match=r'\(60 s\) is shorter than'):
        create(Store(), URLOptions(duration=60), delayed)


def test_what_a_url_risks():
    assert len(create(Store(), URLOptions('PUT', prefix='')).warnings) == 2
    assert create(Store()).warnings == ()


def test_stores_in_one_swift_ask_it_once():
    own = Settings(container='glance', account='AUTH_p')
    settings = Settings(stores={'east': own, 'west': own})
    store = named(Store(account={A1: Key(b'a key')}))
    cloud = Cloud(Glance(), store).memoized()
    for name in ('east', 'west'):
        create_for(image(stores=(name,)), URLOptions(), cloud, settings, clock)
    assert sorted(store.asked) == ['AUTH_p', 'AUTH_p/glance', 'account_keys', 'capabilities',
                                   'container_keys']


class Copier:
    """Stands for one that copies for ten minutes, which no test can wait for."""

    def __init__(self, swift, in_place=False):
        self.swift, self.in_place, self.now = swift, in_place, NOW

    def may_copy(self, image, options):
        return True

    def needed(self, image, target, options, swift):
        return not self.in_place

    def target(self, image):
        return Target(Endpoint('http://swift'), ObjectPath('AUTH_p', 'copies', image.id))

    def ensure(self, image, options, expires):
        self.now += 600
        path = ObjectPath('AUTH_p', 'copies', f'{image.id}/{"0" * 16}')
        return Target(Endpoint('http://swift'), path), Key(b'of copies'), expires()


@pytest.mark.parametrize(('in_place', 'container', 'moment'), [
    (False, 'copies', NOW + 600), (True, 'glance', NOW)])
def test_the_life_of_a_copys_url_begins_when_there_is_a_copy(in_place, container, moment):
    store, cache = Store(), Mock()
    copies = Copier(store, in_place)
    cache.get_or_create = Mock(side_effect=lambda entry, *_: (entry.expires, False))
    url = creating.create(IMAGE_ID, URLOptions(), Cloud(Glance(image()), store),
                          Settings(key=Key(b'a key')), lambda: copies.now, cache=cache,
                          copies=copies)
    assert (url.copied, url.target.path.container) == (not in_place, container)
    assert url.temp_url.expires == int(moment) + 1200
    assert cache.get_or_create.call_args.args[2] == moment


def test_an_image_that_is_not_in_swift_is_copied():
    refusing = Store(capabilities=Capabilities(True, ('HEAD',)))
    cloud = Cloud(Glance(image('file:///x')), Store())
    made = create_from(cloud, copies=Copier(cloud.object_store))
    assert made.target.path.container == 'copies'
    assert made.target.path.object == made.temp_url.path.object == f'{IMAGE_ID}/{"0" * 16}'
    copies = Copier(refusing)
    with pytest.raises(InvalidParameterValue, match='not for GET'):
        create_from(Cloud(Glance(image('file:///x')), refusing), copies=copies)
    # What the cluster refuses is not copied first.
    assert copies.now == NOW
