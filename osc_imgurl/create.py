# SPDX-License-Identifier: Apache-2.0
"""The main flow, from an image to its temporary URL: read this first.

Image, store, target, key, digest, expiry, URL: each step takes values and returns one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from osc_imgurl.cache import reuse
from osc_imgurl.copies.copier import NO_URL, Copier, or_copied
from osc_imgurl.errors import InvalidParameterValue, MissingParameterValue, ObjectStoreFailed
from osc_imgurl.glance.image import Image, file_name, referenced_id
from osc_imgurl.links.link import Link
from osc_imgurl.links.links import LinkMaker
from osc_imgurl.settings.table import Settings, expiry
from osc_imgurl.swift.answers import DIGESTS_OF_A_SILENT_CLUSTER, Capabilities
from osc_imgurl.swift.endpoint import OfflineSwift
from osc_imgurl.target.resolve import Target, in_container_of_its_own, resolve, signing_key
from osc_imgurl.target.store import Cloud, Store, choose_store
from osc_imgurl.target.trust import validate_in_swift
from osc_imgurl.tempurl.options import AUTO_FILENAME, URLOptions
from osc_imgurl.tempurl.signing import Parameters, sign
from osc_imgurl.tempurl.url import TempURL, risks

if TYPE_CHECKING:
    from osc_imgurl.cache import Cache
    from osc_imgurl.swift.object_store import MemoizedStore


@dataclasses.dataclass(frozen=True)
class ImageTempURL:
    """An image's temporary URL, and the values behind it.

    :ivar temp_url: the URL as a value.
    :ivar image: only its ID is known without authentication.
    :ivar cached: whether the expiry is from the cache.
    :ivar copied: whether the URL is for a copy in the user's own account.
    :ivar guessed: reasons to check the URL: ``account`` and ``container`` as in
        :class:`osc_imgurl.target.resolve.Target`; ``key`` and ``digest`` if they were looked up;
        ``digest`` also if the cluster does not list it. Empty without authentication.
    :ivar better: the same URL with better digests. The cluster may support them: try a HEAD.
    :ivar link: the link of a revocable URL.
    :ivar warnings: for the user, a sentence each.
    """

    temp_url: TempURL
    method: str
    image: Image
    target: Target
    cached: bool
    guessed: tuple[str, ...] = ()
    copied: bool = False
    better: tuple[TempURL, ...] = ()
    link: Link | None = None
    warnings: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The URL itself; a bearer secret."""
        return self.temp_url.url

    @property
    def expires(self) -> int:
        """Its end: Unix time, seconds. The signature of a revocable URL expires later."""
        return self.link.expires if self.link else self.temp_url.expires


def create(image: str, options: URLOptions, cloud: Cloud, settings: Settings,
           clock: Callable[[], float], *, cache: Cache | None = None,
           copies: Copier | None = None, links: LinkMaker | None = None,
           refresh: bool = False) -> ImageTempURL:
    """Return a temporary URL for an image.

    :param image: its UUID, ``glance://host/UUID``, or its name.
    :param clock: returns the Unix time, in seconds.
    :param cache: stores the expiry; None for a new one each time.
    :param copies: copies images without a URL of their own.
    :param links: creates a link for a revocable URL; the cache is not used then.
    :param refresh: replace the expiry in the cache by a new one.
    :raises ImgurlError: with the problem and a remedy.
    """
    expiry(settings, options, clock())
    swift = cloud.object_store.memoized()
    _prefetch(image, options, settings, swift)
    cloud = dataclasses.replace(cloud, object_store=swift)
    return create_for(cloud.images.show(image), options, cloud, settings, clock, cache=cache,
                      copies=copies, links=links, refresh=refresh)


def create_for(image: Image, options: URLOptions, cloud: Cloud, settings: Settings,
               clock: Callable[[], float], *, cache: Cache | None = None,
               copies: Copier | None = None, links: LinkMaker | None = None,
               refresh: bool = False) -> ImageTempURL:
    """Return a temporary URL for an image already looked up.

    :param image: must be active; the others as for :func:`create`.
    :raises ImgurlError: with the problem and a remedy.
    """
    store = choose_store(image, settings, cloud.object_store)
    settings, copier = store.settings, None
    try:
        validate_in_swift(image, settings, store.swift)
        target = in_container_of_its_own(resolve(image, store, options.object), image, store)
        key = (links.key if links else signing_key)(target, store)
        if copies and copies.needed(image, target, options, store.swift):
            copier = copies
    except NO_URL as error:
        if not copies or not copies.may_copy(image, options):
            raise or_copied(error, image, options, settings, cloud.object_store) from None
        copier = copies
    if copier:
        store, target = Store(settings, copier.swift), copier.target(image)
    supported, warnings = _capabilities(target, store)
    *better, digest = supported.choose_digests(settings.digest, options.method)

    def expires() -> int:
        return expiry(settings, options, clock())

    if copier:
        target, key, expires_at = copier.ensure(image, options, expires)
    else:
        expires_at = expires()
    if options.filename == AUTO_FILENAME:
        options = dataclasses.replace(options, filename=file_name(image))
    parameters = Parameters(target.endpoint.url, target.path, expires_at, options, digest)
    cached, link = False, None
    if links:
        link, parameters, to_know = links.make(
            image, parameters, key, store.swift, supported=supported, now=clock())
        warnings += to_know
    elif cache:
        parameters, cached = reuse(
            cache, parameters, key, image.id, settings, now=clock(), refresh=refresh)
    given = {'key': settings.key, 'digest': settings.digest and supported.supports(digest)}
    guessed = (*target.guessed, *(name for name, value in given.items() if not value))
    return ImageTempURL(
        sign(parameters, key), options.method, image, target, cached,
        () if cloud.offline else guessed, copied=copier is not None,
        better=tuple(sign(dataclasses.replace(parameters, digest=each), key) for each in better),
        link=link, warnings=(*target.warnings, *warnings, *risks(options, target.path)))


def _prefetch(image: str, options: URLOptions, settings: Settings,
              swift: MemoizedStore | OfflineSwift) -> None:
    """Start Swift's requests for the target by the settings, before Glance shows the image.

    This hides latency. If the image is elsewhere, there will be other requests.

    :raises ObjectStoreFailed: the catalog cannot be read.
    """
    image_id = referenced_id(image)
    try:
        # This reads the catalog, so that there is a token before the threads start.
        # What is requested does not depend on the object: any name stands for an unknown one.
        target = resolve(Image(image_id or 'unknown'), Store(settings, swift), options.object)
    except (InvalidParameterValue, MissingParameterValue):
        # The main flow raises it again if the image exists.
        return
    path, endpoint = target.path, target.endpoint
    if not settings.key:
        if endpoint.container_keys and (image_id or not settings.many_containers):
            swift.prefetch('container_keys', path.account, path.container)
        swift.prefetch('account_keys', path.account)
    swift.prefetch('capabilities', endpoint)


def _capabilities(target: Target, store: Store) -> tuple[Capabilities, list[str]]:
    """Return the cluster's capabilities, and warnings.

    If the cluster does not answer, a given digest is signed with a warning. If the URL is not to be
    checked either, the cluster counts as one that says nothing.

    :raises ObjectStoreFailed: the cluster does not answer, and neither is the case.
    """
    try:
        return store.swift.capabilities(target.endpoint), []
    except ObjectStoreFailed as error:
        settings, safest = store.settings, DIGESTS_OF_A_SILENT_CLUSTER[-1]
        if settings.digest:
            return Capabilities(), [f'{error} Whether it takes the given digest is not known']
        if settings.check is False:
            return Capabilities(), [
                f'{error} So the URL is signed with {safest}, which newer clusters may refuse']
        advice = error.remedy and f', or {error.remedy[0].lower()}{error.remedy[1:].rstrip(".")}'
        raise ObjectStoreFailed(
            f'{error.problem} So it is not known which digest it takes.', f'Give one{advice}.',
            'digest', *error.names) from error
