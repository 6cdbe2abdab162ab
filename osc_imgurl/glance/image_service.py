# SPDX-License-Identifier: Apache-2.0
"""Images in Glance, through python-glanceclient on the caller's session.

:class:`ImageService` has the methods of Ironic's Glance image service
(``ironic.common.glance_service``), for scripts written for that.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.session import Session

from osc_imgurl import http
from osc_imgurl.errors import (
    GlanceFailed,
    ImageDownloadFailed,
    ImageNotAuthorized,
    ImageNotFound,
    ImageNotUnique,
    InvalidParameterValue,
    logger,
)
from osc_imgurl.glance.client import (
    AGAIN,
    CORRECT,
    Client,
    expected,
    not_found,
    read_pages,
    to_image,
    to_locations,
    translated,
)
from osc_imgurl.glance.image import Image, is_uuid, parse_href, validate_active
from osc_imgurl.glance.location import Location
from osc_imgurl.http.answer import TIME_LIMIT

LOG = logger(__name__)

# How many images of the same name a message lists.
MOST_SHOWN = 10
# In bytes.
CHUNK_SIZE = 1024 * 1024


class ImageService:
    """Glance, as one session sees it.

    :param session: an authenticated keystoneauth session.
    :param region_name: region of the catalog's endpoint; None takes the first.
    :param interface: ``public``, ``internal`` or ``admin``.
    :param endpoint: Glance's endpoint; None looks it up in the catalog.
    :param allowed_direct_url_schemes: schemes of locations for :meth:`download` to read
        directly; ``file`` counts (Ironic's option of the same name).
    :param num_retries: how often a request that reads is made again when it finds no
        connection, or is answered 503 or 429 (Ironic's option of the same name).
    :param timeout: how long an answer may take, in seconds; each MiB of an image's data may take
        so long. A time limit of the session counts in its place.
    """

    def __init__(self, session: Session, region_name: str | None = None,
                 interface: str = 'public', endpoint: str | None = None,
                 allowed_direct_url_schemes: Iterable[str] = (), *,
                 num_retries: int = 0, timeout: float = TIME_LIMIT) -> None:
        self._session = http.limited(session, timeout, num_retries)
        self._region_name = region_name
        self._interface = interface
        self._endpoint = endpoint
        self._allowed_direct_url_schemes = tuple(allowed_direct_url_schemes)
        self._num_retries = num_retries
        self._timeout = timeout

    def find(self, image: str) -> Image:
        """Return an image of any status.

        An image of the session's project comes before others of the same name. If only
        another project's image has the name, and is not public, that logs a warning: any user can
        give an image any name. A UUID that no image has may be a name, as in ``openstack image
        show``; but not that of another project's image, unless it is public.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :raises ImageNotFound: these credentials see no image with that UUID or name.
        :raises ImageNotUnique: several images of the session's project have that name, or none
            and several others; the message lists their UUIDs.
        :raises ImageNotAuthorized: Glance refuses these credentials.
        :raises GlanceFailed: Glance cannot be reached, or answers with an error.
        """
        if not image:
            raise InvalidParameterValue('The name of the image is empty.', 'Name it by its ID.')
        image_id = parse_href(image)
        named_by_id = is_uuid(image_id)
        if named_by_id:
            try:
                return self.find_id(image_id)
            except ImageNotFound:
                if image != image_id:
                    raise
        with translated(image):
            project_id = self._session.get_project_id()

        def is_foreign(found: Image) -> bool:
            return found.visibility != 'public' and (
                project_id is None or found.owner != project_id)

        named = _find_named(image, project_id, self.detail)
        if named_by_id:
            named = [each for each in named if not is_foreign(each)]
        found = _only(image, named)
        if named_by_id:
            LOG.warning('No image has the ID %s. The image %s has it for a name.', image, found.id)
        if is_foreign(found):
            LOG.warning(
                'The image with the name %r is %s, of another project: its owner is %s, and its'
                ' visibility %s. If that is the image that you mean, use its ID.',
                image, found.id, found.owner or 'not known', found.visibility or 'not known')
        return found

    def find_id(self, image_id: str) -> Image:
        """Return the image with this UUID, of any status; the UUID is never read as a name.

        :raises ImgurlError: as :meth:`find`.
        """
        found = self._to_image(self._get(f'/v2/images/{image_id}', image_id))
        # Some databases do not tell capitals apart.
        if found.id.lower() != image_id.lower():
            raise GlanceFailed(
                f'{self._client.server} answers with another image than {image_id}.', CORRECT)
        return found

    def show(self, image: str) -> Image:
        """Return an active image.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :raises ImageUnacceptable: it is not active.
        :raises ImgurlError: as :meth:`find`.
        """
        found = self.find(image)
        validate_active(found)
        return found

    def detail(self, *, limit: int | None = None, marker: str | None = None,
               **filters: Any) -> Iterator[Image]:
        """Yield the matching images, page by page, as they arrive.

        An image without a UUID as its ID is left out, with a warning.

        :param limit: yield no more than so many.
        :param marker: begin behind this image; its UUID.
        :param filters: Glance's own query parameters, such as ``name='cirros'``,
            ``visibility='public'``, ``sort='name:asc'``.
        :raises ImgurlError: as :meth:`find`.
        """
        for page in read_pages(self._get, filters, limit, marker, self._client.server):
            for shown in page:
                with expected('a list of images', self._client.server):
                    if not is_uuid(shown['id']):
                        LOG.warning('%s lists an image whose ID is no UUID; it is left out: %.60r',
                                    self._client.server, shown['id'])
                        continue
                yield self._to_image(shown)

    def locations(self, image_id: str) -> tuple[Location, ...]:
        """Return an image's locations through Glance's Get Locations call.

        Glance answers it since API version 2.17, to its service and admin users only, even
        if images show no locations.

        :param image_id: the image's UUID.
        :raises ImageNotAuthorized: these credentials may not.
        :raises ImageNotFound: this Glance does not have the call.
        """
        return to_locations(self._get(f'/v2/images/{image_id}/locations', image_id),
                            self._client.server)

    def accepted_members(self, image_id: str) -> frozenset[str]:
        """Return the IDs of the projects that have accepted a shared image.

        Glance shows all of them to the image's owner and to an admin, and to a member itself only.

        :param image_id: the image's UUID.
        :raises ImgurlError: as :meth:`find`; what these credentials may not see is empty.
        """
        try:
            shown = self._get(f'/v2/images/{image_id}/members', image_id)
        except (ImageNotAuthorized, ImageNotFound):
            return frozenset()
        with expected('the members of an image', self._client.server):
            return frozenset(str(member['member_id']) for member in shown['members']
                             if member['status'] == 'accepted')

    def location(self, image: str) -> Location | None:
        """Return the location of an image; None if this cloud does not show it.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :raises ImgurlError: as :meth:`find`.
        """
        return _first_location(self.find(image))

    def download(self, image: str, file: BinaryIO) -> None:
        """Write an image's data to a file, in chunks of 1 MiB, and verify its hash.

        The hash is ``os_hash_value`` by ``os_hash_algo``, else the MD5 in ``checksum``. An
        image at a ``file://`` URL is copied from there where ``file`` is in
        ``allowed_direct_url_schemes``.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :param file: a binary file open for writing.
        :raises ImageDownloadFailed: there is no data, or it does not match the hash: do not use
            the file.
        :raises ImgurlError: as :meth:`show`.
        """
        found = self.show(image)
        place = _first_location(found)
        if place and place.scheme == 'file' and 'file' in self._allowed_direct_url_schemes:
            copy_verified(file_chunks(place, found), file, found)
        else:
            copy_verified(self.data(found), file, found)

    def create(self, image_meta: Mapping[str, Any], data: BinaryIO | None = None) -> Image:
        """Create an image and upload its data, if any.

        :param image_meta: properties by their names in Glance's API.
        :param data: a binary file open for reading.
        :returns: the image as it then is.
        :raises ImgurlError: as :meth:`find`; InvalidParameterValue if Glance does not accept
            a property.
        """
        with self._changing(str(image_meta.get('name'))):
            image_id = self._controller.create(**image_meta)['id']
            if not is_uuid(image_id):
                raise ValueError
        return self._upload(image_id, data)

    def update(self, image: str, image_meta: Mapping[str, Any], data: BinaryIO | None = None,
               purge_props: bool = False) -> Image:
        """Change an image's properties and upload its data, if any.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :param image_meta: properties by their names in Glance's API.
        :param data: a binary file open for reading.
        :param purge_props: remove all custom properties not in ``image_meta``.
        :returns: the image as it then is.
        :raises ImgurlError: as :meth:`create`.
        """
        found = self.find(image)
        with self._changing(found.id):
            purged = None
            if purge_props:
                schema = self._controller.schema_client.get('image')
                purged = [name for name in found.properties
                          if name not in image_meta and not schema.is_base_property(name)]
            self._controller.update(found.id, remove_props=purged, **image_meta)
        return self._upload(found.id, data)

    def delete(self, image: str) -> None:
        """Delete an image.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :raises ImgurlError: as :meth:`find`.
        """
        image_id = self.find(image).id
        with translated(image_id, self._client.server):
            self._controller.delete(image_id)

    def _upload(self, image_id: str, data: BinaryIO | None) -> Image:
        if data is not None:
            with self._changing(image_id):
                self._controller.upload(image_id, data)
        return self.find_id(image_id)

    def data(self, image: Image, start: int = 0) -> Iterator[bytes]:
        """Yield an image's data from a byte on, in chunks of 1 MiB.

        :raises ImgurlError: the image has no data, or Glance does not give all of it.
        """
        # The time limit is for each part, not for the whole image.
        client = Client(
            http.limited(self._session, self._timeout, self._num_retries, by_part=True),
            self._client.endpoint_override, self._timeout)
        return _read_data(client, image, start)

    @contextlib.contextmanager
    def _changing(self, image: str) -> Iterator[None]:
        with (expected('an image', self._client.server),
              translated(image, self._client.server)):
            yield

    def _get(self, url: str, image: str = '') -> Any:
        with translated(image, self._client.server):
            return self._client.get(url)[1]

    def _to_image(self, shown: Mapping[str, Any]) -> Image:
        return to_image(shown, self._client.server)

    @functools.cached_property
    def _client(self) -> Client:
        endpoint = self._endpoint
        with translated('endpoint'):
            with contextlib.suppress(ksa_exceptions.CatalogException):
                endpoint = endpoint or self._session.get_endpoint(
                    service_type='image', region_name=self._region_name,
                    interface=self._interface)
            if not endpoint:
                raise http.not_in_catalog(
                    self._session, 'image', 'image service', self._region_name, self._interface,
                    'Credentials that are not scoped to a project see no catalog: name one.')
        return Client(self._session, re.sub(r'/v\d[^/]*/?$', '', endpoint), self._timeout)

    @property
    def _controller(self) -> Any:
        return _controller_of(self._client)


def _controller_of(client: Client) -> Any:
    # Takes longer to import than all else here, and a temporary URL needs none of it.
    from glanceclient.v2 import images, schemas

    return images.Controller(client, schemas.Controller(client))


def _first_location(image: Image) -> Location | None:
    return next(iter(image.shown_locations), None)


def _find_named(name: str, project_id: str | None,
                detail: Callable[..., Iterable[Image]]) -> list[Image]:
    """Return the images with a name.

    As for `openstack image show`, a hidden image counts when no other has the name; one of
    the project also when only others' images have it, and not a public one.

    :param project_id: the session's project, if any.
    :param detail: lists images by Glance's filters.
    """
    # What stands before a colon Glance takes for a filter operator.
    query = f'eq:{name}' if ':' in name else name
    found: list[Image] = []
    for hidden in ('false', 'true'):
        listed = list(detail(name=query, os_hidden=hidden))
        own = [image for image in listed if project_id and image.owner == project_id]
        found = own or found or listed
        if own or (found and all(image.visibility == 'public' for image in found)):
            break
    return found


def _only(name: str, found: Sequence[Image]) -> Image:
    """Return the one image with a name.

    :raises ImageNotFound: no image has it.
    :raises ImageNotUnique: there are several.
    """
    if not found:
        raise not_found(name)
    if len(found) > 1:
        # Anybody can make thousands of the same name.
        shown = ', '.join(f'{image.id} (owner {image.owner})' for image in found[:MOST_SHOWN])
        more = f' and {len(found) - MOST_SHOWN} more' if len(found) > MOST_SHOWN else ''
        raise ImageNotUnique(f'{len(found)} images have the name {name!r}.',
                             f'Use the ID of one of them: {shown}{more}')
    return found[0]


def _read_data(client: Client, image: Image, start: int = 0) -> Iterator[bytes]:
    """Yield the data of an image from a byte on, as Glance gives it.

    :raises ImageDownloadFailed: the image has no data, or Glance does not give it from there.
    :raises ImgurlError: Glance does not give the data, or ceases to.
    """
    if start:
        # In a request's own headers, glanceclient would encode the =.
        client = copy.copy(client)
        client.additional_headers = {'Range': f'bytes={start}-'}
    with translated(image.id, client.server):
        response, _ = client.get(f'/v2/images/{image.id}/file')
        if response.status_code == 204:
            raise ImageDownloadFailed(f'Image {image} has no data.')
        began = response.headers.get('Content-Range', '').startswith(f'bytes {start}-')
        if start and not (response.status_code == 206 and began):
            response.close()
            raise ImageDownloadFailed(
                f'The data of image {image} is cut off, and its store does not let Glance read'
                f' on from byte {start}.', 'Try again.')
        try:
            yield from response.iter_content(CHUNK_SIZE)
        except http.FAILURES as error:
            raise GlanceFailed(http.unanswered(client.server, error), AGAIN) from error


def file_chunks(place: Location, image: Image) -> Iterator[bytes]:
    """Yield the data of an image in a file of this machine.

    :raises ImageDownloadFailed: the file cannot be read.
    """
    path = urllib.parse.unquote(urllib.parse.urlsplit(place.url).path)
    try:
        with open(path, 'rb') as file:
            yield from iter(lambda: file.read(CHUNK_SIZE), b'')
    except OSError as error:
        raise ImageDownloadFailed(
            f'Image {image} cannot be read from {path}: {error.strerror}.') from None


def copy_verified(chunks: Iterable[bytes], file: BinaryIO, image: Image) -> None:
    """Write an image's data to a file, and verify its hash.

    :raises ImageDownloadFailed: there is no data, or it is not what the hash says; it has been
        written then.
    :raises ImgurlError: Glance ceases to give the data.
    """
    algorithm, wanted = image.hash or ('md5', None)
    found, size = hashlib.new(algorithm, usedforsecurity=False), 0
    with translated(image.id):
        for chunk in chunks:
            file.write(chunk)
            found.update(chunk)
            size += len(chunk)
    if not size:
        raise ImageDownloadFailed(f'Image {image} has no data.')
    if wanted and found.hexdigest() != wanted:
        raise ImageDownloadFailed(
            f'The data of image {image} is not what its {algorithm} says: it is damaged or'
            ' cut off. Do not use it.')
