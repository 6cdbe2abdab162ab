# SPDX-License-Identifier: Apache-2.0
"""The cache: repeated calls give the same URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osc_imgurl.cache.base import Cache
    from osc_imgurl.settings.table import Settings


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
