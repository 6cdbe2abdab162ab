# SPDX-License-Identifier: Apache-2.0
"""Sign temporary URLs.

The format is that of Swift's tempurl middleware (``swift.common.middleware.tempurl``)::

    HMAC(key, ["ip=" range "\\n"] METHOD "\\n" expiry "\\n" ["prefix:"] path)

The path is signed as it is and sent percent-encoded. SHA-1 and SHA-256 are sent as hex,
SHA-512 as ``sha512:`` and URL-safe base64. A RADOS Gateway without accounts in its URLs
signs ``/v1/container/object`` and serves it below ``/swift``.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hmac
import urllib.parse

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.endpoint import is_gateway, require_endpoint
from osc_imgurl.tempurl.expiry import validate_expires
from osc_imgurl.tempurl.key import Key
from osc_imgurl.tempurl.options import URLOptions, validate_ip_range, validate_method
from osc_imgurl.tempurl.url import DIGESTS, ObjectPath, TempURL


@dataclasses.dataclass(frozen=True)
class Parameters:
    """All of a temporary URL but its key.

    :ivar endpoint: as in :class:`osc_imgurl.tempurl.url.TempURL`.
    :ivar expires: Unix time, seconds; it counts, and not the request's.
    :ivar request: what the URL is to allow; its object does not count, but the path's.
    :ivar digest: one of :data:`osc_imgurl.tempurl.url.DIGESTS`.
    :raises InvalidParameterValue: endpoint, method, IP range or digest is invalid, the object's
        name does not begin with the prefix, the expiry lies beyond the year 9999, or a RADOS
        Gateway is given an IP range, which it would ignore.
    """

    endpoint: str
    path: ObjectPath
    expires: int
    request: URLOptions = URLOptions()
    digest: str = 'sha256'

    def __post_init__(self) -> None:
        require_endpoint(self.endpoint)
        validate_expires(self.expires)
        validate_method(self.request.method)
        if self.digest not in DIGESTS:
            raise InvalidParameterValue(
                f'The digest {self.digest!r} is unknown: use one of {", ".join(DIGESTS)}.')
        prefix = self.request.prefix
        if prefix is not None and not self.path.object.startswith(prefix):
            raise InvalidParameterValue(
                f'The object {self.path.object!r} does not begin with the prefix {prefix!r}:'
                ' Swift would refuse the URL.')
        if self.request.ip_range is not None:
            validate_ip_range(self.request.ip_range)
            if is_gateway(self.endpoint, self.path.account):
                raise InvalidParameterValue(
                    'A RADOS Gateway knows no IP range: it refuses the URL, or lets everybody use'
                    ' it.', 'Make a URL without one.', 'ip_range')


def sign(parameters: Parameters, key: Key) -> TempURL:
    """Return a temporary URL of an object.

    >>> path = ObjectPath('AUTH_x', 'glance', '3a1f')
    >>> made = sign(Parameters('https://swift.example.com', path, 1900000000), Key(b'a key'))
    >>> made.url.partition('?')[0]
    'https://swift.example.com/v1/AUTH_x/glance/3a1f'
    """
    endpoint, path, expires = parameters.endpoint, parameters.path, parameters.expires
    request = parameters.request
    return TempURL(
        endpoint, path,
        sign_path(key, _paths(endpoint, path, request.prefix)[0], expires, request.method.upper(),
                  ip_range=request.ip_range, prefix=request.prefix is not None,
                  digest=parameters.digest),
        expires, request.ip_range, request.prefix, request.filename, request.inline,
        request.iso8601)


def sign_path(key: Key, path: str, expires: int, method: str = 'GET', *,
              ip_range: str | None = None, prefix: bool = False, digest: str = 'sha256') -> str:
    """Return the signature of a path, as it stands in a URL.

    :param path: the object's path; with ``prefix``, the path of the container and the prefix.
    :param expires: Unix time, seconds.
    """
    value = compute(key, path, expires, method, ip_range=ip_range, prefix=prefix, digest=digest)
    if digest == 'sha512':
        return 'sha512:' + base64.urlsafe_b64encode(value).decode().rstrip('=')
    return value.hex()


def compute(key: Key, path: str, expires: int, method: str, *,
            ip_range: str | None, prefix: bool, digest: str) -> bytes:
    """Return the HMAC that is in a signature."""
    message = started(key.value, method, ip_range, digest).copy()
    message.update(f'{expires}\n{"prefix:" if prefix else ""}{path}'.encode())
    return message.digest()


@functools.lru_cache
def started(key: bytes, method: str, ip_range: str | None, digest: str) -> hmac.HMAC:
    """Return an HMAC of what comes before the expiry; use a copy of it."""
    start = f'{method}\n' if ip_range is None else f'ip={ip_range}\n{method}\n'
    return hmac.new(key, start.encode(), digest)


def signed_paths(url: TempURL) -> tuple[str, ...]:
    """Return the paths of which one must have been signed for a URL to be good.

    With a prefix that is the container's path and the prefix. A RADOS Gateway takes two: as
    Swift, and with the path in front below which it serves the Swift API; with a prefix the latter
    only (seen of Ceph 16). A Swift below a path sees nothing of that: a proxy takes it away.
    """
    return _paths(url.endpoint, url.path, url.prefix)


def _paths(endpoint: str, path: ObjectPath, prefix: str | None) -> tuple[str, ...]:
    signed = path.container_path + (path.object if prefix is None else prefix)
    if not is_gateway(endpoint, path.account):
        return (signed,)
    # What stands before that in the endpoint is a proxy's, and does not reach the gateway.
    _, slash, last = urllib.parse.urlsplit(endpoint).path.rpartition('/')
    served = slash + last + signed
    return (signed, served) if prefix is None else (served,)
