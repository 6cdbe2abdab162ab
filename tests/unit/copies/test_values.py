"""A copy as a value: its headers, its life, its segments."""

import json

import pytest

from osc_imgurl.copies import segments
from osc_imgurl.copies.copy import (
    Copy,
    delete_at,
    extended,
    from_headers,
    image_hash,
    image_id_of,
    new_name,
    to_headers,
)
from osc_imgurl.copies.segments import Segment, Stored
from osc_imgurl.errors import ObjectStoreFailed
from osc_imgurl.glance.image import Image
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.objects import Listed

from ..stubs import IMAGE_ID

SHA512, MD5 = 'a' * 128, 'b' * 32


@pytest.mark.parametrize('name', [
    'cirros', None, 'two\nlines and "quotes" \x1b[31m', 'größer', '\ud800', '日' * 200])
def test_what_is_written_beside_a_copy_is_what_is_read(name):
    copy = Copy('copies', IMAGE_ID, name, 5, f'sha512:{SHA512}', 2_000_000_000)
    headers = to_headers(copy)
    for value in headers.values():
        assert value.isascii() and value.isprintable() and len(value) <= 256
    read = from_headers('copies', IMAGE_ID, {**headers, 'Content-Length': '5'})
    assert (read.size, read.hash, read.delete_at) == (5, copy.hash, copy.delete_at)
    if name and len(name) < 100 and name != '\ud800':
        assert read.image_name == name
    elif name and len(name) >= 100:
        assert name.startswith(read.image_name) and len(read.image_name) == 28


@pytest.mark.parametrize('headers', [
    {}, {'Content-Length': '5'}, {'Content-Length': '5', 'X-Object-Meta-Image-Hash': 'none'},
    {'Content-Length': '5', 'X-Object-Meta-Image-Hash': 'sha512:\x1b'},
    {'Content-Length': '-5', 'X-Object-Meta-Image-Hash': f'md5:{MD5}'}])
def test_an_object_that_is_no_copy(headers):
    assert from_headers('copies', IMAGE_ID, headers) is None


def test_the_name_of_a_copy():
    """None is made twice, and all are found by the image's ID."""
    names = {new_name(IMAGE_ID) for _ in range(100)}
    assert len(names) == 100
    for name in (*names, IMAGE_ID):
        assert image_id_of(name) == IMAGE_ID
        assert Copy('copies', name, None, 5, f'md5:{MD5}', None).image_id == IMAGE_ID


@pytest.mark.parametrize('name', [
    'x', '', f'{IMAGE_ID}/', f'{IMAGE_ID}/x', f'{IMAGE_ID}/{"0" * 16}/x', f'{IMAGE_ID}/{"g" * 16}',
    f'{IMAGE_ID}x', f'x/{"0" * 16}', f'.segments/{IMAGE_ID}/{"0" * 16}/00000000'])
def test_the_name_of_no_copy(name):
    assert image_id_of(name) is None


def test_a_copy_without_an_end():
    read = from_headers('copies', IMAGE_ID, {
        'Content-Length': '5', 'X-Object-Meta-Image-Hash': f'md5:{MD5}', 'X-Delete-At': 'never'})
    assert read == Copy('copies', IMAGE_ID, None, 5, f'md5:{MD5}', None)
    assert 'X-Delete-At' not in to_headers(read)


@pytest.mark.parametrize(('properties', 'expected'), [
    ({}, None),
    ({'checksum': MD5}, f'md5:{MD5}'),
    ({'checksum': MD5, 'os_hash_algo': 'sha512', 'os_hash_value': SHA512}, f'sha512:{SHA512}'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': 'short'}, None)])
def test_the_hash_that_counts(properties, expected):
    assert image_hash(Image(IMAGE_ID, properties=properties)) == expected


def test_a_copy_lives_an_hour_longer_than_its_url():
    assert delete_at(1000) == 4600


@pytest.mark.parametrize(('found', 'expires', 'expected'), [
    (4600, 1000, None),
    # As good as long enough: nothing is written.
    (4600, 1300, None),
    (4600, 1301, 4901),
    # Never shorter.
    (9999, 1000, None),
    (None, 10**9, None)])
def test_a_copys_end_is_moved_away_only(found, expires, expected):
    assert extended(found, expires) == expected


GIB = 2**30


@pytest.mark.parametrize(('size', 'said', 'sizes'), [
    (0, Capabilities(), []),
    (1, Capabilities(), [1]),
    (GIB, Capabilities(), [GIB]),
    (GIB + 1, Capabilities(), [GIB, 1]),
    (10, Capabilities(max_object_size=4), [4, 4, 2]),
    (10, Capabilities(max_object_size=4, max_segments=3), [4, 4, 2]),
    (3 * GIB, Capabilities(max_segments=2), [3 * GIB // 2] * 2)])
def test_segments(size, said, sizes):
    planned = segments.plan(size, said)
    assert [each.size for each in planned] == sizes
    assert [each.start for each in planned] == [sum(sizes[:n]) for n in range(len(sizes))]
    assert [each.number for each in planned] == list(range(len(sizes)))


@pytest.mark.parametrize(('said', 'message'), [
    (Capabilities(max_segments=0), 'This cluster takes no static large objects, and so no copies.'),
    (Capabilities(max_object_size=4, max_segments=2),
     'The image has 10 bytes, and this cluster takes no object of more than 8.')])
def test_a_cluster_that_takes_no_such_object(said, message):
    with pytest.raises(ObjectStoreFailed, match=message):
        segments.plan(10, said)


def test_a_cluster_that_does_not_say_takes_what_swift_does():
    assert len(segments.plan(5000 * GIB, Capabilities())) == 1000
    with pytest.raises(ObjectStoreFailed, match=f'no object of more than {5000 * GIB}'):
        segments.plan(5000 * GIB + 1, Capabilities())


def test_no_two_processes_write_to_the_same_name():
    own = {segments.own_folder(IMAGE_ID) for _ in range(100)}
    assert len(own) == 100
    for each in own:
        name = segments.name(each, Segment(3, 30, 10))
        assert name.startswith(segments.folder(IMAGE_ID)) and name.endswith('/00000003')


def test_segments_that_are_there():
    """Each counts by its number, its size and its data."""
    listed = [Listed('.segments/x/a/00000000', 10, MD5), Listed('.segments/x/b/00000000', 10, 'c'),
              Listed('.segments/x/b/00000000', 11, MD5)]
    assert segments.found(listed) == {
        (0, 10): {MD5: '.segments/x/a/00000000', 'c': '.segments/x/b/00000000'},
        (0, 11): {MD5: '.segments/x/b/00000000'}}


def test_the_manifest_names_segments_by_their_data():
    assert json.loads(segments.manifest('copies', [Stored('.segments/x/a/00000000', 10, MD5)])) == [
        {'path': '/copies/.segments/x/a/00000000', 'etag': MD5, 'size_bytes': 10}]


@pytest.mark.parametrize('name', [
    '', '.segments/plain', '.segments//x', f'.segments/{IMAGE_ID}', f'.segments/{IMAGE_ID}/0000000',
    f'.segments/{IMAGE_ID}/../../../private/secret', f'.segments/../{"0" * 16}/00000000',
    f'.segments/notuuid/{"0" * 16}/00000000', f'segments/{IMAGE_ID}/{"0" * 16}/00000000',
    f'.segments/{IMAGE_ID}/{"0" * 16}/0000000²', f'.segments/{IMAGE_ID}/{"0" * 16}/00000000/x',
    f'.segments/{IMAGE_ID}/{"0" * 16}/00000000\n', f'x.segments/{IMAGE_ID}/{"0" * 16}/00000000'])
def test_a_name_that_is_no_segments(name):
    """Whoever may write in the container may have written it."""
    assert segments.image_of(name) is None


def test_a_segments_name():
    name = segments.name(segments.own_folder(IMAGE_ID), Segment(7, 70, 10))
    assert segments.image_of(name) == IMAGE_ID
