"""What a temporary URL says, and what is none."""

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.key import Key
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.parse import parse
from osc_imgurl.tempurl.signing import Parameters, sign
from osc_imgurl.tempurl.url import ObjectPath, TempURL
from osc_imgurl.tempurl.verify import verify

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
KEY = Key(b'a key')


def signed_url(**changes):
    return sign(Parameters('http://swift', PATH, 1000, URLOptions(**changes)), KEY)


SIG = '0a' * 20


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
    ('/swift/v1/a/c/o', None, '/swift', ObjectPath(None, 'a', 'c/o')),
    ('/swift/v1/AUTH_a/c/o', None, '/swift', ObjectPath('AUTH_a', 'c', 'o')),
    ('/swift/v1/a/c/o', 'swift', '/swift', ObjectPath('a', 'c', 'o')),
])
def test_whether_a_path_has_an_account(path, endpoint_type, endpoint, expected):
    parsed = parse(f'http://h{path}?temp_url_sig={SIG}&temp_url_expires=1', endpoint_type)
    assert (parsed.endpoint, parsed.path) == (f'http://h{endpoint}', expected)


@pytest.mark.parametrize(('path', 'endpoint_type'), [
    ('/v1/c', 'radosgw'), ('/swift/v1/c', None), ('/v1/a', 'swift'), ('/v1/a/c', 'swift'),
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
