"""Changes of keys: what is written into which slot, and whose URLs end."""

import pytest

from osc_imgurl.errors import InvalidParameterValue, MissingParameterValue
from osc_imgurl.swift import key_slots
from osc_imgurl.swift.key_slots import ACCOUNT_SLOTS, CONTAINER_SLOTS, Change, KeySlot, Owner
from osc_imgurl.tempurl.signing import Key

A, B, NEW = Key(b'a'), Key(b'b'), Key(b'new')
ACCOUNT, CONTAINER = Owner('AUTH_x'), Owner('AUTH_x', 'glance')


def slots(owner, first, second):
    """Return what is in both slots of an owner, as :func:`osc_imgurl.swift.key_slots.find` does."""
    return {slot: key for slot, key in zip(owner.slots, (first, second), strict=True) if key}


def wanted(owner, before, written, gone=(), outgoing=None):
    """Return the change that writes what has the number 1, and what has the number 2."""
    return Change(owner, before, {owner.slots[number - 1]: key for number, key in written.items()},
                  frozenset(key.fingerprint for key in gone),
                  outgoing.fingerprint if outgoing else None)


@pytest.fixture(params=[ACCOUNT, CONTAINER], ids=str)
def owner(request):
    return request.param


@pytest.mark.parametrize(('before', 'slot', 'key', 'written', 'gone'), [
    ((None, None), 1, NEW, {1: NEW}, ()),
    ((None, None), 2, NEW, {2: NEW}, ()),
    ((A, None), 2, NEW, {2: NEW}, ()),
    ((None, B), 1, NEW, {1: NEW}, ()),
    ((A, None), 1, A, {}, ()),
    ((A, None), 2, A, {2: A}, ()),
    # The key that is overwritten is good in the other slot.
    ((A, A), 1, NEW, {1: NEW}, ()),
    ((A, None), 1, NEW, {1: NEW}, (A,)),
    ((A, B), 2, NEW, {2: NEW}, (B,)),
    ((A, B), 2, A, {2: A}, (B,)),
])
def test_set(owner, before, slot, key, written, gone):
    keys, slot = slots(owner, *before), owner.slots[slot - 1]
    change = key_slots.set_key(owner, keys, slot, key, force=True)
    assert change == wanted(owner, keys, written, gone)
    if gone:
        with pytest.raises(InvalidParameterValue) as caught:
            key_slots.set_key(owner, keys, slot, key)
        assert str(caught.value) == (
            f'There is a key in slot {slot} already ({gone[0].fingerprint}), and the URLs signed'
            ' with it would stop working. Rotate it, take the other slot, or overwrite it'
            ' (rotate the key, slot, force).')
    else:
        assert key_slots.set_key(owner, keys, slot, key) == change


@pytest.mark.parametrize(('before', 'slot', 'written', 'gone'), [
    ((A, None), 1, {1: None}, (A,)), ((A, B), 1, {1: None}, (A,)), ((A, B), 2, {2: None}, (B,)),
    ((A, A), 2, {2: None}, ()), ((None, B), 2, {2: None}, (B,))])
def test_unset(owner, before, slot, written, gone):
    keys = slots(owner, *before)
    assert key_slots.unset_key(owner, keys, owner.slots[slot - 1]) == wanted(
        owner, keys, written, gone)


@pytest.mark.parametrize(('before', 'slot'), [((A, None), 2), ((None, B), 1), ((None, None), 1)])
def test_unset_an_empty_slot(owner, before, slot):
    slot = owner.slots[slot - 1]
    with pytest.raises(InvalidParameterValue, match=f'^There is no key in slot {slot}. See which'):
        key_slots.unset_key(owner, slots(owner, *before), slot)


@pytest.mark.parametrize(('before', 'written', 'gone', 'outgoing'), [
    ((A, None), {2: NEW}, (), A),
    ((None, B), {1: B, 2: NEW}, (), B),
    ((A, A), {2: NEW}, (), A),
    ((A, B), {1: B, 2: NEW}, (A,), B),
])
def test_rotate(owner, before, written, gone, outgoing):
    keys = slots(owner, *before)
    change = key_slots.rotate(owner, keys, NEW, force=True)
    assert change == wanted(owner, keys, written, gone, outgoing)
    if gone:
        with pytest.raises(InvalidParameterValue) as caught:
            key_slots.rotate(owner, keys, NEW)
        assert str(caught.value) == (
            f'Both slots of {owner} have a key, and the URLs signed with the one in slot'
            f' {owner.slots[0]} ({A.fingerprint}) would stop working. Finish the rotation that is'
            ' under way when they have expired, or end them now (finish the rotation, force).')
    else:
        assert key_slots.rotate(owner, keys, NEW) == change


def test_what_cannot_be_rotated(owner):
    with pytest.raises(InvalidParameterValue) as caught:
        key_slots.rotate(owner, {}, NEW, force=True)
    assert str(caught.value) == f'There is no key on {owner}. Set one (set a key).'
    for before in ((NEW, None), (None, NEW), (A, NEW), (NEW, B)):
        with pytest.raises(InvalidParameterValue) as caught:
            key_slots.rotate(owner, slots(owner, *before), NEW, force=True)
        assert str(caught.value) == 'The new key is set already: rotate to another.'


@pytest.mark.parametrize(('before', 'written', 'gone'), [
    ((A, B), {1: B, 2: None}, (A,)), ((A, A), {2: None}, ())])
def test_finish(owner, before, written, gone):
    keys = slots(owner, *before)
    assert key_slots.finish(owner, keys) == wanted(owner, keys, written, gone)


@pytest.mark.parametrize(('before', 'message'), [
    ((None, None), 'There is no key on {}.'),
    ((A, None), 'No rotation is under way on {}: it has one key.'),
    ((None, B), 'No rotation is under way on {}: it has one key.')])
def test_finish_what_is_not_under_way(owner, before, message):
    with pytest.raises(InvalidParameterValue) as caught:
        key_slots.finish(owner, slots(owner, *before))
    assert str(caught.value) == message.format(owner)


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
    """The object store of the plans: no request is made for them."""

    def __init__(self, keys=None):
        self.keys, self.asked = keys, []

    def account_keys(self, *owner):
        self.asked.append(owner)
        return self.keys

    container_keys = account_keys


@pytest.mark.parametrize(('owner', 'asked'), [
    (ACCOUNT, ('AUTH_x',)), (CONTAINER, ('AUTH_x', 'glance')), (Owner(None), (None,))])
def test_find(owner, asked):
    for keys in {KeySlot('account', 1): A}, {}:
        swift = Swift(keys)
        assert (key_slots.find(owner, swift), swift.asked) == (keys, [asked])
    with pytest.raises(MissingParameterValue, match=f'^There is no {owner}. Correct its name.$'):
        key_slots.find(owner, Swift())
