"""A temporary URL as a value."""

import dataclasses

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.key import Key
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.parse import parse
from osc_imgurl.tempurl.signing import Parameters, sign
from osc_imgurl.tempurl.url import ObjectPath, TempURL, quote

PATH = ObjectPath('AUTH_x', 'glance', '3a1f')
KEY = Key(b'a key')


def signed_url(**changes):
    return sign(Parameters('http://swift', PATH, 1000, URLOptions(**changes)), KEY)


@pytest.mark.parametrize(('url', 'text'), [
    (TempURL('http://h', PATH, 's', 1000),
     'http://h/v1/AUTH_x/glance/3a1f?temp_url_sig=s&temp_url_expires=1000'),
    (TempURL('http://h', PATH, 'a+/=', 1000, iso8601=True),
     'http://h/v1/AUTH_x/glance/3a1f?temp_url_sig=a%2B/%3D&temp_url_expires=1970-01-01T00:16:40Z'),
    (TempURL('http://h/swift', ObjectPath(None, 'a b', 'c/ü?'), 's', 1, '10.0.0.0/8', 'c&', 'd e'),
     'http://h/swift/v1/a%20b/c/%C3%BC%3F?temp_url_sig=s&temp_url_expires=1'
     '&temp_url_ip_range=10.0.0.0/8&temp_url_prefix=c%26&filename=d%20e'),
    (TempURL('http://h', PATH, 's', 1, prefix='', filename='', inline=True),
     'http://h/v1/AUTH_x/glance/3a1f?temp_url_sig=s&temp_url_expires=1&temp_url_prefix='
     '&filename=&inline'),
])
def test_a_url_is_put_together(url, text):
    assert url.url == text


@pytest.mark.parametrize(('path', 'text'), [
    (ObjectPath('a', 'c', 'o'), '/v1/a/c/o'), (ObjectPath(None, 'c', 'o'), '/v1/c/o'),
    (ObjectPath('a', 'c', '/o/ ü', 'v1.0'), '/v1.0/a/c//o/ ü')])
def test_the_path_that_is_signed(path, text):
    assert str(path) == text
    assert path.container_path == text.removesuffix(path.object)


@pytest.mark.parametrize(('part', 'length'), [
    ('account', 256), ('container', 256), ('object', 1024)])
def test_names_as_long_as_swift_accepts(part, length):
    for longest in ('a' * length, 'ü' * (length // 2)):
        assert getattr(dataclasses.replace(PATH, **{part: longest}), part) == longest
        with pytest.raises(InvalidParameterValue) as caught:
            dataclasses.replace(PATH, **{part: f'{longest}a'})
        assert str(caught.value) == (
            f'The name of the {part} is longer than Swift accepts ({length} bytes).')
        with pytest.raises(InvalidParameterValue, match='longer than Swift accepts'):
            parse(signed_url().url.replace(f'/{getattr(PATH, part)}', f'/{quote(longest)}a', 1))


def test_equal_urls_are_one():
    assert len({TempURL('http://h', PATH, 's', 1), TempURL('http://h', PATH, 's', 1)}) == 1
    assert len({PATH, ObjectPath('AUTH_x', 'glance', '3a1f')}) == 1


def test_what_is_quoted():
    assert quote('aZ0-._~/:') == 'aZ0-._~/:'
    assert quote("%+?&=#'\" ü@,;") == '%25%2B%3F%26%3D%23%27%22%20%C3%BC%40%2C%3B'


@pytest.mark.parametrize('parts', [
    ('', 'c', 'o'), ('a/b', 'c', 'o'), ('a', '', 'o'), ('a', 'c/d', 'o'), ('a', 'c', ''),
    ('a', 'c', '/'), (None, '', 'o'),
])
def test_a_path_without_all_its_parts_is_never_made(parts):
    with pytest.raises(InvalidParameterValue):
        ObjectPath(*parts)


@pytest.mark.parametrize('version', ['', 'v1/a'])
def test_a_path_without_an_api_version(version):
    with pytest.raises(InvalidParameterValue, match='is empty or has a slash in it'):
        ObjectPath('a', 'c', 'o', version)


def test_a_url_without_an_endpoint():
    with pytest.raises(InvalidParameterValue, match='The endpoint of the URL is invalid: expected'):
        TempURL('swift', PATH, 's', 1)


@pytest.mark.parametrize('digest', ['sha1', 'sha256', 'sha512'])
def test_the_digest_is_known_by_the_signature(digest):
    assert sign(Parameters('http://swift', PATH, 1, digest=digest), KEY).digest == digest


def test_a_signature_is_in_no_repr():
    url = signed_url()
    assert url.signature not in repr(url)


@pytest.mark.parametrize('parts', [
    ('.', 'c', 'o'), ('..', 'c', 'o'), ('a', '..', 'o'), ('a', 'c', '..'), ('a', 'c', 'x/../o'),
    ('a', 'c', './o'), ('a', 'c', 'o/.'), (None, '..', 'o')])
def test_a_part_that_clients_take_out_of_a_path(parts):
    with pytest.raises(InvalidParameterValue, match=r'has a part \. or \.\.'):
        ObjectPath(*parts)


@pytest.mark.parametrize('name', ['...', '.o', 'o.', 'x..y', '/o', 'o/', 'x//o'])
def test_dots_and_slashes_that_stay(name):
    assert str(ObjectPath('a', 'c', name)) == f'/v1/a/c/{name}'
