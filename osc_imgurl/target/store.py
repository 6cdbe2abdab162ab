# SPDX-License-Identifier: Apache-2.0
"""A cloud and its Glance stores, as values; choose an image's store."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from osc_imgurl.errors import (
    COPY_IMAGE,
    ImageUnacceptable,
    InvalidParameterValue,
    UntrustedLocation,
)
from osc_imgurl.glance.image import Image, OfflineImages
from osc_imgurl.glance.location import Location
from osc_imgurl.settings.table import Settings, for_store, of_name
from osc_imgurl.swift.endpoint import OfflineSwift
from osc_imgurl.target.trust import (
    container_by_rule,
    find_trusted,
    locations_in_swift,
    on_gateway,
)
from osc_imgurl.tempurl.url import ObjectPath

if TYPE_CHECKING:
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.swift.endpoint import Swift
    from osc_imgurl.swift.object_store import ObjectStore
    from osc_imgurl.swift.probe import Probe


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Glance and Swift of one cloud.

    :ivar probe: tries URLs without a token; None to try none.
    """

    images: ImageService | OfflineImages = dataclasses.field(default_factory=OfflineImages)
    object_store: ObjectStore | OfflineSwift = dataclasses.field(default_factory=OfflineSwift)
    probe: Probe | None = None

    @property
    def offline(self) -> bool:
        """Whether the user is not authenticated."""
        return isinstance(self.object_store, OfflineSwift)

    def memoized(self) -> Cloud:
        """Return the same cloud with a memoized Swift, for one flow."""
        return dataclasses.replace(self, object_store=self.object_store.memoized())


@dataclasses.dataclass(frozen=True)
class Store:
    """One of Glance's stores, or all of them if no store is known.

    :ivar settings: for its images; ``store`` is its name.
    :ivar swift: its Swift, perhaps in another region.
    :ivar location: the image's trusted location; None if Glance shows none in Swift.
    :ivar distrust: the error if all locations in Swift are untrusted.
    """

    settings: Settings
    swift: Swift
    location: Location | None = None
    distrust: UntrustedLocation | None = None


def named_store(name: str | None, settings: Settings, swift: Swift) -> Store:
    """Return a store by its name; None gives the settings for all images."""
    own = for_store(settings, name)
    if name and own.endpoint_url and of_name(settings.stores, name):
        swift = swift.at(own.endpoint_url)
    return Store(own, swift)


def choose_store(image: Image, settings: Settings, swift: Swift) -> Store:
    """Return an image's store: the given one, else that of the first trusted location.

    Without locations, it is the first of the image's stores with settings; an S3 store outside a
    RADOS Gateway comes last. An untrusted user can write a location with any store's name. So a
    store counts only if its own settings trust the location.

    The locations are judged here, and nowhere else.

    :raises ImageUnacceptable: the image is not in the given store.
    :raises InvalidParameterValue: neither Glance nor the settings know of the given store.
    """
    if settings.store:
        _validate_given(image, settings, settings.store, swift)
    location, distrust = None, None
    try:
        location = find_trusted(image, settings, swift)
    except UntrustedLocation as error:
        distrust = error
    name = settings.store or (location.store if location else None)
    if name is None and not image.shown_locations:
        known = [(own.s3 and not on_gateway(own, swift), name) for name in image.stores
                 if (own := of_name(settings.stores, name))]
        name = min(known, key=lambda each: each[0], default=(True, None))[1]
    store = named_store(name if settings.stores else settings.store, settings, swift)
    return dataclasses.replace(store, location=location, distrust=distrust)


def _validate_given(image: Image, settings: Settings, store: str, swift: Swift) -> None:
    named = dict.fromkeys(
        location.store for location in locations_in_swift(image, settings, swift)
    ) if image.shown_locations else dict.fromkeys(image.stores)
    if not named and not of_name(settings.stores, store):
        raise InvalidParameterValue(
            f'This cloud does not say in which stores image {image} is, and no settings are'
            f' given for the store {store}.', 'Give them in clouds.yaml (image_temp_url: stores),'
            ' or with the glance-api.conf.', 'config_file')
    # A location without a store's name is judged by the given store's settings.
    if named and not {store, None} & named.keys():
        raise ImageUnacceptable(
            f'Image {image} is in {", ".join(map(str, named))} and not in the store {store}'
            ' (only stores in Swift count).', 'Name another, or copy the image there.', 'store',
            COPY_IMAGE)


def store_of_path(path: ObjectPath, settings: Settings, swift: Swift) -> Store:
    """Return the store of an object, by the settings for its container and account."""
    name = settings.store or next(
        (name for name, own in settings.stores.items()
         if container_by_rule(path.object, own) == path.container
         and own.account in (None, path.account)), None)
    return named_store(name, settings, swift)

