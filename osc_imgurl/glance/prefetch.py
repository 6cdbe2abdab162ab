# SPDX-License-Identifier: Apache-2.0
"""Something that is done while something else is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar('T')


def start(action: Callable[[], T]) -> Callable[[], T]:
    """Begin an action, and return a function that waits for it.

    The function returns what the action returned, or raises what it raised. A process does not
    wait at its end for an action that nobody waits for.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(action())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future.result
