# SPDX-License-Identifier: Apache-2.0
"""Which endpoint a URL is for, and what the kind of server there means for URLs."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from osc_imgurl.errors import ImgurlError
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.endpoint import gateway_endpoint, is_gateway, split_storage_url

if TYPE_CHECKING:
    from osc_imgurl.swift.offline import Swift

# SHA-1 last: Swift deprecates it, and operators turn it off.
PREFERRED_DIGESTS = ('sha256', 'sha512', 'sha1')
# What a cluster supports that does not say: older Swifts and RADOS Gateways know SHA-1 only.
DIGESTS_OF_A_SILENT_CLUSTER = ('sha1',)


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where a server has the Swift API: a Swift, or a RADOS Gateway.

    :ivar url: what stands before the API version in a URL.
    :ivar accounts: whether accounts are in its URLs; in a RADOS Gateway's they may not be.
    :ivar cluster: the cluster's own endpoint by the catalog; the URL may name a proxy. There the
        cluster is asked what it supports, and new URLs are tried: a proxy may make a HEAD the GET
        of a whole image (nginx does). The host is no part of what is signed.
    :ivar may_be_tried: whether a request through a URL can do no harm. Some RADOS Gateways with
        accounts in their URLs crash at one without (seen of Ceph 16). So one without is tried only
        where the catalog has no account in its URL either.
    """

    url: str
    accounts: bool = True
    cluster: str = ''
    may_be_tried: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, 'cluster', self.cluster or self.url)

    def __str__(self) -> str:
        return self.url

    @property
    def radosgw(self) -> bool:
        """Whether it is a RADOS Gateway, with or without accounts in its URLs."""
        return is_gateway(self.url, '' if self.accounts else None)

    @property
    def container_keys(self) -> bool:
        """Whether a container's keys sign URLs: a RADOS Gateway accepts and ignores them."""
        return not self.radosgw


def find_endpoint(settings: Settings, swift: Swift) -> Endpoint:
    """Return the endpoint of new URLs: given, else the catalog's; never a location's.

    Below which path a RADOS Gateway without accounts serves the Swift API, the catalog says.

    :raises MissingParameterValue: it is not given and cannot be looked up.
    :raises InvalidParameterValue: it is none of a RADOS Gateway.
    """
    storage_url = swift.find_storage_url()
    known, account = split_storage_url(storage_url) if storage_url else ('', '')
    accounts = (settings.endpoint_type or ('radosgw' if account is None else 'swift')) == 'swift'
    url = settings.endpoint_url or known or swift.storage_url()
    if not accounts:
        url = gateway_endpoint(url, known if account is None else None)
        # A gateway may have accounts in its URLs all the same; some crash at a URL without.
        accounts = bool((account and is_gateway(known, account))
                        or settings.given_explicitly('account'))
    return _at(url, accounts, known, account)


def endpoint_of(url: str, account: str | None, swift: Swift) -> Endpoint:
    """Return the endpoint of a URL that somebody made."""
    storage_url = swift.find_storage_url()
    return _at(url, account is not None, *(
        split_storage_url(storage_url) if storage_url else ('', '')))


def _at(url: str, accounts: bool, known: str, account: str | None) -> Endpoint:
    """Return an endpoint beside the catalog's: ``known``, and the account in its URL."""
    if known and is_gateway(url, '' if accounts else None) and not is_gateway(known, account):
        known += '/swift'
    return Endpoint(url, accounts, known, accounts or account is None)


def type_by_catalog(url: str, swift: Swift) -> str | None:
    """Return ``radosgw`` for a URL of the catalog's gateway, if that has no accounts in its URLs.

    :returns: None for any other, and where the catalog cannot be read.
    """
    with contextlib.suppress(ImgurlError):
        if storage_url := swift.find_storage_url():
            endpoint, account = split_storage_url(storage_url)
            if account is None and url.startswith(f'{endpoint}/'):
                return 'radosgw'
    return None
