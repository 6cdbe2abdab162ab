"""What Swift is asked for a URL: each question once, and side by side where it is asked ahead."""

import concurrent.futures
import threading

import pytest

from osc_imgurl.errors import ObjectStoreFailed
from osc_imgurl.swift.answers import ACCOUNT_SLOTS, Capabilities
from osc_imgurl.swift.object_store import MemoizedStore
from osc_imgurl.tempurl.endpoint import Endpoint
from osc_imgurl.tempurl.signing import Key

from ..stubs import Store

KEYS = {ACCOUNT_SLOTS[1]: Key(b'a key')}
SWIFT = Endpoint('http://swift')
ALL = [('container_keys', 'AUTH_p', 'glance'), ('account_keys', 'AUTH_p'), ('capabilities', SWIFT)]


def answers(asked):
    return (asked.container_keys('AUTH_p', 'glance'), asked.account_keys('AUTH_p'),
            asked.capabilities(SWIFT))


def test_no_question_is_asked_twice():
    store = Store(account=KEYS)
    asked = MemoizedStore(store)
    assert answers(asked) == answers(asked) == ({}, KEYS, Capabilities())
    assert store.asked == ['container_keys', 'account_keys', 'capabilities']
    asked.account_keys('AUTH_q')
    assert len(store.asked) == 4


def test_threads_ask_no_question_twice():
    store, begun = Store(account=KEYS), threading.Barrier(8)
    asked = MemoizedStore(store)

    def ask(_):
        begun.wait(30)
        return asked.account_keys('AUTH_p')

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == [KEYS] * 8
    assert store.asked == ['account_keys']


@pytest.mark.parametrize('ahead', [True, False])
@pytest.mark.parametrize('error', [ObjectStoreFailed('HTTP 503.'), RuntimeError('a bug')])
def test_what_failed_fails_again(error, ahead):
    """Whatever the error is, and whoever needs the answer: nobody waits for ever."""
    store = Store()
    store.answers['account_keys'] = error
    asked = MemoizedStore(store)
    if ahead:
        asked.prefetch('account_keys', 'AUTH_p')
    for _ in range(2):
        with pytest.raises(type(error)):
            asked.account_keys('AUTH_p')
    assert store.asked == ['account_keys']


def test_questions_ahead_are_asked_side_by_side_and_not_again():
    together = threading.Barrier(3)
    store = Store()
    for question, answer in (('container_keys', {}), ('account_keys', KEYS),
                             ('capabilities', Capabilities())):
        store.answers[question] = lambda *names, answer=answer: together.wait(30) * 0 or answer
    asked = MemoizedStore(store)
    for question in ALL:
        asked.prefetch(*question)
    assert answers(asked) == ({}, KEYS, Capabilities())
    assert sorted(store.asked) == ['account_keys', 'capabilities', 'container_keys']


def test_the_store_of_a_region_is_asked_nothing_twice_either():
    class Regions(Store):
        def at(self, endpoint):
            return others.setdefault(endpoint, Store()) if 'other' in endpoint else self

    others, store = {}, Regions()
    asked = MemoizedStore(store)
    assert asked.at('http://swift') is asked and asked.memoized() is asked
    for _ in range(2):
        assert asked.at('http://other').account_keys('AUTH_p') == {}
    assert (store.asked, others['http://other'].asked) == ([], ['account_keys'])


def test_a_failure_that_is_not_needed_costs_nothing(caplog):
    store, happened = Store(), threading.Event()

    def fail(*names):
        happened.set()
        raise ObjectStoreFailed('HTTP 503.')

    store.answers['container_keys'] = fail
    asked = MemoizedStore(store)
    asked.prefetch('container_keys', 'AUTH_p', 'glance')
    assert happened.wait(30) and asked.account_keys('AUTH_p') == {}
    assert not caplog.records
    with pytest.raises(ObjectStoreFailed):
        asked.container_keys('AUTH_p', 'glance')
