"""Of many checks, which fails first, what is skipped behind it, and what is said at the end."""

import dataclasses

import pytest

from osc_imgurl.check.checks import CHECKS, diagnose, diagnose_image
from osc_imgurl.check.facts import FAIL, PASS, SKIPPED, Finding, Report, failed, passed, skipped
from osc_imgurl.errors import (
    SET_KEY,
    InvalidParameterValue,
    MissingParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
)
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.probe import Answer
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.url import parse

from ..stubs import OFFLINE, image
from .given import (
    EXPIRES,
    GONE,
    IMAGE,
    IMAGE_ID,
    KEY,
    NOW,
    OTHER_KEY,
    REFUSED,
    SAID,
    TAKES,
    WORKS,
    Glance,
    Probe,
    failing,
    remembered,
    signed,
    store,
)


def cause(findings):
    return Report(findings).first_failure


def of_url(url=None, *, answer=REFUSED, settings=None, swift=None, glance=None, **options):
    """Return the rows of a URL's diagnosis."""
    cloud = Cloud(glance or Glance(IMAGE), swift or store(), Probe(answer))
    return diagnose((url or signed()).url, settings or Settings(), cloud, NOW, **options).findings


def of_image(reference='cirros', *, answer=REFUSED, settings=None, swift=None, glance=None,
             probe=None, **options):
    """Return the rows of an image's diagnosis."""
    cloud = Cloud(glance or Glance(IMAGE), swift or store(), probe or Probe(answer))
    return diagnose_image(reference, settings or Settings(), cloud, NOW, **options).findings


ALL_PASS = [
    ('image', PASS, 'image cirros is active'),
    ('store', PASS, f'the image is in Swift: swift+config://ref1/glance/{IMAGE_ID}'),
    ('server', PASS, 'Swift answers (transaction tx)'),
    ('clock', PASS, 'the server\'s clock differs from this machine\'s by 0 s'),
    ('tempurl', PASS, 'the cluster supports temporary URLs'),
    ('expiry', PASS, 'expires at 2023-11-14T22:23:20Z, in 0:09:59'),
    ('digest', PASS, 'the cluster supports sha256'),
    ('ip range', SKIPPED, 'the URL works from every address'),
    ('account', PASS, 'the object is in AUTH_p'),
    ('container', PASS, 'the object is in glance'),
    ('key', PASS, f'signed with account key, fingerprint {KEY.fingerprint}'),
    ('path', PASS, 'the path is the one that was signed'),
    ('query', PASS, 'expiry, prefix and IP range are those that were signed'),
    ('method', PASS, 'signed for GET'),
    ('object', PASS, "the object is there, and its MD5 is the image's"),
    ('size', PASS, 'image and object have 5 bytes'),
    ('request', PASS, f'{SAID}200'),
]


def rows(findings):
    return [(each.check, each.result, each.detail) for each in findings]


def test_a_url_that_works():
    assert rows(of_url(answer=WORKS)) == ALL_PASS
    assert not any(each.remedy or each.names for each in of_url(answer=WORKS))
    assert cause(of_url(answer=WORKS)) is None


def test_an_image_whose_url_works():
    probe = Probe(WORKS)
    wanted = {row[0]: row for row in ALL_PASS}
    wanted['expiry'] = ('expiry', PASS, 'expires at 2023-11-14T22:33:20Z, in 0:19:59')
    assert rows(of_image(probe=probe)) == list(wanted.values())
    method, _, url = probe.asked[0].partition(' ')
    assert (method, parse(url)) == ('HEAD', signed(expires=int(NOW) + 1200))
    assert len(probe.asked) == 1


@pytest.mark.parametrize(('first', 'findings'), [
    ('image', of_url(glance=Glance(image(status='queued')))),
    ('store', of_url(glance=Glance(image('file:///x')))),
    ('server', of_url(answer=Answer(None, 'connection refused'))),
    ('server', of_url(answer=Answer(503, transaction='tx'))),
    ('clock', of_url(answer=dataclasses.replace(REFUSED, date=NOW + 3600))),
    ('tempurl', of_url(swift=store(capabilities=Capabilities(False)))),
    ('expiry', of_url(signed(expires=int(NOW) - 200))),
    ('digest', of_url(signed(digest='sha1'))),
    ('ip range', of_url(dataclasses.replace(signed(), ip_range='10.0.0.1/8'))),
    ('account', of_url(signed(account='AUTH_x'))),
    ('container', of_url(signed(container='elsewhere'))),
    ('key', of_url(signed(key=OTHER_KEY))),
    ('path', of_url(signed(signed_path='/v1/AUTH_p/glance/another'),
                    swift=store(objects={('AUTH_p', 'glance', IMAGE_ID): 5,
                                         ('AUTH_p', 'glance', 'another'): 5}))),
    ('query', of_url(dataclasses.replace(signed(), expires=EXPIRES + 60))),
    ('method', of_url(signed(method='PUT'))),
    ('object', of_url(answer=GONE)),
    ('size', of_url(answer=dataclasses.replace(WORKS, size=4))),
    # Two faults at once: the one that Swift would come to first.
    ('expiry', of_url(signed(expires=int(NOW) - 200, key=OTHER_KEY, account='AUTH_x'))),
    ('digest', of_url(signed(digest='sha1', method='PUT', container='elsewhere'))),
])
def test_the_first_failure_is_the_cause(first, findings):
    order = list(CHECKS)
    assert [each.check for each in findings] == order
    assert cause(findings).check == first and cause(findings).remedy
    before, behind = findings[:order.index(first)], findings[order.index(first) + 1:-1]
    assert FAIL not in {each.result for each in before}
    assert all(each == dataclasses.replace(skipped(f'the check {first} fails'), check=each.check)
               for each in behind)


@pytest.mark.parametrize(('answer', 'swift'), [
    (Answer(None, 'no route'), store()), (Answer(503, transaction='tx'), OFFLINE)])
@pytest.mark.parametrize(('url', 'failures'), [
    (signed(), []), (signed(expires=int(NOW) - 200), ['expiry']),
    (signed(method='PUT'), ['method']), (signed(key=OTHER_KEY), ['key']),
    (signed(signed_path=f'/AUTH_p/glance/{IMAGE_ID}'), ['path']),
    (dataclasses.replace(signed(), expires=EXPIRES + 60), ['query'])])
def test_a_given_key_needs_no_server(answer, swift, url, failures):
    findings = of_url(url, swift=swift, answer=answer, settings=Settings(
        key=KEY, endpoint_url='http://swift'))
    assert cause(findings).check == 'server'
    results = {each.check: each.result for each in findings}
    of_signature = ['expiry', 'key', 'path', 'query', 'method']
    assert [name for name in of_signature if results.pop(name) == FAIL] == failures
    assert set(list(results.values())[3:-1]) == {SKIPPED}


def test_a_silent_server_is_waited_for_once():
    swift, probe = store(), Probe(Answer(None, 'no answer in time'))
    settings = Settings(key=OTHER_KEY, endpoint_url='http://swift')
    diagnose(signed().url, settings, Cloud(Glance(IMAGE), swift, probe), NOW)
    assert (swift.asked, len(probe.asked)) == ([], 1)


def test_behind_a_failure_the_request_still_says_what_swift_answers():
    assert of_url(signed(key=OTHER_KEY))[-1] == Finding(
        FAIL, f'{SAID}401', 'See the check key.', (), 'request')
    assert of_url(answer=dataclasses.replace(WORKS, size=4))[-1] == Finding(
        PASS, f'{SAID}200', '', (), 'request')
    assert of_url(answer=Answer(None, 'connection refused'))[-1] == Finding(
        SKIPPED, 'connection refused', '', (), 'request')


def test_without_a_probe_no_request_is_made_and_the_rest_is_found_all_the_same():
    cloud = Cloud(Glance(IMAGE), store())
    results = {each.check: (each.result, each.detail)
               for each in diagnose(signed().url, Settings(), cloud, NOW).findings}
    assert results['server'] == results['request'] == (
        SKIPPED, 'no request is made')
    assert FAIL not in {result for result, _ in results.values()}
    assert diagnose(signed(key=OTHER_KEY).url, Settings(), cloud, NOW).first_failure.check == 'key'


def test_where_nothing_else_fails_the_request_is_the_cause():
    found = cause(of_url())
    assert (found.check, found.detail, found.names) == ('request', f'{SAID}401', ('key_file',))


def test_cause():
    good, bad, worse = passed('good'), failed('bad', 'Mend it.'), failed('worse', 'Mend it.')
    assert cause([good, skipped('unknown'), bad, worse]) == bad
    assert cause([good, skipped('unknown')]) is None
    assert cause(()) is None


def test_what_has_been_found_and_asked_already_is_taken():
    glance, probe = Glance(), Probe(REFUSED)
    findings = diagnose(signed().url, Settings(), Cloud(glance, store(), probe), NOW, image=IMAGE,
                        answer=WORKS).findings
    assert rows(findings) == ALL_PASS
    assert glance.asked == probe.asked == []


def test_the_method_is_the_one_that_the_url_is_to_be_used_with():
    assert cause(of_url(method='put')).check == 'method'
    assert cause(of_url(answer=WORKS, method='head')) is None


def test_the_cache_is_asked_for_what_was_altered():
    made = signed(expires=2_000_000_000)
    url = dataclasses.replace(made, expires=2_222_222_222)
    assert cause(of_url(url)).check == 'key'
    assert cause(of_url(url, cached=[remembered(made)])).check == 'query'


@pytest.mark.parametrize(('settings', 'account'), [
    (Settings(), 'a RADOS Gateway without accounts in its URLs'),
    (Settings(endpoint_type='radosgw'), 'a RADOS Gateway without accounts in its URLs'),
    (Settings(endpoint_type='swift'), 'the object is in glance'),
])
def test_the_settings_say_whether_a_gateways_url_has_an_account(settings, account):
    url = signed(endpoint='http://rgw/swift', account=None, object='a/b')
    findings = of_url(url, answer=WORKS, settings=settings, swift=store('http://rgw/swift/v1'))
    assert ('account', account) in [(each.check, each.detail) for each in findings]


def test_the_catalog_says_that_a_gateways_url_has_no_account():
    url = signed(endpoint='http://rgw/rgw', account=None)
    # The public interface says that this is a gateway.
    swift = store('http://rgw/rgw/v1', others=['http://rgw/swift/v1'])
    findings = of_url(url, answer=WORKS, swift=swift)
    assert ('account', 'a RADOS Gateway without accounts in its URLs') in [
        (each.check, each.detail) for each in findings]
    assert cause(of_url(url, answer=WORKS, swift=store())).check == 'account'


def test_the_catalog_says_that_a_gateways_url_has_an_account():
    url = signed(endpoint='http://rgw/swift', account='KEY_p')
    swift = store('http://rgw/swift/v1/KEY_p', objects={('KEY_p', 'glance', IMAGE_ID): 5})
    assert cause(of_url(url, answer=WORKS, swift=swift)) is None
    with pytest.raises(InvalidParameterValue, match='can be read in two ways'):
        of_url(url, answer=WORKS, swift=store())
    # Of a URL that is taken apart, there is one.
    assert 'foreign' in diagnose(
        url, Settings(), Cloud(object_store=store(), probe=Probe()), NOW).first_failure.detail


@pytest.mark.parametrize('ask', [
    lambda: of_url(method='PATCH'), lambda: of_image(method='PATCH'),
    lambda: diagnose('http://swift/v1/AUTH_p/glance/x', Settings(), Cloud(), NOW)])
def test_what_cannot_be_diagnosed(ask):
    with pytest.raises(InvalidParameterValue):
        ask()


def stopped(name, detail, remedy='', *names):
    """Return the one row of an image without a URL that could be checked."""
    return (Finding(FAIL, detail, remedy, names, name),)


def test_an_image_that_is_not_found():
    assert of_image('cirrus') == stopped(
        'image', 'No image has the name or ID cirrus', 'Look at the list.')
    assert diagnose_image('cirros', Settings(), Cloud(), NOW).findings == stopped(
        'image', 'Without authentication no image can be looked up')


def test_an_image_whose_locations_are_not_trusted():
    evil = f'swift+https://evil/v1/AUTH_x/glance/{IMAGE_ID}'
    findings = of_image(glance=Glance(image(evil)))
    assert cause(findings).names == ('container', 'object', 'account', 'key_file')
    assert findings == stopped('store', cause(findings).detail, cause(findings).remedy,
                               *cause(findings).names)
    # Signed explicitly.
    assert cause(of_image(glance=Glance(image(evil)), answer=WORKS,
                          object_name=IMAGE_ID)) is None


def test_an_image_whose_account_is_not_known():
    error = MissingParameterValue('These credentials name no account.', 'Give it.', 'account')
    swift, settings = failing('project_id', error), Settings(account_prefix='AUTH')
    assert of_image(swift=swift, settings=settings) == stopped(
        'account', 'These credentials name no account', 'Give it.', 'account')


def test_an_image_for_which_there_is_no_key():
    probe = Probe(WORKS)
    findings = of_image(swift=store(account={}), probe=probe)
    found = cause(findings)
    assert (found.check, found.names) == ('key', (SET_KEY, 'key_file', 'copy'))
    assert found.detail == 'There is no temporary URL key on account AUTH_p, nor on the container' \
                           ' glance'
    results = {each.check: (each.result, each.detail) for each in findings}
    assert results['server'] == results['request'] == (SKIPPED, 'no URL could be signed')
    assert results['account'] == (PASS, 'the object is in AUTH_p')
    assert results['path'] == (SKIPPED, 'the check key fails')
    assert probe.asked == []


def test_what_comes_before_the_key_is_the_cause_all_the_same():
    findings = of_image(glance=Glance(image(status='queued')), swift=store(account={}))
    assert cause(findings).check == 'image'
    assert findings[list(CHECKS).index('key')].result == SKIPPED


@pytest.mark.parametrize(('settings', 'capabilities', 'digest', 'first'), [
    (Settings(), TAKES, 'sha256', None),
    (Settings(digest='sha512'), TAKES, 'sha512', None),
    (Settings(digest='sha1'), TAKES, 'sha1', 'digest'),
    (Settings(), Capabilities(), 'sha1', None),
    (Settings(), Capabilities(True, None, ('sha3',)), 'sha256', 'digest'),
    (Settings(digest='sha512'), Capabilities(False), 'sha512', 'tempurl'),
    (Settings(), ObjectStoreFailed('No answer.'), 'sha256', None),
])
def test_a_url_that_the_cluster_will_refuse_is_made_all_the_same(settings, capabilities, digest,
                                                                 first):
    probe = Probe(REFUSED)
    findings = of_image(settings=settings, swift=failing('capabilities', capabilities),
                        probe=probe)
    assert parse(probe.asked[0].removeprefix('HEAD ')).digest == digest
    assert cause(findings).check == (first or 'request')


def test_the_url_of_an_image_is_as_the_settings_say():
    probe = Probe(WORKS)
    settings = Settings(endpoint_url='http://proxy', duration=60, container='images', key=OTHER_KEY)
    of_image(settings=settings, glance=Glance(image()), probe=probe, method='PUT',
             object_name='another')
    # The host is Swift's own.
    assert parse(probe.asked[0].removeprefix('HEAD ')) == signed(
        container='images', object='another', key=OTHER_KEY, expires=int(NOW) + 60, method='PUT')


@pytest.mark.parametrize(('settings', 'expires'), [
    (Settings(duration=60), 1_700_000_060), (Settings(duration=60, align=86_400), 1_700_006_460)])
def test_the_url_of_an_image_expires_when_creates_would(settings, expires):
    probe = Probe(WORKS)
    of_image(settings=settings, probe=probe)
    assert parse(probe.asked[0].removeprefix('HEAD ')).expires == expires


def test_swift_is_asked_nothing_twice_about_an_image():
    swift = store()
    of_image(answer=WORKS, swift=swift)
    assert swift.asked == ['container_keys', 'account_keys', 'capabilities']


def test_keys_that_may_not_be_read():
    swift = failing('account_keys', ObjectStoreNotAuthorized('HTTP 403.'))
    assert cause(of_image(swift=swift)).check == 'key'
