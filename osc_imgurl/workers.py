# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for others, and for which nobody waits: an interrupt ends the process at once.

Those of ``concurrent.futures`` keep a process from its end until the last has its answer.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar('T')
U = TypeVar('U')

_Tasks = queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


class Workers:
    """Threads that do what they are given, in that order; they end with this object.

    :param number: how many there are at most; each begins when there is something for it.
    """

    def __init__(self, number: int = 1) -> None:
        self._number = number
        self._tasks: _Tasks = queue.SimpleQueue()

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Return what a task will have returned, or raised."""
        if self._number:
            self._number -= 1
            threading.Thread(target=_work, args=(self._tasks,), daemon=True).start()
            weakref.finalize(self, self._tasks.put, None)
        future: Future[T] = Future()
        self._tasks.put((future, task))
        return future


def _work(tasks: _Tasks) -> None:
    while task := tasks.get():
        future, call = task
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)
        # What is done is not kept until the next comes.
        del task, future, call


def side_by_side(ask: Callable[[T], U], items: Iterable[T], at_once: int) -> Iterator[U]:
    """Yield what is answered about each item, in the items' order.

    :param items: read as far as they are asked about, and no further.
    :param at_once: how many are asked about at the same time; no more are held.
    """
    workers = Workers(at_once)
    waiting: deque[Future[U]] = deque()
    for item in items:
        waiting.append(workers.submit(lambda item=item: ask(item)))  # type: ignore[misc]
        if len(waiting) == at_once:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def read_ahead(items: Iterable[T], at_most: int) -> Iterator[T]:
    """Yield items that another thread reads meanwhile.

    :param at_most: how many are read before they are asked for; no more are held.
    """
    iterator, workers = iter(items), Workers()
    end = object()
    waiting = deque(workers.submit(lambda: next(iterator, end)) for _ in range(at_most))
    while (item := waiting.popleft().result()) is not end:
        waiting.append(workers.submit(lambda: next(iterator, end)))
        yield item  # type: ignore[misc]
