# SPDX-License-Identifier: Apache-2.0
"""What a check of a temporary URL can say."""

from __future__ import annotations

import dataclasses

from osc_imgurl.errors import ImgurlError, printable

PASS, FAIL, SKIPPED = 'pass', 'fail', 'skipped'


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a check found.

    :ivar result: :data:`PASS`, :data:`FAIL`, or :data:`SKIPPED` where the check does not apply
        or cannot be made.
    :ivar detail: printable, as the remedy is: it may quote a server or a name.
    :ivar remedy: what to do about a failure; else empty.
    """

    result: str
    detail: str
    remedy: str = ''

    def __post_init__(self) -> None:
        for name in ('detail', 'remedy'):
            object.__setattr__(self, name, printable(getattr(self, name)))


def passed(detail: str) -> Verdict:
    """Return that nothing is wrong."""
    return Verdict(PASS, detail)


def failed(detail: str, remedy: str) -> Verdict:
    """Return what is wrong, and what to do about it."""
    return Verdict(FAIL, detail, remedy)


def failed_with(error: ImgurlError) -> Verdict:
    """Return what an error says is wrong, and what to do about it."""
    return failed(error.problem.removesuffix('.'), error.remedy)


def skipped(detail: str) -> Verdict:
    """Return why nothing can be said."""
    return Verdict(SKIPPED, detail)
