# SPDX-License-Identifier: Apache-2.0
"""See that a temporary URL which has just been made works."""

from __future__ import annotations

import threading

from osc_imgurl.errors import ImgurlError, TempURLRefused, logger
from osc_imgurl.locate.cloud import Cloud
from osc_imgurl.locate.place import NOT_TRIED, may_be_tried, swift_endpoint
from osc_imgurl.service import ImageTempURL
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.parse import parse

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
        """
        probe = self._cloud.probe
        if probe is None:
            self._warn('The URL is not checked: nobody can ask for it')
            return
        if made.method not in TRIED_METHODS:
            self._warn(f'A URL for {made.method} cannot be tried, and is not checked')
            return
        if not may_be_tried(made.place.path, self._cloud.object_store):
            self._warn(f'The URL is not checked: {NOT_TRIED}')
            return
        endpoint = swift_endpoint(made.place, self._cloud.object_store)
        url = endpoint + made.url.removeprefix(made.place.endpoint)
        answer = probe.ask(url)
        if answer.has_object(made.image.size):
            return
        # Takes a while to import, and a URL that works needs none of it.
        from osc_imgurl.check.checks import IP_RANGE, REQUEST, not_swift, other_size
        from osc_imgurl.check.diagnosis import cause, diagnose

        if answer.works:
            doubt = (not_swift(answer, endpoint) if answer.transaction is None
                     else other_size(made.image.size, answer.size))
            self._warn(f'It is not known whether the URL of image {made.image.id} works: {doubt}')
            return
        with self._lock:
            found = cause(diagnose(
                url, self._settings, self._cloud, now, method=made.method, answer=answer))
        if found is None or not answer.refused:
            known = found.detail if found else f'HTTP {answer.status}'
            if answer.remedy:
                known = ImgurlError(f'{known}.', *answer.remedy).message()
            self._warn(f'It is not known whether the URL works: {known}')
        elif found.check == IP_RANGE or (
                found.check == REQUEST and parse(made.url).ip_range is not None):
            self._warn(f'The URL works from its IP range only, and not from here: {found.detail}')
        else:
            # Perhaps the given endpoint is another cluster's.
            if endpoint != made.place.endpoint and (
                    probe.ask(made.url).has_object(made.image.size)):
                self._warn(f'The URL works at {made.place.endpoint}, and not at {endpoint}, the'
                           f' Swift of the catalog (HTTP {answer.status}): {found.detail}')
                return
            asked = '' if endpoint == made.place.endpoint else f' from {endpoint}'
            raise TempURLRefused(
                f'The URL of image {made.image.id} does not work (HTTP {answer.status}{asked}):'
                f' {found.detail}.', found.remedy, *found.names)

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            LOG.warning('%s', message)
        self._warned.add(message)
