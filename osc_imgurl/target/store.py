# SPDX-License-Identifier: Apache-2.0
"""A cloud, and one store of its Glance, as values: who can be asked, by which settings."""

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
    """Who can be asked about the images and URLs of one cloud.

    :ivar images: Glance.
    :ivar object_store: Swift.
    :ivar probe: makes unauthenticated requests; None where a URL is never tried.
    """

    images: ImageService | OfflineImages = dataclasses.field(default_factory=OfflineImages)
    object_store: ObjectStore | OfflineSwift = dataclasses.field(default_factory=OfflineSwift)
    probe: Probe | None = None

    @property
    def offline(self) -> bool:
        """Whether there is no authentication."""
        return isinstance(self.object_store, OfflineSwift)

    def memoized(self) -> Cloud:
        """Return the same cloud, whose Swift is asked nothing twice, for one flow."""
        return dataclasses.replace(self, object_store=self.object_store.memoized())


@dataclasses.dataclass(frozen=True)
class Store:
    """One of Glance's stores; or all of them, where no store is known.

    :ivar settings: for its images; ``store`` is its name.
    :ivar swift: the object store. It is another region's where the endpoint of the store is one of
        that region.
    :ivar location: the location of the image that is trusted; None where none in Swift is shown.
    :ivar distrust: why none of those in Swift is trusted.
    """

    settings: Settings
    swift: Swift
    location: Location | None = None
    distrust: UntrustedLocation | None = None


def named_store(name: str | None, settings: Settings, swift: Swift) -> Store:
    """Return a store by its name; None: what all images have in common."""
    own = for_store(settings, name)
    if name and own.endpoint_url and of_name(settings.stores, name):
        swift = swift.at(own.endpoint_url)
    return Store(own, swift)


def choose_store(image: Image, settings: Settings, swift: Swift) -> Store:
    """Return the store that an image is taken from: the given one, if it is in that.

    Else the store of the first location that is trusted; where no location is shown, the first of
    the image's stores for which there are settings; an S3 store that is on no RADOS Gateway comes
    last. Who writes a location names its store too, so that a store counts only with a location
    that is trusted by the settings of that store.

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
    # A location may name no store; it is judged by the settings of the given one then.
    if named and not {store, None} & named.keys():
        raise ImageUnacceptable(
            f'Image {image} is in {", ".join(map(str, named))} and not in the store {store}, as'
            ' far as that is in Swift.', 'Name another, or copy the image there.', 'store',
            COPY_IMAGE)


def store_of_path(path: ObjectPath, settings: Settings, swift: Swift) -> Store:
    """Return the store in which an object is by the settings."""
    name = settings.store or next(
        (name for name, own in settings.stores.items()
         if container_by_rule(path.object, own) == path.container
         and own.account in (None, path.account)), None)
    return named_store(name, settings, swift)

