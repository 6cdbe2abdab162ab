# SPDX-License-Identifier: Apache-2.0
"""From an image to its temporary URL: image, object, account, endpoint, key, digest, URL.

Each step takes and returns a value. Nothing is looked up that is given, and nothing twice.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

from osc_imgurl.cache.entry import Cache
from osc_imgurl.cache.reuse import Asked, first_expiry
from osc_imgurl.copies import copier as copying
from osc_imgurl.errors import ObjectStoreFailed, logger
from osc_imgurl.glance.image import Image, file_name, validate_in_swift
from osc_imgurl.settings.table import Settings, expiry
from osc_imgurl.swift.capabilities import (
    DIGESTS_OF_A_SILENT_CLUSTER,
    PREFERRED_DIGESTS,
    Capabilities,
    negotiate_digest,
)
from osc_imgurl.target.asked import AskedSwift
from osc_imgurl.target.cloud import UNAUTHENTICATED, Cloud
from osc_imgurl.target.resolve import Target, resolve
from osc_imgurl.target.signing_key import find_key
from osc_imgurl.target.stores import choose_store, in_store
from osc_imgurl.tempurl.options import (
    AUTO_FILENAME,
    URLOptions,
    validate_ip_range,
    validate_method,
)
from osc_imgurl.tempurl.signing import Key, Parameters, sign
from osc_imgurl.tempurl.url import TempURL, risks

LOG = logger(__name__)

# With a HEAD that Swift takes through a URL for one of these, it says that it takes the URL.
PROVEN_BY_HEAD = ('GET', 'HEAD')


@dataclasses.dataclass(frozen=True)
class ImageTempURL:
    """An image's temporary URL and what it was made of.

    :ivar temp_url: the URL, taken apart.
    :ivar image: nothing but its ID is known where there was nobody to ask.
    :ivar cached: whether the cache knew of it already.
    :ivar copied: whether it is for a copy in one's own account.
    :ivar guessed: what is not given, so that the URL may be wrong: ``account`` and
        ``container`` as in :class:`osc_imgurl.target.resolve.Target`; ``key`` and ``digest`` where
        they were looked up; ``digest`` too where the cluster does not say that it takes it.
        Empty where there was nobody to ask.
    """

    temp_url: TempURL
    method: str
    image: Image
    target: Target
    cached: bool
    guessed: tuple[str, ...] = ()
    copied: bool = False

    @property
    def url(self) -> str:
        """The URL itself; a bearer secret."""
        return self.temp_url.url


class TempURLService:
    """Makes temporary URLs for images.

    :param settings: what is given.
    :param cloud: who can be asked.
    :param cache: remembers when a URL was first made; None to sign anew each time.
    :param progress: shows, while an image is copied, how many of its bytes are done.
    """

    def __init__(self, settings: Settings, cloud: Cloud = UNAUTHENTICATED,
                 cache: Cache | None = None,
                 progress: copying.Progress = copying.no_progress) -> None:
        self._settings = settings
        self._images = cloud.images
        self._object_store = cloud.object_store
        self._cache = cache
        self._copier = copying.make_copier(settings, cloud, progress) if settings.copy else None
        self._offline = cloud.offline
        self._asked = AskedSwift(cloud.object_store)
        self._in_stores: dict[str, TempURLService] = {}
        self._warned: set[str] = set()

    def create(self, image: str, request: URLOptions, now: float,
               refresh: bool = False, *, presume: bool = False) -> ImageTempURL:
        """Return a temporary URL for an image.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :param now: Unix time, seconds.
        :param refresh: sign anew where the cache has a URL, and replace it.
        :param presume: sign with the digest that Swift mostly takes, without asking whether it
            does; for who then tries the URL, and has :meth:`negotiated` where it does not work.
        :raises ImgurlError: whatever is wrong, with what to do about it.
        """
        self.validate(request, now)
        if not self._offline:
            self._asked.ask_while_found(image, self._settings, request.object,
                                        presume and self._may_presume(request.method))
        return self.create_for(self.find_image(image), request, now, refresh, presume=presume)

    def create_for(self, image: Image, request: URLOptions, now: float,
                   refresh: bool = False, *, presume: bool = False) -> ImageTempURL:
        """Return a temporary URL for an image that has been found already.

        :param image: must have gone through :func:`osc_imgurl.glance.image.validate_active`; the
            others as for :meth:`create`.
        :raises ImgurlError: whatever is wrong, with what to do about it.
        """
        store = choose_store(image, self._settings, self._object_store)
        return self._in_store(store)._create(image, request, now, refresh, presume)

    def _create(self, image: Image, request: URLOptions, now: float, refresh: bool,
                presume: bool) -> ImageTempURL:
        method = validate_method(request.method)
        since = time.monotonic()
        # To copy takes a while: the URL's life begins when there is something behind it.
        target, key, of_copy = self._find_object(
            image, request, lambda: expiry(self._settings, request, now + time.monotonic() - since))
        now += time.monotonic() - since if of_copy else 0
        presumed = presume and self._may_presume(method) and not target.in_gateway
        digest = PREFERRED_DIGESTS[0] if presumed else self.find_digest(target, method)
        if request.filename == AUTO_FILENAME:
            request = dataclasses.replace(request, filename=file_name(image))
        parameters, cached = Parameters(
            target.endpoint, target.path, of_copy or expiry(self._settings, request, now),
            dataclasses.replace(request, method=method), digest), False
        if self._cache is not None:
            parameters, cached = self._reuse(
                self._cache, parameters, key, image.id, now=now, refresh=refresh)
        for risk in risks(request, target.path):
            self._warn_once(risk)
        guessed = () if self._offline else (*target.guessed, *self._looked_up(target, digest))
        return ImageTempURL(sign(parameters, key), method, image, target, cached, guessed,
                            copied=of_copy is not None)

    def _in_store(self, store: str | None) -> TempURLService:
        """Return what makes the URLs of the images in a store."""
        if store is None or not self._settings.stores:
            return self
        if store not in self._in_stores:
            settings, cloud = in_store(
                self._settings, Cloud(self._images, self._object_store), store)
            made = self._in_stores[store] = TempURLService(settings, cloud, self._cache)
            made._copier = self._copier  # Copies are at home, wherever the image is.
            if cloud.object_store is self._object_store:
                made._asked = self._asked
        return self._in_stores[store]

    def _find_object(self, image: Image, request: URLOptions,
                     expires: Callable[[], int]) -> tuple[Target, Key, int | None]:
        """Return where an image's object is, what signs it, and when the URL of a copy expires.

        :param expires: tells when a URL that is signed now would expire: Unix time, seconds.
        """
        copier = self._copier if self._copier and self._copier.may_copy(image, request) else None
        try:
            validate_in_swift(image)
            target = self.resolve(image, request.object)
            key = self.find_key(target)
            if copier is None or copier.has_object(image, target, self._object_store):
                return target, key, None
        except copying.NO_URL as error:
            if copier is None:
                raise copying.or_copied(
                    error, image, request, self._settings, self._object_store) from None
        # What the cluster refuses is not copied first.
        self.find_digest(copier.target(image), validate_method(request.method))
        return copier.ensure(image, request, expires)

    def negotiated(self, made: ImageTempURL, request: URLOptions, now: float) -> ImageTempURL:
        """Return a URL with the digest that the cluster says it takes, where that is another.

        :param made: the URL that was made for the request; it is returned where its digest is
            that one.
        :raises ImgurlError: as :func:`osc_imgurl.swift.capabilities.negotiate_digest`.
        """
        service = self._in_store(made.target.store)
        if service.find_digest(made.target, made.method) == made.temp_url.digest:
            return made
        return self.create_for(made.image, request, now)

    def _may_presume(self, method: str) -> bool:
        # What a cache keeps is to be of a digest that the cluster takes; a copy is not looked for
        # again.
        return (not self._offline and self._cache is None and self._copier is None
                and not self._settings.digest and validate_method(method) in PROVEN_BY_HEAD)

    def _looked_up(self, target: Target, digest: str) -> Iterator[str]:
        if not self._settings.key:
            yield 'key'
        # A cluster that does not say what it takes may refuse what is given.
        if not self._settings.digest or self._capabilities(target)[1].takes(digest) is None:
            yield 'digest'

    def _reuse(self, cache: Cache, parameters: Parameters, key: Key, image_id: str, *,
               now: float, refresh: bool) -> tuple[Parameters, bool]:
        """Return the parameters with the expiry that the cache knows, and whether it knew one."""
        settings = self._settings
        expires, cached = first_expiry(
            cache, Asked(image_id, parameters.endpoint, parameters.path, parameters.digest,
                         key.fingerprint, settings.duration, settings.align, parameters.request),
            sign(parameters, key), settings, now=now, refresh=refresh)
        return dataclasses.replace(parameters, expires=expires), cached

    def find_image(self, image: str) -> Image:
        """Return the image, which must be active; without authentication, a UUID as it is.

        :raises ImgurlError: as :meth:`osc_imgurl.glance.image_service.ImageService.show`.
        """
        return self._images.show(image)

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            LOG.warning('%s', message)
        self._warned.add(message)

    def validate(self, request: URLOptions, now: float) -> None:
        """Accept a request that can be met, before anybody is asked.

        :param now: Unix time, seconds.
        :raises InvalidParameterValue: its method, IP range or expiry is invalid.
        """
        validate_method(request.method)
        if request.ip_range is not None:
            validate_ip_range(request.ip_range)
        expiry(self._settings, request, now)

    def resolve(self, image: Image, object_name: str | None = None) -> Target:
        """Return where an image's object is.

        :param object_name: the object to be signed explicitly.
        :raises ImgurlError: as :func:`osc_imgurl.target.resolve.resolve`.
        """
        return resolve(image, self._settings, self._object_store, object_name)

    def find_key(self, target: Target) -> Key:
        """Return the key that is given, else the one in the first slot that has one.

        :raises ImgurlError: as :func:`osc_imgurl.target.signing_key.find_key`.
        """
        return self._settings.key or find_key(target, self._asked)[1]

    def find_digest(self, target: Target, method: str) -> str:
        """Return the digest, and see that the cluster takes it and the method.

        :raises ImgurlError: as :func:`osc_imgurl.swift.capabilities.negotiate_digest`.
        """
        given = self._settings.digest
        if self._offline:
            known = DIGESTS_OF_A_SILENT_CLUSTER if target.in_gateway else PREFERRED_DIGESTS
            return given or known[0]
        endpoint, capabilities = self._capabilities(target)
        return negotiate_digest(endpoint, capabilities, method, given)

    def _capabilities(self, target: Target) -> tuple[str, Capabilities]:
        endpoint = self._asked.cluster_endpoint(target)
        try:
            return endpoint, self._asked.capabilities(endpoint)
        except ObjectStoreFailed as error:
            given = self._settings.digest
            if not given:
                raise
            self._warn_once(f'{error} Whether it takes the digest {given} is not known')
            return endpoint, Capabilities()
