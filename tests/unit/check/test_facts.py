"""What can be found out about a URL, from whom, how often they are asked, and what a check says."""

import dataclasses

import pytest

from osc_imgurl.check.facts import (
    FAIL,
    GIVEN_KEY,
    NOT_TRIED,
    PASS,
    SKIPPED,
    Facts,
    Finding,
    Keys,
    Origin,
    failed,
    failed_with,
    passed,
    skipped,
)
from osc_imgurl.errors import GlanceFailed, ImgurlError, ObjectStoreFailed, advice
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import CONTAINER_SLOTS
from osc_imgurl.swift.probe import Answer
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.explain import Signed
from osc_imgurl.tempurl.signing import sign_path
from osc_imgurl.tempurl.url import ObjectPath

from ..stubs import OTHER_ID, image
from .given import (
    A1,
    A2,
    EXPIRES,
    GATEWAY,
    IMAGE,
    IMAGE_ID,
    KEY,
    NOW,
    OBJECT,
    OTHER_KEY,
    PATH,
    REFUSED,
    TAKES,
    UNSEEN,
    WORKS,
    Glance,
    Probe,
    facts,
    failing,
    refused,
    remembered,
    signed,
    store,
)

C2, C1 = CONTAINER_SLOTS
HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(('of', 'wanted'), [
    (facts(), WORKS),
    (facts(answer=None, probe=Probe(REFUSED)), REFUSED),
    (facts(answer=None), Answer(None, 'no request is made')),
    (Facts(PATH, 'http://swift', 'GET', NOW, Settings(), Cloud(), known_answer=WORKS),
     Answer(None, 'no URL could be signed')),
    # A request that may crash a gateway is not made, and no answer to it is trusted.
    (facts(GATEWAY, store=store('http://rgw/swift/v1/AUTH_p')), Answer(None, NOT_TRIED)),
    (facts(GATEWAY, store=None), Answer(None, NOT_TRIED)),
    (facts(GATEWAY, store=store('http://rgw/swift/v1')), WORKS),
])
def test_answer(of, wanted):
    assert of.answer == wanted


def test_nobody_is_asked_twice():
    probe, glance, swift = Probe(REFUSED), Glance(IMAGE), store()
    of = facts(answer=None, probe=probe, glance=glance, store=swift, image=None)
    for _ in range(2):
        assert (of.answer, of.image, of.capabilities) == (REFUSED, IMAGE, TAKES)
        assert of.keys.by_slot and of.origin and of.in_its_place
    assert (probe.asked, glance.asked) == ([f'HEAD {signed().url}'], [f'find {IMAGE_ID}'])
    assert swift.asked == ['capabilities', 'container_keys', 'account_keys', 'find_object']


def test_what_is_given_is_not_asked_for():
    probe, glance = Probe(REFUSED), Glance()
    of = facts(probe=probe, glance=glance)
    assert (of.answer, of.image) == (WORKS, IMAGE)
    assert probe.asked == glance.asked == []


def test_an_image_that_cannot_be_asked_for():
    class Failing(Glance):
        def find_id(self, image_id):
            raise GlanceFailed('Glance answers HTTP 500.', 'Try again.')

    assert facts(image=None, glance=Failing()).image == 'Glance answers HTTP 500. Try again.'


@pytest.mark.parametrize(('uri', 'located'), [
    (f'swift+config://ref1/glance/{IMAGE_ID}', True),
    (f'swift+https://evil/v1/AUTH_x/glance/{IMAGE_ID}', False),
    ('file:///x', None),
])
def test_location(uri, located):
    of = facts(image=image(uri))
    assert (of.location is None) is (located is None)
    assert bool(of.located) is bool(located)
    assert of.located is None or of.located.url == uri


def test_without_an_image_there_is_no_location():
    assert facts(image=None).location is None


@pytest.mark.parametrize(('of', 'wanted'), [
    (facts(), TAKES),
    (facts(store=None), 'Without authentication the cluster is not asked.'),
    (facts(store=failing('capabilities', ObjectStoreFailed('No answer.', 'Try again.'))),
     'No answer. Try again.'),
    # The cluster is asked where the catalog has it, or where the URL has it.
    (facts(signed(endpoint='http://proxy'),
           store=failing('capabilities', lambda endpoint: endpoint.cluster)), 'http://swift'),
    (facts(signed(endpoint='http://proxy'),
           store=failing('capabilities', lambda endpoint: endpoint.cluster, url=None)), 'http://proxy'),
])
def test_capabilities(of, wanted):
    assert of.capabilities == wanted


@pytest.mark.parametrize(('of', 'wanted'), [
    (facts(), Keys({'account key': KEY})),
    (facts(store=store(container={C1: OTHER_KEY, C2: KEY}, account={A2: KEY})),
     Keys({'container key': OTHER_KEY, 'container key 2': KEY, 'account key 2': KEY})),
    (facts(store=None), Keys({}, 'Swift shows no key without authentication.')),
    (facts(store=failing('account_keys', UNSEEN)), Keys({}, 'Swift does not show it.')),
    (facts(store=failing('container_keys', UNSEEN)), Keys({}, 'Swift does not show it.')),
    (facts(store=failing('container_keys', None)), Keys({'account key': KEY}, container=False)),
    (facts(store=failing('account_keys', None)), Keys({})),
    (facts(GATEWAY, store=failing('container_keys', UNSEEN)), Keys({'account key': KEY})),
])
def test_keys(of, wanted):
    assert of.keys == wanted


@pytest.mark.parametrize(('of', 'wanted'), [
    (facts(), ['AUTH_p']),
    (facts(signed(account='AUTH_x')), ['AUTH_x', 'AUTH_p']),
    (facts(signed(account='AUTH_x'), store=None), ['AUTH_x']),
    (facts(signed(account='AUTH_x'), settings=Settings(account='AUTH_y')),
     ['AUTH_x', 'AUTH_y', 'AUTH_p']),
    (facts(signed(account='AUTH_x'), settings=Settings(account_prefix='AUTH'),
           store=failing('project_id', UNSEEN)), ['AUTH_x']),
    # The catalog is a gateway's without accounts, and the session's project none of its own.
    (facts(signed(account='AUTH_x'), store=store('http://rgw/swift/v1')), ['AUTH_x']),
    (facts(GATEWAY), []),
])
def test_accounts(of, wanted):
    assert of.accounts == wanted


def containers(*names, name=IMAGE_ID, account='AUTH_p'):
    return store(objects={(account, container, name): 5 for container in names})


@pytest.mark.parametrize(('of', 'wanted'), [
    (facts(), []),
    (facts(store=containers('glance', 'glance_3', 'glance_3a1f6de0', f'glance_{IMAGE_ID}',
                            'other_3', 'glance_4', 'glance_3a1f6de0-')),
     ['glance_3', 'glance_3a1f6de0', f'glance_{IMAGE_ID}']),
    (facts(signed(container='glance_3a1'), store=containers('glance_3a1', 'glance')), ['glance']),
    (facts(settings=Settings(container='images'), store=containers('images_3', 'glance_3')),
     ['images_3']),
    (facts(signed(object='x'), store=containers('glance_x', 'glance_3', name='x')), []),
    (facts(store=None), []),
    (facts(store=failing('names', UNSEEN)), []),
    (facts(signed(account='AUTH_x'), store=containers('glance_3')), []),
])
def test_other_containers(of, wanted):
    assert of.other_containers == wanted


@pytest.mark.parametrize(('of', 'wanted'), [
    (facts(), True),
    (facts(store=None), None),
    (facts(store=failing('find_object', UNSEEN)), None),
    (facts(store=store(objects={})), False),
    (facts(store=store(objects={('AUTH_p', 'glance', IMAGE_ID): 0})), True),
])
def test_holds(of, wanted):
    assert of.holds('AUTH_p', 'glance') is wanted


def test_holds_looks_where_it_is_asked_to():
    assert facts().holds('AUTH_x', 'glance') is False
    assert facts().holds('AUTH_p', 'other') is False


@pytest.mark.parametrize(('of', 'wanted'), [
    (facts(store=store(objects={})), True),
    (facts(answer=dataclasses.replace(WORKS, status=404)), False),
    (refused(), True),
    (refused(store=store(objects={})), False),
    (refused(store=None), None),
])
def test_in_its_place(of, wanted):
    assert of.in_its_place is wanted


GET = Signed('GET', EXPIRES, f'{OBJECT}{IMAGE_ID}')
OURS = Origin(GET, 'account key', KEY.fingerprint)


def later(url, **changes):
    """Return a URL that somebody has altered."""
    return dataclasses.replace(url, **changes)


@pytest.mark.parametrize(('of', 'wanted'), [
    (refused(), OURS),
    (facts(), OURS),
    (refused(signed(key=OTHER_KEY)), None),
    (Facts(PATH, 'http://swift', 'GET', NOW, Settings(), Cloud(object_store=store())), None),
    # Which key: a slot's comes before the one that is given.
    (refused(settings=Settings(key=KEY)), OURS),
    (refused(store=None, settings=Settings(key=KEY)),
     Origin(GET, GIVEN_KEY, KEY.fingerprint)),
    (refused(signed(key=OTHER_KEY), settings=Settings(key=OTHER_KEY)),
     Origin(GET, GIVEN_KEY, OTHER_KEY.fingerprint)),
    (refused(signed(key=OTHER_KEY),
             store=store(container={C1: OTHER_KEY}, account={A1: KEY})),
     Origin(GET, 'container key', OTHER_KEY.fingerprint)),
    (refused(signed(method='PUT')), Origin(
        Signed('PUT', EXPIRES, f'{OBJECT}{IMAGE_ID}'), 'account key', KEY.fingerprint)),
])
def test_origin(of, wanted):
    assert of.origin == wanted


@pytest.mark.parametrize(('ahead', 'found'), [
    (-HOUR, True), (-HOUR - 1, False), (2 * HOUR - 1, True), (2 * HOUR, False)])
def test_an_expiry_that_was_altered_is_looked_for_around_now(ahead, found):
    expires = int(NOW) + ahead
    origin = refused(later(signed(expires=expires), expires=EXPIRES + 1)).origin
    assert (origin is not None) is found
    assert origin is None or origin.signed.expires == expires


@pytest.mark.parametrize('expires', [int(NOW) - DAY, int(NOW) + 8 * DAY - 1])
def test_around_now_is_a_day_before_and_eight_days_after(monkeypatch, expires):
    monkeypatch.undo()
    assert refused(later(signed(expires=expires), expires=EXPIRES + 1)).origin


def test_what_works_is_not_searched_for():
    """It would take a second, and a working URL has not been altered."""
    url = later(signed(), expires=EXPIRES + 1)
    swift = store()
    assert facts(url, store=swift).origin is None
    assert 'names' not in swift.asked


@pytest.mark.parametrize(('path', 'of'), [
    # The object is one of the container's.
    (f'{OBJECT}another', {'store': store(objects={('AUTH_p', 'glance', 'another'): 1})}),
    # So may one be that no URL of ours could be for.
    (f'{OBJECT}another', {'store': store(objects={('AUTH_p', 'glance', '/'): 1,
                                                  ('AUTH_p', 'glance', 'another'): 1})}),
    # The container is another by the sharding rule, or by the image's location.
    (f'/v1/AUTH_p/glance_3a1/{IMAGE_ID}', {'store': containers('glance_3a1')}),
    (f'/v1/AUTH_p/images/{IMAGE_ID}', {'image': image(f'swift+config://ref1/images/{IMAGE_ID}')}),
    # The account is another: the given one, with either container.
    (f'/v1/AUTH_y/glance/{IMAGE_ID}', {'settings': Settings(account='AUTH_y')}),
    (f'/v1/AUTH_y/glance_3a1/{IMAGE_ID}',
     {'settings': Settings(account='AUTH_y'), 'store': containers('glance_3a1')}),
])
def test_another_path_that_was_signed(path, of):
    assert refused(signed(signed_path=path), **of).origin == Origin(
        Signed('GET', EXPIRES, path), 'account key', KEY.fingerprint)


def test_the_session_may_not_list_the_container():
    of = refused(signed(signed_path=f'/v1/AUTH_p/images/{IMAGE_ID}'),
                 image=image(f'swift+config://ref1/images/{IMAGE_ID}'),
                 store=failing('names', UNSEEN))
    assert of.origin.signed.path == f'/v1/AUTH_p/images/{IMAGE_ID}'


def test_without_authentication_a_given_key_finds_the_altered_path():
    path = f'/v1/AUTH_y/glance/{IMAGE_ID}'
    of = refused(signed(signed_path=path), store=None,
                 settings=Settings(key=KEY, account='AUTH_y'))
    assert of.origin.signed.path == path


def test_another_path_in_a_gateway_without_accounts():
    url = dataclasses.replace(GATEWAY, signature=sign_path(
        KEY, '/v1/glance/another', EXPIRES))
    swift = store('http://rgw/swift/v1', objects={(None, 'glance', 'another'): 1})
    assert facts(url, REFUSED, store=swift, image=None).origin.signed.path == '/v1/glance/another'


FAR = 2_222_222_222


def test_the_cache_remembers_what_cannot_be_found_by_trying():
    made = signed(expires=2_000_000_000)
    now = later(made, expires=FAR)
    assert refused(now).origin is None
    origin = refused(now, cached=[remembered(signed()), remembered(made)]).origin
    assert (origin.signed.expires, origin.key) == (2_000_000_000, 'account key')


def test_the_cache_remembers_the_image_and_the_place():
    made = signed(account='AUTH_x', container='images', expires=2_000_000_000)
    now = later(made, path=ObjectPath('AUTH_p', 'glance', OTHER_ID), expires=FAR)
    origin = refused(now, cached=[remembered(made)]).origin
    assert origin.signed == Signed('GET', 2_000_000_000, f'/v1/AUTH_x/images/{IMAGE_ID}')


def test_a_key_that_is_gone_is_known_by_its_fingerprint():
    made = signed(key=OTHER_KEY)
    of = refused(made, cached=[remembered(made, key=OTHER_KEY, method='PUT')])
    assert of.origin == Origin(
        dataclasses.replace(GET, method='PUT'), '', OTHER_KEY.fingerprint)
    ranged = signed(key=OTHER_KEY, ip_range='10.0.0.0/8', prefix='3a')
    of = refused(ranged, cached=[remembered(ranged, key=OTHER_KEY)])
    assert of.origin.signed == Signed('GET', EXPIRES, f'{OBJECT}3a', '10.0.0.0/8', '3a')


@pytest.mark.parametrize('lie', [
    {'expires': FAR}, {'account': 'a/b'}, {'container': ''}, {'method': 'PUT'},
    {'key_fingerprint': KEY.fingerprint}])
def test_a_cache_that_lies_is_not_trusted(lie):
    """No key of those that are seen has made such a signature."""
    of = refused(cached=[remembered(signed(), **lie)])
    assert of.origin == OURS
    foreign = signed(key=OTHER_KEY)
    assert refused(foreign, cached=[remembered(foreign, **lie)]).origin is None


def test_an_entry_of_another_signature_says_nothing():
    foreign = signed(key=OTHER_KEY)
    other = remembered(signed(key=OTHER_KEY, expires=EXPIRES + 1), key=OTHER_KEY)
    assert refused(foreign, cached=[other]).origin is None


@pytest.mark.parametrize(('finding', 'wanted'), [
    (passed('good'), Finding(PASS, 'good', '', ())),
    (failed('bad', 'Mend it.', 'key_file'), Finding(FAIL, 'bad', 'Mend it.', ('key_file',))),
    (skipped('unknown'), Finding(SKIPPED, 'unknown', '', ())),
    (skipped('unknown', 'Ask.', 'account'), Finding(SKIPPED, 'unknown', 'Ask.', ('account',))),
    (failed_with(ImgurlError('It is bad.', 'Mend it.', 'account', 'key_file')),
     Finding(FAIL, 'It is bad', 'Mend it.', ('account', 'key_file'))),
])
def test_what_a_check_says(finding, wanted):
    assert finding == wanted
    assert finding.check == ''


def test_the_results_are_what_is_printed():
    assert (PASS, FAIL, SKIPPED) == ('pass', 'fail', 'skipped')


def test_what_is_quoted_is_printable():
    found = failed('a\nb', 'See\x1b[31m.')
    assert (found.detail, found.remedy) == ('a\\nb', 'See\\x1b[31m.')
    assert advice(found.remedy, found.names) == 'See\\x1b[31m.'
