# SPDX-License-Identifier: Apache-2.0
"""The same question gets the same URL: when it was signed first, as far as that counts now."""

from __future__ import annotations

import dataclasses

from osc_imgurl.cache.entry import Cache, Entry, fingerprint, signature_fingerprint
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.url import ObjectPath, TempURL

# How far the clocks of the hosts that share a cache may differ, and how long ago a command may have
# looked at its clock, in seconds.
CLOCK_MARGIN = 60


@dataclasses.dataclass(frozen=True)
class Asked:
    """All that shapes a URL but the moment of its making: the cache knows a URL by it.

    :ivar request: with the method as it is signed.
    """

    image_id: str
    endpoint: str
    path: ObjectPath
    digest: str
    key_fingerprint: str
    duration: int
    align: int
    request: URLOptions


def first_expiry(cache: Cache, asked: Asked, signed: TempURL, settings: Settings, *,
                 now: float, refresh: bool = False) -> tuple[int, bool]:
    """Return the expiry that the cache knows for a URL, else that of a new one, which it keeps.

    :param signed: the new URL.
    :param now: Unix time, seconds.
    :param refresh: keep the new one in place of one that can be used.
    :returns: Unix time, seconds; and whether the cache knew it.
    """
    request = asked.request
    earliest = now + settings.expected_download_start_delay
    latest = now + settings.duration + settings.align + CLOCK_MARGIN

    def accepts(expires: int) -> bool:
        """Say whether an expiry could have been chosen until now, and lies far enough ahead."""
        if request.expires is not None:
            return expires == request.expires
        return earliest <= expires <= latest and (
            not settings.align or (expires - settings.duration) % settings.align == 0)

    entry = Entry(fingerprint(asked), signed.expires, asked.image_id, request.method,
                  asked.path.account, asked.path.container, asked.key_fingerprint,
                  signature_fingerprint(signed.signature))
    return cache.get_or_create(entry, accepts, now, refresh)
