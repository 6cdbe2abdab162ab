# SPDX-License-Identifier: Apache-2.0
"""Values from what Glance answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from osc_imgurl.errors import GlanceFailed
from osc_imgurl.glance import location
from osc_imgurl.glance.client import CORRECT
from osc_imgurl.glance.image import Image, is_uuid
from osc_imgurl.glance.location import Location


@contextlib.contextmanager
def expected(what: str, server: str = 'Glance') -> Iterator[None]:
    """Take what Glance answers for something, and say so in one line where it is not.

    :param server: what messages call Glance.
    :raises GlanceFailed: the answer has another shape.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise GlanceFailed(f'{server} answers something else than {what}.', CORRECT) from error


def to_image(shown: Mapping[str, Any], server: str = 'Glance') -> Image:
    """Return the image that Glance shows as this JSON object.

    :param server: what messages call Glance.
    :raises GlanceFailed: it shows something else.
    """
    with expected('an image', server):
        if not is_uuid(shown['id']):
            raise ValueError
        direct_url = location.parse(shown['direct_url']) if shown.get('direct_url') else None
        return Image(
            id=shown['id'], name=_text(shown.get('name')), status=_text(shown.get('status')),
            owner=_text(shown.get('owner')), visibility=_text(shown.get('visibility')),
            direct_url=direct_url, locations=to_locations(shown.get('locations') or (), server),
            stores=tuple(filter(None, str(shown.get('stores') or '').split(','))),
            properties={name: value for name, value in shown.items()
                        if name not in ('direct_url', 'locations')})


def to_locations(shown: Iterable[Mapping[str, Any]],
                 server: str = 'Glance') -> tuple[Location, ...]:
    """Return the locations that Glance shows as this JSON array.

    :param server: what messages call Glance.
    :raises GlanceFailed: it shows something else.
    """
    with expected('the locations of an image', server):
        if not isinstance(shown, (list, tuple)):
            raise TypeError
        return tuple(
            location.parse(item['url'], _text((item.get('metadata') or {}).get('store')))
            for item in shown)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
