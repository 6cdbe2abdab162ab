# SPDX-License-Identifier: Apache-2.0
"""Copies images into one's own account.

The object gets its name last, and only if the hash of all that was sent is the image's. So there is
never a URL for half an image, whatever happens before; what is left then is deleted by Swift.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from osc_imgurl.copies import segments
from osc_imgurl.copies.copy import (
    Copy,
    delete_at,
    ends_soon,
    image_hash,
    new_name,
    to_headers,
)
from osc_imgurl.copies.home import Home
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
# Of an image whose hash Glance does not tell.
ALGORITHM = 'sha512'

# What says that an image has no temporary URL where it is, for these credentials.
NO_URL = (ImageUnacceptable, MissingParameterValue, ObjectStoreNotAuthorized)

# While an image is copied, it takes how many bytes of it are done.
Progress = Callable[[Image], contextlib.AbstractContextManager[Callable[[int], None]]]


def no_progress(image: Image) -> contextlib.AbstractContextManager[Callable[[int], None]]:
    """Show nothing."""
    return contextlib.nullcontext(lambda done: None)


def make_copier(settings: Settings, cloud: Cloud, progress: Progress) -> Copier | None:
    """Return what copies images in a cloud; None where the settings want none, or nobody answers.
    """
    if not settings.copy or cloud.offline or isinstance(cloud.images, OfflineImages):
        return None
    return Copier(settings, cloud.images, Home(settings, cloud.object_store), progress)


def why_not(image: Image, options: URLOptions, settings: Settings, object_store: Swift) -> str:
    """Return why no copy of an image may stand in for it; empty where one may.

    Not for another object; and not if Glance, asked for the data, might send our token where an
    untrusted user has said: see :func:`osc_imgurl.target.trust.unsafe_to_read`.
    """
    if options.object is not None:
        return 'another object is given'
    return unsafe_to_read(image, settings, object_store)


def or_copied(error: ImgurlError, image: Image, options: URLOptions, settings: Settings,
              object_store: Swift) -> ImgurlError:
    """Return an error that says, too, that the image can be copied, or why it is not.

    Of :data:`NO_URL`; any other is returned as it is, for a copy is no help then.
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
    return type(error)(f'{error.problem} It is not copied: {reason}.', error.remedy, *error.names)


@dataclasses.dataclass(frozen=True)
class Upload:
    """An image's data in segments, before it gets the name of a copy.

    :ivar folder: what the names of this process's segments begin with.
    :ivar delete_at: when Swift deletes them: Unix time, seconds.
    :ivar hash: of all that was sent, as in :class:`osc_imgurl.copies.copy.Copy`.
    :ivar ended: whether Glance gave nothing more.
    :ivar there: whether no segment is gone.
    """

    folder: str
    delete_at: int
    stored: tuple[Stored, ...] = ()
    hash: str = ''
    ended: bool = False
    there: bool = True


class Copier:
    """Sees that an image has a copy that lives long enough.

    :param progress: shows, while an image is copied, how many of its bytes are done.
    """

    def __init__(self, settings: Settings, images: ImageService, home: Home,
                 progress: Progress = no_progress) -> None:
        self._settings = settings
        self._images = images
        self._home = home
        self._progress = progress

    @property
    def swift(self) -> Swift:
        """The object store of the copies."""
        return self._home.store

    def may_copy(self, image: Image, options: URLOptions) -> bool:
        """Say whether a copy of an image may stand in for it: see :func:`why_not`."""
        return not why_not(image, options, self._settings, self._home.store)

    def target(self, image: Image) -> Target:
        """Return where copies of an image are; the object's name is known once there is one."""
        return self._home.target(image.id)

    def needed(self, image: Image, target: Target, options: URLOptions, swift: Swift) -> bool:
        """Say whether a copy is to stand in for an object that is not, or may not be, the image's.

        Where its place was guessed, its data must be the image's. Of a segmented image, a RADOS
        Gateway (seen of Ceph 16) sends wrong ranges; of its copy it does not.

        :param swift: that of the target, which may be another than that of the copies.
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
        """Return where an image's copy is, the key that signs it, and when its URL is to expire.

        The copy is made if need be.

        :param expires: tells when a URL that is signed now would expire: Unix time, seconds. To
            copy takes a while.
        :raises ImageUnacceptable: Glance tells no hash of the image, and none is to be copied then.
        :raises InvalidParameterValue: the method would change the copy, or the prefix would open
            others.
        :raises ImageDownloadFailed: what Glance gives is not the image.
        :raises ImgurlError: Glance or Swift fails.
        """
        _validate(options)
        if image.size is None:
            raise ImageUnacceptable(f'The size of image {image} is not known.')
        if image_hash(image) is None and not self._settings.copy_unverified:
            raise ImageUnacceptable(
                f'Glance tells no hash of image {image}, so that a copy cannot be verified.',
                'Copy it unverified.', 'copy_unverified')
        self._home.prepare(self.target(image))
        wanted = expires()
        copy = self._find(image, wanted)
        if copy is None:
            upload = self._upload(image, image.size, expires)
            self._verify(image, upload)
            copy, wanted = self._publish(image, image.size, upload, expires)
        target = self._home.target(copy.name)
        return target, self._home.key(target), wanted

    def _find(self, image: Image, expires: int, own: str | None = None) -> Copy | None:
        """Return the copy that all processes use, and that lives long enough then.

        :param own: the name of one that this process has just made.
        """
        for copy in self._home.copies_that_stay(image.id, own):
            # A RADOS Gateway shows what has ended until its collector has run.
            if ((copy.delete_at is None or copy.delete_at > time.time())
                    and copy.size == image.size and image_hash(image) in (None, copy.hash)):
                # It may end just now.
                longer = self._home.extend(copy, expires)
                if longer:
                    return longer
        return None

    def _upload(self, image: Image, size: int, expires: Callable[[], int]) -> Upload:
        """Write an image's data into segments."""
        upload = Upload(segments.own_folder(image.id), delete_at(expires()))
        algorithm = (image_hash(image) or ALGORITHM).partition(':')[0]
        reader = Reader(lambda start: self._data(image, start))

        def put(name: str, data: Body) -> str | None:
            return md5_of(self._home.container.put(
                name, data, {DELETE_AT: str(upload.delete_at)}) or {})

        with self._progress(image) as progress:
            transfer = Transfer(
                reader, algorithm, segments.found(self._home.segments_of(image.id)),
                put=put, keep=lambda known: self._home.reuse(known, upload.delete_at),
                progress=progress, num_retries=self._settings.num_retries)
            for segment in segments.plan(size, self._home.capabilities()):
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
        """Accept data that has the image's hash.

        :raises ImageDownloadFailed: it has another; it is deleted.
        """
        same = upload.ended and upload.hash == (image_hash(image) or upload.hash)
        if upload.there and not same:
            self._discard(image, upload)
            raise ImageDownloadFailed(
                f'What Glance gives as image {image} is not what its'
                f' {upload.hash.partition(":")[0]} says: it is damaged, or has another size.'
                ' No copy is made of it.', 'Try again.')

    def _publish(self, image: Image, size: int, upload: Upload,
                 expires: Callable[[], int]) -> tuple[Copy, int]:
        """Make a copy of data, and return it, and when its URL is to expire.

        Where another process is faster, its copy is the copy.

        :raises ObjectStoreFailed: the data is gone, and there is no copy.
        """
        wanted = _while_copied(image, expires)
        if upload.there and upload.delete_at != delete_at(wanted):
            upload = self._extend(image, upload, wanted)
        copy = self._find(image, wanted)
        if upload.there and copy is None:
            own = Copy(self._home.container.name, new_name(image.id), image.name, size,
                       upload.hash, upload.delete_at)
            named = self._name(own, upload, image, wanted)
            copy = self._find(image, wanted, own.name if named else None)
            if copy is not None and copy.name == own.name:
                return copy, wanted
            if named:
                # Nobody uses it: all find the other first.
                self._home.container.delete(own.name)
        self._discard(image, upload)
        if copy is None:
            raise _gone(image)
        return copy, wanted

    def _extend(self, image: Image, upload: Upload, expires: int) -> Upload:
        """Return data that lives as long as a URL needs it, or that is not there any more.

        Some segments may be another process's, which deletes them when a third one is faster.

        :raises ObjectStoreFailed: one is gone, and there is no copy.
        """
        moment = delete_at(expires)
        if self._home.extend_all([each.name for each in upload.stored], moment):
            return dataclasses.replace(upload, delete_at=moment)
        if self._find(image, expires) is None:
            raise _gone(image)
        return dataclasses.replace(upload, there=False)

    def _data(self, image: Image, start: int) -> Iterator[bytes]:
        """Yield an image's data from a byte on.

        Its owner may have changed its locations since it was found, so they are judged again.

        :raises ImageUnacceptable: Glance might send our token elsewhere now.
        """
        reason = unsafe_to_read(self._images.find_id(image.id), self._settings, self._home.store)
        if reason:
            raise ImageUnacceptable(f'Image {image} is not copied: {reason}.')
        yield from self._images.data(image, start)

    def _name(self, copy: Copy, upload: Upload, image: Image, expires: int) -> bool:
        """Give the segments the name of the copy; False where one of them is gone."""
        container = self._home.container
        headers = {**to_headers(copy), 'Content-Type': 'application/octet-stream'}
        try:
            if upload.stored:
                container.put(copy.name, segments.manifest(container.name, upload.stored), headers,
                              'multipart-manifest=put')
            else:
                container.put(copy.name, b'', headers)
            return True
        except ObjectStoreFailed:
            # Perhaps somebody has deleted a segment.
            if self._extend(image, upload, expires).there:
                raise
            return False

    def _discard(self, image: Image, upload: Upload) -> None:
        """Delete what this process has written, and no copy consists of."""
        # What is left is deleted by Swift.
        with contextlib.suppress(ImgurlError):
            used = [self._home.container.manifest(copy.name)
                    for copy in self._home.copies_of(image.id)]
            for each in upload.stored:
                if each.name.startswith(upload.folder) and not any(
                        names is None or each.name in names for names in used):
                    self._home.container.delete(each.name)


def _validate(options: URLOptions) -> None:
    """Accept options of a URL that changes no copy, and opens no other.

    Others would trust what the hash of a copy no longer says.
    """
    if options.method not in READING:
        raise InvalidParameterValue(
            f'A URL for {options.method} would let others change the copy.',
            f'Use {" or ".join(READING)}.', 'method')
    if options.prefix is not None:
        raise InvalidParameterValue(
            'A URL for a prefix would open other copies too.', 'Leave it out.', 'prefix')


def _while_copied(image: Image, expires: Callable[[], int]) -> int:
    """Return when the URL expires, if it does not while the image is copied."""
    try:
        return expires()
    except InvalidParameterValue as error:
        raise InvalidParameterValue(
            f'It takes longer to copy image {image} than its URL is to live. {error.problem}',
            'Give it more time: what is copied by now is not copied again.', 'duration') from None


def _gone(image: Image) -> ObjectStoreFailed:
    return ObjectStoreFailed(f'The copy of image {image} was deleted while it was made.',
                             'Try again.')
