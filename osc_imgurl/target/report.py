# SPDX-License-Identifier: Apache-2.0
"""All that can be known of where an image is kept, trusted or not."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from osc_imgurl.errors import ImageNotAuthorized, ImageNotFound, MissingParameterValue, logger
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import Location
from osc_imgurl.settings.table import Settings, for_store
from osc_imgurl.target.cloud import Cloud
from osc_imgurl.target.resolve import resolve
from osc_imgurl.target.stores import choose_store, in_store
from osc_imgurl.target.trust import container_by_rule, distrust_reason, is_keystone

if TYPE_CHECKING:
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.swift.object_store import ObjectStore

LOG = logger(__name__)


@dataclasses.dataclass(frozen=True)
class LocationReport:
    """What is known of where an image is kept.

    :ivar source: where the locations were read: ``locations``, ``direct_url``, ``get
        locations call``; ``settings`` where this cloud shows none.
    :ivar trusted: the location that a URL is made of; None where none in Swift is trusted.
    :ivar targets: of each location that is trusted, in which store it is, and where: as a URL
        begins that is made of it.
    :ivar untrusted: of each location in Swift that is not trusted, its URI and the reason.
    :ivar scheme: of the trusted location, else of the first; None where none is shown.
    :ivar account: by the trusted location, else by the settings and the session; None where
        locations are shown and none is trusted.
    :ivar container: likewise, else by the sharding rule.
    :ivar container_by_rule: what the settings give by the sharding rule.
    :ivar container_agrees: whether the trusted location and the rule name the same container;
        None where no location is trusted.
    :ivar direct_read_allowed: whether the settings allow to read the location directly.
    """

    image: Image
    source: str
    locations: tuple[Location, ...]
    trusted: Location | None
    targets: tuple[str, ...]
    untrusted: tuple[str, ...]
    scheme: str | None
    account: str | None
    container: str | None
    object: str | None
    container_by_rule: str
    container_agrees: bool | None
    direct_read_allowed: bool


def report_location(image: str, settings: Settings, images: ImageService,
                    object_store: ObjectStore) -> LocationReport:
    """Return all that can be known of where an image is kept, whatever its status.

    An image that shows no location is no error: the settings say then where it should be.

    :raises ImgurlError: as :meth:`osc_imgurl.glance.image_service.ImageService.find`.
    """
    found = images.find(image)
    source, locations = 'settings', found.shown_locations
    if locations:
        source = 'locations' if found.locations else 'direct_url'
        if any(is_keystone(location.auth_url, object_store) for location in locations):
            LOG.warning('This cloud shows the password of its image store to everybody who may'
                        ' see image %s. Its operator can hide it: show_multiple_locations and'
                        ' show_image_direct_url off, or swift_store_config_file, in'
                        ' glance-api.conf', found.id)
    else:
        # Answered to service and admin users only, and not by older Glances.
        with contextlib.suppress(ImageNotAuthorized, ImageNotFound):
            locations = images.locations(found.id)
            source = 'get locations call' if locations else source
    judged = dataclasses.replace(found, locations=locations)
    reasons = {
        location: distrust_reason(
            location, found.id, for_store(settings, location.store), object_store)
        for location in judged.swift_locations}
    targets = tuple(_targets(
        judged, [location for location, reason in reasons.items() if not reason], settings,
        Cloud(images, object_store)))
    store = choose_store(judged, settings, object_store)
    settings = for_store(settings, store)
    trusted = next((location for location, reason in reasons.items()
                    if not reason and store in (None, location.store)), None)
    rule = container_by_rule(found.id, settings)
    account, container, object_name = None, None, None
    if trusted:
        container, object_name = trusted.container, trusted.object
    elif not locations:
        container, object_name = rule, found.id
    if container:
        with contextlib.suppress(MissingParameterValue):
            account = resolve(judged, settings, object_store).path.account
    return LocationReport(
        targets=targets,
        image=found, source=source, locations=locations, trusted=trusted,
        untrusted=tuple(
            f'{location.url}: {reason}' for location, reason in reasons.items() if reason),
        scheme=next((each.scheme for each in (trusted, *locations) if each), None),
        account=account,
        container=container,
        object=object_name,
        container_by_rule=rule,
        container_agrees=trusted.container == rule if trusted else None,
        direct_read_allowed=any(each.scheme in settings.allowed_direct_url_schemes
                                for each in locations))


def _targets(image: Image, trusted: Iterable[Location], settings: Settings,
             cloud: Cloud) -> Iterator[str]:
    for location in trusted:
        own, cloud_of_store = in_store(settings, cloud, location.store)
        with contextlib.suppress(MissingParameterValue):
            target = resolve(dataclasses.replace(image, locations=(location,)), own,
                             cloud_of_store.object_store)
            store = f'{location.store}: ' if location.store else ''
            yield f'{store}{target.endpoint}{target.path}'
