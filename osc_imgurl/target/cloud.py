# SPDX-License-Identifier: Apache-2.0
"""Whom one cloud lets us ask; without authentication, nobody."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from osc_imgurl.errors import MissingParameterValue
from osc_imgurl.glance.image import Image, unseen_image

if TYPE_CHECKING:
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.swift.object_store import ObjectStore
    from osc_imgurl.swift.probe import Probe

    # Swift, or what stands for it.
    Swift: TypeAlias = 'ObjectStore | OfflineSwift'


@dataclasses.dataclass(frozen=True)
class OfflineImages:
    """Glance without authentication: of an image nothing is known but its ID."""

    def show(self, image: str) -> Image:
        """Return an image that nobody has looked up.

        :raises InvalidParameterValue: it is named by a name.
        """
        return unseen_image(image)

    def find(self, image: str) -> NoReturn:
        """Fail: nobody can look an image up."""
        raise MissingParameterValue('Without authentication no image can be looked up.')


@dataclasses.dataclass(frozen=True)
class OfflineSwift:
    """Swift without authentication: what is not given is missing, and the error says what.

    The methods are those of :class:`osc_imgurl.swift.object_store.ObjectStore`.
    """

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

    def capabilities(self, endpoint: str) -> NoReturn:
        raise MissingParameterValue('Without authentication the cluster is not asked.')

    def container_keys(self, account: str | None, container: str) -> NoReturn:
        raise MissingParameterValue(
            'Without authentication Swift shows no key.', 'Give it.', 'key_file')

    def account_keys(self, account: str | None) -> NoReturn:
        self.container_keys(account, '')

    def find_object(self, account: str | None, container: str, name: str) -> NoReturn:
        raise MissingParameterValue('Without authentication Swift shows no objects.')

    def names(self, account: str | None, container: str | None = None) -> NoReturn:
        self.find_object(account, '', '')


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Who can be asked about the images and URLs of one cloud.

    :ivar images: Glance.
    :ivar object_store: Swift.
    :ivar probe: makes unauthenticated requests; None where a URL is never tried.
    """

    images: ImageService | OfflineImages = dataclasses.field(default_factory=OfflineImages)
    object_store: ObjectStore | OfflineSwift = dataclasses.field(default_factory=OfflineSwift)
    probe: Probe | None = None

    @property
    def offline(self) -> bool:
        """Whether there is no authentication."""
        return isinstance(self.object_store, OfflineSwift)


UNAUTHENTICATED = Cloud()
