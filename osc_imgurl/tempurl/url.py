# SPDX-License-Identifier: Apache-2.0
"""A temporary URL, an object's path and a signature as values; a URL taken apart.

The parameters are those of Swift's tempurl middleware (``swift.common.middleware.tempurl``).
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import re
import urllib.parse
from collections.abc import Iterator

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.endpoint import is_gateway, require_endpoint
from osc_imgurl.tempurl.options import URLOptions, format_expires, parse_expires

DIGESTS = ('sha1', 'sha256', 'sha512')
_DIGEST_OF_HEX_LENGTH = {40: 'sha1', 64: 'sha256', 128: 'sha512'}
# What Swift accepts by default (swift.common.constraints), in bytes.
MAX_LENGTHS = {'account': 256, 'container': 256, 'object': 1024}
_NEEDS_NO_QUOTES = re.compile(r'[\w.~/:-]*', re.ASCII)
# What no request can carry, and urlsplit() drops in part.
_IN_NO_REQUEST = re.compile(r'[\0-\x20\x7f]')
_QUOTES = '"\'>`'
_ALONE = 'Give the URL alone, without quotation marks of its own.'
# What these methods allow. Metadata say when Swift removes an object.
_RISKS = {'PUT': 'replace', 'POST': 'change the metadata of, and so remove,', 'DELETE': 'remove'}


def quote(text: str) -> str:
    """Percent-encode a path, or a value of the query, as this library sends it."""
    return text if _NEEDS_NO_QUOTES.fullmatch(text) else urllib.parse.quote(text, safe='/:')


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
            'This is not a temporary URL: its temp_url_sig is not a signature (hex digits, or'
            ' <digest>:<base64>).', 'Copy the whole URL again.') from None
    return digest, value


def _validate_length(name: str, value: str) -> None:
    if len(value.encode(errors='replace')) > MAX_LENGTHS[name]:
        raise InvalidParameterValue(
            f'The name of the {name} is longer than Swift accepts ({MAX_LENGTHS[name]} bytes).')


def _validate_segments(path: str) -> None:
    if {'.', '..'} & {*path.split('/')}:
        raise InvalidParameterValue(
            f'The path {path} has a part . or .., and clients ask for another path then.')


@functools.lru_cache
def _container_path(api_version: str, account: str | None, container: str) -> str:
    """Validate and return what the paths of many objects have in common."""
    for name, part in (('api_version', api_version), ('account', account),
                       ('container', container)):
        if part is None:
            continue
        if name in MAX_LENGTHS:
            _validate_length(name, part)
        if not part or '/' in part:
            raise InvalidParameterValue(
                f'The {name.replace("_", " ")} {part!r} is empty or has a slash in it.')
        _validate_segments(part)
    return f'/{api_version}/{"" if account is None else f"{account}/"}{container}/'


@dataclasses.dataclass(frozen=True)
class ObjectPath:
    """An object in a container; ``str()`` gives the path to sign.

    >>> str(ObjectPath('AUTH_x', 'glance', '3a1f'))
    '/v1/AUTH_x/glance/3a1f'

    :ivar account: None for a RADOS Gateway without accounts in its URLs.
    :raises InvalidParameterValue: a part is empty, has a slash where none may be, or is longer
        than :data:`MAX_LENGTHS`. A URL without an object is never made: Swift refuses it, and it
        crashes some gateways. One with a part ``.`` or ``..`` never works: clients take such parts
        out of a path.
    """

    account: str | None
    container: str
    object: str
    api_version: str = 'v1'

    def __post_init__(self) -> None:
        _container_path(self.api_version, self.account, self.container)
        if len(self.object) * 4 > MAX_LENGTHS['object']:
            _validate_length('object', self.object)
        if not self.object.strip('/'):
            raise InvalidParameterValue('A temporary URL needs an object, and none is named.')
        if '.' in self.object:
            _validate_segments(self.object)

    def __str__(self) -> str:
        return self.container_path + self.object

    @property
    def container_path(self) -> str:
        """The path up to the object's name, such as ``/v1/AUTH_x/glance/``."""
        return _container_path(self.api_version, self.account, self.container)


@dataclasses.dataclass(frozen=True)
class TempURL:
    """A temporary URL, taken apart; :attr:`url` puts it together.

    :ivar endpoint: what stands before the path, such as ``https://swift.example.com`` or,
        for a RADOS Gateway, ``https://rgw.example.com/swift``.
    :ivar signature: as it stands in the URL; a bearer secret, and in no ``repr``.
    :ivar expires: Unix time, seconds.
    :ivar prefix: None for a URL of one object; else its signature is valid for every
        object of the container with this prefix.
    :ivar iso8601: whether the URL writes the expiry as ISO 8601.
    :raises InvalidParameterValue: the endpoint is invalid.
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
        require_endpoint(self.endpoint)

    def at(self, endpoint: str) -> TempURL:
        """Return the same URL at another endpoint: the endpoint is not signed."""
        return dataclasses.replace(self, endpoint=endpoint)

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


def risks(options: URLOptions, path: ObjectPath) -> Iterator[str]:
    """Yield what a URL allows beyond reading the object, if anything, a sentence each.

    With its whole name as the prefix, a URL opens an object and its segments.
    """
    if options.prefix == '':
        yield ('The prefix is empty: this URL gives access to every object in the container'
               f' {path.container}')
    elif options.prefix is not None and options.prefix != path.object:
        yield (f'This URL gives access to every object in the container {path.container} whose'
               f' name begins with {options.prefix}')
    if can := _RISKS.get(options.method):
        yield f'Anyone with this URL can {can} the object until it expires'


def names_temp_url(text: str) -> bool:
    """Say whether a text is meant as a temporary URL, well-formed or not; no image has its name."""
    return 'temp_url_sig' in text


def names_url(text: str) -> bool:
    """Say whether a text is meant as a URL, and not as an image's name."""
    return text.lower().startswith(('http://', 'https://')) or names_temp_url(text)


def parse(url: str, endpoint_type: str | None = None) -> TempURL:
    """Take a temporary URL apart.

    :param endpoint_type: ``swift`` where the URL's path has an account, ``radosgw`` where it
        has one only if the part after the version is an account's name (``AUTH_...``); None
        decides by the path alone.
    :raises InvalidParameterValue: it is not a temporary URL, or its path alone does not say
        whether it has an account; the message says why.
    """
    parts, values = _split(url)
    for name in ('temp_url_sig', 'temp_url_expires'):
        if not values.get(name):
            raise _no_temp_url(f'it has no {name}', _cut_off(parts.query))
        if values[name][-1] in _QUOTES:
            raise _no_temp_url(f'its {name} ends with {values[name][-1]}', _ALONE)
    signature, expires = values['temp_url_sig'], values['temp_url_expires']
    decode_signature(signature)
    base, path = _split_path(parts.path, endpoint_type)
    return TempURL(
        endpoint=f'{parts.scheme}://{parts.netloc}{quote(base)}', path=path,
        signature=signature, expires=parse_expires(expires),
        # An empty range is none to Swift; an empty prefix is the whole container.
        ip_range=values.get('temp_url_ip_range') or None, prefix=values.get('temp_url_prefix'),
        filename=values.get('filename'), inline='inline' in values,
        iso8601='t' in expires.lower())


def _split(url: str) -> tuple[urllib.parse.SplitResult, dict[str, str]]:
    """Return the parts of a URL, its path decoded, and the values in its query."""
    if odd := _IN_NO_REQUEST.search(url):
        raise _no_temp_url(f'{odd[0]!r} does not belong into a URL', _alone(url))
    try:
        parts = urllib.parse.urlsplit(url)
        parts = parts._replace(path=urllib.parse.unquote(parts.path, errors='strict'))
        # As in the middleware: what is not UTF-8 is replaced.
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        raise _no_temp_url('it is not a URL') from None
    if parts.scheme not in ('http', 'https') or not parts.hostname:
        raise _no_temp_url(
            'it does not begin with http:// or https:// and a host',
            'Put scheme and host in front, such as https://swift.example.com.'
            if url.startswith('/') else _alone(url))
    # As in the middleware (get_temp_url_info), the first of several values counts.
    return parts, {name: found[0] for name, found in query.items()}


def _alone(url: str) -> str:
    """Return the remedy for a URL that something stands before."""
    begins = re.search('https?://', url, re.IGNORECASE)
    return _ALONE if begins and begins.start() else ''


def _cut_off(query: str) -> str:
    """Return the remedy for an incomplete query, if its cause is known."""
    if '&amp;' in query:
        return 'It comes from HTML: replace each &amp; by &.'
    if ';' in query:
        return 'Replace each semicolon by &.'
    if query.startswith('temp_url_sig=') and '&' not in query:
        return 'Quote the URL: in a shell, & ends a command.'
    return ''


def _split_path(path: str, endpoint_type: str | None) -> tuple[str, ObjectPath]:
    """Return what stands before the API version, and the object."""
    match = re.fullmatch(r'(.*?)/(v\d+(?:\.\d+)?)/(.*)', path, re.ASCII | re.DOTALL)
    if not match:
        raise _no_temp_url('its path has no API version such as /v1/')
    base, api_version, rest = match.groups()
    if endpoint_type is None:
        endpoint_type = _type_by_path(base, rest)
    # A gateway's URL may have an account or none.
    if endpoint_type == 'radosgw' and not rest.startswith('AUTH_'):
        account, found, container_and_object = None, '/', rest
    else:
        account, found, container_and_object = rest.partition('/')
    container, slash, name = container_and_object.partition('/')
    if not (found and slash):
        raise _no_temp_url('its path names no object')
    return base, ObjectPath(account, container, name, api_version)


def _type_by_path(base: str, rest: str) -> str:
    """Return the endpoint type that a path shows.

    What is too short for an account has none. Below ``/swift`` a longer one may have one or not,
    for a gateway's accounts have any name.

    :param rest: what comes after the API version.
    :raises InvalidParameterValue: there are two ways to read it.
    """
    first, *others = rest.split('/', 2)
    if len(others) < 2:
        return 'radosgw'
    if first.startswith('AUTH_') or not is_gateway(base, ''):
        return 'swift'
    container, name = others
    raise InvalidParameterValue(
        f'This temporary URL can be read in two ways: account {first}, container {container},'
        f' object {name}; or no account, container {first}, object {container}/{name}.',
        'Give the endpoint type: swift if it has an account, radosgw if it has none.',
        'endpoint_type')


def _no_temp_url(why: str, remedy: str = '') -> InvalidParameterValue:
    return InvalidParameterValue(f'This is not a temporary URL: {why}.', remedy)
