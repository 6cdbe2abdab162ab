# SPDX-License-Identifier: Apache-2.0
"""Take a temporary URL apart, as Swift's tempurl middleware does."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.endpoint import is_gateway
from osc_imgurl.tempurl.expiry import parse_expires
from osc_imgurl.tempurl.url import ObjectPath, TempURL, decode_signature, quote

# What no request can carry, and urlsplit() drops in part.
_IN_NO_REQUEST = re.compile(r'[\0-\x20\x7f]')


def parse(url: str, endpoint_type: str | None = None) -> TempURL:
    """Take a temporary URL apart.

    :param endpoint_type: ``swift`` where the URL's path has an account, ``radosgw`` where it
        has one only if the part after the version is an account's name (``AUTH_...``); None
        decides by whether the API is served below ``/swift``.
    :raises InvalidParameterValue: it is not a temporary URL; the message says why.
    """
    parts, values = _split(url)
    signature, expires = (_required(values, name) for name in ('temp_url_sig', 'temp_url_expires'))
    decode_signature(signature)
    base, path = _split_path(parts.path, endpoint_type)
    return TempURL(
        endpoint=f'{parts.scheme}://{parts.netloc}{quote(base)}', path=path,
        signature=signature, expires=parse_expires(expires),
        # An empty range is none to Swift; an empty prefix is the whole container.
        ip_range=values.get('temp_url_ip_range') or None, prefix=values.get('temp_url_prefix'),
        filename=values.get('filename'), inline='inline' in values,
        iso8601='t' in expires.lower())


def _split(url: str) -> tuple[urllib.parse.SplitResult, dict[str, str]]:
    """Return the parts of a URL, its path decoded, and the values in its query."""
    if odd := _IN_NO_REQUEST.search(url):
        raise _no_temp_url(f'{odd[0]!r} does not belong into a URL')
    try:
        parts = urllib.parse.urlsplit(url)
        parts = parts._replace(path=urllib.parse.unquote(parts.path, errors='strict'))
        # As in the middleware: what is not UTF-8 is replaced.
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        raise _no_temp_url('it is not a URL') from None
    if parts.scheme not in ('http', 'https') or not parts.hostname:
        raise _no_temp_url('it does not begin with http:// or https:// and a host')
    # As in the middleware (get_temp_url_info), the first of several values counts.
    return parts, {name: found[0] for name, found in query.items()}


def _required(values: Mapping[str, str], name: str) -> str:
    value = values.get(name)
    if not value:
        raise _no_temp_url(f'it has no {name}')
    return value


def _split_path(path: str, endpoint_type: str | None) -> tuple[str, ObjectPath]:
    """Return what stands before the API version, and the object."""
    match = re.fullmatch(r'(.*?)/(v\d+(?:\.\d+)?)/(.*)', path, re.ASCII | re.DOTALL)
    if not match:
        raise _no_temp_url('its path has no API version such as /v1/')
    base, api_version, rest = match.groups()
    gateway = endpoint_type == 'radosgw' or (endpoint_type is None and is_gateway(base, ''))
    # A gateway's URL may have an account or none.
    if gateway and not rest.startswith('AUTH_'):
        account, found, container_and_object = None, '/', rest
    else:
        account, found, container_and_object = rest.partition('/')
    container, slash, name = container_and_object.partition('/')
    if not (found and slash):
        raise _no_temp_url('its path names no object')
    return base, ObjectPath(account, container, name, api_version)


def _no_temp_url(why: str) -> InvalidParameterValue:
    return InvalidParameterValue(f'This is not a temporary URL: {why}.')
