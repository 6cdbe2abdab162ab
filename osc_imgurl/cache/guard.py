# SPDX-License-Identifier: Apache-2.0
"""What a cache that cannot be used may cost: one warning and one waiting time, never the URL."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from osc_imgurl.errors import CacheFailed, InvalidParameterValue, logger, one_line
from osc_imgurl.workers import Workers

LOG = logger(__name__)

T = TypeVar('T')

# How long a cache may take for an answer, in seconds.
TIME_LIMIT = 5.0


class Guard:
    """Asks a cache, as long as it answers.

    The cache is asked in a thread: a time limit holds then whatever it hangs in (the look-up of
    a name, one address after another, a network's file system, a server that sends a byte now and
    then), and a thread that hangs does not keep the process from its end.

    :param cache: what it is called in messages.
    :param once: ask it in a thread the first time only. That is for a cache whose operations have
        time limits of their own, and take less time than to change threads twice.
    """

    def __init__(self, cache: str, *, once: bool = False) -> None:
        self._cache = cache
        self._once = once
        self._answered = False
        self._failure = ''
        self._warned = False
        self._worker: Workers
        self._process: int | None = None

    def ask(self, operation: Callable[[], T]) -> T:
        """Return what an operation does.

        :raises CacheFailed: it failed or took too long, or an earlier one did.
        :raises InvalidParameterValue: as the operation.
        """
        if not self._failure:
            try:
                answer = (operation() if self._once and self._answered
                          else self._ask_in_thread(operation))
                self._answered = True
                return answer
            except InvalidParameterValue:
                raise
            except TimeoutError:
                self._failure = f'it does not answer within {TIME_LIMIT:g} seconds'
            except Exception as error:
                # Whatever a backend's client raises.
                self._failure = _reason(error)
        raise CacheFailed(f'The cache {self._cache} cannot be used: {self._failure}.')

    def _ask_in_thread(self, operation: Callable[[], T]) -> T:
        # A thread does not live on in a process that was forked.
        if self._process != os.getpid():
            self._process, self._worker = os.getpid(), Workers()
        return self._worker.submit(operation).result(TIME_LIMIT)

    def ask_or_warn(self, operation: Callable[[], T], otherwise: T) -> T:
        """Return what an operation does, or the other value and a warning, once."""
        try:
            return self.ask(operation)
        except CacheFailed as error:
            if not self._warned:
                LOG.warning('%s The URL is good all the same', error)
            self._warned = True
            return otherwise


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # Behind it there may be a client's repr, with a password in it.
    return one_line(error).partition('<')[0].strip(' .:') or type(error).__name__
