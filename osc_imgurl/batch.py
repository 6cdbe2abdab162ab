# SPDX-License-Identifier: Apache-2.0
"""Temporary URLs for many images, one after another, in bounded memory."""

from __future__ import annotations

import dataclasses
import functools
import reprlib
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from osc_imgurl.errors import ImageUnacceptable, ImgurlError, InvalidParameterValue
from osc_imgurl.glance.image import Image, may_see, referenced_id, validate_image
from osc_imgurl.service import ImageTempURL, TempURLService
from osc_imgurl.tempurl.request import Request
from osc_imgurl.workers import side_by_side

if TYPE_CHECKING:
    from osc_imgurl.check.new_url import NewURLCheck
    from osc_imgurl.glance.image_service import ImageService

# How many UUIDs one request asks for; a longer URL is refused by some servers.
BATCH_SIZE = 50
# How many URLs are tried at once.
CHECKS_AT_ONCE = 8
# The properties that name the images a machine boots another with.
BOOT_PROPERTIES = ('kernel_id', 'ramdisk_id')


@dataclasses.dataclass(frozen=True)
class Failure:
    """An image that gets no URL.

    :ivar image: as it was named.
    :ivar error: why; the message names the image where Glance knows it.
    """

    image: str
    error: ImgurlError


def find_images(references: Iterable[str], images: ImageService) -> Iterator[Image | Failure]:
    """Yield the images that are named, in that order; many UUIDs with one request.

    :param references: UUIDs, ``glance://host/UUID`` or names.
    """
    batch: list[str] = []
    for reference in references:
        batch.append(reference)
        if len(batch) == BATCH_SIZE:
            yield from _find_batch(batch, images)
            batch = []
    yield from _find_batch(batch, images)


def with_boot_images(found: Iterable[Image | Failure],
                     images: ImageService) -> Iterator[Image | Failure]:
    """Yield images, and behind each the kernel and ramdisk that it names; none twice.

    They are what the properties ``kernel_id`` and ``ramdisk_id`` name: by an image's ID or
    ``glance://host/ID``, never by a name. Anybody can write any ID there. So one counts only if
    the naming image's owner may see the image that it names. Else it is a failure, unless the
    image is among those found, or another one's boot image; which is known at the end, so that
    these failures come last.
    """
    find = functools.lru_cache(lambda image_id: _find(image_id, images))
    members = functools.lru_cache(images.accepted_members)
    yielded: set[str] = set()
    naming: set[str] = set()
    failures: list[Failure] = []
    for item in found:
        if isinstance(item, Failure):
            yield item
            continue
        if item.id not in yielded:
            yielded.add(item.id)
            yield item
        if item.id in naming:
            continue
        naming.add(item.id)
        for reference in _boot_references(item):
            if referenced_id(reference) in yielded:
                continue
            boot = _find_boot_image(item, reference, find, members)
            if isinstance(boot, Failure):
                failures.append(boot)
            elif boot.id not in yielded:
                yielded.add(boot.id)
                yield boot
    yield from (failure for failure in failures if failure.image not in yielded)


def create_all(found: Iterable[Image | Failure], service: TempURLService, request: Request,
               clock: Callable[[], float]) -> Iterator[ImageTempURL | Failure]:
    """Yield a temporary URL for each image, or why there is none.

    :param clock: tells the Unix time, in seconds.
    """
    for item in found:
        if isinstance(item, Failure):
            yield item
            continue
        try:
            validate_image(item)
            made: ImageTempURL | Failure = service.create_for(item, request, clock())
        except ImgurlError as error:
            made = Failure(item.id, error)
        yield made


def checked(made: Iterable[ImageTempURL | Failure], new_url: NewURLCheck,
            clock: Callable[[], float]) -> Iterator[ImageTempURL | Failure]:
    """Yield the URLs that work, in the same order, and failures in place of the others.

    :data:`CHECKS_AT_ONCE` are asked at once, and no more are on their way.

    :param clock: tells the Unix time, in seconds.
    """
    def check(item: ImageTempURL | Failure) -> ImageTempURL | Failure:
        if isinstance(item, ImageTempURL):
            try:
                new_url.check(item, clock())
            except ImgurlError as error:
                return Failure(item.image.id, error)
        return item

    return side_by_side(check, made, CHECKS_AT_ONCE)


def _find_batch(references: list[str], images: ImageService) -> Iterator[Image | Failure]:
    ids = [image_id for image_id in map(referenced_id, references) if image_id]
    known = {image.id: image for image in images.detail(id=f'in:{",".join(ids)}')} if ids else {}
    for reference in references:
        # What such a list does not show (hidden or community images) may still be found.
        yield known.get(referenced_id(reference) or '') or _find(reference, images)


def _boot_references(image: Image) -> Iterable[str]:
    named = (image.properties.get(name) for name in BOOT_PROPERTIES)
    return dict.fromkeys(str(reference) for reference in named if reference)


def _find_boot_image(naming: Image, reference: str, find: Callable[[str], Image | Failure],
                     members: Callable[[str], Collection[str]]) -> Image | Failure:
    """Return an image that another names, if the other's owner may see it.

    :param find: finds an image by its ID.
    :param members: tells, for an image's ID, which projects have accepted it.
    """
    image_id = referenced_id(reference)
    try:
        if image_id is None:
            raise InvalidParameterValue('That is no image ID.', 'Correct the properties'
                                        f' {" and ".join(BOOT_PROPERTIES)}.')
        found = find(image_id)
        if isinstance(found, Failure):
            raise found.error
        asked = found.visibility == 'shared' and found.owner != naming.owner
        if not may_see(naming.owner, found, members(found.id) if asked else ()):
            raise ImageUnacceptable(
                'The owner of the former may not see the latter, so that this is no permission to'
                ' sign it.', f'If it is meant, name {found.id} itself on the command line.')
    except ImgurlError as error:
        problem = (f'Image {naming.id} names {image_id or reprlib.repr(reference)} to boot with.'
                   f' {error.problem}')
        return Failure(image_id or reprlib.repr(reference), type(error)(problem, error.remedy))
    return found


def _find(reference: str, images: ImageService) -> Image | Failure:
    try:
        return images.find(reference)
    except ImgurlError as error:
        return Failure(reference, error)
