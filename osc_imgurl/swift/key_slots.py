# SPDX-License-Identifier: Apache-2.0
"""The slots in which Swift keeps temporary URL keys: look at them, fill them, rotate them.

An account and a container have two slots each, and a URL is good while the key that signed it
is in any of the four. A rotation puts the new key into slot 2 and keeps the one in use in slot
1, until it is finished; then the new key is in slot 1 and slot 2 is empty.

A change is planned first, as a value that says whose URLs would end; :func:`make` makes it.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from osc_imgurl.errors import (
    FINISH_ROTATION,
    FORCE,
    LIST_KEYS,
    ROTATE_KEY,
    SET_KEY,
    ImgurlError,
    InvalidParameterValue,
    MissingParameterValue,
    ObjectStoreFailed,
    OutcomeUnknown,
    logger,
)
from osc_imgurl.tempurl.signing import Key

if TYPE_CHECKING:
    from osc_imgurl.swift.object_store import ObjectStore


LOG = logger(__name__)

# In seconds: a process that has looked at the keys has changed them, after that.
SETTLING = 2.0
# In bytes. A key that a person can remember is shorter.
SHORT = 16


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
    """A change of keys that is planned.

    :ivar before: the keys that are set when it is planned.
    :ivar written: what is to be written into which slots; None empties a slot.
    :ivar gone: the fingerprints of the keys that are set now, and then no more: the URLs that
        they have signed stop working.
    :ivar outgoing: in a rotation, the fingerprint of the key that goes when it is finished.
    """

    owner: Owner
    before: Mapping[KeySlot, Key]
    written: Mapping[KeySlot, Key | None]
    gone: frozenset[str]
    outgoing: str | None = None

    @property
    def new(self) -> set[Key]:
        """The keys that are not set before."""
        return {key for key in self.written.values() if key} - set(self.before.values())


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
        raise MissingParameterValue(f'There is no {owner}.', 'Correct its name.')
    return keys


def make(change: Change, object_store: ObjectStore) -> None:
    """Make a change, in one request, unless another process changes the keys at the same time.

    Swift has no request that depends on the keys that are set. So they are looked at just before,
    and again when all processes that have looked at the same time are done: of several new keys in
    one slot the last stays, and the other processes fail.

    :raises InvalidParameterValue: another process has changed the keys; the new key is not set.
    :raises OutcomeUnknown: the new key may be set, or not.
    :raises ImgurlError: nothing is changed; as
        :meth:`osc_imgurl.swift.object_store.ObjectStore.set_keys`.
    """
    owner, failed = change.owner, None
    if (keys := find(owner, object_store)) != change.before:
        raise _changed_by_another(owner, keys, 'nothing is changed')
    try:
        object_store.set_keys(owner.account, owner.container, change.written)
    except ObjectStoreFailed as error:
        failed = error
    if change.new or failed:
        _read_back(change, object_store, failed)
    if any(len(key.value) < SHORT for key in change.new):
        LOG.warning('The new key has fewer than %s bytes: it may be guessed from its fingerprint,'
                    ' or from any URL. Generate one', SHORT)


def _read_back(change: Change, object_store: ObjectStore,
               failed: ObjectStoreFailed | None) -> None:
    """Accept a change that the slots show.

    :param failed: what the request to change them raised. A refusal may be the answer to a request
        that was made again, when the first had been carried out.
    :raises ImgurlError: as :func:`make`.
    """
    refused = failed is not None and not isinstance(failed, OutcomeUnknown)
    if not refused:
        time.sleep(SETTLING)
    try:
        keys = find(change.owner, object_store)
    except ImgurlError as error:
        raise _unknown(change, failed or error) from error
    if failed and any(keys.get(slot) != key for slot, key in change.written.items()):
        if refused and keys == change.before:
            raise failed
        raise _unknown(change, failed) from failed
    if not change.new <= {*keys.values()}:
        raise _changed_by_another(change.owner, keys, 'the new key is not set')


def _changed_by_another(owner: Owner, keys: Mapping[KeySlot, Key],
                        what: str) -> InvalidParameterValue:
    now = ', '.join(f'{slot} {key.fingerprint}' for slot, key in keys.items())
    return InvalidParameterValue(
        f'Another process has changed the keys of {owner} at the same time ({now or "none"} now),'
        f' and {what}.', 'See which keys are set, and try again.', LIST_KEYS)


def _unknown(change: Change, reason: ImgurlError) -> OutcomeUnknown:
    new = ''.join(f', the new one ({key.fingerprint})' for key in change.new)
    return OutcomeUnknown(
        f'Could not verify the keys of {change.owner}{new}, after a change: {reason.problem}',
        'See which fingerprints are set.', LIST_KEYS)


def set_key(owner: Owner, keys: Mapping[KeySlot, Key], slot: KeySlot, key: Key,
            force: bool = False) -> Change:
    """Plan to put a key into a slot.

    :param keys: those that are set: :func:`find`.
    :param force: also where that ends the URLs of another key.
    :raises InvalidParameterValue: it would.
    """
    change = _plan(owner, keys, {**keys, slot: key})
    if change.gone and not force:
        raise InvalidParameterValue(
            f'There is a key in slot {slot} already ({keys[slot].fingerprint}), and the URLs'
            ' signed with it would stop working.',
            'Rotate it, take the other slot, or overwrite it.', ROTATE_KEY, 'slot', FORCE)
    return change


def unset_key(owner: Owner, keys: Mapping[KeySlot, Key], slot: KeySlot) -> Change:
    """Plan to empty a slot; the URLs signed with its key stop working.

    :param keys: those that are set: :func:`find`.
    :raises InvalidParameterValue: it is empty.
    """
    if slot not in keys:
        raise InvalidParameterValue(
            f'There is no key in slot {slot}.', 'See which slots have one.', LIST_KEYS)
    return _plan(owner, keys, {other: key for other, key in keys.items() if other != slot})


def rotate(owner: Owner, keys: Mapping[KeySlot, Key], key: Key, force: bool = False) -> Change:
    """Plan to put a new key into slot 2; the newest of the others stays good, in slot 1.

    :param keys: those that are set: :func:`find`.
    :param force: also where both slots are full, which ends the URLs of the key in slot 1.
    :raises InvalidParameterValue: there is no key yet, the new key is set already, or the URLs
        of another would end.
    """
    if not keys:
        raise InvalidParameterValue(f'There is no key on {owner}.', 'Set one.', SET_KEY)
    if key in keys.values():
        raise InvalidParameterValue('The new key is set already: rotate to another.')
    first, second = owner.slots
    outgoing = keys.get(second) or keys[first]
    change = _plan(owner, keys, {first: outgoing, second: key})
    if change.gone and not force:
        raise InvalidParameterValue(
            f'Both slots of {owner} have a key, and the URLs signed with the one in slot {first}'
            f' ({keys[first].fingerprint}) would stop working.',
            'Finish the rotation that is under way when they have expired, or end them now.',
            FINISH_ROTATION, FORCE)
    return dataclasses.replace(change, outgoing=outgoing.fingerprint)


def finish(owner: Owner, keys: Mapping[KeySlot, Key]) -> Change:
    """Plan the end of a rotation: the key in slot 1 goes, and that in slot 2 moves there.

    :param keys: those that are set: :func:`find`.
    :raises InvalidParameterValue: no rotation is under way.
    """
    first, second = owner.slots
    if set(keys) != {first, second}:
        raise InvalidParameterValue(f'No rotation is under way on {owner}: it has one key.'
                                    if keys else f'There is no key on {owner}.')
    return _plan(owner, keys, {first: keys[second]})


def _plan(owner: Owner, before: Mapping[KeySlot, Key], after: Mapping[KeySlot, Key]) -> Change:
    written = {slot: after.get(slot) for slot in owner.slots
               if before.get(slot) != after.get(slot)}
    return Change(owner, before, written, frozenset(key.fingerprint for key in before.values())
                  - {key.fingerprint for key in after.values()})


@dataclasses.dataclass(frozen=True)
class KeySlot:
    """A slot; its text is its name for people, such as ``account key 2``.

    :ivar level: ``account`` or ``container``.
    :ivar number: 1 or 2.
    """

    level: str
    number: int

    def __str__(self) -> str:
        return f'{self.level} key' + (' 2' if self.number == 2 else '')

    @property
    def header(self) -> str:
        """The header in which Swift shows the key, and takes a new one."""
        return f'X-{self.level.title()}-Meta-Temp-Url-Key' + ('-2' if self.number == 2 else '')


# The newer slot first, as a rotation fills it last.
CONTAINER_SLOTS = (KeySlot('container', 2), KeySlot('container', 1))
ACCOUNT_SLOTS = (KeySlot('account', 2), KeySlot('account', 1))
