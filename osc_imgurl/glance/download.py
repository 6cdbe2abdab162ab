# SPDX-License-Identifier: Apache-2.0
"""An image's data, read from Glance or a file, and verified on its way into a file."""

from __future__ import annotations

import copy
import hashlib
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from osc_imgurl import http
from osc_imgurl.errors import GlanceFailed, ImageDownloadFailed
from osc_imgurl.glance.client import AGAIN, Client, translated
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import Location

# In bytes.
CHUNK_SIZE = 1024 * 1024


def read_data(client: Client, image: Image, start: int = 0) -> Iterator[bytes]:
    """Yield the data of an image from a byte on, as Glance gives it.

    :raises ImageDownloadFailed: there is none, or Glance does not give it from there.
    :raises ImgurlError: Glance does not give the data, or ceases to.
    """
    if start:
        # glanceclient would encode the sign in a header that is given with the request.
        client = copy.copy(client)
        client.additional_headers = {'Range': f'bytes={start}-'}
    with translated(image.id, client.server):
        response, _ = client.get(f'/v2/images/{image.id}/file')
        if response.status_code == 204:
            raise ImageDownloadFailed(f'Image {image.id} has no data.')
        began = response.headers.get('Content-Range', '').startswith(f'bytes {start}-')
        if start and not (response.status_code == 206 and began):
            response.close()
            raise ImageDownloadFailed(
                f'The data of image {image.id} is cut off, and its store does not let Glance read'
                f' on from byte {start}.', 'Try again.')
        try:
            yield from response.iter_content(CHUNK_SIZE)
        except http.FAILURES as error:
            raise GlanceFailed(http.unanswered(client.server, error), AGAIN) from error


def file_chunks(place: Location, image: Image) -> Iterator[bytes]:
    """Yield the data of an image that is in a file of this machine.

    :raises ImageDownloadFailed: the file cannot be read.
    """
    path = urllib.parse.unquote(urllib.parse.urlsplit(place.url).path)
    try:
        with open(path, 'rb') as file:
            yield from iter(lambda: file.read(CHUNK_SIZE), b'')
    except OSError as error:
        raise ImageDownloadFailed(
            f'Image {image.id} cannot be read from {path}: {error.strerror}.') from None


def copy_verified(chunks: Iterable[bytes], file: BinaryIO, image: Image) -> None:
    """Write an image's data to a file, and verify its hash.

    :raises ImageDownloadFailed: the data is not what the hash says; it has been written then.
    :raises ImgurlError: Glance ceases to give the data.
    """
    algorithm = image.properties.get('os_hash_algo')
    wanted = image.properties.get('os_hash_value')
    if not (wanted and algorithm in hashlib.algorithms_available):
        algorithm, wanted = 'md5', image.properties.get('checksum')
    found = hashlib.new(str(algorithm), usedforsecurity=False)
    with translated(image.id):
        for chunk in chunks:
            file.write(chunk)
            found.update(chunk)
    if wanted and found.hexdigest() != wanted:
        raise ImageDownloadFailed(
            f'The data of image {image.id} is not what its {algorithm} says: it is damaged or'
            ' cut off. Do not use it.')
