# SPDX-License-Identifier: Apache-2.0
"""Find out what was signed, if a signature does not match its URL.

A signature does not show it. So the usual changes to URLs are tried, one at a time: another path,
method, prefix, range or expiry; and then the usual mistakes of programs.
"""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from osc_imgurl.tempurl.options import METHODS, format_expires
from osc_imgurl.tempurl.signing import Key, compute, message, signed_paths
from osc_imgurl.tempurl.url import TempURL, decode_signature, quote


@dataclasses.dataclass(frozen=True)
class Signed:
    """What was signed.

    :ivar path: as it was signed; with a prefix, the container's path and the prefix.
    :ivar expires: Unix time, seconds.
    :ivar mistake: what the signer did wrong; the others are the URL's own then.
    """

    method: str
    expires: int
    path: str
    ip_range: str | None = None
    prefix: str | None = None
    mistake: Mistake | None = None

    @property
    def message(self) -> str:
        """The right text to sign."""
        return message(
            self.method, self.expires, self.path, self.ip_range, self.prefix is not None)


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A mistake of programs that sign with the right key.

    :ivar part: what is wrong then: ``key``, ``path``, ``query`` or ``method``.
    :ivar name: what was done.
    :ivar messages: returns what is signed then in place of the message of a URL.
    :ivar key_end: what stands behind the key then.
    """

    part: str
    name: str
    messages: Callable[[TempURL, Signed], Iterable[str]]
    key_end: bytes = b''


def _of_paths(paths: Callable[[TempURL, str], Iterable[str]]
              ) -> Callable[[TempURL, Signed], Iterable[str]]:
    return lambda url, signed: (
        dataclasses.replace(signed, path=path).message for path in paths(url, signed.path))


def _without_account(url: TempURL, path: str) -> Iterator[str]:
    account = url.path.account
    if account is not None:
        yield path.replace(f'/{account}/', '/', 1)


def _without_account_prefix(url: TempURL, path: str) -> Iterator[str]:
    account = url.path.account or ''
    _, found, project = account.partition('_')
    if found:
        yield path.replace(f'/{account}/', f'/{project}/', 1)


def _without_version(url: TempURL, path: str) -> Iterator[str]:
    for each in (path, *_without_account(url, path)):
        yield each.replace(f'/{url.path.api_version}/', '/', 1)


# Of Unix, and of Windows.
_NEWLINES = '\n', '\r\n'
MISTAKES = (
    *(Mistake('key', 'a newline behind the key was taken for a part of it',
              lambda url, signed: [signed.message], newline.encode()) for newline in _NEWLINES),
    Mistake('path', 'a newline was signed behind the path',
            lambda url, signed: [signed.message + newline for newline in _NEWLINES]),
    Mistake('path', 'the lines that are signed ended with \\r\\n, and not with \\n',
            lambda url, signed: [(signed.message + end).replace('\n', '\r\n')
                                 for end in ('', '\n')]),
    Mistake('path', 'the path was percent-encoded before it was signed',
            _of_paths(lambda url, path: [quote(path), urllib.parse.quote(path)])),
    Mistake('path', 'the whole URL was signed, and not its path',
            _of_paths(lambda url, path: [url.endpoint + path])),
    Mistake('path', 'the path was signed with what stands before the API version',
            _of_paths(lambda url, path: [urllib.parse.urlsplit(url.endpoint).path + path])),
    Mistake('path', 'the path was signed without the account', _of_paths(_without_account)),
    Mistake('path', 'the path was signed without the prefix of the account, such as AUTH_',
            _of_paths(_without_account_prefix)),
    Mistake('path', 'the path was signed without the API version', _of_paths(_without_version)),
    Mistake('query', 'the prefix was signed without the word prefix: before its path',
            lambda url, signed: [dataclasses.replace(signed, prefix=None).message]),
    Mistake('query', 'the expiry was signed as ISO 8601, and not as a Unix time',
            lambda url, signed: [signed.message.replace(
                f'\n{signed.expires}\n', f'\n{format_expires(signed.expires)}\n', 1)]),
    Mistake('method', 'the method was signed in small letters',
            lambda url, signed: [dataclasses.replace(
                signed, method=signed.method.lower()).message]),
)


def find_signed(url: TempURL, keys: Mapping[str, Key], paths: Sequence[str] = (),
                expiries: Sequence[int] = ()) -> tuple[str, Signed] | None:
    """Return the name of the key behind a signature, and what was signed; None if unknown.

    :param keys: by names of the caller's.
    :param paths: other objects' paths to try in place of the URL's.
    :param expiries: Unix times, seconds, to try in place of the URL's.
    """
    digest, wanted = decode_signature(url.signature)
    for signed, text, key_end in _candidates(url, paths, expiries):
        for name, key in keys.items():
            if hmac.compare_digest(compute(text, key.value + key_end, digest), wanted):
                return name, signed
    return None


def _candidates(url: TempURL, paths: Sequence[str],
                expiries: Sequence[int]) -> Iterator[tuple[Signed, str, bytes]]:
    """Yield what may have been signed, its message, and what stood behind the key.

    One comes after another, for there may be hundreds of thousands.
    """
    for path, ip_range, prefix in _variants(url, paths):
        for method in METHODS:
            signed = Signed(method, url.expires, path, ip_range, prefix)
            yield signed, signed.message, b''
    own = Signed('GET', url.expires, signed_paths(url)[0], url.ip_range, url.prefix)
    for mistake in MISTAKES:
        for method in METHODS:
            signed = dataclasses.replace(own, method=method, mistake=mistake)
            for text in mistake.messages(url, signed):
                yield signed, text, mistake.key_end
    # Nearly all URLs are signed for GET.
    for expires in expiries:
        signed = Signed('GET', expires, own.path, own.ip_range, own.prefix)
        yield signed, signed.message, b''


def _variants(url: TempURL,
              paths: Sequence[str]) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield paths, ranges and prefixes."""
    good, name = signed_paths(url), url.path.object
    for path in good:
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
    """Yield what an altered range may have been: none, a wider one, one of its addresses."""
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
