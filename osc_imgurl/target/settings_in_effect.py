# SPDX-License-Identifier: Apache-2.0
"""Which settings are in effect, and where each came from, looked-up ones included."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from osc_imgurl.errors import ImgurlError
from osc_imgurl.glance.location import MASK
from osc_imgurl.settings.table import BY_NAME, TABLE, Settings
from osc_imgurl.swift.capabilities import PREFERRED_DIGESTS, negotiate_digest
from osc_imgurl.target.cloud import Cloud, OfflineSwift
from osc_imgurl.target.resolve import Target, cluster_endpoint, endpoint_and_type, own_account
from osc_imgurl.target.signing_key import find_key
from osc_imgurl.target.stores import in_store
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

if TYPE_CHECKING:
    from osc_imgurl.target.cloud import Swift


@dataclasses.dataclass(frozen=True)
class SettingInEffect:
    """A setting, its value for people (secrets masked), and where that came from."""

    name: str
    value: Any
    source: str


def settings_in_effect(settings: Settings, object_store: Swift,
                       call: Callable[[str], str] = str) -> list[SettingInEffect]:
    """Return all settings, given and looked up as for a temporary URL; nothing is signed.

    They are those of the given store. Where none is given, they are those of all images, and behind
    them what is given for each store.

    A look-up that fails is no error: the source says then why there is no value.

    :param call: what a user calls a setting: see :func:`osc_imgurl.errors.advice`.
    """
    settings, cloud = in_store(settings, Cloud(object_store=object_store), settings.store)
    object_store = cloud.object_store
    found = {row.name: row for row in _look_up(settings, object_store, call)}
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


def _look_up(settings: Settings, object_store: Swift,
             call: Callable[[str], str]) -> list[SettingInEffect]:
    """Return what is not given and is looked up, each on its own."""
    def attempt(name: str, look_up: Callable[[], tuple[Any, str]]) -> SettingInEffect:
        try:
            value, source = look_up()
        except ImgurlError as error:
            return SettingInEffect(name, None, f'not found: {error.message(call)}')
        return SettingInEffect(name, _shown(name, value), source)

    def target() -> Target:
        endpoint, _ = endpoint_and_type(settings, object_store)
        account = own_account(settings, object_store)
        # The container of a sharded store depends on the image; any name serves for the rest.
        return Target(endpoint, ObjectPath(account, settings.container, 'image'))

    def digest() -> tuple[str, str]:
        if isinstance(object_store, OfflineSwift):
            return PREFERRED_DIGESTS[0], 'default'
        endpoint = cluster_endpoint(target().endpoint, object_store)
        return negotiate_digest(endpoint, object_store.capabilities(endpoint), 'GET'), 'cluster'

    def key() -> tuple[Key, str]:
        slot, value = find_key(target(), object_store,
                               ask_container=not settings.multiple_containers_seed)
        return value, str(slot)

    def endpoint(index: int) -> tuple[str, str]:
        return (endpoint_and_type(settings, object_store)[index],
                'catalog' if object_store.find_storage_url() else 'default')

    rows = [attempt('endpoint_url', lambda: endpoint(0)),
            attempt('endpoint_type', lambda: endpoint(1)),
            attempt('account', lambda: (own_account(settings, object_store),
                                        'project of the session'))]
    if not settings.digest:
        rows.append(attempt('digest', digest))
    if not settings.key:
        rows.append(attempt('key', key))
    return rows


def _shown(name: str, value: Any) -> Any:
    if BY_NAME[name].secret and value:
        return f'{MASK} (fingerprint {value.fingerprint})' if isinstance(value, Key) else MASK
    return ','.join(value) if isinstance(value, tuple) else value
