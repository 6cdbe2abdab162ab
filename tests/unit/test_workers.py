"""Threads that wait for others, and for which nobody waits."""

import subprocess
import sys
import threading

import pytest

from osc_imgurl.workers import Workers, read_ahead, side_by_side


def test_answers_come_in_order_and_as_many_at_once_as_allowed():
    together = threading.Barrier(3)

    def ask(number):
        together.wait(30)
        return number * 2

    assert list(side_by_side(ask, range(9), 3)) == list(range(0, 18, 2))


def test_no_more_is_read_than_is_asked_about():
    read = []
    answers = side_by_side(str, (read.append(number) or number for number in range(99)), 4)
    assert (next(answers), read) == ('0', [0, 1, 2, 3])
    assert (next(answers), read) == ('1', [0, 1, 2, 3, 4])


def test_what_is_raised_comes_in_its_place():
    answers = side_by_side(lambda number: 6 // number, [2, 0, 1], 2)
    assert next(answers) == 3
    with pytest.raises(ZeroDivisionError):
        next(answers)


def test_what_the_input_raises_comes_after_the_answers():
    def items():
        yield from (1, 2, 3)
        raise RuntimeError

    answers = side_by_side(str, items(), 9)
    assert [next(answers) for _ in range(3)] == ['1', '2', '3']
    with pytest.raises(RuntimeError):
        next(answers)


def test_threads_end_with_their_object():
    before = set(threading.enumerate())
    workers = Workers(2)
    assert [workers.submit(int).result() for _ in range(3)] == [0, 0, 0]
    threads = set(threading.enumerate()) - before
    assert len(threads) == 2
    del workers
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_no_process_waits_for_them():
    """As it would for those of concurrent.futures."""
    subprocess.run([sys.executable, '-c', """
import threading
from osc_imgurl.workers import side_by_side
answers = side_by_side(lambda wait: wait and threading.Event().wait(), [False, True, True], 3)
print(next(answers))
"""], check=True, timeout=30)


def test_one_thread_reads_ahead():
    """No iterator is asked by two at once."""
    before = set(threading.enumerate())
    items = read_ahead(range(9), 3)
    assert next(items) == 0
    assert len(set(threading.enumerate()) - before) == 1
    items.close()


def test_what_is_read_ahead_comes_in_order_and_is_bounded():
    read = []
    items = read_ahead((read.append(number) or number for number in range(9)), 3)
    assert next(items) == 0
    assert list(items) == list(range(1, 9)) == read[1:]
    given = iter(range(99))
    items = read_ahead(given, 3)
    assert next(items) == 0
    items.close()
    assert next(given) <= 4
    with pytest.raises(ZeroDivisionError):
        list(read_ahead((6 // number for number in (2, 0, 1)), 3))
