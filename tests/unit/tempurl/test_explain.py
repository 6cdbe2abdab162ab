"""What was really signed, of URLs that were altered in every way that is looked for."""

import base64
import dataclasses
import tracemalloc

import pytest

from osc_imgurl.tempurl.explain import MISTAKES, Signed, find_signed
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import (
    Key,
    Parameters,
    compute,
    message,
    sign,
    sign_path,
    signed_paths,
)
from osc_imgurl.tempurl.url import DIGESTS, MAX_LENGTHS, ObjectPath

KEY = Key(b'a key')
PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
OTHER = '/v1/AUTH_x/glance/ffff'


def signed_url(path=PATH, digest='sha256', expires=1000, method='GET', **options):
    return sign(
        Parameters('http://swift', path, expires, URLOptions(method, **options), digest), KEY)


@pytest.mark.parametrize('digest', DIGESTS)
@pytest.mark.parametrize(('original', 'changes', 'signed'), [
    ({}, {}, Signed('GET', 1000, str(PATH))),
    ({'method': 'PUT'}, {}, Signed('PUT', 1000, str(PATH))),
    ({}, {'path': dataclasses.replace(PATH, object='ffff')}, Signed('GET', 1000, str(PATH))),
    ({}, {'expires': 1060}, Signed('GET', 1000, str(PATH))),
    ({}, {'ip_range': '10.0.0.0/8'}, Signed('GET', 1000, str(PATH))),
    ({'ip_range': '10.1.0.0/16'}, {'ip_range': '10.1.2.0/24'},
     Signed('GET', 1000, str(PATH), '10.1.0.0/16')),
    ({'ip_range': '10.0.0.0/16'}, {'ip_range': '10.0.0.0/8'},
     Signed('GET', 1000, str(PATH), '10.0.0.0/16')),
    ({'ip_range': '10.0.0.7'}, {'ip_range': '10.0.0.0/24'},
     Signed('GET', 1000, str(PATH), '10.0.0.7')),
    ({}, {'prefix': '3'}, Signed('GET', 1000, str(PATH))),
    ({'prefix': '3a'}, {'prefix': '3'}, Signed('GET', 1000, '/v1/AUTH_x/glance/3a', None, '3a')),
    ({'prefix': '3a1f'}, {'prefix': '3'},
     Signed('GET', 1000, '/v1/AUTH_x/glance/3a1f', None, '3a1f')),
    ({'prefix': ''}, {'prefix': None}, Signed('GET', 1000, '/v1/AUTH_x/glance/', None, '')),
    ({'ip_range': '10.0.0.0/8', 'prefix': '3'}, {'expires': 1001},
     Signed('GET', 1000, '/v1/AUTH_x/glance/3', '10.0.0.0/8', '3')),
])
def test_what_was_signed(digest, original, changes, signed):
    url = dataclasses.replace(signed_url(digest=digest, **original), **changes)
    found = find_signed(url, {'other': Key(b'another key'), 'slot': KEY}, [OTHER, str(PATH)],
                    range(900, 1100))
    assert found == ('slot', signed)


@pytest.mark.parametrize(('signed_range', 'shown'), [
    ('10.0.0.255', '10.0.0.0/24'), ('10.0.0.0', '10.0.0.77'), ('0.0.0.0/0', '10.0.0.0/8'),
    ('2001:db8::/32', '2001:db8:1::/48'), ('10.0.0.77', '10.0.0.78'),
    ('10.0.1.7', '10.0.1.0/24'), ('10.0.0.0/32', '10.0.0.0/24'), ('10.0.0.0/8', '10.0.0.9/24')])
def test_a_range_that_was_altered(signed_range, shown):
    url = dataclasses.replace(signed_url(ip_range=signed_range), ip_range=shown)
    assert find_signed(url, {'slot': KEY}) == (
        'slot', Signed('GET', 1000, str(PATH), signed_range))
    elsewhere = dataclasses.replace(url, ip_range='192.0.2.0/24')
    assert (find_signed(elsewhere, {'slot': KEY}) is None) == (signed_range != '0.0.0.0/0')


def test_a_range_that_is_none():
    url = dataclasses.replace(signed_url(), ip_range='nonsense')
    assert find_signed(url, {'slot': KEY}) == ('slot', Signed('GET', 1000, str(PATH)))
    url = dataclasses.replace(signed_url(ip_range='10.0.0.0/8'), ip_range='nonsense')
    assert find_signed(url, {'slot': KEY}) is None


SPACED = dataclasses.replace(signed_url(dataclasses.replace(PATH, object='3a 1f')),
                             endpoint='https://proxy/object-store')
OF_PREFIX = dataclasses.replace(SPACED, prefix='3a')
PUT = 'PUT\n1000\n'


@pytest.mark.parametrize('digest', DIGESTS)
@pytest.mark.parametrize(('url', 'text', 'key', 'part', 'name'), [
    (SPACED, f'{PUT}/v1/AUTH_x/glance/3a 1f', b'a key\n', 'key', 'a newline behind the key'),
    (SPACED, f'{PUT}/v1/AUTH_x/glance/3a 1f', b'a key\r\n', 'key', 'a newline behind the key'),
    *((SPACED, f'{PUT}/v1/AUTH_x/glance/3a 1f{end}', b'a key', 'path', 'a newline was signed')
      for end in ('\n', '\r\n')),
    *((SPACED, f'PUT\r\n1000\r\n/v1/AUTH_x/glance/3a 1f{end}', b'a key', 'path',
       'the lines that are signed ended with') for end in ('', '\r\n')),
    (SPACED, f'{PUT}/v1/AUTH_x/glance/3a%201f', b'a key', 'path', 'was percent-encoded'),
    (SPACED, f'{PUT}https://proxy/object-store/v1/AUTH_x/glance/3a 1f', b'a key', 'path',
     'the whole URL was signed'),
    (SPACED, f'{PUT}/object-store/v1/AUTH_x/glance/3a 1f', b'a key', 'path',
     'with what stands before the API version'),
    (SPACED, f'{PUT}/v1/glance/3a 1f', b'a key', 'path', 'without the account'),
    (SPACED, f'{PUT}/v1/x/glance/3a 1f', b'a key', 'path', 'such as AUTH_'),
    (SPACED, f'{PUT}/AUTH_x/glance/3a 1f', b'a key', 'path', 'without the API version'),
    (SPACED, f'{PUT}/glance/3a 1f', b'a key', 'path', 'without the API version'),
    (OF_PREFIX, f'{PUT}/v1/AUTH_x/glance/3a', b'a key', 'query', 'without the word prefix:'),
    (OF_PREFIX, f'{PUT}prefix:/v1/glance/3a', b'a key', 'path', 'without the account'),
    (SPACED, 'PUT\n1970-01-01T00:16:40Z\n/v1/AUTH_x/glance/3a 1f', b'a key', 'query',
     'the expiry was signed as ISO 8601'),
    (SPACED, 'put\n1000\n/v1/AUTH_x/glance/3a 1f', b'a key', 'method', 'in small letters')])
def test_what_programs_do_wrong(digest, url, text, key, part, name):
    value = compute(text, key, digest)
    signature = f'{digest}:{base64.b64encode(value).decode()}'
    found = find_signed(dataclasses.replace(url, signature=signature), {'slot': KEY})
    assert found is not None
    slot, signed = found
    assert (slot, signed.mistake.part, name in signed.mistake.name) == ('slot', part, True)
    assert signed.mistake in MISTAKES
    assert dataclasses.replace(signed, mistake=None) == Signed(
        'PUT', 1000, signed_paths(url)[0], prefix=url.prefix)
    # What should have been signed.
    assert signed.message == message('PUT', 1000, signed_paths(url)[0], None, bool(url.prefix))


def test_what_was_signed_for_a_gateway():
    path = ObjectPath(None, 'glance', '3a1f')
    for start in ('', '/swift'):
        signature = sign_path(KEY, f'{start}/v1/glance/3a1f', 1000)
        url = dataclasses.replace(
            signed_url(path), endpoint='http://rgw/swift', signature=signature)
        assert find_signed(url, {'slot': KEY}) == (
            'slot', Signed('GET', 1000, f'{start}/v1/glance/3a1f'))


def test_no_list_of_what_is_tried():
    """The paths of all prefixes together have hundreds of times the name's length."""
    url = signed_url(dataclasses.replace(PATH, object='a' * MAX_LENGTHS['object']), prefix='')
    url = dataclasses.replace(url, prefix=None, expires=1001)
    tracemalloc.start()
    try:
        assert find_signed(url, {'slot': KEY, 'other': Key(b'another key')}) is None
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_what_cannot_be_found():
    altered_twice = dataclasses.replace(signed_url(), expires=1001, prefix='3')
    assert find_signed(altered_twice, {'slot': KEY}, [], range(900, 1100)) is None
    assert find_signed(signed_url(), {'slot': Key(b'another key')}, [], range(900, 1100)) is None
    assert find_signed(signed_url(), {}) is None
