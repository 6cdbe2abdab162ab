# SPDX-License-Identifier: Apache-2.0
"""What Swift is asked for a URL: each question once, and perhaps before Glance has answered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from osc_imgurl.errors import InvalidParameterValue, MissingParameterValue
from osc_imgurl.glance.image import Image, referenced_id
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.capabilities import Capabilities
from osc_imgurl.swift.slot import KeySlot
from osc_imgurl.target.resolve import Target, cluster_endpoint, resolve
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.workers import Workers

if TYPE_CHECKING:
    from osc_imgurl.target.cloud import Swift

T = TypeVar('T')

# The container, the account, and the cluster.
AT_ONCE = 3


class AskedSwift:
    """An object store that is asked nothing twice; what failed fails again."""

    def __init__(self, object_store: Swift) -> None:
        self._object_store = object_store
        self._workers = Workers(AT_ONCE)
        self._answers: dict[tuple[str | None, ...], Future[Any]] = {}

    def ask_while_found(self, image: str, settings: Settings, object_name: str | None,
                        presumable: bool) -> None:
        """Ask what the settings alone give for an image, which somebody then asks Glance for.

        Where the image turns out to be elsewhere, Swift is asked again.

        :param image: as it is named.
        :param object_name: the object to be signed explicitly, in place of the image's.
        :param presumable: whether a Swift need not be asked what it takes.
        :raises ObjectStoreFailed: the catalog cannot be read.
        """
        image_id = referenced_id(image)
        try:
            # It reads the catalog, so that there is a token before anything is asked side by side.
            target = resolve(Image(image_id or ''), settings, self._object_store, object_name)
        except (InvalidParameterValue, MissingParameterValue):
            # To be reported if the image is there.
            return
        sharded = settings.multiple_containers_seed and not image_id
        self.ask_ahead(
            target, account_keys=not settings.key,
            container_keys=not (settings.key or sharded or target.in_gateway),
            capabilities=not presumable or target.in_gateway)

    def ask_ahead(self, target: Target, *, container_keys: bool, account_keys: bool,
                  capabilities: bool) -> None:
        """Ask what may be needed for a target, side by side; nobody waits for it here.

        A failure that turns out not to be needed costs nothing.
        """
        account, container = target.path.account, target.path.container
        if container_keys:
            self._ahead(self._object_store.container_keys, account, container)
        if account_keys:
            self._ahead(self._object_store.account_keys, account)
        if capabilities:
            self._ahead(self._object_store.capabilities, self.cluster_endpoint(target))

    def cluster_endpoint(self, target: Target) -> str:
        """Return the endpoint at which the cluster of a target is asked what it takes."""
        return cluster_endpoint(target.endpoint, self._object_store)

    def container_keys(self, account: str | None, container: str) -> dict[KeySlot, Key] | None:
        """Return or raise what the object store's method of the same name does."""
        return self._answer(self._object_store.container_keys, account, container)

    def account_keys(self, account: str | None) -> dict[KeySlot, Key] | None:
        """Return or raise what the object store's method of the same name does."""
        return self._answer(self._object_store.account_keys, account)

    def capabilities(self, endpoint: str) -> Capabilities:
        """Return or raise what the object store's method of the same name does."""
        return self._answer(self._object_store.capabilities, endpoint)

    def _ahead(self, ask: Callable[..., Any], *names: str | None) -> None:
        self._answers[ask.__name__, *names] = self._workers.submit(lambda: ask(*names))

    def _answer(self, ask: Callable[..., T], *names: str | None) -> T:
        question = (ask.__name__, *names)
        if question not in self._answers:
            self._ahead(ask, *names)
        found: T = self._answers[question].result()
        return found
