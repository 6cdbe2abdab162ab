# SPDX-License-Identifier: Apache-2.0
"""What a cluster says of itself, and the digest that is chosen by it."""

from __future__ import annotations

import dataclasses
from typing import Any

from osc_imgurl.errors import InvalidParameterValue, ObjectStoreFailed
from osc_imgurl.swift.endpoint import DIGESTS_OF_A_SILENT_CLUSTER, PREFERRED_DIGESTS


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
    """

    tempurl: bool | None = None
    methods: tuple[str, ...] | None = None
    digests: tuple[str, ...] | None = None
    max_object_size: int | None = None
    max_segments: int | None = None

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
    if tempurl is None:
        return Capabilities(False, max_object_size=max_size, max_segments=max_segments)
    return Capabilities(True, _texts(tempurl.get('methods')),
                        _texts(tempurl.get('allowed_digests')), max_size, max_segments)


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
