# SPDX-License-Identifier: Apache-2.0
"""Sign temporary URLs with a key, and verify them.

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
import hashlib
import hmac
import ipaddress
import re
import urllib.parse
from collections.abc import Iterator

from osc_imgurl.errors import InvalidParameterValue, remember
from osc_imgurl.tempurl.endpoint import is_gateway, require_endpoint
from osc_imgurl.tempurl.options import (
    METHODS,
    URLOptions,
    validate_expires,
)
from osc_imgurl.tempurl.url import DIGESTS, ObjectPath, TempURL, decode_signature, quote

# Swift takes a HEAD through a URL that was signed for one of these (TempURL.__call__).
METHODS_THAT_ALLOW_HEAD = ('HEAD', 'GET', 'POST', 'PUT')
_CONTROL_CHARACTER = re.compile('[\0-\x1f\x7f-\x9f]')


@dataclasses.dataclass(frozen=True)
class Key:
    """A temporary URL key; its value is in no ``repr``, and in no message or log of this process.

    One that Swift shows is what it is; one that a person gives goes through
    :func:`validate_key` first.

    :raises InvalidParameterValue: it is empty.
    """

    value: bytes = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        if not self.value:
            raise InvalidParameterValue('The temporary URL key is empty.')
        remember(self.value)

    @property
    def fingerprint(self) -> str:
        """A short name for the key.

        Nobody can find a random key from it. It verifies a guess, as any signature does.
        """
        return hashlib.sha256(b'osc-imgurl key fingerprint\0' + self.value).hexdigest()[:12]


def validate_key(value: bytes) -> Key:
    """Return the key that somebody gives, if Swift can keep it as it is.

    Swift takes a key in a header: a space at either end is lost on the way (Swift 2.38 answers
    204 and keeps the rest), and so is what comes after the end of a line.

    :raises ValueError: it cannot; the message says why, and not what the key is.
    """
    if not value:
        raise ValueError('it is empty')
    if value != value.strip(b' '):
        raise ValueError('it has a space at one end, which Swift does not keep')
    if _CONTROL_CHARACTER.search(value.decode(errors='replace')):
        raise ValueError('it has a control character in it, such as a tab or the end of a line')
    return Key(value)


@dataclasses.dataclass(frozen=True)
class Parameters:
    """All of a temporary URL but its key.

    :ivar endpoint: as in :class:`osc_imgurl.tempurl.url.TempURL`.
    :ivar expires: Unix time, seconds; it counts, and not the options'.
    :ivar options: what the URL is to allow; its object does not count, but the path's.
    :ivar digest: one of :data:`osc_imgurl.tempurl.url.DIGESTS`.
    :raises InvalidParameterValue: endpoint or digest is invalid, the object's
        name does not begin with the prefix, the expiry lies beyond the year 9999, or a RADOS
        Gateway is given an IP range, which it would ignore.
    """

    endpoint: str
    path: ObjectPath
    expires: int
    options: URLOptions = URLOptions()
    digest: str = 'sha256'

    def __post_init__(self) -> None:
        require_endpoint(self.endpoint)
        validate_expires(self.expires)
        if self.digest not in DIGESTS:
            raise InvalidParameterValue(
                f'The digest {self.digest!r} is unknown: use one of {", ".join(DIGESTS)}.')
        prefix = self.options.prefix
        if prefix is not None and not self.path.object.startswith(prefix):
            raise InvalidParameterValue(
                f'The object {self.path.object!r} does not begin with the prefix {prefix!r}:'
                ' Swift would refuse the URL.')
        if self.options.ip_range is not None and is_gateway(self.endpoint, self.path.account):
            raise InvalidParameterValue(
                'A RADOS Gateway knows no IP range: it refuses the URL, or lets everybody use it.',
                'Make a URL without one.', 'ip_range')


def sign(parameters: Parameters, key: Key) -> TempURL:
    """Return a temporary URL of an object.

    >>> path = ObjectPath('AUTH_x', 'glance', '3a1f')
    >>> made = sign(Parameters('https://swift.example.com', path, 1900000000), Key(b'a key'))
    >>> made.url.partition('?')[0]
    'https://swift.example.com/v1/AUTH_x/glance/3a1f'
    """
    endpoint, path, expires = parameters.endpoint, parameters.path, parameters.expires
    options = parameters.options
    return TempURL(
        endpoint, path,
        sign_path(key, _paths(endpoint, path, options.prefix)[0], expires, options.method,
                  ip_range=options.ip_range, prefix=options.prefix is not None,
                  digest=parameters.digest),
        expires, options.ip_range, options.prefix, options.filename, options.inline,
        options.iso8601)


def sign_path(key: Key, path: str, expires: int, method: str = 'GET', *,
              ip_range: str | None = None, prefix: bool = False, digest: str = 'sha256') -> str:
    """Return the signature of a path, as it stands in a URL.

    :param path: the object's path; with ``prefix``, the path of the container and the prefix.
    :param expires: Unix time, seconds.
    """
    value = compute(message(method, expires, path, ip_range, prefix), key.value, digest)
    if digest == 'sha512':
        return 'sha512:' + base64.urlsafe_b64encode(value).decode().rstrip('=')
    return value.hex()


def message(method: str, expires: int, path: str, ip_range: str | None = None,
            prefix: bool = False) -> str:
    """Return the text that is signed, from what :func:`sign_path` is given."""
    start = '' if ip_range is None else f'ip={ip_range}\n'
    return f'{start}{method}\n{expires}\n{"prefix:" if prefix else ""}{path}'


def compute(text: str, key: bytes, digest: str) -> bytes:
    """Return the HMAC that is in the signature of a :func:`message`."""
    started = _start(key, digest).copy()
    started.update(text.encode())
    return started.digest()


@functools.lru_cache
def _start(key: bytes, digest: str) -> hmac.HMAC:
    return hmac.new(key, digestmod=digest)


def signed_paths(url: TempURL) -> tuple[str, ...]:
    """Return the paths of which one must have been signed for a URL to be good.

    With a prefix that is the container's path and the prefix. A RADOS Gateway takes two: as
    Swift, and with the path in front below which it serves the Swift API; with a prefix the latter
    only (seen of Ceph 16). A Swift below a path sees nothing of that: a proxy takes it away.
    """
    return _paths(url.endpoint, url.path, url.prefix)


def _paths(endpoint: str, path: ObjectPath, prefix: str | None) -> tuple[str, ...]:
    signed = path.container_path + (path.object if prefix is None else prefix)
    served_below = _served_below(endpoint, path.account)
    if served_below is None:
        return (signed,)
    served = served_below + signed
    return (signed, served) if prefix is None else (served,)


@functools.lru_cache
def _served_below(endpoint: str, account: str | None) -> str | None:
    """Return the path below which a RADOS Gateway serves the Swift API; None for Swift."""
    if not is_gateway(endpoint, account):
        return None
    # What stands before that in the endpoint is a proxy's, and does not reach the gateway.
    _, slash, last = urllib.parse.urlsplit(endpoint).path.rpartition('/')
    return slash + last


@dataclasses.dataclass(frozen=True)
class Verification:
    """What :func:`verify` found.

    :ivar failed: the parts that fail, in Swift's order: ``expiry``, ``ip range``, ``path``,
        ``key``, ``method``. ``ip range`` is one that Swift cannot read. ``path`` is another than
        was signed, one that does not begin with the prefix, or of another API version than v1,
        the only one that Swift takes. ``key`` also stands for an altered expiry, range or prefix:
        the signature cannot tell them apart.
    :ivar method: the method that was signed; None where the key does not fit.
    :ivar path: the path that was signed; None where the key does not fit.
    """

    failed: tuple[str, ...]
    method: str | None = None
    path: str | None = None

    @property
    def valid(self) -> bool:
        """Whether Swift would take the URL, from an address in its range."""
        return not self.failed


def allows(signed_method: str, method: str) -> bool:
    """Say whether a URL that was signed for one method may be used with another."""
    return method == signed_method or (
        method == 'HEAD' and signed_method in METHODS_THAT_ALLOW_HEAD)


def verify(temp_url: TempURL, key: Key, now: float, method: str = 'GET') -> Verification:
    """Say whether a key signed a URL and, if not, which part fails.

    It is what Swift's tempurl middleware answers, but for the client's address, which is not
    known here: an IP range is taken to hold it. Signatures are compared in constant time.

    :param now: the moment of the request: Unix time, seconds.
    :param method: the method of the request; a HEAD is taken through a URL that was signed
        for GET, POST or PUT too.
    """
    failed = list(_failed_without_key(temp_url, now))
    digest, signature = decode_signature(temp_url.signature)
    good = signed_paths(temp_url)
    # Signing what is sent, the percent-encoded path, is the mistake that many make.
    for signed_path in (*good, quote(good[0])):
        for signed_method in METHODS:
            text = message(signed_method, temp_url.expires, signed_path, temp_url.ip_range,
                           temp_url.prefix is not None)
            if hmac.compare_digest(compute(text, key.value, digest), signature):
                if signed_path not in good and 'path' not in failed:
                    failed.append('path')
                if not allows(signed_method, method):
                    failed.append('method')
                return Verification(tuple(failed), signed_method, signed_path)
    return Verification((*failed, 'key'))


def _failed_without_key(temp_url: TempURL, now: float) -> Iterator[str]:
    if temp_url.expires < now:
        yield 'expiry'
    if temp_url.ip_range is not None:
        try:
            ipaddress.ip_network(temp_url.ip_range)
        except ValueError:
            yield 'ip range'
    path = temp_url.path
    if path.api_version != 'v1' or not path.object.startswith(temp_url.prefix or ''):
        yield 'path'
