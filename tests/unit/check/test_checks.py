"""What each check says of a URL, and what it takes back where Swift answers that the URL works."""

import dataclasses
from unittest.mock import Mock

import pytest

from osc_imgurl.check import checks
from osc_imgurl.check.checks import CHECKS, make
from osc_imgurl.check.facts import FAIL, NOT_TRIED, PASS, RANGES, SKIPPED, Facts, failed_with
from osc_imgurl.copies.copy import Copy
from osc_imgurl.errors import (
    ACTIVATE_IMAGE,
    COPY_IMAGE,
    DELETE_COPIES,
    SAVE_IMAGE,
    InvalidParameterValue,
    ObjectStoreFailed,
)
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.probe import Answer
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.endpoint import Endpoint

from ..stubs import MD5, OTHER_ID, image
from .given import (
    EXPIRES,
    GATEWAY,
    GONE,
    IMAGE,
    IMAGE_ID,
    KEY,
    NOW,
    PATH,
    REFUSED,
    SAID,
    UNSEEN,
    WORKS,
    Glance,
    Probe,
    facts,
    failing,
    refused,
    signed,
    store,
)

ALL = ['image', 'store', 'server', 'clock', 'tempurl', 'expiry', 'digest', 'ip range', 'account',
       'container', 'key', 'path', 'query', 'method', 'object', 'size', 'request']
LOCATION = f'swift+config://ref1/glance/{IMAGE_ID}'
NO_URL = Facts(PATH, Endpoint('http://swift'), 'GET', NOW, Settings(), Cloud(object_store=store()),
               known_image=IMAGE)


def made(name, of):
    finding = make(name, of)
    return finding.result, finding.detail, finding.names


def answered(**changes):
    return facts(answer=dataclasses.replace(WORKS, **changes))


def test_all_that_there_are():
    assert list(CHECKS) == ALL


@pytest.mark.parametrize(('of', 'result', 'detail', 'names'), [
    (facts(), PASS, 'image cirros is active', ()),
    (facts(image=dataclasses.replace(IMAGE, name=None)), PASS, f'image {IMAGE_ID} is active', ()),
    (facts(image=image(status='deactivated')), FAIL,
     f'Image {IMAGE} is deactivated, and only an active image can be downloaded',
     (ACTIVATE_IMAGE,)),
    (facts(image=image(status='queued')), FAIL,
     f'Image {IMAGE} is queued, and only an active image can be downloaded', ()),
    (facts(image=None), SKIPPED, 'Without authentication no image can be looked up.', ()),
    (facts(image=None, glance=Glance()), SKIPPED,
     f'No image has the name or ID {IMAGE_ID}. Look at the list.', ()),
    (facts(image=None, glance=Glance(IMAGE)), PASS, 'image cirros is active', ()),
    (facts(signed(object='x'), image=None, glance=Glance(IMAGE)), SKIPPED,
     'the object\'s name is no image\'s ID', ()),
])
def test_image(of, result, detail, names):
    assert made('image', of) == (result, detail, names)


FOREIGN = image(f'swift+https://evil/v1/AUTH_x/glance/{IMAGE_ID}', size=5)
NOT_BELIEVED = (f'No location of image {IMAGE} is trusted: swift+https://evil/v1/AUTH_x/glance/'
                f'{IMAGE_ID}: its endpoint is not one of the object store\'s in the catalog.')
SIGN_ON_PURPOSE = ('container', 'object', 'account', 'key_file')


@pytest.mark.parametrize(('of', 'result', 'detail', 'names'), [
    (facts(), PASS, f'the image is in Swift: {LOCATION}', ()),
    (facts(image=None), SKIPPED, 'the image is not known', ()),
    (facts(image=image()), SKIPPED, 'this cloud does not show the image\'s location', ()),
    (facts(image=image('file:///x')), FAIL,
     f'Image {IMAGE} is not in Swift but in file, and only Swift has temporary URLs',
     (COPY_IMAGE, SAVE_IMAGE, 'copy')),
    (refused(image=FOREIGN), FAIL, NOT_BELIEVED.removesuffix('.'), SIGN_ON_PURPOSE),
    (facts(image=FOREIGN), PASS, f'Swift has the object; {NOT_BELIEVED}', ()),
    # It is not known who answers.
    (facts(answer=dataclasses.replace(WORKS, transaction=None), image=FOREIGN), FAIL,
     NOT_BELIEVED.removesuffix('.'), SIGN_ON_PURPOSE),
])
def test_store(of, result, detail, names):
    assert made('store', of) == (result, detail, names)


@pytest.mark.parametrize(('copy', 'result', 'detail', 'names'), [
    (Copy('copies', IMAGE_ID, 'cirros', 5, 'md5:00', 1_700_004_000), PASS,
     'a copy of the image in your own account, deleted at 2023-11-14T23:20:00Z', ()),
    (Copy('copies', IMAGE_ID, 'cirros', 5, 'md5:00', None), PASS,
     'a copy of the image in your own account, which is never deleted', ()),
    (None, SKIPPED, 'the container is for copies, and has none of this image', ()),
    (ObjectStoreFailed('HTTP 503.', 'Try again.'), SKIPPED, 'HTTP 503', ()),
    (InvalidParameterValue('It is no copy.', 'Delete it.', DELETE_COPIES), FAIL, 'It is no copy',
     (DELETE_COPIES,)),
])
def test_store_of_copies(monkeypatch, copy, result, detail, names):
    """Which copies a container has, the unit tests of copies find out."""
    of = facts(signed(container='copies'), settings=Settings(copy_container='copies'))
    monkeypatch.setattr(of.copy_container, 'find', Mock(side_effect=[copy]))
    assert made('store', of) == (result, detail, names)


AGAIN = 'Try again; if it fails again, report it to the operator of Swift (transaction {}).'
CORRECT = ('Correct the endpoint, or have the proxy in between pass the whole path and query on.')


@pytest.mark.parametrize(('of', 'result', 'detail', 'remedy', 'names'), [
    (facts(), PASS, 'Swift answers (transaction tx)', '', ()),
    (refused(), PASS, 'Swift answers (transaction tx)', '', ()),
    (NO_URL, SKIPPED, 'no URL could be signed', '', ()),
    (facts(GATEWAY, store=store('http://rgw/swift/v1/AUTH_p')), SKIPPED, NOT_TRIED, '', ()),
    (facts(answer=None), SKIPPED, 'no request is made', '', ()),
    (facts(answer=Answer(None, 'connection refused')), FAIL,
     'http://swift cannot be reached from here: connection refused',
     'Correct the endpoint, or see to network or server.', ('endpoint_url',)),
    (facts(answer=Answer(None, 'it does not speak TLS', remedy=('Correct it.', 'cacert'))), FAIL,
     'http://swift cannot be reached from here: it does not speak TLS', 'Correct it.',
     ('cacert',)),
    (answered(status=500), FAIL, 'http://swift answers HTTP 500, not the object',
     AGAIN.format('tx'), ()),
    (answered(status=503, transaction=None), FAIL, 'http://swift answers HTTP 503, not the object',
     AGAIN.format('unknown'), ()),
    (answered(status=429), FAIL, 'http://swift answers HTTP 429, not the object',
     AGAIN.format('tx'), ()),
    (answered(status=499), PASS, 'Swift answers (transaction tx)', '', ()),
    (answered(status=404, transaction=None, server='nginx'), FAIL,
     'something else than Swift answers at http://swift (nginx, HTTP 404): the answer has no'
     ' X-Trans-Id', CORRECT, ('endpoint_url',)),
    (answered(transaction=None), FAIL,
     'something else than Swift answers at http://swift (it does not say what, HTTP 200): the'
     ' answer has no X-Trans-Id', CORRECT, ('endpoint_url',)),
])
def test_server(of, result, detail, remedy, names):
    finding = make('server', of)
    assert (finding.result, finding.detail, finding.remedy, finding.names) == (
        result, detail, remedy, names)


@pytest.mark.parametrize(('date', 'expires', 'result', 'detail', 'names'), [
    (NOW, EXPIRES, PASS, 'the server\'s clock differs from this machine\'s by 0 s', ()),
    (NOW + 30, EXPIRES, PASS, 'the server\'s clock differs from this machine\'s by 30 s', ()),
    (NOW - 30.9, EXPIRES, PASS, 'the server\'s clock differs from this machine\'s by 30 s', ()),
    (NOW + 31, EXPIRES, FAIL, 'the server\'s clock is 31 s ahead of this machine\'s',
     ('duration',)),
    (NOW - 31, EXPIRES, FAIL, 'the server\'s clock is 31 s behind this machine\'s',
     ('duration',)),
    (NOW + 3600, EXPIRES, FAIL, 'the server\'s clock is 3600 s ahead of this machine\'s; by its'
     ' clock the URL has expired', ('duration',)),
    # It has not expired by the server's clock; by both.
    (EXPIRES, EXPIRES, FAIL, 'the server\'s clock is 599 s ahead of this machine\'s',
     ('duration',)),
    (NOW + 3600, int(NOW) - 1, FAIL, 'the server\'s clock is 3600 s ahead of this machine\'s',
     ('duration',)),
    (None, EXPIRES, SKIPPED, 'the answer has no date', ()),
])
def test_clock(date, expires, result, detail, names):
    of = facts(signed(expires=expires), dataclasses.replace(REFUSED, date=date))
    assert made('clock', of) == (result, detail, names)


def test_clock_at_the_very_second_of_the_expiry():
    of = facts(signed(expires=EXPIRES), dataclasses.replace(REFUSED, date=EXPIRES + 100),
               now=EXPIRES)
    assert made('clock', of)[1].endswith('; by its clock the URL has expired')


def test_clock_without_a_url():
    of = dataclasses.replace(NO_URL, url='x', known_answer=dataclasses.replace(
        REFUSED, date=NOW + 3600))
    assert made('clock', of)[:2] == (
        FAIL, 'the server\'s clock is 3600 s ahead of this machine\'s')


HIDDEN = failing('capabilities', ObjectStoreFailed('No answer.'))


@pytest.mark.parametrize(('capabilities', 'result', 'detail'), [
    (Capabilities(True), PASS, 'the cluster supports temporary URLs'),
    (Capabilities(), PASS, 'the cluster does not say whether it supports temporary URLs'),
    (Capabilities(False), FAIL, 'This cluster does not support temporary URLs: it runs without the'
                                ' tempurl middleware'),
    (ObjectStoreFailed('No answer.'), SKIPPED, 'No answer.'),
])
def test_tempurl(capabilities, result, detail):
    of = refused(store=failing('capabilities', capabilities))
    assert made('tempurl', of) == (result, detail, ())


AT = '2023-11-14T22:23:20Z'


@pytest.mark.parametrize(('now', 'date', 'result', 'detail', 'names'), [
    (NOW, NOW, PASS, f'expires at {AT}, in 0:09:59', ()),
    (NOW, None, PASS, f'expires at {AT}, in 0:09:59', ()),
    (EXPIRES, None, PASS, f'expires at {AT}, in 0:00:00', ()),
    (EXPIRES + 1, None, FAIL, f'expired 1 s ago, at {AT}', ('duration',)),
    # Whichever clock is ahead.
    (EXPIRES - 10, EXPIRES + 10, FAIL, f'expired 10 s ago, at {AT}', ('duration',)),
    (EXPIRES + 10, EXPIRES - 10, FAIL, f'expired 10 s ago, at {AT}', ('duration',)),
])
def test_expiry(now, date, result, detail, names):
    of = facts(answer=dataclasses.replace(REFUSED, date=date), now=now)
    assert made('expiry', of) == (result, detail, names)


@pytest.mark.parametrize('answer', [WORKS, REFUSED])
def test_an_expiry_in_milliseconds(answer):
    """That Swift takes such a URL is what is wrong with it."""
    url = dataclasses.replace(signed(), expires=EXPIRES * 1000)
    assert made('expiry', facts(url, answer)) == (
        FAIL, f'the expiry {EXPIRES * 1000} is in milliseconds, and Swift reads it as seconds: the'
              ' URL expires in 53817 years', ())


@pytest.mark.parametrize(('digest', 'capabilities', 'result', 'detail', 'names'), [
    ('sha256', Capabilities(True, None, ('sha256',)), PASS, 'the cluster supports sha256', ()),
    ('sha1', Capabilities(), PASS, 'the cluster supports sha1', ()),
    ('sha256', Capabilities(), FAIL, 'the cluster does not say that it supports sha256, and older'
     ' ones support sha1 only', ('digest',)),
    ('sha1', Capabilities(True, None, ('sha256', 'sha512')), FAIL,
     'This cluster supports sha256, sha512, not the digest sha1', ('digest',)),
    ('sha256', ObjectStoreFailed('No answer.'), SKIPPED, 'No answer.', ()),
])
def test_digest(digest, capabilities, result, detail, names):
    of = refused(signed(digest=digest), store=failing('capabilities', capabilities))
    assert made('digest', of) == (result, detail, names)


@pytest.mark.parametrize(('address', 'ip_range', 'result', 'detail', 'names'), [
    ('10.1.2.3', None, SKIPPED, 'the URL works from every address', ()),
    ('10.1.2.3', '10.0.0.0/8', PASS, 'this machine\'s address 10.1.2.3 is in 10.0.0.0/8', ()),
    ('10.1.2.3', '10.1.2.3', PASS, 'this machine\'s address 10.1.2.3 is in 10.1.2.3', ()),
    ('11.1.2.3', '10.0.0.0/8', FAIL, 'this machine\'s address 11.1.2.3 is not in 10.0.0.0/8',
     ('ip_range',)),
    ('fe80::1', '10.0.0.0/8', FAIL, 'this machine\'s address fe80::1 is not in 10.0.0.0/8',
     ('ip_range',)),
    (None, '10.0.0.0/8', SKIPPED,
     'the address of this machine, as Swift sees it, is not known', ()),
    (None, '10.0.0.1/8', FAIL,
     'The IP range \'10.0.0.1/8\' is invalid: 10.0.0.1/8 has host bits set',
     ('ip_range',)),
    ('10.1.2.3', '10.0.0.1/8', FAIL,
     'The IP range \'10.0.0.1/8\' is invalid: 10.0.0.1/8 has host bits set', ('ip_range',)),
])
def test_ip_range(monkeypatch, address, ip_range, result, detail, names):
    """The address is given: which one this machine has depends on its network."""
    asked = []
    monkeypatch.setattr(checks, 'own_address', lambda endpoint: asked.append(endpoint) or address)
    url = dataclasses.replace(signed(), ip_range=ip_range)
    assert made('ip range', refused(url)) == (result, detail, names)
    assert set(asked) <= {'http://swift'}


def test_ip_range_at_a_gateway():
    """The rule is that of create, and so is its text."""
    of = refused(dataclasses.replace(GATEWAY, ip_range='10.0.0.0/8'),
                 store=store('http://rgw/swift/v1'))
    with pytest.raises(InvalidParameterValue) as raised:
        signed(endpoint='http://rgw/swift', account=None, ip_range='10.0.0.0/8')
    assert make('ip range', of) == failed_with(raised.value)


@pytest.mark.parametrize(('name', 'of', 'proven'), [
    ('tempurl', facts(store=failing('capabilities', Capabilities(False))), 'Swift accepts the URL'),
    ('tempurl', facts(store=HIDDEN), 'Swift accepts the URL'),
    ('tempurl', facts(store=None), 'Swift accepts the URL'),
    ('expiry', facts(now=EXPIRES + 1), 'Swift still accepts the URL'),
    ('digest', facts(store=failing('capabilities', Capabilities())), 'Swift accepts the digest'),
    ('digest', facts(store=None), 'Swift accepts the digest'),
    ('ip range', facts(dataclasses.replace(signed(), ip_range='203.0.113.1/24')),
     'this machine may use the URL'),
    ('key', facts(store=store(account={})), 'Swift knows the key'),
    ('key', facts(store=None), 'Swift knows the key'),
    ('path', facts(store=None), 'Swift accepts the signature'),
    ('query', facts(store=None), 'Swift accepts the signature'),
])
def test_an_answer_that_works_proves_more_than_a_check(name, of, proven):
    assert make(name, dataclasses.replace(of, known_answer=REFUSED)).result != PASS
    assert made(name, of) == (PASS, proven, ())


@pytest.mark.parametrize(('name', 'of', 'result'), [
    ('ip range', facts(), SKIPPED),
    ('image', facts(image=image(status='queued')), FAIL),
    ('store', facts(image=image('file:///x')), FAIL),
    ('server', answered(transaction=None), FAIL),
    ('clock', answered(date=0.0), FAIL),
    ('account', facts(image=image(f'swift+http://swift/v1/AUTH_y/glance/{IMAGE_ID}')), FAIL),
    ('container', facts(image=image(f'swift+config://ref1/x/{IMAGE_ID}')), FAIL),
    ('method', facts(method='DELETE'), FAIL),
    ('size', answered(size=6), FAIL),
])
def test_an_answer_that_works_does_not_prove_everything(name, of, result):
    assert make(name, of).result == result


def test_what_passes_keeps_what_it_says():
    assert made('digest', facts()) == (PASS, 'the cluster supports sha256', ())
    assert made('key', facts()) == (
        PASS, f'signed with account key, fingerprint {KEY.fingerprint}', ())


@pytest.mark.parametrize('name', ['expiry', 'digest', 'path', 'query'])
def test_without_a_url_little_can_be_said(name):
    assert make(name, NO_URL).result == SKIPPED


def test_without_a_url_why_is_said():
    for name in ('expiry', 'digest', 'request'):
        assert made(name, NO_URL) == (SKIPPED, 'no URL could be signed', ())
    assert made('ip range', NO_URL) == (SKIPPED, 'the URL works from every address', ())


IN_OTHER = {('AUTH_y', 'glance', IMAGE_ID): 5}
WITH_THAT_ACCOUNT = 'account', 'key_file'


@pytest.mark.parametrize(('of', 'result', 'detail', 'names'), [
    (facts(), PASS, 'the object is in AUTH_p', ()),
    (refused(), PASS, 'the object is in AUTH_p', ()),
    (facts(GATEWAY, store=store('http://rgw/swift/v1/AUTH_p')), FAIL, NOT_TRIED, ('account',)),
    (facts(GATEWAY, store=store('http://rgw/swift/v1')), SKIPPED,
     'a RADOS Gateway without accounts in its URLs', ()),
    (refused(image=image(f'swift+http://swift/v1/AUTH_y/glance/{IMAGE_ID}')), FAIL,
     'the image lies in account AUTH_y by its own location, and the URL says AUTH_p',
     WITH_THAT_ACCOUNT),
    (refused(image=image(f'swift+http://swift/v1/AUTH_p/glance/{IMAGE_ID}'),
             store=store(objects={})), PASS, 'the object is in AUTH_p', ()),
    # A given account, and that of the session's project, are looked into.
    (refused(settings=Settings(account='AUTH_y'), store=store(objects=IN_OTHER)), FAIL,
     'the object is in account AUTH_y, and the URL says AUTH_p', WITH_THAT_ACCOUNT),
    (refused(signed(account='AUTH_x')), FAIL,
     'the object is in account AUTH_p, and the URL says AUTH_x', WITH_THAT_ACCOUNT),
    (facts(signed(account='AUTH_x')), PASS, 'the object is in AUTH_x', ()),
    (refused(store=store(objects={})), SKIPPED, 'no other account than AUTH_p is known', ()),
    (refused(store=None), SKIPPED, 'no other account than AUTH_p is known', ()),
])
def test_account(of, result, detail, names):
    assert made('account', of) == (result, detail, names)


NOWHERE = failing('container_keys', None, objects={})
RIGHT_PLACE = 'account', 'container', 'multiple_containers_seed', 'key_file', 'copy'


@pytest.mark.parametrize(('of', 'result', 'detail', 'names'), [
    (facts(image=None), PASS, 'the object is in glance', ()),
    (facts(), PASS, 'the object is in glance', ()),
    (refused(image=image(f'swift+config://ref1/x/{IMAGE_ID}')), FAIL,
     'the image lies in container x by its own location, and the URL says glance',
     ('container',)),
    (refused(image=None, store=store(objects={('AUTH_p', 'glance_3a1', IMAGE_ID): 5,
                                              ('AUTH_p', 'other', IMAGE_ID): 5})), FAIL,
     'the object is in container glance_3a1, and the URL says glance',
     ('multiple_containers_seed', 'container', 'multi_tenant')),
    (refused(image=None, store=store(objects={('AUTH_p', 'glance_3a1', 'x'): 5,
                                              ('AUTH_p', 'other', IMAGE_ID): 5})), SKIPPED,
     'no other container is known to have the object', ()),
    (refused(image=None, store=NOWHERE), FAIL, 'there is no container glance in AUTH_p',
     RIGHT_PLACE),
    # A container that a gateway does not say to be there is no failure.
    (facts(GATEWAY, GONE, image=None,
           store=failing('container_keys', None, url='http://rgw/swift/v1', objects={})),
     SKIPPED, 'no other container is known to have the object', ()),
    (refused(image=None, store=failing('account_keys', UNSEEN, objects={})), SKIPPED,
     'no other container is known to have the object', ()),
])
def test_container(of, result, detail, names):
    assert made('container', of) == (result, detail, names)


@pytest.mark.parametrize(('of', 'result', 'detail', 'remedy'), [
    (facts(), PASS, "the object is there, and its MD5 is the image's", ''),
    (facts(answer=dataclasses.replace(WORKS, md5=None)), SKIPPED,
     "the object is there; it has no MD5 to compare with Glance's checksum", ''),
    (facts(answer=dataclasses.replace(WORKS, md5=None), image=image(
        f'swift+http://swift/v1/AUTH_p/glance/{IMAGE_ID}', size=5)), PASS,
     'the object is there, where Glance says', ''),
    (facts(answer=dataclasses.replace(WORKS, md5='0' * 32)), FAIL,
     f"the object is not the data of the image: its MD5 is {'0' * 32}, and Glance says {MD5}",
     'Give the account and the container that Glance uses, or have the image copied.'),
    (facts(answer=dataclasses.replace(WORKS, md5=None, segmented=True), url=GATEWAY,
           store=store('http://rgw/swift/v1')), SKIPPED,
     f"the object is there; it has no MD5 to compare with Glance's checksum. {RANGES}",
     'Have the image copied.'),
    (facts(image=None), PASS, 'the object is there', ''),
    (refused(), PASS, 'the object is there', ''),
    (refused(store=failing('find_object', UNSEEN)), SKIPPED,
     'these credentials cannot see whether the object is there', ''),
    (refused(store=store(objects={})), FAIL,
     f'there is no object {IMAGE_ID} in container glance',
     'Its data is gone from Swift: upload the image again, or delete it.'),
    (facts(answer=GONE, image=None), FAIL,
     f'there is no object {IMAGE_ID} in container glance', 'Correct the object\'s name.'),
])
def test_object(of, result, detail, remedy):
    finding = make('object', of)
    assert (finding.result, finding.detail, finding.remedy) == (result, detail, remedy)


@pytest.mark.parametrize(('wanted', 'found', 'result', 'detail'), [
    (5, 5, PASS, 'image and object have 5 bytes'),
    (0, 0, PASS, 'image and object have 0 bytes'),
    (5, 4, FAIL, 'the image has 5 bytes, and the object 4'),
    (5, 0, FAIL, 'the image has 5 bytes, and the object 0'),
    (5, None, SKIPPED, 'the size of the image or the object is not known'),
    (None, 5, SKIPPED, 'the size of the image or the object is not known'),
])
def test_size(wanted, found, result, detail):
    of = facts(answer=dataclasses.replace(WORKS, size=found), image=image(size=wanted))
    assert made('size', of) == (result, detail, ())


def test_size_of_an_image_that_is_not_known():
    assert made('size', facts(image=None)) == (
        SKIPPED, 'the size of the image or the object is not known', ())


def test_how_sizes_differ():
    assert checks.other_size(5, None) == (
        'the image has 5 bytes, and the answer does not say how many the object has')


@pytest.mark.parametrize(('of', 'result', 'detail', 'names'), [
    (facts(), PASS, f'{SAID}200', ()),
    (facts(answer=Answer(None, 'there is no answer in time')), SKIPPED,
     'there is no answer in time', ()),
    (refused(), FAIL, f'{SAID}401', ('key_file',)),
    (facts(answer=GONE), FAIL, f'{SAID}404', ('key_file',)),
    (refused(signed(method='DELETE')), SKIPPED, 'a URL for DELETE answers no HEAD', ()),
    (refused(signed(method='POST', endpoint='http://rgw/swift'),
             store=store('http://rgw/swift/v1/AUTH_p')),
     SKIPPED, 'a URL for POST answers no HEAD', ()),
    (refused(signed(method='POST')), FAIL, f'{SAID}401', ('key_file',)),
    (refused(signed(method='PUT')), FAIL, f'{SAID}401', ('key_file',)),
    (refused(signed(method='DELETE'), store=None), FAIL, f'{SAID}401', ('key_file',)),
])
def test_request(of, result, detail, names):
    assert made('request', of) == (result, detail, names)


def test_a_refusal_may_be_about_the_address():
    remedy = make('request', refused()).remedy
    assert remedy.startswith('The key is wrong, or the URL has been altered: ')
    ranged = make('request', refused(signed(ip_range='10.0.0.0/8'))).remedy
    assert ranged == ('Swift may see another address of this machine than is in the IP range,'
                      ' behind a proxy for example. Else: t' + remedy[1:])
    unsigned = dataclasses.replace(NO_URL, url='x', known_answer=REFUSED)
    assert make('request', unsigned).remedy == remedy


def test_the_request_goes_to_the_probe():
    probe = Probe(REFUSED)
    assert made('request', facts(answer=None, probe=probe))[:2] == (FAIL, f'{SAID}401')
    assert probe.asked == [f'HEAD {signed().url}']


def test_another_image_of_that_name_is_not_meant():
    assert make('image', facts(signed(object=OTHER_ID), image=None,
                               glance=Glance(IMAGE))).result == SKIPPED
