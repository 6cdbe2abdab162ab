# SPDX-License-Identifier: Apache-2.0
"""Temporary URLs for many images, one after another, in bounded memory."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from osc_imgurl.errors import ImgurlError
from osc_imgurl.glance.image import Image, referenced_id
from osc_imgurl.service import ImageTempURL, Request, TempURLService, check_image

if TYPE_CHECKING:
    from osc_imgurl.check.new_url import Assurance
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

    They are what the properties ``kernel_id`` and ``ramdisk_id`` name.
    """
    seen: set[str] = set()
    for item in found:
        if isinstance(item, Failure):
            yield item
            continue
        named = (item.properties.get(name) for name in BOOT_PROPERTIES)
        boot_ids = [str(image_id) for image_id in named if image_id]
        if item.id not in seen:
            seen.add(item.id)
            yield item
        for image_id in boot_ids:
            if image_id not in seen:
                seen.add(image_id)
                yield _find(image_id, images)


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
            check_image(item)
            made: ImageTempURL | Failure = service.create_for(item, request, clock())
        except ImgurlError as error:
            made = Failure(item.id, error)
        yield made


def assured(made: Iterable[ImageTempURL | Failure], assurance: Assurance,
            clock: Callable[[], float]) -> Iterator[ImageTempURL | Failure]:
    """Yield the URLs that work, in the same order, and failures in place of the others.

    :data:`CHECKS_AT_ONCE` are asked at once, and no more are on their way.

    :param clock: tells the Unix time, in seconds.
    """
    def check(item: ImageTempURL | Failure) -> ImageTempURL | Failure:
        if isinstance(item, ImageTempURL):
            try:
                assurance.check(item, clock())
            except ImgurlError as error:
                return Failure(item.image_id, error)
        return item

    with ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
        waiting: deque[Future[ImageTempURL | Failure]] = deque()
        for item in made:
            waiting.append(pool.submit(check, item))
            if len(waiting) == CHECKS_AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _find_batch(references: list[str], images: ImageService) -> Iterator[Image | Failure]:
    ids = [image_id for image_id in map(referenced_id, references) if image_id]
    known = {image.id: image for image in images.detail(id=f'in:{",".join(ids)}')} if ids else {}
    for reference in references:
        # What such a list does not show (hidden or community images) may still be found.
        yield known.get(referenced_id(reference) or '') or _find(reference, images)


def _find(reference: str, images: ImageService) -> Image | Failure:
    try:
        return images.find(reference)
    except ImgurlError as error:
        return Failure(reference, error)
