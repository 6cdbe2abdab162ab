"""Which cached URLs a change of keys ends, and that none ends unasked."""

import logging

import pytest

from osc_imgurl.cache import key_change
from osc_imgurl.cache.base import Entry
from osc_imgurl.cache.sqlite import SQLiteCache
from osc_imgurl.errors import CacheFailed, InvalidParameterValue
from osc_imgurl.swift import key_slots
from osc_imgurl.swift.key_slots import Owner
from osc_imgurl.tempurl.signing import Key

NOW = 1_700_000_000
A, B = Key(b'a'), Key(b'b')
ACCOUNT, CONTAINER = Owner('AUTH_x'), Owner('AUTH_x', 'glance')


class Swift:
    """The object store of the changes: it remembers what is written.

    :param keys: those that are set before.
    """

    def __init__(self, keys):
        self.keys = keys
        self.written = []

    def account_keys(self, account):
        return self.keys

    def container_keys(self, account, container):
        return self.keys

    def set_keys(self, *change):
        self.written.append(change)


class Broken:
    """A cache that cannot be used; a full disk cannot be made for a test."""

    def entries(self):
        raise CacheFailed('The cache cannot be read.')

    def delete(self, fingerprints):
        raise CacheFailed('The cache cannot be written.')


@pytest.fixture
def cache(tmp_path):
    return SQLiteCache(tmp_path / 'urls.sqlite')


def keep(cache, name, key=A, *, account='AUTH_x', container='glance', expires=NOW + 100):
    cache.get_or_create(
        Entry(name.encode().hex(), expires, name, 'GET', account, container, key.fingerprint,
              '0' * 64), lambda expires: True, NOW - 1000)


def unset(owner):
    return key_slots.unset_key(owner, {owner.slots[0]: A}, owner.slots[0])


def names(entries):
    return {entry.image_id for entry in entries}


def test_the_entries_of_a_key_and_its_owner(cache):
    keep(cache, 'ours')
    keep(cache, 'sharded', container='glance_3a1')
    keep(cache, 'of another key', B)
    keep(cache, 'of another account', account='AUTH_y')
    keep(cache, 'expired', expires=NOW - 1)
    assert names(key_change.find_entries(unset(ACCOUNT), cache, NOW, force=True)) == {
        'ours', 'sharded', 'expired'}
    assert names(key_change.find_entries(unset(CONTAINER), cache, NOW, force=True)) == {
        'ours', 'expired'}
    with pytest.raises(InvalidParameterValue, match=r'the cache has 2 of them.*force'):
        key_change.find_entries(unset(ACCOUNT), cache, NOW)


def test_what_has_expired_or_goes_later_may_go(cache):
    keep(cache, 'expired', expires=NOW - 1)
    assert names(key_change.find_entries(unset(ACCOUNT), cache, NOW)) == {'expired'}
    keep(cache, 'outgoing')
    rotation = key_slots.rotate(ACCOUNT, {ACCOUNT.slots[0]: A}, B)
    assert names(key_change.find_entries(rotation, cache, NOW)) == {'expired', 'outgoing'}


def test_a_change_is_one_request_and_forgets_what_ends(cache, caplog):
    keep(cache, 'ends')
    keep(cache, 'stays', B)
    first, second = CONTAINER.slots
    change = key_slots.finish(CONTAINER, {first: A, second: B})
    swift = Swift(change.before)
    key_change.carry_out(change, swift, cache, cache.entries())
    assert swift.written == [('AUTH_x', 'glance', {first: B, second: None})]
    assert names(cache.entries()) == {'stays'}
    assert f'The key {A.fingerprint} is gone from container glance' in caplog.text


def test_a_cache_that_cannot_be_used_stops_only_what_may_end_urls(caplog):
    with pytest.raises(InvalidParameterValue, match='is not known: The cache cannot be read'):
        key_change.find_entries(unset(ACCOUNT), Broken(), NOW)
    assert key_change.find_entries(unset(ACCOUNT), Broken(), NOW, force=True) == []
    rotation = key_slots.rotate(ACCOUNT, {ACCOUNT.slots[0]: A}, B)
    assert key_change.find_entries(rotation, Broken(), NOW) == []
    swift = Swift(unset(ACCOUNT).before)
    key_change.carry_out(unset(ACCOUNT), swift, Broken(), [])
    assert len(swift.written) == 1
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
