# SPDX-License-Identifier: Apache-2.0
"""Glance's client on the caller's session: what it sends, logs and raises; values from answers."""

from __future__ import annotations

import contextlib
import html
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import requests
from glanceclient import exc
from glanceclient.common.http import SessionClient
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.session import Session

from osc_imgurl import http
from osc_imgurl.errors import (
    GlanceFailed,
    ImageNotAuthorized,
    ImageNotFound,
    InvalidParameterValue,
    logger,
    one_line,
)
from osc_imgurl.glance import location
from osc_imgurl.glance.image import Image, is_uuid
from osc_imgurl.glance.location import Location
from osc_imgurl.http.answer import TIME_LIMIT
from osc_imgurl.workers import Workers

LOG = logger(__name__)

AGAIN = 'Try again; if it stays so, tell its operator.'
# Perhaps it is not Glance that answers.
CORRECT = 'Correct the endpoint of Glance, or tell its operator.'
# So much of an error page is read, in bytes.
MAX_PAGE = 4096
# In images. Glance gives no more at once (api_limit_max).
PAGE_SIZE = 1000
FIRST_PAGE_SIZE = 25
# A million images, or fewer if Glance gives smaller pages.
MOST_PAGES = 1000


class Client(SessionClient):  # type: ignore[misc]
    """Glance's client without keystoneauth's log of answers.

    At level DEBUG keystoneauth logs whole answers, and an image's location may contain the store's
    password. So this logs method, path and status only. It follows no redirection: that would send
    the token to another host.

    :param timeout: in seconds; the session's own, if any, counts in its place.
    :ivar server: what messages call it.
    """

    def __init__(self, session: Session, endpoint: str, timeout: float = TIME_LIMIT) -> None:
        super().__init__(session, endpoint_override=endpoint)
        # In clouds.yaml there may be a password before the host.
        self.server = f'Glance at {endpoint.rpartition("@")[2]}'
        self._timeout = session.timeout or timeout

    def request(self, url: str, method: str, **kwargs: Any) -> Any:
        LOG.debug('Glance request: %s %s', method, url)
        kwargs.update(log=False, redirect=False, requests_auth=http.no_auth,
                      timeout=self._timeout)
        try:
            response, body = super().request(url, method, **kwargs)
        except http.FAILURES as error:
            raise GlanceFailed(f'{self.server} failed: {http.failure(error)}.') from error
        LOG.debug('Glance response: %s, %s', response.status_code,
                  response.headers.get('X-Openstack-Request-Id'))
        if 300 <= response.status_code < 400:
            response.close()
            target = response.headers.get('Location', 'nowhere').partition('?')[0]
            raise GlanceFailed(
                f'{self.server} failed: it redirects to {target} (HTTP {response.status_code}).',
                'The token is not sent there: correct the endpoint of Glance, or ask its'
                ' operator to.')
        return response, body

    def _handle_response(self, resp: requests.Response) -> Any:
        """As glanceclient does, but an answer may be of another server."""
        try:
            if not resp.ok and 'html' in resp.headers.get('Content-Type', ''):
                # With many "<" and no ">", glanceclient takes hours to find the tags.
                resp._content = resp.content[:MAX_PAGE]
            return super()._handle_response(resp)
        except exc.HTTPException as error:
            failed = error
        except (*http.FAILURES, AttributeError, LookupError, TypeError) as error:
            if resp.ok:
                raise self._unreadable(resp, error) from error
            # What the answer says is not to be read, and its status says enough.
            failed = exc.from_response(resp)
        failed.code = resp.status_code
        raise failed

    def _unreadable(self, resp: requests.Response, error: Exception) -> GlanceFailed:
        if isinstance(error, requests.RequestException) and not isinstance(error, ValueError):
            return GlanceFailed(http.unanswered(self.server, error), AGAIN)
        return GlanceFailed(
            f'{self.server} answers HTTP {resp.status_code} with something that is not JSON.',
            CORRECT)


def not_found(image: str) -> ImageNotFound:
    """Return the error for an image, by its ID or name, if Glance does not show it."""
    return ImageNotFound(
        f'No image has the {"ID" if is_uuid(image) else "name"} {image!r}, or these credentials'
        ' may not see it.', 'Look for it: openstack image list.')


@contextlib.contextmanager
def translated(image: str, server: str = 'Glance') -> Iterator[None]:
    """Turn what glanceclient and keystoneauth raise into this library's errors.

    :param image: the ID or name of the image in question; empty without one.
    :param server: what messages call Glance.
    """
    try:
        yield
    except (exc.Forbidden, exc.Unauthorized) as error:
        said = one_line(error).removesuffix('.')
        # A proxy may say anything.
        said = (said if str(error.code) in said
                else f'HTTP {error.code} {said.removeprefix("HTTP ")}')
        raise ImageNotAuthorized(
            f'{server} does not allow this{f" for image {image}" if image else ""} with these'
            f' credentials: {said}.',
            'Use others that may: a project\'s, and not a domain\'s or the whole system\'s.'
            ) from error
    except exc.NotFound as error:
        if image:
            raise not_found(image) from error
        raise GlanceFailed(f'{server} answers HTTP {error.code}.', CORRECT) from error
    except (exc.BadRequest, exc.Conflict) as error:
        raise InvalidParameterValue(
            f'{server} refuses this: {one_line(html.unescape(str(error)))}') from error
    except TypeError as error:
        if error.__context__ is None:
            raise
        # glanceclient's own check of a property, against Glance's schema.
        raise InvalidParameterValue(one_line(str(error).partition('\n')[0])) from error
    except exc.HTTPException as error:
        raise GlanceFailed(f'{server} answers HTTP {error.code}.', AGAIN) from error
    except (exc.CommunicationError, exc.InvalidEndpoint, ksa_exceptions.ConnectionError,
            requests.RequestException) as error:
        raise GlanceFailed(http.unanswered(server, error), *(http.remedy(error) or (AGAIN,))
                           ) from error
    except (exc.BaseException, exc.ClientException, ksa_exceptions.ClientException) as error:
        raise GlanceFailed(f'{server} failed: {one_line(error)}') from error


@contextlib.contextmanager
def expected(what: str, server: str = 'Glance') -> Iterator[None]:
    """Read an answer of Glance, and say in one line if it has another shape.

    :param server: what messages call Glance.
    :raises GlanceFailed: the answer has another shape.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise GlanceFailed(f'{server} answers something else than {what}.', CORRECT) from error


def to_image(shown: Mapping[str, Any], server: str = 'Glance') -> Image:
    """Return the image in a JSON object of Glance's.

    :param server: what messages call Glance.
    :raises GlanceFailed: it shows something else.
    """
    with expected('an image', server):
        if not is_uuid(shown['id']):
            raise ValueError
        direct_url = location.parse(shown['direct_url']) if shown.get('direct_url') else None
        return Image(
            id=shown['id'], name=_text(shown.get('name')), status=_text(shown.get('status')),
            owner=_text(shown.get('owner')), visibility=_text(shown.get('visibility')),
            direct_url=direct_url, locations=to_locations(shown.get('locations') or (), server),
            stores=tuple(filter(None, str(shown.get('stores') or '').split(','))),
            properties={name: value for name, value in shown.items()
                        if name not in ('direct_url', 'locations')})


def to_locations(shown: Iterable[Mapping[str, Any]],
                 server: str = 'Glance') -> tuple[Location, ...]:
    """Return the locations in a JSON array of Glance's.

    :param server: what messages call Glance.
    :raises GlanceFailed: it shows something else.
    """
    with expected('the locations of an image', server):
        if not isinstance(shown, (list, tuple)):
            raise TypeError
        return tuple(
            location.parse(item['url'], _text((item.get('metadata') or {}).get('store')))
            for item in shown)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def read_pages(get: Callable[[str], Any], filters: Mapping[str, Any], limit: int | None = None,
         marker: str | None = None,
         server: str = 'Glance') -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield the pages of matching images; fetch the next while the caller uses one.

    The first page is small, for a quick first image. The others grow up to Glance's limit.

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
        # Invalid UTF-8 from a command line goes out unchanged.
        encoded = urllib.parse.urlencode(query, doseq=True, errors='surrogateescape')
        # When a process ends, it does not wait for a page.
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
                # A repeated page means an endless list.
                if marker in markers or len(markers) == MOST_PAGES:
                    raise GlanceFailed(f'{server} answers with a list that does not end.', CORRECT)
                markers.add(marker)
        if more:
            size = min(size * 4, PAGE_SIZE, limit or PAGE_SIZE)
            next_page = request(size)
        yield images
