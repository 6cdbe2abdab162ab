# SPDX-License-Identifier: Apache-2.0
"""What stands before the path of a temporary URL: Swift's endpoint, or a RADOS Gateway's."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import re
import urllib.parse

from osc_imgurl.errors import InvalidParameterValue

DEFAULT_PORTS = {'http': 80, 'https': 443}
# RFC 3986, but for a single quote: none of our URLs can end a quotation in a script.
_ENDPOINT = re.compile(
    r'(?P<scheme>https?)://(?P<host>[\w-]{1,63}(?:\.[\w-]{1,63})*\.?|\[(?P<address>[\da-f:.]+)\])'
    r'(?::(?P<port>\d{1,5}))?(?:/(?:[\w.~!$&()*+,;=:@/-]|%[\da-f]{2})*)?',
    re.ASCII | re.IGNORECASE)
_API_VERSION = re.compile(r'v\d+(?:\.\d+)?', re.ASCII)
_IN_NO_URL = re.compile(r'[^\w.~!$&()*+,;=:@/?#\[\]%-]', re.ASCII)


def validate_endpoint(url: str) -> str:
    """Return an endpoint, or a storage URL, with its scheme in lower case.

    :raises ValueError: it is none, or holds a character that does not belong into a URL; the
        message says what is expected, and no credentials.
    """
    if odd := _IN_NO_URL.search(url):
        raise ValueError(f'the character {odd[0]!r} does not belong into a URL')
    if '@' in url.partition('://')[2].partition('/')[0] or '?' in url or '#' in url:
        raise ValueError('expected a URL without credentials, query and fragment')
    match = _ENDPOINT.fullmatch(url)
    if not match:
        raise ValueError('expected a URL such as https://swift.example.com')
    if {'.', '..'} & {*urllib.parse.unquote(url).split('/')}:
        raise ValueError('expected a path without the parts . and ..')
    if match['port'] and not 0 < int(match['port']) < 65536:
        raise ValueError('expected a port from 1 to 65535')
    if match['address'] is not None:
        ipaddress.IPv6Address(match['address'])
    return match['scheme'].lower() + url[match.end('scheme'):]


@functools.lru_cache
def require_endpoint(url: str) -> None:
    """Accept an endpoint of a URL.

    :raises InvalidParameterValue: as :func:`validate_endpoint`.
    """
    try:
        validate_endpoint(url)
    except ValueError as error:
        raise InvalidParameterValue(f'The endpoint of the URL is invalid: {error}.') from None


def validate_storage_url(url: str) -> str:
    """Return a storage URL as :func:`validate_endpoint` does.

    As in Ironic, one without an API version is an endpoint, and names no account.

    :raises ValueError: likewise; or more than an account comes behind the API version.
    """
    valid = validate_endpoint(url)
    if (split_storage_url(valid)[0] == valid.rstrip('/')
            and any(map(_API_VERSION.fullmatch, valid.split('/')))):
        raise ValueError('expected an account or nothing behind the API version in its path, as in'
                         ' https://swift.example.com/v1/AUTH_x')
    return valid


def is_gateway(endpoint: str, account: str | None) -> bool:
    """Say whether a URL is a RADOS Gateway's.

    A gateway serves the Swift API below ``/swift``, if not set up otherwise, and nothing else has
    URLs without an account.
    """
    return account is None or urllib.parse.urlsplit(endpoint).path.endswith('/swift')


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where a server has the Swift API: a Swift, or a RADOS Gateway.

    :ivar url: the part of a URL before the API version.
    :ivar accounts: whether its URLs have accounts; a RADOS Gateway's may have none.
    :ivar cluster: the cluster's own endpoint in the catalog, for ``/info`` and to try new URLs. The
        URL may name a proxy instead, and some proxies turn a HEAD into the GET of a whole image
        (nginx does). The signature does not include the host.
    :ivar may_be_tried: whether a request through a URL is harmless. Some RADOS Gateways with
        accounts in their URLs crash at one without (Ceph 16). So a URL without an account is tried
        only if the catalog's URL has none either.
    """

    url: str
    accounts: bool = True
    cluster: str = ''
    may_be_tried: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, 'cluster', self.cluster or self.url)

    def __str__(self) -> str:
        return self.url

    @property
    def type(self) -> str:
        """The endpoint type of Ironic's option: ``radosgw`` has no accounts in its URLs."""
        return 'swift' if self.accounts else 'radosgw'

    @property
    def radosgw(self) -> bool:
        """Whether it is a RADOS Gateway, with or without accounts in its URLs."""
        return is_gateway(self.url, '' if self.accounts else None)

    @property
    def container_keys(self) -> bool:
        """Whether a container's keys sign URLs: a RADOS Gateway accepts and ignores them."""
        return not self.radosgw


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
    base, _, last = url.rpartition('/')
    before, _, last_but_one = base.rpartition('/')
    for endpoint, api_version, account in ((before, last_but_one, last), (base, last, None)):
        if _API_VERSION.fullmatch(api_version) and re.match('https?://[^/]', endpoint):
            return endpoint, account
    return url, None


def same_endpoint(one: str, other: str) -> bool:
    """Say whether a client connects to the same server, and asks for the same path there.

    The case of the host, a default port and the spelling of an IPv6 address do not count. A dot
    behind the host does: without it DNS may find another server.

    :param one: valid, as the other: see :func:`validate_endpoint`.
    """
    return _as_connected(one) == _as_connected(other)


def _as_connected(endpoint: str) -> tuple[str, str, int, str]:
    parts = urllib.parse.urlsplit(endpoint)
    host = parts.hostname or ''
    if ':' in host:
        host = ipaddress.IPv6Address(host).compressed
    return parts.scheme, host, parts.port or DEFAULT_PORTS[parts.scheme], parts.path


def gateway_endpoint(endpoint: str, known: str | None = None) -> str:
    """Return the endpoint of a RADOS Gateway, with the path below which it serves the Swift API.

    As in Ironic (``temp_url_endpoint_type = radosgw``), that is ``/swift``. Only who knows the
    gateway says another (``rgw swift url prefix``, or a proxy in front of it).

    :param known: an endpoint of the gateway: the catalog's.
    :raises InvalidParameterValue: the endpoint has another path.
    """
    parts = urllib.parse.urlsplit(endpoint)
    path = parts.path.rstrip('/')
    by_default = '/swift' if known is None else urllib.parse.urlsplit(known).path
    if path not in ('', '/swift', by_default):
        raise InvalidParameterValue(
            f'The endpoint {endpoint} of a RADOS Gateway has the path {parts.path}: it must be'
            ' /swift or empty.', 'Correct it, or the endpoint type.', 'endpoint_url',
            'endpoint_type')
    return f'{parts.scheme}://{parts.netloc}{path or by_default}'
