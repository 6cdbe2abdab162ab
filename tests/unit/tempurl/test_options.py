"""What a temporary URL is asked for, and what of it is invalid."""

import dataclasses

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.options import (
    METHODS,
    URLOptions,
    risks,
    validate_ip_range,
    validate_method,
)
from osc_imgurl.tempurl.url import ObjectPath


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
    assert str(caught.value).startswith(f'The IP range {ip_range!r} is none: ')


@pytest.mark.parametrize(('asked', 'said'), [
    ({}, []), ({'method': 'HEAD'}, []), ({'prefix': '3a1f'}, []),
    ({'prefix': '3a1'}, ['every object in the container glance whose name begins with 3a1']),
    ({'prefix': ''}, ['every object in the container glance']),
    ({'method': 'PUT'}, ['can replace the object']),
    ({'method': 'post'}, ['can change the metadata of, and so remove, the object']),
    ({'method': 'DELETE', 'prefix': '3'}, ['name begins with 3', 'can remove the object'])])
def test_what_a_url_allows_beyond_reading_the_object(asked, said):
    found = list(risks(URLOptions(**asked), ObjectPath('AUTH_x', 'glance', '3a1f')))
    assert len(found) == len(said)
    for sentence, words in zip(found, said, strict=True):
        assert words in sentence
