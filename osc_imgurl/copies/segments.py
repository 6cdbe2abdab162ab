# SPDX-License-Identifier: Apache-2.0
"""The parts of a copy: a static large object whose segments lie in the container of the copy.

A container's key opens nothing in another container. Every process writes below a name of its own
and never touches another's segments; what is the same may be used by all.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Iterable, Mapping

from osc_imgurl.errors import ObjectStoreFailed
from osc_imgurl.swift.capabilities import Capabilities
from osc_imgurl.swift.objects import Listed

FOLDER = '.segments/'
# In bytes.
SEGMENT_SIZE = 2**30
# What Swift allows by default, where the cluster does not say: in bytes, and in a manifest.
MAX_OBJECT_SIZE = 5 * 2**30
MAX_SEGMENTS = 1000


@dataclasses.dataclass(frozen=True)
class Segment:
    """A part of an image's data.

    :ivar start: where it begins, in bytes.
    :ivar size: in bytes.
    """

    number: int
    start: int
    size: int


@dataclasses.dataclass(frozen=True)
class Stored:
    """A segment that is in Swift.

    :ivar name: of its object.
    :ivar md5: of its data, in hex.
    """

    name: str
    size: int
    md5: str


def folder(image_id: str) -> str:
    """Return what the names of an image's segments begin with."""
    return f'{FOLDER}{image_id}/'


def own_folder(image_id: str) -> str:
    """Return what the names of the segments begin with that one process writes."""
    return f'{folder(image_id)}{secrets.token_hex(8)}/'


def name(own: str, segment: Segment) -> str:
    """Return the name of a segment's object in one process's folder."""
    return f'{own}{segment.number:08}'


def plan(size: int, capabilities: Capabilities) -> list[Segment]:
    """Return the segments of so many bytes, as large as this cluster allows, and as is handy.

    :raises ObjectStoreFailed: it does not fit into what the cluster allows.
    """
    largest = capabilities.max_object_size or MAX_OBJECT_SIZE
    most = MAX_SEGMENTS if capabilities.max_segments is None else capabilities.max_segments
    if not most:
        raise ObjectStoreFailed('This cluster takes no static large objects, and so no copies.',
                                'Its operator can add the slo middleware to the proxy\'s pipeline.')
    each = min(largest, max(SEGMENT_SIZE, -(-size // most)))
    if size > each * most:
        raise ObjectStoreFailed(f'The image has {size} bytes, and this cluster takes no object of'
                                f' more than {each * most}.')
    return [Segment(number, start, min(each, size - start))
            for number, start in enumerate(range(0, size, each))]


def found(listed: Iterable[Listed]) -> Mapping[tuple[int, int], Mapping[str, str]]:
    """Return the names of segments in Swift, by number and size, and by their MD5.

    :param listed: the objects of an image's folder; their names are what anybody may have written
        who may write there.
    """
    by_number: dict[tuple[int, int], dict[str, str]] = {}
    for each in listed:
        number = each.name.rpartition('/')[2]
        if number.isdecimal() and number.isascii():
            by_number.setdefault((int(number), each.size), {})[each.md5] = each.name
    return by_number


def manifest(container: str, stored: Iterable[Stored]) -> bytes:
    """Return what makes one object of segments (Swift's ``multipart-manifest=put``)."""
    return json.dumps([
        {'path': f'/{container}/{each.name}', 'etag': each.md5, 'size_bytes': each.size}
        for each in stored]).encode()
