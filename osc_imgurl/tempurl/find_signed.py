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

from osc_imgurl.tempurl.digest import decode_signature
from osc_imgurl.tempurl.request import METHODS
from osc_imgurl.tempurl.signing import Signer, good_paths
from osc_imgurl.tempurl.url import TempURL, quote


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


def find_signed(url: TempURL, keys: Mapping[str, bytes], paths: Sequence[str] = (),
                expiries: Sequence[int] = ()) -> tuple[str, Signed] | None:
    """Return which key made the signature of a URL, by its name here, and of what; else None.

    :param keys: by names of the caller's.
    :param paths: objects' paths that may have been signed in place of the URL's.
    :param expiries: Unix times, seconds, that may have been signed in place of the URL's.
    """
    digest, wanted = decode_signature(url.signature)
    signers = {name: Signer(key, digest) for name, key in keys.items()}
    for candidate in _candidates(url, paths):
        for name, signer in signers.items():
            signature = signer.signature(candidate.path, candidate.expires, candidate.method,
                                         candidate.ip_range, candidate.prefix is not None)
            if hmac.compare_digest(decode_signature(signature)[1], wanted):
                return name, candidate
    for name, signer in signers.items():
        if found := _other_expiry(url, signer, expiries, wanted):
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
    good, name = good_paths(url), url.path.object
    for path in (*good, quote(good[0])):
        yield path, url.ip_range, url.prefix
    if url.prefix is not None:
        yield url.path.container_path + name, url.ip_range, None
    else:
        for path in paths:
            yield path, url.ip_range, None
    of_prefix = good_paths(dataclasses.replace(url, prefix=''))[0]
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


def _other_expiry(url: TempURL, signer: Signer, expiries: Sequence[int],
                  wanted: bytes) -> Signed | None:
    """Try other expiries, for the method that nearly all URLs are signed for."""
    path = good_paths(url)[0]
    start = f'ip={url.ip_range}\nGET\n' if url.ip_range is not None else 'GET\n'
    end = f'\n{"prefix:" if url.prefix is not None else ""}{path}'
    digest_of = signer.digests(start)
    for expires in expiries:
        if digest_of(f'{expires}{end}') == wanted:
            return Signed('GET', expires, path, url.ip_range, url.prefix)
    return None
