# SPDX-License-Identifier: Apache-2.0
"""Say whether a key signed a temporary URL and, if not, which part fails."""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
from collections.abc import Iterator

from osc_imgurl.tempurl.key import Key
from osc_imgurl.tempurl.options import METHODS
from osc_imgurl.tempurl.signing import compute, signed_paths
from osc_imgurl.tempurl.url import TempURL, decode_signature, quote

# Swift takes a HEAD through a URL that was signed for one of these (TempURL.__call__).
METHODS_THAT_ALLOW_HEAD = ('HEAD', 'GET', 'POST', 'PUT')


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
            computed = compute(
                key, signed_path, temp_url.expires, signed_method, ip_range=temp_url.ip_range,
                prefix=temp_url.prefix is not None, digest=digest)
            if hmac.compare_digest(computed, signature):
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
