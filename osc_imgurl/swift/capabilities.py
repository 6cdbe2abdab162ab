# SPDX-License-Identifier: Apache-2.0
"""What a cluster says of itself, and the digest that is chosen by it."""

from __future__ import annotations

import dataclasses
from typing import Any

from osc_imgurl.errors import InvalidParameterValue, ObjectStoreFailed

# SHA-1 last: Swift deprecates it, and operators turn it off.
PREFERRED_DIGESTS = ('sha256', 'sha512', 'sha1')
# What a cluster takes that does not say: older Swifts and RADOS Gateways know SHA-1 only.
DIGESTS_OF_A_SILENT_CLUSTER = ('sha1',)


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

    def takes(self, digest: str) -> bool | None:
        """Say whether it takes a digest; None where it does not say, and it may be too new."""
        if self.digests is None:
            return digest in DIGESTS_OF_A_SILENT_CLUSTER or None
        return digest in self.digests


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


def negotiate_digest(endpoint: str, capabilities: Capabilities, method: str,
                     given: str | None = None) -> str:
    """Return the digest for a URL.

    :param given: the digest that somebody asks for; None: the first of
        :data:`PREFERRED_DIGESTS` that the cluster takes.
    :raises InvalidParameterValue: the cluster refuses the given digest, or the method.
    :raises ObjectStoreFailed: the cluster takes no temporary URLs, or none of our digests.
    """
    if capabilities.tempurl is False:
        raise ObjectStoreFailed(
            f'The Swift at {endpoint} takes no temporary URLs: it runs without the tempurl'
            ' middleware.', 'Its operator can add it to the proxy\'s pipeline.')
    if capabilities.methods and method not in capabilities.methods:
        raise InvalidParameterValue(
            f'This cluster takes no temporary URLs for {method}; it takes'
            f' {", ".join(capabilities.methods)}.', 'Sign for one of these.', 'method')
    if given:
        if capabilities.digests and given not in capabilities.digests:
            raise InvalidParameterValue(
                f'This cluster refuses the digest {given}; it takes'
                f' {", ".join(capabilities.digests)}.', 'Sign with one of these.',
                'digest')
        return given
    allowed = capabilities.digests or DIGESTS_OF_A_SILENT_CLUSTER
    for digest in PREFERRED_DIGESTS:
        if digest in allowed:
            return digest
    raise ObjectStoreFailed(
        f'This cluster takes the digests {", ".join(allowed)} and none of'
        f' {", ".join(PREFERRED_DIGESTS)}.')
