# SPDX-License-Identifier: Apache-2.0
"""Decide whether to trust a location.

Users can write locations of their images (Glance's ``show_multiple_locations``). A URL for such a
location could open another project's image. So we trust a location only if Glance wrote it, or if
it names the image's own object.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from osc_imgurl.errors import (
    COPY_IMAGE,
    SAVE_IMAGE,
    ImageUnacceptable,
    MissingParameterValue,
    UntrustedLocation,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import GLANCES_OWN, S3_SCHEMES, Location, container_name
from osc_imgurl.settings.table import BY_NAME, Settings, for_store
from osc_imgurl.swift.endpoint import find_endpoint, known_endpoint
from osc_imgurl.tempurl.endpoint import DEFAULT_PORTS

if TYPE_CHECKING:
    from osc_imgurl.swift.endpoint import Swift

# Schemes of locations that Glance reads without the user's token.
READ_WITH_GLANCES_RIGHTS = frozenset((
    'cinder', 'file', 'filesystem', 'http', 'https', 'rbd', 'vsphere', *S3_SCHEMES))


def container_by_rule(image_id: str, settings: Settings, location: Location | None = None) -> str:
    """Return an image's container by the settings and the rules of Glance's stores.

    An S3 store has one bucket for all images.

    :param location: the trusted one, if any: it tells an S3 store.
    """
    if location.in_s3 if location else settings.s3:
        return settings.container
    if settings.multi_tenant:
        return container_of_its_own(image_id, settings)
    return container_name(settings.container, image_id, settings.multiple_containers_seed)


def container_of_its_own(image_id: str, settings: Settings) -> str:
    """Return the image's own container in a multi-tenant store.

    The rule is that of ``glance_store._drivers.swift.store.MultiTenantStore.create_location``.
    """
    return f'{settings.container}_{image_id}'


def on_gateway(settings: Settings, object_store: Swift) -> bool:
    """Say whether the endpoint of new URLs is known to be a RADOS Gateway's."""
    try:
        return find_endpoint(settings, object_store).radosgw
    except MissingParameterValue:
        return False


def locations_in_swift(image: Image, settings: Settings,
                       object_store: Swift) -> tuple[Location, ...]:
    """Return an image's locations in Swift, trusted or not.

    A RADOS Gateway serves the buckets of its S3 API as containers, so there those of Glance's S3
    store count.
    """
    return tuple(
        each for each in image.shown_locations if each.in_swift or (
            each.in_s3 and on_gateway(for_store(settings, each.store), object_store)))


def validate_in_swift(image: Image, settings: Settings, object_store: Swift) -> None:
    """Accept an image in Swift, or without any location shown.

    :param settings: of the store that the image is taken from.
    :raises ImageUnacceptable: it is elsewhere; the message names the store and the remedies.
    :raises MissingParameterValue: no location is shown, and no endpoint known for an S3 store.
    """
    if image.shown_locations:
        elsewhere = not locations_in_swift(image, settings, object_store)
    else:
        elsewhere = settings.s3 and not find_endpoint(settings, object_store).radosgw
    if elsewhere:
        raise ImageUnacceptable(
            f'Image {image} is not in Swift but in {_describe_stores(image)}, and only'
            ' Swift has temporary URLs.',
            'Copy it into a Swift store, or download it with a token.', COPY_IMAGE, SAVE_IMAGE)


def _describe_stores(image: Image) -> str:
    schemes = dict.fromkeys(place.scheme for place in image.shown_locations) or ('s3',)
    stores = dict.fromkeys(filter(None, (*image.stores,
                                         *(place.store for place in image.shown_locations))))
    named = f' (store {", ".join(stores)})' if stores else ''
    return f'{", ".join(schemes)}{named}'


def find_trusted(image: Image, settings: Settings, object_store: Swift) -> Location | None:
    """Return the first trusted location in Swift; None if Glance shows none in Swift.

    Each is judged by the settings of its store, as are its URLs. If a store is given, locations in
    other stores do not count.

    :raises UntrustedLocation: all locations in Swift are untrusted; the message says why.
    """
    reasons = []
    for location in locations_in_swift(image, settings, object_store):
        if settings.store and location.store not in (None, settings.store):
            continue
        reason = distrust_reason(
            location, image.id, for_store(settings, location.store), object_store)
        if not reason:
            return location
        store = f' (store {location.store})' if location.store else ''
        reasons.append(f'{location.url}{store}: {reason}')
    if reasons:
        raise UntrustedLocation(
            f'No location of image {image} is trusted: {"; ".join(reasons)}.',
            'If you know where the image is, sign it explicitly: give container or object, and'
            ' where another project owns it, account and key.',
            'container', 'object', 'account', 'key_file')
    return None


def unsafe_to_read(image: Image, settings: Settings, object_store: Swift) -> str:
    """Return why Glance could send our token to a host chosen by an untrusted user; else empty.

    A multi-tenant store sends the user's token to the location's host. Glance can read any of an
    image's locations, so each must be harmless. It is if one of these holds:

    * Its scheme is in :data:`READ_WITH_GLANCES_RIGHTS`.
    * It is trusted by the catalog alone.
    * It names this cloud's Keystone and the image's own object. There a single-tenant store gets
      a token of Glance's, and a multi-tenant store shows Keystone a token that Keystone made.
    """
    def harmless(location: Location) -> bool:
        if not location.in_swift:
            return location.scheme in READ_WITH_GLANCES_RIGHTS
        if location.has_credentials or is_keystone(location.base_url, object_store):
            return location.object == image.id and is_keystone(location.base_url, object_store)
        # A given endpoint may be a proxy's: it gets signatures, but no token.
        by_catalog = dataclasses.replace(for_store(settings, location.store), endpoint_url=None)
        return not distrust_reason(location, image.id, by_catalog, object_store)

    return next((f'Glance may send your token to the host in {location.url}'
                 for location in image.shown_locations if not harmless(location)), '')


def distrust_reason(location: Location, image_id: str, settings: Settings,
                    object_store: Swift) -> str:
    """Return why a location in Swift is untrusted; empty if it is trusted.

    * A location of unknown form is untrusted.
    * ``swift+config`` is trusted: only Glance can write such a location.
    * All others must have the image's ID for an object.
    * In an S3 store: the bucket must be the settings' container. Glance reads any key that a user
      names, with its own rights. Host and credentials do not count: nothing goes there.
    * With credentials (a single-tenant store): they must be the session's project's, for this
      cloud's Keystone. Another Keystone may accept invented ones. A given account cannot be
      compared with a project: then the container must be the settings' instead.
    * Without credentials, for this cloud's Keystone (application credentials, glance_store 5.4):
      the container must be the settings'.
    * Without credentials, for a storage URL (a multi-tenant store): the container must be Glance's
      for this image or the settings', and the endpoint must be the object store's. The endpoint is
      only compared: new URLs do not use it.
    """
    if location.problem or location.scheme == GLANCES_OWN:
        return location.problem
    if location.object != image_id:
        return f'its object is {location.object}, and not the image\'s ID'
    if location.in_s3:
        return _distrust_bucket(location, settings)
    by_rule = container_by_rule(image_id, settings)
    if location.has_credentials:
        return _distrust_credentials(location, by_rule, settings, object_store)
    if is_keystone(location.base_url, object_store):
        return '' if location.container == by_rule else (
            f'its container is {location.container}, and the settings give {by_rule}')
    return _distrust_storage_url(location, image_id, by_rule, settings, object_store)


def _distrust_bucket(location: Location, settings: Settings) -> str:
    # Unlike the container of a Swift store, it has no name by default.
    if settings.container == BY_NAME['container'].default and not settings.given_by('container'):
        return (f'its bucket is {location.container}, and neither a container nor a'
                ' glance-api.conf is given')
    return '' if location.container == settings.container else (
        f'its bucket is {location.container}, and the settings give {settings.container}')


def _distrust_credentials(location: Location, by_rule: str, settings: Settings,
                          object_store: Swift) -> str:
    if settings.account:
        return '' if location.container == by_rule else (
            f'its container is {location.container}, and the settings give {by_rule} for the'
            ' account that is given')
    if location.project not in object_store.project_names():
        return f'its credentials are of the project {location.project}, and not of yours'
    if not is_keystone(location.auth_url, object_store):
        return 'its credentials are not for the Keystone of this cloud'
    return ''


def is_keystone(auth_url: str | None, object_store: Swift) -> bool:
    """Say whether a URL is this cloud's Keystone, of any API version."""
    return _same_place(auth_url, object_store.auth_urls())


def _distrust_storage_url(location: Location, image_id: str, by_rule: str, settings: Settings,
                          object_store: Swift) -> str:
    if location.container != by_rule and not str(location.container).endswith(f'_{image_id}'):
        return f'its container {location.container} is not one that Glance makes for this image'
    known = object_store.endpoints() | {settings.endpoint_url}
    if not _same_place(location.endpoint, known):
        return 'its endpoint is not one of the object store\'s in the catalog'
    if location.account is None and not _without_accounts(settings, object_store):
        return 'it names no account'
    return ''


def _without_accounts(settings: Settings, object_store: Swift) -> bool:
    """Say whether this is a RADOS Gateway without accounts in its URLs."""
    endpoint, account = known_endpoint(settings, object_store)
    return account is None if endpoint else settings.endpoint_type == 'radosgw'


def _same_place(url: str | None, known: Iterable[str | None]) -> bool:
    place = _place(url or '')
    return place is not None and place in map(_place, filter(None, known))


def _place(url: str) -> tuple[str, int, str] | None:
    """Return host, port and path, without an API version at the end; None without a host."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (KeyError, ValueError):
        return None
    path = re.sub(r'/v\d[^/]*$', '', parts.path.rstrip('/'))
    return (parts.hostname, port, path) if parts.hostname else None
