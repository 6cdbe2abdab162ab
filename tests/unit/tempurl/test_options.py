"""What a temporary URL is asked for, and what of it is invalid; when it expires."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.options import (
    MAX_EXPIRES,
    METHODS,
    SWIFTS_MAX_EXPIRES,
    URLOptions,
    format_expires,
    format_remaining,
    mistaken_unit,
    parse_expires,
    parse_moment,
    remaining_seconds,
    validate_expires,
    validate_ip_range,
    validate_method,
)

moments = st.integers(1, MAX_EXPIRES)


def test_nothing_asked_for_is_a_download_of_the_image():
    assert URLOptions() == URLOptions(
        method='GET', expires=None, object=None, ip_range=None, prefix=None, filename=None,
        inline=False, iso8601=False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        URLOptions().method = 'PUT'


def test_the_methods_that_swift_takes():
    assert set(METHODS) == {'GET', 'HEAD', 'PUT', 'POST', 'DELETE'}
    # Nearly all URLs are signed for a GET: it is tried first.
    assert METHODS[0] == 'GET'


@pytest.mark.parametrize('method', ['GET', 'get', 'Head', 'put', 'POST', 'delete'])
def test_a_method(method):
    assert validate_method(method) == method.upper()


@pytest.mark.parametrize('method', ['', 'PATCH', 'OPTIONS', 'GET ', 'G', 'GET\nPUT'])
def test_an_unknown_method(method):
    with pytest.raises(InvalidParameterValue, match='is unknown: use one of GET, HEAD, PUT, POST'):
        validate_method(method)


@pytest.mark.parametrize('ip_range', [
    '203.0.113.7', '203.0.113.0/24', '0.0.0.0/0', '10.0.0.0/255.0.0.0', '::1', '2001:db8::/32'])
def test_an_ip_range(ip_range):
    assert validate_ip_range(ip_range) == ip_range


@pytest.mark.parametrize(('ip_range', 'why'), [
    ('', 'does not appear to be'), ('nonsense', 'does not appear to be'),
    ('10.0.0.1/8', 'has host bits set'), ('2001:db8::1/32', 'has host bits set'),
    ('10.0.0.0/33', 'does not appear to be'), ('10.0.0.1 ', 'does not appear to be'),
    ('fe80::1%eth0', 'it names a zone')])
def test_no_ip_range(ip_range, why):
    with pytest.raises(InvalidParameterValue, match=why) as caught:
        validate_ip_range(ip_range)
    assert str(caught.value).startswith(f'The IP range {ip_range!r} is invalid: ')


@given(moments)
def test_expiry_in_both_forms(expires):
    assert parse_expires(format_expires(expires)) == expires
    assert parse_expires(str(expires)) == expires


@pytest.mark.parametrize(('expires', 'text'), [
    (0, '1970-01-01T00:00:00Z'), (1896112799, '2030-01-31T17:59:59Z'),
    (MAX_EXPIRES, '9999-12-31T23:59:59Z')])
def test_an_expiry(expires, text):
    assert validate_expires(expires) == expires
    assert format_expires(expires) == text
    assert parse_moment(text) == parse_moment(str(expires)) == parse_expires(text) == expires


@pytest.mark.parametrize(('expires', 'why'), [
    (-1, 'lies before the year 1970'), (MAX_EXPIRES + 1, 'lies beyond the year 9999')])
def test_no_expiry(expires, why):
    with pytest.raises(InvalidParameterValue, match=why):
        validate_expires(expires)


@pytest.mark.parametrize(('expires', 'unit', 'text', 'remaining'), [
    (MAX_EXPIRES, '', '9999-12-31T23:59:59Z', '2912225 days, 16:53:19'),
    (MAX_EXPIRES + 1, 'milliseconds', '1978-01-11T21:31:40Z (in milliseconds)', '7973 years'),
    (1795338240000, 'milliseconds', '2026-11-22T09:04:00Z (in milliseconds)', '56835 years'),
    (MAX_EXPIRES * 1000 + 999, 'milliseconds', '9999-12-31T23:59:59Z (in milliseconds)',
     '8029942 years'),
    (1795338240000000, 'microseconds', '2026-11-22T09:04:00Z (in microseconds)',
     '56891947 years'),
    (SWIFTS_MAX_EXPIRES, 'microseconds', '4117-06-25T13:50:33Z (in microseconds)',
     '2147481621 years')])
def test_an_expiry_in_another_unit(expires, unit, text, remaining):
    assert parse_expires(str(expires)) == expires
    assert mistaken_unit(expires) == unit
    assert format_expires(expires) == text
    assert format_remaining(expires, 1_786_000_000) == remaining


@pytest.mark.parametrize(('text', 'why'), [
    ('-1', 'lies before the year 1970'), (str(SWIFTS_MAX_EXPIRES + 1), 'the last year that Swift'),
    ('9' * 4000, 'the last year that Swift')])
def test_an_expiry_of_no_year(text, why):
    with pytest.raises(InvalidParameterValue, match=why):
        parse_expires(text)


@pytest.mark.parametrize(('text', 'expires'), [
    (' 1000 ', 1000), ('+1000', 1000), ('1_000', 1000), ('01000', 1000), ('\u0661', 1),
    ('2030-1-31t18:00:00z', 1896112800), ('2030-01-31T18:00:60Z', 1896112860)])
def test_an_expiry_that_swift_reads(text, expires):
    assert parse_expires(text) == expires


@pytest.mark.parametrize('text', [
    '', 'soon', '1.5', '0x10', '2030-01-31', '2030-01-31T18:00:00', '2030-01-31T18:00:00+00:00',
    '2030-02-31T18:00:00Z', '2030-01-31 18:00:00Z', '9' * 5000])
def test_an_expiry_that_swift_cannot_read(text):
    with pytest.raises(InvalidParameterValue, match='is neither a Unix time nor ISO 8601'):
        parse_expires(text)


@pytest.mark.parametrize(('text', 'why'), [
    ('', 'is neither ISO 8601'), ('tomorrow', 'is neither ISO 8601'), ('-1', 'is neither ISO'),
    ('1.5', 'is neither ISO 8601'), ('9' * 19, 'is neither ISO 8601'), ('\u0661', 'is neither'),
    ('9' * 18, 'lies beyond the year 9999'), (str(MAX_EXPIRES + 1), 'lies beyond the year 9999'),
    ('9999-12-31T23:59:59-01:00', 'lies beyond the year 9999'),
    ('0001-01-01T00:00:00+14:00', 'lies before the year 1970'),
    ('1969-12-31T23:59:59Z', 'lies before the year 1970')])
def test_what_is_no_moment(text, why):
    with pytest.raises(InvalidParameterValue, match=why):
        parse_moment(text)


@pytest.mark.parametrize(('text', 'moment'), [
    ('2030-01-31T18:00:00Z', 1896112800),
    ('2030-01-31T18:00:00', 1896112800),
    ('2030-01-31T19:00:00+01:00', 1896112800),
    ('2030-01-31', 1896048000),
    ('1896112800', 1896112800),
])
def test_parse_moment(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize(('left', 'text'), [
    (0, '0:00:00'), (1199, '0:19:59'), (93600, '1 day, 2:00:00'), (-1, 'expired 1 s ago'),
    (-0.5, 'expired 1 s ago'), (-119, 'expired 119 s ago'), (-120, 'expired 2 min ago'),
    (-180, 'expired 3 min ago'), (-7199, 'expired 119 min ago'), (-7200, 'expired 2 h ago'),
    (-172799, 'expired 47 h ago'), (-172800, 'expired 2 d ago'), (-864000, 'expired 10 d ago')])
def test_format_remaining(left, text):
    assert format_remaining(1_000_000, 1_000_000 - left) == text


@pytest.mark.parametrize(('now', 'seconds'), [
    (1000, 0), (1000.5, -1), (999.5, 0), (999, 1), (0, 1000), (2000, -1000)])
def test_remaining_seconds(now, seconds):
    left = remaining_seconds(1000, now)
    assert (left, type(left)) == (seconds, int)
