# SPDX-License-Identifier: Apache-2.0
"""What a temporary URL is asked for: a value, and what of it is valid."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.url import ObjectPath

METHODS = ('GET', 'HEAD', 'PUT', 'POST', 'DELETE')
# What whoever has a URL for these can do. Metadata say when Swift removes an object.
_RISKS = {'PUT': 'replace', 'POST': 'change the metadata of, and so remove,', 'DELETE': 'remove'}
# Stands for a name that is made from the image's own.
AUTO_FILENAME = 'auto'


@dataclasses.dataclass(frozen=True)
class URLOptions:
    """What one temporary URL is to allow.

    :ivar expires: Unix time, seconds; None: now and the duration of the settings.
    :ivar method: one of :data:`METHODS`.
    :ivar object: sign this object explicitly, and not the one that the image is in.
    :ivar prefix: sign for every object whose name begins so; the image's must.
    :ivar filename: under which name a browser saves the object; :data:`AUTO_FILENAME` is the
        image's name and disk format.
    """

    method: str = 'GET'
    expires: int | None = None
    object: str | None = None
    ip_range: str | None = None
    prefix: str | None = None
    filename: str | None = None
    inline: bool = False
    iso8601: bool = False


def validate_method(method: str) -> str:
    """Return the method in capitals.

    :raises InvalidParameterValue: it is not one that a temporary URL can be signed for.
    """
    if method.upper() not in METHODS:
        raise InvalidParameterValue(
            f'The method {method!r} is unknown: use one of {", ".join(METHODS)}.')
    return method.upper()


def risks(request: URLOptions, path: ObjectPath) -> Iterator[str]:
    """Yield what a URL allows beyond reading the object, if anything, a sentence each.

    A prefix that is the whole name of an object opens that, and its segments.
    """
    if request.prefix == '':
        yield ('The prefix is empty: this URL gives access to every object in the container'
               f' {path.container}')
    elif request.prefix is not None and request.prefix != path.object:
        yield (f'This URL gives access to every object in the container {path.container} whose'
               f' name begins with {request.prefix}')
    if can := _RISKS.get(request.method.upper()):
        yield f'Whoever has this URL can {can} the object until it expires'


def validate_ip_range(ip_range: str) -> str:
    """Return the range if Swift can read it: an address, or a network in CIDR notation.

    :raises InvalidParameterValue: it is neither, or a network with host bits set, which
        Swift refuses (``ipaddress.ip_network``, strict); or it names a zone, which may hold any
        text and so forge what is signed.
    """
    try:
        if '%' in ip_range:
            raise ValueError('it names a zone')
        ipaddress.ip_network(ip_range)
    except ValueError as error:
        raise InvalidParameterValue(
            f'The IP range {ip_range!r} is none: {error}. Use an address or a network such as'
            ' 203.0.113.0/24.') from None
    return ip_range
