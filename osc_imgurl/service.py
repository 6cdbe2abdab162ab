# SPDX-License-Identifier: Apache-2.0
"""From an image to its temporary URL: image, object, account, endpoint, key, digest, URL.

Each step takes a value and returns a value. What was told is not looked up, and nothing is
looked up twice.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from osc_imgurl import placement, signing
from osc_imgurl.errors import (
    ImageUnacceptable,
    InvalidParameterValue,
    MissingParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
)
from osc_imgurl.image import Image, is_uuid, parse_href
from osc_imgurl.placement import Place
from osc_imgurl.settings import Key, Settings, split_storage_url
from osc_imgurl.signing import Signer, TempURL

if TYPE_CHECKING:
    from osc_imgurl.images import ImageService
    from osc_imgurl.object_store import Capabilities, ObjectStore

LOG = logging.getLogger(__name__)

# In the order of preference. SHA-1 last: Swift deprecates it, and operators turn it off.
PREFERRED_DIGESTS = ('sha256', 'sha512', 'sha1')
# What a cluster takes that does not say: older Swifts and RADOS Gateways know SHA-1 only.
DIGESTS_OF_A_SILENT_CLUSTER = ('sha1',)


@dataclasses.dataclass(frozen=True)
class Request:
    """What one temporary URL is to allow.

    :ivar expires: Unix time, seconds; None: now and the duration of the settings.
    :ivar method: one of :data:`osc_imgurl.signing.METHODS`.
    :ivar prefix: sign for every object whose name begins so; the image's must.
    """

    method: str = 'GET'
    expires: int | None = None
    ip_range: str | None = None
    prefix: str | None = None
    filename: str | None = None
    inline: bool = False
    iso8601: bool = False


@dataclasses.dataclass(frozen=True)
class ImageTempURL:
    """An image's temporary URL and what it was made of."""

    temp_url: TempURL
    method: str
    digest: str
    image_id: str
    image_name: str | None


class TempURLService:
    """Makes temporary URLs for images.

    :param settings: what was told.
    :param images: Glance; None where there is nobody to ask (no session).
    :param object_store: Swift; likewise.
    """

    def __init__(self, settings: Settings, images: ImageService | None = None,
                 object_store: ObjectStore | None = None) -> None:
        self._settings = settings
        self._images = images
        self._object_store = object_store
        self._found_keys: dict[tuple[str | None, str], Key] = {}
        self._found_capabilities: dict[str, Capabilities] = {}

    def create(self, image: str, request: Request, now: float) -> ImageTempURL:
        """Return a temporary URL for an image.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :param now: Unix time, seconds.
        :raises ImgurlError: whatever is wrong, with what to do about it.
        """
        expires = self._expires(request, now)
        method = signing.check_method(request.method)
        if request.ip_range is not None:
            signing.check_ip_range(request.ip_range)
        found = self.find_image(image)
        place = placement.locate(found, self._settings, self._object_store)
        if request.ip_range is not None and place.endpoint_type == 'radosgw':
            raise InvalidParameterValue(
                'A RADOS Gateway knows no IP range: it refuses the URL, or lets everybody use'
                ' it. Leave out --ip-range.')
        key = self._settings.key or self._find_key(place)
        digest = self._negotiate(place, method)
        if request.prefix == '':
            LOG.warning('The prefix is empty: this URL gives access to every object in the'
                        ' container %s', place.path.container)
        temp_url = Signer(key.value, digest).sign(
            place.endpoint, place.path, expires, method, ip_range=request.ip_range,
            prefix=request.prefix, filename=request.filename, inline=request.inline,
            iso8601=request.iso8601)
        return ImageTempURL(temp_url, method, digest, found.id, found.name)

    def find_image(self, image: str) -> Image:
        """Return the image, which must be active and may not be visibly outside Swift.

        With nobody to ask, a UUID is taken as it is.

        :raises ImageUnacceptable: the image is not active, or not in Swift.
        :raises ImgurlError: as :meth:`osc_imgurl.images.ImageService.find`.
        """
        if self._images is None:
            return _unseen_image(image)
        found = self._images.show(image)
        if found.shown_locations and not found.swift_location:
            raise ImageUnacceptable(
                f'Image {found.id} is not in Swift but in {_describe_stores(found)}, and only'
                ' Swift has temporary URLs. Copy it into a Swift store (openstack image import'
                ' --method copy-image --store <store>), or download it with a token'
                ' (openstack image save).')
        return found

    def _expires(self, request: Request, now: float) -> int:
        if request.expires is None:
            return int(now + self._settings.duration)
        delay = self._settings.expected_download_start_delay
        if request.expires <= now or request.expires < now + delay:
            raise InvalidParameterValue(
                f'The expiry {signing.format_expires(request.expires)} is in the past, or comes'
                f' before a download may start ({delay} s from now). Use a later one'
                ' (--expires-at).')
        return request.expires

    def _find_key(self, place: Place) -> Key:
        account, container = place.path.account, place.path.container
        if (account, container) not in self._found_keys:
            self._found_keys[account, container] = self._look_up_key(place)
        return self._found_keys[account, container]

    def _look_up_key(self, place: Place) -> Key:
        """Return the key of the first slot that has one."""
        account, container = place.path.account, place.path.container
        if self._object_store is None:
            raise MissingParameterValue(
                'The temporary URL key is not known, and without authentication it cannot be'
                ' looked up: tell it (--key-file).')
        whose = f'account {account}' if account else 'this account'
        try:
            # A RADOS Gateway takes container keys and ignores them.
            keys: dict[str, Key] | None = {}
            if place.endpoint_type == 'swift':
                keys = self._object_store.container_keys(account, container)
                if keys is None:
                    raise MissingParameterValue(
                        f'There is no container {container} in {whose}, where the image should'
                        ' be. If another project owns the images (often Glance\'s service'
                        ' project), use its credentials, or tell its account (--account) and'
                        ' key (--key-file).')
            keys = keys or self._object_store.account_keys(account)
        except ObjectStoreNotAuthorized as error:
            raise ObjectStoreNotAuthorized(
                f'{error} The keys of {whose} are shown to its owner only: use the credentials'
                ' of the project that owns it (for images that Glance keeps in an account of its'
                ' own, Glance\'s service project), or tell the key (--key-file).') from None
        if not keys:
            raise MissingParameterValue(
                f'There is no temporary URL key on {whose}, nor on the container {container}. Set'
                ' one as X-Account-Meta-Temp-URL-Key on the account, or'
                ' tell the key (--key-file).')
        return next(iter(keys.values()))

    def _negotiate(self, place: Place, method: str) -> str:
        """Return the digest, and see that the cluster takes it and the method."""
        told = self._settings.digest
        if self._object_store is None:
            return told or PREFERRED_DIGESTS[0]
        try:
            capabilities = self._capabilities(self._object_store, place.endpoint)
        except ObjectStoreFailed as error:
            if not told:
                raise
            LOG.warning('%s Whether it takes the digest %s is not known', error, told)
            return told
        if capabilities.tempurl is False:
            raise ObjectStoreFailed(
                f'The Swift at {place.endpoint} takes no temporary URLs: it runs without the'
                ' tempurl middleware. Its operator can add it to the proxy\'s pipeline.')
        if capabilities.methods and method not in capabilities.methods:
            raise InvalidParameterValue(
                f'This cluster takes no temporary URLs for {method}; it takes'
                f' {", ".join(capabilities.methods)}.')
        allowed = capabilities.digests or DIGESTS_OF_A_SILENT_CLUSTER
        if told:
            if capabilities.digests and told not in allowed:
                raise InvalidParameterValue(
                    f'This cluster refuses the digest {told}; it takes {", ".join(allowed)}'
                    ' (--digest).')
            return told
        for digest in PREFERRED_DIGESTS:
            if digest in allowed:
                return digest
        raise ObjectStoreFailed(
            f'This cluster takes the digests {", ".join(allowed)} and none of'
            f' {", ".join(PREFERRED_DIGESTS)}.')

    def _capabilities(self, object_store: ObjectStore, endpoint: str) -> Capabilities:
        """Return what the cluster says; the catalog's endpoint is asked where there is one.

        An endpoint that was told may be a proxy's, which passes only objects on.
        """
        storage_url = object_store.find_storage_url()
        if storage_url:
            endpoint = split_storage_url(storage_url)[0]
        if endpoint not in self._found_capabilities:
            self._found_capabilities[endpoint] = object_store.capabilities(endpoint)
        return self._found_capabilities[endpoint]


def _unseen_image(image: str) -> Image:
    image_id = parse_href(image)
    if not is_uuid(image_id):
        raise InvalidParameterValue(
            f'Without authentication {image!r} cannot be looked up: use the image\'s ID.')
    return Image(image_id)


def _describe_stores(image: Image) -> str:
    schemes = dict.fromkeys(place.scheme for place in image.shown_locations)
    stores = dict.fromkeys(filter(None, (*image.stores,
                                         *(place.store for place in image.shown_locations))))
    named = f' (store {", ".join(stores)})' if stores else ''
    return f'{", ".join(schemes)}{named}'
