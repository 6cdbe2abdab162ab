"""A link as a value, and what its object says of it."""

import dataclasses
import re

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.links import link
from osc_imgurl.links.link import Link, LinkOptions
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

from ..stubs import IMAGE_ID, NOW, image

ID = '0123456789abcdef' * 2
LINK = Link(ID, IMAGE_ID, 'cirros.qcow2', 1_700_000_100, 1_800_000_000, '0123456789ab')
NAME = f'{IMAGE_ID}/{ID}/cirros.qcow2'
TYPE = ('application/x-image-temp-url-link; end=1700000100; until=1800000000; key=0123456789ab')


def test_a_new_link():
    found = image(properties={'disk_format': 'qcow2'})
    one, other = (link.new_link(found, Key(b'a key'), LinkOptions('for Bob', '30d'),
                                int(NOW) + 60, NOW) for _ in range(2))
    assert one.id != other.id and re.fullmatch('[0-9a-f]{32}', one.id)
    assert dataclasses.replace(one, id=ID) == Link(
        ID, IMAGE_ID, 'cirros.qcow2', int(NOW) + 60, int(NOW) + 30 * 86400,
        Key(b'a key').fingerprint, 'for Bob')


def test_a_signature_lives_a_year():
    assert LinkOptions().signed_until(NOW) == int(NOW) + 365 * 86400


def test_its_object():
    assert (LINK.name, LINK.content_type) == (NAME, TYPE)
    assert link.read_link(NAME, TYPE) == LINK


@pytest.mark.parametrize('note', [
    'a', 'für Bob; end=1', 'a\nb\x1b[31m', '"', '%41', 'x' * link.MAX_NOTE, '\U0001f600'])
def test_a_note(note):
    noted = dataclasses.replace(LINK, note=note)
    assert noted.content_type.isascii() and noted.content_type.isprintable()
    assert link.read_link(NAME, noted.content_type) == noted
    # Listings may leave out the spaces.
    assert link.read_link(NAME, noted.content_type.replace(' ', '')) == noted


def test_no_note():
    noted = dataclasses.replace(LINK, note='')
    assert link.read_link(NAME, noted.content_type) == LINK


@pytest.mark.parametrize(('name', 'content_type'), [
    (NAME, ''), (NAME, 'text/plain'), (NAME, f'{TYPE}; note=a b'), (NAME, f'x{TYPE}'),
    (NAME, TYPE.replace('1700000100', '17000001000')), (NAME, TYPE.replace('1', '\u0661')),
    (f'{NAME}/x', TYPE), (f'/{NAME}', TYPE), (IMAGE_ID, TYPE), (f'{IMAGE_ID}/{ID}/', TYPE),
    (NAME.replace('-', '0'), TYPE), (NAME.replace(ID, ID.upper()), TYPE)])
def test_what_is_none_of_ours(name, content_type):
    assert link.read_link(name, content_type) is None


def test_another_end():
    assert LINK.until(1_800_000_000, NOW).expires == 1_800_000_000
    assert LINK.until(int(NOW) + 1, NOW).expires == int(NOW) + 1
    for expires, names in ((int(NOW), ('expires',)), (1_800_000_001, ('expires', 'longest'))):
        with pytest.raises(InvalidParameterValue) as caught:
            LINK.until(expires, NOW)
        assert caught.value.names == names


@pytest.mark.parametrize('options', [
    {'note': 'x' * (link.MAX_NOTE + 1)}, {'longest': '0'}, {'longest': 'never'}])
def test_what_cannot_be_given(options):
    with pytest.raises(InvalidParameterValue) as caught:
        LinkOptions(**options)
    assert caught.value.names == tuple(options)


@pytest.mark.parametrize(('options', 'name'), [
    ({'method': method}, 'method') for method in ('PUT', 'POST', 'DELETE')] + [
    ({'prefix': ''}, 'prefix'), ({'prefix': 'x'}, 'prefix')])
def test_what_allows_more_than_to_read_an_image(options, name):
    with pytest.raises(InvalidParameterValue) as caught:
        link.validate(URLOptions(**options))
    assert caught.value.names == (name,)


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
def test_what_reads(method):
    link.validate(URLOptions(method, ip_range='203.0.113.1', filename='x', inline=True))


@pytest.mark.parametrize(('container', 'name', 'ids'), [
    ('image-temp-url-links', NAME, (ID, IMAGE_ID)),
    (f'image-temp-url-links-{ID}', NAME, (ID, IMAGE_ID)),
    ('image-temp-url-links-x', NAME, None), ('glance', NAME, None),
    ('image-temp-url-links', IMAGE_ID, None), ('image-temp-url-links', f'{ID}/x', None)])
def test_a_path(container, name, ids):
    assert link.named(ObjectPath('AUTH_p', container, name)) == ids
