"""Keys; the signer, against python-swiftclient wherever that can sign; what fails of a URL."""

import base64
import dataclasses
import hmac
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from swiftclient.utils import generate_temp_url

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.options import MAX_EXPIRES, METHODS, URLOptions
from osc_imgurl.tempurl.signing import (
    Key,
    Parameters,
    allows,
    sign,
    sign_path,
    signed_paths,
    validate_key,
    verify,
)
from osc_imgurl.tempurl.url import DIGESTS, ObjectPath, TempURL, parse, quote

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
KEY = Key(b'a key')

keys = st.binary(min_size=1, max_size=200).map(Key)
digests = st.sampled_from(DIGESTS)
methods = st.sampled_from(METHODS)
moments = st.integers(1, MAX_EXPIRES)
# Characters that have a UTF-8 form; a slash may be in an object's name only.
characters = st.characters(codec='utf-8')
DOTS = {'.', '..'}
# No longer than Swift accepts: a character has up to four bytes.
names = st.text(characters, min_size=1, max_size=64).filter(
    lambda name: '/' not in name and name not in DOTS)
objects = st.text(characters, min_size=1, max_size=256).filter(
    lambda name: name.strip('/') and not DOTS & {*name.split('/')})
accounts = st.text(string.ascii_letters + string.digits, min_size=1, max_size=64).map(
    'AUTH_{}'.format)
ip_ranges = st.none() | st.ip_addresses().map(str) | st.sampled_from(
    ['10.0.0.0/8', '2001:db8::/32'])
paths = st.builds(ObjectPath, accounts, names, objects)


@given(keys, digests, methods, moments, paths, ip_ranges, st.booleans(), st.data())
def test_equals_swiftclient(key, digest, method, expires, path, ip_range, with_prefix, data):
    prefix = None
    if with_prefix:
        prefix = path.object[:data.draw(st.integers(0, len(path.object)))]
    signed_path = str(path) if prefix is None else path.container_path + prefix
    ours = sign(Parameters('http://swift', path, expires, URLOptions(
        method, ip_range=ip_range, prefix=prefix), digest), key)
    theirs = generate_temp_url(signed_path, expires, key.value, method, absolute=True,
                               prefix=with_prefix, ip_range=ip_range, digest=digest)
    query = theirs[len(signed_path):]
    # Theirs leaves out the padding of base64, which a RADOS Gateway wants.
    signature = ours.signature.rstrip('=')
    assert query.startswith(f'?temp_url_sig={signature}&temp_url_expires={expires}')
    if not with_prefix:
        assert ours.url.replace('%3D%3D&', '&') == f'http://swift{quote(signed_path)}{query}'


def test_sha512_as_a_gateway_compares_it():
    """Which is the text, with padding (Ceph's rgw_swift_auth.h); Swift takes either."""
    path = ObjectPath('AUTH_x', 'glance', '3a1f')
    url = sign(Parameters('http://rgw/swift', path, 1000, digest='sha512'), KEY)
    value = hmac.new(KEY.value, b'GET\n1000\n/v1/AUTH_x/glance/3a1f', 'sha512').digest()
    assert url.signature == f'sha512:{base64.urlsafe_b64encode(value).decode()}'
    assert f'temp_url_sig={url.signature.replace("=", "%3D")}&' in url.url


@given(keys, digests, methods, moments, paths, ip_ranges, st.booleans(), st.booleans(),
       st.none() | st.text(characters), st.sampled_from(
           ['http://swift:8080', 'https://swift.example.com', 'https://a/b']))
def test_parse_inverts_sign(key, digest, method, expires, path, ip_range, inline, iso8601,
                            filename, endpoint):
    signed = sign(Parameters(endpoint, path, expires, URLOptions(
        method, ip_range=ip_range, prefix=path.object[:1], filename=filename, inline=inline,
        iso8601=iso8601), digest), key)
    parsed = parse(signed.url, 'swift')
    assert parsed == signed
    assert parsed.digest == digest
    assert verify(parsed, key, expires, method).valid


def test_every_option_that_a_url_holds_is_in_it():
    options = URLOptions(ip_range='192.0.2.0/24', prefix='3', filename='a name', inline=True,
                         iso8601=True)
    signed = sign(Parameters('http://swift', PATH, 1900000000, options), KEY)
    held = {each.name: getattr(options, each.name) for each in dataclasses.fields(TempURL)
            if each.name != 'expires' and hasattr(options, each.name)}
    # A new one needs a value above.
    assert not {name for name, value in held.items() if value == getattr(URLOptions(), name)}
    for url in (signed, parse(signed.url, 'swift')):
        assert {name: getattr(url, name) for name in held} == held


@given(keys, digests, names, objects)
def test_a_gateway_without_accounts(key, digest, container, object_name):
    assume(not container.startswith('AUTH_'))
    path = ObjectPath(None, container, object_name)
    signed = sign(Parameters('https://rgw/swift', path, 1700000000, digest=digest), key)
    assert parse(signed.url, 'radosgw') == signed
    assert verify(signed, key, 0).path == f'/v1/{container}/{object_name}'
    # The gateway takes the path below /swift too.
    other = dataclasses.replace(signed, signature=sign_path(
        key, f'/swift{path}', 1700000000, digest=digest))
    assert verify(other, key, 0).valid


def signed_url(**changes):
    return sign(Parameters('http://swift', PATH, 1000, URLOptions(**changes)), KEY)


def test_a_signature_that_openssl_makes_too():
    """printf 'GET\\n1000\\n/v1/AUTH_x/glance/3a1f' | openssl dgst -sha1 -hmac 'a key'"""
    signature = '421bc658d2f5e4a4e84584108604d03ede314ec1'
    assert sign_path(KEY, str(PATH), 1000, digest='sha1') == signature
    assert sign(Parameters('http://swift', PATH, 1000, digest='sha1'), KEY).signature == signature


@pytest.mark.parametrize(('endpoint', 'account', 'wanted'), [
    ('http://swift', 'AUTH_x', ['']), ('http://swift/object-store', 'AUTH_x', ['']),
    ('http://rgw/swift', None, ['', '/swift']), ('http://rgw/swift', 'AUTH_x', ['', '/swift']),
    ('http://proxy/radosgw/swift', None, ['', '/swift']), ('http://rgw/rgw', None, ['', '/rgw']),
    ('http://rgw', None, ['', ''])])
def test_which_part_of_a_path_is_signed(endpoint, account, wanted):
    """A proxy takes away what is a Swift's; a gateway sees the last part, and takes both."""
    url = sign(Parameters(endpoint, dataclasses.replace(PATH, account=account), 1000), KEY)
    assert signed_paths(url) == tuple(f'{start}{url.path}' for start in wanted)
    assert url.signature == sign_path(KEY, str(url.path), 1000)
    assert url.url.startswith(f'{endpoint}{url.path}?')
    assert signed_paths(dataclasses.replace(url, prefix='')) == (
        f'{wanted[-1]}{url.path.container_path}',)


@pytest.mark.parametrize(('endpoint', 'start'), [
    ('http://swift', ''), ('http://rgw/swift', '/swift')])
def test_what_is_asked_for_is_in_the_url(endpoint, start):
    request = URLOptions('put', expires=5, object='other', prefix='3a', filename='a b', inline=True,
                      iso8601=True)
    url = sign(Parameters(endpoint, PATH, 1000, request), KEY)
    assert url == TempURL(endpoint, PATH, url.signature, 1000, None, '3a', 'a b', True, True)
    assert url.signature == sign_path(KEY, f'{start}/v1/AUTH_x/glance/3a', 1000, 'PUT', prefix=True)
    assert sign(Parameters(endpoint, PATH, 1000), KEY).signature == sign_path(KEY, str(PATH), 1000)


def test_an_ip_range_is_signed():
    url = signed_url(ip_range='10.0.0.0/8')
    assert url.ip_range == '10.0.0.0/8'
    assert url.signature == sign_path(KEY, str(PATH), 1000, 'GET', ip_range='10.0.0.0/8')
    assert url.signature != signed_url().signature


@pytest.mark.parametrize(('url', 'paths'), [
    (signed_url(), ('/v1/AUTH_x/glance/3a1f',)),
    (signed_url(prefix=''), ('/v1/AUTH_x/glance/',)),
    (signed_url(prefix='3a'), ('/v1/AUTH_x/glance/3a',)),
    (dataclasses.replace(signed_url(), endpoint='http://rgw/swift'),
     ('/v1/AUTH_x/glance/3a1f', '/swift/v1/AUTH_x/glance/3a1f')),
    (dataclasses.replace(signed_url(), endpoint='http://rgw/swift', prefix='3a'),
     ('/swift/v1/AUTH_x/glance/3a',)),
])
def test_the_paths_that_may_be_signed(url, paths):
    assert signed_paths(url) == paths


@pytest.mark.parametrize(('changes', 'why'), [
    ({'method': 'PATCH'}, "The method 'PATCH' is unknown"),
    ({'ip_range': '10.0.0.1/8'}, 'has host bits set'), ({'ip_range': ''}, 'is invalid'),
    ({'prefix': 'z'}, "'3a1f' does not begin with the prefix 'z'"),
])
def test_what_cannot_be_signed(changes, why):
    with pytest.raises(InvalidParameterValue, match=why):
        signed_url(**changes)
    with pytest.raises(InvalidParameterValue, match='A RADOS Gateway knows no IP range'):
        Parameters('http://rgw/swift', PATH, 1000, URLOptions(ip_range='10.0.0.0/8'))


def test_parameters_refuse():
    with pytest.raises(InvalidParameterValue, match="The digest 'md5' is unknown"):
        Parameters('http://swift', PATH, 1000, digest='md5')
    with pytest.raises(InvalidParameterValue, match='year 9999'):
        Parameters('http://swift', PATH, MAX_EXPIRES + 1)


def test_a_fingerprint_is_short_the_same_everywhere_and_each_keys_own():
    assert Key(b'a key').fingerprint == '6313432d124d'
    assert Key(b'another key').fingerprint != Key(b'a key').fingerprint


def test_equal_keys_are_one():
    assert {Key(b'a key'), Key(b'a key')} == {Key(b'a key')} != {Key(b'another key')}


def test_no_key_is_in_a_repr():
    assert repr(Key(b'the secret')) == 'Key()'


@pytest.mark.parametrize('value', [
    b'a', b'a key', b'k' * 1000, b'a\xff', 'ключ'.encode(), '\u3000a\u3000'.encode(),
    b'~', b'!', b'X key X', '\xa0'.encode()])
def test_a_key(value):
    assert validate_key(value) == Key(value)


@pytest.mark.parametrize(('value', 'why'), [
    (b'', 'it is empty'), (b' ', 'a space at one end'), (b' secret', 'a space at one end'),
    (b'secret ', 'a space at one end'),
    *((b'the' + char.encode() + b'secret', 'a control character')
      for char in '\0\t\n\r\x1b\x1f\x7f\x80\x9f'),
    (b'secret\n', 'a control character'), (b'\tsecret', 'a control character')])
def test_no_key_that_swift_could_keep(value, why):
    with pytest.raises(ValueError, match=why) as caught:
        validate_key(value)
    assert 'secret' not in str(caught.value)


def test_no_key_is_empty():
    with pytest.raises(InvalidParameterValue, match='is empty'):
        Key(b'')


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


@pytest.mark.parametrize(('endpoint', 'account'), [
    ('http://swift', 'AUTH_x'), ('http://rgw/swift', None), ('http://rgw/swift', 'AUTH_x')])
@pytest.mark.parametrize(('signed', 'methods'), [
    ('GET', {'GET', 'HEAD'}), ('HEAD', {'HEAD'}), ('PUT', {'PUT', 'HEAD'}),
    ('POST', {'POST', 'HEAD'}), ('DELETE', {'DELETE'})])
def test_what_a_method_allows(signed, methods, endpoint, account):
    gateway = endpoint != 'http://swift'
    if gateway and signed == 'POST':
        methods = {'POST'}
    assert {method for method in METHODS if allows(signed, method, gateway)} == methods
    path = dataclasses.replace(PATH, account=account)
    url = sign(Parameters(endpoint, path, 1000, URLOptions(signed)), KEY)
    for method in METHODS:
        found = verify(url, KEY, 0, method)
        assert found.failed == (() if method in methods else ('method',))
        assert (found.method, found.path) == (signed, str(path))


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
