# SPDX-License-Identifier: Apache-2.0
"""Copies images into one's own account: see :meth:`Copier.ensure`.

A copy gets its name last, and only if its data has the image's hash. So no URL gives half an image.
Swift deletes the rest of a copy that failed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from osc_imgurl.copies import segments
from osc_imgurl.copies.container import CopyContainer
from osc_imgurl.copies.copy import (
    Copy,
    delete_at,
    ends_soon,
    image_hash,
    new_name,
    to_headers,
)
from osc_imgurl.copies.segments import Reader, Stored, Transfer
from osc_imgurl.errors import (
    ImageDownloadFailed,
    ImageUnacceptable,
    ImgurlError,
    InvalidParameterValue,
    MissingParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
)
from osc_imgurl.glance.image import Image, OfflineImages
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import md5_of
from osc_imgurl.swift.object_store import Body
from osc_imgurl.swift.objects import DELETE_AT
from osc_imgurl.target.resolve import Target
from osc_imgurl.target.store import Cloud
from osc_imgurl.target.trust import unsafe_to_read
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key

if TYPE_CHECKING:
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.swift.endpoint import Swift

READING = ('GET', 'HEAD')
# If Glance shows no hash.
ALGORITHM = 'sha512'

# The errors of an image without a temporary URL, for these credentials.
NO_URL = (ImageUnacceptable, MissingParameterValue, ObjectStoreNotAuthorized)

# Around the copying of an image; gives a function to call with the number of bytes done. Threads
# call both at once.
Progress = Callable[[Image], contextlib.AbstractContextManager[Callable[[int], None]]]


def no_progress(image: Image) -> contextlib.AbstractContextManager[Callable[[int], None]]:
    """Show nothing."""
    return contextlib.nullcontext(lambda done: None)


def make_copier(settings: Settings, cloud: Cloud, progress: Progress) -> Copier | None:
    """Return a copier for a cloud; None if the settings want none, or offline."""
    if not settings.copy or cloud.offline or isinstance(cloud.images, OfflineImages):
        return None
    return Copier(settings, cloud.images, CopyContainer(settings, cloud.object_store), progress)


def why_not(image: Image, options: URLOptions, settings: Settings, object_store: Swift) -> str:
    """Return why an image may not be copied; empty if it may.

    Glance might send our token to an untrusted user's host: see
    :func:`osc_imgurl.target.trust.unsafe_to_read`. And a copy is no other object.
    """
    if options.object is not None:
        return 'another object is given'
    return unsafe_to_read(image, settings, object_store)


def or_copied(error: ImgurlError, image: Image, options: URLOptions, settings: Settings,
              object_store: Swift) -> ImgurlError:
    """Return an error with the advice to copy the image, or with the reason not to.

    :param error: of :data:`NO_URL`; a copy helps against no other, and it is returned as it is.
    """
    if not isinstance(error, NO_URL) or not object_store.find_storage_url():
        return error
    reason = why_not(image, options, settings, object_store)
    if not reason:
        return type(error)(
            error.problem, f'{error.remedy.removesuffix(".")}, or have the image copied into your'
            ' own account.', *error.names, 'copy')
    if not settings.copy:
        return error
    return error.with_problem(f'{error.problem} It is not copied: {reason}.')


@dataclasses.dataclass(frozen=True)
class Upload:
    """An image's data in segments, before it gets the name of a copy.

    :ivar folder: the start of the names of our own segments.
    :ivar size: in bytes.
    :ivar delete_at: when Swift deletes them: Unix time, seconds.
    :ivar hash: of all data, as in :class:`osc_imgurl.copies.copy.Copy`.
    :ivar ended: whether Glance has no more data.
    :ivar there: whether no segment is gone.
    """

    folder: str
    size: int
    delete_at: int
    stored: tuple[Stored, ...] = ()
    hash: str = ''
    ended: bool = False
    there: bool = True


class Copier:
    """Sees that an image has a copy, and that the copy lives long enough. Threads share it.

    :param copies: the container of the copies.
    """

    def __init__(self, settings: Settings, images: ImageService, copies: CopyContainer,
                 progress: Progress = no_progress) -> None:
        self._settings = settings
        self._images = images
        self._copies = copies
        self._progress = progress
        # By image: one thread at a time copies it, and the others find its copy.
        self._turns: dict[str, threading.Lock] = {}
        self._made: dict[str, str] = {}

    @property
    def swift(self) -> Swift:
        """The object store of the copies."""
        return self._copies.store

    def may_copy(self, image: Image, options: URLOptions) -> bool:
        """Say whether an image may be copied: see :func:`why_not`."""
        return not why_not(image, options, self._settings, self._copies.store)

    def target(self, image: Image) -> Target:
        """Return where copies of an image are. The object's name is known once there is one."""
        return self._copies.target(image.id)

    def needed(self, image: Image, target: Target, options: URLOptions, swift: Swift) -> bool:
        """Say whether a URL needs a copy: the target was guessed, and holds other data, or none.

        A RADOS Gateway (seen of Ceph 16) sends wrong ranges of a segmented image, but not of its
        copy.

        :param swift: of the target; copies may be in another.
        """
        path, gateway = target.path, target.endpoint.radosgw
        if not (target.guessed or gateway) or not self.may_copy(image, options):
            return False
        try:
            found = swift.find_object(path.account, path.container, path.object)
        except ObjectStoreNotAuthorized:
            if target.guessed:
                raise
            return False
        if found and gateway and found.segmented:
            return True
        return bool(target.guessed) and (
            found is None or image.has_data(found.size, found.md5) is not True)

    def ensure(self, image: Image, options: URLOptions,
               expires: Callable[[], int]) -> tuple[Target, Key, int]:
        """Return where an image's copy is, the key to sign with, and when the URL expires.

        A copy is made if there is none: in a container with a key, from data in segments, verified
        by its hash, and published under a name of its own.

        :param expires: returns the expiry of a URL signed now: Unix time, seconds. Copying takes a
            while.
        :raises ImageUnacceptable: Glance shows no hash of the image, or no size.
        :raises InvalidParameterValue: the method would change the copy, or the prefix would open
            others.
        :raises ImageDownloadFailed: Glance gives other data than the image's.
        :raises ImgurlError: Glance or Swift fails.
        """
        _validate(options)
        if image.size is None:
            raise ImageUnacceptable(f'The size of image {image} is not known.')
        if image_hash(image) is None and not self._settings.copy_unverified:
            raise ImageUnacceptable(
                f'Glance shows no hash of image {image}, so a copy cannot be verified.',
                'Copy it unverified.', 'copy_unverified')
        self._copies.prepare(self.target(image))
        with self._turns.setdefault(image.id, threading.Lock()):
            wanted = expires()
            copy = self._find(image, wanted)
            if copy is None:
                with self._progress(image) as progress:
                    upload = self._upload(image, image.size, expires, progress)
                    self._verify(image, upload)
                    copy, wanted = self._publish(image, upload, expires)
        target = self._copies.target(copy.name)
        return target, self._copies.key(target), wanted

    def _find(self, image: Image, expires: int) -> Copy | None:
        """Return the copy for all processes, after making it live long enough."""
        for copy in self._copies.copies_that_stay(image.id, self._made.get(image.id)):
            # A RADOS Gateway shows ended objects until its collector has run.
            if ((copy.delete_at is None or copy.delete_at > time.time())
                    and copy.size == image.size and image_hash(image) in (None, copy.hash)):
                # It may end just now.
                longer = self._copies.extend(copy, expires)
                if longer:
                    return longer
        return None

    def _upload(self, image: Image, size: int, expires: Callable[[], int],
                progress: Callable[[int], None]) -> Upload:
        """Write an image's data into segments."""
        upload = Upload(segments.own_folder(image.id), size, delete_at(expires()))
        algorithm = (image_hash(image) or ALGORITHM).partition(':')[0]
        reader = Reader(lambda start: self._data(image, start))

        def put(name: str, data: Body) -> str | None:
            return md5_of(self._copies.container.put(
                name, data, {DELETE_AT: str(upload.delete_at)}) or {})

        transfer = Transfer(
            reader, algorithm, segments.found(self._copies.segments_of(image.id)),
            put=put, keep=lambda known: self._copies.reuse(known, upload.delete_at),
            progress=progress, num_retries=self._settings.num_retries)
        for segment in segments.plan(size, self._copies.capabilities()):
            if ends_soon(upload.delete_at, time.time()):
                # A large image takes longer than its URL lives.
                upload = self._extend(image, upload, _while_copied(image, expires))
                if not upload.there:
                    return upload
            stored = transfer.store(segment, segments.name(upload.folder, segment))
            upload = dataclasses.replace(upload, stored=(*upload.stored, stored))
        return dataclasses.replace(
            upload, hash=f'{algorithm}:{transfer.hexdigest()}', ended=reader.at_end())

    def _verify(self, image: Image, upload: Upload) -> None:
        """Accept data with the image's hash.

        :raises ImageDownloadFailed: it has another; it is deleted.
        """
        same = upload.ended and upload.hash == (image_hash(image) or upload.hash)
        if upload.there and not same:
            self._discard(image, upload)
            raise ImageDownloadFailed(
                f'What Glance gives as image {image} is not what its'
                f' {upload.hash.partition(":")[0]} says: it is damaged, or has another size.'
                ' No copy is made of it.', 'Try again.')

    def _publish(self, image: Image, upload: Upload,
                 expires: Callable[[], int]) -> tuple[Copy, int]:
        """Name the data; return the copy, and when its URL expires. The oldest copy counts.

        :raises ObjectStoreFailed: the data is gone, and there is no copy.
        """
        wanted = _while_copied(image, expires)
        if upload.there and upload.delete_at != delete_at(wanted):
            upload = self._extend(image, upload, wanted)
        own = Copy(self._copies.container.name, new_name(image.id), image.name, upload.size,
                   upload.hash, upload.delete_at)
        named = upload.there and self._name(own, upload, image, wanted)
        if named:
            self._made[image.id] = own.name
        copy = self._find(image, wanted)
        if copy is None or copy.name != own.name:
            if named:
                # All processes find an older one first.
                del self._made[image.id]
                self._copies.container.delete(own.name)
            self._discard(image, upload)
        if copy is None:
            raise _gone(image)
        return copy, wanted

    def _extend(self, image: Image, upload: Upload, expires: int) -> Upload:
        """Return data that lives as long as a URL needs it, or is not there any more.

        A segment of another process goes with its process, once a third one is faster.

        :raises ObjectStoreFailed: one is gone, and there is no copy.
        """
        moment = delete_at(expires)
        if self._copies.extend_all([each.name for each in upload.stored], moment):
            return dataclasses.replace(upload, delete_at=moment)
        if self._find(image, expires) is None:
            raise _gone(image)
        return dataclasses.replace(upload, there=False)

    def _data(self, image: Image, start: int) -> Iterator[bytes]:
        """Yield an image's data from a byte on.

        Its owner may have changed its locations meanwhile, so they are judged again.

        :raises ImageUnacceptable: Glance might send our token elsewhere now.
        """
        reason = unsafe_to_read(self._images.find_id(image.id), self._settings, self._copies.store)
        if reason:
            raise ImageUnacceptable(f'Image {image} is not copied: {reason}.')
        yield from self._images.data(image, start)

    def _name(self, copy: Copy, upload: Upload, image: Image, expires: int) -> bool:
        """Give the segments the name of the copy; False if one of them is gone."""
        container = self._copies.container
        headers = {**to_headers(copy), 'Content-Type': 'application/octet-stream'}
        data, query = b'', ''
        if upload.stored:
            data = segments.manifest(container.name, upload.stored)
            query = 'multipart-manifest=put'
        try:
            container.put(copy.name, data, headers, query)
            return True
        except ObjectStoreFailed:
            # Perhaps a segment was deleted.
            if self._extend(image, upload, expires).there:
                raise
            return False

    def _discard(self, image: Image, upload: Upload) -> None:
        """Delete our own segments, except those in a copy. If that fails, Swift deletes them."""
        with contextlib.suppress(ImgurlError):
            used = [self._copies.container.manifest(copy.name)
                    for copy in self._copies.copies_of(image.id)]
            for each in upload.stored:
                if each.name.startswith(upload.folder) and not any(
                        names is None or each.name in names for names in used):
                    self._copies.container.delete(each.name)


def _validate(options: URLOptions) -> None:
    """Accept a URL that cannot change its copy, or open another: a copy must keep its hash."""
    if options.method not in READING:
        raise InvalidParameterValue(
            f'A URL for {options.method} would let others change the copy.',
            f'Use {" or ".join(READING)}.', 'method')
    if options.prefix is not None:
        raise InvalidParameterValue(
            'A URL for a prefix would open other copies too.', 'Leave it out.', 'prefix')


def _while_copied(image: Image, expires: Callable[[], int]) -> int:
    """Return when the URL expires, unless it does while the image is copied."""
    try:
        return expires()
    except InvalidParameterValue as error:
        raise InvalidParameterValue(
            f'It takes longer to copy image {image} than its URL is to live. {error.problem}',
            'Give it more time: what is copied by now is not copied again.', 'duration') from None


def _gone(image: Image) -> ObjectStoreFailed:
    return ObjectStoreFailed(f'The copy of image {image} was deleted while it was made.',
                             'Try again.')
