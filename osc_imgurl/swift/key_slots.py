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

    def slot_name(self, number: int) -> str:
        """Return ``account 1``, ``account 2``, ``container 1`` or ``container 2``."""
        return f'{"container" if self.container else "account"} {number}'


@dataclasses.dataclass(frozen=True)
class Slot:
    """A slot, and a short name for the key in it; None where it is empty."""

    name: str
    fingerprint: str | None


@dataclasses.dataclass(frozen=True)
class Change:
    """What a change left behind.

    :ivar in_use: the fingerprints of the keys that are set now.
    :ivar gone: the fingerprints of the keys that were set before and are no more.
    :ivar outgoing: after a rotation, the fingerprint of the key that is to go.
    """

    in_use: frozenset[str]
    gone: frozenset[str]
    outgoing: str | None = None


def generate() -> Key:
    """Return a new key: 32 random bytes, written URL-safe."""
    return Key(secrets.token_urlsafe(32).encode())


def find(owner: Owner, object_store: ObjectStore) -> dict[int, Key]:
    """Return the keys that are set, by the number of their slot.

    :raises MissingParameterValue: there is no such container.
    :raises ObjectStoreNotAuthorized: these credentials may not see the keys.
    """
    keys = (object_store.container_keys(owner.account, owner.container) if owner.container
            else object_store.account_keys(owner.account))
    if keys is None:
        raise MissingParameterValue(f'There is no {owner}.')
    return {2 if slot.endswith('2') else 1: key for slot, key in keys.items()}


def slots(owner: Owner, object_store: ObjectStore) -> list[Slot]:
    """Return both slots of an owner.

    :raises ImgurlError: as :func:`find`.
    """
    keys = find(owner, object_store)
    return [Slot(owner.slot_name(number), _name(keys.get(number))) for number in (1, 2)]


def set_key(owner: Owner, object_store: ObjectStore, number: int, key: Key,
            force: bool = False) -> Change:
    """Put a key into a slot.

    :param force: also where another key is in it, whose URLs then stop working.
    :raises InvalidParameterValue: another key is in it.
    :raises ImgurlError: as :func:`find`.
    """
    keys = find(owner, object_store)
    if keys.get(number, key) != key and not force:
        raise InvalidParameterValue(
            f'There is a key in slot {owner.slot_name(number)} already, and the URLs signed with'
            ' it would stop working. Rotate it (key rotate), take the other slot (--slot), or'
            ' overwrite it (--force).')
    return _write(owner, object_store, keys, {**keys, number: key})


def unset_key(owner: Owner, object_store: ObjectStore, number: int) -> Change:
    """Empty a slot; the URLs signed with its key stop working.

    :raises InvalidParameterValue: it is empty.
    :raises ImgurlError: as :func:`find`.
    """
    keys = find(owner, object_store)
    if number not in keys:
        raise InvalidParameterValue(f'There is no key in slot {owner.slot_name(number)}.')
    return _write(owner, object_store, keys,
                  {other: key for other, key in keys.items() if other != number})


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
    outgoing = keys.get(2) or keys[1]
    change = _write(owner, object_store, keys, {1: outgoing, 2: key})
    return dataclasses.replace(change, outgoing=_name(outgoing))


def finish(owner: Owner, object_store: ObjectStore) -> Change:
    """End a rotation: the key in slot 1 goes, and that in slot 2 moves there.

    :raises InvalidParameterValue: no rotation is under way.
    :raises ImgurlError: as :func:`find`.
    """
    keys = find(owner, object_store)
    if set(keys) != {1, 2}:
        raise InvalidParameterValue(f'No rotation is under way on {owner}: it has one key.'
                                    if keys else f'There is no key on {owner}.')
    return _write(owner, object_store, keys, {1: keys[2]})


def _write(owner: Owner, object_store: ObjectStore, before: dict[int, Key],
           after: dict[int, Key]) -> Change:
    object_store.set_keys(owner.account, owner.container,
                          {number: after.get(number) for number in (1, 2)})
    in_use = frozenset(key.fingerprint for key in after.values())
    return Change(in_use, frozenset(key.fingerprint
                                    for key in before.values()) - in_use)


def _name(key: Key | None) -> str | None:
    return key.fingerprint if key else None
