# SPDX-License-Identifier: Apache-2.0
"""Swift without authentication."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from osc_imgurl.errors import MissingParameterValue
from osc_imgurl.swift.capabilities import Capabilities
from osc_imgurl.swift.endpoint import (
    DIGESTS_OF_A_SILENT_CLUSTER,
    PREFERRED_DIGESTS,
    Endpoint,
)

if TYPE_CHECKING:
    from osc_imgurl.swift.object_store import ObjectStore

    # Swift, or what stands for it.
    Swift: TypeAlias = 'ObjectStore | OfflineSwift'


@dataclasses.dataclass(frozen=True)
class OfflineSwift:
    """Swift without authentication: what is not given is missing, and the error says what.

    The methods are those of :class:`osc_imgurl.swift.object_store.ObjectStore`.
    """

    def memoized(self) -> OfflineSwift:
        return self

    def at(self, endpoint: str) -> OfflineSwift:
        return self

    def find_storage_url(self) -> None:
        return None

    def storage_url(self) -> NoReturn:
        raise MissingParameterValue(
            'The endpoint of Swift is not known, and without authentication it cannot be looked'
            ' up.', 'Give it.', 'endpoint_url')

    def project_id(self) -> NoReturn:
        raise MissingParameterValue(
            'The account that owns the images is not known, and without authentication it cannot'
            ' be looked up.', 'Give it.', 'account')

    def project_names(self) -> frozenset[str]:
        return frozenset()

    def auth_urls(self) -> frozenset[str]:
        return frozenset()

    def endpoints(self) -> frozenset[str]:
        return frozenset()

    def has_endpoint(self, endpoint: str) -> bool:
        return False

    def prefetch(self, question: str, *about: object) -> None:
        return None

    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """Return what such a cluster supports as a rule."""
        return Capabilities(digests=DIGESTS_OF_A_SILENT_CLUSTER if endpoint.radosgw
                            else PREFERRED_DIGESTS)

    def container_keys(self, account: str | None, container: str) -> NoReturn:
        raise MissingParameterValue(
            'Without authentication Swift shows no key.', 'Give it.', 'key_file')

    def account_keys(self, account: str | None) -> NoReturn:
        self.container_keys(account, '')

    def find_object(self, account: str | None, container: str, name: str) -> NoReturn:
        raise MissingParameterValue('Without authentication Swift shows no objects.')

    def names(self, account: str | None, container: str | None = None) -> NoReturn:
        self.find_object(account, '', '')
