# SPDX-License-Identifier: Apache-2.0
"""The slots in which Swift keeps temporary URL keys: look at them, fill them, rotate them.

An account and a container have two slots each, and a URL is good while the key that signed it
is in any of the four. A rotation puts the new key into slot 2 and keeps the one in use in slot
1, until it is finished; then the new key is in slot 1 and slot 2 is empty.
"""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING

from osc_imgurl.errors import InvalidParameterValue, MissingParameterValue
from osc_imgurl.swift.slot import KeySlot
from osc_imgurl.tempurl.key import Key

if TYPE_CHECKING:
    from osc_imgurl.swift.object_store import ObjectStore


@dataclasses.dataclass(frozen=True)
class Owner:
    """Whose keys: an account's, or those of one of its containers.

    :ivar account: None for a RADOS Gateway without accounts in its URLs.
    :ivar container: None for the account's own keys.
    """

    account: str | None
    container: str | None = None

    def __str__(self) -> str:
        account = f'account {self.account}' if self.account else 'this account'
        return f'container {self.container} of {account}' if self.container else account

    @property
    def slots(self) -> tuple[KeySlot, KeySlot]:
        """Both slots, in the order of their numbers."""
        level = 'container' if self.container else 'account'
        return KeySlot(level, 1), KeySlot(level, 2)


@dataclasses.dataclass(frozen=True)
class Change:
    """What a change left behind.

    :ivar gone: the fingerprints of the keys that were set before and are no more.
    :ivar outgoing: after a rotation, the fingerprint of the key that is to go.
    """

    gone: frozenset[str]
    outgoing: str | None = None


def generate() -> Key:
    """Return a new key: 32 random bytes, written URL-safe."""
    return Key(secrets.token_urlsafe(32).encode())


def find(owner: Owner, object_store: ObjectStore) -> dict[KeySlot, Key]:
    """Return the keys that are set, by their slots.

    :raises MissingParameterValue: there is no such container.
    :raises ObjectStoreNotAuthorized: these credentials may not see the keys.
    """
    keys = (object_store.container_keys(owner.account, owner.container) if owner.container
            else object_store.account_keys(owner.account))
    if keys is None:
        raise MissingParameterValue(f'There is no {owner}.')
    return keys


def set_key(owner: Owner, object_store: ObjectStore, slot: KeySlot, key: Key,
            force: bool = False) -> Change:
    """Put a key into a slot.

    :param force: also where another key is in it, whose URLs then stop working.
    :raises InvalidParameterValue: another key is in it.
    :raises ImgurlError: as :func:`find`.
    """
    keys = find(owner, object_store)
    if keys.get(slot, key) != key and not force:
        raise InvalidParameterValue(
            f'There is a key in slot {slot} already, and the URLs signed with it would stop'
            ' working. Rotate it (key rotate), take the other slot (--slot), or overwrite it'
            ' (--force).')
    return _write(owner, object_store, keys, {**keys, slot: key})


def unset_key(owner: Owner, object_store: ObjectStore, slot: KeySlot) -> Change:
    """Empty a slot; the URLs signed with its key stop working.

    :raises InvalidParameterValue: it is empty.
    :raises ImgurlError: as :func:`find`.
    """
    keys = find(owner, object_store)
    if slot not in keys:
        raise InvalidParameterValue(f'There is no key in slot {slot}.')
    return _write(owner, object_store, keys,
                  {other: key for other, key in keys.items() if other != slot})


def rotate(owner: Owner, object_store: ObjectStore, key: Key) -> Change:
    """Put a new key into slot 2; the newest of the others stays good, in slot 1.

    :raises InvalidParameterValue: there is no key yet, or the new key is set already.
    :raises ImgurlError: as :func:`find`.
    """
    keys = find(owner, object_store)
    if not keys:
        raise InvalidParameterValue(f'There is no key on {owner}: set one (key set).')
    if key in keys.values():
        raise InvalidParameterValue('The new key is set already: rotate to another.')
    first, second = owner.slots
    outgoing = keys.get(second) or keys[first]
    change = _write(owner, object_store, keys, {first: outgoing, second: key})
    return dataclasses.replace(change, outgoing=outgoing.fingerprint)


def finish(owner: Owner, object_store: ObjectStore) -> Change:
    """End a rotation: the key in slot 1 goes, and that in slot 2 moves there.

    :raises InvalidParameterValue: no rotation is under way.
    :raises ImgurlError: as :func:`find`.
    """
    keys = find(owner, object_store)
    first, second = owner.slots
    if set(keys) != {first, second}:
        raise InvalidParameterValue(f'No rotation is under way on {owner}: it has one key.'
                                    if keys else f'There is no key on {owner}.')
    return _write(owner, object_store, keys, {first: keys[second]})


def _write(owner: Owner, object_store: ObjectStore, before: dict[KeySlot, Key],
           after: dict[KeySlot, Key]) -> Change:
    object_store.set_keys(owner.account, owner.container,
                          {slot: after.get(slot) for slot in owner.slots})
    return Change(frozenset(key.fingerprint for key in before.values())
                  - {key.fingerprint for key in after.values()})
