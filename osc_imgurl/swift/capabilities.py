# SPDX-License-Identifier: Apache-2.0
"""Which digest a cluster takes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from osc_imgurl.errors import InvalidParameterValue, ObjectStoreFailed, logger

if TYPE_CHECKING:
    from osc_imgurl.swift.object_store import ObjectStore

LOG = logger(__name__)

# SHA-1 last: Swift deprecates it, and operators turn it off.
PREFERRED = ('sha256', 'sha512', 'sha1')
# What a cluster takes that does not say: older Swifts and RADOS Gateways know SHA-1 only.
OF_A_SILENT_CLUSTER = ('sha1',)


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """What a cluster says of its temporary URLs in ``/info``.

    :ivar tempurl: whether it takes them; None where it does not say.
    :ivar methods: the methods that it takes; None where it does not say.
    :ivar digests: the digests that it takes; None where it does not say, as older clusters
        and RADOS Gateways do not.
    """

    tempurl: bool | None = None
    methods: tuple[str, ...] | None = None
    digests: tuple[str, ...] | None = None

    def takes(self, digest: str) -> bool | None:
        """Say whether it takes a digest; None where it does not say, and it may be too new."""
        if self.digests is None:
            return digest in OF_A_SILENT_CLUSTER or None
        return digest in self.digests


def find_capabilities(endpoint: str, object_store: ObjectStore,
                      told: str | None) -> Capabilities:
    """Return what a cluster says of itself.

    :param told: the digest that was told.
    :returns: nothing known where the cluster cannot be asked and a digest was told; a warning
        says so.
    :raises ObjectStoreFailed: the cluster cannot be asked, and no digest was told.
    """
    try:
        return object_store.capabilities(endpoint)
    except ObjectStoreFailed as error:
        if not told:
            raise
        LOG.warning('%s Whether it takes the digest %s is not known', error, told)
        return Capabilities()


def negotiate(endpoint: str, capabilities: Capabilities, method: str,
              told: str | None) -> str:
    """Return the digest: told, else the first of :data:`PREFERRED` that the cluster takes.

    :raises InvalidParameterValue: the cluster refuses the told digest, or the method.
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
    if told:
        if capabilities.digests and capabilities.takes(told) is False:
            raise InvalidParameterValue(
                f'This cluster refuses the digest {told}; it takes'
                f' {", ".join(capabilities.digests)}.', 'Sign with one of these.',
                'digest')
        return told
    allowed = capabilities.digests or OF_A_SILENT_CLUSTER
    for digest in PREFERRED:
        if digest in allowed:
            return digest
    raise ObjectStoreFailed(
        f'This cluster takes the digests {", ".join(allowed)} and none of'
        f' {", ".join(PREFERRED)}.')
