"""What Glance shows, as values; a server of another kind may show anything."""

import pytest

from osc_imgurl.errors import GlanceFailed
from osc_imgurl.glance.answers import to_image, to_locations
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import parse

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
HERE, THERE = 'swift+config://ref1/glance/3a1f', 'swift+http://p%3Au:secret@k/v3/glance/3a1f'
ALL = {'id': IMAGE_ID, 'name': 'cirros', 'status': 'active', 'owner': 'p', 'visibility': 'shared',
       'size': 7, 'stores': 'fast,slow'}


def test_all_that_is_shown():
    image = to_image({**ALL, 'direct_url': HERE, 'locations': [
        {'url': THERE, 'metadata': {'store': 'slow'}}]})
    assert image == Image(
        IMAGE_ID, 'cirros', 'active', 'p', 'shared', parse(HERE), (parse(THERE, 'slow'),),
        ('fast', 'slow'), ALL)
    assert 'secret' not in str(image.properties)
    assert image.size == 7


def test_nothing_is_shown():
    image = to_image({'id': IMAGE_ID, 'locations': None, 'direct_url': '', 'stores': None})
    assert image == Image(IMAGE_ID, properties={'id': IMAGE_ID, 'stores': None})
    assert (image.size, image.shown_locations, image.swift_locations) == (None, (), ())


@pytest.mark.parametrize('value', ['', 5, ['p'], None, True])
def test_an_owner_and_a_visibility_of_another_shape(value):
    image = to_image({'id': IMAGE_ID, 'owner': value, 'visibility': value})
    assert (image.owner, image.visibility) == (None, None)


@pytest.mark.parametrize(('stores', 'wanted'), [
    ('', ()), ('fast', ('fast',)), ('fast,', ('fast',)), (5, ('5',))])
def test_stores(stores, wanted):
    assert to_image({'id': IMAGE_ID, 'stores': stores}).stores == wanted


@pytest.mark.parametrize(('metadata', 'store'), [
    ({}, None), ({'metadata': None}, None), ({'metadata': {}}, None),
    ({'metadata': {'store': 'slow'}}, 'slow')])
def test_locations(metadata, store):
    assert to_locations([{'url': HERE, **metadata}, {'url': THERE}]) == (
        parse(HERE, store), parse(THERE))


@pytest.mark.parametrize(('size', 'wanted'), [(0, 0), (7, 7), ('7', None), (True, None)])
def test_size(size, wanted):
    assert to_image({'id': IMAGE_ID, 'size': size}).size == wanted


@pytest.mark.parametrize('answer', [
    None, [1, 2], 'x', 5, {}, {'id': None}, {'id': 5}, {'id': '3a1f'}, {'id': ''},
    {'id': f'{IMAGE_ID}\n'}, {'id': 'x; touch PWNED; :'}, {'id': f'../{IMAGE_ID}'},
    {'id': IMAGE_ID, 'direct_url': 5},
    {'id': IMAGE_ID, 'locations': 'abc'}, {'id': IMAGE_ID, 'locations': [None]},
    {'id': IMAGE_ID, 'locations': [{}]}, {'id': IMAGE_ID, 'locations': [{'url': 5}]},
    {'id': IMAGE_ID, 'locations': [{'url': HERE, 'metadata': 'x'}]}])
def test_an_answer_of_another_shape(answer):
    with pytest.raises(GlanceFailed, match=r'^Glance answers something else than (an image|the'
                                           r' locations of an image)\. Correct the'):
        to_image(answer)


@pytest.mark.parametrize('store', [['x'], {}, 5])
def test_a_store_of_another_shape(store):
    location, = to_locations([{'url': HERE, 'metadata': {'store': store}}])
    assert location == parse(HERE)
