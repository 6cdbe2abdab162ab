"""What a cached expiry is found by: all that shapes a URL, whatever is added to it."""

import dataclasses

import pytest

from osc_imgurl.cache.base import signature_fingerprint
from osc_imgurl.create import create_for
from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.glance.image import Image
from osc_imgurl.settings.table import Settings
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key

NOW = 1_700_000_000
IMAGE = Image('3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5')
SETTINGS = Settings(key=Key(b'a key'), endpoint_url='http://swift', account='AUTH_x')


class Remembers:
    """A cache that remembers what it was asked."""

    def get_or_create(self, new, accepts, now, refresh=False):
        self.new, self.accepts = new, accepts
        return new.expires, False


def remembered(settings=SETTINGS, request=None, image=IMAGE, now=NOW):
    cache = Remembers()
    create_for(image, request or URLOptions(), Cloud(), settings, lambda: now, cache=cache)
    return cache


def test_all_that_shapes_a_url_shapes_its_fingerprint():
    requests = [URLOptions(**changed) for changed in (
        {}, {'method': 'HEAD'}, {'expires': NOW + 5}, {'ip_range': '10.0.0.0/8'},
        {'prefix': '3'}, {'duration': 5}, {'filename': 'a'}, {'inline': True}, {'iso8601': True})]
    settings = [dataclasses.replace(SETTINGS, **changed) for changed in (
        {'endpoint_url': 'http://other'}, {'account': 'AUTH_y'}, {'container': 'c'},
        {'api_version': 'v2'}, {'multiple_containers_seed': 1}, {'digest': 'sha512'},
        {'key': Key(b'another')}, {'duration': 1201}, {'align': 60})]
    found = [remembered(request=request).new.fingerprint for request in requests]
    found += [remembered(each).new.fingerprint for each in settings]
    found.append(remembered(image=Image(IMAGE.id.replace('3', '4'))).new.fingerprint)
    assert len(set(found)) == len(found) == 19
    assert remembered(now=NOW + 100).new.fingerprint == found[0]
    assert remembered(request=URLOptions(method='get')).new.fingerprint == found[0]
    assert remembered(dataclasses.replace(
        SETTINGS, expected_download_start_delay=60)).new.fingerprint == found[0]


def test_no_part_of_a_request_can_be_forgotten():
    more = dataclasses.make_dataclass(
        'More', [('added', str, '')], bases=(URLOptions,), frozen=True)
    names = {remembered(request=request).new.fingerprint
             for request in (URLOptions(), more(), more(added='a'), more(added='b'))}
    assert len(names) == 4


def test_the_same_words_in_other_places_are_another_question():
    names = {remembered(request=URLOptions(**{name: '3'})).new.fingerprint
             for name in ('prefix', 'filename', 'object')}
    names.add(remembered(dataclasses.replace(SETTINGS, container='3')).new.fingerprint)
    assert len(names) == 4


def test_the_fingerprint_of_a_signature():
    signature = '0123456789abcdef' * 4
    name = signature_fingerprint(signature)
    assert signature not in name and len(name) == 64
    assert signature_fingerprint('1' + signature[1:]) != name
    # Two ways to write the same bytes.
    assert signature_fingerprint(f'sha512:{"-_" * 43}==') == signature_fingerprint(
        f'sha512:{"+/" * 43}')
    with pytest.raises(InvalidParameterValue):
        signature_fingerprint('none')


def test_which_expiries_could_have_been_chosen():
    accepts = remembered(dataclasses.replace(
        SETTINGS, duration=1000, expected_download_start_delay=100)).accepts
    assert [accepts(NOW + after) for after in (99, 100, 1000, 1060, 1061, 400 * 86_400)] == [
        False, True, True, True, False, False]


def test_which_aligned_expiries_could_have_been_chosen():
    settings = dataclasses.replace(SETTINGS, duration=1000, align=3600)
    cache = remembered(settings)
    window = NOW - NOW % 3600
    assert cache.new.expires == window + 3600 + 1000
    assert [cache.accepts(window + after + 1000) for after in (0, 3600, 3599, 3601, 7200, 10800)
            ] == [True, True, False, False, False, False]


def test_a_given_expiry_is_the_only_one():
    accepts = remembered(request=URLOptions(expires=NOW + 10**8)).accepts
    assert [accepts(NOW + 10**8 + after) for after in (-1, 0, 1)] == [False, True, False]
