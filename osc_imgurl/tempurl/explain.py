# SPDX-License-Identifier: Apache-2.0
"""What a signature was really made of, where it does not fit its URL.

A signature does not tell what was signed. So what people do to URLs is tried: another path,
method, prefix, range or expiry, one at a time.
"""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from osc_imgurl.tempurl.options import METHODS
from osc_imgurl.tempurl.signing import Key, compute, signed_paths, started
from osc_imgurl.tempurl.url import TempURL, decode_signature, quote


@dataclasses.dataclass(frozen=True)
class Signed:
    """What was signed.

    :ivar path: as it was signed; with a prefix, the container's path and the prefix.
    :ivar expires: Unix time, seconds.
    """

    method: str
    expires: int
    path: str
    ip_range: str | None = None
    prefix: str | None = None


def find_signed(url: TempURL, keys: Mapping[str, Key], paths: Sequence[str] = (),
                expiries: Sequence[int] = ()) -> tuple[str, Signed] | None:
    """Return which key made the signature of a URL, by its name here, and of what; else None.

    :param keys: by names of the caller's.
    :param paths: objects' paths that may have been signed in place of the URL's.
    :param expiries: Unix times, seconds, that may have been signed in place of the URL's.
    """
    digest, wanted = decode_signature(url.signature)
    for candidate in _candidates(url, paths):
        for name, key in keys.items():
            computed = compute(
                key, candidate.path, candidate.expires, candidate.method,
                ip_range=candidate.ip_range, prefix=candidate.prefix is not None, digest=digest)
            if hmac.compare_digest(computed, wanted):
                return name, candidate
    for name, key in keys.items():
        if found := _other_expiry(url, key, expiries, wanted):
            return name, found
    return None


def _candidates(url: TempURL, paths: Sequence[str]) -> Iterator[Signed]:
    """Yield one after another, for there may be thousands."""
    for path, ip_range, prefix in _variants(url, paths):
        for method in METHODS:
            yield Signed(method, url.expires, path, ip_range, prefix)


def _variants(url: TempURL,
              paths: Sequence[str]) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield paths, ranges and prefixes."""
    good, name = signed_paths(url), url.path.object
    for path in (*good, quote(good[0])):
        yield path, url.ip_range, url.prefix
    if url.prefix is not None:
        yield url.path.container_path + name, url.ip_range, None
    else:
        for path in paths:
            yield path, url.ip_range, None
    of_prefix = signed_paths(dataclasses.replace(url, prefix=''))[0]
    for end in range(len(name) + 1):
        yield of_prefix + name[:end], url.ip_range, name[:end]
    for ip_range in _ranges(url.ip_range):
        yield good[0], ip_range, url.prefix


def _ranges(ip_range: str | None) -> Iterator[str | None]:
    """Yield ranges from which one may have been made: none, a wider one, one of its addresses."""
    if ip_range is None:
        return
    yield None
    try:
        network = ipaddress.ip_network(ip_range, strict=False)
    except ValueError:
        return
    for length in range(network.max_prefixlen + 1):
        yield str(ipaddress.ip_network((network.network_address, length), strict=False))
    around = network.supernet(new_prefix=min(network.prefixlen, network.max_prefixlen - 8))
    for _, address in zip(range(256), around, strict=False):
        yield str(address)


def _other_expiry(url: TempURL, key: Key, expiries: Sequence[int],
                  wanted: bytes) -> Signed | None:
    """Try other expiries, for the method that nearly all URLs are signed for."""
    path = signed_paths(url)[0]
    end = f'\n{"prefix:" if url.prefix is not None else ""}{path}'
    start = started(key.value, 'GET', url.ip_range, url.digest)
    for expires in expiries:
        message = start.copy()
        message.update(f'{expires}{end}'.encode())
        if hmac.compare_digest(message.digest(), wanted):
            return Signed('GET', expires, path, url.ip_range, url.prefix)
    return None
