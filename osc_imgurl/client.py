# SPDX-License-Identifier: Apache-2.0
"""The library's front door: temporary URLs for the images of one cloud.

>>> from osc_imgurl import Client, URLOptions                             # doctest: +SKIP
>>> client = Client(session)                                              # doctest: +SKIP
>>> client.create('cirros', URLOptions(duration='2h')).url                # doctest: +SKIP
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session

from osc_imgurl import batch
from osc_imgurl.batch import Failure, Found, Made
from osc_imgurl.cache import open_cache
from osc_imgurl.cache.base import Entry
from osc_imgurl.check.new_url import NewURLCheck
from osc_imgurl.copies.container import CopyContainer
from osc_imgurl.copies.copier import Copier, Progress, make_copier, no_progress
from osc_imgurl.create import ImageTempURL, create, create_for
from osc_imgurl.errors import CacheFailed, InvalidParameterValue, MissingParameterValue, logger
from osc_imgurl.glance.image import Image, referenced_id
from osc_imgurl.glance.image_service import ImageService
from osc_imgurl.links.link import LinkOptions
from osc_imgurl.links.links import LinkMaker, Links
from osc_imgurl.settings.table import Settings, expiry
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.swift.probe import TIMEOUT, Probe
from osc_imgurl.target.report import LocationReport, report_location
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.url import names_url

if TYPE_CHECKING:
    from osc_imgurl.cache import Cache
    from osc_imgurl.check.facts import Report

LOG = logger(__name__)


@dataclasses.dataclass(frozen=True)
class Service:
    """Region and interface of a service in the catalog, or its endpoint.

    :ivar region_name: None for the first.
    :ivar interface: ``public``, ``internal`` or ``admin``.
    :ivar endpoint: replaces the catalog's; for Swift, the storage URL.
    """

    region_name: str | None = None
    interface: str = 'public'
    endpoint: str | None = None


class Client:
    """Temporary URLs for the images of one cloud.

    :param session: a keystoneauth session. Without authentication, the settings must give endpoint,
        account and key.
    :param settings: the given settings; the rest is looked up.
    :param image: Glance in the catalog.
    :param object_store: Swift in the catalog.
    :param progress: shows the progress of a copy, in bytes.
    :param clock: returns the Unix time, in seconds.
    :ivar cloud: Glance, Swift, and requests without a token.
    """

    def __init__(self, session: Session, settings: Settings | None = None, *,
                 image: Service = Service(), object_store: Service = Service(),
                 progress: Progress = no_progress,
                 clock: Callable[[], float] = time.time) -> None:
        self.settings = settings or Settings()
        self._clock = clock
        self._progress = progress
        retries, timeout = self.settings.num_retries, self.settings.timeout
        probe = functools.partial(
            Probe, session.verify, session.cert, session.timeout or min(timeout, TIMEOUT), retries)
        if session.auth is None or isinstance(session.auth, NoAuth):
            self.cloud = Cloud(probe=probe())
            return
        swift = ObjectStore(
            session, object_store.region_name, object_store.interface, object_store.endpoint,
            num_retries=retries, timeout=timeout)
        images = ImageService(
            session, image.region_name, image.interface, image.endpoint,
            self.settings.allowed_direct_url_schemes, num_retries=retries, timeout=timeout)
        self.cloud = Cloud(images, swift, probe(swift.connections.adapter))

    @functools.cached_property
    def cache(self) -> Cache:
        """The cache of these settings, even if it is not enabled.

        :raises InvalidParameterValue: there is no such backend, or it refuses its arguments.
        """
        return open_cache(self.settings)

    @property
    def glance(self) -> ImageService:
        """Glance.

        :raises MissingParameterValue: there is no authentication.
        """
        if not isinstance(self.cloud.images, ImageService):
            raise _offline()
        return self.cloud.images

    @property
    def swift(self) -> ObjectStore:
        """Swift.

        :raises MissingParameterValue: there is no authentication.
        """
        if not isinstance(self.cloud.object_store, ObjectStore):
            raise _offline()
        return self.cloud.object_store

    @property
    def copies(self) -> CopyContainer:
        """The container for copies in the user's own account.

        :raises MissingParameterValue: there is no authentication.
        """
        return CopyContainer(self.settings, self.swift)

    @property
    def links(self) -> Links:
        """The links in the user's own account, to extend and revoke URLs.

        :raises MissingParameterValue: there is no authentication.
        """
        return Links(self.settings, self.swift)

    def create(self, image: str, options: URLOptions = URLOptions(), *,
               link: LinkOptions = LinkOptions(), refresh: bool = False) -> ImageTempURL:
        """Return a temporary URL for an image, and check it if the settings say so.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :param link: for revocable URLs.
        :param refresh: replace the expiry in the cache by a new one.
        :raises ImgurlError: with the problem and a remedy.
        """
        self._validate_link(link)
        cloud = self.cloud.memoized()
        made = create(image, options, cloud, self.settings, self._clock, refresh=refresh,
                      cache=self._cache_in_use, copies=self._make_copier(),
                      links=self._make_linker(link))
        return self._warned_and_checked(made, NewURLCheck(self.settings, cloud))

    def image_id(self, image: str) -> str:
        """Return an image's ID; a given ID may be a deleted image's.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :raises ImgurlError: as :meth:`osc_imgurl.glance.image_service.ImageService.find`.
        """
        return referenced_id(image) or self.glance.find(image).id

    def images(self, *named: str, with_boot_images: bool = False,
               **filters: Any) -> Iterator[Found | Failure]:
        """Yield the named images, else all images matching the filters, page by page.

        :param named: UUIDs, ``glance://host/UUID`` or names.
        :param with_boot_images: yield an image's kernel and ramdisk after it.
        :param filters: as for :meth:`osc_imgurl.glance.image_service.ImageService.detail`.
        """
        found = (batch.find_images(named, self.glance) if named
                 else map(Found, self.glance.detail(**filters)))
        return batch.with_boot_images(found, self.glance) if with_boot_images else iter(found)

    def create_many(self, images: Iterable[Image | Found | Failure],
                    options: URLOptions = URLOptions(), *, refresh: bool = False,
                    jobs: int = batch.COPIES_AT_ONCE) -> Iterator[Made | Failure]:
        """Yield a temporary URL or a failure for each image, in the images' order.

        :param images: for example from :meth:`images`.
        :param jobs: how many images are copied at once, each with a few MiB of memory. If you stop
            early, copies under way go on until the process ends.
        :raises InvalidParameterValue: no image can have such a URL, or ``jobs`` is out of range.
        """
        if not 1 <= jobs <= batch.MOST_COPIES:
            raise InvalidParameterValue(
                f'{jobs} images cannot be copied at once.',
                f'Use 1 to {batch.MOST_COPIES}.', 'jobs')
        expiry(self.settings, options, self._clock())
        cloud, settings = self.cloud.memoized(), self.settings
        make = functools.partial(
            create_for, options=options, cloud=cloud, settings=settings, clock=self._clock,
            cache=self._cache_in_use, copies=self._make_copier(), links=self._make_linker(),
            refresh=refresh)
        made = batch.create_all(
            (Found(each) if isinstance(each, Image) else each for each in images), make,
            jobs if settings.copy else 1)
        if settings.check:
            # A URL could expire while the next image is copied: check one at a time.
            return batch.checked(made, NewURLCheck(settings, cloud), self._clock,
                                 1 if settings.copy else batch.CHECKS_AT_ONCE)
        return made if settings.check is False else batch.warn_of_guesses(made)

    def check(self, image_or_url: str, *, method: str = 'GET',
              object_name: str | None = None) -> Report:
        """Check a temporary URL, or a new one for an image, and return the findings.

        :param method: the method for the URL.
        :param object_name: for an image: the object to sign explicitly.
        :raises InvalidParameterValue: it is not a temporary URL, or the method is unknown.
        """
        from osc_imgurl.check.checks import diagnose, diagnose_image

        cached: list[Entry] = []
        with contextlib.suppress(CacheFailed):
            cached = self.cache.entries()
        if names_url(image_or_url):
            return diagnose(image_or_url, self.settings, self.cloud, self._clock(), method=method,
                            cached=cached)
        return diagnose_image(image_or_url, self.settings, self.cloud, self._clock(),
                              method=method, object_name=object_name, cached=cached)

    def location(self, image: str) -> LocationReport:
        """Return a report of an image's locations, for an image of any status.

        :raises ImgurlError: as :meth:`osc_imgurl.glance.image_service.ImageService.find`.
        """
        return report_location(image, self.settings, self.glance, self.swift)

    def export(self, images: Sequence[str], consumer: str, options: URLOptions = URLOptions(), *,
               kernel_parameters: str | None = None, nodes: Sequence[str] = (),
               directory: pathlib.Path | None = None, link: LinkOptions = LinkOptions(),
               refresh: bool = False) -> Iterator[str | pathlib.Path | Failure]:
        """Yield the text for another tool, with new URLs for images, and a failure for each other.

        :param images: UUIDs, ``glance://host/UUID`` or names.
        :param consumer: one of :data:`osc_imgurl.export.CONSUMERS`.
        :param nodes: Ironic's nodes for the image. A revocable URL is for one node, and the note of
            its link is the node; other URLs are for all nodes.
        :param directory: write a file for each image there, and yield its path instead of the text.
        :param link: for revocable URLs.
        :raises InvalidParameterValue: the consumer cannot use these options, or the directory is
            impossible.
        """
        from osc_imgurl.export import ExportOptions, export

        self._validate_link(link)
        expiry(self.settings, options, self._clock())
        cloud, settings = self.cloud.memoized(), self.settings
        check, copies = NewURLCheck(settings, cloud), self._make_copier()
        links = self._make_linker(link)

        def make(image: Image, options: URLOptions, node: str | None) -> ImageTempURL:
            return self._warned_and_checked(create_for(
                image, options, cloud, settings, self._clock, cache=self._cache_in_use,
                copies=copies, links=links.noted(node) if links and node else links,
                refresh=refresh), check)

        asked = ExportOptions(consumer, kernel_parameters, nodes, settings.revocable, directory)
        return export(images, asked, options, make, self.glance)

    def _validate_link(self, link: LinkOptions) -> None:
        if link != LinkOptions() and not self.settings.revocable:
            raise InvalidParameterValue(
                'Only a revocable URL has a note and can be extended.', 'Make it revocable.',
                'revocable')

    def _warned_and_checked(self, made: ImageTempURL, check: NewURLCheck) -> ImageTempURL:
        for warning in made.warnings:
            LOG.warning('%s', warning)
        return check.check(made, self._clock()) if check.wanted(made) else made

    @property
    def _cache_in_use(self) -> Cache | None:
        return self.cache if self.settings.cache_enabled else None

    def _make_copier(self) -> Copier | None:
        return make_copier(self.settings, self.cloud, self._progress)

    def _make_linker(self, options: LinkOptions = LinkOptions()) -> LinkMaker | None:
        return LinkMaker(self.settings, options) if self.settings.revocable else None


def _offline() -> MissingParameterValue:
    return MissingParameterValue(
        'This needs authentication, to look up images in Glance and keys in Swift.')
