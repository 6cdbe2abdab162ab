"""Data that is an image's, and data that is not."""

import hashlib
import io

import pytest
import requests

from osc_imgurl.errors import GlanceFailed, ImageDownloadFailed
from osc_imgurl.glance.download import copy_verified, file_chunks
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import parse

DATA = [b'first', b'', b'second']
WHOLE = b''.join(DATA)


def digest(algorithm, data=WHOLE):
    return hashlib.new(algorithm, data).hexdigest()


@pytest.mark.parametrize(('properties', 'damaged'), [
    ({}, None),
    ({'checksum': digest('md5')}, None),
    ({'checksum': digest('md5', b'other')}, 'md5'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512')}, None),
    ({'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512', b'first')}, 'sha512'),
    ({'os_hash_algo': 'sha256', 'os_hash_value': digest('sha512')}, 'sha256'),
    # The better one of two counts.
    ({'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512'), 'checksum': 'x'}, None),
    ({'os_hash_algo': 'sha512', 'os_hash_value': 'x', 'checksum': digest('md5')}, 'sha512'),
    # An algorithm that this machine does not have, and half of a hash, say nothing.
    ({'os_hash_algo': 'sha7', 'os_hash_value': 'x', 'checksum': digest('md5')}, None),
    ({'os_hash_algo': 'sha7', 'os_hash_value': 'x', 'checksum': 'x'}, 'md5'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': None, 'checksum': digest('md5')}, None),
    ({'os_hash_algo': None, 'os_hash_value': 'x', 'checksum': 'x'}, 'md5'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': None}, None),
])
def test_data_is_verified_and_written(properties, damaged):
    written = io.BytesIO()
    image = Image('3a1f', properties=properties)
    if damaged:
        with pytest.raises(ImageDownloadFailed) as caught:
            copy_verified(iter(DATA), written, image)
        assert str(caught.value) == (
            f'The data of image 3a1f is not what its {damaged} says: it is damaged or cut off.'
            ' Do not use it.')
    else:
        copy_verified(iter(DATA), written, image)
    assert written.getvalue() == WHOLE


def test_a_connection_that_breaks():
    def chunks():
        yield DATA[0]
        raise requests.exceptions.ChunkedEncodingError('Connection broken')

    written = io.BytesIO()
    with pytest.raises(GlanceFailed, match='gives no answer that can be used: it is cut off'):
        copy_verified(chunks(), written, Image('3a1f'))
    assert written.getvalue() == DATA[0]


def test_a_file(tmp_path):
    path = tmp_path / 'an image'
    content = bytes(range(256)) * 10_000
    path.write_bytes(content)
    place = parse(f'file://{tmp_path}/an%20image')
    chunks = list(file_chunks(place, Image('3a1f')))
    assert b''.join(chunks) == content
    assert [len(chunk) for chunk in chunks] == [1 << 20, 1 << 20, len(content) - (2 << 20)]
    path.unlink()
    with pytest.raises(ImageDownloadFailed) as caught:
        list(file_chunks(place, Image('3a1f')))
    assert str(caught.value) == (
        f'Image 3a1f cannot be read from {path}: No such file or directory.')
