# SPDX-License-Identifier: Apache-2.0
"""Find an image's object, and the key for its URL."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from osc_imgurl.errors import (
    SET_KEY,
    ImgurlError,
    MissingParameterValue,
    ObjectStoreNotAuthorized,
    logger,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import Location
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.endpoint import endpoint_of, find_endpoint, known_endpoint
from osc_imgurl.swift.objects import Container
from osc_imgurl.target.store import Store
from osc_imgurl.target.trust import (
    container_by_rule,
    container_of_its_own,
    locations_in_swift,
)
from osc_imgurl.tempurl.endpoint import Endpoint, split_storage_url
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

if TYPE_CHECKING:
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.swift.answers import KeySlot
    from osc_imgurl.swift.endpoint import Swift

LOG = logger(__name__)

# The prefix of accounts, as in Swift and Ironic.
DEFAULT_PREFIX = 'AUTH'
# Glance's default page size: one request.
SEEN_IMAGES = 25


@dataclasses.dataclass(frozen=True)
class Target:
    """Endpoint and path of an image's object.

    :ivar store: the Glance store with the settings used; None for those of all images.
    :ivar guessed: ``account`` and ``container`` if neither the settings nor a trusted location
        gives them: the session's own account, the container by Glance's rules.
    :ivar warnings: for the user, a sentence each.
    """

    endpoint: Endpoint
    path: ObjectPath
    guessed: tuple[str, ...] = ()
    store: str | None = None
    warnings: tuple[str, ...] = ()


def resolve(image: Image, store: Store, object_name: str | None = None) -> Target:
    """Return the image's target, by the settings, its trusted location, and Glance's rules.

    An untrusted location is never used. With a container or an object given as an option, it logs
    a warning; else it is an error.

    :param object_name: the object to sign explicitly, instead of the image's.
    :raises UntrustedLocation: all of the image's locations in Swift are untrusted.
    :raises MissingParameterValue: an account or endpoint is not given and cannot be looked up.
    :raises InvalidParameterValue: a RADOS Gateway cannot have this endpoint.
    """
    settings, location = store.settings, store.location
    if store.distrust:
        if object_name is None and not settings.given_explicitly('container'):
            raise store.distrust
        LOG.warning('%s The URL is for another object, as the options say', store.distrust.problem)
    endpoint = find_endpoint(settings, store.swift)
    account = _account(location, settings, store.swift) if endpoint.accounts else None
    of_container = ('container', 'multiple_containers_seed', 'multi_tenant')
    container = _prefer(settings, of_container, container_by_rule(image.id, settings, location),
                        location.container if location else None)
    if object_name is None:
        object_name = location.object if location and location.object else image.id
    guessed = []
    if account and not settings.account and not (location and location.account):
        guessed.append('account')
    # multi_tenant=False does not give a container.
    if not location and not settings.multi_tenant and not settings.given_by(*of_container[:2]):
        guessed.append('container')
    return Target(endpoint, ObjectPath(account, container, object_name, settings.api_version),
                  tuple(guessed), settings.store)


def in_container_of_its_own(target: Target, image: Image, store: Store) -> Target:
    """Replace a guessed container that does not exist by the image's own, if that exists.

    A multi-tenant store creates one for each image. With a given key, Swift may be out of reach:
    nothing is looked up.
    """
    account, container = target.path.account, target.path.container
    own = container_of_its_own(image.id, store.settings)
    if ('container' not in target.guessed or store.settings.key
            or not target.endpoint.container_keys):
        return target
    with contextlib.suppress(ImgurlError):
        if (store.swift.container_keys(account, container) is None
                and own in store.swift.names(account)):
            return dataclasses.replace(
                target, path=dataclasses.replace(target.path, container=own), warnings=(
                    f'There is no container {container} in account {account}: images are taken from'
                    f' containers of their own, {store.settings.container}_<image ID>. If Glance\'s'
                    ' store is multi-tenant, say so (multi_tenant: true in clouds.yaml), or give'
                    ' its glance-api.conf',))
    return target


def own_account(settings: Settings, swift: Swift) -> str | None:
    """Return the given account, else the session's own.

    :returns: None for a RADOS Gateway without accounts in its URLs.
    :raises MissingParameterValue: it is not given and cannot be looked up.
    """
    if not find_endpoint(settings, swift).accounts:
        return None
    return _account(None, settings, swift)


def session_account(settings: Settings, swift: Swift) -> str | None:
    """Return the session's own account, even if another is given for the images.

    Like other clients of Swift, this uses the account in the storage URL. Without one, it is the
    project's ID behind the account prefix. As in Ironic, a given prefix comes first.

    :returns: None for a RADOS Gateway without accounts in its URLs.
    :raises MissingParameterValue: it cannot be looked up.
    """
    sources = {name: source for name, source in settings.sources.items() if name != 'account'}
    return own_account(dataclasses.replace(settings, account=None, sources=sources), swift)


def session_endpoint(settings: Settings, swift: Swift) -> Endpoint:
    """Return the endpoint of the session's own requests; new URLs may have another.

    :raises MissingParameterValue: it cannot be looked up.
    """
    url, _ = split_storage_url(swift.storage_url())
    return endpoint_of(url, session_account(settings, swift), settings, swift)


def own_container(name: str, settings: Settings, swift: Swift) -> Container:
    """Return a container of ours, for copies or links, in the session's own account.

    All projects of a RADOS Gateway share one set of names, unless it has ``rgw keystone implicit
    tenants``. So the name ends with the project's ID there.

    :raises MissingParameterValue: endpoint or project cannot be looked up.
    """
    if session_endpoint(settings, swift).radosgw:
        name += f'-{swift.project_id()}'
    return Container(swift, name, session_account(settings, swift))


def _account(location: Location | None, settings: Settings, swift: Swift) -> str:
    """Return the account: given, else the location's, the storage URL's, else the project's."""
    located = location.account if location else None
    if settings.account:
        return _prefer(settings, ('account',), settings.account, located)
    if located:
        return located
    prefix = settings.account_prefix
    if prefix is None:
        endpoint, named = known_endpoint(settings, swift)
        if named:
            return named
        if endpoint and named == '' and settings.endpoint_type is None:
            raise swift.unnamed_account()
        prefix = DEFAULT_PREFIX
    # As in Ironic, the prefix may be given with or without the underscore.
    if prefix and not prefix.endswith('_'):
        prefix += '_'
    return prefix + swift.project_id()


def _prefer(settings: Settings, names: tuple[str, ...], value: str, located: str | None) -> str:
    """Return the settings' value, or that of the image's trusted location, ``located``.

    If they differ, an option wins, because it is about this one image. Other sources are about all
    images: the location wins.
    """
    if not located or located == value:
        return value
    if options := settings.given_explicitly(*names):
        LOG.warning('The image lies in %s %s by its own location; the URL is for %s, as given'
                    ' by %s', names[0], located, value, ', '.join(map(str, options)))
        return value
    if given_by := settings.given_by(*names):
        LOG.warning('The image lies in %s %s by its own location, and not in %s as given by %s;'
                    ' the location counts', names[0], located, value,
                    ', '.join(map(str, given_by)))
    return located


def signing_key(target: Target, store: Store) -> Key:
    """Return the given key, else that of the first slot with one.

    :raises ImgurlError: as :func:`find_key`.
    """
    return store.settings.key or find_key(target, store.swift)[1]


def find_key(target: Target, swift: Swift,
             ask_container: bool = True) -> tuple[KeySlot, Key]:
    """Return the first slot with a key, and the key: the container's, else the account's.

    :param ask_container: whether the container is known.
    :raises MissingParameterValue: there is no key, no container, or no authentication.
    :raises ObjectStoreNotAuthorized: these credentials may not see the keys.
    :raises ObjectStoreFailed: Swift cannot be reached, or answers with an error.
    """
    account, container = target.path.account, target.path.container
    whose = f'account {account}' if account else 'this account'
    if target.store:
        whose += f' (store {target.store})'
    try:
        found: dict[KeySlot, Key] | None = {}
        if ask_container and target.endpoint.container_keys:
            found = swift.container_keys(account, container)
            if found is None:
                raise MissingParameterValue(
                    f'There is no container {container} in {whose}, where the image should be.',
                    'If another project owns the images (often Glance\'s service project), use'
                    ' its credentials, or give its account and key.', 'account', 'key_file')
        found = found or swift.account_keys(account)
    except ObjectStoreNotAuthorized as error:
        raise ObjectStoreNotAuthorized(
            f'{error} The keys of {whose} are shown to its owner only.',
            'Use the credentials of the project that owns it (for images that Glance keeps in an'
            ' account of its own, Glance\'s service project), or give the key.',
            'key_file') from None
    if not found:
        raise MissingParameterValue(
            f'There is no temporary URL key on {whose}, nor on the container {container}.',
            'Set one, or give the key.', SET_KEY, 'key_file')
    return next(iter(found.items()))


def keeps_images(account: str | None, settings: Settings, images: ImageService,
                 swift: Swift) -> bool | None:
    """Say whether an account has images of Glance's, so that its keys sign their URLs.

    It has none if there are images, but the account has no container with a name of Glance's. A
    multi-tenant store creates an account's first container with its first image.

    :param account: None for a RADOS Gateway without accounts in its URLs.
    :returns: None if there is no image yet.
    :raises ImgurlError: Glance or Swift does not answer, or refuses these credentials.
    """
    containers = swift.names(account)
    if any(name == settings.container or name.startswith(f'{settings.container}_')
           for name in containers):
        return True
    # Ignore images outside Swift.
    seen = [(image, locations_in_swift(image, settings, swift))
            for image in images.detail(status='active', limit=SEEN_IMAGES)]
    seen = [each for each in seen if each[1] or not each[0].shown_locations]
    locations = [location for _, found in seen for location in found]
    if any(location.container in containers for location in locations):
        return True
    # Only a multi-tenant store's location names an endpoint.
    if not seen or any(location.endpoint for location in locations):
        return None
    return False
