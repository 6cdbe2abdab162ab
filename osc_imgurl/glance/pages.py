# SPDX-License-Identifier: Apache-2.0
"""Glance's list of images, page by page."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from osc_imgurl.errors import GlanceFailed
from osc_imgurl.glance.answers import expected
from osc_imgurl.glance.client import CORRECT
from osc_imgurl.workers import Workers

# In images. Glance gives no more at once (api_limit_max).
PAGE_SIZE = 1000
FIRST_PAGE_SIZE = 25
# A million images, or fewer at a Glance that gives fewer at once.
MOST_PAGES = 1000


def read(get: Callable[[str], Any], filters: Mapping[str, Any], limit: int | None = None,
         marker: str | None = None,
         server: str = 'Glance') -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield the pages of images that match; the next is on its way while one is in use.

    The first page is small, so that the first image is soon there; the others grow up to
    what Glance gives at once.

    :param get: returns what Glance answers to a path and query; what it raises is raised here.
    :param filters: Glance's own query parameters.
    :param limit: no more than so many images.
    :param marker: begin behind this image; its UUID.
    :param server: what messages call Glance.
    :raises GlanceFailed: it answers something else, or its list has no end.
    """
    worker = Workers()

    def request(size: int) -> Future[Any]:
        query = {**filters, 'limit': size, **({'marker': marker} if marker else {})}
        # What is no UTF-8 on a command line goes out as it came in.
        encoded = urllib.parse.urlencode(query, doseq=True, errors='surrogateescape')
        # A process does not wait at its end for a page that nobody needs.
        return worker.submit(lambda: get(f'/v2/images?{encoded}'))

    if limit == 0:
        return
    markers = {marker}
    size = min(FIRST_PAGE_SIZE, limit or FIRST_PAGE_SIZE)
    next_page: Future[Any] | None = request(size)
    while next_page:
        page, next_page = next_page.result(), None
        with expected('a list of images', server):
            images = page['images']
            if not isinstance(images, list):
                raise TypeError
            if limit is not None:
                images = images[:limit]
                limit -= len(images)
            more = 'next' in page and limit != 0
            if more:
                marker = images[-1]['id']
                # What comes back to the same page never ends.
                if marker in markers or len(markers) == MOST_PAGES:
                    raise GlanceFailed(f'{server} answers with a list that does not end.', CORRECT)
                markers.add(marker)
        if more:
            size = min(size * 4, PAGE_SIZE, limit or PAGE_SIZE)
            next_page = request(size)
        yield images
