# SPDX-License-Identifier: Apache-2.0
"""Values from what Glance answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from osc_imgurl.glance import location
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import Location


def to_image(shown: Mapping[str, Any]) -> Image:
    """Return the image that Glance shows as this JSON object."""
    direct_url = location.parse(shown['direct_url']) if shown.get('direct_url') else None
    return Image(
        id=shown['id'], name=shown.get('name'), status=shown.get('status'),
        owner=_text(shown.get('owner')), visibility=_text(shown.get('visibility')),
        direct_url=direct_url, locations=to_locations(shown.get('locations') or ()),
        stores=tuple(filter(None, str(shown.get('stores') or '').split(','))),
        properties={name: value for name, value in shown.items()
                    if name not in ('direct_url', 'locations')})


def to_locations(shown: Iterable[Mapping[str, Any]]) -> tuple[Location, ...]:
    """Return the locations that Glance shows as this JSON array."""
    return tuple(location.parse(item['url'], _text((item.get('metadata') or {}).get('store')))
                 for item in shown)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
