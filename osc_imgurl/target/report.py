# SPDX-License-Identifier: Apache-2.0
"""Reports for people: an image's location, and the settings in effect."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from osc_imgurl.errors import (
    ImageNotAuthorized,
    ImageNotFound,
    ImgurlError,
    MissingParameterValue,
    logger,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import MASK, Location
from osc_imgurl.settings.table import BY_NAME, TABLE, Settings, for_store
from osc_imgurl.swift.answers import PREFERRED_DIGESTS
from osc_imgurl.swift.endpoint import find_endpoint, known_endpoint
from osc_imgurl.target.resolve import Target, find_key, own_account, resolve
from osc_imgurl.target.store import Store, choose_store, named_store
from osc_imgurl.target.trust import (
    container_by_rule,
    distrust_reason,
    is_keystone,
    locations_in_swift,
)
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

if TYPE_CHECKING:
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.swift.endpoint import Swift
    from osc_imgurl.swift.object_store import ObjectStore

LOG = logger(__name__)


@dataclasses.dataclass(frozen=True)
class LocationReport:
    """An image's locations, and what follows from them for its URL.

    :ivar source: of the locations: ``locations``, ``direct_url``, ``get locations call``;
        ``settings`` if this cloud shows none.
    :ivar trusted: the location for URLs; None if all in Swift are untrusted.
    :ivar targets: for each trusted location, its store and the start of its URL.
    :ivar untrusted: for each untrusted location in Swift, its URI and the reason.
    :ivar scheme: the trusted location's, else the first one's; None if none is shown.
    :ivar account: the trusted location's, else the settings' or the session's; None if all shown
        locations are untrusted.
    :ivar container: likewise, else by the sharding rule.
    :ivar container_by_rule: by the settings and the sharding rule.
    :ivar container_agrees: whether the trusted location and the rule name the same container;
        None without a trusted location.
    :ivar direct_read_allowed: whether the settings allow reading the location directly.
    """

    image: Image
    source: str
    locations: tuple[Location, ...]
    trusted: Location | None
    targets: tuple[str, ...]
    untrusted: tuple[str, ...]
    scheme: str | None
    account: str | None
    container: str | None
    object: str | None
    container_by_rule: str
    container_agrees: bool | None
    direct_read_allowed: bool


def report_location(image: str, settings: Settings, images: ImageService,
                    object_store: ObjectStore) -> LocationReport:
    """Return a report of an image's locations, for an image of any status.

    If the image shows no location, the report gives the target by the settings.

    :raises ImgurlError: as :meth:`osc_imgurl.glance.image_service.ImageService.find`.
    """
    found = images.find(image)
    source, locations = 'settings', found.shown_locations
    if locations:
        source = 'locations' if found.locations else 'direct_url'
        if any(is_keystone(location.auth_url, object_store)
               or (location.in_s3 and location.has_credentials) for location in locations):
            LOG.warning('This cloud shows the password of its image store to every user of image'
                        ' %s. Its operator can hide it in glance-api.conf:'
                        ' show_multiple_locations and show_image_direct_url off, or for Swift'
                        ' swift_store_config_file', found)
    else:
        # For service and admin users only; older Glances lack it.
        with contextlib.suppress(ImageNotAuthorized, ImageNotFound):
            locations = images.locations(found.id)
            source = 'get locations call' if locations else source
    judged = dataclasses.replace(found, locations=locations)
    reasons = {
        location: distrust_reason(
            location, found.id, for_store(settings, location.store), object_store)
        for location in locations_in_swift(judged, settings, object_store)}
    targets = tuple(_targets(
        judged, [location for location, reason in reasons.items() if not reason], settings,
        object_store))
    store = choose_store(judged, settings, object_store)
    settings, trusted = store.settings, store.location
    rule = container_by_rule(found.id, settings, trusted)
    account, container, object_name = None, None, None
    if trusted:
        container, object_name = trusted.container, trusted.object
    elif not locations:
        container, object_name = rule, found.id
    if container:
        with contextlib.suppress(MissingParameterValue):
            account = resolve(judged, store).path.account
    return LocationReport(
        targets=targets,
        image=found, source=source, locations=locations, trusted=trusted,
        untrusted=tuple(
            f'{location.url}: {reason}' for location, reason in reasons.items() if reason),
        scheme=next((each.scheme for each in (trusted, *locations) if each), None),
        account=account,
        container=container,
        object=object_name,
        container_by_rule=rule,
        container_agrees=trusted.container == rule if trusted else None,
        direct_read_allowed=any(each.scheme in settings.allowed_direct_url_schemes
                                for each in locations))


def _targets(image: Image, trusted: Iterable[Location], settings: Settings,
             swift: Swift) -> Iterator[str]:
    for location in trusted:
        store = dataclasses.replace(
            named_store(location.store, settings, swift), location=location)
        with contextlib.suppress(MissingParameterValue):
            target = resolve(image, store)
            name = f'{location.store}: ' if location.store else ''
            yield f'{name}{target.endpoint}{target.path}'


@dataclasses.dataclass(frozen=True)
class SettingInEffect:
    """A setting, its value for people (secrets masked), and its source."""

    name: str
    value: Any
    source: str


def settings_in_effect(settings: Settings, object_store: Swift,
                       call: Callable[[str], str] = str) -> list[SettingInEffect]:
    """Return all settings, given and looked up, as for a new temporary URL.

    They are the given store's. Without one, they are those for all images, and then the ones given
    for each store.

    If a look-up fails, the row's source says why there is no value.

    :param call: returns the user's name for a setting: see :func:`osc_imgurl.errors.advice`.
    """
    store = named_store(settings.store, settings, object_store)
    settings = store.settings
    found = {row.name: row for row in _look_up(store, call)}
    rows = []
    for setting in TABLE:
        value = getattr(settings, setting.name)
        source = settings.sources.get(setting.name)
        if source:
            rows.append(SettingInEffect(setting.name, _shown(setting.name, value), str(source)))
        else:
            rows.append(found.get(setting.name) or SettingInEffect(
                setting.name, _shown(setting.name, value), 'default'))
    rows += [SettingInEffect(f'stores.{store}.{name}', _shown(name, getattr(own, name)),
                             str(source))
             for store, own in settings.stores.items() for name, source in own.sources.items()
             if source != settings.sources.get(name)]
    return rows


def _look_up(store: Store, call: Callable[[str], str]) -> list[SettingInEffect]:
    """Return the settings not given, each looked up on its own."""
    settings, swift = store.settings, store.swift

    def attempt(name: str, look_up: Callable[[], tuple[Any, str]]) -> SettingInEffect:
        try:
            value, source = look_up()
        except ImgurlError as error:
            return SettingInEffect(name, None, f'not found: {error.message(call)}')
        return SettingInEffect(name, _shown(name, value), source)

    def target() -> Target:
        endpoint, account = find_endpoint(settings, swift), own_account(settings, swift)
        # The account's keys do not depend on the object's name.
        return Target(endpoint, ObjectPath(account, settings.container, 'image'))

    def digest() -> tuple[str, str]:
        if not (swift.find_storage_url() or settings.endpoint_url):
            return PREFERRED_DIGESTS[0], 'default'
        supported = swift.capabilities(find_endpoint(settings, swift))
        return supported.choose_digests(None, 'GET')[-1], looked_up_at('cluster')

    def key() -> tuple[Key, str]:
        slot, value = find_key(target(), swift, ask_container=not settings.many_containers)
        return value, str(slot)

    def looked_up_at(source: str) -> str:
        return source if swift.find_storage_url() else 'default'

    rows = [attempt('endpoint_url', lambda: (find_endpoint(settings, swift).url,
                                             looked_up_at('catalog'))),
            attempt('endpoint_type', lambda: (find_endpoint(settings, swift).type,
                                              looked_up_at('catalog'))),
            attempt('account', lambda: _account(settings, swift))]
    if not settings.digest:
        rows.append(attempt('digest', digest))
    if not settings.key:
        rows.append(attempt('key', key))
    return rows


def _account(settings: Settings, swift: Swift) -> tuple[str | None, str]:
    """Return the session's own account, and its source."""
    account = own_account(settings, swift)
    named = settings.account_prefix is None and account == known_endpoint(settings, swift)[1]
    return account, 'catalog' if named else 'project of the session'


def _shown(name: str, value: Any) -> Any:
    if BY_NAME[name].secret and value:
        return f'{MASK} (fingerprint {value.fingerprint})' if isinstance(value, Key) else MASK
    return ','.join(value) if isinstance(value, tuple) else value
