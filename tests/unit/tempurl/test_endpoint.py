"""An endpoint holds nothing that does not belong into a URL."""

import dataclasses
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.endpoint import (
    gateway_endpoint,
    is_gateway,
    same_endpoint,
    split_storage_url,
    validate_endpoint,
    validate_storage_url,
)
from osc_imgurl.tempurl.options import URLOptions, validate_ip_range
from osc_imgurl.tempurl.signing import Key, Parameters, sign
from osc_imgurl.tempurl.url import ObjectPath, parse

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
# RFC 3986, but for the single quote.
IN_A_URL = set(string.ascii_letters + string.digits + '-._~:/?#[]@!$&()*+,;=%')


@pytest.mark.parametrize('url', [
    'http://h', 'https://swift.example.com:8080', 'http://swift.example.com.', 'http://10.0.0.1/',
    'http://[2001:db8::1]:8080/swift', 'https://a_b-c/swift/v1/AUTH_x', 'http://h/a%20b;c=d,e',
    f'http://{"a" * 63}.example.com', 'http://h:65535//v1'])
def test_endpoints(url):
    assert validate_endpoint(url) == url
    assert validate_endpoint(url.replace('http', 'HTtP', 1)) == url


@pytest.mark.parametrize(('one', 'other', 'same'), [
    ('http://h', 'http://h', True), ('http://h', 'http://H:80', True),
    ('https://h:443/swift', 'https://h/swift', True), ('http://h:080', 'http://h', True),
    ('http://[::1]:8080', 'http://[0:0::1]:8080', True), ('http://[::1]', 'http://[::A]', False),
    ('http://h', 'https://h', False), ('http://h', 'http://h:443', False),
    ('http://h', 'http://h.', False), ('http://h', 'http://h/', False),
    ('http://h/swift', 'http://h/Swift', False), ('http://127.0.0.1', 'http://127.1', False)])
def test_the_same_endpoint(one, other, same):
    assert same_endpoint(one, other) is same_endpoint(other, one) is same


@pytest.mark.parametrize(('url', 'why'), [
    *((f'http://{before}{char}{after}', 'the character')
      for char in ' "\'<>\\^`{|}\0\t\n\r\x1b\x7f\x85\xa0ö\u202e\uff11\ud800'
      for before, after in (('h', ''), ('h', 'x/v1'), ('h/', '/v1'))),
    (' http://h', 'the character'), ('http://h\n', 'the character'),
    *((f'http://{rest}', 'without credentials, query and fragment') for rest in (
        'user:password@h', 'user@h', '@h', 'h?', 'h/?x', 'h#', 'h/v1#x')),
    *((f'http://h/{rest}', 'without the parts . and ..') for rest in (
        '../x', './v1', 'x/..', '%2e%2E/x', 'x/%2e')),
    *((f'http://h:{port}', 'expected a port') for port in ('0', '65536', '99999')),
    *((url, 'expected a URL such as') for url in (
        '', 'h', '//h', 'ftp://h', 'http:', 'http://', 'http:///v1', 'http:/h', 'http://h:x',
        'http://h:', 'http://h:123456', 'http://h:-1', 'http://.h', 'http://a..b', 'http://h%20',
        f'http://{"a" * 64}', 'http://[::1', 'http://::1', 'http://[x]', 'http://[::1]x',
        'http://[fe80::1%25eth0]', 'http://h/[x]', 'http://h/%', 'http://h/%zz', 'http://h,x')),
    ('http://[::1::2]', None), ('http://[1.2.3.4]', None)])
def test_none(url, why):
    with pytest.raises(ValueError, match=why) as caught:
        validate_endpoint(url)
    assert 'password' not in str(caught.value)
    with pytest.raises(InvalidParameterValue, match=why):
        sign(Parameters(url, PATH, 1), Key(b'key'))


@pytest.mark.parametrize('url', [
    'https://host/object-store/v1/AUTH_x', 'https://host/rgw/v1', 'https://host/radosgw/swift/v1/',
    'https://host', 'https://host/object-store/',
    'HTTPS://host/v1', 'http://[2001:db8::1]:8080/v1.0/AUTH_x'])
def test_storage_urls(url):
    assert validate_storage_url(url) == url.replace('HTTPS', 'https')


@pytest.mark.parametrize(('url', 'why'), [
    ('http://h/v1/AUTH_x/c', 'expected an account or nothing behind the API version'),
    ('http://h/v1/AUTH_x/c/', 'expected an account or nothing behind the API version'),
    ('ftp://h/v1', 'expected a URL such as'), ('http://u:secret@h/v1', 'without credentials')])
def test_no_storage_url(url, why):
    with pytest.raises(ValueError, match=why) as caught:
        validate_storage_url(url)
    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize(('endpoint', 'is_one'), [
    ('http://rgw/swift', True), ('http://rgw:7480/a/swift', True), ('http://swift', False),
    ('http://rgw', False), ('http://rgw/swift/', False), ('http://rgw/swift?x=/swift', True),
    ('http://rgw/?/swift', False)])
def test_a_gateway_is_known_by_its_path(endpoint, is_one):
    assert is_gateway(endpoint, 'AUTH_x') == is_one
    # Nothing else has URLs without an account.
    assert is_gateway(endpoint, None)


@pytest.mark.parametrize('url', ['http://rgw:1', 'http://rgw:1/', 'http://rgw:1/swift',
                                 'http://rgw:1/swift/'])
def test_a_gateway_serves_below_swift(url):
    assert gateway_endpoint(url) == 'http://rgw:1/swift'


@pytest.mark.parametrize(('url', 'known', 'wanted'), [
    ('http://rgw/rgw', 'http://rgw/rgw', 'http://rgw/rgw'),
    ('http://proxy/', 'http://rgw/rgw', 'http://proxy/rgw'),
    ('http://proxy/swift', 'http://rgw/rgw', 'http://proxy/swift'),
    ('http://rgw', 'http://rgw', 'http://rgw'), ('http://proxy', 'http://rgw', 'http://proxy'),
    ('http://proxy', 'http://rgw/a/swift', 'http://proxy/a/swift')])
def test_a_gateway_that_the_catalog_knows(url, known, wanted):
    assert gateway_endpoint(url, known) == wanted


def test_a_path_that_the_catalog_does_not_know():
    with pytest.raises(InvalidParameterValue, match='has the path /other'):
        gateway_endpoint('http://rgw/other', 'http://rgw/rgw')


@pytest.mark.parametrize('path', ['/other', '/swift/v1', '/a/swift'])
def test_a_gateway_serves_nowhere_else(path):
    with pytest.raises(InvalidParameterValue, match=f'has the path {path}: it must be') as caught:
        gateway_endpoint(f'http://rgw{path}')
    assert caught.value.names == ('endpoint_url', 'endpoint_type')


@pytest.mark.parametrize(('url', 'parts'), [
    ('http://swift:8080/v1/AUTH_x', ('http://swift:8080', 'AUTH_x')),
    ('http://swift:8080/v1/AUTH_x/', ('http://swift:8080', 'AUTH_x')),
    ('https://rgw/swift/v1', ('https://rgw/swift', None)),
    ('https://rgw/swift/v1/AUTH_x', ('https://rgw/swift', 'AUTH_x')),
    ('https://proxy/path', ('https://proxy/path', None)),
    ('https://proxy//', ('https://proxy', None)),
    ('http://h/v1/v2/AUTH_x', ('http://h/v1', 'AUTH_x')),
    ('http://h/v1.0', ('http://h', None)), ('http://h/v12.34/a', ('http://h', 'a')),
    ('http://h/v/a', ('http://h/v/a', None)), ('http://h/v1/a/b', ('http://h/v1/a/b', None)),
    ('http://h/v\u0661/a', ('http://h/v\u0661/a', None)), ('v1/a', ('v1/a', None)),
    ('http://h/v1/v2', ('http://h', 'v2')), ('http://h//v1', ('http://h/', None)),
    ('http://v1/v2', ('http://v1', None)), ('http:///v1/a', ('http:///v1/a', None)),
    ('ftp://h/v1/a', ('ftp://h/v1/a', None)), ('http://h/v1.2.3/a', ('http://h/v1.2.3/a', None)),
    ('', ('', None)), ('/v1', ('/v1', None)),
])
def test_split_storage_url(url, parts):
    assert split_storage_url(url) == parts


@pytest.mark.parametrize('url', [
    'http://user:password@h', 'http://h:99999', 'http://h:x', 'http://h"', 'http://[::1',
    'http://h\x1b', 'http://h\nx', 'http://h x', 'http://hö'])
def test_a_url_that_is_parsed(url):
    signed = sign(Parameters('http://h', PATH, 1), Key(b'key')).url
    with pytest.raises(InvalidParameterValue) as caught:
        parse(signed.replace('http://h', url))
    assert 'password' not in str(caught.value)
    for odd in ' \n\t\r\0\x7f':
        with pytest.raises(InvalidParameterValue, match='does not belong into a URL'):
            parse(signed.replace('3a1f', f'3a{odd}1f'))


def test_a_url_that_shouts():
    signed = sign(Parameters('http://h', PATH, 1), Key(b'key'))
    assert parse(signed.url.replace('http:', 'HTTP:')) == signed


# No longer than Swift accepts: a character has up to four bytes.
names = st.text(
    st.characters(codec='utf-8', exclude_characters='/'), min_size=1, max_size=64).filter(
    lambda name: name not in ('.', '..'))


@given(st.sampled_from(['http://h', 'https://[::1]:1/a%20b']), names, names, names, names, names,
       names, st.sampled_from(['10.0.0.0/8', '2001:db8::/32']))
def test_a_url_that_is_signed(endpoint, account, container, name, version, prefix, filename,
                              ip_range):
    url = sign(Parameters(
        endpoint, ObjectPath(account, container, prefix + name, version), 1, URLOptions(
            ip_range=ip_range, prefix=prefix, filename=filename, inline=True)), Key(b'key')).url
    assert set(url) <= IN_A_URL
    base, mark, query = url.partition('?')
    assert base.startswith(f'{endpoint}/') and mark and not set(query) & set('?#/@\'"') - {'/'}
    assert [part.partition('=')[0] for part in query.split('&')] == [
        'temp_url_sig', 'temp_url_expires', 'temp_url_ip_range', 'temp_url_prefix', 'filename',
        'inline']


def test_a_url_that_was_parsed_is_quoted_again():
    signed = sign(Parameters('http://h/a%20b', PATH, 1), Key(b'key'))
    assert parse(signed.url) == signed
    # Standard base64, which Swift takes too, has a plus; in a query that would be a space.
    signed = sign(Parameters('http://h', PATH, 1, digest='sha512'), Key(b'key'))
    signed = dataclasses.replace(
        signed, signature=signed.signature.replace('-', '+').replace('_', '/'))
    assert '+' in signed.signature
    assert parse(signed.url) == signed


@pytest.mark.parametrize('zone', ['eth0', 'x\nPUT\n9999999999\n/v1/AUTH_x/glance/other'])
def test_an_ip_range_forges_nothing(zone):
    with pytest.raises(InvalidParameterValue, match='it names a zone') as caught:
        validate_ip_range(f'fe80::1%{zone}')
    assert str(caught.value).isprintable()
