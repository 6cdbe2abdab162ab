"""The signer, against python-swiftclient wherever that can sign."""

import dataclasses
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from swiftclient.utils import generate_temp_url

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.digest import DIGESTS
from osc_imgurl.tempurl.expiry import (
    MAX_EXPIRES,
    format_expires,
    format_remaining,
    parse_expires,
    parse_moment,
)
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


@pytest.mark.parametrize(('arguments', 'failed'), [
    ({}, ()),
    ({'now': 1000.0}, ()),
    ({'now': 1000.5}, ('expiry',)),
    ({'method': 'PUT'}, ('method',)),
    ({'method': 'HEAD'}, ()),
    ({'key': b'another'}, ('key',)),
    ({'key': b'another', 'now': 2000}, ('expiry', 'key')),
    ({'method': 'DELETE', 'now': 2000}, ('expiry', 'method')),
])
def test_verify_says_which_part_fails(arguments, failed):
    verification = verify(sign(), **{'key': KEY, 'now': 0, **arguments})
    assert verification.failed == failed
    assert verification.valid == (not failed)
    assert verification.method == (None if 'key' in failed else 'GET')


@pytest.mark.parametrize(('changes', 'part'), [
    ({'ip_range': '10.0.0.1/8'}, 'ip range'),
    ({'prefix': '3a', 'path': ObjectPath('AUTH_x', 'glance', '4b')}, 'path'),
    ({'path': ObjectPath('AUTH_x', 'glance', '3a1f', 'v1.0')}, 'path'),
])
def test_what_swift_refuses_whatever_the_signature(changes, part):
    url = dataclasses.replace(sign(), **changes)
    path = f'{url.path.container_path}{url.prefix or url.path.object}'
    signature = Signer(KEY).signature(path, url.expires, 'GET', url.ip_range,
                                      url.prefix is not None)
    assert verify(dataclasses.replace(url, signature=signature), KEY, 0).failed == (part,)


def test_what_swift_reads_as_nothing_is_nothing():
    url = parse(sign().url + '&temp_url_ip_range=&filename=%FF%20x')
    assert (url.ip_range, url.filename) == (None, '\ufffd x')
    assert verify(url, KEY, 0).valid


def test_a_head_needs_a_get_put_or_post():
    assert verify(sign(method='DELETE'), KEY, 0, 'HEAD').failed == ('method',)
    assert verify(sign(method='PUT'), KEY, 0, 'HEAD').valid


def test_verify_finds_a_path_that_was_signed_by_mistake():
    path = ObjectPath('AUTH_x', 'glance', 'a b')
    quoted = Signer(KEY).signature('/v1/AUTH_x/glance/a%20b', 1000)
    url = dataclasses.replace(Signer(KEY).sign('http://swift', path, 1000), signature=quoted)
    found = verify(url, KEY, 0)
    assert (found.failed, found.path) == (('path',), '/v1/AUTH_x/glance/a%20b')
    elsewhere = dataclasses.replace(sign(), path=ObjectPath('AUTH_y', 'glance', '3a1f'))
    assert verify(elsewhere, KEY, 0).failed == ('key',)


@pytest.mark.parametrize('changes', [
    {'expires': 1001}, {'ip_range': '10.0.0.0/8'}, {'prefix': '3'},
])
def test_an_altered_query_does_not_verify(changes):
    assert verify(dataclasses.replace(sign(), **changes), KEY, 0).failed == ('key',)


@pytest.mark.parametrize(('signature', 'digest'), [
    ('00' * 20, 'sha1'), ('00' * 32, 'sha256'), ('00' * 64, 'sha512'),
    ('sha256:' + 'A' * 43, 'sha256'), ('sha512:' + 'A' * 86 + '==', 'sha512'),
    ('sha512:' + '+/' * 42 + 'AA', 'sha512'), ('sha512:' + '-_' * 42 + 'AA=====', 'sha512'),
])
def test_every_form_of_a_signature(signature, digest):
    url = f'http://swift/v1/AUTH_x/c/o?temp_url_sig={signature}&temp_url_expires=1'
    assert parse(url.replace('+', '%2B')).digest == digest


@pytest.mark.parametrize(('url', 'reason'), [
    ('', 'does not begin with http'),
    ('glance://host/x', 'does not begin with http'),
    ('http://[', 'it is not a URL'),
    ('http://swift/v1/AUTH_x/c/o', 'it has no temp_url_sig'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + '0' * 40, 'it has no temp_url_expires'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=abc&temp_url_expires=1', 'is no signature'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=md5:AAAA&temp_url_expires=1', 'is no signature'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=sha512:' + '-_%2B/' * 21 + 'AA&temp_url_expires=1',
     'is no signature'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + 'A' * 40 + '&temp_url_expires=1',
     'has capitals'),
    ('http://swift/v1/AUTH_x/c/o\n?temp_url_sig=' + '0' * 40 + '&temp_url_expires=1',
     r"'\\n' does not belong into a URL"),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + '0' * 40 + '&temp_url_expires=-1',
     'lies before the year 1970'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + '0' * 40 + '&temp_url_expires=soon',
     "The expiry 'soon' is neither"),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + '0' * 40 + '&temp_url_expires=' + '9' * 18,
     'lies beyond the year 9999'),
    ('http://swift/c/o?temp_url_sig=' + '0' * 40 + '&temp_url_expires=1', 'has no API version'),
    ('http://swift/v1/AUTH_x/c?temp_url_sig=' + '0' * 40 + '&temp_url_expires=1',
     'names no object'),
    ('http://swift/v1/AUTH_x/c/?temp_url_sig=' + '0' * 40 + '&temp_url_expires=1',
     'needs an object'),
    ('http://swift/v1/AUTH_x/c/%FF?temp_url_sig=' + '0' * 40 + '&temp_url_expires=1',
     'it is not a URL'),
])
def test_what_is_no_temporary_url(url, reason):
    with pytest.raises(InvalidParameterValue, match=reason):
        parse(url)


@pytest.mark.parametrize('parts', [
    ('', 'c', 'o'), ('a/b', 'c', 'o'), ('a', '', 'o'), ('a', 'c/d', 'o'), ('a', 'c', ''),
    ('a', 'c', '/'), (None, '', 'o'),
])
def test_a_path_without_all_its_parts_is_never_made(parts):
    with pytest.raises(InvalidParameterValue):
        ObjectPath(*parts)


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


@given(moments)
def test_expiry_in_both_forms(expires):
    assert parse_expires(format_expires(expires)) == expires
    assert parse_expires(str(expires)) == expires


@pytest.mark.parametrize(('text', 'moment'), [
    ('2030-01-31T18:00:00Z', 1896112800),
    ('2030-01-31T18:00:00', 1896112800),
    ('2030-01-31T19:00:00+01:00', 1896112800),
    ('2030-01-31', 1896048000),
    ('1896112800', 1896112800),
])
def test_parse_moment(text, moment):
    assert parse_moment(text) == moment


def test_a_signature_is_in_no_repr():
    url = sign()
    assert url.signature not in repr(url)


@pytest.mark.parametrize(('left', 'text'), [
    (0, '0:00:00'), (1199, '0:19:59'), (93600, '1 day, 2:00:00'), (-1, 'expired 1 s ago'),
    (-119, 'expired 119 s ago'), (-180, 'expired 3 min ago'), (-7200, 'expired 2 h ago'),
    (-864000, 'expired 10 d ago')])
def test_format_remaining(left, text):
    assert format_remaining(1000 + left, 1000) == text
