# SPDX-License-Identifier: Apache-2.0
"""The facts about a temporary URL, and the findings of the checks.

Each fact is looked up once, when a check needs it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Sequence

from osc_imgurl.cache.base import Entry, signature_fingerprint
from osc_imgurl.copies.container import CopyContainer
from osc_imgurl.copies.copy import Copy, image_id_of, is_container
from osc_imgurl.errors import ImgurlError, InvalidParameterValue, UntrustedLocation, sanitize
from osc_imgurl.glance.image import Image, is_uuid
from osc_imgurl.glance.location import Location, container_name
from osc_imgurl.links.link import Link, named
from osc_imgurl.links.link_container import LinkContainer
from osc_imgurl.settings.table import Settings
from osc_imgurl.settings.values import MAX_SEED
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.endpoint import OfflineSwift
from osc_imgurl.swift.probe import Answer
from osc_imgurl.target.resolve import session_account
from osc_imgurl.target.store import Cloud
from osc_imgurl.target.trust import container_of_its_own, find_trusted
from osc_imgurl.tempurl.endpoint import Endpoint, same_endpoint
from osc_imgurl.tempurl.explain import Signed, find_signed
from osc_imgurl.tempurl.signing import Key, signed_paths
from osc_imgurl.tempurl.url import ObjectPath, TempURL

PASS, FAIL, SKIPPED = 'pass', 'fail', 'skipped'
# The names of checks in use elsewhere.
IMAGE, STORE, SERVER, IP_RANGE, ACCOUNT, KEY, REQUEST = (
    'image', 'store', 'server', 'ip range', 'account', 'key', 'request')
# Seconds around now, to guess an altered expiry: most URLs checked are new, and work for a few
# days.
EXPIRED_SINCE = 86_400
EXPIRES_WITHIN = 8 * 86_400
GIVEN_KEY = 'the given key'
NOT_ASKED = 'no request is made'
RANGES = ('RADOS Gateways (seen of Ceph 16) send one byte too many for a range of a segmented'
          ' image: qemu-img, and others that read parts of it, may fail')
NOT_TRIED = ('the URL has no account, and this RADOS Gateway may expect one: some crash then, so'
             ' it is not tried')


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check found.

    :ivar result: :data:`PASS`, :data:`FAIL`, or :data:`SKIPPED` where the check does not apply,
        cannot be made, or means nothing after an earlier failure.
    :ivar detail: the result in words; sanitized, as the remedy is: it may quote a server or a name.
    :ivar remedy: what to do; empty if nothing is wrong, or nothing helps.
    :ivar names: what the remedy is about: see :func:`osc_imgurl.errors.advice`.
    :ivar check: the name of the check.
    :ivar error: the error, if the finding reports one.
    """

    result: str
    detail: str
    remedy: str = ''
    names: tuple[str, ...] = ()
    check: str = ''
    error: ImgurlError | None = dataclasses.field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ('detail', 'remedy'):
            object.__setattr__(self, name, sanitize(getattr(self, name)))


@dataclasses.dataclass(frozen=True)
class Report:
    """The findings about a URL.

    :ivar findings: of all checks, in Swift's order; only the cause if no URL could be made.
    """

    findings: tuple[Finding, ...]

    @property
    def first_failure(self) -> Finding | None:
        """The first check to fail: the cause; None if none fails."""
        return next((each for each in self.findings if each.result == FAIL), None)


def passed(detail: str) -> Finding:
    """Return that a check passes."""
    return Finding(PASS, detail)


def failed(detail: str, remedy: str, *names: str) -> Finding:
    """Return that a check fails, and what to do."""
    return Finding(FAIL, detail, remedy, names)


def failed_with(error: ImgurlError) -> Finding:
    """Return that a check fails with an error."""
    return Finding(
        FAIL, error.problem.removesuffix('.'), error.remedy, error.names, error=error)


def skipped(detail: str, remedy: str = '', *names: str) -> Finding:
    """Return why a check is not made, and what would help."""
    return Finding(SKIPPED, detail, remedy, names)


def not_swift(answer: Answer, endpoint: str) -> str:
    """Return that another server answers in place of Swift."""
    return (f'something else than Swift answers at {endpoint}'
            f' ({answer.server or "it does not say what"}, HTTP {answer.status}):'
            ' the answer has no X-Trans-Id')


def other_size(wanted: int | None, found: int | None) -> str:
    """Return how the size of an object differs from its image's, in bytes."""
    return (f'the image has {wanted} bytes, and '
            + ('the answer does not say how many the object has' if found is None
               else f'the object {found}'))


@dataclasses.dataclass(frozen=True)
class Origin:
    """The signed text of a signature, and its key.

    :ivar key: its slot, :data:`GIVEN_KEY`, or empty if only its fingerprint is known.
    """

    signed: Signed
    key: str
    key_fingerprint: str


@dataclasses.dataclass(frozen=True)
class Keys:
    """The keys in the slots of a URL's account and container.

    :ivar unseen: why they cannot be read; else empty.
    :ivar container: whether the container exists.
    """

    by_slot: dict[str, Key]
    unseen: str = ''
    container: bool = True


@dataclasses.dataclass(frozen=True)
class Facts:
    """A temporary URL and its cloud; each property is looked up once.

    :ivar path: the object of the URL.
    :ivar url: the URL as given; None if none could be signed.
    :ivar parsed: the same, taken apart.
    :ivar method: the method for which the URL will be used.
    :ivar now: Unix time, seconds.
    :ivar cloud: its Swift is that of the image's store.
    :ivar cached: the entries of the cache; untrusted users may have written them.
    :ivar known_image: the image, if it was found before.
    :ivar known_answer: the answer to a HEAD through the URL, if there was one before.
    :ivar own: whether the URL was created here, for an endpoint of the catalog or the settings.
    :ivar no_key: why there is no key to sign a URL.
    """

    path: ObjectPath
    endpoint: Endpoint
    method: str
    now: float
    settings: Settings
    cloud: Cloud
    url: str | None = dataclasses.field(default=None, repr=False)
    parsed: TempURL | None = None
    cached: Sequence[Entry] = ()
    known_image: Image | None = None
    known_answer: Answer | None = None
    own: bool = False
    no_key: ImgurlError | None = None

    @functools.cached_property
    def answer(self) -> Answer:
        """The answer to a HEAD through the URL."""
        if self.url is None:
            return Answer(None, 'no URL could be signed')
        if not self.endpoint.may_be_tried:
            return Answer(None, NOT_TRIED)
        if self.known_answer:
            return self.known_answer
        if self.cloud.probe is None:
            return Answer(None, NOT_ASKED)
        if self.foreign:
            return Answer(None, self.foreign)
        return self.cloud.probe.ask(self.url)

    @functools.cached_property
    def foreign(self) -> str:
        """Why an answer of the URL's endpoint would prove nothing; else empty.

        An untrusted user can write a URL for a server of their own, and that answers anything.
        """
        given, store = self.settings.endpoint_url, self.cloud.object_store
        if self.own or (given and same_endpoint(self.endpoint.url, given)):
            return ''
        why = 'no setting and no catalog names it'
        try:
            if store.has_endpoint(self.endpoint.url):
                return ''
        except ImgurlError as error:
            why = f'no setting names it, and {error.problem}'
        return f'{self.endpoint} is a foreign endpoint and is not asked: {why}'

    @functools.cached_property
    def image(self) -> Image | str:
        """The image, or why it is not known."""
        if self.known_image:
            return self.known_image
        name = self.path.object
        image_id = (self.named_link[1] if self.named_link
                    else image_id_of(name) if self.copy_container else name)
        if image_id is None or not is_uuid(image_id):
            return 'the object\'s name is no image\'s ID'
        try:
            return self.cloud.images.find_id(image_id)
        except ImgurlError as error:
            return str(error)

    @functools.cached_property
    def named_link(self) -> tuple[str, str] | None:
        """The IDs of the URL's link and its image; None if the URL is not for a link."""
        return named(self.path)

    @functools.cached_property
    def link(self) -> Link | None:
        """The URL's link; None if there is none, or these credentials cannot see it."""
        store, path = self.cloud.object_store, self.path
        if self.named_link and not isinstance(store, OfflineSwift):
            with contextlib.suppress(ImgurlError):
                links = LinkContainer(self.settings, store)
                if (path.account, path.container) == (links.account, links.container.name):
                    return links.find(path.object)
        return None

    @functools.cached_property
    def copy_container(self) -> CopyContainer | None:
        """The container for copies, if the URL is for an object in it."""
        if not is_container(self.path.container, self.settings.copy_container):
            return None
        with contextlib.suppress(ImgurlError):
            container = CopyContainer(self.settings, self.cloud.object_store)
            path = container.target(self.path.object).path
            if (path.account, path.container) == (self.path.account, self.path.container):
                return container
        return None

    @functools.cached_property
    def copy(self) -> Copy | ImgurlError | None:
        """The copy of the URL, or why it is not known; None if there is none.

        InvalidParameterValue: another object has its name.
        """
        try:
            return self.copy_container.find(self.path.object) if self.copy_container else None
        except ImgurlError as error:
            return error

    @functools.cached_property
    def location(self) -> Location | UntrustedLocation | None:
        """The image's trusted location in Swift, or why none is trusted; None if none is shown."""
        if not isinstance(self.image, Image) or self.copy_container or self.named_link:
            return None
        try:
            return find_trusted(self.image, self.settings, self.cloud.object_store)
        except UntrustedLocation as error:
            return error

    @property
    def located(self) -> Location | None:
        """The image's trusted location in Swift, if there is one."""
        return self.location if isinstance(self.location, Location) else None

    @functools.cached_property
    def capabilities(self) -> Capabilities | str:
        """The capabilities of the cluster, or why they are not known."""
        if self.cloud.offline:
            return 'Without authentication the cluster is not asked.'
        try:
            return self.cloud.object_store.capabilities(self.endpoint)
        except ImgurlError as error:
            return str(error)

    @functools.cached_property
    def keys(self) -> Keys:
        """The keys of the account and the container."""
        store, path = self.cloud.object_store, self.path
        try:
            of_container = (store.container_keys(path.account, path.container)
                            if self.endpoint.container_keys else {})
            of_account = store.account_keys(path.account) or {}
        except ImgurlError as error:
            return Keys({}, error.problem)
        found = {**(of_container or {}), **of_account}
        return Keys({str(slot): key for slot, key in found.items()},
                    container=of_container is not None)

    @functools.cached_property
    def accounts(self) -> list[str]:
        """Accounts that may have the object: the URL's, the given one, and the session's."""
        found = [self.path.account, self.settings.account]
        if self.path.account is not None:
            with contextlib.suppress(ImgurlError):
                found.append(session_account(self.settings, self.cloud.object_store))
        return list(dict.fromkeys(filter(None, found)))

    @functools.cached_property
    def other_containers(self) -> list[str]:
        """The account's other containers that Glance's rules allow for this object."""
        name, base = self.path.object, self.settings.container
        if not is_uuid(name):
            return []
        by_rule = {container_of_its_own(name, self.settings),
                   *(container_name(base, name, seed) for seed in range(MAX_SEED + 1))}
        try:
            listed = self.cloud.object_store.names(self.path.account)
        except ImgurlError:
            return []
        return [each for each in listed if each in by_rule and each != self.path.container]

    def holds(self, account: str | None, container: str) -> bool | None:
        """Say whether the object is there; None if these credentials cannot see it."""
        try:
            return self.cloud.object_store.find_object(
                account, container, self.path.object) is not None
        except ImgurlError:
            return None

    @functools.cached_property
    def in_its_place(self) -> bool | None:
        """Whether the object is at the URL's path; None if these credentials cannot see it."""
        if self.answer.works:
            return True
        if self.answer.status == 404:
            return False
        return self.holds(self.path.account, self.path.container)

    @functools.cached_property
    def origin(self) -> Origin | None:
        """The signed text, and its key; None if unknown."""
        url = self.parsed
        if url is None:
            return None
        keys = dict(self.keys.by_slot)
        if self.settings.key:
            keys.setdefault(GIVEN_KEY, self.settings.key)
        remembered = self._remembered(url)
        found = None
        if remembered:
            # The cache is untrusted: a key must confirm it.
            entry, made = remembered
            found = find_signed(made, keys, [made.path.container_path + entry.image_id])
        found = found or find_signed(url, keys)
        if found is None and not self.answer.works:
            found = find_signed(
                url, keys, self._other_paths(),
                range(int(self.now) - EXPIRED_SINCE, int(self.now) + EXPIRES_WITHIN))
        if found is not None:
            fingerprint = keys[found[0]].fingerprint
            return Origin(found[1], self._slot_of(fingerprint) or found[0], fingerprint)
        if remembered is None or entry.key_fingerprint in (
                key.fingerprint for key in keys.values()):
            return None
        # The key is gone, or cannot be read.
        return Origin(Signed(entry.method, made.expires, signed_paths(made)[0], made.ip_range,
                             made.prefix), '', entry.key_fingerprint)

    def _remembered(self, url: TempURL) -> tuple[Entry, TempURL] | None:
        """Return the cache's entry of a signature, and the URL that it describes."""
        wanted = signature_fingerprint(url.signature)
        for entry in self.cached:
            # An untrusted user wrote an entry with an invalid path.
            with contextlib.suppress(InvalidParameterValue):
                if entry.signature_fingerprint == wanted:
                    return entry, dataclasses.replace(
                        url, expires=entry.expires, path=dataclasses.replace(
                            url.path, account=entry.account, container=entry.container))
        return None

    def _slot_of(self, fingerprint: str) -> str:
        return next((slot for slot, key in self.keys.by_slot.items()
                     if key.fingerprint == fingerprint), '')

    def _other_paths(self) -> list[str]:
        """Other paths, possibly signed: in other accounts and containers, and in this one."""
        path = self.path
        containers = {path.container, *self.other_containers}
        if self.located and self.located.container:
            containers.add(self.located.container)
        accounts: list[str | None] = [*self.accounts] or [path.account]
        places = [dataclasses.replace(path, account=account, container=container)
                  for account in accounts for container in containers]
        names: list[str] = []
        with contextlib.suppress(ImgurlError):
            names = self.cloud.object_store.names(path.account, path.container)
        # An untrusted user may have given an object an odd name (``/``).
        return [*map(str, places), *(path.container_path + name for name in names)]
