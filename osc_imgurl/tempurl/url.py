# SPDX-License-Identifier: Apache-2.0
"""A temporary URL as a value: put together, and taken apart. No I/O, and no clock of its own.

The parameters are those of Swift's tempurl middleware (``swift.common.middleware.tempurl``).
"""

from __future__ import annotations

import base64
import calendar
import dataclasses
import datetime
import hashlib
import ipaddress
import re
import time
import urllib.parse

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.endpoint import is_gateway, validate_endpoint

METHODS = ('GET', 'HEAD', 'PUT', 'POST', 'DELETE')
DIGESTS = ('sha1', 'sha256', 'sha512')
# The last second that can be written as an ISO 8601 date.
MAX_EXPIRES = 253402300799

# What no request can carry, and urlsplit() drops in part.
_IN_NO_REQUEST = re.compile(r'[\0-\x20\x7f]')
_ISO8601 = '%Y-%m-%dT%H:%M:%SZ'
_DIGEST_OF_HEX_LENGTH = {40: 'sha1', 64: 'sha256', 128: 'sha512'}


def quote(text: str) -> str:
    """Percent-encode a path, or a value of the query, as this library sends it."""
    return urllib.parse.quote(text, safe='/:')


def format_expires(expires: int) -> str:
    """Return a Unix time (seconds) as ISO 8601 in UTC: ``2026-11-22T09:30:00Z``."""
    return datetime.datetime.fromtimestamp(expires, datetime.UTC).strftime(_ISO8601)


def check_expires(expires: int) -> int:
    """Return an expiry (Unix time, seconds) that can be written as a date.

    :raises InvalidParameterValue: it lies before the year 1970 or beyond the year 9999.
    """
    if expires < 0:
        raise InvalidParameterValue(f'The expiry {expires} lies before the year 1970.')
    if expires > MAX_EXPIRES:
        raise InvalidParameterValue(f'The expiry {expires} lies beyond the year 9999.')
    return expires


def format_remaining(expires: int, now: float) -> str:
    """Return how long it is until an expiry: ``1 day, 2:00:00``, or ``expired 3 min ago``.

    :param expires: Unix time, seconds.
    :param now: likewise.
    """
    left = int(expires - now)
    if expires >= now:
        return str(datetime.timedelta(seconds=left))
    for seconds, unit in ((86400, 'd'), (3600, 'h'), (60, 'min')):
        # Of the larger unit there are to be two at least, or the figure says too little.
        if -left >= 2 * seconds:
            return f'expired {-left // seconds} {unit} ago'
    return f'expired {-left} s ago'


def parse_expires(text: str) -> int:
    """Return the Unix time (seconds) of an expiry as it stands in a URL's query.

    It is read as the middleware does (``normalize_temp_url_expires``): whatever ``int`` takes,
    or ``strptime`` for ``YYYY-MM-DDThh:mm:ssZ``.

    :raises InvalidParameterValue: it is neither, or lies before the year 1970 or beyond the year
        9999.
    """
    try:
        return check_expires(int(text))
    except ValueError:
        pass
    try:
        return check_expires(calendar.timegm(time.strptime(text, _ISO8601)))
    except ValueError:
        raise InvalidParameterValue(
            f'The expiry {text!r} is neither a Unix time nor ISO 8601 in UTC'
            ' (2026-11-22T09:30:00Z).') from None


def parse_moment(text: str) -> int:
    """Return the Unix time (seconds) that a person wrote.

    :param text: ISO 8601, in UTC where it names no offset, or a Unix time.
    :raises InvalidParameterValue: it is neither, or lies beyond the year 9999.
    """
    if re.fullmatch(r'\d{1,18}', text, re.ASCII):
        return check_expires(int(text))
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidParameterValue(
            f'The time {text!r} is neither ISO 8601 (2030-01-31T18:00:00Z) nor a Unix'
            ' time.') from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return int(moment.timestamp())


def check_method(method: str) -> str:
    """Return the method in capitals.

    :raises InvalidParameterValue: it is not one that a temporary URL can be signed for.
    """
    if method.upper() not in METHODS:
        raise InvalidParameterValue(
            f'The method {method!r} is unknown: use one of {", ".join(METHODS)}.')
    return method.upper()


def check_ip_range(ip_range: str) -> str:
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


@dataclasses.dataclass(frozen=True)
class ObjectPath:
    """An object in a container; ``str()`` gives the path that is signed.

    >>> str(ObjectPath('AUTH_x', 'glance', '3a1f'))
    '/v1/AUTH_x/glance/3a1f'

    :ivar account: None for a RADOS Gateway without accounts in its URLs.
    :raises InvalidParameterValue: a part is empty, or has a slash where none may be. A URL
        without an object is never made: Swift refuses it, and it crashes some gateways.
    """

    account: str | None
    container: str
    object: str
    api_version: str = 'v1'

    def __post_init__(self) -> None:
        for name in ('api_version', 'account', 'container'):
            part = getattr(self, name)
            if part is not None and (not part or '/' in part):
                raise InvalidParameterValue(
                    f'The {name.replace("_", " ")} {part!r} is empty or has a slash in it.')
        if not self.object.strip('/'):
            raise InvalidParameterValue('A temporary URL needs an object, and none is named.')

    def __str__(self) -> str:
        return self.container_path + self.object

    @property
    def container_path(self) -> str:
        """The path up to the object's name, such as ``/v1/AUTH_x/glance/``."""
        account = '' if self.account is None else f'{self.account}/'
        return f'/{self.api_version}/{account}{self.container}/'


@dataclasses.dataclass(frozen=True)
class TempURL:
    """A temporary URL, taken apart; :attr:`url` puts it together.

    :ivar endpoint: what stands before the path, such as ``https://swift.example.com`` or,
        for a RADOS Gateway, ``https://rgw.example.com/swift``.
    :ivar signature: as it stands in the URL; a bearer secret, and in no ``repr``.
    :ivar expires: Unix time, seconds.
    :ivar prefix: None for a URL of one object; else its signature is good for every object
        of the container whose name begins so.
    :ivar iso8601: whether the URL writes the expiry as ISO 8601.
    :raises InvalidParameterValue: the endpoint is none, or has a character that does not belong
        into a URL.
    """

    endpoint: str
    path: ObjectPath
    signature: str = dataclasses.field(repr=False)
    expires: int
    ip_range: str | None = None
    prefix: str | None = None
    filename: str | None = None
    inline: bool = False
    iso8601: bool = False

    def __post_init__(self) -> None:
        try:
            validate_endpoint(self.endpoint)
        except ValueError as error:
            raise InvalidParameterValue(f'The endpoint of the URL is invalid: {error}.') from None

    @property
    def digest(self) -> str:
        """The digest of the signature, by its form."""
        return decode_signature(self.signature)[0]

    @property
    def url(self) -> str:
        """The URL itself."""
        expires = format_expires(self.expires) if self.iso8601 else self.expires
        url = (f'{self.endpoint}{quote(str(self.path))}?temp_url_sig={quote(self.signature)}'
               f'&temp_url_expires={expires}')
        if self.ip_range is not None:
            url += f'&temp_url_ip_range={quote(self.ip_range)}'
        if self.prefix is not None:
            url += f'&temp_url_prefix={quote(self.prefix)}'
        if self.filename is not None:
            url += f'&filename={quote(self.filename)}'
        if self.inline:
            url += '&inline'
        return url


def parse(url: str, endpoint_type: str | None = None) -> TempURL:
    """Take a temporary URL apart.

    :param endpoint_type: ``swift`` where the URL's path has an account, ``radosgw`` where it
        has one only if the part after the version is an account's name (``AUTH_...``); None
        decides by whether the API is served below ``/swift``.
    :raises InvalidParameterValue: it is not a temporary URL; the message says why.
    """
    if odd := _IN_NO_REQUEST.search(url):
        raise InvalidParameterValue(
            f'This is not a temporary URL: {odd[0]!r} does not belong into a URL.')
    try:
        parts = urllib.parse.urlsplit(url)
        path = urllib.parse.unquote(parts.path, errors='strict')
        # As in the middleware: what is not UTF-8 is replaced.
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        raise InvalidParameterValue('This is not a temporary URL: it is not a URL.') from None
    if parts.scheme not in ('http', 'https') or not parts.hostname:
        raise InvalidParameterValue(
            'This is not a temporary URL: it does not begin with http:// or https:// and a host.')
    # As in the middleware (get_temp_url_info), the first of several values counts.
    values = {name: found[0] for name, found in query.items()}
    for name in ('temp_url_sig', 'temp_url_expires'):
        if not values.get(name):
            raise InvalidParameterValue(f'This is not a temporary URL: it has no {name}.')
    decode_signature(values['temp_url_sig'])
    match = re.fullmatch(r'(.*?)/(v\d+(?:\.\d+)?)/(.*)', path, re.ASCII | re.DOTALL)
    if not match:
        raise InvalidParameterValue(
            'This is not a temporary URL: its path has no API version such as /v1/.')
    base, api_version, rest = match.groups()
    gateway = endpoint_type == 'radosgw' or (endpoint_type is None and is_gateway(base))
    # A gateway's URL may have an account or none.
    endpoint_type = 'radosgw' if gateway and not rest.startswith('AUTH_') else 'swift'
    account, found, container_and_object = (
        rest.partition('/') if endpoint_type == 'swift' else (None, '/', rest))
    container, slash, object_name = container_and_object.partition('/')
    if not (found and slash):
        raise InvalidParameterValue('This is not a temporary URL: its path names no object.')
    return TempURL(
        endpoint=f'{parts.scheme}://{parts.netloc}{quote(base)}',
        path=ObjectPath(account, container, object_name, api_version),
        signature=values['temp_url_sig'], expires=parse_expires(values['temp_url_expires']),
        # An empty range is none to Swift; an empty prefix is the whole container.
        ip_range=values.get('temp_url_ip_range') or None, prefix=values.get('temp_url_prefix'),
        filename=values.get('filename'), inline='inline' in values,
        iso8601='t' in values['temp_url_expires'].lower())


def decode_signature(signature: str) -> tuple[str, bytes]:
    """Return digest and bytes of a signature, by the rules of ``swift.common.digest``.

    Base64 is standard or URL-safe but not both, with as much padding as one likes. Hex is
    compared as text, so that capitals are wrong.

    :raises InvalidParameterValue: it is no signature.
    """
    digest, colon, encoded = signature.partition(':')
    try:
        if colon:
            encoded = encoded.strip('=')
            if not set(encoded) & {'+', '/'}:
                encoded = encoded.replace('-', '+').replace('_', '/')
            value = base64.b64decode(encoded + '=' * (-len(encoded) % 4), validate=True)
        else:
            digest, value = _DIGEST_OF_HEX_LENGTH[len(signature)], bytes.fromhex(signature)
            if signature != signature.lower():
                raise InvalidParameterValue(
                    'This is not a temporary URL: its temp_url_sig has capitals, and Swift takes'
                    ' small letters only.')
        if len(value) != hashlib.new(digest).digest_size or digest not in DIGESTS:
            raise ValueError
    except (KeyError, ValueError):
        raise InvalidParameterValue(
            'This is not a temporary URL: its temp_url_sig is no signature.') from None
    return digest, value
