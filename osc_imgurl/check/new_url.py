# SPDX-License-Identifier: Apache-2.0
"""Does a new temporary URL work?"""

from __future__ import annotations

import dataclasses
import threading

from osc_imgurl.check.facts import (
    IP_RANGE,
    NOT_TRIED,
    RANGES,
    REQUEST,
    Finding,
    not_swift,
    other_size,
)
from osc_imgurl.create import ImageTempURL
from osc_imgurl.errors import ImgurlError, ObjectMismatch, TempURLRefused, logger
from osc_imgurl.links.link_container import discard
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.probe import Answer, Probe
from osc_imgurl.target.store import Cloud, Store, named_store

# With a HEAD; Swift accepts one through a URL for POST too, and a RADOS Gateway does not.
TRIED_METHODS = ('GET', 'HEAD', 'PUT')

LOG = logger(__name__)


class NewURLCheck:
    """Tries new URLs at Swift. Threads may share it.

    A URL may name another host than the catalog, such as a caching proxy's. It works if Swift
    itself accepts it: the host is not signed.

    :param settings: those of the new URLs.
    :param cloud: its probe makes the requests.
    """

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        self._settings = settings
        self._cloud = cloud
        self._lock = threading.Lock()
        self._warned: set[str] = set()
        # The digest that works, by the endpoint of a cluster without a list of them.
        self._digests: dict[str, str] = {}

    def wanted(self, made: ImageTempURL) -> bool:
        """Say whether to check a URL: as given, else if anything was guessed."""
        given = self._settings.check
        return bool(made.guessed) if given is None else given

    def check(self, made: ImageTempURL, now: float) -> ImageTempURL:
        """Return the URL with the first digest that works; log a warning if none is known to work.

        The requests are made here; :func:`classify` judges the answers.

        :param now: Unix time, seconds.
        :raises TempURLRefused, ObjectMismatch: as :func:`classify`.
        """
        try:
            return self._check(made, now)
        except ImgurlError:
            if made.link:
                store = self._store(made)
                discard(made.link, store.settings, store.swift)
            raise

    def _check(self, made: ImageTempURL, now: float) -> ImageTempURL:
        probe, endpoint = self._cloud.probe, made.target.endpoint
        if probe is None:
            self._warn('The URL is not checked: no request can be made')
        elif made.method not in TRIED_METHODS:
            self._warn(f'A URL for {made.method} cannot be tried, and is not checked')
        elif not endpoint.may_be_tried:
            self._warn(f'The URL is not checked: {NOT_TRIED}')
        else:
            made, answer = self._try(made, probe)
            cause = None if answer.works else self._diagnose(made, answer, now)
            # Perhaps the given endpoint is another cluster's.
            ask_there = answer.refused and endpoint.url != endpoint.cluster
            there = probe.ask(made.url) if ask_there else None
            for warning in classify(made, answer, cause, there):
                self._warn(warning)
        return made

    def _store(self, made: ImageTempURL) -> Store:
        return named_store(made.target.store, self._settings, self._cloud.object_store)

    def _try(self, made: ImageTempURL, probe: Probe) -> tuple[ImageTempURL, Answer]:
        """Return the URL with the first digest that works, else with the surest; and the answer."""
        cluster = made.target.endpoint.cluster
        known = self._digests.get(cluster)
        better = (each for each in made.better if known in (None, each.digest))
        for temp_url in (*better, made.temp_url):
            answer = probe.ask(temp_url.at(cluster).url)
            if answer.has_object(made.image.size):
                if made.better:
                    self._digests[cluster] = temp_url.digest
                break
        return dataclasses.replace(made, temp_url=temp_url, better=()), answer

    def _diagnose(self, made: ImageTempURL, answer: Answer, now: float) -> Finding | None:
        # Takes a while to import, and a URL that works needs none of it.
        from osc_imgurl.check.checks import diagnose

        with self._lock:
            store = self._store(made)
            return diagnose(
                made.temp_url.at(made.target.endpoint.cluster), store.settings,
                dataclasses.replace(self._cloud, object_store=store.swift), now,
                method=made.method, answer=answer).first_failure

    def _warn(self, message: str | ImgurlError) -> None:
        if str(message) not in self._warned:
            LOG.warning('%s', message)
        self._warned.add(str(message))


def classify(made: ImageTempURL, answer: Answer, cause: Finding | None = None,
             there: Answer | None = None) -> list[str | ImgurlError]:
    """Return the warnings about a new URL; none if it works.

    It works if Swift itself answers with an object of the image's size.

    :param answer: of the cluster.
    :param cause: the first check to fail, if the answer does not work.
    :param there: the answer of the given endpoint, if that is another and the cluster refuses.
    :raises TempURLRefused: Swift answers 401, 403 or 404; the message says why.
    :raises ObjectMismatch: account or container was guessed, and the object there is not the
        image's.
    """
    image, endpoint = made.image, made.target.endpoint
    if answer.works and answer.transaction is None:
        return [_unverified(made, not_swift(answer, endpoint.cluster))]
    if answer.works:
        warnings: list[str | ImgurlError] = [*_compare(made, answer)]
        if answer.segmented and endpoint.radosgw:
            warnings.append(ImgurlError(f'{RANGES}.', 'Have the image copied.', 'copy'))
        if not answer.has_object(image.size):
            warnings.append(_unverified(made, other_size(image.size, answer.size)))
        return warnings
    detail = cause.detail if cause else f'HTTP {answer.status}'
    if there and there.has_object(image.size):
        return [*_compare(made, there),
                f'The URL works at {endpoint}, and not at {endpoint.cluster}, the Swift of the'
                f' catalog (HTTP {answer.status}): {detail}']
    if cause is None or not answer.refused:
        known = ImgurlError(f'{detail}.', *answer.remedy).message() if answer.remedy else detail
        return [f'Could not verify the URL: {known}']
    if cause.check == IP_RANGE or (
            cause.check == REQUEST and made.temp_url.ip_range is not None):
        return [f'The URL works from its IP range only, and not from here: {detail}']
    asked = '' if there is None else f' from {endpoint.cluster}'
    raise TempURLRefused(
        f'The URL of image {image} does not work (HTTP {answer.status}{asked}): {detail}.',
        cause.remedy, *cause.names)


def _unverified(made: ImageTempURL, reason: str) -> str:
    return f'Could not verify the URL of image {made.image}: {reason}'


def _compare(made: ImageTempURL, answer: Answer) -> list[str]:
    """Compare the object with the image, if account or container was guessed.

    An untrusted user with rights on the account can make an object of any name and size there.
    """
    image, path = made.image, made.target.path
    names = [name for name in ('account', 'container') if name in made.guessed]
    if not names or path.object != image.id:
        return []
    guessed = f'its {" and ".join(names)} in Swift, which Glance does not show,'
    same = image.has_data(answer.size, answer.md5)
    if same is False:
        raise ObjectMismatch(
            f'The object at {path} is not the data of image {image} ({answer.size} bytes,'
            f' MD5 {answer.md5}; Glance says {image.size} bytes, {image.checksum}):'
            f' {guessed} was guessed.', 'Give account and container, or have the image copied.',
            'account', 'container', 'copy')
    if same is None and answer.has_object(image.size):
        return [f'Could not verify that the URL is for the data of image {image}: {guessed}'
                ' was guessed, and the object has no MD5 to compare with Glance\'s checksum']
    return []
