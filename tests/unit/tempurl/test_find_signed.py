"""What was really signed, of URLs that were altered in every way that is looked for."""

import dataclasses

import pytest

from osc_imgurl.tempurl.digest import DIGESTS
from osc_imgurl.tempurl.find_signed import Signed, find_signed
from osc_imgurl.tempurl.request import Request
from osc_imgurl.tempurl.signing import Signer
from osc_imgurl.tempurl.url import ObjectPath

KEY = b'a key'
PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
OTHER = '/v1/AUTH_x/glance/ffff'


def sign(path=PATH, digest='sha256', expires=1000, method='GET', **options):
    return Signer(KEY, digest).sign('http://swift', path, expires, Request(method, **options))


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
    ({'prefix': ''}, {'prefix': None}, Signed('GET', 1000, '/v1/AUTH_x/glance/', None, '')),
    ({'ip_range': '10.0.0.0/8', 'prefix': '3'}, {'expires': 1001},
     Signed('GET', 1000, '/v1/AUTH_x/glance/3', '10.0.0.0/8', '3')),
])
def test_what_was_signed(digest, original, changes, signed):
    url = dataclasses.replace(sign(digest=digest, **original), **changes)
    found = find_signed(url, {'other': b'another key', 'slot': KEY}, [OTHER, str(PATH)],
                    range(900, 1100))
    assert found == ('slot', signed)


def test_what_cannot_be_found():
    altered_twice = dataclasses.replace(sign(), expires=1001, prefix='3')
    assert find_signed(altered_twice, {'slot': KEY}, [], range(900, 1100)) is None
    assert find_signed(sign(), {'slot': b'another key'}, [], range(900, 1100)) is None
    assert find_signed(sign(), {}) is None
