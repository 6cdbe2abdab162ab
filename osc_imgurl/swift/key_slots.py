# SPDX-License-Identifier: Apache-2.0
"""Read, set and rotate the temporary URL keys of an account or container.

Accounts and containers have two slots each. A URL works while its key is in any of the four. A
rotation puts the new key into slot 2, and the old one into slot 1. Its end moves the new key to
slot 1, and empties slot 2. A header of the account or container holds its start.

A change is planned first, as a value: it shows the key that will be lost. :func:`make` makes it.
"""

from __future__ import annotations

import collections
import dataclasses
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from osc_imgurl import http
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
from osc_imgurl.swift.answers import KeySlot, read_keys
from osc_imgurl.tempurl.options import format_expires, validate_expires
from osc_imgurl.tempurl.signing import Key

if TYPE_CHECKING:
    from osc_imgurl.swift.object_store import ObjectStore


LOG = logger(__name__)

# Seconds. A process that reads the keys now has changed them by then.
SETTLING = 2.0
# Bytes. Keys that people can remember are shorter.
SHORT = 16


@dataclasses.dataclass(frozen=True)
class Owner:
    """An account or a container, as the owner of two slots.

    :ivar account: None for a RADOS Gateway without accounts in its URLs.
    :ivar container: None for the account's own slots.
    :raises InvalidParameterValue: the container is empty, such as a shell's unset variable.
    """

    account: str | None
    container: str | None = None

    def __post_init__(self) -> None:
        if self.container == '':
            raise InvalidParameterValue(
                'The name of the container is empty.',
                'Name one, or give none for the keys of the account.', 'container')

    def __str__(self) -> str:
        account = 'this account' if self.account is None else f'account {self.account}'
        return account if self.container is None else f'container {self.container} of {account}'

    @property
    def slots(self) -> tuple[KeySlot, KeySlot]:
        """Slot 1 and slot 2."""
        return KeySlot(self._level, 1), KeySlot(self._level, 2)

    @property
    def rotation_header(self) -> str:
        """The header with the start of the rotation: Unix time, and the old key's fingerprint.

        Only users with access to the keys can write it.
        """
        return f'X-{self._level.title()}-Meta-Temp-Url-Rotation'

    @property
    def _level(self) -> str:
        return 'account' if self.container is None else 'container'


@dataclasses.dataclass(frozen=True)
class Slots:
    """The keys in an owner's slots at one moment.

    :ivar keys: an empty slot is left out.
    :ivar now: the moment: Unix time, seconds, by the server's clock.
    :ivar rotated: when the key in slot 1 was rotated out, likewise; None if unknown.
    """

    owner: Owner
    keys: Mapping[KeySlot, Key]
    now: int
    rotated: int | None = None

    @property
    def in_use(self) -> Key | None:
        """The key for new URLs."""
        first, second = self.owner.slots
        return self.keys.get(second) or self.keys.get(first)


@dataclasses.dataclass(frozen=True)
class Change:
    """A planned change of keys.

    :ivar before: the slots at the time of planning.
    :ivar after: the keys after the change.
    """

    before: Slots
    after: Mapping[KeySlot, Key]

    @property
    def owner(self) -> Owner:
        return self.before.owner

    @property
    def written(self) -> dict[KeySlot, Key | None]:
        """The keys to write, by slot; None empties a slot."""
        return {slot: self.after.get(slot) for slot in self.owner.slots
                if self.before.keys.get(slot) != self.after.get(slot)}

    @property
    def new(self) -> set[Key]:
        """The keys to add."""
        return {*self.after.values()} - {*self.before.keys.values()}

    @property
    def gone(self) -> str:
        """The fingerprint of the key to be lost, at most one: its URLs stop working; else empty."""
        return ', '.join(key.fingerprint for key in
                         {*self.before.keys.values()} - {*self.after.values()})

    @property
    def rotated(self) -> int | None:
        """The start of this rotation: Unix time, seconds; None for any other change."""
        first, second = (self.after.get(slot) for slot in self.owner.slots)
        if not second or first in (None, second) or first != self.before.in_use:
            return None
        # The server's clock has no fractions: round up.
        return self.before.now + 1

    @property
    def metadata(self) -> dict[str, str]:
        """The header to write together with the keys: the start of the rotation, or its removal."""
        header = self.owner.rotation_header
        if self.rotated is not None:
            return {header: f'{self.rotated} {self.after[self.owner.slots[0]].fingerprint}'}
        if self.owner.slots[1] in self.after:
            return {}
        return {header.replace('X-', 'X-Remove-', 1): 'x'}

    def finish_at(self, longest: int) -> int | None:
        """Return the moment for the end of this rotation; None for any other change.

        :param longest: the longest duration of a URL, in seconds.
        :returns: Unix time, seconds.
        :raises InvalidParameterValue: it is after the year 9999.
        """
        return None if self.rotated is None else validate_expires(self.rotated + longest)


def generate() -> Key:
    """Return a new key: 32 random bytes in URL-safe base64."""
    return Key(secrets.token_urlsafe(32).encode())


def find(owner: Owner, object_store: ObjectStore) -> Slots:
    """Return the keys in an owner's slots.

    :raises MissingParameterValue: there is no such container.
    :raises ObjectStoreNotAuthorized: these credentials may not see the keys.
    """
    headers = object_store.head(owner.account, owner.container)
    if headers is None:
        raise MissingParameterValue(f'There is no {owner}.', 'Correct its name.')
    keys, now = read_keys(headers, owner.slots), http.read_time(headers, 'Date')
    # If another program has set another key since, the header is about an older rotation.
    first = keys.get(owner.slots[0])
    rotated = first and re.fullmatch(f'([0-9]{{1,11}}) {first.fingerprint}',
                                     headers.get(owner.rotation_header, ''))
    return Slots(owner, keys, int(time.time() if now is None else now),
                 int(rotated[1]) if rotated else None)


def make(change: Change, object_store: ObjectStore) -> None:
    """Make a change, in one request.

    Swift has no conditional request for keys. So this reads the keys just before the request. It
    reads them again :data:`SETTLING` seconds later: concurrent processes have written theirs by
    then, the last key in a slot stays, and the other processes fail.

    :raises InvalidParameterValue: another process changed the keys; the new key is not set.
    :raises OutcomeUnknown: the new key may be set, or not.
    :raises ImgurlError: nothing is changed; as
        :meth:`osc_imgurl.swift.object_store.ObjectStore.set_keys`.
    """
    owner, failed = change.owner, None
    if (keys := find(owner, object_store).keys) != change.before.keys:
        raise _changed_by_another(owner, keys, 'nothing is changed')
    try:
        object_store.set_keys(owner.account, owner.container, change.written, change.metadata)
    except ObjectStoreFailed as error:
        failed = error
    if change.new or failed:
        _read_back(change, object_store, failed)
    if any(len(key.value) < SHORT for key in change.new):
        LOG.warning('The new key has fewer than %s bytes: anyone with its fingerprint or a URL can'
                    ' guess it. Generate one', SHORT)
    if change.gone:
        LOG.warning('The key %s is gone from %s: the URLs signed with it stop working',
                    change.gone, owner)


def _read_back(change: Change, object_store: ObjectStore,
               failed: ObjectStoreFailed | None) -> None:
    """Read the slots, and accept the change if they show it.

    :param failed: the error of the request. It may be the answer to a retry, after the first
        request had succeeded.
    :raises ImgurlError: as :func:`make`.
    """
    refused = failed is not None and not isinstance(failed, OutcomeUnknown)
    if not refused:
        time.sleep(SETTLING)
    try:
        keys = find(change.owner, object_store).keys
    except ImgurlError as error:
        raise _unknown(change, failed or error) from error
    if failed and any(keys.get(slot) != key for slot, key in change.written.items()):
        if refused and keys == change.before.keys:
            raise failed
        raise _unknown(change, failed) from failed
    if not change.new <= {*keys.values()}:
        raise _changed_by_another(change.owner, keys, 'the new key is not set')


def _changed_by_another(owner: Owner, keys: Mapping[KeySlot, Key],
                        what: str) -> InvalidParameterValue:
    now = ', '.join(f'{slot} {key.fingerprint}' for slot, key in keys.items())
    return InvalidParameterValue(
        f'Another process changed the keys of {owner} at the same time ({now or "none"} now), and'
        f' {what}.', 'List the keys, and try again.', LIST_KEYS)


def _unknown(change: Change, reason: ImgurlError) -> OutcomeUnknown:
    new = ''.join(f', the new one ({key.fingerprint})' for key in change.new)
    return OutcomeUnknown(
        f'Could not verify the keys of {change.owner}{new}, after a change: {reason.problem}',
        'List the keys, and compare their fingerprints.', LIST_KEYS)


def set_key(slots: Slots, slot: KeySlot, key: Key, force: bool = False) -> Change:
    """Plan to put a key into a slot.

    :param force: even if that ends the URLs of another key.
    :raises InvalidParameterValue: it would end them, and ``force`` is not set.
    """
    change = Change(slots, {**slots.keys, slot: key})
    if change.gone and not force:
        raise InvalidParameterValue(
            f'There is a key in slot {slot} already ({change.gone}), and the URLs signed with it'
            ' would stop working.',
            'Rotate it, use the other slot, or overwrite it.', ROTATE_KEY, 'slot', FORCE)
    return change


def unset_key(slots: Slots, slot: KeySlot, force: bool = False,
              living: Iterable[str] = ()) -> Change:
    """Plan to empty a slot.

    :param force: even if that ends the URLs of its key.
    :param living: as in :func:`finish`.
    :raises InvalidParameterValue: it would end them, and ``force`` is not set; or it is empty.
    """
    if slot not in slots.keys:
        raise InvalidParameterValue(
            f'There is no key in slot {slot}.', 'List the keys.', LIST_KEYS)
    change = Change(slots, {other: key for other, key in slots.keys.items() if other != slot})
    if change.gone and not force:
        _require_no_links(change, living)
        raise InvalidParameterValue(
            f'The URLs signed with the key in slot {slot} ({change.gone}) would stop working.',
            'Rotate it and finish the rotation when they have expired, or end them now.',
            ROTATE_KEY, FORCE)
    return change


def rotate(slots: Slots, key: Key, force: bool = False) -> Change:
    """Plan to put a new key into slot 2, and the one in use into slot 1: its URLs work on.

    :param force: even if both slots are full: that ends the URLs of the key in slot 1.
    :raises InvalidParameterValue: there is no key yet, the new key is set already, or the URLs
        of another key would end.
    """
    owner = slots.owner
    if slots.in_use is None:
        raise InvalidParameterValue(f'There is no key on {owner}.', 'Set one.', SET_KEY)
    if key in slots.keys.values():
        raise InvalidParameterValue('The new key is set already.', 'Rotate to another.')
    first, second = owner.slots
    change = Change(slots, {first: slots.in_use, second: key})
    if change.gone and not force:
        raise InvalidParameterValue(
            f'Both slots of {owner} have a key, and the URLs signed with the one in slot {first}'
            f' ({change.gone}) would stop working.',
            'Finish the earlier rotation when they have expired, or end them now.',
            FINISH_ROTATION, FORCE)
    return change


def finish(slots: Slots, longest: int | None = None, force: bool = False,
           living: Iterable[str] = ()) -> Change:
    """Plan the end of a rotation: the new key moves from slot 2 to slot 1, over the old one.

    :param longest: the longest duration of any URL, in seconds.
    :param force: even if URLs of the old key may still work.
    :param living: for each working link, the fingerprint of the key that signed its URL.
    :raises MissingParameterValue: the longest duration is not given.
    :raises InvalidParameterValue: URLs of the old key may still work, or there is no rotation.
    """
    owner = slots.owner
    first, second = owner.slots
    if set(slots.keys) != {first, second}:
        raise InvalidParameterValue(f'There is no rotation to finish on {owner}: it has one key.'
                                    if slots.keys else f'There is no key on {owner}.')
    change = Change(slots, {first: slots.keys[second]})
    if change.gone and not force:
        _require_expired(change, longest)
        _require_no_links(change, living)
    return change


def _require_expired(change: Change, longest: int | None) -> None:
    """Accept the end of a rotation when the old key's URLs have expired."""
    rotated = change.before.rotated
    if rotated is None:
        raise InvalidParameterValue(
            'The start of this rotation is unknown: another program set the keys of'
            f' {change.owner}.',
            f'Wait until the URLs of the key {change.gone} have expired, and end them then.', FORCE)
    if longest is None:
        raise MissingParameterValue(
            f'The key {change.gone} was rotated out at {format_expires(rotated)}, and its URLs may'
            ' still work.',
            'Give the longest duration of any URL, or end them now.', 'longest', FORCE)
    end = validate_expires(rotated + longest)
    if change.before.now < end:
        raise InvalidParameterValue(
            f'URLs of the key {change.gone} may work until {format_expires(end)}.',
            'Finish the rotation then, or end them now.', FORCE)


def _require_no_links(change: Change, living: Iterable[str]) -> None:
    count = collections.Counter(living)[change.gone]
    if count:
        raise InvalidParameterValue(
            f'URLs of {count} links of the key {change.gone} would stop working.',
            'Revoke them, wait until they have expired, or end them now.', FORCE)
