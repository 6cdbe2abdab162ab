# SPDX-License-Identifier: Apache-2.0
"""From which of Glance's stores an image is taken, and whom and what to ask there."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from osc_imgurl.errors import (
    COPY_IMAGE,
    ImageUnacceptable,
    InvalidParameterValue,
    UntrustedLocation,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.settings.table import Settings, for_store, of_name
from osc_imgurl.target.cloud import Cloud
from osc_imgurl.target.trust import container_by_rule, find_trusted
from osc_imgurl.tempurl.url import ObjectPath

if TYPE_CHECKING:
    from osc_imgurl.target.cloud import Swift


def choose_store(image: Image, settings: Settings, object_store: Swift) -> str | None:
    """Return the store that an image is taken from: the given one, if it is in that.

    Else the store of the first location that is trusted; where no location is shown, the first of
    the image's stores for which there are settings. Who writes a location names its store too, so
    that a store counts only with a location that is trusted by the settings of that store.

    :returns: None where no store is known: the settings of all images count.
    :raises ImageUnacceptable: the image is not in the given store.
    :raises InvalidParameterValue: neither Glance nor the settings know of the given store.
    """
    if settings.store:
        _validate_given(image, settings, settings.store)
        return settings.store
    if not settings.stores:
        return None
    if image.shown_locations:
        try:
            location = find_trusted(image, settings, object_store)
        except UntrustedLocation:
            # Whoever locates the image says why.
            return None
        return location.store if location else None
    return next((name for name in image.stores if of_name(settings.stores, name)), None)


def _validate_given(image: Image, settings: Settings, store: str) -> None:
    named = (dict.fromkeys(location.store for location in image.swift_locations)
             if image.shown_locations else dict.fromkeys(image.stores))
    if not named and not of_name(settings.stores, store):
        raise InvalidParameterValue(
            f'This cloud does not say in which stores image {image.id} is, and no settings are'
            f' given for the store {store}.', 'Give them in clouds.yaml (image_temp_url: stores),'
            ' or with the glance-api.conf.', 'config_file')
    # A location may name no store; it is judged by the settings of the given one then.
    if named and not {store, None} & named.keys():
        raise ImageUnacceptable(
            f'Image {image.id} is in {", ".join(map(str, named))} and not in the store {store}, as'
            ' far as that is in Swift.', 'Name another, or copy the image there.', 'store',
            COPY_IMAGE)


def store_of_path(path: ObjectPath, settings: Settings) -> str | None:
    """Return the store in which an object is by the settings; None where they name none."""
    return settings.store or next(
        (name for name, own in settings.stores.items()
         if container_by_rule(path.object, own) == path.container
         and own.account in (None, path.account)), None)


def in_store(settings: Settings, cloud: Cloud, store: str | None) -> tuple[Settings, Cloud]:
    """Return the settings for the images in a store, and the cloud with the store's own Swift.

    That is another region's where the endpoint of the store is one of that region.
    """
    own = for_store(settings, store)
    if store and own.endpoint_url and of_name(settings.stores, store):
        cloud = dataclasses.replace(cloud, object_store=cloud.object_store.at(own.endpoint_url))
    return own, cloud
