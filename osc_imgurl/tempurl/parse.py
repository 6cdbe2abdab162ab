# SPDX-License-Identifier: Apache-2.0
"""Take a temporary URL apart, as Swift's tempurl middleware does."""

from __future__ import annotations

import re
import urllib.parse

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.digest import decode_signature
from osc_imgurl.tempurl.endpoint import is_gateway
from osc_imgurl.tempurl.expiry import parse_expires
from osc_imgurl.tempurl.url import ObjectPath, TempURL, quote

# What no request can carry, and urlsplit() drops in part.
_IN_NO_REQUEST = re.compile(r'[\0-\x20\x7f]')


def parse(url: str, endpoint_type: str | None = None) -> TempURL:
    """Take a temporary URL apart.

    :param endpoint_type: ``swift`` where the URL's path has an account, ``radosgw`` where it
        has one only if the part after the version is an account's name (``AUTH_...``); None
        decides by whether the API is served below ``/swift``.
    :raises InvalidParameterValue: it is not a temporary URL; the message says why.
    """
    if odd := _IN_NO_REQUEST.search(url):
        raise InvalidParameterValue(
            f'This is not a temporary URL: {odd[0]!r} does not belong into a URL.')
    try:
        parts = urllib.parse.urlsplit(url)
        path = urllib.parse.unquote(parts.path, errors='strict')
        # As in the middleware: what is not UTF-8 is replaced.
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        raise InvalidParameterValue('This is not a temporary URL: it is not a URL.') from None
    if parts.scheme not in ('http', 'https') or not parts.hostname:
        raise InvalidParameterValue(
            'This is not a temporary URL: it does not begin with http:// or https:// and a host.')
    # As in the middleware (get_temp_url_info), the first of several values counts.
    values = {name: found[0] for name, found in query.items()}
    for name in ('temp_url_sig', 'temp_url_expires'):
        if not values.get(name):
            raise InvalidParameterValue(f'This is not a temporary URL: it has no {name}.')
    decode_signature(values['temp_url_sig'])
    match = re.fullmatch(r'(.*?)/(v\d+(?:\.\d+)?)/(.*)', path, re.ASCII | re.DOTALL)
    if not match:
        raise InvalidParameterValue(
            'This is not a temporary URL: its path has no API version such as /v1/.')
    base, api_version, rest = match.groups()
    gateway = endpoint_type == 'radosgw' or (endpoint_type is None and is_gateway(base))
    # A gateway's URL may have an account or none.
    endpoint_type = 'radosgw' if gateway and not rest.startswith('AUTH_') else 'swift'
    account, found, container_and_object = (
        rest.partition('/') if endpoint_type == 'swift' else (None, '/', rest))
    container, slash, object_name = container_and_object.partition('/')
    if not (found and slash):
        raise InvalidParameterValue('This is not a temporary URL: its path names no object.')
    return TempURL(
        endpoint=f'{parts.scheme}://{parts.netloc}{quote(base)}',
        path=ObjectPath(account, container, object_name, api_version),
        signature=values['temp_url_sig'], expires=parse_expires(values['temp_url_expires']),
        # An empty range is none to Swift; an empty prefix is the whole container.
        ip_range=values.get('temp_url_ip_range') or None, prefix=values.get('temp_url_prefix'),
        filename=values.get('filename'), inline='inline' in values,
        iso8601='t' in values['temp_url_expires'].lower())
