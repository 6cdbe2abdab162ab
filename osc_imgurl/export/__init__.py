# SPDX-License-Identifier: Apache-2.0
"""Hand an image over to another tool: write its URL and metadata in the tool's own format.

Each module here is a consumer of that name. It has a ``CONSUMER``; its docstring names the source
of the format.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import pathlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from osc_imgurl.batch import IMAGE, Failure, Found, find_images, with_boot_images
from osc_imgurl.errors import ImageUnacceptable, ImgurlError, InvalidParameterValue
from osc_imgurl.glance.image import Image, file_name, validate_active
from osc_imgurl.settings import secret_file
from osc_imgurl.tempurl.options import AUTO_FILENAME, URLOptions, validate_for_many
from osc_imgurl.tempurl.url import TempURL

if TYPE_CHECKING:
    from osc_imgurl.create import ImageTempURL
    from osc_imgurl.glance.image_service import ImageService

# A placeholder, to validate an image before its URL exists.
NO_URL = f'http://localhost/v1/a/c/o?temp_url_sig={"0" * 40}&temp_url_expires=1'
CONSUMERS = tuple(sorted(
    module.name.replace('_', '-') for module in pkgutil.iter_modules(__path__)))


@dataclasses.dataclass(frozen=True)
class Handover:
    """The input of a consumer.

    :ivar urls: temporary URLs by the role of their image (``image``, ``kernel``, ``ramdisk``), for
        the consumer's roles with an image. Bearer secrets, and in no ``repr``.
    :ivar kernel_parameters: the kernel's command line.
    :ivar saved_as: the file name in the image's URL; None without one.
    :ivar node: the name or ID of the image's bare-metal node; any text.
    """

    image: Image
    urls: Mapping[str, str] = dataclasses.field(repr=False)
    kernel_parameters: str = ''
    saved_as: str | None = None
    node: str | None = None

    @property
    def file_name(self) -> str:
        """The name for the image's file, without a folder: the URL's, else the image's."""
        return self.saved_as.replace('/', '_') if self.saved_as else file_name(self.image)

    def disk_format(self, words: Mapping[str, str]) -> str:
        """Return the consumer's word for the image's disk format.

        :param words: the consumer's words, by Glance's.
        :raises ImageUnacceptable: it has none, or the image is not bare.
        """
        image = self.image
        word = words.get(image.disk_format or '')
        if word is None or image.container_format not in ('bare', None):
            raise ImageUnacceptable(
                f'Image {image} has the disk format {image.disk_format} and the container'
                f' format {image.container_format}.',
                f'Hand over a bare image in the format {" or ".join(words)}.')
        return word

    def hash(self, algorithms: Collection[str]) -> tuple[str, str]:
        """Return algorithm and value of the image's hash, in hex.

        :param algorithms: the consumer's, by hashlib's names.
        :raises ImageUnacceptable: Glance shows no such hash.
        """
        if self.image.hash is None or self.image.hash[0] not in algorithms:
            raise ImageUnacceptable(
                f'Glance shows no hash ({" or ".join(algorithms)}) of image {self.image}, to'
                ' verify its data.',
                'Upload it again, to a Glance with such a hash (hashing_algorithm).')
        return self.image.hash


@dataclasses.dataclass(frozen=True)
class Consumer:
    """A tool for images.

    :ivar write: returns the text for a handover, or for any number if ``several``, without I/O;
        raises ImageUnacceptable if the tool cannot use an image.
    :ivar ending: of the text's file name.
    :ivar roles: the images it needs URLs of.
    :ivar several: whether one text can be about several images.
    :ivar nodes: whether one text can be about several nodes.
    :ivar kernel_parameters: whether it supports them.
    :ivar ends_in_file_name: whether its URLs must end in the file name.
    """

    write: Callable[..., str]
    ending: str
    roles: Collection[str] = (IMAGE,)
    several: bool = False
    nodes: bool = False
    kernel_parameters: bool = False
    ends_in_file_name: bool = False


# Returns a temporary URL for an image; where each node has its own, for the node.
Create: TypeAlias = 'Callable[[Image, URLOptions, str | None], ImageTempURL]'


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """What an export is to be, beside its URLs.

    :ivar consumer: one of :data:`CONSUMERS`.
    :ivar kernel_parameters: what the kernel gets on its command line.
    :ivar nodes: that get the image, by name or ID; each counts once.
    :ivar own_urls: whether each node has a URL of its own.
    :ivar directory: write a file for each image there. Only the user may read it, and no other is
        replaced. The directory is made if need be.
    """

    consumer: str
    kernel_parameters: str | None = None
    nodes: Sequence[str] = ()
    own_urls: bool = False
    directory: pathlib.Path | None = None

    @property
    def known(self) -> Consumer:
        """The consumer itself."""
        name = self.consumer.replace('-', '_')
        consumer: Consumer = importlib.import_module(f'{__name__}.{name}').CONSUMER
        return consumer

    def path(self, image: Image) -> pathlib.Path | None:
        """Return the file for an image; None where there is to be none.

        :raises InvalidParameterValue: it exists.
        """
        if not self.directory:
            return None
        ending = '.sh' if self.nodes else self.known.ending
        path = self.directory / f'{file_name(image)}{ending}'
        if os.path.lexists(path):
            raise _not_written(path, 'it exists')
        return path


def export(references: Sequence[str], asked: ExportOptions, options: URLOptions, create: Create,
           images: ImageService) -> Iterator[str | pathlib.Path | Failure]:
    """Yield the text that hands images over, with URLs made for it, and which are not in it.

    With a directory, the path of each file in place of the text. Images with the same file name
    are called by their IDs.

    :param references: UUIDs, ``glance://host/UUID`` or names; an image counts once.
    :param options: for the images' URLs. Object and file name are not those of a kernel and a
        ramdisk.
    :raises InvalidParameterValue: the consumer cannot use what is asked for, or there can be no
        such directory.
    """
    known = asked.known
    _validate(asked, known, options)
    if len(references) > 1:
        _validate_for_many(asked, known, options)
    if known.ends_in_file_name:
        options = dataclasses.replace(options, filename=options.filename or AUTO_FILENAME)
    if asked.directory:
        _make(asked.directory)
    found = {item.image.id if isinstance(item, Found) else item.image: item
             for item in find_images(references, images)}.values()
    same = Counter(file_name(item.image) for item in found if isinstance(item, Found))
    handed: list[Handover] = []
    for item in found:
        if isinstance(item, Failure):
            yield item
            continue
        image = item.image
        if same[file_name(image)] > 1:
            image = dataclasses.replace(image, name=None)
        try:
            path = asked.path(image)
            handovers = _handovers(image, asked, options, create, images)
            if path:
                _write(path, known.write(*handovers))
                yield path
            else:
                handed += handovers
        except ImgurlError as error:
            yield Failure(image.id, error, name=item.image.name)
    if handed:
        yield known.write(*handed)


def _handovers(image: Image, asked: ExportOptions, options: URLOptions, create: Create,
               images: ImageService) -> list[Handover]:
    """Return what is handed over of an image, for each node, with URLs made for it.

    :raises ImageUnacceptable: the image lacks what the consumer needs; the message names it.
    :raises ImgurlError: a URL that is needed cannot be made, or does not work.
    """
    known = asked.known
    found: Iterable[Found | Failure] = [Found(image)]
    if set(known.roles) != {IMAGE}:
        found = with_boot_images(found, images)
    wanted = [item for item in map(_found, found) if item.role in known.roles]
    handover = Handover(image, dict.fromkeys((item.role for item in wanted), NO_URL),
                        asked.kernel_parameters or '')
    # What the image lacks is said before it is copied.
    known.write(handover)

    def made(node: str | None) -> Handover:
        urls = {item.role: _url(item, image, options, create, node) for item in wanted}
        return dataclasses.replace(
            handover, urls={role: each.url for role, each in urls.items()},
            saved_as=urls[IMAGE].filename if IMAGE in urls else None)

    if not asked.nodes:
        return [made(None)]
    shared = None if asked.own_urls else made(None)
    return [dataclasses.replace(shared or made(node), node=node)
            for node in dict.fromkeys(asked.nodes)]


def _url(found: Found, parent: Image, options: URLOptions, create: Create,
         node: str | None) -> TempURL:
    """Return a URL for an image, which is the parent or one that it boots with."""
    try:
        validate_active(found.image)
        own = options if found.role == IMAGE else dataclasses.replace(
            options, object=None, filename=None, inline=False)
        return create(found.image, own, node).temp_url
    except ImgurlError as error:
        if found.role == IMAGE:
            raise
        raise error.with_problem(f'Image {parent} names {found.image} as its {found.role}.'
                                 f' {error.problem}') from error


def _found(item: Found | Failure) -> Found:
    """Return a found image, or raise its error."""
    if isinstance(item, Failure):
        raise type(item.error)(item.error.problem, f"Correct the image's property {item.role}_id.")
    return item


def _validate(asked: ExportOptions, known: Consumer, options: URLOptions) -> None:
    if options.method != 'GET':
        raise InvalidParameterValue(
            f'A URL for {options.method} downloads nothing.', 'Use GET.', 'method')
    if options.prefix is not None:
        raise InvalidParameterValue(
            'A URL for a prefix would hand over other objects too.', 'Leave it out.',
            'prefix')
    if known.ends_in_file_name and options.inline:
        raise InvalidParameterValue(
            f'For {asked.consumer} a URL ends in the name of the file.', 'Leave it out.', 'inline')
    if asked.kernel_parameters is not None and not known.kernel_parameters:
        raise InvalidParameterValue(
            f'{asked.consumer} supports no kernel parameters.', 'Leave them out.',
            'kernel_parameters')
    if asked.nodes and not known.nodes:
        raise InvalidParameterValue(
            f'{asked.consumer} knows no nodes.', 'Leave them out.', 'node')


def _validate_for_many(asked: ExportOptions, known: Consumer, options: URLOptions) -> None:
    """Accept what can be asked for several images."""
    validate_for_many(options)
    if asked.nodes:
        raise InvalidParameterValue('A node gets one image.', 'Name one, or no nodes.', 'node')
    if not known.several and not asked.directory:
        raise InvalidParameterValue(
            f'{asked.consumer} takes one image at a time.', 'Have a file written for each.',
            'directory')


def _make(directory: pathlib.Path) -> None:
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise InvalidParameterValue(
            f'The directory {directory} cannot be made: {error.strerror}.', 'Name another.',
            'directory') from None


def _write(path: pathlib.Path, text: str) -> None:
    try:
        secret_file.write_new(path, text.encode(errors='backslashreplace'))
    except OSError as error:
        raise _not_written(path, str(error.strerror)) from None
    except UnicodeEncodeError:
        raise _not_written(path, 'the file system has no such characters') from None


def _not_written(path: pathlib.Path, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue(f'The file {path} is not written: {reason}.',
                                 'Remove it, or name another directory.', 'directory')
