# SPDX-License-Identifier: Apache-2.0
"""Sign temporary URLs with a key, and verify them.

The format is defined by Swift's tempurl middleware (``swift.common.middleware.tempurl``)::

    HMAC(key, ["ip=" range "\\n"] METHOD "\\n" expiry "\\n" ["prefix:"] path)

The path is signed as it is and sent percent-encoded. SHA-1 and SHA-256 are sent as hex,
SHA-512 as ``sha512:`` and URL-safe base64, padded: Swift strips the padding, and a RADOS Gateway
compares the whole text (``SignatureHelperT::is_equal_to`` in Ceph's ``rgw_swift_auth.h``). One
without accounts in its URLs signs ``/v1/container/object`` and serves it below ``/swift``.
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

# A URL signed for one of these works with HEAD, too: in Swift (TempURL.__call__), and in a RADOS
# Gateway (seen of Ceph 16).
METHODS_THAT_ALLOW_HEAD = ('HEAD', 'GET', 'POST', 'PUT')
METHODS_THAT_ALLOW_HEAD_IN_GATEWAY = ('HEAD', 'GET', 'PUT')
_CONTROL_CHARACTER = re.compile('[\0-\x1f\x7f-\x9f]')


@dataclasses.dataclass(frozen=True)
class Key:
    """A temporary URL key; its value is in no ``repr``, and in no message or log of this process.

    A key from Swift is valid; a key from a user goes through :func:`validate_key` first.

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
    """Return a user's key, if Swift can keep it unchanged.

    Swift accepts a key in a header: a space at either end is lost on the way (Swift 2.38 answers
    204 and keeps the rest), and so is everything after the end of a line.

    :raises ValueError: it cannot; the message says why, without the key.
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
        Gateway is given an IP range: it would ignore it.
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
        return 'sha512:' + base64.urlsafe_b64encode(value).decode()
    return value.hex()


def message(method: str, expires: int, path: str, ip_range: str | None = None,
            prefix: bool = False) -> str:
    """Return the text to sign; the parameters are those of :func:`sign_path`."""
    start = '' if ip_range is None else f'ip={ip_range}\n'
    return f'{start}{method}\n{expires}\n{"prefix:" if prefix else ""}{path}'


def compute(text: str, key: bytes, digest: str) -> bytes:
    """Return the HMAC in the signature of a :func:`message`."""
    started = _start(key, digest).copy()
    started.update(text.encode())
    return started.digest()


@functools.lru_cache
def _start(key: bytes, digest: str) -> hmac.HMAC:
    return hmac.new(key, digestmod=digest)


def signed_paths(url: TempURL) -> tuple[str, ...]:
    """Return the valid paths to sign for a URL; one of them is enough.

    With a prefix, it is the container's path and the prefix. A RADOS Gateway accepts two: Swift's,
    and one with ``/swift`` or the like in front; with a prefix only the latter (seen in Ceph 16).
    A proxy may serve Swift below a path, too, but takes it away.
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
    """Return the path before the API version of a RADOS Gateway; None for Swift."""
    if not is_gateway(endpoint, account):
        return None
    # All before it is a proxy's, and does not reach the gateway.
    _, slash, last = urllib.parse.urlsplit(endpoint).path.rpartition('/')
    return slash + last


@dataclasses.dataclass(frozen=True)
class Verification:
    """What :func:`verify` found.

    :ivar failed: the parts that fail, in Swift's order: ``expiry``, ``ip range``, ``path``,
        ``key``, ``method``. ``ip range``: Swift cannot read it. ``path``: another one was signed,
        it does not begin with the prefix, or it has another API version than v1, the only one in
        Swift. ``key`` also stands for an altered expiry, range or prefix: the signature cannot
        tell them apart.
    :ivar method: the signed method; None if the key does not match.
    :ivar path: the signed path; None if the key does not match.
    """

    failed: tuple[str, ...]
    method: str | None = None
    path: str | None = None

    @property
    def valid(self) -> bool:
        """Whether Swift would accept the URL, from an address in its range."""
        return not self.failed


def allows(signed_method: str, method: str, gateway: bool) -> bool:
    """Say whether a URL that was signed for one method may be used with another.

    :param gateway: whether that is asked of a RADOS Gateway.
    """
    return method == signed_method or (method == 'HEAD' and signed_method in (
        METHODS_THAT_ALLOW_HEAD_IN_GATEWAY if gateway else METHODS_THAT_ALLOW_HEAD))


def verify(temp_url: TempURL, key: Key, now: float, method: str = 'GET') -> Verification:
    """Say whether a key signed a URL and, if not, name the wrong parts.

    Swift's tempurl middleware answers the same, but it knows the client's address: here an IP
    range is assumed to hold it. Signatures are compared in constant time.

    :param now: the moment of the request: Unix time, seconds.
    :param method: the method of the request; a HEAD is accepted through a URL that was signed
        for GET or PUT too, and by Swift through one for POST.
    """
    failed = list(_failed_without_key(temp_url, now))
    digest, signature = decode_signature(temp_url.signature)
    good = signed_paths(temp_url)
    gateway = is_gateway(temp_url.endpoint, temp_url.path.account)
    # Many sign the path as it is sent: percent-encoded.
    for signed_path in (*good, quote(good[0])):
        for signed_method in METHODS:
            text = message(signed_method, temp_url.expires, signed_path, temp_url.ip_range,
                           temp_url.prefix is not None)
            if hmac.compare_digest(compute(text, key.value, digest), signature):
                if signed_path not in good and 'path' not in failed:
                    failed.append('path')
                if not allows(signed_method, method, gateway):
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
