"""The signer, against python-swiftclient wherever that can sign."""

import dataclasses
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from swiftclient.utils import generate_temp_url

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.digest import DIGESTS
from osc_imgurl.tempurl.expiry import MAX_EXPIRES
from osc_imgurl.tempurl.parse import parse
from osc_imgurl.tempurl.request import METHODS, Request
from osc_imgurl.tempurl.signing import Signer
from osc_imgurl.tempurl.url import ObjectPath, quote
from osc_imgurl.tempurl.verify import verify

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
KEY = b'a key'

keys = st.binary(min_size=1, max_size=200)
digests = st.sampled_from(DIGESTS)
methods = st.sampled_from(METHODS)
moments = st.integers(1, MAX_EXPIRES)
# Characters that have a UTF-8 form; a slash may be in an object's name only.
characters = st.characters(codec='utf-8')
names = st.text(characters, min_size=1).filter(lambda name: '/' not in name)
objects = st.text(characters, min_size=1).filter(lambda name: name.strip('/'))
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
    ours = Signer(key, digest).sign('http://swift', path, expires, Request(
        method, ip_range=ip_range, prefix=prefix))
    theirs = generate_temp_url(signed_path, expires, key, method, absolute=True,
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
    signed = Signer(key, digest).sign(
        endpoint, path, expires, Request(
            method, ip_range=ip_range, prefix=path.object[:1], filename=filename, inline=inline,
            iso8601=iso8601))
    parsed = parse(signed.url, 'swift')
    assert parsed == signed
    assert parsed.digest == digest
    assert verify(parsed, key, expires, method).valid


@given(keys, digests, names, objects)
def test_a_gateway_without_accounts(key, digest, container, object_name):
    assume(not container.startswith('AUTH_'))
    path = ObjectPath(None, container, object_name)
    signed = Signer(key, digest).sign('https://rgw/swift', path, 1700000000)
    assert parse(signed.url) == signed
    assert verify(signed, key, 0).path == f'/v1/{container}/{object_name}'
    # The gateway takes the path below /swift too.
    other = dataclasses.replace(signed, signature=Signer(key, digest).signature(
        f'/swift{path}', 1700000000))
    assert verify(other, key, 0).valid


def sign(**changes):
    return Signer(KEY).sign('http://swift', PATH, 1000, Request(**changes))


@pytest.mark.parametrize('changes', [
    {'method': 'PATCH'}, {'ip_range': '10.0.0.1/8'}, {'ip_range': ''}, {'prefix': 'z'},
])
def test_what_cannot_be_signed(changes):
    with pytest.raises(InvalidParameterValue):
        sign(**changes)


def test_signer_refuses():
    with pytest.raises(InvalidParameterValue, match='digest'):
        Signer(KEY, 'md5')
    with pytest.raises(InvalidParameterValue, match='empty'):
        Signer(b'')
    with pytest.raises(InvalidParameterValue, match='year 9999'):
        Signer(KEY).sign('http://swift', PATH, MAX_EXPIRES + 1)
