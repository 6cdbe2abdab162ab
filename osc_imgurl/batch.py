# SPDX-License-Identifier: Apache-2.0
"""Temporary URLs for many images, one after another, in bounded memory."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import reprlib
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

# How many UUIDs one request asks for; a longer URL is refused by some servers.
BATCH_SIZE = 50
# How many such requests are under way at once, and how many for a single image.
BATCHES_AT_ONCE = 2
IMAGES_AT_ONCE = 8
# How many URLs are tried at once.
CHECKS_AT_ONCE = 16
# What is listed for its own sake, and what the others boot with: by the property that names it.
IMAGE = 'image'
BOOT_ROLES = {'kernel_id': 'kernel', 'ramdisk_id': 'ramdisk'}


@dataclasses.dataclass(frozen=True)
class Found:
    """An image that is to get a URL, and what it is there for.

    :ivar role: ``image``, ``kernel`` or ``ramdisk``.
    :ivar parent: the ID of the image that boots with it; None for one with the role ``image``.
    """

    image: Image
    role: str = IMAGE
    parent: str | None = None


@dataclasses.dataclass(frozen=True)
class Made:
    """An image that has got its URL."""

    found: Found
    temp_url: ImageTempURL
    error: None = None

    @property
    def url(self) -> str:
        """The URL itself; a bearer secret."""
        return self.temp_url.url


@dataclasses.dataclass(frozen=True)
class Failure:
    """An image that gets no URL.

    :ivar image: as it was named.
    :ivar error: why; the message names the image where Glance knows it.
    :ivar role: as in :class:`Found`.
    :ivar parent: likewise.
    :ivar name: of the image, if Glance has told it.
    """

    image: str
    error: ImgurlError
    role: str = IMAGE
    parent: str | None = None
    name: str | None = None
    url: None = None


def find_images(references: Iterable[str], images: ImageService) -> Iterator[Found | Failure]:
    """Yield the images that are named, in that order; many UUIDs with one request.

    :param references: UUIDs, ``glance://host/UUID`` or names.
    """
    def ask(batch: list[str]) -> list[tuple[str, Image | None]]:
        known = _list(filter(None, map(referenced_id, batch)), images)
        return [(reference, known.get(referenced_id(reference) or '')) for reference in batch]

    def find(each: tuple[str, Image | None]) -> Found | Failure:
        reference, image = each
        # What such a list does not show (hidden or community images) may still be found.
        return Found(image) if image else _find(reference, images.find)

    asked = side_by_side(ask, _batches(references), BATCHES_AT_ONCE)
    return side_by_side(find, itertools.chain.from_iterable(asked), IMAGES_AT_ONCE)


def with_boot_images(found: Iterable[Found | Failure],
                     images: ImageService) -> Iterator[Found | Failure]:
    """Yield images, each once, and behind each the kernel and ramdisk that it names.

    Who looks for the kernel of an image finds it, whatever else that is: one that several images
    boot with comes behind each of them, and one that is listed itself comes as that too.

    They are what the properties ``kernel_id`` and ``ramdisk_id`` name: by an image's ID or
    ``glance://host/ID``, never by a name. Anybody can write any ID there. So one counts only if
    the naming image's owner may see the image that it names. Else it is a failure, unless the
    image is among those found, or another one's boot image; which is known at the end, so that
    these failures come last.
    """
    return _pair(_look_up(found, images), functools.lru_cache(images.accepted_members))


def _look_up(found: Iterable[Found | Failure], images: ImageService,
             ) -> Iterator[tuple[Found | Failure, Mapping[str, Found | Failure]]]:
    """Yield images, and with each, by their IDs, those that it or one before it names."""
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
    """Yield images, each once, and behind each those that it boots with.

    :param members: tells, for an image's ID, which projects have accepted it.
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


def create_all(found: Iterable[Found | Failure],
               create: Callable[[Image], ImageTempURL]) -> Iterator[Made | Failure]:
    """Yield a temporary URL for each image, or why there is none; log each warning once.

    :param create: returns a temporary URL for an image.
    """
    warned: set[str] = set()
    for item in found:
        if isinstance(item, Failure):
            yield item
            continue
        try:
            validate_active(item.image)
            made = Made(item, create(item.image))
        except ImgurlError as error:
            yield _failed(item, error)
            continue
        for warning in made.temp_url.warnings:
            if warning not in warned:
                LOG.warning('%s', warning)
            warned.add(warning)
        yield made


def checked(made: Iterable[Made | Failure], new_url: NewURLCheck, clock: Callable[[], float],
            at_once: int = CHECKS_AT_ONCE) -> Iterator[Made | Failure]:
    """Yield the URLs that work, in the same order, and failures in place of the others.

    :param clock: tells the Unix time, in seconds.
    :param at_once: how many are asked at once, before the first is yielded; no more are on their
        way.
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
    """Yield what was made; warn once where Glance does not show where an image is.

    Whoever may write in an account can make an object of any name there: see
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
    """Yield images, and the IDs of those that they name and none before them did."""
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
    """Return the images that a list of these IDs shows."""
    joined = ','.join(ids)
    return {image.id: image for image in images.detail(id=f'in:{joined}')} if joined else {}


def _boot_references(image: Image) -> Iterator[tuple[str, str]]:
    """Yield the roles of the images that an image names, and what it names them by."""
    for name, role in BOOT_ROLES.items():
        if reference := image.properties.get(name):
            yield role, str(reference)


def _find_boot_image(naming: Image, role: str, reference: str,
                     find: Callable[[str], Found | Failure],
                     members: Callable[[str], Collection[str]]) -> Found | Failure:
    """Return an image that another names, if the other's owner may see it.

    :param find: finds an image by its ID.
    :param members: tells, for an image's ID, which projects have accepted it.
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
        return Failure(image_id or reprlib.repr(reference), type(error)(problem, error.remedy),
                       role, naming.id)
    return Found(found, role, naming.id)


def _find(reference: str, find: Callable[[str], Image]) -> Found | Failure:
    try:
        return Found(find(reference))
    except ImgurlError as error:
        return Failure(reference, error)
