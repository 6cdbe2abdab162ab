"""The signer, against python-swiftclient wherever that can sign."""

import dataclasses
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from swiftclient.utils import generate_temp_url

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.expiry import MAX_EXPIRES
from osc_imgurl.tempurl.key import Key
from osc_imgurl.tempurl.options import METHODS, URLOptions
from osc_imgurl.tempurl.parse import parse
from osc_imgurl.tempurl.signing import Parameters, sign, sign_path, signed_paths
from osc_imgurl.tempurl.url import DIGESTS, ObjectPath, TempURL, quote
from osc_imgurl.tempurl.verify import verify

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
KEY = Key(b'a key')

keys = st.binary(min_size=1, max_size=200).map(Key)
digests = st.sampled_from(DIGESTS)
methods = st.sampled_from(METHODS)
moments = st.integers(1, MAX_EXPIRES)
# Characters that have a UTF-8 form; a slash may be in an object's name only.
characters = st.characters(codec='utf-8')
DOTS = {'.', '..'}
names = st.text(characters, min_size=1).filter(lambda name: '/' not in name and name not in DOTS)
objects = st.text(characters, min_size=1).filter(
    lambda name: name.strip('/') and not DOTS & {*name.split('/')})
accounts = st.text(string.ascii_letters + string.digits, min_size=1).map('AUTH_{}'.format)
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
    assert query.startswith(f'?temp_url_sig={ours.signature}&temp_url_expires={expires}')
    if not with_prefix:
        assert ours.url == f'http://swift{quote(signed_path)}{query}'


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


@given(keys, digests, names, objects)
def test_a_gateway_without_accounts(key, digest, container, object_name):
    assume(not container.startswith('AUTH_'))
    path = ObjectPath(None, container, object_name)
    signed = sign(Parameters('https://rgw/swift', path, 1700000000, digest=digest), key)
    assert parse(signed.url) == signed
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
    ({'ip_range': '10.0.0.1/8'}, 'has host bits set'), ({'ip_range': ''}, 'is none'),
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
