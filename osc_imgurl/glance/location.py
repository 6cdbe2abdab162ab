# SPDX-License-Identifier: Apache-2.0
"""Where a Glance store keeps an image: a store URI as a value, its secrets masked."""

from __future__ import annotations

import dataclasses
import re
import urllib.parse

from osc_imgurl.tempurl.endpoint import split_storage_url

SWIFT_SCHEMES = ('swift', 'swift+http', 'swift+https', 'swift+config')
MASK = '***'
_UNQUOTED_CREDENTIALS = ('swift', 's3')


@dataclasses.dataclass(frozen=True)
class Location:
    """One location of an image.

    :ivar scheme: of the store, such as ``swift+https``, ``rbd``, ``file``.
    :ivar url: the URI with its credentials masked; safe to print.
    :ivar has_credentials: whether the URI carries credentials, which then everybody knows
        who may see the image.
    :ivar project: the project that the credentials are for, by its name; None where there are
        none, or they name none.
    :ivar auth_url: the address of Keystone, where the credentials are to be used; likewise.
    :ivar endpoint: of the object store; only a multi-tenant store's URI says it.
    :ivar account: likewise; None for a RADOS Gateway without accounts in its URLs.
    :ivar container: of an image in Swift, else None.
    :ivar object: of an image in Swift, else None.
    :ivar store: the Glance store's identifier, where Glance says it.
    """

    scheme: str
    url: str
    has_credentials: bool = False
    project: str | None = None
    auth_url: str | None = None
    endpoint: str | None = None
    account: str | None = None
    container: str | None = None
    object: str | None = None
    store: str | None = None

    @property
    def in_swift(self) -> bool:
        """Whether the image lies in Swift, or in a RADOS Gateway behind the same API."""
        return self.container is not None


def mask(uri: str) -> str:
    """Return a URI without its secrets: what stands before the host, and a web URL's query.

    The Swift and S3 stores do not quote every character of a password, so there all up to
    the last ``@`` is taken to be credentials. The query of a web location may be a signature.

    >>> mask('swift+http://service%3Aglance:pa/ss@keystone:5000/v3/glance/3a1f')
    'swift+http://***@keystone:5000/v3/glance/3a1f'
    """
    scheme, separator, rest = uri.partition('://')
    if not separator:
        return uri
    host, slash, path = rest.partition('/')
    if scheme.startswith(_UNQUOTED_CREDENTIALS):
        host, slash, path = rest, '', ''
    credentials, _, host = host.rpartition('@')
    if credentials:
        host = f'{MASK}@{host}'
    rest = host + slash + path
    if scheme in ('http', 'https'):
        rest = re.sub(r'\?.+', f'?{MASK}', rest, flags=re.DOTALL)
    return f'{scheme}://{rest}'


def parse(uri: str, store: str | None = None) -> Location:
    """Return the location that a Glance store's URI names.

    The forms of the Swift store are those of glance_store's ``StoreLocation``. In each the
    container and the object are the last two parts. A URI with credentials names Keystone
    (single tenant), one of ``swift+config`` a section of the store's config file; one
    without names a storage URL (multi-tenant).
    """
    masked = mask(uri)
    scheme, _, rest = masked.partition('://')
    has_credentials = rest.startswith(f'{MASK}@')
    base, _, object_name = rest.rpartition('/')
    base, _, container = base.rpartition('/')
    if scheme not in SWIFT_SCHEMES or not (base and container and object_name):
        return Location(scheme or 'unknown', masked, has_credentials, store=store)
    project = auth_url = endpoint = account = None
    web_scheme = 'http' if scheme == 'swift+http' else 'https'
    if has_credentials:
        auth_url = f'{web_scheme}://{base.removeprefix(f"{MASK}@")}'
        # <project>:<user>, quoted, stands before the password.
        quoted = uri.partition('://')[2].rpartition('@')[0].rpartition(':')[0]
        first, colon, _ = urllib.parse.unquote(quoted).partition(':')
        project = first if colon else None
    if not has_credentials and scheme != 'swift+config':
        endpoint, account = split_storage_url(f'{web_scheme}://{base}')
    return Location(scheme, masked, has_credentials, project, auth_url, endpoint, account,
                    container, object_name, store)
