# SPDX-License-Identifier: Apache-2.0
"""See that a temporary URL which has just been made works."""

from __future__ import annotations

import dataclasses
import threading

from osc_imgurl.check.facts import IP_RANGE, NOT_TRIED, REQUEST
from osc_imgurl.create import ImageTempURL
from osc_imgurl.errors import ImgurlError, ObjectMismatch, TempURLRefused, logger
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.probe import Answer, Probe
from osc_imgurl.target.store import Cloud, named_store

# With a HEAD; Swift takes one through a URL for POST too, and a RADOS Gateway does not.
TRIED_METHODS = ('GET', 'HEAD', 'PUT')

LOG = logger(__name__)


class NewURLCheck:
    """Asks Swift for each URL, and says why one does not work. Threads may share it.

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
        # The digest that works, by the endpoint of a cluster that does not say which it supports.
        self._digests: dict[str, str] = {}

    def wanted(self, made: ImageTempURL) -> bool:
        """Say whether a URL is to be checked: as given, else where anything was guessed."""
        given = self._settings.check
        return bool(made.guessed) if given is None else given

    def check(self, made: ImageTempURL, now: float) -> ImageTempURL:
        """Return a URL that works, or of which that is not known; a warning says so then.

        Of a URL that was signed with several digests it is the first that works. Only an answer of
        Swift's counts, with an object of the image's size.

        :param now: Unix time, seconds.
        :raises TempURLRefused: Swift answers 401, 403 or 404; the message says why.
        :raises ObjectMismatch: account or container was guessed, and the object there is not the
            image's.
        """
        probe, cluster = self._cloud.probe, made.target.endpoint.cluster
        if probe is None:
            self._warn('The URL is not checked: nobody can ask for it')
        elif made.method not in TRIED_METHODS:
            self._warn(f'A URL for {made.method} cannot be tried, and is not checked')
        elif not made.target.endpoint.may_be_tried:
            self._warn(f'The URL is not checked: {NOT_TRIED}')
        else:
            known = self._digests.get(cluster)
            for temp_url in made.better:
                if known in (None, temp_url.digest):
                    answer = probe.ask(temp_url.at(cluster).url)
                    if answer.has_object(made.image.size):
                        self._digests[cluster] = temp_url.digest
                        self._compare(made, answer)
                        return dataclasses.replace(made, temp_url=temp_url, better=())
            answer = probe.ask(made.temp_url.at(cluster).url)
            if made.better and answer.has_object(made.image.size):
                self._digests[cluster] = made.temp_url.digest
            self._judge(made, probe, answer, now)
        return made

    def _judge(self, made: ImageTempURL, probe: Probe, answer: Answer, now: float) -> None:
        """Accept an answer, warn of it, or raise an error."""
        if answer.works and answer.transaction is not None:
            self._compare(made, answer)
        if answer.has_object(made.image.size):
            return
        cluster = made.target.endpoint.cluster
        # Takes a while to import, and a URL that works needs none of it.
        from osc_imgurl.check.checks import diagnose, not_swift, other_size

        if answer.works:
            reason = (not_swift(answer, cluster) if answer.transaction is None
                      else other_size(made.image.size, answer.size))
            self._warn(f'It is not known whether the URL of image {made.image.id} works: {reason}')
            return
        with self._lock:
            store = named_store(made.target.store, self._settings, self._cloud.object_store)
            found = diagnose(
                made.temp_url.at(cluster).url, store.settings,
                dataclasses.replace(self._cloud, object_store=store.swift), now,
                method=made.method, answer=answer).first_failure
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
            given = made.target.endpoint.url
            there = None if given == cluster else probe.ask(made.url)
            if there and there.has_object(made.image.size):
                self._compare(made, there)
                self._warn(f'The URL works at {given}, and not at {cluster}, the'
                           f' Swift of the catalog (HTTP {answer.status}): {found.detail}')
                return
            asked = '' if given == cluster else f' from {cluster}'
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
