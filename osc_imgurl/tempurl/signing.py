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
import hashlib
import re
import urllib.parse
from collections.abc import Callable

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.digest import DIGESTS
from osc_imgurl.tempurl.endpoint import is_gateway
from osc_imgurl.tempurl.expiry import validate_expires
from osc_imgurl.tempurl.request import Request, validate_ip_range, validate_method
from osc_imgurl.tempurl.url import ObjectPath, TempURL, quote

_IPAD = bytes(byte ^ 0x36 for byte in range(256))
_OPAD = bytes(byte ^ 0x5C for byte in range(256))
_NEEDS_NO_QUOTES = re.compile(r'[\w.~/:-]*', re.ASCII)


class Signer:
    """Signs many paths with one key and one digest.

    The two halves of the HMAC key schedule are computed once, here, and copied for each
    signature.

    :param key: the temporary URL key.
    :param digest: one of :data:`DIGESTS`.
    :raises InvalidParameterValue: the digest is unknown, or the key is empty.
    """

    def __init__(self, key: bytes, digest: str = 'sha256') -> None:
        if digest not in DIGESTS:
            raise InvalidParameterValue(
                f'The digest {digest!r} is unknown: use one of {", ".join(DIGESTS)}.')
        if not key:
            raise InvalidParameterValue('The temporary URL key is empty.')
        new = getattr(hashlib, digest)
        block_size = new().block_size
        if len(key) > block_size:
            key = new(key).digest()
        padded = key.ljust(block_size, b'\0')
        self.digest = digest
        self._inner = new(padded.translate(_IPAD))
        self._outer = new(padded.translate(_OPAD))

    def signature(self, path: str, expires: int, method: str = 'GET',
                  ip_range: str | None = None, prefix: bool = False) -> str:
        """Return a signature as it stands in a URL.

        :param path: the object's path; with ``prefix``, the path of the container and the
            prefix.
        :param expires: Unix time, seconds.
        """
        return self.signatures('', expires, method, ip_range, prefix)(path)

    def signatures(self, start: str, expires: int, method: str = 'GET',
                   ip_range: str | None = None, prefix: bool = False) -> Callable[[str], str]:
        """Return a function that signs paths which begin alike, the start absorbed once.

        :param start: how the paths begin, such as ``/v1/AUTH_x/glance/``.
        :returns: a function from the rest of a path to its signature.
        """
        message = f'{method}\n{expires}\n{"prefix:" if prefix else ""}{start}'
        if ip_range is not None:
            message = f'ip={ip_range}\n{message}'
        digest_of = self.digests(message)

        def sign_hex(rest: str) -> str:
            return digest_of(rest).hex()

        def sign_base64(rest: str) -> str:
            return 'sha512:' + base64.urlsafe_b64encode(digest_of(rest)).decode().rstrip('=')

        return sign_base64 if self.digest == 'sha512' else sign_hex

    def digests(self, start: str) -> Callable[[str], bytes]:
        """Return a function from the rest of a message to its HMAC, the start absorbed once."""
        begun = self._inner.copy()
        begun.update(start.encode())
        copy_inner, copy_outer = begun.copy, self._outer.copy

        def digest_of(rest: str) -> bytes:
            inner = copy_inner()
            inner.update(rest.encode())
            outer = copy_outer()
            outer.update(inner.digest())
            digest: bytes = outer.digest()
            return digest

        return digest_of

    def sign(self, endpoint: str, path: ObjectPath, expires: int,
             request: Request = Request()) -> TempURL:
        """Return a temporary URL of an object.

        :param endpoint: as in :class:`osc_imgurl.tempurl.url.TempURL`.
        :param expires: Unix time, seconds; it counts, and not the request's.
        :param request: what the URL is to allow; its object does not count, but the path's.
        :raises InvalidParameterValue: the method or the IP range is none, the object's name
            does not begin with the prefix, the expiry lies beyond the year 9999, or a RADOS
            Gateway is given an IP range, which it would ignore.
        """
        validate_expires(expires)
        prefix, ip_range = request.prefix, request.ip_range
        if prefix is not None and not path.object.startswith(prefix):
            raise InvalidParameterValue(
                f'The object {path.object!r} does not begin with the prefix {prefix!r}:'
                ' Swift would refuse the URL.')
        if ip_range is not None and is_gateway(endpoint, path.account):
            raise InvalidParameterValue(
                'A RADOS Gateway knows no IP range: it refuses the URL, or lets everybody use it.',
                'Make a URL without one.', 'ip_range')
        unsigned = TempURL(endpoint, path, '', expires, ip_range, prefix, request.filename,
                           request.inline, request.iso8601)
        signature = self.signature(
            good_paths(unsigned)[0], expires, validate_method(request.method),
            ip_range if ip_range is None else validate_ip_range(ip_range), prefix is not None)
        return dataclasses.replace(unsigned, signature=signature)

    def for_container(self, sample: TempURL, method: str = 'GET') -> Callable[[str], str]:
        """Return a function that signs one object after another of a container.

        It does what is the same for all of them once: the start of the signed message, and all
        of the URL but object and signature.

        :param sample: a URL of this signer; the function's URLs differ from it in the object.
        :param method: the method that the sample allows.
        :returns: a function from an object's name to its temporary URL.
        :raises InvalidParameterValue: the sample is signed for a prefix, and so for all of them
            already.
        """
        if sample.prefix is not None:
            raise InvalidParameterValue('A URL of a prefix has no object to be replaced.')
        container_path = sample.path.container_path
        signature = self.signatures(container_path, sample.expires, method, sample.ip_range)
        before = f'{sample.endpoint}{quote(container_path)}'
        after = sample.url.partition(sample.signature)[2]
        needs_no_quotes = _NEEDS_NO_QUOTES.fullmatch

        def sign(name: str) -> str:
            shown = name if needs_no_quotes(name) else quote(name)
            return f'{before}{shown}?temp_url_sig={signature(name)}{after}'

        return sign


def good_paths(url: TempURL) -> tuple[str, ...]:
    """Return the paths of which one must have been signed for a URL to be good.

    With a prefix that is the container's path and the prefix. A RADOS Gateway takes two: as
    Swift, and with the path in front below which it serves the Swift API; with a prefix the latter
    only (seen of Ceph 16). A Swift below a path sees nothing of that: a proxy takes it away.
    """
    path = url.path.container_path + (url.path.object if url.prefix is None else url.prefix)
    if not is_gateway(url.endpoint, url.path.account):
        return (path,)
    # What stands before that in the endpoint is a proxy's, and does not reach the gateway.
    _, slash, last = urllib.parse.urlsplit(url.endpoint).path.rpartition('/')
    served = slash + last + path
    return (path, served) if url.prefix is None else (served,)
