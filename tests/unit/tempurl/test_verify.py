"""Which part of a temporary URL fails, by the rules of Swift's tempurl middleware."""

import dataclasses

import pytest

from osc_imgurl.tempurl.key import Key
from osc_imgurl.tempurl.options import METHODS, URLOptions
from osc_imgurl.tempurl.signing import Parameters, sign, sign_path
from osc_imgurl.tempurl.url import DIGESTS, ObjectPath
from osc_imgurl.tempurl.verify import allows, verify

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
KEY = Key(b'a key')


def signed_url(**changes):
    return sign(Parameters('http://swift', PATH, 1000, URLOptions(**changes)), KEY)


@pytest.mark.parametrize(('arguments', 'failed'), [
    ({}, ()),
    ({'now': 1000.0}, ()),
    ({'now': 1000.5}, ('expiry',)),
    ({'method': 'PUT'}, ('method',)),
    ({'method': 'HEAD'}, ()),
    ({'key': Key(b'another')}, ('key',)),
    ({'key': Key(b'another'), 'now': 2000}, ('expiry', 'key')),
    ({'method': 'DELETE', 'now': 2000}, ('expiry', 'method')),
])
def test_verify_says_which_part_fails(arguments, failed):
    verification = verify(signed_url(), **{'key': KEY, 'now': 0, **arguments})
    assert verification.failed == failed
    assert verification.valid == (not failed)
    assert verification.method == (None if 'key' in failed else 'GET')


@pytest.mark.parametrize(('changes', 'part'), [
    ({'ip_range': '10.0.0.1/8'}, 'ip range'),
    ({'prefix': '3a', 'path': ObjectPath('AUTH_x', 'glance', '4b')}, 'path'),
    ({'path': ObjectPath('AUTH_x', 'glance', '3a1f', 'v1.0')}, 'path'),
])
def test_what_swift_refuses_whatever_the_signature(changes, part):
    url = dataclasses.replace(signed_url(), **changes)
    path = f'{url.path.container_path}{url.prefix or url.path.object}'
    signature = sign_path(KEY, path, url.expires, 'GET', ip_range=url.ip_range,
                          prefix=url.prefix is not None)
    assert verify(dataclasses.replace(url, signature=signature), KEY, 0).failed == (part,)


@pytest.mark.parametrize(('signed', 'methods'), [
    ('GET', {'GET', 'HEAD'}), ('HEAD', {'HEAD'}), ('PUT', {'PUT', 'HEAD'}),
    ('POST', {'POST', 'HEAD'}), ('DELETE', {'DELETE'})])
def test_what_a_method_allows(signed, methods):
    assert {method for method in METHODS if allows(signed, method)} == methods
    for method in METHODS:
        found = verify(signed_url(method=signed), KEY, 0, method)
        assert found.failed == (() if method in methods else ('method',))
        assert (found.method, found.path) == (signed, str(PATH))


@pytest.mark.parametrize('request_', [
    URLOptions(prefix='3a'), URLOptions(prefix=''), URLOptions(ip_range='10.0.0.0/8'),
    URLOptions('PUT', prefix='3', ip_range='::1')])
@pytest.mark.parametrize('digest', DIGESTS)
def test_verify_takes_whatever_is_signed(request_, digest):
    url = sign(Parameters('http://swift', PATH, 1000, request_, digest), KEY)
    assert verify(url, KEY, 0, request_.method).valid


def test_parts_fail_in_swifts_order():
    url = dataclasses.replace(
        signed_url(), ip_range='10.0.0.1/8', path=dataclasses.replace(PATH, api_version='v2'))
    assert verify(url, KEY, 1001).failed == ('expiry', 'ip range', 'path', 'key')
    quoted = dataclasses.replace(PATH, object='a b', api_version='v2')
    url = dataclasses.replace(signed_url(), path=quoted, signature=sign_path(
        KEY, '/v2/AUTH_x/glance/a%20b', 1000, 'DELETE'))
    found = verify(url, KEY, 0)
    assert (found.failed, found.method) == (('path', 'method'), 'DELETE')


def test_a_head_needs_a_get_put_or_post():
    assert verify(signed_url(method='DELETE'), KEY, 0, 'HEAD').failed == ('method',)
    assert verify(signed_url(method='PUT'), KEY, 0, 'HEAD').valid


def test_verify_finds_a_path_that_was_signed_by_mistake():
    path = ObjectPath('AUTH_x', 'glance', 'a b')
    quoted = sign_path(KEY, '/v1/AUTH_x/glance/a%20b', 1000)
    url = dataclasses.replace(sign(Parameters('http://swift', path, 1000), KEY), signature=quoted)
    found = verify(url, KEY, 0)
    assert (found.failed, found.path) == (('path',), '/v1/AUTH_x/glance/a%20b')
    elsewhere = dataclasses.replace(signed_url(), path=ObjectPath('AUTH_y', 'glance', '3a1f'))
    assert verify(elsewhere, KEY, 0).failed == ('key',)


@pytest.mark.parametrize('changes', [
    {'expires': 1001}, {'ip_range': '10.0.0.0/8'}, {'prefix': '3'},
])
def test_an_altered_query_does_not_verify(changes):
    assert verify(dataclasses.replace(signed_url(), **changes), KEY, 0).failed == ('key',)
