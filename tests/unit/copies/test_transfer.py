"""Segments on their way, with a Glance and a Swift that fail when told to.

Both are functions here: no real one fails at a given byte. The functional tests send images from a
real Glance to a real Swift, through a proxy that cuts off.
"""

import hashlib
import itertools
import secrets

import pytest

from osc_imgurl.copies.segments import AHEAD, Reader, Segment, Transfer
from osc_imgurl.errors import (
    GlanceFailed,
    ImageDownloadFailed,
    ImgurlError,
    ObjectStoreFailed,
    ObjectStoreFull,
)

DATA = secrets.token_bytes(100)
SEGMENTS = [Segment(0, 0, 40), Segment(1, 40, 40), Segment(2, 80, 20)]
CHUNK = 7


class Glance:
    """Gives data from a byte on; ``cuts`` say where it ceases to, one after another."""

    def __init__(self, data=DATA, cuts=()):
        self.data, self.cuts, self.asked = data, list(cuts), []

    def open_at(self, start):
        self.asked.append(start)
        cut = self.cuts.pop(0) if self.cuts else None
        for at in range(start, len(self.data), CHUNK):
            if cut is not None and at >= cut:
                raise GlanceFailed('It ceases.')
            yield self.data[at:at + CHUNK]


class Swift:
    """Keeps what is put; ``faults`` are what happens to the next, one after another."""

    def __init__(self, faults=()):
        self.faults, self.objects, self.kept = list(faults), {}, []

    def put(self, name, body):
        fault = self.faults.pop(0) if self.faults else None
        data = b''.join(body)
        assert len(data) == len(body)
        if isinstance(fault, ImgurlError):
            raise fault
        self.objects[name] = data
        return 'another' if fault else md5(data)

    def keep(self, stored):
        self.kept.append(stored.name)
        return stored.name in self.objects


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def send(glance, swift, known=None, num_retries=0):
    """Return what was stored, and the hash; retries wait for nothing."""
    done = []
    transfer = Transfer(Reader(glance.open_at), 'sha256', known or {}, put=swift.put,
                        keep=swift.keep, progress=done.append, num_retries=num_retries)
    stored = [transfer.store(segment, f'own/{segment.number}') for segment in SEGMENTS]
    assert done[-1] == len(DATA)
    return stored, transfer.hexdigest()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr('osc_imgurl.http.BACKOFF_FACTOR', 0)


def whole(swift, stored):
    return b''.join(swift.objects[each.name] for each in stored)


def test_the_data_arrives():
    glance, swift = Glance(), Swift()
    stored, found = send(glance, swift)
    assert whole(swift, stored) == DATA
    assert found == hashlib.sha256(DATA).hexdigest()
    # From one request, whose parts end where they like.
    assert glance.asked == [0]


@pytest.mark.parametrize('fault', [ObjectStoreFailed('It fails.'), 'altered'])
@pytest.mark.parametrize('number', range(3))
def test_a_segment_that_fails_is_sent_again(fault, number):
    glance, swift = Glance(), Swift([None] * number + [fault, fault])
    stored, found = send(glance, swift, num_retries=2)
    assert whole(swift, stored) == DATA and found == hashlib.sha256(DATA).hexdigest()
    assert glance.asked == [0] + [SEGMENTS[number].start] * 2


@pytest.mark.parametrize('cut', [0, 14, 39, 40, 41, 99])
def test_glance_reads_on_from_the_segment_at_which_it_has_ceased(cut):
    glance, swift = Glance(cuts=[cut]), Swift()
    stored, found = send(glance, swift, num_retries=1)
    assert whole(swift, stored) == DATA and found == hashlib.sha256(DATA).hexdigest()
    assert len(glance.asked) <= 2


def test_what_fails_too_often():
    with pytest.raises(GlanceFailed, match='It ceases'):
        send(Glance(cuts=[50, 50]), Swift(), num_retries=1)
    with pytest.raises(ObjectStoreFailed, match='its MD5 is another, and not'):
        send(Glance(), Swift(['altered']))


def test_a_full_account_is_asked_once():
    swift = Swift([ObjectStoreFull('It is full.'), None])
    with pytest.raises(ObjectStoreFull):
        send(Glance(), swift, num_retries=5)
    assert len(swift.faults) == 1


def test_data_that_is_cut_off():
    with pytest.raises(ImageDownloadFailed, match='cut off: Glance gives 90 bytes'):
        send(Glance(DATA[:90]), Swift(), num_retries=1)


def test_what_is_there_already_is_not_sent():
    glance, swift = Glance(), Swift()
    swift.objects = {'other/0': DATA[:40], 'wrong/1': b'x' * 40, 'other/2': DATA[80:]}
    known = {(0, 40): {md5(DATA[:40]): 'other/0', '0' * 32: 'wrong/0'},
             (1, 40): {md5(b'x' * 40): 'wrong/1'},
             # It has gone meanwhile.
             (2, 20): {md5(DATA[80:]): 'gone/2'}}
    stored, found = send(glance, swift, known)
    assert [each.name for each in stored] == ['other/0', 'own/1', 'own/2']
    assert whole(swift, stored) == DATA and found == hashlib.sha256(DATA).hexdigest()
    assert swift.kept == ['other/0', 'gone/2']
    # What differs is read again.
    assert glance.asked == [0, 40, 80]


def test_what_is_behind_the_end():
    for data, at_end in ((DATA, True), (DATA + b'x', False)):
        reader = Reader(Glance(data).open_at)
        assert b''.join(reader.read(0, len(DATA))) == DATA
        assert reader.at_end() == at_end


def test_memory_is_bounded():
    given = itertools.count()
    chunks = Reader(lambda start: (b'%d' % next(given) for _ in range(1000))).read(0, 500)
    next(chunks)
    assert next(given) <= AHEAD + 2
