"""A temporary URL as a value: put together, and taken apart as Swift's middleware does."""

import dataclasses

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key, Parameters, sign, verify
from osc_imgurl.tempurl.url import (
    DIGESTS,
    ObjectPath,
    TempURL,
    decode_signature,
    parse,
    quote,
    risks,
)

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
KEY = Key(b'a key')
SIG = '0a' * 20


def signed_url(**changes):
    return sign(Parameters('http://swift', PATH, 1000, URLOptions(**changes)), KEY)


@pytest.mark.parametrize(('url', 'text'), [
    (TempURL('http://h', PATH, 's', 1000),
     'http://h/v1/AUTH_x/glance/3a1f?temp_url_sig=s&temp_url_expires=1000'),
    (TempURL('http://h', PATH, 'a+/=', 1000, iso8601=True),
     'http://h/v1/AUTH_x/glance/3a1f?temp_url_sig=a%2B/%3D&temp_url_expires=1970-01-01T00:16:40Z'),
    (TempURL('http://h/swift', ObjectPath(None, 'a b', 'c/ü?'), 's', 1, '10.0.0.0/8', 'c&', 'd e'),
     'http://h/swift/v1/a%20b/c/%C3%BC%3F?temp_url_sig=s&temp_url_expires=1'
     '&temp_url_ip_range=10.0.0.0/8&temp_url_prefix=c%26&filename=d%20e'),
    (TempURL('http://h', PATH, 's', 1, prefix='', filename='', inline=True),
     'http://h/v1/AUTH_x/glance/3a1f?temp_url_sig=s&temp_url_expires=1&temp_url_prefix='
     '&filename=&inline'),
])
def test_a_url_is_put_together(url, text):
    assert url.url == text


@pytest.mark.parametrize(('path', 'text'), [
    (ObjectPath('a', 'c', 'o'), '/v1/a/c/o'), (ObjectPath(None, 'c', 'o'), '/v1/c/o'),
    (ObjectPath('a', 'c', '/o/ ü', 'v1.0'), '/v1.0/a/c//o/ ü')])
def test_the_path_that_is_signed(path, text):
    assert str(path) == text
    assert path.container_path == text.removesuffix(path.object)


@pytest.mark.parametrize(('part', 'length'), [
    ('account', 256), ('container', 256), ('object', 1024)])
def test_names_as_long_as_swift_accepts(part, length):
    for longest in ('a' * length, 'ü' * (length // 2)):
        assert getattr(dataclasses.replace(PATH, **{part: longest}), part) == longest
        with pytest.raises(InvalidParameterValue) as caught:
            dataclasses.replace(PATH, **{part: f'{longest}a'})
        assert str(caught.value) == (
            f'The name of the {part} is longer than Swift accepts ({length} bytes).')
        with pytest.raises(InvalidParameterValue, match='longer than Swift accepts'):
            parse(signed_url().url.replace(f'/{getattr(PATH, part)}', f'/{quote(longest)}a', 1))


def test_equal_urls_are_one():
    assert len({TempURL('http://h', PATH, 's', 1), TempURL('http://h', PATH, 's', 1)}) == 1
    assert len({PATH, ObjectPath('AUTH_x', 'glance', '3a1f')}) == 1


def test_what_is_quoted():
    assert quote('aZ0-._~/:') == 'aZ0-._~/:'
    assert quote("%+?&=#'\" ü@,;") == '%25%2B%3F%26%3D%23%27%22%20%C3%BC%40%2C%3B'


@pytest.mark.parametrize('parts', [
    ('', 'c', 'o'), ('a/b', 'c', 'o'), ('a', '', 'o'), ('a', 'c/d', 'o'), ('a', 'c', ''),
    ('a', 'c', '/'), (None, '', 'o'),
])
def test_a_path_without_all_its_parts_is_never_made(parts):
    with pytest.raises(InvalidParameterValue):
        ObjectPath(*parts)


@pytest.mark.parametrize('version', ['', 'v1/a'])
def test_a_path_without_an_api_version(version):
    with pytest.raises(InvalidParameterValue, match='is empty or has a slash in it'):
        ObjectPath('a', 'c', 'o', version)


def test_a_url_without_an_endpoint():
    with pytest.raises(InvalidParameterValue, match='The endpoint of the URL is invalid: expected'):
        TempURL('swift', PATH, 's', 1)


@pytest.mark.parametrize('digest', ['sha1', 'sha256', 'sha512'])
def test_the_digest_is_known_by_the_signature(digest):
    assert sign(Parameters('http://swift', PATH, 1, digest=digest), KEY).digest == digest


def test_a_signature_is_in_no_repr():
    url = signed_url()
    assert url.signature not in repr(url)


@pytest.mark.parametrize('parts', [
    ('.', 'c', 'o'), ('..', 'c', 'o'), ('a', '..', 'o'), ('a', 'c', '..'), ('a', 'c', 'x/../o'),
    ('a', 'c', './o'), ('a', 'c', 'o/.'), (None, '..', 'o')])
def test_a_part_that_clients_take_out_of_a_path(parts):
    with pytest.raises(InvalidParameterValue, match=r'has a part \. or \.\.'):
        ObjectPath(*parts)


@pytest.mark.parametrize('name', ['...', '.o', 'o.', 'x..y', '/o', 'o/', 'x//o'])
def test_dots_and_slashes_that_stay(name):
    assert str(ObjectPath('a', 'c', name)) == f'/v1/a/c/{name}'


@pytest.mark.parametrize(('asked', 'said'), [
    ({}, []), ({'method': 'HEAD'}, []), ({'prefix': '3a1f'}, []),
    ({'prefix': '3a1'}, ['every object in the container glance whose name begins with 3a1']),
    ({'prefix': ''}, ['every object in the container glance']),
    ({'method': 'PUT'}, ['can replace the object']),
    ({'method': 'post'}, ['can change the metadata of, and so remove, the object']),
    ({'method': 'DELETE', 'prefix': '3'}, ['name begins with 3', 'can remove the object'])])
def test_what_a_url_allows_beyond_reading_the_object(asked, said):
    found = list(risks(URLOptions(**asked), ObjectPath('AUTH_x', 'glance', '3a1f')))
    assert len(found) == len(said)
    for sentence, words in zip(found, said, strict=True):
        assert words in sentence


@pytest.mark.parametrize(('url', 'expected'), [
    (f'http://swift/v1/AUTH_x/glance/3a1f?temp_url_sig={SIG}&temp_url_expires=1000',
     TempURL('http://swift', PATH, SIG, 1000)),
    (f'https://h:8/a%20b/v1.0/%C3%BC/c%2Bd/o/%2541?inline=0&temp_url_expires=1000&x=y'
     f'&temp_url_sig={SIG}&temp_url_ip_range=10.0.0.0/8&temp_url_prefix=o&filename=a+b%2B',
     TempURL('https://h:8/a%20b', ObjectPath('ü', 'c+d', 'o/%41', 'v1.0'), SIG, 1000,
             '10.0.0.0/8', 'o', 'a b+', True)),
    (f'http://h/v1/a/c/o?temp_url_sig={SIG}&temp_url_expires=1970-01-01T00:16:40Z',
     TempURL('http://h', ObjectPath('a', 'c', 'o'), SIG, 1000, iso8601=True)),
    (f'http://h/v1/a/c/o?temp_url_sig={SIG}&temp_url_expires=1&temp_url_prefix=&filename=&inline',
     TempURL('http://h', ObjectPath('a', 'c', 'o'), SIG, 1, None, '', '', True)),
    # The first of several values counts; the first version is the API's.
    (f'http://h/v1/a/v2/o/v3?temp_url_sig={SIG}&temp_url_expires=1&temp_url_expires=2',
     TempURL('http://h', ObjectPath('a', 'v2', 'o/v3'), SIG, 1)),
])
def test_what_a_url_says(url, expected):
    assert parse(url) == expected


@pytest.mark.parametrize(('path', 'endpoint_type', 'endpoint', 'expected'), [
    ('/v1/a/c/o', None, '', ObjectPath('a', 'c', 'o')),
    ('/v1/a/c/o', 'swift', '', ObjectPath('a', 'c', 'o')),
    ('/v1/a/c/o', 'radosgw', '', ObjectPath(None, 'a', 'c/o')),
    ('/v1/AUTH_a/c/o', 'radosgw', '', ObjectPath('AUTH_a', 'c', 'o')),
    ('/swift/v1/c/o', None, '/swift', ObjectPath(None, 'c', 'o')),
    # Too short for an account.
    ('/v1/c/o', None, '', ObjectPath(None, 'c', 'o')),
    ('/rgw/v1/c/o', None, '/rgw', ObjectPath(None, 'c', 'o')),
    ('/swift/v1/a/c/o', 'radosgw', '/swift', ObjectPath(None, 'a', 'c/o')),
    ('/swift/v1/AUTH_a/c/o', None, '/swift', ObjectPath('AUTH_a', 'c', 'o')),
    ('/swift/v1/a/c/o', 'swift', '/swift', ObjectPath('a', 'c', 'o')),
])
def test_whether_a_path_has_an_account(path, endpoint_type, endpoint, expected):
    parsed = parse(f'http://h{path}?temp_url_sig={SIG}&temp_url_expires=1', endpoint_type)
    assert (parsed.endpoint, parsed.path) == (f'http://h{endpoint}', expected)


@pytest.mark.parametrize('path', ['/swift/v1/KEY_a/c/o/p', '/proxy/swift/v1/KEY_a/c/o/p'])
def test_a_path_that_can_be_read_in_two_ways(path):
    with pytest.raises(InvalidParameterValue) as caught:
        parse(f'http://h{path}?temp_url_sig={SIG}&temp_url_expires=1')
    assert str(caught.value) == (
        'This temporary URL can be read in two ways: account KEY_a, container c, object o/p; or no'
        ' account, container KEY_a, object c/o/p. Give the endpoint type: swift if it has an'
        ' account, radosgw if it has none (endpoint_type).')


@pytest.mark.parametrize(('path', 'endpoint_type'), [
    ('/v1/c', 'radosgw'), ('/v1/AUTH_a/c', None), ('/swift/v1/AUTH_a/c', None),
    ('/swift/v1/c', None), ('/v1/a', 'swift'), ('/v1/a/c', 'swift'),
    ('/v1/AUTH_a/c', 'radosgw')])
def test_a_path_that_names_no_object(path, endpoint_type):
    with pytest.raises(InvalidParameterValue, match='its path names no object'):
        parse(f'http://h{path}?temp_url_sig={SIG}&temp_url_expires=1', endpoint_type)


def test_what_swift_reads_as_nothing_is_nothing():
    url = parse(signed_url().url + '&temp_url_ip_range=&filename=%FF%20x')
    assert (url.ip_range, url.filename) == (None, '\ufffd x')
    assert verify(url, KEY, 0).valid


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
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=abc&temp_url_expires=1', 'is not a signature'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=md5:AAAA&temp_url_expires=1', 'is not a signature'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=sha512:' + '-_%2B/' * 21 + 'AA&temp_url_expires=1',
     'is not a signature'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + 'A' * 40 + '&temp_url_expires=1',
     'has capitals'),
    ('http://swift/v1/AUTH_x/c/o\n?temp_url_sig=' + '0' * 40 + '&temp_url_expires=1',
     r"'\\n' does not belong into a URL"),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + '0' * 40 + '&temp_url_expires=-1',
     'lies before the year 1970'),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + '0' * 40 + '&temp_url_expires=soon',
     "The expiry 'soon' is neither"),
    ('http://swift/v1/AUTH_x/c/o?temp_url_sig=' + '0' * 40 + '&temp_url_expires=' + '9' * 18,
     'lies beyond the last year'),
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


WHOLE = f'http://h/v1/a/c/o?temp_url_sig={SIG}&temp_url_expires=1&temp_url_prefix='
URL = WHOLE.removesuffix('&temp_url_prefix=')
ALONE = 'Give the URL alone, without quotation marks of its own.'


@pytest.mark.parametrize(('url', 'problem', 'remedy'), [
    (WHOLE.removeprefix('http://h'), 'it does not begin with http:// or https:// and a host',
     'Put scheme and host in front, such as https://swift.example.com.'),
    (WHOLE.removeprefix('http://'), 'it does not begin with http:// or https:// and a host', ''),
    (WHOLE.replace('&', '&amp;'), 'it has no temp_url_expires',
     'It comes from HTML: replace each &amp; by &.'),
    (WHOLE.replace('&', ';'), 'it has no temp_url_expires', 'Replace each semicolon by &.'),
    (WHOLE.partition('&')[0], 'it has no temp_url_expires',
     'Quote the URL: in a shell, & ends a command.'),
    *((f'{before}{URL}{behind}', 'it does not begin with http:// or https:// and a host', ALONE)
      for before, behind in ('""', "''", '<>', ('URL:', ''))),
    (f'curl "{URL}"', "' ' does not belong into a URL", ALONE),
    (f'{URL} ', "' ' does not belong into a URL", ''),
    *((f'{URL}{quote}', f'its temp_url_expires ends with {quote}', ALONE) for quote in '"\'>`'),
    (f'http://h/v1/a/c/o?temp_url_expires=1&temp_url_sig={SIG}"', 'its temp_url_sig ends with "',
     ALONE),
    ('http://h/v1/a/c/o', 'it has no temp_url_sig', '')])
def test_how_urls_are_spoiled(url, problem, remedy):
    with pytest.raises(InvalidParameterValue) as caught:
        parse(url)
    assert (caught.value.problem, caught.value.remedy) == (
        f'This is not a temporary URL: {problem}.', remedy)


def test_the_digests_that_swift_takes():
    assert DIGESTS == ('sha1', 'sha256', 'sha512')


@pytest.mark.parametrize(('signature', 'digest', 'value'), [
    ('0a' * 20, 'sha1', b'\n' * 20),
    ('0a' * 32, 'sha256', b'\n' * 32),
    ('0a' * 64, 'sha512', b'\n' * 64),
    ('sha1:' + 'A' * 27, 'sha1', bytes(20)),
    ('sha256:' + 'A' * 43, 'sha256', bytes(32)),
    ('sha512:' + 'A' * 86, 'sha512', bytes(64)),
    ('sha512:' + 'A' * 86 + '=', 'sha512', bytes(64)),
    ('sha512:' + 'A' * 86 + '=====', 'sha512', bytes(64)),
    ('sha512:=' + 'A' * 86, 'sha512', bytes(64)),
    ('sha512:' + '-_' * 42 + 'AA', 'sha512', b'\xfb\xff\xbf' * 21 + b'\0'),
    ('sha512:' + '+/' * 42 + 'AA', 'sha512', b'\xfb\xff\xbf' * 21 + b'\0'),
])
def test_a_signature(signature, digest, value):
    assert decode_signature(signature) == (digest, value)


@pytest.mark.parametrize('signature', [
    '', 'abc', '0' * 39, '0' * 41, '0g' * 20, '0' * 48, '0' * 96, ':', ':' + 'A' * 43, 'sha256:',
    'sha256:' + 'A' * 42, 'sha256:' + 'A' * 44, 'sha256:' + 'A' * 86, 'sha1:' + 'A' * 43,
    'sha256:' + '0' * 64, 'SHA256:' + 'A' * 43, 'md5:' + 'A' * 22, 'sha224:' + 'A' * 38,
    'sha3_256:' + 'A' * 43, 'none:' + 'A' * 43, 'sha512:' + '+-' * 42 + 'AA',
    'sha512:' + '/_' * 42 + 'AA', 'sha256:' + 'A' * 42 + '!', 'sha256:' + 'A' * 43 + '!!!!',
    'sha256:' + 'A' * 42 + '\n'])
def test_no_signature(signature):
    with pytest.raises(InvalidParameterValue, match='its temp_url_sig is not a signature'):
        decode_signature(signature)


@pytest.mark.parametrize('signature', ['A' * 40, 'a' * 63 + 'A', 'F' * 128])
def test_capitals_are_no_hex_of_swifts(signature):
    with pytest.raises(InvalidParameterValue, match='its temp_url_sig has capitals'):
        decode_signature(signature)
