# SPDX-License-Identifier: Apache-2.0
"""What an object store answers: which answers count, and what a cluster says of itself."""

from __future__ import annotations

import dataclasses
import re
import reprlib
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

import requests

from osc_imgurl.errors import (
    InvalidParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
    one_line,
)
from osc_imgurl.tempurl.signing import Key

# By these headers an answer of Swift or a RADOS Gateway is known. A proxy in between may take the
# first away.
KNOWN_BY = ('X-Trans-Id', 'X-Account-Container-Count', 'X-Container-Object-Count')
# SHA-1 last: Swift deprecates it, and operators turn it off.
PREFERRED_DIGESTS = ('sha256', 'sha512', 'sha1')
# What a cluster supports that does not say: older Swifts and RADOS Gateways know SHA-1 only.
DIGESTS_OF_A_SILENT_CLUSTER = ('sha1',)
CORRECT = 'Correct the endpoint of the object store, or tell its operator.'


def md5_of(headers: Mapping[str, str]) -> str | None:
    """Return the MD5 of an object's data, in hex, by its ETag; None where that says something else.

    The ETag of a large object is of its manifest.
    """
    if 'X-Object-Manifest' in headers or 'X-Static-Large-Object' in headers:
        return None
    found = re.fullmatch('(?:W/)?"?([0-9a-f]{32})"?', headers.get('ETag', '').strip(),
                         re.IGNORECASE)
    return found[1].lower() if found else None


def require_object_store(response: requests.Response) -> None:
    """Accept an answer that an object store gives: another server's 200 says nothing of keys.

    :raises ObjectStoreFailed: something else answers.
    """
    if not any(name in response.headers for name in KNOWN_BY):
        raise ObjectStoreFailed(
            f'What answers at {response.url} is not an object store'
            f' (HTTP {response.status_code}, without X-Trans-Id).', CORRECT)


def require_authorized(response: requests.Response) -> None:
    """Accept an answer that is not about who may.

    :raises ObjectStoreNotAuthorized: these credentials may not.
    """
    if response.status_code in (401, 403):
        reads = response.request.method in ('GET', 'HEAD')
        does = 'show' if reads else 'let'
        to = 'to these credentials' if reads else 'be changed with these credentials'
        raise ObjectStoreNotAuthorized(
            f'Swift does not {does} {urllib.parse.urlsplit(response.url).path} {to}'
            f' (HTTP {response.status_code}).')


def require_success(response: requests.Response) -> None:
    """Accept an answer that says that all went well.

    :raises ObjectStoreFailed: it does not.
    """
    if not 200 <= response.status_code < 300:
        parts = urllib.parse.urlsplit(response.url)
        # What is wrong with a request, Swift says in words, such as "X-Delete-At in past".
        plain = response.headers.get('Content-Type', '').startswith('text/plain')
        said = (f', {reprlib.repr(one_line(response.text))}'
                if response.status_code == 400 and plain and response.text else '')
        raise ObjectStoreFailed(
            f'The object store at {parts.scheme}://{parts.netloc} answers HTTP'
            f' {response.status_code} to {response.request.method} {parts.path}{said}'
            f' (transaction {response.headers.get("X-Trans-Id", "unknown")}).')


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """What a cluster says of its temporary URLs, and of its objects, in ``/info``.

    :ivar tempurl: whether it takes them; None where it does not say.
    :ivar methods: the methods that it takes; None where it does not say.
    :ivar digests: the digests that it takes; None where it does not say, as older clusters
        and RADOS Gateways do not.
    :ivar max_object_size: in bytes; None where it does not say.
    :ivar max_segments: how many a static large object may have, 0 where there are no such objects;
        None where it does not say.
    :ivar symlink: whether it has symbolic links; None where it does not say.
    """

    tempurl: bool | None = None
    methods: tuple[str, ...] | None = None
    digests: tuple[str, ...] | None = None
    max_object_size: int | None = None
    max_segments: int | None = None
    symlink: bool | None = None

    def supports(self, digest: str) -> bool | None:
        """Say whether it supports a digest; None where it does not say, and it may be too new."""
        if self.digests is None:
            return digest in DIGESTS_OF_A_SILENT_CLUSTER or None
        return digest in self.digests

    def validate_tempurl(self) -> None:
        """Accept a cluster that does not say that it has no temporary URLs.

        :raises ObjectStoreFailed: it does.
        """
        if self.tempurl is False:
            raise ObjectStoreFailed(
                'This cluster takes no temporary URLs: it runs without the tempurl middleware.',
                'Its operator can add it to the proxy\'s pipeline.')

    def validate_method(self, method: str) -> None:
        """Accept a method that the cluster supports, or does not speak of.

        :raises InvalidParameterValue: it supports others.
        """
        if self.methods and method not in self.methods:
            raise InvalidParameterValue(
                f'This cluster takes no temporary URLs for {method}; it takes'
                f' {", ".join(self.methods)}.', 'Use one of these.', 'method')

    def validate_digest(self, digest: str) -> None:
        """Accept a digest that the cluster supports, or does not speak of.

        :raises InvalidParameterValue: it supports others.
        """
        if self.digests and digest not in self.digests:
            raise InvalidParameterValue(
                f'This cluster refuses the digest {digest}; it takes {", ".join(self.digests)}.',
                'Sign with one of these.', 'digest')

    def choose_digests(self, given: str | None, method: str) -> tuple[str, ...]:
        """Return the digests that a URL may be signed with: the last is the surest.

        Newer RADOS Gateways support SHA-256, and do not say so. So a HEAD through the URL tries it
        before SHA-1.

        :param given: the digest that somebody asks for.
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
            f'This cluster takes the digests {", ".join(self.digests)} and none of'
            f' {", ".join(PREFERRED_DIGESTS)}.')


def read_info(info: Any) -> Capabilities:
    """Return what an answer of ``/info`` says of temporary URLs and objects.

    :param info: what its JSON says; an untrusted user may have written it.
    :raises AttributeError, TypeError: it is of another shape.
    """
    if not info:
        raise TypeError
    tempurl, swift = info.get('tempurl'), info.get('swift') or {}
    max_size, slo = _number(swift.get('max_file_size')), info.get('slo', {} if not swift else None)
    max_segments = 0 if slo is None else _number(slo.get('max_manifest_segments'))
    of_objects = max_size, max_segments, 'symlink' in info if swift else None
    if tempurl is None:
        return Capabilities(False, None, None, *of_objects)
    return Capabilities(True, _texts(tempurl.get('methods')),
                        _texts(tempurl.get('allowed_digests')), *of_objects)


def _number(value: object) -> int | None:
    """Return a number that limits something."""
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
    """A slot; its text is its name for people, such as ``account key 2``.

    :ivar level: ``account`` or ``container``.
    :ivar number: 1 or 2.
    """

    level: str
    number: int

    def __str__(self) -> str:
        return f'{self.level} key' + (' 2' if self.number == 2 else '')

    @property
    def header(self) -> str:
        """The header in which Swift shows the key, and takes a new one."""
        return f'X-{self.level.title()}-Meta-Temp-Url-Key' + ('-2' if self.number == 2 else '')


# The newer slot first, as a rotation fills it last.
CONTAINER_SLOTS = (KeySlot('container', 2), KeySlot('container', 1))
ACCOUNT_SLOTS = (KeySlot('account', 2), KeySlot('account', 1))


def read_keys(headers: Mapping[str, str], slots: Iterable[KeySlot]) -> dict[KeySlot, Key]:
    """Return the keys that are set, by their slots.

    :param headers: of the account or the container.
    """
    # requests reads headers as Latin-1; a key is the bytes themselves.
    return {slot: Key(headers[slot.header].encode('latin-1'))
            for slot in slots if headers.get(slot.header)}
