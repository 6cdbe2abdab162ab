# SPDX-License-Identifier: Apache-2.0
"""Glance's client on the caller's session: what it sends and logs, and the errors it raises."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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
from osc_imgurl.glance.image import is_uuid

LOG = logger(__name__)


class Client(SessionClient):  # type: ignore[misc]
    """Glance's client, with keystoneauth's logging of answers switched off.

    At the debug level keystoneauth logs whole answers, and an image's location may hold the
    store's password. Glance answers no request of ours without such a place, so none is
    logged but its method, path and status. What reads is retried; what creates is not, lest
    there be two of it. No redirection is followed, which would take the token along.
    """

    def __init__(self, session: Session, num_retries: int, **kwargs: Any) -> None:
        super().__init__(session, **kwargs)
        self._retries = http.session_retries(num_retries)
        self._timeout = session.timeout or http.TIME_LIMIT

    def request(self, url: str, method: str, **kwargs: Any) -> Any:
        LOG.debug('Glance request: %s %s', method, url)
        kwargs.update(log=False, redirect=False, requests_auth=http.no_auth,
                      timeout=self._timeout)
        if method in ('GET', 'HEAD'):
            kwargs.update(self._retries)
        try:
            response, body = super().request(url, method, **kwargs)
        except http.FAILURES as error:
            raise GlanceFailed(f'Glance failed: {http.failure(error)}.') from error
        LOG.debug('Glance response: %s, %s', response.status_code,
                  response.headers.get('X-Openstack-Request-Id'))
        if 300 <= response.status_code < 400:
            response.close()
            target = response.headers.get('Location', 'nowhere').partition('?')[0]
            raise GlanceFailed(
                f'Glance failed: it redirects to {target} (HTTP {response.status_code}).',
                'The token is not sent there: correct the endpoint of Glance, or ask its'
                ' operator to.')
        return response, body


def not_found(image: str) -> ImageNotFound:
    """Return the error for an image, named by its ID or its name, that Glance does not show."""
    return ImageNotFound(
        f'No image has the {"ID" if is_uuid(image) else "name"} {image!r}, or these credentials'
        ' may not see it.', 'Look for it: openstack image list.')


@contextlib.contextmanager
def translated(image: str) -> Iterator[None]:
    """Turn what glanceclient and keystoneauth raise into this library's errors.

    :param image: the ID or the name that the request is about.
    """
    try:
        yield
    except (exc.Forbidden, exc.Unauthorized) as error:
        raise ImageNotAuthorized(
            f'Glance does not allow this for image {image} with these credentials:'
            f' {one_line(error)}') from error
    except exc.NotFound as error:
        raise not_found(image) from error
    except (exc.BadRequest, exc.Conflict) as error:
        raise InvalidParameterValue(f'Glance refuses this: {one_line(error)}') from error
    except TypeError as error:
        # glanceclient's own check of a property, against Glance's schema.
        raise InvalidParameterValue(str(error).partition('\n')[0]) from error
    except exc.HTTPException as error:
        raise GlanceFailed(
            f'Glance answers HTTP {error.code}.', 'Try again; if it stays so, tell its'
            ' operator.') from error
    except (exc.CommunicationError, exc.InvalidEndpoint, ksa_exceptions.ConnectionError) as error:
        where = http.asked_at(error)
        raise GlanceFailed(
            f'Glance{f" at {where}" if where else ""} cannot be reached: {http.failure(error)}.',
            *(http.remedy(error) or ('Try again; if it stays so, tell its operator.',))
        ) from error
    except (exc.BaseException, exc.ClientException, ksa_exceptions.ClientException,
            requests.RequestException) as error:
        raise GlanceFailed(f'Glance failed: {one_line(error)}') from error
