"""What the text of a setting may be."""

import pytest
from swiftclient.utils import parse_timestamp

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings import values
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key


@pytest.mark.parametrize(('read', 'text', 'value'), [
    (values.seconds(1), '1', 1), (values.seconds(1), ' 90 ', 90), (values.seconds(1), '90s', 90),
    (values.seconds(1), '20m', 1200), (values.seconds(1), '2h', 7200),
    (values.seconds(1), '7d', 604800), (values.seconds(0), '0', 0), (values.seconds(0), '0d', 0),
    (values.seconds(1), '1h30m', 5400), (values.seconds(1), '2w', 1209600),
    (values.seconds(1), '1w1d1h1m1s', 694861), (values.seconds(1), '1d90m', 91800),
    (values.seconds(1), '0h1s', 1), (values.seconds(0), '0w0s', 0),
    (values.seconds(60), '1m', 60), (values.seconds(1), '2' * 12, 222222222222),
    (values.seed, '0', 0), (values.seed, ' 32 ', 32), (values.seed, '07', 7),
    (values.retries, '0', 0), (values.retries, ' 999 ', 999),
    (values.seconds(1), '1hr', 3600), (values.seconds(1), '60min', 3600),
    (values.seconds(1), '1.5h', 5400), (values.seconds(1), '.5d', 43200),
    (values.seconds(1), '1e3', 1000), (values.seconds(1), '1200.0', 1200),
    (values.seconds(1), '1.9s', 1), (values.seconds(1), '20 m', 1200),
    (values.seconds(1), '1hr 30min', 5400), (values.seconds(1), '1h 30m 5s', 5405),
    *((values.boolean, text, True) for text in ('true', 'True', ' YES ', 'on', '1')),
    *((values.boolean, text, False) for text in ('false', 'False', ' NO ', 'off', '0')),
    (values.one_of('a', 'b'), 'a', 'a'), (values.one_of('a', 'b'), 'b', 'b'),
    (values.text, 'a/b', 'a/b'), (values.text, ' ', ' '),
    (values.prefix, '', ''), (values.prefix, 'AUTH_', 'AUTH_'), (values.name, 'glance', 'glance'),
    (values.url, 'http://swift:8080', 'http://swift:8080'), (values.url, 'HTTP://h/', 'http://h'),
    (values.url, 'https://h/v1/AUTH_x', 'https://h/v1/AUTH_x'),
    (values.url, 'https://h/swift/v1/', 'https://h/swift/v1'),
    (values.schemes, '', ()), (values.schemes, ' , ', ()), (values.schemes, 'file', ('file',)),
    (values.schemes, ' file , http,', ('file', 'http')),
    (values.arguments, '', ()), (values.arguments, ',', ()),
    (values.arguments, 'a=1,b=true,c=null,d=1.5', (('a', 1), ('b', True), ('c', None), ('d', 1.5))),
    (values.arguments, ' host =redis://h,x=', (('host', 'redis://h'), ('x', ''))),
    (values.arguments, 'a=b=c', (('a', 'b=c'),)),
    (values.arguments, 'password_file=x,passwords', None),
    (values.key, 'a key', Key(b'a key')), (values.key, 'ü\udcff', Key(b'\xc3\xbc\xff')),
    (values.password, 'a password', 'a password'), (values.password, ' ü ', ' ü '),
])
def test_a_value(read, text, value):
    if value is None:
        with pytest.raises(ValueError, match='expected name=value'):
            read(text)
    else:
        found = read(text)
        assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize('text', [
    '9' * 12, '9' * 13, '9' * 400, f'{"9" * 13}d', '1e12', '1e400', f'1w{"9" * 13}s', '1e99w'])
def test_a_time_that_is_too_long(text):
    with pytest.raises(ValueError, match='expected a time of at most 253402300799 s'):
        values.seconds(0)(text)
    with pytest.raises(ValueError, match='expected a time of at most 60 s'):
        values.seconds(0, 60)(text)
    with pytest.raises(InvalidParameterValue, match='at most 253402300799 s'):
        URLOptions(duration=text)
    with pytest.raises(InvalidParameterValue, match='at most 253402300799 s'):
        URLOptions(duration=10 ** 30)


@pytest.mark.parametrize('number', ['7', '7.25', '.5', '7.', '7e2', '7E2', '1.5e+3', ' 7'])
@pytest.mark.parametrize('unit', ['', 's', 'm', 'min', 'h', 'hr', 'd', ' h', '\tmin'])
def test_a_time_as_swift_tempurl_reads_it(number, unit):
    try:
        wanted = parse_timestamp(f'{number}{unit}')[0]
    except ValueError:
        with pytest.raises(ValueError, match='expected a time'):
            values.seconds(0)(f'{number}{unit}')
    else:
        assert values.seconds(0)(f'{number}{unit}') == wanted


@pytest.mark.parametrize(('read', 'texts', 'expected'), [
    (values.seconds(1), ['', '0', '0d', '-1', 'x', '1.5', '1y', '1M', '٣', 'm', '1s1', '.', '1.h.',
                         '1h30', '30m1h', '1h1h', '1hour', '٣h', 'hm', '0.5s', '1..5h', '1h5',
                         'inf', 'nan', '1e', '-1e3', '1h-1m'],
     'expected a time of at least 1 s, such as 1200, 20m, 1h30m, 7d or 2w'),
    (values.seconds(0), ['-1', ''], 'expected a time of at least 0 s, such as'),
    (values.seconds(60), ['59', '59s', '0m'], 'expected a time of at least 60 s, such as'),
    (values.seed, ['', '-1', '33', '100', '1.0', 'x', '٣'], 'expected an integer from 0 to 32'),
    (values.retries, ['', '-1', '1000', 'x', '٣'], 'expected a number of retries, 0 for none'),
    (values.boolean, ['', 'x', '2', 'none'], 'expected true or false'),
    (values.one_of('a', 'b'), ['', 'c', 'A', 'ab'], 'expected one of a, b'),
    (values.text, [''], 'expected a value'),
    (values.prefix, ['/', 'a/b'], 'expected a name without slashes'),
    (values.name, ['/', 'a/b'], 'expected a name without slashes'),
    (values.name, [''], 'expected a value'),
    (values.url, ['', 'swift', 'ftp://swift'], 'expected a URL such as'),
    (values.url, ['http://u:p@h', 'http://h?x'], 'expected a URL without credentials'),
    (values.arguments, ['a', '=b', 'a=b,c', '='], 'expected name=value, separated by commas'),
    (values.arguments, ['password=x', 'a=1,Password: x', 'PASSWD = x', 'url=redis://:x@h',
                        'url=redis://u:x,\ny@h'],
     'a password may not stand there: OpenStackClient prints'),
    (values.key, ['', ' x'], 'it (is empty|has a space)'),
    (values.password, ['a\tb', 'a\nb', '\udcff'], 'expected one line of UTF-8 without control'),
    (values.password, [''], 'expected a value'),
])
def test_no_value(read, texts, expected):
    for text in texts:
        with pytest.raises(ValueError, match=expected):
            read(text)
