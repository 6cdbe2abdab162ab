# SPDX-License-Identifier: Apache-2.0
"""A change of keys, and the URLs that the cache knows to end with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_imgurl.cache.base import Cache, Entry
from osc_imgurl.errors import FORCE, CacheFailed, InvalidParameterValue, logger
from osc_imgurl.swift import key_slots
from osc_imgurl.swift.key_slots import Change
from osc_imgurl.tempurl.options import format_expires

if TYPE_CHECKING:
    from osc_imgurl.swift.object_store import ObjectStore

LOG = logger(__name__)


def find_entries(change: Change, cache: Cache, now: float, force: bool = False) -> list[Entry]:
    """Return what the cache knows of the keys that are gone or outgoing, and of their owner.

    :param now: Unix time, seconds.
    :param force: also where URLs end that are good, or where that is not known.
    :raises InvalidParameterValue: they would.
    """
    wait = 'Wait until all have expired, or end them now.'
    gone = ', '.join(change.gone)
    try:
        entries = cache.entries()
    except CacheFailed as error:
        if change.gone and not force:
            raise InvalidParameterValue(
                f'Which URLs of the key {gone} are still good is not known: {error.problem}',
                wait, FORCE) from error
        LOG.warning('%s', error)
        return []
    owner = change.owner
    found = [entry for entry in entries
             if entry.key_fingerprint in {*change.gone, change.outgoing}
             and entry.account == owner.account and owner.container in (None, entry.container)]
    live = [entry.expires for entry in _ending(change, found) if entry.expires >= now]
    if live and not force:
        raise InvalidParameterValue(
            f'URLs of the key {gone} would stop working: the cache has {len(live)} of them, good'
            f' until {format_expires(max(live))} at the latest.', wait, FORCE)
    return found


def carry_out(change: Change, object_store: ObjectStore, cache: Cache,
              entries: Sequence[Entry]) -> None:
    """Make a change, as :func:`osc_imgurl.swift.key_slots.make` does; forget the URLs that end.

    :param entries: those that :func:`find_entries` has found.
    """
    key_slots.make(change, object_store)
    if change.gone:
        LOG.warning('The key %s is gone from %s: no URL that it has signed works any more',
                    ', '.join(change.gone), change.owner)
    try:
        cache.delete(entry.fingerprint for entry in _ending(change, entries))
    except CacheFailed as error:
        # A URL of a key that is gone is never asked for.
        LOG.warning('%s', error)


def _ending(change: Change, entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.key_fingerprint in change.gone]
