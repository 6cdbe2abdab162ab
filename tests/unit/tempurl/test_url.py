"""A temporary URL as a value."""

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.request import Request
from osc_imgurl.tempurl.signing import Signer
from osc_imgurl.tempurl.url import ObjectPath

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
KEY = b'a key'


def sign(**changes):
    return Signer(KEY).sign('http://swift', PATH, 1000, Request(**changes))


@pytest.mark.parametrize('parts', [
    ('', 'c', 'o'), ('a/b', 'c', 'o'), ('a', '', 'o'), ('a', 'c/d', 'o'), ('a', 'c', ''),
    ('a', 'c', '/'), (None, '', 'o'),
])
def test_a_path_without_all_its_parts_is_never_made(parts):
    with pytest.raises(InvalidParameterValue):
        ObjectPath(*parts)


def test_a_signature_is_in_no_repr():
    url = sign()
    assert url.signature not in repr(url)
