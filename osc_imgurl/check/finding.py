# SPDX-License-Identifier: Apache-2.0
"""What a check of a temporary URL can say."""

from __future__ import annotations

import dataclasses

from osc_imgurl.errors import ImgurlError, sanitize

PASS, FAIL, SKIPPED = 'pass', 'fail', 'skipped'


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check found.

    :ivar result: :data:`PASS`, :data:`FAIL`, or :data:`SKIPPED` where the check does not apply,
        cannot be made, or means nothing after an earlier one has failed.
    :ivar detail: what was found; sanitized, as the remedy is: it may quote a server or a name.
    :ivar remedy: what to do about it; empty where nothing is wrong, or nothing helps.
    :ivar names: what the remedy is about: see :func:`osc_imgurl.errors.advice`.
    :ivar check: the name of the check.
    """

    result: str
    detail: str
    remedy: str = ''
    names: tuple[str, ...] = ()
    check: str = ''

    def __post_init__(self) -> None:
        for name in ('detail', 'remedy'):
            object.__setattr__(self, name, sanitize(getattr(self, name)))


@dataclasses.dataclass(frozen=True)
class Report:
    """What the checks of a URL found.

    :ivar findings: of all checks, in Swift's order.
    """

    findings: tuple[Finding, ...]

    @property
    def first_failure(self) -> Finding | None:
        """The first finding that says what is wrong: the cause; None where nothing is."""
        return next((each for each in self.findings if each.result == FAIL), None)


def passed(detail: str) -> Finding:
    """Return that nothing is wrong."""
    return Finding(PASS, detail)


def failed(detail: str, remedy: str, *names: str) -> Finding:
    """Return what is wrong, and what to do about it."""
    return Finding(FAIL, detail, remedy, names)


def failed_with(error: ImgurlError) -> Finding:
    """Return what an error says is wrong, and what to do about it."""
    return failed(error.problem.removesuffix('.'), error.remedy, *error.names)


def skipped(detail: str, remedy: str = '', *names: str) -> Finding:
    """Return why nothing can be said, and what would help."""
    return Finding(SKIPPED, detail, remedy, names)
