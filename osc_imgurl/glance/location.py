# SPDX-License-Identifier: Apache-2.0
"""The location of an image: a store's URI as a value, its secrets masked.

A URI is read as glance_store reads it (``StoreLocation`` of ``glance_store._drivers.swift.store``
and ``glance_store._drivers.s3``): with ``urlsplit``: credentials are in the netloc only, query and
fragment are cut off. Those of the S3 store end at the ``@``: a secret may hold a ``/``.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse

from osc_imgurl.tempurl.endpoint import split_storage_url, validate_endpoint

# Only Glance itself can write a location with this scheme.
GLANCES_OWN = 'swift+config'
# By scheme, that of the URL in the location; a section of the store's config file has none.
SWIFT_SCHEMES = {'swift': 'https', 'swift+http': 'http', 'swift+https': 'https', GLANCES_OWN: None}
S3_SCHEMES = ('s3', 's3+http', 's3+https')
MASK = '***'
NOT_GLANCES = ('it is not of a form that Glance writes: it has an @, ?, # or % behind the host, a'
               ' control character, an empty or dotted part, or something else that is not clear')
# Credentials, if any, stand in the netloc; container and object are the last two parts.
_SWIFT = re.compile(
    rf'(?:{"|".join(map(re.escape, SWIFT_SCHEMES))})://(?:(?P<credentials>[^/?#@\\]+)@)?'
    r'(?P<base>[^/?#@%\\]+(?:/[^/?#@%\\]+)*)/(?P<container>[^/?#@%\\]+)/(?P<object>[^/?#@%\\]+)')
# Older releases (4.2) put access key and secret in front of the host.
_S3 = re.compile(
    rf'(?:{"|".join(map(re.escape, S3_SCHEMES))})://(?:(?P<credentials>[^?#@\\:]+:[^?#@\\:]+)@)?'
    r'[^/?#@%\\]+(?:/[^/?#@%\\]+)*/(?P<container>[^/?#@%\\]+)/(?P<object>[^/?#@%\\]+)')
# What urlsplit drops wherever it stands, and in front of a URL.
_DROPPED = re.compile(r'[\t\r\n]|\A[\0-\x20]+')


@dataclasses.dataclass(frozen=True)
class Location:
    """One location of an image.

    :ivar scheme: of the store, such as ``swift+https``, ``rbd``, ``file``.
    :ivar url: the URI with its credentials masked; safe to print.
    :ivar has_credentials: whether the URI carries credentials; then every user of the image
        knows them.
    :ivar project: the name of the credentials' project; None without credentials, or if they
        do not name it.
    :ivar base_url: of an image in Swift, the URL in front of the container: Keystone's for
        the credentials, or a storage URL. None for ``swift+config``.
    :ivar container: of an image in Swift, or the bucket of one in S3; None if the form of the URI
        is unknown.
    :ivar object: likewise.
    :ivar store: the Glance store's identifier, if Glance shows it.
    """

    scheme: str
    url: str
    has_credentials: bool = False
    project: str | None = None
    base_url: str | None = None
    container: str | None = None
    object: str | None = None
    store: str | None = None

    @property
    def in_swift(self) -> bool:
        """Whether the image is in Swift or in a RADOS Gateway, as far as the scheme says."""
        return self.scheme in SWIFT_SCHEMES

    @property
    def in_s3(self) -> bool:
        """Whether the image is in Glance's S3 store, which may be on a RADOS Gateway."""
        return self.scheme in S3_SCHEMES

    @property
    def problem(self) -> str:
        """Why a URI of the Swift or S3 store is not understood, and so never trusted; else empty.
        """
        return NOT_GLANCES if (self.in_swift or self.in_s3) and self.container is None else ''

    @property
    def auth_url(self) -> str | None:
        """The address of Keystone for the credentials; None without credentials."""
        return self.base_url if self.has_credentials else None

    @property
    def endpoint(self) -> str | None:
        """The object store's endpoint, if the URI has no credentials and may name one."""
        return None if self.has_credentials or not self.base_url else (
            split_storage_url(self.base_url)[0])

    @property
    def account(self) -> str | None:
        """The account in the storage URL; None without one, as in a RADOS Gateway."""
        return None if self.has_credentials or not self.base_url else (
            split_storage_url(self.base_url)[1])


def mask(uri: str) -> str:
    """Return a URI without its secrets: credentials, and a web URL's query.

    The host is never masked: glance_store would contact it. The S3 store does not quote every
    character of a secret, so there all up to the last ``@`` is taken to be credentials. The query
    of a web location may be a signature.

    >>> mask('swift+http://service%3Aglance:secret@keystone:5000/v3/glance/3a1f')
    'swift+http://***@keystone:5000/v3/glance/3a1f'
    >>> mask('swift+http://elsewhere:80/v1/AUTH_x@keystone:5000/v3/glance/3a1f')
    'swift+http://***@elsewhere/***'
    """
    scheme, separator, rest = _DROPPED.sub('', uri).partition('://')
    if not separator:
        _, at, after = uri.rpartition('@')
        return f'{MASK}@{after}' if at else uri
    if scheme.lower() in SWIFT_SCHEMES:
        return f'{scheme}://{_mask_swift(rest)}'
    host, slash, path = rest.partition('/')
    if scheme.lower().startswith(('s3', 'swift')):
        host, slash, path = rest, '', ''
    credentials, _, host = host.rpartition('@')
    if credentials:
        host = f'{MASK}@{host}'
    rest = host + slash + path
    if scheme in ('http', 'https'):
        rest = re.sub(r'\?.+', f'?{MASK}', rest, flags=re.DOTALL)
    return f'{scheme}://{rest}'


def _mask_swift(rest: str) -> str:
    """Mask what stands behind the scheme; of an odd form nothing shows but the host."""
    before, at, after = rest.rpartition('@')
    if not at:
        return re.sub(r'([?#]).+', rf'\1{MASK}', rest, flags=re.DOTALL)
    if not re.search(r'[/?#@\\]', before):
        return f'{MASK}@{after}'
    try:
        parts = urllib.parse.urlsplit(f'//{rest}')
    except ValueError:
        return MASK
    # Without a netloc, glance_store takes the host out of the path.
    in_path = parts.path.lstrip('/').rpartition('@')[2].partition('/')[0]
    return f'{MASK}@{parts.hostname or in_path}/{MASK}'


def parse(uri: str, store: str | None = None) -> Location:
    """Return the location in a URI of a Glance store.

    In each form of the Swift store the container and the object are the last two parts, as the
    bucket and the key are in the S3 store's. There, the host is of no interest. A URI of Swift with
    credentials names Keystone (single tenant), one of ``swift+config`` a section of the store's
    config file; one without names a storage URL (multi-tenant), or Keystone if the store has
    application credentials.
    """
    scheme = _DROPPED.sub('', uri).partition(':')[0].lower() if '://' in uri else uri
    masked = mask(uri)
    form = _S3 if scheme in S3_SCHEMES else _SWIFT
    match = form.fullmatch(uri) if uri.isprintable() else None
    if match is None or {'.', '..'} & set(uri.rpartition('@')[2].split('/')):
        return Location(scheme or 'unknown', masked, f'{MASK}@' in masked, store=store)
    if form is _S3:
        return Location(scheme, masked, bool(match['credentials']), store=store,
                        container=match['container'], object=match['object'])
    # <project>:<user>, quoted, stands before the password.
    user, found, _ = (match['credentials'] or '').rpartition(':')
    project, colon, _ = urllib.parse.unquote(user).partition(':')
    base_url = None
    try:
        if SWIFT_SCHEMES[scheme]:
            base_url = validate_endpoint(f'{SWIFT_SCHEMES[scheme]}://{match["base"]}')
        if match['credentials'] and not (found and base_url):
            raise ValueError
    except ValueError:
        return Location(scheme, masked, f'{MASK}@' in masked, store=store)
    return Location(scheme, masked, bool(found), project if colon else None, base_url,
                    match['container'], match['object'], store)


def container_name(container: str, image_id: str, seed: int) -> str:
    """Return the container of an image by Glance's sharding rule.

    The rule is that of the Swift store of glance_store, option
    ``swift_store_multiple_containers_seed``; Ironic's ``[glance]`` option of the same name
    follows it.

    >>> container_name('glance', '3A1F6DE0-93C4-4B44-BF4F-9A3B3AA2C6C5', 3)
    'glance_3a1'
    >>> container_name('glance', '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5', 10)
    'glance_3a1f6de0-93'
    >>> container_name('glance', '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5', 0)
    'glance'

    :param container: the configured container (Glance: ``swift_store_container``).
    :param image_id: the image's UUID.
    :param seed: the multiple containers seed, 0 to 32; 0 keeps all images in one container.
    """
    if not seed:
        return container
    image_id = image_id.lower()
    length = seed + image_id[:seed].count('-')
    return f'{container}_{image_id[:length]}'
