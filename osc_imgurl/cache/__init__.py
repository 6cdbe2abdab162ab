# SPDX-License-Identifier: Apache-2.0
"""The cache: repeated calls give the same URL.

A cache stores the expiry, not the URL. An untrusted user with write access to it can only move the
expiry to another moment within the settings' limits.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, TypeAlias

from osc_imgurl.cache.base import Entry, signature_fingerprint
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.signing import Key, Parameters, sign

if TYPE_CHECKING:
    from osc_imgurl.cache.shared import SharedCache
    from osc_imgurl.cache.sqlite import SQLiteCache

    Cache: TypeAlias = 'SQLiteCache | SharedCache'

# Seconds for two differences: between the clocks of hosts with the same cache, and between a
# command's look at its clock and now.
CLOCK_MARGIN = 60


def open_cache(settings: Settings) -> Cache:
    """Return the cache of these settings: a shared one if they name a backend, else a file.

    :raises InvalidParameterValue: there is no such backend, or it refuses its arguments.
    """
    if settings.cache_backend:
        from osc_imgurl.cache.shared import SharedCache

        return SharedCache(settings.cache_backend, dict(settings.cache_arguments),
                           settings.duration + settings.align, settings.cache_password)
    from osc_imgurl.cache.sqlite import SQLiteCache

    return SQLiteCache()


def reuse(cache: Cache, parameters: Parameters, key: Key, image_id: str, settings: Settings, *,
          now: float, refresh: bool = False) -> tuple[Parameters, bool]:
    """Return the parameters with the cached expiry and True, or unchanged and False.

    :param parameters: of a new URL; the cache stores their expiry if it has no usable one.
    :param now: Unix time, seconds.
    :param refresh: store the new expiry in any case.
    """
    options, path = parameters.options, parameters.path
    duration = options.seconds or settings.duration
    earliest = now + settings.expected_download_start_delay
    latest = now + duration + settings.align + CLOCK_MARGIN

    def accepts(expires: int) -> bool:
        """Say whether these settings could have chosen the expiry by now, and it is late enough."""
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
