# SPDX-License-Identifier: Apache-2.0
"""The endpoint for a URL and its kind; the object store offline."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from osc_imgurl.errors import ImgurlError, MissingParameterValue
from osc_imgurl.settings.table import Kind, Settings
from osc_imgurl.swift.answers import DIGESTS_OF_A_SILENT_CLUSTER, PREFERRED_DIGESTS, Capabilities
from osc_imgurl.tempurl.endpoint import (
    Endpoint,
    gateway_endpoint,
    is_gateway,
    split_storage_url,
)

if TYPE_CHECKING:
    from osc_imgurl.swift.object_store import ObjectStore

    Swift: TypeAlias = 'ObjectStore | OfflineSwift'


@dataclasses.dataclass(frozen=True)
class OfflineSwift:
    """Swift without authentication. Methods that need it raise an error: it names what to give.

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
            'The endpoint of Swift is unknown, and cannot be looked up without authentication.',
            'Give it.', 'endpoint_url')

    def project_id(self) -> NoReturn:
        raise MissingParameterValue(
            'The account of the images is unknown, and cannot be looked up without'
            ' authentication.', 'Give it.', 'account')

    def project_names(self) -> frozenset[str]:
        return frozenset()

    def auth_urls(self) -> frozenset[str]:
        return frozenset()

    def storage_urls(self) -> frozenset[str]:
        return frozenset()

    def endpoints(self) -> frozenset[str]:
        return frozenset()

    def unnamed_account(self) -> NoReturn:
        self.project_id()

    def has_endpoint(self, endpoint: str) -> bool:
        return False

    def prefetch(self, question: str, *about: object) -> None:
        return None

    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """Return the usual capabilities of this kind of cluster."""
        return Capabilities(digests=DIGESTS_OF_A_SILENT_CLUSTER if endpoint.radosgw
                            else PREFERRED_DIGESTS)

    def container_keys(self, account: str | None, container: str) -> NoReturn:
        raise MissingParameterValue(
            'Swift shows no key without authentication.', 'Give it.', 'key_file')

    def account_keys(self, account: str | None) -> NoReturn:
        self.container_keys(account, '')

    def find_object(self, account: str | None, container: str, name: str) -> NoReturn:
        raise MissingParameterValue('Without authentication Swift shows no objects.')

    def names(self, account: str | None, container: str | None = None) -> NoReturn:
        self.find_object(account, '', '')

    def request(self, method: str, *names: str, **more: object) -> NoReturn:
        self.find_object(None, '', '')

    def set_keys(self, account: str | None, container: str | None, keys: object) -> NoReturn:
        raise MissingParameterValue('Without authentication no key can be set.')


def known_endpoint(settings: Settings, swift: Swift) -> tuple[str, str | None]:
    """Return the catalog's endpoint, and the account in its URL.

    The admin interface of many a Swift has no account in its URL. Then another interface names the
    account, or shows that this is a RADOS Gateway without accounts in its URLs.

    :returns: an empty text if unknown. The account is None for a RADOS Gateway without accounts in
        its URLs.
    """
    storage_url = swift.find_storage_url()
    endpoint, account = split_storage_url(storage_url) if storage_url else ('', '')
    if account is not None or settings.endpoint_type == 'radosgw' or is_gateway(endpoint, ''):
        return endpoint, account
    others = [split_storage_url(url) for url in swift.storage_urls()]
    if any(named is None and is_gateway(other, '') for other, named in others):
        return endpoint, None
    accounts = {named for _, named in others if named}
    return endpoint, accounts.pop() if len(accounts) == 1 else ''


def find_endpoint(settings: Settings, swift: Swift) -> Endpoint:
    """Return the endpoint of new URLs: the given one, else the catalog's; never a location's.

    A RADOS Gateway without accounts serves the Swift API below the path in the catalog.

    :raises MissingParameterValue: it is not given and cannot be looked up.
    :raises InvalidParameterValue: a RADOS Gateway cannot have it.
    """
    known, account = known_endpoint(settings, swift)
    accounts = (settings.endpoint_type or ('radosgw' if account is None else 'swift')) == 'swift'
    url = settings.endpoint_url or known or swift.storage_url()
    if not accounts:
        url = gateway_endpoint(url, known if account is None else None)
        # A gateway can have accounts in its URLs, too. Some of these crash at a URL without one.
        accounts = bool((account and is_gateway(known, account))
                        or any(each.kind is Kind.OPTION for each in settings.given_by('account')))
    return _at(url, accounts, known, account)


def endpoint_of(url: str, account: str | None, settings: Settings, swift: Swift) -> Endpoint:
    """Return the endpoint of an existing URL."""
    return _at(url, account is not None, *known_endpoint(settings, swift))


def _at(url: str, accounts: bool, known: str, account: str | None) -> Endpoint:
    """Return an endpoint, given the catalog's: ``known``, and the account in its URL."""
    if known and is_gateway(url, '' if accounts else None) and not is_gateway(known, account):
        known += '/swift'
    return Endpoint(url, accounts, known, accounts or account is None)


def type_of(url: str, settings: Settings, swift: Swift) -> str | None:
    """Return the endpoint type of a URL: ``swift`` if there is an account in it.

    For the object store's own URLs, the catalog comes before the setting. Some URLs are too short
    for an account.

    :returns: None if neither catalog nor settings say.
    """
    with contextlib.suppress(ImgurlError):
        account, path = known_endpoint(settings, swift)[1], url.partition('?')[0]
        for endpoint in filter(None, (settings.endpoint_url, *swift.endpoints())):
            if path.startswith(f'{endpoint}/v'):
                if account is None:
                    return settings.endpoint_type or 'radosgw'
                if account and path.count('/', len(endpoint)) > '/v1/account/container'.count('/'):
                    return 'swift'
    return settings.endpoint_type
