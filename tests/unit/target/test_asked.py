"""What Swift is asked for a URL: each question once, and side by side where it is asked ahead."""

import threading

import pytest

from osc_imgurl.errors import ObjectStoreFailed
from osc_imgurl.swift.capabilities import Capabilities
from osc_imgurl.swift.slot import ACCOUNT_SLOTS
from osc_imgurl.target.asked import AskedSwift
from osc_imgurl.target.resolve import Target
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

from ..stubs import Store

KEYS = {ACCOUNT_SLOTS[1]: Key(b'a key')}
TARGET = Target('http://proxy', ObjectPath('AUTH_p', 'glance', 'x'))
ALL = {'container_keys': True, 'account_keys': True, 'capabilities': True}


def answers(asked):
    return (asked.container_keys('AUTH_p', 'glance'), asked.account_keys('AUTH_p'),
            asked.capabilities('http://swift'))


def test_no_question_is_asked_twice():
    store = Store(account=KEYS)
    asked = AskedSwift(store)
    assert answers(asked) == answers(asked) == ({}, KEYS, Capabilities())
    assert store.asked == ['container_keys', 'account_keys', 'capabilities']
    asked.account_keys('AUTH_q')
    assert len(store.asked) == 4


@pytest.mark.parametrize('ahead', [True, False])
@pytest.mark.parametrize('error', [ObjectStoreFailed('HTTP 503.'), RuntimeError('a bug')])
def test_what_failed_fails_again(error, ahead):
    """Whatever the error is, and whoever needs the answer: nobody waits for ever."""
    store = Store()
    store.answers['account_keys'] = error
    asked = AskedSwift(store)
    if ahead:
        asked.ask_ahead(TARGET, account_keys=True, container_keys=False, capabilities=False)
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
    asked = AskedSwift(store)
    asked.ask_ahead(TARGET, **ALL)
    assert answers(asked) == ({}, KEYS, Capabilities())
    assert sorted(store.asked) == ['account_keys', 'capabilities', 'container_keys']


@pytest.mark.parametrize('question', ALL)
def test_only_what_is_wanted_is_asked_ahead(question):
    store, happened = Store(), threading.Event()
    store.answers[question] = lambda *names: happened.set()
    asked = AskedSwift(store)
    asked.ask_ahead(TARGET, **{**dict.fromkeys(ALL, False), question: True})
    assert happened.wait(30) and store.asked == [question]


def test_a_failure_that_is_not_needed_costs_nothing(caplog):
    store, happened = Store(), threading.Event()

    def fail(*names):
        happened.set()
        raise ObjectStoreFailed('HTTP 503.')

    store.answers['container_keys'] = fail
    asked = AskedSwift(store)
    asked.ask_ahead(TARGET, container_keys=True, account_keys=False, capabilities=False)
    assert happened.wait(30) and asked.account_keys('AUTH_p') == {}
    assert not caplog.records
    with pytest.raises(ObjectStoreFailed):
        asked.container_keys('AUTH_p', 'glance')
