"""What create's check of a new URL asks, accepts, warns of, and refuses."""

import dataclasses
import logging
import sys

import pytest

from osc_imgurl.check import checks
from osc_imgurl.check.facts import FAIL, IP_RANGE, NOT_TRIED, REQUEST, Finding
from osc_imgurl.check.new_url import NewURLCheck, classify
from osc_imgurl.create import ImageTempURL, create
from osc_imgurl.errors import ObjectMismatch, ObjectStoreFailed, TempURLRefused
from osc_imgurl.glance.image import Image, OfflineImages
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.endpoint import endpoint_of
from osc_imgurl.swift.probe import Answer
from osc_imgurl.target.resolve import Target
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.endpoint import Endpoint
from osc_imgurl.tempurl.options import URLOptions

from ..stubs import MD5, OFFLINE
from .given import (
    EXPIRES,
    GATEWAY,
    GONE,
    IMAGE,
    IMAGE_ID,
    NOW,
    OTHER_KEY,
    REFUSED,
    WORKS,
    Glance,
    Probe,
    failing,
    signed,
    store,
)


def new(url=None, *, guessed=(), size=5, method='GET'):
    """Return a URL that has just been made for an image."""
    url = url or signed(method=method)
    return ImageTempURL(
        url, method, Image(IMAGE_ID, 'cirros', properties={'size': size}),
        Target(Endpoint(url.endpoint), url.path), False, guessed)


def new_at(*guessed, object=IMAGE_ID, checksum=MD5):
    """Return a new URL of an image whose account or container was guessed."""
    made = new(guessed=(*guessed, 'key'))
    target = dataclasses.replace(
        made.target, path=dataclasses.replace(made.target.path, object=object))
    return dataclasses.replace(made, target=target, image=Image(
        IMAGE_ID, 'cirros', properties={'size': 5, 'checksum': checksum}))


def check(probe, made=None, *, swift=store, settings=None, times=1):
    """Check a URL, with a Swift that has its object and key."""
    cloud = Cloud(Glance(IMAGE), swift() if callable(swift) else swift, probe)
    checker, made = NewURLCheck(settings or Settings(), cloud), made or new()
    url = made.temp_url
    endpoint = endpoint_of(url.endpoint, url.path.account, Settings(), cloud.object_store)
    made = dataclasses.replace(made, target=dataclasses.replace(made.target, endpoint=endpoint))
    for _ in range(times):
        found = checker.check(made, NOW)
    return found


def warnings(caplog):
    assert {record.levelno for record in caplog.records} <= {logging.WARNING}
    return [record.getMessage() for record in caplog.records]


PROXIED = signed(endpoint='http://proxy')
RANGED = signed(ip_range='203.0.113.0/24')
NO_TRANSACTION = dataclasses.replace(WORKS, transaction=None)
SMALLER = dataclasses.replace(WORKS, size=4)
OTHER = dataclasses.replace(WORKS, md5='0' * 32)
NO_MD5 = dataclasses.replace(WORKS, md5=None)
UNAVAILABLE = dataclasses.replace(REFUSED, status=503)
NO_TLS = Answer(None, 'it does not speak TLS', remedy=('Correct its URL.', 'endpoint_url'))
UNVERIFIED = f'Could not verify the URL of image {IMAGE}: '
ONLY_THERE = 'The URL works from its IP range only, and not from here: it is so'
WORKS_THERE = ('The URL works at http://proxy, and not at http://swift, the Swift of the catalog'
               ' (HTTP 404): it is so')


def cause(check='key'):
    """Return why a URL does not work."""
    return Finding(FAIL, 'it is so', 'Change it.', ('key_file',), check)


def at_proxy(made=None):
    """Return a URL that names a proxy, for a cluster of the catalog."""
    made = made or new(PROXIED)
    return dataclasses.replace(made, target=dataclasses.replace(
        made.target, endpoint=Endpoint('http://proxy', cluster='http://swift')))


def of_unverified_data(guessed):
    return (f'Could not verify that the URL is for the data of image {IMAGE}: its {guessed} in'
            ' Swift, which Glance does not show, was guessed, and the object has no MD5 to compare'
            ' with Glance\'s checksum')


@pytest.mark.parametrize(('made', 'found', 'warnings'), [
    # It works.
    (new(), [WORKS], []),
    (new(size=None), [SMALLER], []),
    (at_proxy(), [WORKS], []),
    # The object is the image's.
    (new_at('account', 'container'), [WORKS], []),
    (new_at('container'), [WORKS], []),
    # Named by Glance or explicitly: nothing else is said of it.
    (new_at(), [OTHER], []),
    (new_at(), [NO_MD5], []),
    (new_at('account', object='another'), [OTHER], []),
    # It cannot be compared.
    (new_at('account'), [NO_MD5], [of_unverified_data('account')]),
    (new_at('account', 'container', checksum=None), [WORKS],
     [of_unverified_data('account and container')]),
    # The answer says nothing of the URL.
    (new(), [SMALLER], [f'{UNVERIFIED}the image has 5 bytes, and the object 4']),
    (new(), [dataclasses.replace(WORKS, size=0)],
     [f'{UNVERIFIED}the image has 5 bytes, and the object 0']),
    (new(), [dataclasses.replace(WORKS, size=None)],
     [f'{UNVERIFIED}the image has 5 bytes, and the answer does not say how many the object has']),
    (new(), [NO_TRANSACTION],
     [f'{UNVERIFIED}something else than Swift answers at http://swift (it does not say what, HTTP'
      ' 200): the answer has no X-Trans-Id']),
    (new_at('account'), [dataclasses.replace(NO_TRANSACTION, size=4, server='nginx')],
     [f'{UNVERIFIED}something else than Swift answers at http://swift (nginx, HTTP 200): the answer'
      ' has no X-Trans-Id']),
    (new(), [UNAVAILABLE, cause('server')], ['Could not verify the URL: it is so']),
    (new(), [NO_TLS, cause('server')],
     ['Could not verify the URL: it is so. Correct its URL (endpoint_url).']),
    # Nothing that the diagnosis knows of is wrong.
    (new(), [dataclasses.replace(REFUSED, status=400), None],
     ['Could not verify the URL: HTTP 400']),
    (new(), [REFUSED, None], ['Could not verify the URL: HTTP 401']),
    # It works elsewhere.
    (new(RANGED), [REFUSED, cause(IP_RANGE)], [ONLY_THERE]),
    (new(RANGED), [REFUSED, cause(REQUEST)], [ONLY_THERE]),
    (at_proxy(new(RANGED)), [REFUSED, cause(IP_RANGE), GONE], [ONLY_THERE]),
    (at_proxy(), [GONE, cause(), WORKS], [WORKS_THERE]),
    (at_proxy(new(RANGED)), [GONE, cause(IP_RANGE), WORKS], [WORKS_THERE]),
    (at_proxy(new_at('account')), [GONE, cause(), NO_MD5],
     [of_unverified_data('account'), WORKS_THERE]),
])
def test_what_is_warned_of(made, found, warnings):
    assert classify(made, *found) == warnings


SEGMENTED = dataclasses.replace(WORKS, md5=None, segmented=True)


def test_a_segmented_image_of_a_gateway():
    """Its ranges are too long; Swift's are not."""
    warning, = classify(new(GATEWAY), SEGMENTED)
    assert str(warning) == (
        'RADOS Gateways (seen of Ceph 16) send one byte too many for a range of a segmented image:'
        ' qemu-img, and others that read parts of it, may fail. Have the image copied (copy).')
    assert classify(new(), SEGMENTED) == classify(new(GATEWAY), WORKS) == []


@pytest.mark.parametrize(('made', 'found', 'asked'), [
    (new(), [REFUSED, cause()], 'HTTP 401'),
    (new(), [dataclasses.replace(REFUSED, status=403), cause('account')], 'HTTP 403'),
    (new(), [GONE, cause('object')], 'HTTP 404'),
    (new(), [REFUSED, cause(REQUEST)], 'HTTP 401'),
    # An IP range excuses no other fault.
    (new(RANGED), [REFUSED, cause()], 'HTTP 401'),
    # It does not work at its own endpoint either.
    *((at_proxy(), [GONE, cause(), there], 'HTTP 404 from http://swift')
      for there in (GONE, SMALLER, NO_TRANSACTION, UNAVAILABLE, NO_TLS)),
])
def test_what_is_refused(made, found, asked):
    with pytest.raises(TempURLRefused) as raised:
        classify(made, *found)
    assert raised.value.problem == (
        f'The URL of image {IMAGE} does not work ({asked}): it is so.')
    assert (raised.value.remedy, raised.value.names) == ('Change it.', ('key_file',))


@pytest.mark.parametrize('guessed', [('account',), ('container',), ('account', 'container')])
@pytest.mark.parametrize('found', [
    [OTHER], [SMALLER], [dataclasses.replace(NO_MD5, size=4)], [GONE, cause(), OTHER]])
def test_an_object_that_glance_did_not_make(guessed, found):
    with pytest.raises(ObjectMismatch) as raised:
        classify(at_proxy(new_at(*guessed)), *found)
    assert f'is not the data of image {IMAGE}' in str(raised.value)
    assert f'its {" and ".join(guessed)} in Swift' in str(raised.value)
    assert raised.value.names == ('account', 'container', 'copy')


def test_what_follows_is_warned_of_or_raised(caplog):
    check(Probe(SMALLER), new())
    assert warnings(caplog) == classify(new(), SMALLER)
    with pytest.raises(ObjectMismatch):
        check(Probe(OTHER), new_at('account'))


@pytest.mark.parametrize(('given', 'guessed', 'wanted'), [
    (None, (), False), (None, ('key',), True), (True, (), True), (True, ('key',), True),
    (False, (), False), (False, ('key',), False),
])
def test_when_a_url_is_checked(given, guessed, wanted):
    checker = NewURLCheck(Settings(check=given), Cloud(object_store=store()))
    assert checker.wanted(new(guessed=guessed)) is wanted


@pytest.mark.parametrize('made', [
    new(), new(size=None), new(method='HEAD'), new(method='PUT'),
    new(signed(endpoint='http://proxy/swift', ip_range=None))])
def test_a_url_that_works_is_accepted_in_silence(monkeypatch, caplog, made):
    """The checks are not imported, and nothing is asked twice."""
    monkeypatch.setitem(sys.modules, 'osc_imgurl.check.checks', None)
    probe = Probe(WORKS)
    check(probe, made)
    assert warnings(caplog) == []
    assert len(probe.asked) == 1


@pytest.mark.parametrize(('endpoint', 'catalog', 'asked'), [
    ('http://swift', 'http://swift/v1/AUTH_p', 'http://swift'),
    ('http://proxy', 'http://swift/v1/AUTH_p', 'http://swift'),
    ('http://proxy/cache', 'http://swift/v1/AUTH_p', 'http://swift'),
    ('http://proxy', None, 'http://proxy'),
    ('http://proxy/swift', 'http://rgw/swift/v1/AUTH_p', 'http://rgw/swift'),
    ('http://proxy/swift', 'http://rgw/v1/AUTH_p', 'http://rgw/swift'),
])
def test_swift_itself_is_asked(endpoint, catalog, asked):
    probe = Probe(WORKS)
    url = signed(endpoint=endpoint)
    check(probe, new(url), swift=store(catalog))
    assert probe.asked == [f'HEAD {url.url.replace(endpoint, asked, 1)}']


def test_with_nobody_to_ask_for_the_catalog_the_urls_own_endpoint_is_asked():
    probe, url = Probe(WORKS), signed(endpoint='http://proxy')
    check(probe, new(url), swift=OFFLINE)
    assert probe.asked == [f'HEAD {url.url}']


@pytest.mark.parametrize(('probe', 'made', 'swift', 'warning'), [
    (None, new(), store, 'The URL is not checked: no request can be made'),
    (Probe(), new(method='POST'), store, 'A URL for POST cannot be tried, and is not checked'),
    (Probe(), new(method='DELETE'), store,
     'A URL for DELETE cannot be tried, and is not checked'),
    (Probe(), new(GATEWAY), store('http://rgw/swift/v1/AUTH_p'),
     f'The URL is not checked: {NOT_TRIED}'),
    (Probe(), new(GATEWAY), OFFLINE, f'The URL is not checked: {NOT_TRIED}'),
])
def test_what_cannot_be_tried_is_a_warning(caplog, probe, made, swift, warning):
    check(probe, made, swift=swift)
    assert warnings(caplog) == [warning]
    assert probe is None or probe.asked == []


def test_a_gateway_without_accounts_in_the_catalog_is_tried(caplog):
    probe = Probe(WORKS)
    check(probe, new(GATEWAY), swift=store('http://rgw/swift/v1'))
    assert (probe.asked, warnings(caplog)) == ([f'HEAD {GATEWAY.url}'], [])


@pytest.mark.parametrize(('answer', 'warning'), [
    (Answer(None, 'connection refused'),
     'Could not verify the URL: http://swift cannot be reached from here: connection'
     ' refused'),
    (NO_TLS,
     'Could not verify the URL: http://swift cannot be reached from here: it does not'
     ' speak TLS. Correct its URL (endpoint_url).'),
    (UNAVAILABLE,
     'Could not verify the URL: http://swift answers HTTP 503, not the object'),
    # Nothing that the diagnosis knows of is wrong.
    (dataclasses.replace(REFUSED, status=400),
     'Could not verify the URL: HEAD to http://swift, without a token: HTTP 400'),
])
def test_an_answer_that_says_nothing_of_the_url_is_a_warning(caplog, answer, warning):
    probe = Probe(answer)
    check(probe)
    assert (warnings(caplog), len(probe.asked)) == ([warning], 1)


@pytest.mark.parametrize(('url', 'answer', 'check_name', 'status', 'names'), [
    (signed(key=OTHER_KEY), REFUSED, 'signed with none of the keys', 401, ('list the keys',)),
    (signed(account='AUTH_x'), REFUSED, 'the object is in account AUTH_p', 401,
     ('account', 'key_file')),
    (signed(), GONE, 'there is no object', 404, ()),
    (signed(), dataclasses.replace(REFUSED, status=403), 'HEAD to http://swift', 403,
     ('key_file',)),
])
def test_a_url_that_swift_refuses_is_an_error(caplog, url, answer, check_name, status, names):
    probe = Probe(answer)
    with pytest.raises(TempURLRefused) as raised:
        check(probe, new(url))
    assert raised.value.problem.startswith(
        f'The URL of image {IMAGE} does not work (HTTP {status}): {check_name}')
    assert raised.value.problem.endswith('.') and raised.value.remedy
    assert raised.value.names == names
    assert (warnings(caplog), len(probe.asked)) == ([], 1)


@pytest.mark.parametrize(('address', 'detail'), [
    ('127.0.0.1', 'this machine\'s address 127.0.0.1 is not in 203.0.113.0/24'),
    # Swift sees another address than this machine does.
    ('203.0.113.9', 'HEAD to http://swift, without a token: HTTP 401'),
])
def test_a_url_for_other_addresses_is_a_warning(monkeypatch, caplog, address, detail):
    """The address is given: which one this machine has depends on its network."""
    monkeypatch.setattr(checks, 'own_address', lambda endpoint: address)
    check(Probe(REFUSED), new(RANGED))
    assert warnings(caplog) == [
        f'The URL works from its IP range only, and not from here: {detail}']


def test_an_ip_range_excuses_no_other_fault(monkeypatch):
    monkeypatch.setattr(checks, 'own_address', lambda endpoint: '203.0.113.9')
    with pytest.raises(TempURLRefused, match='signed with none of the keys'):
        check(Probe(REFUSED), new(signed(ip_range='203.0.113.0/24', key=OTHER_KEY)))


def test_another_cluster_than_the_catalogs(caplog):
    probe = Probe(GONE, **{'HEAD http://proxy': WORKS})
    check(probe, new(PROXIED))
    assert warnings(caplog) == [
        'The URL works at http://proxy, and not at http://swift, the Swift of the catalog (HTTP'
        f' 404): there is no object {IMAGE_ID} in container glance']
    assert probe.asked == [f'HEAD {signed().url}', f'HEAD {PROXIED.url}']


@pytest.mark.parametrize('answer', [GONE, SMALLER, NO_TRANSACTION])
def test_a_url_that_does_not_work_at_its_own_endpoint_either(caplog, answer):
    probe = Probe(GONE, **{'HEAD http://proxy': answer})
    with pytest.raises(TempURLRefused) as raised:
        check(probe, new(PROXIED))
    assert raised.value.problem == (
        f'The URL of image {IMAGE} does not work (HTTP 404 from http://swift): there is no'
        f' object {IMAGE_ID} in container glance.')
    assert warnings(caplog) == [] and len(probe.asked) == 2


def test_a_warning_is_given_once(caplog):
    check(None, times=3)
    assert len(warnings(caplog)) == 1
    check(Probe(SMALLER), times=2)
    assert len(warnings(caplog)) == 2


def test_the_settings_that_the_url_was_made_with_count():
    """The key that is given is the one that the diagnosis speaks of."""
    with pytest.raises(TempURLRefused, match='signed with the given key'):
        check(Probe(REFUSED), new(signed(key=OTHER_KEY)), settings=Settings(key=OTHER_KEY))


def test_the_method_that_the_url_allows_counts():
    """Swift takes a HEAD through it, and it is good for nothing else."""
    with pytest.raises(TempURLRefused, match='signed for HEAD, and not good for PUT'):
        check(Probe(REFUSED), dataclasses.replace(new(signed(method='HEAD')), method='PUT'))


def test_the_moment_of_the_check_counts():
    checker = NewURLCheck(Settings(), Cloud(OfflineImages(), store(), Probe(
        dataclasses.replace(REFUSED, date=None))))
    with pytest.raises(TempURLRefused, match='expired 100 s ago'):
        checker.check(new(), EXPIRES + 100)


SHA1 = Capabilities(True, ('GET', 'HEAD', 'PUT'))
EXPIRY = int(NOW) + 1200
HEADS = {digest: f'HEAD {signed(expires=EXPIRY, digest=digest).url}'
         for digest in ('sha256', 'sha1')}


def created(probe, swift, times=1, settings=None, method='GET'):
    """Return the digests of URLs that are made and checked."""
    settings, cloud = settings or Settings(), Cloud(Glance(IMAGE), swift, probe)
    checker = NewURLCheck(settings, cloud)
    return [checker.check(create(IMAGE_ID, URLOptions(method), cloud, settings, lambda: NOW),
                          NOW).temp_url.digest for _ in range(times)]


@pytest.mark.parametrize(('swift', 'answers', 'digest', 'asked'), [
    # The cluster says what it supports.
    (store(), {}, 'sha256', ['sha256']),
    # Newer gateways support it, and do not say so.
    (store(capabilities=SHA1), {}, 'sha256', ['sha256', 'sha256']),
    (store(capabilities=SHA1), {'sha256': REFUSED}, 'sha1', ['sha256', 'sha1', 'sha1'])])
def test_the_first_digest_that_works_is_remembered(swift, answers, digest, asked):
    times = 2 if len(asked) > 1 else 1
    probe = Probe(WORKS, **{HEADS[name]: answer for name, answer in answers.items()})
    assert created(probe, swift, times) == [digest] * times
    assert probe.asked == [HEADS[name] for name in asked]


@pytest.mark.parametrize('answer', [
    REFUSED, GONE, Answer(None, 'connection refused'), SMALLER, NO_TRANSACTION])
def test_the_surest_digest_follows_whatever_is_answered(caplog, answer):
    probe = Probe(answer, **{HEADS['sha1']: WORKS})
    assert created(probe, store(capabilities=SHA1)) == ['sha1']
    assert (probe.asked, warnings(caplog)) == ([HEADS['sha256'], HEADS['sha1']], [])


def test_a_url_that_works_with_no_digest_is_an_error():
    probe = Probe(REFUSED)
    with pytest.raises(TempURLRefused, match='HTTP 401'):
        created(probe, store(capabilities=SHA1))
    assert len(probe.asked) == 2


def test_a_cluster_that_cannot_be_asked_what_it_supports():
    swift = failing('capabilities', ObjectStoreFailed('HTTP 503.'))
    assert created(Probe(WORKS), swift, settings=Settings(digest='sha512')) == ['sha512']
    with pytest.raises(ObjectStoreFailed) as raised:
        created(Probe(WORKS), swift)
    assert raised.value.names == ('digest',)


@pytest.mark.parametrize(('probe', 'method'), [(None, 'GET'), (Probe(), 'POST')])
def test_where_no_head_is_made_the_surest_digest_counts(probe, method):
    swift = store(capabilities=dataclasses.replace(SHA1, methods=None))
    assert created(probe, swift, method=method) == ['sha1']
