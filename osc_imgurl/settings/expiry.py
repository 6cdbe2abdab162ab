# SPDX-License-Identifier: Apache-2.0
"""When a new URL expires: as it is asked for, else by the duration."""

from __future__ import annotations

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.expiry import format_expires
from osc_imgurl.tempurl.request import Request


def expiry(settings: Settings, request: Request, now: float) -> int:
    """Return when a URL that is signed now expires: Unix time, seconds.

    :param now: Unix time, seconds.
    :raises InvalidParameterValue: that is in the past, or before a download may start.
    """
    if request.expires is None:
        if settings.align:
            # The window's end instead of its start: the URL lives at least the duration.
            now = (int(now) // settings.align + 1) * settings.align
        return int(now + settings.duration)
    delay = settings.expected_download_start_delay
    if request.expires <= now or request.expires < now + delay:
        raise InvalidParameterValue(
            f'The expiry {format_expires(request.expires)} is in the past, or comes'
            f' before a download may start ({delay} s from now).', 'Use a later one.',
            'expires')
    return request.expires
