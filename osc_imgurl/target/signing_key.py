# SPDX-License-Identifier: Apache-2.0
"""Which key signs a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osc_imgurl.errors import SET_KEY, MissingParameterValue, ObjectStoreNotAuthorized
from osc_imgurl.settings.table import Settings
from osc_imgurl.target.resolve import Target
from osc_imgurl.tempurl.signing import Key

if TYPE_CHECKING:
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.swift.slot import KeySlot
    from osc_imgurl.target.asked import AskedSwift
    from osc_imgurl.target.cloud import Swift

# As many as Glance gives with one request.
SEEN_IMAGES = 25


def find_key(target: Target, object_store: Swift | AskedSwift,
             ask_container: bool = True) -> tuple[KeySlot, Key]:
    """Return the first slot that has a key, and the key: the container's, else the account's.

    :param ask_container: whether the container is known, so that it can be asked for its keys.
    :raises MissingParameterValue: there is no key, or no container; or nobody to ask.
    :raises ObjectStoreNotAuthorized: these credentials may not see the keys.
    :raises ObjectStoreFailed: Swift cannot be reached, or answers with an error.
    """
    account, container = target.path.account, target.path.container
    whose = f'account {account}' if account else 'this account'
    if target.store:
        whose += f' (store {target.store})'
    try:
        # A RADOS Gateway takes container keys and ignores them.
        found: dict[KeySlot, Key] | None = {}
        if ask_container and not target.in_gateway:
            found = object_store.container_keys(account, container)
            if found is None:
                raise MissingParameterValue(
                    f'There is no container {container} in {whose}, where the image should be.',
                    'If another project owns the images (often Glance\'s service project), use'
                    ' its credentials, or give its account and key.', 'account', 'key_file')
        found = found or object_store.account_keys(account)
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
                 object_store: Swift) -> bool | None:
    """Say whether Glance keeps images in an account, so that its keys sign their URLs.

    It does not where no container there has a name of Glance's, although there are images. A
    multi-tenant store makes an account's first container with its first image.

    :param account: None for a RADOS Gateway without accounts in its URLs.
    :returns: None where there is no image yet by which to know.
    :raises ImgurlError: Glance or Swift does not answer, or not to these credentials.
    """
    containers = object_store.names(account)
    if any(name == settings.container or name.startswith(f'{settings.container}_')
           for name in containers):
        return True
    # Those that are visibly elsewhere than in Swift say nothing.
    seen = [image for image in images.detail(status='active', limit=SEEN_IMAGES)
            if image.swift_locations or not image.shown_locations]
    locations = [location for image in seen for location in image.swift_locations]
    if any(location.container in containers for location in locations):
        return True
    # Only a multi-tenant store's location says at which endpoint it is.
    if not seen or any(location.endpoint for location in locations):
        return None
    return False
