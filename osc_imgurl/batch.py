# SPDX-License-Identifier: Apache-2.0
"""Temporary URLs for many images, in the images' order and in bounded memory."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import reprlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from osc_imgurl.create import ImageTempURL
from osc_imgurl.errors import ImageUnacceptable, ImgurlError, InvalidParameterValue, logger
from osc_imgurl.glance.image import Image, may_see, referenced_id, validate_active
from osc_imgurl.workers import side_by_side

if TYPE_CHECKING:
    from osc_imgurl.check.new_url import NewURLCheck
    from osc_imgurl.glance.image_service import ImageService

LOG = logger(__name__)

# UUIDs in one request; some servers refuse a longer URL.
BATCH_SIZE = 50
# Requests at once: for batches, for single images, and to try URLs.
BATCHES_AT_ONCE = 2
IMAGES_AT_ONCE = 8
CHECKS_AT_ONCE = 16
# Copies at once: the default, and the most.
COPIES_AT_ONCE, MOST_COPIES = 4, 32
# How long a URL may wait for the images before it, in seconds. Copying one may take hours.
LATE = 60
# Roles: an image listed for its own sake, and the images it boots with, by property.
IMAGE = 'image'
BOOT_ROLES = {'kernel_id': 'kernel', 'ramdisk_id': 'ramdisk'}


@dataclasses.dataclass(frozen=True)
class Found:
    """An image to make a URL for.

    :ivar role: ``image``, ``kernel`` or ``ramdisk``.
    :ivar parent: the ID of the image to boot with it; None for the role ``image``.
    """

    image: Image
    role: str = IMAGE
    parent: str | None = None


@dataclasses.dataclass(frozen=True)
class Made:
    """An image with its URL."""

    found: Found
    temp_url: ImageTempURL
    error: None = None

    @property
    def url(self) -> str:
        """The URL itself; a bearer secret."""
        return self.temp_url.url


@dataclasses.dataclass(frozen=True)
class Failure:
    """An image without a URL.

    :ivar image: as the user named it.
    :ivar error: why; the message names the image if Glance knows it.
    :ivar role: as in :class:`Found`.
    :ivar parent: likewise.
    :ivar name: of the image, if Glance knows it.
    """

    image: str
    error: ImgurlError
    role: str = IMAGE
    parent: str | None = None
    name: str | None = None
    url: None = None


def find_images(references: Iterable[str], images: ImageService) -> Iterator[Found | Failure]:
    """Yield the named images in that order; one request asks for many UUIDs.

    :param references: UUIDs, ``glance://host/UUID`` or names.
    """
    def ask(batch: list[str]) -> list[tuple[str, Image | None]]:
        known = _list(filter(None, map(referenced_id, batch)), images)
        return [(reference, known.get(referenced_id(reference) or '')) for reference in batch]

    def find(each: tuple[str, Image | None]) -> Found | Failure:
        reference, image = each
        # A list shows no hidden or community images.
        return Found(image) if image else _find(reference, images.find)

    asked = side_by_side(ask, _batches(references), BATCHES_AT_ONCE)
    return side_by_side(find, itertools.chain.from_iterable(asked), IMAGES_AT_ONCE)


def with_boot_images(found: Iterable[Found | Failure],
                     images: ImageService) -> Iterator[Found | Failure]:
    """Yield images, each once, and behind each its kernel and ramdisk.

    A kernel of several images comes behind each of them, even if it is listed itself.

    The properties ``kernel_id`` and ``ramdisk_id`` name them by an image's ID or
    ``glance://host/ID``, never by a name. An untrusted user can write any ID there. So the naming
    image's owner must be able to see the named image; otherwise it is a failure. Failures come
    last: the same image may still be found by itself, or as the boot image of another.
    """
    return _pair(_look_up(found, images), functools.lru_cache(images.accepted_members))


def _look_up(found: Iterable[Found | Failure], images: ImageService,
             ) -> Iterator[tuple[Found | Failure, Mapping[str, Found | Failure]]]:
    """Yield images, each with all boot images named so far, by ID."""
    def ask(batch: tuple[list[Found | Failure], list[str]],
            ) -> tuple[list[Found | Failure], dict[str, Found | Failure]]:
        items, ids = batch
        try:
            known = _list(ids, images)
        except ImgurlError as error:
            return items, {image_id: Failure(image_id, error) for image_id in ids}
        return items, {image_id: Found(known[image_id]) if image_id in known
                       else _find(image_id, images.find_id) for image_id in ids}

    named: dict[str, Found | Failure] = {}
    for items, answers in side_by_side(ask, _boot_batches(found), BATCHES_AT_ONCE):
        named.update(answers)
        for item in items:
            yield item, named


def _pair(looked_up: Iterable[tuple[Found | Failure, Mapping[str, Found | Failure]]],
          members: Callable[[str], Collection[str]]) -> Iterator[Found | Failure]:
    """Yield images, each once, and behind each its boot images.

    :param members: returns the projects that have accepted an image, by its ID.
    """
    yielded: set[str] = set()
    listed: set[str] = set()
    failures: list[Failure] = []
    for item, named in looked_up:
        if isinstance(item, Failure):
            yield item
        elif item.image.id not in listed:
            listed.add(item.image.id)
            boot = [_find_boot_image(item.image, role, reference, named.__getitem__, members)
                    for role, reference in _boot_references(item.image)]
            failures += [each for each in boot if isinstance(each, Failure)]
            for each in (item, *boot):
                if isinstance(each, Found):
                    yielded.add(each.image.id)
                    yield each
    yield from (failure for failure in failures if failure.image not in yielded)


def create_all(found: Iterable[Found | Failure], create: Callable[[Image], ImageTempURL],
               at_once: int = 1) -> Iterator[Made | Failure]:
    """Yield a temporary URL for each image, or why there is none; log each warning once.

    After a long wait for the images before it, a URL is made again.

    :param create: returns a temporary URL for an image.
    :param at_once: the number of threads to call it in.
    """
    def attempt(item: Found | Failure) -> Made | Failure:
        if isinstance(item, Failure):
            return item
        try:
            validate_active(item.image)
            return Made(item, create(item.image))
        except ImgurlError as error:
            return _failed(item, error)

    def timed(item: Found | Failure) -> tuple[Made | Failure, float]:
        return attempt(item), time.monotonic()

    warned: set[str] = set()
    for first, moment in (
            map(timed, found) if at_once == 1 else side_by_side(timed, found, at_once)):
        made = first
        if isinstance(first, Made) and time.monotonic() - moment > LATE:
            made = attempt(first.found)
        for warning in made.temp_url.warnings if isinstance(made, Made) else ():
            if warning not in warned:
                LOG.warning('%s', warning)
            warned.add(warning)
        yield made


def checked(made: Iterable[Made | Failure], new_url: NewURLCheck, clock: Callable[[], float],
            at_once: int = CHECKS_AT_ONCE) -> Iterator[Made | Failure]:
    """Yield the URLs that work, in the same order, and failures in place of the others.

    :param clock: returns the Unix time, in seconds.
    :param at_once: the number of URLs to try at the same time.
    """
    def check(item: Made | Failure) -> Made | Failure:
        if isinstance(item, Made):
            try:
                return dataclasses.replace(item, temp_url=new_url.check(item.temp_url, clock()))
            except ImgurlError as error:
                return _failed(item.found, error)
        return item

    return side_by_side(check, made, at_once)


def warn_of_guesses(made: Iterable[Made | Failure]) -> Iterator[Made | Failure]:
    """Yield all; log one warning if Glance hides an image's location.

    Users with rights on the account can make an object of any name there: see
    :meth:`osc_imgurl.check.new_url.NewURLCheck.check`.
    """
    warned = False
    for item in made:
        if (not warned and isinstance(item, Made) and item.temp_url.target.guessed
                and not item.found.image.shown_locations):
            warned = True
            LOG.warning('Glance does not show where it keeps image %s: the URLs of such images are'
                        ' not verified unless they are checked', item.found.image)
        yield item


def _failed(found: Found, error: ImgurlError) -> Failure:
    return Failure(found.image.id, error, found.role, found.parent, found.image.name)


def _batches(references: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(references)
    while batch := list(itertools.islice(iterator, BATCH_SIZE)):
        yield batch


def _boot_batches(found: Iterable[Found | Failure],
                  ) -> Iterator[tuple[list[Found | Failure], list[str]]]:
    """Yield images, and the IDs of their boot images, each once."""
    iterator = iter(found)
    seen: set[str] = set()
    while items := list(itertools.islice(iterator, BATCH_SIZE // len(BOOT_ROLES))):
        named = dict.fromkeys(
            image_id for item in items if isinstance(item, Found)
            for _, reference in _boot_references(item.image)
            if (image_id := referenced_id(reference)) and image_id not in seen)
        seen.update(named)
        yield items, list(named)


def _list(ids: Iterable[str], images: ImageService) -> dict[str, Image]:
    """Return images by ID, as far as a list shows them."""
    joined = ','.join(ids)
    return {image.id: image for image in images.detail(id=f'in:{joined}')} if joined else {}


def _boot_references(image: Image) -> Iterator[tuple[str, str]]:
    """Yield the roles of an image's boot images, and their names in its properties."""
    for name, role in BOOT_ROLES.items():
        if reference := image.properties.get(name):
            yield role, str(reference)


def _find_boot_image(naming: Image, role: str, reference: str,
                     find: Callable[[str], Found | Failure],
                     members: Callable[[str], Collection[str]]) -> Found | Failure:
    """Return the boot image of another image, if the other's owner may see it.

    :param find: returns an image by its ID.
    :param members: as for :func:`_pair`.
    """
    image_id = referenced_id(reference)
    try:
        if image_id is None:
            raise InvalidParameterValue('That is no image ID.', 'Correct the properties'
                                        f' {" and ".join(BOOT_ROLES)}.')
        sought = find(image_id)
        if isinstance(sought, Failure):
            raise sought.error
        found = sought.image
        asked = found.visibility == 'shared' and found.owner != naming.owner
        if not may_see(naming.owner, found, members(found.id) if asked else ()):
            raise ImageUnacceptable(
                'The owner of the former may not see the latter, so that this is no permission to'
                ' sign it.', f'If it is meant, name {found.id} itself on the command line.')
    except ImgurlError as error:
        problem = (f'Image {naming} names {image_id or reprlib.repr(reference)} as its {role}.'
                   f' {error.problem}')
        return Failure(image_id or reprlib.repr(reference), error.with_problem(problem), role,
                       naming.id)
    return Found(found, role, naming.id)


def _find(reference: str, find: Callable[[str], Image]) -> Found | Failure:
    try:
        return Found(find(reference))
    except ImgurlError as error:
        return Failure(reference, error)
