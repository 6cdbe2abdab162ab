# SPDX-License-Identifier: Apache-2.0
"""Daemon threads: Ctrl-C does not wait for them, as it would for those of concurrent.futures."""

from __future__ import annotations

import functools
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
    """Threads for tasks, in the tasks' order; they end with this object.

    :param number: the most threads; each starts with a task.
    """

    def __init__(self, number: int = 1) -> None:
        self._number = number
        self._tasks: _Tasks = queue.SimpleQueue()

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Have a thread call a task, and return its future answer or exception."""
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
        # Keep no answer while waiting for the next task.
        del task, future, call


def side_by_side(ask: Callable[[T], U], items: Iterable[T], at_once: int) -> Iterator[U]:
    """Yield the answer about each item, in the items' order.

    :param items: read one by one, when a thread is free. An exception while reading is raised
        behind the answers about the items before it.
    :param at_once: the number of threads, and of answers in memory.
    """
    workers = Workers(at_once)
    waiting: deque[Future[U]] = deque()

    def futures() -> Iterator[Future[U]]:
        try:
            for item in items:
                yield workers.submit(functools.partial(ask, item))
        except Exception as error:
            failed: Future[U] = Future()
            failed.set_exception(error)
            yield failed

    for future in futures():
        waiting.append(future)
        if len(waiting) == at_once:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def read_ahead(items: Iterable[T], at_most: int) -> Iterator[T]:
    """Yield items while another thread reads the next.

    :param at_most: the number of items to read ahead.
    """
    iterator, workers = iter(items), Workers()
    end = object()
    waiting = deque(workers.submit(lambda: next(iterator, end)) for _ in range(at_most))
    while (item := waiting.popleft().result()) is not end:
        waiting.append(workers.submit(lambda: next(iterator, end)))
        yield item  # type: ignore[misc]
