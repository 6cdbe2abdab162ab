# SPDX-License-Identifier: Apache-2.0
"""The parts of a copy: a static large object whose segments lie in the container of the copy.

A container's key opens nothing in another container. Every process writes below a name of its own
and never touches another's segments; what is the same may be used by all.
"""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
from collections.abc import Iterable, Mapping

from osc_imgurl import http
from osc_imgurl.errors import ObjectStoreFailed
from osc_imgurl.glance.image import is_uuid
from osc_imgurl.swift.answers import md5_of
from osc_imgurl.swift.capabilities import Capabilities
from osc_imgurl.swift.objects import Listed

FOLDER = '.segments/'
# In bytes.
SEGMENT_SIZE = 2**30
# What Swift allows by default, where the cluster does not say: in bytes, and in a manifest.
MAX_OBJECT_SIZE = 5 * 2**30
MAX_SEGMENTS = 1000
# Beyond that a cluster says what cannot be: of segments.
MOST_SEGMENTS = 100_000
_NAME = re.compile(re.escape(FOLDER) + '([^/]+)/[0-9a-f]{16}/[0-9]{8}')


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
    most = MAX_SEGMENTS if capabilities.max_segments is None else min(
        capabilities.max_segments, MOST_SEGMENTS)
    if not most:
        raise ObjectStoreFailed('This cluster takes no static large objects, and so no copies.',
                                'Its operator can add the slo middleware to the proxy\'s pipeline.')
    each = min(largest, max(SEGMENT_SIZE, -(-size // most)))
    if size > each * most:
        raise ObjectStoreFailed(f'The image has {size} bytes, and this cluster takes no object of'
                                f' more than {each * most}.')
    return [Segment(number, start, min(each, size - start))
            for number, start in enumerate(range(0, size, each))]


def image_of(name: str) -> str | None:
    """Return the ID of the image that an object is a segment of; None where it is none of ours.

    :param name: what anybody may have written who may write in the container.
    """
    match = _NAME.fullmatch(name)
    return match[1] if match and is_uuid(match[1]) else None


def found(stored: Iterable[Listed]) -> Mapping[tuple[int, int], Mapping[str, str]]:
    """Return the names of an image's segments, by number and size, and by their MD5."""
    by_number: dict[tuple[int, int], dict[str, str]] = {}
    for each in stored:
        number = int(each.name.rpartition('/')[2])
        by_number.setdefault((number, each.size), {})[each.md5] = each.name
    return by_number


def holds(headers: Mapping[str, str], stored: Stored) -> bool:
    """Say whether an object is the data of a segment, as Swift asks before it takes a manifest.

    A large object may have the name of a segment, and a listing may show other data of it.

    :param headers: of the object, as a HEAD gives them.
    """
    return http.content_length(headers) == stored.size and md5_of(headers) == stored.md5


def manifest(container: str, stored: Iterable[Stored]) -> bytes:
    """Return what makes one object of segments (Swift's ``multipart-manifest=put``)."""
    return json.dumps([
        {'path': f'/{container}/{each.name}', 'etag': each.md5, 'size_bytes': each.size}
        for each in stored]).encode()
