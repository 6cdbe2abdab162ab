# SPDX-License-Identifier: Apache-2.0
"""Which location of an image is believed.

An ordinary user may write a location of an own image (Glance's ``show_multiple_locations``). A URL
made of such a location could open another project's image. So a location is believed only as far
as nobody but Glance can have written it, or as it names nothing but the image's own object.
"""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

from osc_imgurl.errors import LocationNotBelieved
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import Location
from osc_imgurl.locate.sharding import container_name
from osc_imgurl.settings.table import Settings

if TYPE_CHECKING:
    from osc_imgurl.swift.object_store import ObjectStore

_PORTS = {'http': 80, 'https': 443}


def container_by_rule(image_id: str, settings: Settings) -> str:
    """Return the container that the settings give, by Glance's sharding rule."""
    return container_name(settings.container, image_id, settings.multiple_containers_seed)


def find_believed(image: Image, settings: Settings,
                  object_store: ObjectStore | None) -> Location | None:
    """Return the first location in Swift that is believed; None where there is none in Swift.

    :param object_store: None where there is nobody to ask.
    :raises LocationNotBelieved: none of those in Swift is believed; the message says why.
    """
    doubts = []
    for location in image.swift_locations:
        reason = doubt(location, image.id, settings, object_store)
        if not reason:
            return location
        doubts.append(f'{location.url}: {reason}')
    if doubts:
        raise LocationNotBelieved(
            f'No location of image {image.id} is believed: {"; ".join(doubts)}.',
            'If you know where the image is, sign that on purpose: give container or object, and'
            ' where another project owns it, account and key.',
            'container', 'object', 'account', 'key_file')
    return None


def doubt(location: Location, image_id: str, settings: Settings,
          object_store: ObjectStore | None) -> str:
    """Return why a location in Swift is not believed; empty where it is.

    * ``swift+config`` is believed wholly: Glance lets nobody else write such a location.
    * With credentials (glance_store's single-tenant form), the object must be the image's, and the
      credentials those of the session's project. Where an account is given, it cannot be compared
      with a project; then the container must be the one that the settings give.
    * Without (the multi-tenant form), the object must be the image's, the container Glance's for
      this image or the settings', and the host one of the object store's. The host is compared,
      and never used.

    :param object_store: None where there is nobody to ask.
    """
    if location.scheme == 'swift+config':
        return ''
    if location.object != image_id:
        return f'its object is {location.object}, and not the image\'s ID'
    by_rule = container_by_rule(image_id, settings)
    if location.has_credentials:
        return _doubt_credentials(location, by_rule, settings, object_store)
    return _doubt_storage_url(location, image_id, by_rule, settings, object_store)


def _doubt_credentials(location: Location, by_rule: str, settings: Settings,
                       object_store: ObjectStore | None) -> str:
    if settings.account:
        return '' if location.container == by_rule else (
            f'its container is {location.container}, and the settings give {by_rule} for the'
            ' account that is given')
    if object_store and location.project in object_store.project_names():
        return ''
    return f'its credentials are of the project {location.project}, and not of yours'


def _doubt_storage_url(location: Location, image_id: str, by_rule: str, settings: Settings,
                       object_store: ObjectStore | None) -> str:
    if location.container != by_rule and not str(location.container).endswith(f'_{image_id}'):
        return f'its container {location.container} is not one that Glance makes for this image'
    hosts = {_host(endpoint) for endpoint in (
        settings.endpoint_url, *(object_store.endpoints() if object_store else ())) if endpoint}
    if _host(str(location.endpoint)) not in hosts - {None}:
        return 'its host is none of the object store\'s in the catalog'
    return ''


def _host(endpoint: str) -> tuple[str, int] | None:
    """Return host and port of an endpoint; None where it has none."""
    try:
        parts = urllib.parse.urlsplit(endpoint)
        port = parts.port or _PORTS[parts.scheme]
    except (KeyError, ValueError):
        return None
    return (parts.hostname, port) if parts.hostname else None
