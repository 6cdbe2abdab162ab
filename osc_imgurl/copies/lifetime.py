# SPDX-License-Identifier: Apache-2.0
"""How long a copy lives: Swift deletes an object at the moment that its ``X-Delete-At`` names."""

from __future__ import annotations

# What a copy lives longer than its URL, in seconds: a download that has begun may go on.
GRACE = 3600
# By how much a later URL may outrun that, in seconds, before the copy's end is moved.
SLACK = 300


def delete_at(expires: int) -> int:
    """Return when a copy is to be deleted whose URL expires at a moment; Unix times, seconds."""
    return expires + GRACE


def moved(found: int | None, expires: int) -> int | None:
    """Return the moment to which a copy's end must be moved; None where it lives long enough.

    A copy's life is made longer, and never shorter.

    :param found: when it is deleted now: Unix time, seconds; None where that is never.
    :param expires: when the new URL expires.
    """
    wanted = delete_at(expires)
    return None if found is None or found >= wanted - SLACK else wanted


def ends_soon(found: int, now: float) -> bool:
    """Say whether what is written of a copy may be deleted before the copy is whole.

    :param found: when that is deleted: Unix time, seconds.
    :param now: Unix time, seconds.
    """
    return found - now < GRACE / 2
