"""Keys: what Swift can keep, and what names them."""

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.key import Key, validate_key


def test_a_fingerprint_is_short_the_same_everywhere_and_each_keys_own():
    assert Key(b'a key').fingerprint == '6313432d124d'
    assert Key(b'another key').fingerprint != Key(b'a key').fingerprint


def test_equal_keys_are_one():
    assert {Key(b'a key'), Key(b'a key')} == {Key(b'a key')} != {Key(b'another key')}


def test_no_key_is_in_a_repr():
    assert repr(Key(b'the secret')) == 'Key()'


@pytest.mark.parametrize('value', [
    b'a', b'a key', b'k' * 1000, b'a\xff', 'ключ'.encode(), '\u3000a\u3000'.encode(),
    b'~', b'!', b'X key X', '\xa0'.encode()])
def test_a_key(value):
    assert validate_key(value) == Key(value)


@pytest.mark.parametrize(('value', 'why'), [
    (b'', 'it is empty'), (b' ', 'a space at one end'), (b' secret', 'a space at one end'),
    (b'secret ', 'a space at one end'),
    *((b'the' + char.encode() + b'secret', 'a control character')
      for char in '\0\t\n\r\x1b\x1f\x7f\x80\x9f'),
    (b'secret\n', 'a control character'), (b'\tsecret', 'a control character')])
def test_no_key_that_swift_could_keep(value, why):
    with pytest.raises(ValueError, match=why) as caught:
        validate_key(value)
    assert 'secret' not in str(caught.value)


def test_no_key_is_empty():
    with pytest.raises(InvalidParameterValue, match='is empty'):
        Key(b'')
