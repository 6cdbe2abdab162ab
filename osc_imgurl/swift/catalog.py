# SPDX-License-Identifier: Apache-2.0
"""The object store in Keystone's catalog."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session

from osc_imgurl import http
from osc_imgurl.errors import MissingParameterValue, ObjectStoreFailed, one_line
from osc_imgurl.tempurl.endpoint import same_endpoint, split_storage_url, validate_storage_url


class Catalog:
    """The object store in the catalog of one session.

    The parameters are those of :class:`osc_imgurl.swift.object_store.ObjectStore`.
    """

    def __init__(self, session: Session, region_name: str | None, interface: str,
                 storage_url: str | None) -> None:
        self._session = session
        self._region_name = region_name
        self._interface = interface
        self._storage_url = storage_url
        self._found_urls: dict[str, frozenset[str]] = {}

    def find_storage_url(self) -> str | None:
        """Return the catalog's storage URL of the session's project, or None.

        :raises ObjectStoreFailed: Keystone gives no catalog, or its URL is invalid.
        """
        if self._storage_url is None:
            try:
                self._storage_url = self._session.get_endpoint(
                    service_type='object-store', region_name=self._region_name,
                    interface=self._interface) or ''
            except ksa_exceptions.CatalogException:
                self._storage_url = ''
            except ksa_exceptions.ClientException as error:
                raise ObjectStoreFailed(
                    f'The catalog cannot be read: {one_line(error)}') from error
        if not self._storage_url:
            return None
        try:
            return validate_storage_url(self._storage_url)
        except ValueError as error:
            raise ObjectStoreFailed(
                f'The URL of this cloud\'s object store is invalid: {error}.', 'Its operator can'
                ' correct the catalog (openstack catalog show object-store). In clouds.yaml,'
                ' object_store_endpoint_override replaces it.') from None

    def storage_url(self) -> str:
        """Return the catalog's storage URL of the session's project.

        :raises MissingParameterValue: the catalog has none, or the session has no project.
        """
        url = self.find_storage_url()
        if not url:
            # Without a project, the catalog has no storage URL: raise that error first.
            self.project_id()
            raise http.not_in_catalog(
                self._session, 'object-store', 'object-store', self._region_name, self._interface,
                'Only images in Swift have temporary URLs. If this cloud has a Swift, give its'
                ' endpoint, the account of the images, and its key.',
                'endpoint_url', 'account', 'key_file')
        return url

    def project_id(self) -> str:
        """Return the session's project.

        :raises MissingParameterValue: the session has none, for example a system-scoped one.
        """
        project_id = self._session.get_project_id()
        if not project_id:
            raise MissingParameterValue(
                'These credentials are not scoped to a project, and so have no account.',
                'Use a project\'s, or give the account.', 'account')
        return str(project_id)

    def project_names(self) -> frozenset[str]:
        """Return the ID and, if known, the name of the session's project."""
        names = {self._session.get_project_id()}
        if isinstance(self._session.auth, BaseIdentityPlugin):
            names.add(self._session.auth.get_access(self._session).project_name)
        return frozenset(filter(None, names))

    def unnamed_account(self) -> MissingParameterValue:
        """Return the error for a storage URL without an account."""
        return MissingParameterValue(
            f'The URL of this cloud\'s object store, {self.storage_url()} (interface'
            f' {self._interface}), names no account, and no other interface of the catalog does.',
            'Give the account of the images. If this is a RADOS Gateway without accounts in its'
            ' URLs, give the endpoint type radosgw.', 'account', 'endpoint_type')

    def storage_urls(self) -> frozenset[str]:
        """Return the storage URLs of the session's project in the catalog, of every interface."""
        found = {self.find_storage_url()}
        for url in self._catalog('object-store', self._region_name):
            with contextlib.suppress(ValueError):
                found.add(validate_storage_url(url))
        return frozenset(filter(None, found))

    def endpoints(self) -> frozenset[str]:
        """Return the object store's endpoints in the catalog, of every interface."""
        return frozenset(split_storage_url(url)[0] for url in self.storage_urls())

    def auth_urls(self) -> frozenset[str]:
        """Return Keystone's addresses: the session's own, and those in the catalog."""
        own = getattr(self._session.auth, 'auth_url', None)
        return self._catalog('identity') | ({own} if own else set())

    def find_region(self, endpoint: str) -> str | None:
        """Return an endpoint's region in the catalog; the session's own comes first.

        :returns: None if it is in no region.
        :raises ObjectStoreFailed: as :meth:`find_storage_url`.
        """
        storage_url = self.find_storage_url()
        if storage_url and split_storage_url(storage_url)[0] == endpoint:
            return self._region_name
        return next((region for region, found in self._in_all_regions()
                     if region and found == endpoint), None)

    def has_endpoint(self, endpoint: str) -> bool:
        """Say whether an endpoint is the object store's, in any region and of any interface.

        :raises ObjectStoreFailed: as :meth:`find_storage_url`.
        """
        known = {*self.endpoints(), *(found for _, found in self._in_all_regions())}
        return any(same_endpoint(endpoint, each) for each in known)

    def _in_all_regions(self) -> Iterator[tuple[str | None, str]]:
        """Yield region and endpoint of each object store in the catalog."""
        auth = self._session.auth
        if not isinstance(auth, BaseIdentityPlugin):
            return
        found = auth.get_access(self._session).service_catalog.get_endpoints_data(
            service_type='object-store')
        for data in itertools.chain.from_iterable(found.values()):
            with contextlib.suppress(ValueError):
                yield data.region_name, split_storage_url(validate_storage_url(data.url or ''))[0]

    def _catalog(self, service_type: str, region_name: str | None = None) -> frozenset[str]:
        """Return a service's URLs of every interface; memoized, for many images."""
        if service_type not in self._found_urls:
            urls = set()
            for interface in ('public', 'internal', 'admin'):
                with contextlib.suppress(ksa_exceptions.CatalogException):
                    urls.add(self._session.get_endpoint(
                        service_type=service_type, region_name=region_name, interface=interface))
            self._found_urls[service_type] = frozenset(filter(None, urls))
        return self._found_urls[service_type]
