# SPDX-License-Identifier: Apache-2.0
"""Where an image's object is: what is given, the image's own location, the sharding rule."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from osc_imgurl.errors import ImgurlError, UntrustedLocation, logger
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import Location
from osc_imgurl.settings.table import Kind, Settings, Source
from osc_imgurl.target.trust import container_by_rule, find_trusted
from osc_imgurl.tempurl.endpoint import gateway_endpoint, is_gateway, split_storage_url
from osc_imgurl.tempurl.url import ObjectPath

if TYPE_CHECKING:
    from osc_imgurl.target.cloud import Swift

LOG = logger(__name__)

# Of an account's name, as in Swift and Ironic.
DEFAULT_PREFIX = 'AUTH'
NOT_TRIED = ('the URL has no account, and this RADOS Gateway may expect one: some crash then, so'
             ' it is not tried')


@dataclasses.dataclass(frozen=True)
class Target:
    """Where an image's object is, as a URL names it.

    :ivar endpoint: what stands before the path.
    :ivar store: the Glance store whose settings say so; None for those of all images.
    :ivar guessed: what is neither given nor does a trusted location of the image say:
        ``account`` (then it is the session's project's), ``container`` (by the sharding rule).
    """

    endpoint: str
    path: ObjectPath
    guessed: tuple[str, ...] = ()
    store: str | None = None

    @property
    def in_gateway(self) -> bool:
        """Whether it is in a RADOS Gateway, with or without accounts in its URLs."""
        return is_gateway(self.endpoint, self.path.account)


def resolve(image: Image, settings: Settings, object_store: Swift,
           object_name: str | None = None) -> Target:
    """Return where the image's object is.

    A location that is not trusted is used only to say so: where an option names the container,
    or the object, that is signed explicitly.

    :param object_name: the object to be signed explicitly, in place of the image's.
    :raises UntrustedLocation: the image shows locations in Swift, and none is trusted.
    :raises MissingParameterValue: an account or endpoint is not given and cannot be looked up.
    :raises InvalidParameterValue: the endpoint is none of a RADOS Gateway.
    """
    on_purpose = object_name is not None or _options(settings.given_by('container'))
    try:
        location = find_trusted(image, settings, object_store)
    except UntrustedLocation as error:
        if not on_purpose:
            raise
        LOG.warning('%s The URL is for another object explicitly', error.problem)
        location = None
    endpoint, endpoint_type = endpoint_and_type(settings, object_store)
    container = _prefer(
        'container', container_by_rule(image.id, settings),
        location.container if location else None,
        settings.given_by('container', 'multiple_containers_seed'))
    account = (None if endpoint_type == 'radosgw'
               else _account(location, settings, object_store))
    if object_name is None:
        object_name = location.object if location and location.object else image.id
    guessed = []
    if account and not settings.account and not (location and location.account):
        guessed.append('account')
    if not location and not settings.given_by('container', 'multiple_containers_seed'):
        guessed.append('container')
    return Target(endpoint, ObjectPath(account, container, object_name, settings.api_version),
                  tuple(guessed), settings.store)


def may_be_tried(path: ObjectPath, object_store: Swift) -> bool:
    """Say whether a request through a URL can do no harm.

    Some RADOS Gateways that have accounts in their URLs crash at one without (seen of Ceph 16).
    So one without is tried only where the catalog has no account in its URL either.
    """
    if path.account is not None:
        return True
    storage_url = object_store.find_storage_url()
    return storage_url is not None and split_storage_url(storage_url)[1] is None


def type_by_catalog(url: str, object_store: Swift) -> str | None:
    """Return ``radosgw`` for a URL of the catalog's gateway, if that has no accounts in its URLs.

    :returns: None for any other, and where the catalog cannot be read.
    """
    with contextlib.suppress(ImgurlError):
        if storage_url := object_store.find_storage_url():
            endpoint, account = split_storage_url(storage_url)
            if account is None and url.startswith(f'{endpoint}/'):
                return 'radosgw'
    return None


def cluster_endpoint(endpoint: str, object_store: Swift) -> str:
    """Return the endpoint at which the cluster is asked what it takes.

    That is the catalog's where there is one: an endpoint that is given may be a proxy's, which
    passes only objects on.
    """
    storage_url = object_store.find_storage_url()
    return split_storage_url(storage_url)[0] if storage_url else endpoint


def swift_endpoint(target: Target, object_store: Swift) -> str:
    """Return the endpoint at which a new URL is tried: Swift's own.

    The host is no part of what is signed. A proxy that the URL names may make a HEAD the GET of
    a whole image (nginx does).
    """
    storage_url = object_store.find_storage_url()
    if storage_url is None:
        return target.endpoint
    endpoint, account = split_storage_url(storage_url)
    if target.in_gateway and not is_gateway(endpoint, account):
        endpoint += '/swift'
    return endpoint


def own_account(settings: Settings, object_store: Swift) -> str | None:
    """Return the account that is given, else that of the session's project.

    :returns: None for a RADOS Gateway without accounts in its URLs.
    :raises MissingParameterValue: it is not given and cannot be looked up.
    """
    if endpoint_and_type(settings, object_store)[1] == 'radosgw':
        return None
    return _account(None, settings, object_store)


def endpoint_and_type(settings: Settings, object_store: Swift) -> tuple[str, str]:
    """Return endpoint and type: given, else the catalog's; never a location's.

    A RADOS Gateway whose URLs have accounts is of the type ``swift``, and has ``/swift`` in its
    endpoint. Below which path one without serves the Swift API, the catalog says.

    :raises MissingParameterValue: the endpoint is not given and cannot be looked up.
    :raises InvalidParameterValue: the endpoint is none of a RADOS Gateway.
    """
    found: tuple[str, str | None] | None = None
    if storage_url := object_store.find_storage_url():
        found = split_storage_url(storage_url)
    endpoint_type = settings.endpoint_type or (
        'radosgw' if found and found[1] is None else 'swift')
    endpoint = settings.endpoint_url or (found and found[0]) or object_store.storage_url()
    if endpoint_type == 'radosgw':
        endpoint = gateway_endpoint(endpoint, found[0] if found and found[1] is None else None)
        # A gateway may have accounts in its URLs all the same; some crash at a URL without.
        if (found and found[1] and is_gateway(*found)) or _options(
                settings.given_by('account')):
            endpoint_type = 'swift'
    return endpoint, endpoint_type


def _options(given_by: list[Source]) -> list[Source]:
    """Return those sources of a setting that are options of the command."""
    return [source for source in given_by if source.kind is Kind.OPTION]


def _account(location: Location | None, settings: Settings, object_store: Swift) -> str:
    """Return the account: given, else the location's, else that of the session's project."""
    located = location.account if location else None
    if settings.account:
        return _prefer('account', settings.account, located, settings.given_by('account'))
    if located:
        return located
    project_id = object_store.project_id()
    prefix = settings.account_prefix
    if prefix is None:
        # Where Swift has another reseller prefix, the catalog shows it.
        storage_url = object_store.find_storage_url()
        named = split_storage_url(storage_url)[1] if storage_url else None
        if named and named.endswith(project_id):
            return named
        prefix = DEFAULT_PREFIX
    # As in Ironic, the prefix may be given with or without the underscore.
    if prefix and not prefix.endswith('_'):
        prefix += '_'
    return prefix + project_id


def _prefer(name: str, setting: str, located: str | None, given_by: list[Source]) -> str:
    """Return a setting, or what the image's own location says where they disagree.

    An option is given for this one image, and counts; any other source speaks of all images,
    and the location knows better.
    """
    if not located or located == setting:
        return setting
    if options := _options(given_by):
        LOG.warning('The image lies in %s %s by its own location; the URL is for %s, as given'
                    ' by %s', name, located, setting, ', '.join(map(str, options)))
        return setting
    if given_by:
        LOG.warning('The image lies in %s %s by its own location, and not in %s as given by %s;'
                    ' the location counts', name, located, setting, ', '.join(map(str, given_by)))
    return located
