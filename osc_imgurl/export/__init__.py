# SPDX-License-Identifier: Apache-2.0
"""An image handed over: its URL, and what else the next tool wants, in that tool's own words.

Each module of this room is a consumer of that name. It has a ``CONSUMER``, and says in its
docstring where the form of its text comes from.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from osc_imgurl.batch import IMAGE, Failure, Found, with_boot_images
from osc_imgurl.errors import ImageUnacceptable, ImgurlError, InvalidParameterValue
from osc_imgurl.glance.image import Image, file_name, validate_active
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.url import TempURL

if TYPE_CHECKING:
    from osc_imgurl.create import ImageTempURL
    from osc_imgurl.glance.image_service import ImageService

# What stands for a URL before there is one.
NO_URL = f'http://localhost/v1/a/c/o?temp_url_sig={"0" * 40}&temp_url_expires=1'
CONSUMERS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


@dataclasses.dataclass(frozen=True)
class Handover:
    """What a consumer gets.

    :ivar urls: temporary URLs by the role of their image (``image``, ``kernel``, ``ramdisk``):
        those that the consumer takes, as far as there are such images. Bearer secrets, and in no
        ``repr``.
    :ivar kernel_parameters: what is given to the kernel on its command line.
    :ivar saved_as: the file name in the URL of the image; None where it has none.
    """

    image: Image
    urls: Mapping[str, str] = dataclasses.field(repr=False)
    kernel_parameters: str = ''
    saved_as: str | None = None

    @property
    def file_name(self) -> str:
        """The name of the image's file, in whichever folder: the URL's for it, else its own."""
        return self.saved_as.replace('/', '_') if self.saved_as else file_name(self.image)

    def disk_format(self, words: Mapping[str, str]) -> str:
        """Return the consumer's word for the image's disk format.

        :param words: the consumer's by Glance's.
        :raises ImageUnacceptable: there is none, or the disk is in something else.
        """
        image = self.image
        word = words.get(image.disk_format or '')
        if word is None or image.container_format not in ('bare', None):
            raise ImageUnacceptable(
                f'Image {image.id} has the disk format {image.disk_format} and the container'
                f' format {image.container_format}.',
                f'Hand over a bare image in one of the formats {", ".join(words)}.')
        return word

    def hash(self, algorithms: Collection[str]) -> tuple[str, str]:
        """Return algorithm and value of the image's hash, in hex.

        :param algorithms: those that the consumer takes, in hashlib's words.
        :raises ImageUnacceptable: Glance shows no such hash.
        """
        algorithm, value = self.image.os_hash_algo, self.image.os_hash_value
        if algorithm is None or value is None or algorithm not in algorithms:
            raise ImageUnacceptable(
                f'Glance shows no hash ({" or ".join(algorithms)}) of image {self.image.id}, and'
                ' without one its data cannot be verified.',
                'Upload it again to a Glance that makes such a hash.')
        return algorithm, value


@dataclasses.dataclass(frozen=True)
class Consumer:
    """A tool that images are handed over to.

    :ivar write: returns the text for it, without I/O; raises ImageUnacceptable where the image
        lacks what it needs.
    :ivar roles: whose URLs it takes.
    :ivar kernel_parameters: whether it takes any.
    """

    write: Callable[[Handover], str]
    roles: Collection[str] = (IMAGE,)
    kernel_parameters: bool = False


def export(image: Image, consumer: str, options: URLOptions,
           create: Callable[[Image, URLOptions], ImageTempURL], images: ImageService, *,
           kernel_parameters: str | None = None) -> str:
    """Return the text that hands an image over, with URLs made for it.

    :param consumer: one of :data:`CONSUMERS`.
    :param options: for the image's URL. Its object and its file name are not those of a kernel
        and a ramdisk.
    :param create: returns a temporary URL for an image.
    :raises InvalidParameterValue: the consumer cannot use what is asked for.
    :raises ImageUnacceptable: the image lacks what the consumer needs; the message names it.
    :raises ImgurlError: a URL that is needed cannot be made, or does not work.
    """
    def url_of(found: Found) -> TempURL:
        own = options if found.role == IMAGE else dataclasses.replace(
            options, object=None, filename=None, inline=False)
        validate_active(found.image)
        return create(found.image, own).temp_url

    known: Consumer = importlib.import_module(f'{__name__}.{consumer}').CONSUMER
    _validate(consumer, known, options, kernel_parameters)
    found: Iterable[Found | Failure] = [Found(image)]
    if set(known.roles) != {IMAGE}:
        found = with_boot_images(found, images)
    wanted = [item for item in map(_found, found) if item.role in known.roles]
    handover = Handover(image, dict.fromkeys((item.role for item in wanted), NO_URL),
                        kernel_parameters or '')
    # What the image lacks is said before it is copied.
    known.write(handover)
    urls: dict[str, TempURL] = {}
    for item in wanted:
        try:
            urls[item.role] = url_of(item)
        except ImgurlError as error:
            if item.role == IMAGE:
                raise
            problem = (f'Image {image.id} names {item.image.id} as its {item.role}.'
                       f' {error.problem}')
            raise type(error)(problem, error.remedy, *error.names) from error
    return known.write(dataclasses.replace(
        handover, urls={role: each.url for role, each in urls.items()},
        saved_as=urls[IMAGE].filename if IMAGE in urls else None))


def _found(item: Found | Failure) -> Found:
    """Return an image that an image names; raise why it gets no URL."""
    if isinstance(item, Failure):
        raise type(item.error)(item.error.problem, f"Correct the image's property {item.role}_id.")
    return item


def _validate(consumer: str, known: Consumer, options: URLOptions,
              kernel_parameters: str | None) -> None:
    if options.method != 'GET':
        raise InvalidParameterValue(
            f'A URL for {options.method} downloads nothing.', 'Use GET.', 'method')
    if options.prefix is not None:
        raise InvalidParameterValue(
            'A URL for a prefix would hand over other objects too.', 'Leave it out.',
            'prefix')
    if kernel_parameters is not None and not known.kernel_parameters:
        raise InvalidParameterValue(
            f'{consumer} takes no kernel parameters.', 'Leave them out.', 'kernel_parameters')
