# SPDX-License-Identifier: Apache-2.0
"""What stands before the path of a temporary URL: Swift's endpoint, or a RADOS Gateway's."""

from __future__ import annotations

import re
import urllib.parse

from osc_imgurl.errors import InvalidParameterValue


def is_gateway(endpoint: str) -> bool:
    """Say whether an endpoint is a RADOS Gateway's, which serves the Swift API below ``/swift``."""
    return urllib.parse.urlsplit(endpoint).path.endswith('/swift')


def split_storage_url(url: str) -> tuple[str, str | None]:
    """Return the endpoint and the account of a storage URL.

    Swift's is ``http://host/v1/AUTH_x``, that of a RADOS Gateway ``http://host/swift/v1``,
    or ``http://host/swift/v1/AUTH_x`` (``rgw swift account in url``). A URL without an API
    version is an endpoint.

    >>> split_storage_url('http://swift.example.com:8080/v1/AUTH_x')
    ('http://swift.example.com:8080', 'AUTH_x')
    >>> split_storage_url('http://rgw.example.com/swift/v1')
    ('http://rgw.example.com/swift', None)
    """
    url = url.rstrip('/')
    match = re.fullmatch(r'(https?://[^/]+.*?)/v\d+(?:\.\d+)?(?:/([^/]+))?', url, re.ASCII)
    return (match[1], match[2]) if match else (url, None)


def gateway_endpoint(endpoint: str) -> str:
    """Return the endpoint of a RADOS Gateway, with ``/swift`` as its path.

    As in Ironic (``temp_url_endpoint_type = radosgw``), a gateway serves the Swift API below
    ``/swift`` and nowhere else.

    :raises InvalidParameterValue: the endpoint has another path.
    """
    parts = urllib.parse.urlsplit(endpoint)
    if parts.path.rstrip('/') not in ('', '/swift'):
        raise InvalidParameterValue(
            f'The endpoint {endpoint} of a RADOS Gateway has the path {parts.path}: it must be'
            ' /swift or empty. Correct it (--endpoint-url), or the endpoint type.')
    return f'{parts.scheme}://{parts.netloc}/swift'
