"""Changes of keys: what is written into which slot, and whose URLs end."""

import time

import pytest

from osc_imgurl.errors import InvalidParameterValue, MissingParameterValue
from osc_imgurl.swift import key_slots
from osc_imgurl.swift.answers import ACCOUNT_SLOTS, CONTAINER_SLOTS
from osc_imgurl.swift.key_slots import Owner, Slots
from osc_imgurl.tempurl.signing import Key

NOW = 1_700_000_000
A, B, NEW = Key(b'a'), Key(b'b'), Key(b'new')
ACCOUNT, CONTAINER = Owner('AUTH_x'), Owner('AUTH_x', 'glance')
LINKS = 'URLs of 2 links of the key {} would stop working. Revoke them, wait until'


def slots(owner, first, second, rotated=None, now=NOW):
    """Return what is in both slots of an owner, as :func:`osc_imgurl.swift.key_slots.find` does."""
    return Slots(owner, {slot: key for slot, key in zip(owner.slots, (first, second), strict=True)
                         if key}, now, rotated)


def numbered(change):
    """Return what a change writes, by the number of the slot."""
    return {slot.number: key for slot, key in change.written.items()}


def names(gone):
    return ', '.join(key.fingerprint for key in gone)


def test_an_empty_name_is_not_the_account():
    with pytest.raises(InvalidParameterValue) as caught:
        Owner('AUTH_x', '')
    assert caught.value.names == ('container',)


@pytest.fixture(params=[ACCOUNT, CONTAINER], ids=str)
def owner(request):
    return request.param


@pytest.mark.parametrize(('before', 'slot', 'key', 'written', 'gone', 'rotates'), [
    ((None, None), 1, NEW, {1: NEW}, (), False),
    ((None, None), 2, NEW, {2: NEW}, (), False),
    # Another key signs from then on, and that in slot 1 no more.
    ((A, None), 2, NEW, {2: NEW}, (), True),
    ((None, B), 1, NEW, {1: NEW}, (), False),
    ((A, None), 1, A, {}, (), False),
    ((A, None), 2, A, {2: A}, (), False),
    # The key that is overwritten is in the other slot too.
    ((A, A), 1, NEW, {1: NEW}, (), False),
    ((A, A), 2, NEW, {2: NEW}, (), True),
    ((A, None), 1, NEW, {1: NEW}, (A,), False),
    # The key in slot 1 was not in use.
    ((A, B), 2, NEW, {2: NEW}, (B,), False),
    ((A, B), 2, A, {2: A}, (B,), False),
])
def test_set(owner, before, slot, key, written, gone, rotates):
    before, slot = slots(owner, *before), owner.slots[slot - 1]
    change = key_slots.set_key(before, slot, key, force=True)
    assert (numbered(change), change.gone) == (written, names(gone))
    assert change.after[slot] == key
    assert change.rotated == (NOW + 1 if rotates else None)
    if gone:
        with pytest.raises(InvalidParameterValue) as caught:
            key_slots.set_key(before, slot, key)
        assert str(caught.value) == (
            f'There is a key in slot {slot} already ({gone[0].fingerprint}), and the URLs signed'
            ' with it would stop working. Rotate it, use the other slot, or overwrite it'
            ' (rotate the key, slot, force).')
    else:
        assert key_slots.set_key(before, slot, key) == change


@pytest.mark.parametrize(('before', 'slot', 'written', 'gone'), [
    ((A, None), 1, {1: None}, (A,)), ((A, B), 1, {1: None}, (A,)), ((A, B), 2, {2: None}, (B,)),
    ((A, A), 2, {2: None}, ()), ((None, B), 2, {2: None}, (B,))])
def test_unset(owner, before, slot, written, gone):
    before, slot = slots(owner, *before), owner.slots[slot - 1]
    change = key_slots.unset_key(before, slot, force=True)
    assert (numbered(change), change.gone, change.rotated) == (written, names(gone), None)
    if gone:
        with pytest.raises(InvalidParameterValue) as caught:
            key_slots.unset_key(before, slot)
        assert str(caught.value) == (
            f'The URLs signed with the key in slot {slot} ({gone[0].fingerprint}) would stop'
            ' working. Rotate it and finish the rotation when they have expired, or end them now'
            ' (rotate the key, force).')
        with pytest.raises(InvalidParameterValue, match=LINKS.format(gone[0].fingerprint)):
            key_slots.unset_key(
                before, slot, living=[each.fingerprint for each in (*gone, NEW, *gone)])
    else:
        assert key_slots.unset_key(before, slot) == change


@pytest.mark.parametrize(('before', 'slot'), [((A, None), 2), ((None, B), 1), ((None, None), 1)])
def test_unset_an_empty_slot(owner, before, slot):
    slot = owner.slots[slot - 1]
    with pytest.raises(InvalidParameterValue, match=f'^There is no key in slot {slot}. List the'):
        key_slots.unset_key(slots(owner, *before), slot, force=True)


@pytest.mark.parametrize(('before', 'written', 'gone'), [
    ((A, None), {2: NEW}, ()),
    ((None, B), {1: B, 2: NEW}, ()),
    ((A, A), {2: NEW}, ()),
    ((A, B), {1: B, 2: NEW}, (A,)),
])
def test_rotate(owner, before, written, gone):
    before = slots(owner, *before)
    change = key_slots.rotate(before, NEW, force=True)
    assert (numbered(change), change.gone, change.rotated) == (written, names(gone), NOW + 1)
    if gone:
        with pytest.raises(InvalidParameterValue) as caught:
            key_slots.rotate(before, NEW)
        assert str(caught.value) == (
            f'Both slots of {owner} have a key, and the URLs signed with the one in slot'
            f' {owner.slots[0]} ({A.fingerprint}) would stop working. Finish the earlier'
            ' rotation when they have expired, or end them now (finish the rotation, force).')
    else:
        assert key_slots.rotate(before, NEW) == change


def test_what_cannot_be_rotated(owner):
    with pytest.raises(InvalidParameterValue) as caught:
        key_slots.rotate(slots(owner, None, None), NEW, force=True)
    assert str(caught.value) == f'There is no key on {owner}. Set one (set a key).'
    for before in ((NEW, None), (None, NEW), (A, NEW), (NEW, B)):
        with pytest.raises(InvalidParameterValue) as caught:
            key_slots.rotate(slots(owner, *before), NEW, force=True)
        assert str(caught.value) == 'The new key is set already. Rotate to another.'


def test_finish(owner):
    """The old key goes when its URLs have expired, and not a second before."""
    for now in (NOW + 60, NOW + 10_000):
        change = key_slots.finish(slots(owner, A, B, NOW, now), 60)
        assert (numbered(change), change.gone) == ({1: B, 2: None}, A.fingerprint)
    before = slots(owner, A, B, NOW, NOW + 59)
    with pytest.raises(InvalidParameterValue) as caught:
        key_slots.finish(before, 60)
    assert str(caught.value) == (
        f'URLs of the key {A.fingerprint} may work until 2023-11-14T22:14:20Z. Finish the rotation'
        ' then, or end them now (force).')
    assert key_slots.finish(before, force=True).gone == A.fingerprint
    with pytest.raises(MissingParameterValue) as caught:
        key_slots.finish(before)
    assert str(caught.value) == (
        f'The key {A.fingerprint} was rotated out at 2023-11-14T22:13:20Z, and its URLs may still'
        ' work. Give the longest duration of any URL, or end them now (longest, force).')
    with pytest.raises(InvalidParameterValue, match='beyond the year 9999'):
        key_slots.finish(before, 10**12)


def test_finish_what_began_at_an_unknown_time(owner):
    for longest in (None, 1):
        with pytest.raises(InvalidParameterValue) as caught:
            key_slots.finish(slots(owner, A, B), longest)
        assert str(caught.value) == (
            f'The start of this rotation is unknown: another program set the keys of {owner}. Wait'
            f' until the URLs of the key {A.fingerprint} have expired, and end them then (force).')
    assert key_slots.finish(slots(owner, A, B), force=True).gone == A.fingerprint


def test_finish_while_links_live(owner):
    before = slots(owner, A, B, NOW, NOW + 60)
    living = [A.fingerprint, B.fingerprint, A.fingerprint]
    with pytest.raises(InvalidParameterValue, match=LINKS.format(A.fingerprint)):
        key_slots.finish(before, 60, living=living)
    assert key_slots.finish(before, 60, force=True, living=living) == key_slots.finish(
        before, 60, living=[B.fingerprint])


def test_finish_when_both_slots_have_the_same_key(owner):
    change = key_slots.finish(slots(owner, A, A))
    assert (numbered(change), change.gone) == ({2: None}, '')


@pytest.mark.parametrize(('before', 'message'), [
    ((None, None), 'There is no key on {}.'),
    ((A, None), 'There is no rotation to finish on {}: it has one key.'),
    ((None, B), 'There is no rotation to finish on {}: it has one key.')])
def test_finish_what_is_not_under_way(owner, before, message):
    with pytest.raises(InvalidParameterValue) as caught:
        key_slots.finish(slots(owner, *before), 60, force=True)
    assert str(caught.value) == message.format(owner)


def test_when_a_rotation_began_is_written_with_its_keys():
    """It is about the key in slot 1, and goes when that is in use again, or gone."""
    header = 'X-Account-Meta-Temp-Url-Rotation'
    rotation = key_slots.rotate(slots(ACCOUNT, A, None), NEW)
    assert rotation.metadata == {header: f'{NOW + 1} {A.fingerprint}'}
    assert rotation.finish_at(60) == NOW + 61
    during = slots(ACCOUNT, A, B, NOW)
    removed = {'X-Remove-Account-Meta-Temp-Url-Rotation': 'x'}
    for change, metadata in (
            (key_slots.set_key(during, ACCOUNT.slots[1], NEW, force=True), {}),
            (key_slots.unset_key(during, ACCOUNT.slots[1], force=True), removed),
            (key_slots.finish(during, force=True), removed)):
        assert (change.metadata, change.finish_at(60)) == (metadata, None)
    assert CONTAINER.rotation_header == 'X-Container-Meta-Temp-Url-Rotation'
    with pytest.raises(InvalidParameterValue, match='beyond the year 9999'):
        rotation.finish_at(10**12)


@pytest.mark.parametrize(('owner', 'text', 'own'), [
    (Owner('AUTH_x'), 'account AUTH_x', ACCOUNT_SLOTS),
    (Owner(None), 'this account', ACCOUNT_SLOTS),
    (Owner('AUTH_x', 'glance'), 'container glance of account AUTH_x', CONTAINER_SLOTS),
    (Owner(None, 'glance'), 'container glance of this account', CONTAINER_SLOTS),
])
def test_an_owner(owner, text, own):
    assert str(owner) == text
    assert owner.slots == own[::-1]


def test_a_new_key_is_new_and_long():
    made = {key_slots.generate() for _ in range(100)}
    assert len(made) == 100
    assert {len(key.value) for key in made} == {43}


class Swift:
    """The object store of the plans: it answers with these headers."""

    def __init__(self, headers=None):
        self.headers, self.asked = headers, []

    def head(self, *owner):
        self.asked.append(owner)
        return self.headers


@pytest.mark.parametrize(('owner', 'asked'), [
    (ACCOUNT, ('AUTH_x', None)), (CONTAINER, ('AUTH_x', 'glance')), (Owner(None), (None, None))])
def test_find(owner, asked):
    first, _ = owner.slots
    for headers, keys in ({first.header: 'a', 'X-Other': 'b'}, {first: A}), ({}, {}):
        swift = Swift({**headers, 'Date': 'Tue, 14 Nov 2023 22:13:20 GMT'})
        assert key_slots.find(owner, swift) == Slots(owner, keys, NOW)
        assert swift.asked == [asked]
    with pytest.raises(MissingParameterValue, match=f'^There is no {owner}. Correct its name.$'):
        key_slots.find(owner, Swift())


@pytest.mark.parametrize(('written', 'rotated'), [
    (f'{NOW} {A.fingerprint}', NOW), (f'{NOW} {B.fingerprint}', None), (f'{NOW}', None),
    (f'x {A.fingerprint}', None), (f'{"9" * 12} {A.fingerprint}', None), ('', None)])
def test_find_when_the_key_in_slot_1_was_rotated_out(owner, written, rotated):
    """What is there of another key is not about this one."""
    first, second = owner.slots
    found = key_slots.find(owner, Swift({
        first.header: 'a', second.header: 'b', owner.rotation_header: written}))
    assert found.rotated == rotated
    assert abs(found.now - time.time()) < 60
    assert key_slots.find(owner, Swift({owner.rotation_header: written})).rotated is None
