"""The forms of a signature, by the rules of swift.common.digest."""

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.url import DIGESTS, decode_signature


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
    with pytest.raises(InvalidParameterValue, match='its temp_url_sig is no signature'):
        decode_signature(signature)


@pytest.mark.parametrize('signature', ['A' * 40, 'a' * 63 + 'A', 'F' * 128])
def test_capitals_are_no_hex_of_swifts(signature):
    with pytest.raises(InvalidParameterValue, match='its temp_url_sig has capitals'):
        decode_signature(signature)
