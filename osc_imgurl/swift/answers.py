# SPDX-License-Identifier: Apache-2.0
"""Answers of an object store: accept or refuse them; read ``/info`` and the keys in headers."""

from __future__ import annotations

import dataclasses
import re
import reprlib
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import requests

from osc_imgurl.errors import (
    InvalidParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
    one_line,
)
from osc_imgurl.tempurl.signing import Key

# Answers of Swift and RADOS Gateways have one of these headers. Proxies may remove the first.
KNOWN_BY = ('X-Trans-Id', 'X-Account-Container-Count', 'X-Container-Object-Count')
# SHA-1 comes last: Swift deprecates it, and operators turn it off.
PREFERRED_DIGESTS = ('sha256', 'sha512', 'sha1')
# Older Swifts and RADOS Gateways list no digests, and support SHA-1 only.
DIGESTS_OF_A_SILENT_CLUSTER = ('sha1',)
# Of an object whose data is that of all others whose names begin so.
MANIFEST = 'X-Object-Manifest'
CORRECT = 'Correct the endpoint of the object store, or tell its operator.'


class StoredObject(NamedTuple):
    """What a HEAD of an object says.

    :ivar size: in bytes.
    :ivar md5: of its data, in hex; None where Swift does not say it, as of a large object.
    :ivar segmented: whether it is a dynamic large object, as Glance's Swift store makes of a large
        image.
    """

    size: int
    md5: str | None
    segmented: bool = False


def md5_of(headers: Mapping[str, str]) -> str | None:
    """Return the MD5 of an object's data, in hex, from its ETag; None if there is none.

    A large object's ETag is not its data's MD5.
    """
    if MANIFEST in headers or 'X-Static-Large-Object' in headers:
        return None
    found = re.fullmatch('(?:W/)?"?([0-9a-f]{32})"?', headers.get('ETag', '').strip(),
                         re.IGNORECASE)
    return found[1].lower() if found else None


def require_object_store(response: requests.Response) -> None:
    """Accept an object store's answer. Another server's 200 would look like "no key is set".

    :raises ObjectStoreFailed: something else answers.
    """
    if not any(name in response.headers for name in KNOWN_BY):
        raise ObjectStoreFailed(
            f'What answers at {response.url} is not an object store'
            f' (HTTP {response.status_code}, without X-Trans-Id).', CORRECT)


def require_authorized(response: requests.Response) -> None:
    """Accept any status but 401 and 403.

    :raises ObjectStoreNotAuthorized: Swift refuses these credentials.
    """
    if response.status_code in (401, 403):
        reads = response.request.method in ('GET', 'HEAD')
        does = 'show' if reads else 'let'
        to = 'to these credentials' if reads else 'be changed with these credentials'
        raise ObjectStoreNotAuthorized(
            f'Swift does not {does} {urllib.parse.urlsplit(response.url).path} {to}'
            f' (HTTP {response.status_code}).')


def require_success(response: requests.Response) -> None:
    """Accept a status 2xx.

    :raises ObjectStoreFailed: any other status.
    """
    if not 200 <= response.status_code < 300:
        parts = urllib.parse.urlsplit(response.url)
        # Swift explains a 400 in words, such as "X-Delete-At in past".
        plain = response.headers.get('Content-Type', '').startswith('text/plain')
        said = (f', {reprlib.repr(one_line(response.text))}'
                if response.status_code == 400 and plain and response.text else '')
        raise ObjectStoreFailed(
            f'The object store at {parts.scheme}://{parts.netloc} answers HTTP'
            f' {response.status_code} to {response.request.method} {parts.path}{said}'
            f' (transaction {response.headers.get("X-Trans-Id", "unknown")}).')


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """A cluster's support for temporary URLs and objects, by ``/info``; None: it does not say.

    :ivar tempurl: whether it supports temporary URLs.
    :ivar methods: the methods supported.
    :ivar digests: the digests supported. Older clusters and RADOS Gateways do not say.
    :ivar max_object_size: bytes.
    :ivar max_segments: the limit of a static large object; 0 without such objects.
    :ivar symlink: whether it supports symbolic links.
    :ivar static_links: whether links may name the ETag of their target; False if it does not say.
    """

    tempurl: bool | None = None
    methods: tuple[str, ...] | None = None
    digests: tuple[str, ...] | None = None
    max_object_size: int | None = None
    max_segments: int | None = None
    symlink: bool | None = None
    static_links: bool = False

    def supports(self, digest: str) -> bool | None:
        """Say whether it supports a digest; None if it does not say, and is perhaps too old."""
        if self.digests is None:
            return digest in DIGESTS_OF_A_SILENT_CLUSTER or None
        return digest in self.digests

    def validate_tempurl(self) -> None:
        """Refuse a cluster without temporary URLs.

        :raises ObjectStoreFailed: the cluster says so.
        """
        if self.tempurl is False:
            raise ObjectStoreFailed(
                'This cluster does not support temporary URLs: it runs without the tempurl'
                ' middleware.',
                'Its operator can add it to the proxy\'s pipeline.')

    def validate_method(self, method: str) -> None:
        """Accept a method unless the cluster lists only others.

        :raises InvalidParameterValue: it does.
        """
        if self.methods and method not in self.methods:
            raise InvalidParameterValue(
                f'This cluster supports temporary URLs for {", ".join(self.methods)}, not for'
                f' {method}.', 'Use one of these.', 'method')

    def validate_digest(self, digest: str) -> None:
        """Accept a digest unless the cluster lists only others.

        :raises InvalidParameterValue: it does.
        """
        if self.digests and digest not in self.digests:
            raise InvalidParameterValue(
                f'This cluster supports {", ".join(self.digests)}, not the digest {digest}.',
                'Sign with one of these.', 'digest')

    def choose_digests(self, given: str | None, method: str) -> tuple[str, ...]:
        """Return the digests to try, in order. The last is safe without trying.

        Newer RADOS Gateways support SHA-256 without saying so. A HEAD through the URL tries it
        before SHA-1.

        :param given: the setting; None for the cluster's best.
        :raises InvalidParameterValue: the cluster refuses the given digest, or the method.
        :raises ObjectStoreFailed: the cluster has no temporary URLs, or none of our digests.
        """
        self.validate_tempurl()
        self.validate_method(method)
        if given:
            self.validate_digest(given)
            return (given,)
        if self.digests is None:
            return (PREFERRED_DIGESTS[0], *DIGESTS_OF_A_SILENT_CLUSTER)
        for digest in PREFERRED_DIGESTS:
            if digest in self.digests:
                return (digest,)
        raise ObjectStoreFailed(
            f'This cluster supports the digests {", ".join(self.digests)}, and none of'
            f' {", ".join(PREFERRED_DIGESTS)}.')


def read_info(info: Any) -> Capabilities:
    """Return the capabilities in the decoded JSON of ``/info``; an untrusted user may write it.

    :raises AttributeError, TypeError: it has another shape.
    """
    if not info:
        raise TypeError
    tempurl, swift = info.get('tempurl'), info.get('swift') or {}
    max_size, slo = _number(swift.get('max_file_size')), info.get('slo', {} if not swift else None)
    max_segments = 0 if slo is None else _number(slo.get('max_manifest_segments'))
    symlink = info.get('symlink')
    of_objects = (max_size, max_segments, symlink is not None if swift else None,
                  bool(symlink and symlink.get('static_links')))
    if tempurl is None:
        return Capabilities(False, None, None, *of_objects)
    return Capabilities(True, _texts(tempurl.get('methods')),
                        _texts(tempurl.get('allowed_digests')), *of_objects)


def _number(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise TypeError
    return value


def _texts(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(str, value)) or None


@dataclasses.dataclass(frozen=True)
class KeySlot:
    """One of the four places for a key, such as ``account key 2``.

    :ivar level: ``account`` or ``container``.
    :ivar number: 1 or 2.
    """

    level: str
    number: int

    def __str__(self) -> str:
        return f'{self.level} key' + (' 2' if self.number == 2 else '')

    @property
    def header(self) -> str:
        """The header of the key, in requests and answers."""
        return f'X-{self.level.title()}-Meta-Temp-Url-Key' + ('-2' if self.number == 2 else '')


# Slot 2 comes first: a rotation puts the new key there.
CONTAINER_SLOTS = (KeySlot('container', 2), KeySlot('container', 1))
ACCOUNT_SLOTS = (KeySlot('account', 2), KeySlot('account', 1))


def read_keys(headers: Mapping[str, str], slots: Iterable[KeySlot]) -> dict[KeySlot, Key]:
    """Return the keys in an account's or container's headers; an empty slot is left out."""
    # requests decodes headers as Latin-1. This gives a key's bytes back.
    return {slot: Key(headers[slot.header].encode('latin-1'))
            for slot in slots if headers.get(slot.header)}
