"""What is sent to Glance and logged of it, and which error comes of which failure;
what it shows, as values."""

import logging

import pytest
import requests
from glanceclient import exc
from keystoneauth1 import exceptions as ksa_exceptions

from osc_imgurl import errors
from osc_imgurl.errors import GlanceFailed
from osc_imgurl.glance.client import Client, to_image, to_locations, translated
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import parse

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
URL = 'http://glance/x'


@pytest.fixture
def client(cloud):
    return Client(cloud.session(), 'http://glance')


def test_no_answer_is_logged(cloud, client, caplog):
    caplog.set_level(logging.DEBUG)
    cloud.mock.get(URL, json={'direct_url': 'secret'}, headers={'X-Openstack-Request-Id': 'req-1'})
    assert client.get('/x')[1] == {'direct_url': 'secret'}
    assert 'secret' not in caplog.text
    assert [record.getMessage() for record in caplog.records
            if record.name == 'osc_imgurl.glance.client'] == [
        'Glance request: GET /x', 'Glance response: 200, req-1']


def test_what_goes_along(cloud, client, tmp_path, monkeypatch):
    netrc = tmp_path / 'netrc'
    netrc.write_text('machine glance login somebody password secret\n')
    monkeypatch.setenv('NETRC', str(netrc))
    cloud.mock.get(URL, json={})
    client.get('/x')
    headers = cloud.mock.last_request.headers
    assert (headers.get('X-Auth-Token'), headers.get('Authorization')) == ('the token', None)


@pytest.mark.parametrize('status', [301, 302, 303, 305, 307, 308, 399])
@pytest.mark.parametrize(('location', 'shown'), [
    ({'Location': 'http://elsewhere/y?token=secret'}, 'http://elsewhere/y'), ({}, 'nowhere')])
def test_no_redirection_is_followed(cloud, client, status, location, shown):
    cloud.mock.get(URL, status_code=status, headers=location)
    with pytest.raises(errors.GlanceFailed) as caught:
        client.get('/x')
    assert str(caught.value) == (
        f'Glance at http://glance failed: it redirects to {shown} (HTTP {status}). The token is'
        ' not sent there: correct the endpoint of Glance, or ask its operator to.')
    assert len(cloud.asked) == 1


@pytest.mark.parametrize(('failure', 'wanted'), [
    (OverflowError(), 'its address or its answer is invalid'),
    (ValueError(), 'its address or its answer is invalid')])
def test_an_odd_answer(cloud, client, failure, wanted):
    cloud.mock.get(URL, exc=failure)
    with pytest.raises(errors.GlanceFailed, match=f'^Glance at http://glance failed: {wanted}.$'):
        client.get('/x')


AGAIN = 'Try again; if it stays so, tell its operator.'
NOT_FOUND = '{!r}, or these credentials may not see it. Look for it: openstack image list.'
NOT_ALLOWED = ('Glance does not allow this for image x with these credentials: HTTP {}. Use others'
               " that may: a project's, and not a domain's or the whole system's.")


@pytest.mark.parametrize(('raised', 'image', 'error', 'message'), [
    (exc.HTTPForbidden('403 no'), 'x', errors.ImageNotAuthorized, NOT_ALLOWED.format('403 no')),
    (exc.HTTPForbidden('no'), 'x', errors.ImageNotAuthorized, NOT_ALLOWED.format('403 no')),
    (exc.HTTPUnauthorized('401 no'), 'x', errors.ImageNotAuthorized, NOT_ALLOWED.format('401 no')),
    (exc.HTTPNotFound(), 'x', errors.ImageNotFound,
     'No image has the name ' + NOT_FOUND.format('x')),
    (exc.HTTPNotFound(), IMAGE_ID, errors.ImageNotFound,
     'No image has the ID ' + NOT_FOUND.format(IMAGE_ID)),
    (exc.HTTPBadRequest('400 bad\nname'), 'x', errors.InvalidParameterValue,
     'Glance refuses this: HTTP 400 bad name'),
    (exc.HTTPConflict('409 twice'), 'x', errors.InvalidParameterValue,
     'Glance refuses this: HTTP 409 twice'),
    (exc.HTTPInternalServerError('secret'), 'x', errors.GlanceFailed,
     f'Glance answers HTTP 500. {AGAIN}'),
    (exc.HTTPServiceUnavailable('secret'), 'x', errors.GlanceFailed,
     f'Glance answers HTTP 503. {AGAIN}'),
    (exc.HTTPOverLimit('secret'), 'x', errors.GlanceFailed, f'Glance answers HTTP 413. {AGAIN}'),
    (exc.CommunicationError('x'), 'x', errors.GlanceFailed,
     f'Glance cannot be reached: the connection is closed before an answer comes. {AGAIN}'),
    (exc.InvalidEndpoint('x'), 'x', errors.GlanceFailed,
     f'Glance cannot be reached: the connection is closed before an answer comes. {AGAIN}'),
    (ksa_exceptions.ConnectFailure(requests.ReadTimeout()), 'x', errors.GlanceFailed,
     f'Glance cannot be reached: there is no answer in time. {AGAIN}'),
    (exc.CommandError('odd'), 'x', errors.GlanceFailed, 'Glance failed: odd'),
    (exc.ClientException('odd'), 'x', errors.GlanceFailed, 'Glance failed: odd'),
    (ksa_exceptions.Unauthorized('odd'), 'x', errors.GlanceFailed,
     'Glance failed: odd (HTTP 401)'),
    (requests.RequestException('odd'), 'x', errors.GlanceFailed,
     f'Glance cannot be reached: the connection is closed before an answer comes. {AGAIN}'),
])
def test_errors(raised, image, error, message):
    with pytest.raises(errors.ImgurlError) as caught, translated(image):
        raise raised
    assert (type(caught.value), str(caught.value)) == (error, message)
    assert caught.value.__cause__ is raised


def test_a_property_that_glanceclient_does_not_take():
    odd = TypeError("'floppy' is not one of these\nFailed validating")
    odd.__context__ = ValueError()
    with pytest.raises(errors.InvalidParameterValue) as caught, translated('x'):
        raise odd
    assert str(caught.value) == "'floppy' is not one of these"


def test_other_errors_are_left_alone():
    with pytest.raises(TypeError), translated('x'):
        raise TypeError
    with pytest.raises(KeyError), translated('x'):
        raise KeyError


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
    assert (image.size, image.shown_locations) == (None, ())


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
