# SPDX-License-Identifier: Apache-2.0
"""The image that a name means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from osc_imgurl.errors import ImageNotUnique
from osc_imgurl.glance.client import not_found
from osc_imgurl.glance.image import Image

# How many images of the same name a message lists.
MOST_SHOWN = 10


def find_named(name: str, project_id: str | None,
               detail: Callable[..., Iterable[Image]]) -> list[Image]:
    """Return the images that a name may mean.

    As for `openstack image show`, a hidden image counts when no other has the name; one of
    the project also when only others' images that are not public have it.

    :param project_id: the session's project; None where it has none.
    :param detail: lists the images that match filters of Glance's.
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


def only(name: str, found: Sequence[Image]) -> Image:
    """Return the one image that a name means.

    :raises ImageNotFound: there is none.
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
