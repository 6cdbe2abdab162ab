# SPDX-License-Identifier: Apache-2.0
"""Create, list, extend and revoke a user's links, in each region with images."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from osc_imgurl.errors import (
    ROTATE_KEY,
    ImgurlError,
    InvalidParameterValue,
    MissingParameterValue,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.links.link import (
    MAX_NOTE,
    Link,
    LinkOptions,
    named,
    new_link,
    validate,
)
from osc_imgurl.links.link_container import LinkContainer, gone
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.endpoint import OfflineSwift, type_of
from osc_imgurl.swift.objects import delete_each
from osc_imgurl.target.resolve import Target
from osc_imgurl.target.store import Store, named_store
from osc_imgurl.tempurl.signing import Key, Parameters
from osc_imgurl.tempurl.url import names_url, parse

if TYPE_CHECKING:
    from osc_imgurl.swift.endpoint import Swift
    from osc_imgurl.swift.object_store import ObjectStore

# A link and its container.
Kept: TypeAlias = tuple[LinkContainer, Link]


@dataclasses.dataclass(frozen=True)
class LinkMaker:
    """Creates links for the URLs of one flow.

    :ivar settings: those for all stores.
    :ivar options: for all links.
    """

    settings: Settings
    options: LinkOptions
    _containers: dict[str, LinkContainer] = dataclasses.field(default_factory=dict)

    def noted(self, note: str) -> LinkMaker:
        """Return the same whose links have a note, of which :data:`MAX_NOTE` characters count."""
        return dataclasses.replace(
            self, options=dataclasses.replace(self.options, note=note[:MAX_NOTE]))

    def key(self, target: Target, store: Store) -> Key:
        """Return the key for the URL of a link to an image.

        :raises ImgurlError: as :meth:`osc_imgurl.links.link_container.LinkContainer.key`.
        """
        return self._at(store.swift).key(target, store)

    def make(self, image: Image, parameters: Parameters, key: Key, swift: Swift, *,
             supported: Capabilities, now: float) -> tuple[Link, Parameters, list[str]]:
        """Create a link, and return it, the parameters of its URL, and warnings for the user.

        :param parameters: of a URL for the image itself; its expiry is the link's end.
        :param now: Unix time, seconds.
        :raises ImgurlError: as :meth:`osc_imgurl.links.link_container.LinkContainer.make`.
        """
        validate(parameters.options)
        made_in = self._at(swift)
        link = new_link(image, key, self.options, parameters.expires, now)
        options = parameters.options
        if made_in.radosgw and options.filename is None:
            # A gateway's default file name is the whole name of the object.
            options = dataclasses.replace(options, filename=link.file_name)
        path = dataclasses.replace(
            parameters.path, container=made_in.container.name, object=link.name)
        of_link = dataclasses.replace(
            parameters, path=path, expires=link.signed_until, options=options)
        return link, of_link, made_in.make(link, image, parameters.path, supported)

    def _at(self, swift: Swift) -> LinkContainer:
        if isinstance(swift, OfflineSwift):
            raise MissingParameterValue(
                'A URL that can be revoked needs a link in Swift, and so authentication.')
        return self._containers.setdefault(
            swift.storage_url(), LinkContainer(self.settings, swift))


class Links:
    """A user's links, named by their IDs or by their URLs.

    Every method raises ImgurlError if the object store fails.
    """

    def __init__(self, settings: Settings, swift: ObjectStore) -> None:
        self._settings = settings
        self._swift = swift
        everywhere = (named_store(name, settings, swift).swift for name in (None, *settings.stores))
        self._containers = [LinkContainer(settings, each) for each in {
            each.storage_url(): each for each in everywhere
            if not isinstance(each, OfflineSwift)}.values()]

    def listed(self, image_id: str | None = None) -> Iterator[Link]:
        """Yield all links, or those of one image, even if expired: Swift deletes them soon."""
        return (link for _, link in self._listed(image_id))

    def extend(self, references: Iterable[str], expires: int,
               now: float) -> Iterator[Link | ImgurlError]:
        """Give links another end, sooner or later; yield each link, or its error.

        :param references: IDs or URLs.
        :param expires: Unix time, seconds, like ``now``.
        """
        found, errors = self._find(references)
        yield from errors
        for container, link in found:
            try:
                yield container.extend(link, expires, now)
            except ImgurlError as error:
                yield error

    def revoke(self, references: Iterable[str]) -> list[ImgurlError]:
        """Delete links: their URLs start no more downloads. Return the errors.

        :param references: IDs or URLs.
        """
        found, errors = self._find(references)
        return [*errors, *delete_each(_revoke, found)]

    def revoke_all(self, image_id: str | None = None) -> list[ImgurlError]:
        """Delete all links, or those of one image; return the errors."""
        found = list(self._listed(image_id))
        if image_id is not None and not found:
            return [InvalidParameterValue(f'There is no link to image {image_id}.')]
        return delete_each(lambda kept: kept[0].revoke(kept[1]), found)

    def _listed(self, image_id: str | None = None) -> Iterator[Kept]:
        seen = set()
        for container in self._containers:
            for link in container.links(image_id):
                # Two regions may share one Swift.
                if link.name not in seen:
                    yield container, link
                seen.add(link.name)

    def _find(self, references: Iterable[str]) -> tuple[list[Kept], list[ImgurlError]]:
        """Return each link once, and an error for each other reference. IDs need one listing."""
        found: dict[str, Kept] = {}
        errors = []
        listed = functools.cache(lambda: list(self._listed()))
        for reference in references:
            try:
                # With write access to the container, a user can give another object a link's ID.
                kept = ([self._of_url(reference)] if names_url(reference) else
                        [each for each in listed() if each[1].id == reference.lower()])
                if not kept:
                    raise gone(reference)
                found.update({each[1].name: each for each in kept})
            except ImgurlError as error:
                errors.append(error)
        return list(found.values()), errors

    def _of_url(self, url: str) -> Kept:
        """Return the link of a URL, without a listing: that may not show a new link yet.

        :raises InvalidParameterValue: the URL has no link in this account.
        """
        path = parse(url, type_of(url, self._settings, self._swift)).path
        ids = named(path)
        if ids is None:
            raise InvalidParameterValue(
                f'The URL for {path} has no link: it can be neither extended nor revoked.',
                'Create the next one with a link. To end this one, rotate its key.',
                'revocable', ROTATE_KEY)
        for container in self._containers:
            if ((path.account, path.container) == (container.account, container.container.name)
                    and (link := container.find(path.object))):
                return container, link
        raise gone(ids[0])


def _revoke(kept: Kept) -> None:
    container, link = kept
    if not container.revoke(link):
        raise gone(link.id)
