# SPDX-License-Identifier: Apache-2.0
"""The same question gets the same URL: when it was signed first, as far as that counts now."""

from __future__ import annotations

import dataclasses
import hashlib
import json

from osc_imgurl.cache.entry import Cache, Entry, signature_fingerprint
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.signing import Key, Parameters, sign

# How far the clocks of the hosts that share a cache may differ, and how long ago a command may have
# looked at its clock, in seconds.
CLOCK_MARGIN = 60


def reuse(cache: Cache, parameters: Parameters, key: Key, image_id: str, settings: Settings, *,
          now: float, refresh: bool = False) -> tuple[Parameters, bool]:
    """Return the parameters with the expiry that the cache knows, and whether it knew one.

    :param parameters: of a new URL, whose expiry is kept where the cache knows none.
    :param now: Unix time, seconds.
    :param refresh: keep the new one in place of one that can be used.
    """
    options, path = parameters.options, parameters.path
    duration = options.seconds or settings.duration
    earliest = now + settings.expected_download_start_delay
    latest = now + duration + settings.align + CLOCK_MARGIN

    def accepts(expires: int) -> bool:
        """Say whether an expiry could have been chosen until now, and lies far enough ahead."""
        if options.expires is not None:
            return expires == options.expires
        return earliest <= expires <= latest and (
            not settings.align or (expires - duration) % settings.align == 0)

    shaped_by = {**dataclasses.asdict(parameters), 'expires': None, 'image_id': image_id,
                 'key_fingerprint': key.fingerprint, 'duration': duration, 'align': settings.align}
    entry = Entry(
        hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest(), parameters.expires, image_id,
        options.method, path.account, path.container, key.fingerprint,
        signature_fingerprint(sign(parameters, key).signature))
    expires, cached = cache.get_or_create(entry, accepts, now, refresh)
    return dataclasses.replace(parameters, expires=expires), cached
