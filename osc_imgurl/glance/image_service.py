# SPDX-License-Identifier: Apache-2.0
"""Images in Glance, through python-glanceclient on the caller's session.

:class:`ImageService` has the methods of Ironic's Glance image service
(``ironic.common.glance_service``), for scripts that move here from it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.session import Session

from osc_imgurl import http
from osc_imgurl.errors import (
    GlanceFailed,
    ImageNotAuthorized,
    ImageNotFound,
    InvalidParameterValue,
    MissingParameterValue,
    logger,
)
from osc_imgurl.glance import pages
from osc_imgurl.glance.answers import expected, to_image, to_locations
from osc_imgurl.glance.by_name import find_named, only
from osc_imgurl.glance.client import CORRECT, Client, translated
from osc_imgurl.glance.download import copy_verified, file_chunks, read_data
from osc_imgurl.glance.image import Image, is_uuid, parse_href, validate_active
from osc_imgurl.glance.location import Location
from osc_imgurl.http.answer import TIME_LIMIT

LOG = logger(__name__)


class ImageService:
    """Glance, as one session sees it.

    :param session: an authenticated keystoneauth session.
    :param region_name: region of the catalog's endpoint; None takes the first.
    :param interface: ``public``, ``internal`` or ``admin``.
    :param endpoint: Glance's endpoint, where it is not to be looked up in the catalog.
    :param allowed_direct_url_schemes: schemes of locations that :meth:`download` may read
        directly; ``file`` counts (Ironic's option of the same name).
    :param num_retries: how often a request that reads is made again when it finds no
        connection, or is answered 503 or 429 (Ironic's option of the same name).
    :param timeout: how long an answer may take, in seconds, where the session has no time limit
        of its own; of an image's data each MiB may take so long.
    """

    def __init__(self, session: Session, region_name: str | None = None,
                 interface: str = 'public', endpoint: str | None = None,
                 allowed_direct_url_schemes: Iterable[str] = (), *,
                 num_retries: int = 0, timeout: float = TIME_LIMIT) -> None:
        self._session = http.limited(session, timeout)
        self._region_name = region_name
        self._interface = interface
        self._endpoint = endpoint
        self._allowed_direct_url_schemes = tuple(allowed_direct_url_schemes)
        self._num_retries = num_retries
        self._timeout = timeout
        self._http: Client | None = None

    def find(self, image: str) -> Image:
        """Return an image, whatever its status.

        An image of the session's project comes before others of the same name. A name that only
        another project's image has, and not a public one, costs a warning: whoever may create an
        image may give it any name.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :raises ImageNotFound: no image has that UUID or name, as far as these credentials see.
        :raises ImageNotUnique: several images of the session's project have that name, or none
            and several others; the message lists their UUIDs.
        :raises ImageNotAuthorized: Glance refuses these credentials.
        :raises GlanceFailed: Glance cannot be reached, or answers with an error.
        """
        image = parse_href(image)
        if not image:
            raise InvalidParameterValue('The name of the image is empty.', 'Name it by its ID.')
        if is_uuid(image):
            found = self._to_image(self._get(f'/v2/images/{image}', image))
            # Some databases do not tell capitals apart.
            if found.id.lower() != image.lower():
                raise GlanceFailed(
                    f'{self._client.server} answers with another image than {image}.', CORRECT)
            return found
        with translated(image):
            project_id = self._session.get_project_id()
        found = only(image, find_named(image, project_id, self.detail))
        if found.visibility != 'public' and (project_id is None or found.owner != project_id):
            LOG.warning(
                'The image with the name %r is %s, of another project: its owner is %s, and its'
                ' visibility %s. If that is the image that you mean, use its ID.',
                image, found.id, found.owner or 'not known', found.visibility or 'not known')
        return found

    def show(self, image: str) -> Image:
        """Return an image that is active.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :raises ImageUnacceptable: it is not active.
        :raises ImgurlError: as :meth:`find`.
        """
        found = self.find(image)
        validate_active(found)
        return found

    def detail(self, *, limit: int | None = None, marker: str | None = None,
               **filters: Any) -> Iterator[Image]:
        """Yield the images that match, page by page, as they arrive.

        One whose ID is no UUID is left out, with a warning: the others are there all the same.

        :param limit: yield no more than so many.
        :param marker: begin behind this image; its UUID.
        :param filters: Glance's own query parameters, such as ``name='cirros'``,
            ``visibility='public'``, ``sort='name:asc'``.
        :raises ImgurlError: as :meth:`find`.
        """
        for page in pages.read(self._get, filters, limit, marker, self._client.server):
            for shown in page:
                with expected('a list of images', self._client.server):
                    if not is_uuid(shown['id']):
                        LOG.warning('%s lists an image whose ID is no UUID; it is left out: %.60r',
                                    self._client.server, shown['id'])
                        continue
                yield self._to_image(shown)

    def locations(self, image_id: str) -> tuple[Location, ...]:
        """Return an image's locations through Glance's Get Locations call.

        Glance answers it since API version 2.17, to its service and admin users only, also
        where images show no locations.

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
        """Return where an image is kept, or None where this cloud does not show it.

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
        :raises ImageDownloadFailed: there is no data, or it is not what the hash says; what
            has been written then is not to be used.
        :raises ImgurlError: as :meth:`show`.
        """
        found = self.show(image)
        place = _first_location(found)
        if place and place.scheme == 'file' and 'file' in self._allowed_direct_url_schemes:
            copy_verified(file_chunks(place, found), file, found)
        else:
            copy_verified(self.data(found), file, found)

    def create(self, image_meta: Mapping[str, Any], data: BinaryIO | None = None) -> Image:
        """Create an image and, where data is given, upload it.

        :param image_meta: properties by their names in Glance's API.
        :param data: a binary file open for reading.
        :returns: the image as it then is.
        :raises ImgurlError: as :meth:`find`; InvalidParameterValue where Glance does not take
            a property.
        """
        with self._changing(str(image_meta.get('name'))):
            image_id = self._controller.create(**image_meta)['id']
            if not is_uuid(image_id):
                raise ValueError
        return self._upload(image_id, data)

    def update(self, image: str, image_meta: Mapping[str, Any], data: BinaryIO | None = None,
               purge_props: bool = False) -> Image:
        """Change an image's properties and, where data is given, upload it.

        :param image: its UUID, ``glance://host/UUID``, or its name.
        :param image_meta: properties by their names in Glance's API.
        :param data: a binary file open for reading.
        :param purge_props: remove the custom properties that ``image_meta`` does not name.
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
        return self.find(image_id)

    def data(self, image: Image, start: int = 0) -> Iterator[bytes]:
        """Yield an image's data from a byte on, in chunks of 1 MiB.

        :raises ImgurlError: there is none, Glance does not give it from there, or ceases to.
        """
        # An image takes as long as it takes; only each part of it may not.
        client = Client(http.limited(self._session, self._timeout, by_part=True),
                        self._num_retries, self._client.endpoint_override, self._timeout)
        return read_data(client, image, start)

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

    @property
    def _client(self) -> Client:
        if self._http is None:
            endpoint = self._endpoint
            with translated('endpoint'), contextlib.suppress(ksa_exceptions.CatalogException):
                endpoint = endpoint or self._session.get_endpoint(
                    service_type='image', region_name=self._region_name,
                    interface=self._interface)
            if not endpoint:
                raise MissingParameterValue(
                    'There is no image service in the catalog of this cloud'
                    f' (region {self._region_name or "any"}, interface {self._interface}).',
                    'Credentials that are not scoped to a project see no catalog: name one.')
            self._http = Client(self._session, self._num_retries,
                                re.sub(r'/v\d[^/]*/?$', '', endpoint), self._timeout)
        return self._http

    @property
    def _controller(self) -> Any:
        return _controller_of(self._client)


def _controller_of(client: Client) -> Any:
    # Takes longer to import than all else here, and a temporary URL needs none of it.
    from glanceclient.v2 import images, schemas

    return images.Controller(client, schemas.Controller(client))


def _first_location(image: Image) -> Location | None:
    return next(iter(image.shown_locations), None)

