# SPDX-License-Identifier: Apache-2.0
"""See that a temporary URL which has just been made works."""

from __future__ import annotations

import threading
from collections.abc import Callable

from osc_imgurl.errors import ImgurlError, ObjectMismatch, TempURLRefused, logger
from osc_imgurl.service import ImageTempURL, TempURLService
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.probe import Answer
from osc_imgurl.target.cloud import Cloud
from osc_imgurl.target.resolve import NOT_TRIED, may_be_tried, swift_endpoint
from osc_imgurl.target.stores import in_store
from osc_imgurl.tempurl.options import URLOptions

# With a HEAD; Swift takes one through a URL for POST too, and a RADOS Gateway does not.
TRIED_METHODS = ('GET', 'HEAD', 'PUT')

LOG = logger(__name__)


class NewURLCheck:
    """Asks Swift once for each URL, and says why one does not work. Threads may share it.

    A URL that names another host than the catalog, such as a caching proxy's, is good if Swift
    itself takes it: the host is no part of what is signed.

    :param settings: those that the URLs were made with.
    :param cloud: who can be asked; its probe makes the requests.
    """

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        self._settings = settings
        self._cloud = cloud
        self._lock = threading.Lock()
        self._warned: set[str] = set()

    def wanted(self, made: ImageTempURL) -> bool:
        """Say whether a URL is to be checked: as given, else where anything was guessed."""
        given = self._settings.check
        return bool(made.guessed) if given is None else given

    def check(self, made: ImageTempURL, now: float) -> None:
        """Accept a URL that works, or of which that is not known; a warning says so then.

        Only an answer of Swift's counts, with an object of the image's size.

        :param now: Unix time, seconds.
        :raises TempURLRefused: Swift answers 401, 403 or 404; the message says why.
        :raises ObjectMismatch: account or container was guessed, and the object there is not the
            image's.
        """
        answer = self._ask(made, self._endpoint(made))
        if answer:
            self._judge(made, answer, now)

    def create(self, service: TempURLService, image: str, request: URLOptions,
               clock: Callable[[], float], refresh: bool = False) -> ImageTempURL:
        """Return a temporary URL for an image, checked where that is wanted.

        Swift's answer to the URL says too whether it takes the digest. So ``/info`` is asked only
        where the URL does not work, or is not tried.

        :param service: made of the same settings and cloud; the others as for its ``create``.
        :param clock: tells the Unix time, in seconds.
        :raises TempURLRefused, ObjectMismatch: as :meth:`check`.
        :raises ImgurlError: as :meth:`osc_imgurl.service.TempURLService.create`.
        """
        tried = self._settings.check is not False and self._cloud.probe is not None
        made = service.create(image, request, clock(), refresh, presume=tried)
        if not self.wanted(made):
            return made
        answer = self._ask(made, self._endpoint(made))
        if answer and not answer.has_object(made.image.size):
            negotiated = service.negotiated(made, request, clock())
            if negotiated.temp_url.digest != made.temp_url.digest:
                made, answer = negotiated, self._ask(negotiated, self._endpoint(negotiated))
        if answer:
            self._judge(made, answer, clock())
        return made

    def _endpoint(self, made: ImageTempURL) -> str:
        _, cloud = in_store(self._settings, self._cloud, made.target.store)
        return swift_endpoint(made.target, cloud.object_store)

    def _ask(self, made: ImageTempURL, endpoint: str) -> Answer | None:
        """Return what a URL answers at an endpoint; None where it is not tried, with a warning."""
        if self._cloud.probe is None:
            self._warn('The URL is not checked: nobody can ask for it')
        elif made.method not in TRIED_METHODS:
            self._warn(f'A URL for {made.method} cannot be tried, and is not checked')
        elif not may_be_tried(made.target.path, self._cloud.object_store):
            self._warn(f'The URL is not checked: {NOT_TRIED}')
        else:
            return self._cloud.probe.ask(made.temp_url.at(endpoint).url)
        return None

    def _judge(self, made: ImageTempURL, answer: Answer, now: float) -> None:
        if answer.works and answer.transaction is not None:
            self._compare(made, answer)
        if answer.has_object(made.image.size):
            return
        endpoint = self._endpoint(made)
        url = made.temp_url.at(endpoint).url
        # Takes a while to import, and a URL that works needs none of it.
        from osc_imgurl.check.checks import IP_RANGE, REQUEST, not_swift, other_size
        from osc_imgurl.check.diagnosis import cause, diagnose

        if answer.works:
            reason = (not_swift(answer, endpoint) if answer.transaction is None
                      else other_size(made.image.size, answer.size))
            self._warn(f'It is not known whether the URL of image {made.image.id} works: {reason}')
            return
        with self._lock:
            settings, cloud = in_store(self._settings, self._cloud, made.target.store)
            found = cause(diagnose(url, settings, cloud, now, method=made.method, answer=answer))
        if found is None or not answer.refused:
            known = found.detail if found else f'HTTP {answer.status}'
            if answer.remedy:
                known = ImgurlError(f'{known}.', *answer.remedy).message()
            self._warn(f'It is not known whether the URL works: {known}')
        elif found.check == IP_RANGE or (
                found.check == REQUEST and made.temp_url.ip_range is not None):
            self._warn(f'The URL works from its IP range only, and not from here: {found.detail}')
        else:
            # Perhaps the given endpoint is another cluster's.
            there = None if endpoint == made.target.endpoint else self._ask(
                made, made.target.endpoint)
            if there and there.has_object(made.image.size):
                self._compare(made, there)
                self._warn(f'The URL works at {made.target.endpoint}, and not at {endpoint}, the'
                           f' Swift of the catalog (HTTP {answer.status}): {found.detail}')
                return
            asked = '' if endpoint == made.target.endpoint else f' from {endpoint}'
            raise TempURLRefused(
                f'The URL of image {made.image.id} does not work (HTTP {answer.status}{asked}):'
                f' {found.detail}.', found.remedy, *found.names)

    def _compare(self, made: ImageTempURL, answer: Answer) -> None:
        """Accept an object that is the image's, or was named explicitly.

        Whoever may write in an account can make an object of any name and size there.
        """
        image, path = made.image, made.target.path
        names = [name for name in ('account', 'container') if name in made.guessed]
        if not names or path.object != image.id:
            return
        guessed = f'its {" and ".join(names)} in Swift, which Glance does not show,'
        same = image.has_data(answer.size, answer.md5)
        if same is None and answer.has_object(image.size):
            self._warn(f'Could not verify that the URL is for the data of image {image.id}:'
                       f' {guessed} was guessed, and the object has no MD5 to compare with'
                       ' Glance\'s checksum')
        elif same is False:
            raise ObjectMismatch(
                f'The object at {path} is not the data of image {image.id} ({answer.size} bytes,'
                f' MD5 {answer.md5}; Glance says {image.size} bytes, {image.checksum}):'
                f' {guessed} was guessed.', 'Give account and container, or have the image copied.',
                'account', 'container', 'copy')

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            LOG.warning('%s', message)
        self._warned.add(message)
