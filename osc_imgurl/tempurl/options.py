# SPDX-License-Identifier: Apache-2.0
"""What a temporary URL is asked for: a value, and what of it is valid; its expiry as text."""

from __future__ import annotations

import calendar
import dataclasses
import datetime
import ipaddress
import math
import re
import time

from osc_imgurl.errors import InvalidParameterValue

METHODS = ('GET', 'HEAD', 'PUT', 'POST', 'DELETE')
# Stands for a name made from the image's own.
AUTO_FILENAME = 'auto'
# The last second of the year 9999: later dates have no ISO 8601 form.
MAX_EXPIRES = 253402300799
_SECONDS_BY_UNIT = {'w': 604800, 'd': 86400, 'hr?': 3600, 'm(?:in)?': 60, 's': 1}
# The larger unit first; each may be left out. Of one unit, what `swift tempurl` accepts
# (swiftclient.utils.parse_timestamp).
_NUMBER = r'[\d.]+(?:[eE]\+?\d+)?'
_TIME = re.compile(
    r'\s*'.join(rf'(?:({_NUMBER})\s*{unit})?' for unit in _SECONDS_BY_UNIT), re.ASCII)
# The last second of the year 2147483647: later dates make Swift fail when it answers.
SWIFTS_MAX_EXPIRES = 67767976233532799
# Some programs write these for seconds.
_UNITS = {'milliseconds': 10**3, 'microseconds': 10**6}
_SECONDS_OF_A_YEAR = 31_556_952
_ISO8601 = '%Y-%m-%dT%H:%M:%SZ'


@dataclasses.dataclass(frozen=True)
class URLOptions:
    """What one temporary URL is to allow.

    :ivar duration: for how long, in seconds, or in units as in ``1h30m``; None: as the settings
        say.
    :ivar expires: Unix time, seconds, in place of a duration.
    :ivar method: one of :data:`METHODS`.
    :ivar object: sign this object explicitly, and not the image's.
    :ivar prefix: sign for every object with this prefix; the image's must have it.
    :ivar filename: the name for the file in a browser; :data:`AUTO_FILENAME` is the
        image's name and disk format.
    :raises InvalidParameterValue: method, IP range or duration is invalid.
    """

    method: str = 'GET'
    duration: int | str | None = None
    expires: int | None = None
    object: str | None = None
    ip_range: str | None = None
    prefix: str | None = None
    filename: str | None = None
    inline: bool = False
    iso8601: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, 'method', validate_method(self.method))
        if self.ip_range is not None:
            validate_ip_range(self.ip_range)
        if self.duration is not None:
            try:
                object.__setattr__(self, 'duration', parse_duration(self.duration))
            except ValueError as error:
                raise InvalidParameterValue(
                    f'Invalid duration {self.duration!r}: {error}.') from None

    @property
    def seconds(self) -> int | None:
        """The duration in seconds."""
        return self.duration if isinstance(self.duration, int) else None


def parse_duration(given: str | int, minimum: int = 1, maximum: int = MAX_EXPIRES) -> int:
    """Return a time in seconds: ``1200``, ``20m``, ``1h30m``, ``7d`` or ``2w``.

    :raises ValueError: it is none, less than the minimum or more than the maximum; the message says
        what is expected.
    """
    value = given if type(given) is int else _seconds(str(given).strip())
    if value is None or value < minimum:
        raise ValueError(f'expected a time of at least {minimum} s,'
                         ' such as 1200, 20m, 1h30m, 7d or 2w')
    if value > maximum:
        raise ValueError(f'expected a time of at most {maximum} s')
    return int(value)


def _seconds(text: str) -> float | None:
    """Return a time that is written as text, in seconds; None: it is none."""
    bare = re.fullmatch(_NUMBER, text, re.ASCII)
    match = _TIME.fullmatch(f'{text}s' if bare else text)
    if not match or not text:
        return None
    try:
        value = sum(float(count) * unit for count, unit in zip(
            match.groups(), _SECONDS_BY_UNIT.values(), strict=True) if count)
    except ValueError:
        return None
    return None if bare and value < math.inf and value % 1 else value


def validate_for_many(options: URLOptions) -> None:
    """Accept options of the URLs of several images.

    :raises InvalidParameterValue: they are about one image.
    """
    if options.filename not in (None, AUTO_FILENAME):
        raise InvalidParameterValue(
            'All images would be saved under the same name.',
            f'Use {AUTO_FILENAME}, which gives each its own.', 'filename')
    if options.object is not None:
        raise InvalidParameterValue(
            'All URLs would be for the same object.', 'Leave it out.', 'object')


def validate_method(method: str) -> str:
    """Return the method in capitals.

    :raises InvalidParameterValue: it is not one of :data:`METHODS`.
    """
    if method.upper() not in METHODS:
        raise InvalidParameterValue(
            f'The method {method!r} is unknown: use one of {", ".join(METHODS)}.')
    return method.upper()


def validate_ip_range(ip_range: str) -> str:
    """Return the range if Swift can read it: an address, or a network in CIDR notation.

    :raises InvalidParameterValue: it is neither, or a network with host bits set:
        Swift refuses it (``ipaddress.ip_network``, strict); or it names a zone: that may hold any
        text, and so forge the signed message.
    """
    try:
        if '%' in ip_range:
            raise ValueError('it names a zone')
        ipaddress.ip_network(ip_range)
    except ValueError as error:
        raise InvalidParameterValue(
            f'The IP range {ip_range!r} is invalid: {error}.', 'Use an address or a network such as'
            ' 203.0.113.0/24.', 'ip_range') from None
    return ip_range


def validate_expires(expires: int) -> int:
    """Return an expiry (Unix time, seconds) if it has an ISO 8601 form.

    :raises InvalidParameterValue: it lies before the year 1970 or beyond the year 9999.
    """
    if expires < 0:
        raise InvalidParameterValue(f'The expiry {expires} lies before the year 1970.')
    if expires > MAX_EXPIRES:
        raise InvalidParameterValue(f'The expiry {expires} lies beyond the year 9999.')
    return expires


def mistaken_unit(expires: int) -> str:
    """Return the probable unit of an expiry beyond the year 9999; else nothing.

    >>> mistaken_unit(1795338240000)
    'milliseconds'
    """
    if expires <= MAX_EXPIRES:
        return ''
    return next(unit for unit, parts in _UNITS.items() if expires // parts <= MAX_EXPIRES)


def format_expires(expires: int) -> str:
    """Return a Unix time (seconds) as ISO 8601 in UTC: ``2026-11-22T09:30:00Z``.

    Beyond the year 9999: ``2026-11-22T09:30:00Z (in milliseconds)``.
    """
    unit = mistaken_unit(expires)
    moment = datetime.datetime.fromtimestamp(expires // _UNITS.get(unit, 1), datetime.UTC)
    return moment.strftime(_ISO8601) + (f' (in {unit})' if unit else '')


def remaining_seconds(expires: int, now: float) -> int:
    """Return how many seconds it is until an expiry; less than none once it is past.

    :param expires: Unix time, seconds.
    :param now: likewise.
    """
    return math.floor(expires - now)


def format_remaining(expires: int, now: float) -> str:
    """Return how long it is until an expiry: ``1 day, 2:00:00``, or ``expired 3 min ago``.

    Beyond the year 9999: ``56890 years``.

    :param expires: Unix time, seconds.
    :param now: likewise.
    """
    left = remaining_seconds(expires, now)
    if mistaken_unit(expires):
        return f'{left // _SECONDS_OF_A_YEAR} years'
    if expires >= now:
        return str(datetime.timedelta(seconds=left))
    for seconds, unit in ((86400, 'd'), (3600, 'h'), (60, 'min')):
        # Of the larger unit there are to be two at least, or the figure says too little.
        if -left >= 2 * seconds:
            return f'expired {-left // seconds} {unit} ago'
    return f'expired {-left} s ago'


def parse_expires(text: str) -> int:
    """Return the Unix time (seconds) of an expiry as it stands in a URL's query.

    It is read as in the middleware (``normalize_temp_url_expires``): with ``int``, or with
    ``strptime`` as ``YYYY-MM-DDThh:mm:ssZ``.

    :raises InvalidParameterValue: it is neither, lies before the year 1970, or lies beyond
        :data:`SWIFTS_MAX_EXPIRES`.
    """
    try:
        expires = int(text)
    except ValueError:
        pass
    else:
        if expires > SWIFTS_MAX_EXPIRES:
            raise InvalidParameterValue(
                f'The expiry {text} lies beyond the last year that Swift can write.')
        return expires if expires > MAX_EXPIRES else validate_expires(expires)
    try:
        return validate_expires(calendar.timegm(time.strptime(text, _ISO8601)))
    except ValueError:
        raise InvalidParameterValue(
            f'The expiry {text!r} is neither a Unix time nor ISO 8601 in UTC'
            ' (2026-11-22T09:30:00Z).') from None


def parse_moment(text: str) -> int:
    """Return the Unix time (seconds) of a time as users write it.

    :param text: ISO 8601, in UTC without an offset, or a Unix time.
    :raises InvalidParameterValue: it is neither, or lies before the year 1970 or beyond the year
        9999.
    """
    try:
        if re.fullmatch(r'\d{1,18}', text, re.ASCII):
            return validate_expires(int(text))
        moment = datetime.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return validate_expires(int(moment.timestamp()))
    except ValueError:
        problem = f'The time {text!r} is neither ISO 8601 nor a Unix time.'
    except InvalidParameterValue as error:
        problem = error.problem
    raise InvalidParameterValue(
        problem, 'Give a time such as 2030-01-31T18:00:00Z.', 'expires')
