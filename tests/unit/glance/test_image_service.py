"""Images by ID and by name, their locations, members and data, of a Glance that is a stub.

The functional tests ask a real one; this one has what a real one rarely has: hundreds of images of
one name, other projects' images, a node that ends its answers early, a list that does not end, a
location in a file.
"""

import hashlib
import io
import itertools
import json
import logging
import threading
import urllib.parse
import uuid

import pytest
import requests
from keystoneauth1.session import Session

from osc_imgurl import errors
from osc_imgurl.errors import GlanceFailed, ImageDownloadFailed
from osc_imgurl.glance.client import read_pages
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.image_service import ImageService, copy_verified, file_chunks
from osc_imgurl.glance.location import parse

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
DATA = f'http://glance/v2/images/{IMAGE_ID}/file'
OTHER = '7f0d2c1e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'
HERE = f'swift+config://ref1/glance/{IMAGE_ID}'
OWN = {'owner': 'p', 'visibility': 'private'}
PUBLIC = {'owner': 'q', 'visibility': 'public'}
SHARED = {'owner': 'q', 'visibility': 'shared'}
COMMUNITY = {'owner': 'r', 'visibility': 'community'}


def id_of(hidden, number):
    """Return the ID of an image that is listed."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f'{hidden}/{number}'))


@pytest.fixture
def images(cloud):
    return ImageService(cloud.session())


@pytest.fixture
def listed(cloud):
    """Return a function that has Glance list images, hidden ones on request."""
    def listed(shown, hidden=()):
        for value, found in ('false', shown), ('true', hidden):
            cloud.mock.get(f'http://glance/v2/images?os_hidden={value}', json={'images': [
                {'id': id_of(value, number), 'name': 'cirros', **image}
                for number, image in enumerate(found)]})
    return listed


def serve(cloud, **shown):
    cloud.mock.get(f'http://glance/v2/images/{IMAGE_ID}',
                   json={'id': IMAGE_ID, 'status': 'active', **shown})


# Where Glance is

@pytest.mark.parametrize(('arguments', 'url'), [
    ({}, 'http://glance'),
    ({'interface': 'internal'}, 'http://in-glance'),
    ({'region_name': 'two-region', 'interface': 'admin'}, 'http://two-admin-glance'),
    ({'endpoint': 'http://here'}, 'http://here'),
    ({'endpoint': 'http://here/image/v2.9/'}, 'http://here/image'),
    ({'endpoint': 'http://here/v2'}, 'http://here'),
    ({'endpoint': 'http://here/v2/x'}, 'http://here/v2/x'),
])
def test_the_endpoint(cloud, arguments, url):
    cloud.mock.get(f'{url}/v2/images/{IMAGE_ID}', json={'id': IMAGE_ID})
    service = ImageService(cloud.session(), **arguments)
    for _ in range(2):
        assert service.find(IMAGE_ID).id == IMAGE_ID
    assert cloud.asked == [f'GET {url}/v2/images/{IMAGE_ID}'] * 2


@pytest.mark.parametrize(('arguments', 'said'), [
    ({}, 'region any, interface public'),
    ({'region_name': 'one', 'interface': 'admin'}, 'region one, interface admin')])
def test_a_cloud_without_glance(cloud, arguments, said):
    del cloud.catalog[0]
    with pytest.raises(errors.MissingParameterValue) as caught:
        ImageService(cloud.session(), **arguments).find(IMAGE_ID)
    assert str(caught.value) == (
        f'There is no image service in the catalog of this cloud ({said}). Credentials that are not'
        ' scoped to a project see no catalog: name one.')


def test_a_region_without_glance(cloud):
    with pytest.raises(errors.MissingParameterValue) as caught:
        ImageService(cloud.session(), 'three').find(IMAGE_ID)
    assert str(caught.value) == (
        'There is no image service in the catalog of this cloud (region three, interface public),'
        ' but in these regions: region, two-region. In clouds.yaml, image_region_name is the region'
        ' of this service.')


def test_a_keystone_that_does_not_answer(cloud, images):
    cloud.mock.post('http://keystone/v3/auth/tokens', exc=requests.exceptions.ConnectTimeout)
    with pytest.raises(errors.GlanceFailed, match='cannot be reached: there is no answer in time'):
        images.find(IMAGE_ID)


def test_retries(server, naps):
    shown = json.dumps({'id': IMAGE_ID, 'status': 'active'}).encode()
    busy, good = (503, {}, b''), (200, {'Content-Type': 'application/json'}, shown)
    server.plan = [busy, busy, good, busy, (200, {}, b'data')]
    with pytest.raises(errors.GlanceFailed, match='answers HTTP 503'):
        ImageService(Session(), endpoint=server.url).find(IMAGE_ID)
    images = ImageService(Session(), endpoint=server.url, num_retries=1)
    assert b''.join(images.data(images.find(IMAGE_ID))) == b'data'
    assert server.plan == []


# By ID

@pytest.mark.parametrize('image', [IMAGE_ID, f'glance://{IMAGE_ID}', f'glance://host/x/{IMAGE_ID}'])
def test_find_by_id(cloud, images, image):
    serve(cloud, name='cirros', status='queued', **SHARED)
    found = images.find(image)
    assert (found.id, found.name, found.status) == (IMAGE_ID, 'cirros', 'queued')
    assert cloud.asked == [f'GET http://glance/v2/images/{IMAGE_ID}']


@pytest.mark.parametrize('image', ['glance://', 'glance://host', 'glance://host/cirros'])
def test_a_reference_without_an_id(cloud, images, image):
    with pytest.raises(errors.InvalidParameterValue) as caught:
        images.find(image)
    assert str(caught.value) == (
        f'The image reference {image} has no image ID: use glance://<host>/<image ID>.')
    assert cloud.asked == []


@pytest.mark.parametrize('start', ['', 'http://swift', 'glance://'])
def test_a_temporary_url_is_no_image(cloud, images, start):
    with pytest.raises(errors.InvalidParameterValue) as caught:
        images.find(f'{start}/v1/AUTH_x/glance/{IMAGE_ID}?temp_url_sig=5ec4e7&temp_url_expires=1')
    assert str(caught.value) == (
        'This is a temporary URL, and not an image. Name the image by its ID.')
    assert cloud.mock.request_history == []


def test_capitals_are_the_same_to_some_databases(cloud, images):
    serve(cloud)
    cloud.mock.get(f'http://glance/v2/images/{IMAGE_ID.upper()}', json={'id': IMAGE_ID})
    assert images.find(IMAGE_ID.upper()).id == IMAGE_ID
    serve(cloud, id=OTHER)
    with pytest.raises(errors.GlanceFailed) as caught:
        images.find(IMAGE_ID)
    assert str(caught.value) == (
        f'Glance at http://glance answers with another image than {IMAGE_ID}. Correct the endpoint'
        ' of Glance, or tell its operator.')


@pytest.mark.parametrize(('status', 'error'), [
    (300, errors.GlanceFailed), (302, errors.GlanceFailed), (400, errors.InvalidParameterValue),
    (401, errors.ImageNotAuthorized), (403, errors.ImageNotAuthorized),
    (404, errors.ImageNotFound), (409, errors.InvalidParameterValue), (413, errors.GlanceFailed),
    (500, errors.GlanceFailed), (503, errors.GlanceFailed)])
def test_errors_by_status(cloud, images, status, error):
    for path in ('', '/locations'):
        cloud.mock.get(f'http://glance/v2/images/{IMAGE_ID}{path}', status_code=status)
    cloud.mock.get(f'http://glance/v2/images?name={IMAGE_ID}', json={'images': []})
    for call in images.find, images.show, images.location, images.locations:
        with pytest.raises(errors.ImgurlError) as caught:
            call(IMAGE_ID)
        assert type(caught.value) is error


# By name

@pytest.mark.parametrize(('shown', 'wanted'), [
    ([OWN], 0), ([SHARED, OWN], 1), ([PUBLIC], 0), ([PUBLIC, SHARED], 0), ([SHARED], None),
    ([COMMUNITY], None), ([], None)])
def test_a_name_like_an_id(cloud, images, listed, caplog, shown, wanted):
    cloud.mock.get(f'http://glance/v2/images/{IMAGE_ID}', status_code=404)
    listed(shown)
    if wanted is None:
        with pytest.raises(errors.ImageNotFound, match=f"No image has the ID '{IMAGE_ID}'"):
            images.find(IMAGE_ID)
    else:
        found = id_of('false', wanted)
        assert images.find(IMAGE_ID).id == found
        assert caplog.messages == [
            f'No image has the ID {IMAGE_ID}. The image {found} has it for a name.']
    for find, reference in (images.find, f'glance://x/{IMAGE_ID}'), (images.find_id, IMAGE_ID):
        before = len(cloud.asked)
        with pytest.raises(errors.ImageNotFound):
            find(reference)
        assert cloud.asked[before:] == [f'GET http://glance/v2/images/{IMAGE_ID}']


@pytest.mark.parametrize('status', [401, 403, 500])
def test_a_name_like_an_id_counts_only_where_there_is_no_such_image(cloud, images, listed, status):
    cloud.mock.get(f'http://glance/v2/images/{IMAGE_ID}', status_code=status)
    listed([OWN])
    with pytest.raises(errors.ImgurlError):
        images.find(IMAGE_ID)
    assert set(cloud.asked) == {f'GET http://glance/v2/images/{IMAGE_ID}'}


@pytest.mark.parametrize(('shown', 'hidden', 'wanted', 'lists'), [
    ([OWN], [], id_of('false', 0), 1),
    ([SHARED, OWN, PUBLIC], [OWN], id_of('false', 1), 1),
    ([PUBLIC], [OWN], id_of('false', 0), 1),
    ([SHARED], [OWN], id_of('true', 0), 2),
    ([COMMUNITY], [], id_of('false', 0), 2),
    ([SHARED], [SHARED, COMMUNITY], id_of('false', 0), 2),
    ([], [PUBLIC], id_of('true', 0), 2),
    ([], [SHARED, OWN], id_of('true', 1), 2),
])
def test_find_by_name(cloud, images, listed, shown, hidden, wanted, lists):
    listed(shown, hidden)
    assert images.find('cirros').id == wanted
    assert cloud.asked == [
        f'GET http://glance/v2/images?name=cirros&os_hidden={value}&limit=25'
        for value in ('false', 'true')][:lists]


@pytest.mark.parametrize(('name', 'query'), [
    ('in:a', 'eq%3Ain%3Aa'), ('a in:b', 'eq%3Aa+in%3Ab'), ('a,b', 'a%2Cb')])
def test_a_name_is_no_filter(cloud, images, listed, name, query):
    listed([OWN])
    images.find(name)
    assert cloud.asked == [f'GET http://glance/v2/images?name={query}&os_hidden=false&limit=25']


@pytest.mark.parametrize(('shown', 'hidden', 'ids'), [
    ([OWN, OWN], [], [id_of('false', 0), id_of('false', 1)]),
    ([PUBLIC, PUBLIC, COMMUNITY], [SHARED],
     [id_of('false', 0), id_of('false', 1), id_of('false', 2)]),
    ([], [SHARED, PUBLIC], [id_of('true', 0), id_of('true', 1)]),
])
def test_a_name_of_several(images, listed, shown, hidden, ids):
    listed(shown, hidden)
    with pytest.raises(errors.ImageNotUnique) as caught:
        images.find('cirros')
    named = [f'{image_id} (owner {(shown or hidden)[number]["owner"]})'
             for number, image_id in enumerate(ids)]
    assert str(caught.value) == (
        f"{len(ids)} images have the name 'cirros'. Use the ID of one of them: {', '.join(named)}")


@pytest.mark.parametrize(('count', 'more'), [(10, ''), (11, ' and 1 more'), (25, ' and 15 more')])
def test_a_name_of_many(images, listed, count, more):
    listed([OWN] * count)
    with pytest.raises(errors.ImageNotUnique) as caught:
        images.find('cirros')
    assert str(caught.value).endswith(f'{id_of("false", 9)} (owner p){more}')
    assert str(caught.value).startswith(f'{count} images have')


ODD_IDS = ['x; touch PWNED; :', '', None, 5, [], f'{IMAGE_ID}\n', f'../{IMAGE_ID}']


@pytest.mark.parametrize('odd', ODD_IDS)
def test_an_image_whose_id_is_no_uuid(cloud, images, listed, caplog, odd):
    listed([{'id': odd, **OWN}, PUBLIC])
    if isinstance(odd, str):
        assert images.find('cirros').id == id_of('false', 1)
        assert f'an image whose ID is no UUID; it is left out: {odd!r}' in caplog.messages[0]
    else:
        with pytest.raises(errors.GlanceFailed, match='something else than a list of images'):
            images.find('cirros')
    serve(cloud, id=odd)
    with pytest.raises(errors.GlanceFailed, match='something else than an image'):
        images.find(IMAGE_ID)


@pytest.mark.parametrize('odd', ODD_IDS)
def test_an_image_is_created_with_an_id_that_is_no_uuid(cloud, images, schema, odd):
    cloud.mock.post('http://glance/v2/images', json={'id': odd, 'status': 'queued'})
    with pytest.raises(errors.GlanceFailed, match='something else than an image'):
        images.create({'name': 'cirros'}, io.BytesIO(b'data'))
    assert not [each for each in cloud.asked if each.startswith('PUT')]


def test_a_name_of_none(images, listed):
    listed([])
    with pytest.raises(errors.ImageNotFound) as caught:
        images.find('cirros')
    assert str(caught.value) == (
        "No image has the name 'cirros', or these credentials may not see it."
        ' Look for it: openstack image list.')


@pytest.mark.parametrize(('image', 'told'), [
    (OWN, None), (PUBLIC, None),
    ({'owner': 'p', 'visibility': 'community'}, None),
    (SHARED, 'its owner is q, and its visibility shared'),
    (COMMUNITY, 'its owner is r, and its visibility community'),
    ({'visibility': 'private'}, 'its owner is not known, and its visibility private'),
    ({'owner': 'q'}, 'its owner is q, and its visibility not known'),
])
def test_another_projects_image_costs_a_warning(images, listed, caplog, image, told):
    listed([image])
    images.find('cirros')
    warnings = [record.getMessage() for record in caplog.records
                if record.levelno == logging.WARNING]
    assert warnings == ([
        f"The image with the name 'cirros' is {id_of('false', 0)}, of another project: {told}. If"
        ' that is the image that you mean, use its ID.'] if told else [])


@pytest.mark.parametrize('owner', [None, '', 'None'])
def test_a_session_without_a_project_owns_nothing(cloud, images, listed, caplog, owner):
    del cloud.token['project']
    listed([{'owner': owner, 'visibility': 'private'}])
    assert images.find('cirros').id == id_of('false', 0)
    assert 'of another project' in caplog.text
    listed([{'owner': owner, 'visibility': 'private'}, PUBLIC])
    with pytest.raises(errors.ImageNotUnique):
        images.find('cirros')


def test_a_keystone_that_refuses(cloud, images):
    cloud.mock.post('http://keystone/v3/auth/tokens', status_code=401)
    with pytest.raises(errors.GlanceFailed, match=r'Glance failed: .*HTTP 401'):
        images.find('cirros')


# Active images, lists, locations, members

@pytest.mark.parametrize(('status', 'advice'), [
    ('queued', 'It has no data yet: upload or import it.'),
    ('deactivated', 'Reactivate it (activate the image).'),
    ('saving', 'Wait until it is active.'), (None, 'Wait until it is active.')])
def test_show_takes_active_images_only(cloud, images, status, advice):
    serve(cloud)
    assert images.show(IMAGE_ID).status == 'active'
    serve(cloud, status=status)
    with pytest.raises(errors.ImageUnacceptable) as caught:
        images.show(IMAGE_ID)
    assert str(caught.value) == (
        f'Image {IMAGE_ID} is {status}, and only an active image can be downloaded. {advice}')


def test_detail(cloud, images):
    shown = [{'id': id_of('false', number)} for number in range(30)]
    marker = shown[24]['id']
    cloud.mock.get('http://glance/v2/images', json={'images': shown[:25], 'next': 'x'})
    cloud.mock.get(f'http://glance/v2/images?marker={marker}', json={'images': shown[25:]})
    assert [image.id for image in images.detail(sort='name:asc')] == [
        image['id'] for image in shown]
    assert cloud.asked == [
        'GET http://glance/v2/images?sort=name%3Aasc&limit=25',
        f'GET http://glance/v2/images?sort=name%3Aasc&limit=100&marker={marker}']
    assert list(images.detail(limit=0)) == []
    assert [image.id for image in images.detail(limit=5, marker=marker)] == [
        image['id'] for image in shown[25:]]
    assert cloud.asked[2:] == [f'GET http://glance/v2/images?limit=5&marker={marker}']


def test_a_list_that_is_refused(cloud, images):
    cloud.mock.get('http://glance/v2/images', status_code=403)
    with pytest.raises(errors.ImageNotAuthorized, match='does not allow this with these'):
        next(images.detail())


def test_locations(cloud, images):
    cloud.mock.get(f'http://glance/v2/images/{IMAGE_ID}/locations', json=[
        {'url': HERE, 'metadata': {'store': 'fast'}}])
    assert images.locations(IMAGE_ID) == (parse(HERE, 'fast'),)


@pytest.mark.parametrize(('shown', 'wanted'), [
    ({}, None), ({'direct_url': HERE}, parse(HERE)),
    ({'direct_url': 'file:///x', 'locations': [{'url': HERE}, {'url': 'file:///x'}]}, parse(HERE))])
def test_location(cloud, images, shown, wanted):
    serve(cloud, **shown)
    assert images.location(IMAGE_ID) == wanted


def test_accepted_members(cloud, images):
    url = f'http://glance/v2/images/{IMAGE_ID}/members'
    cloud.mock.get(url, json={'members': [
        {'member_id': name, 'status': status}
        for name, status in (('a', 'accepted'), ('b', 'pending'), ('c', 'rejected'),
                             ('d', 'accepted'))]})
    assert images.accepted_members(IMAGE_ID) == {'a', 'd'}
    for status in (403, 404):
        cloud.mock.get(url, status_code=status)
        assert images.accepted_members(IMAGE_ID) == frozenset()
    cloud.mock.get(url, status_code=500)
    with pytest.raises(errors.GlanceFailed):
        images.accepted_members(IMAGE_ID)


# Data

@pytest.fixture
def data(cloud):
    """Return a function that has Glance give an image's data."""
    def data(content, **answer):
        cloud.mock.get(DATA, content=content,
                       headers={'Content-Type': 'application/octet-stream'}, **answer)
    return data


# Of no data.
GOOD = {'os_hash_algo': 'sha256', 'os_hash_value':
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}
OF_DATA = {'os_hash_algo': 'md5', 'os_hash_value': '8d777f385d3dfec8815d20f7496026dc'}


@pytest.mark.parametrize(('content', 'properties', 'good'), [
    (b'x', GOOD, False), (b'data', OF_DATA, True), (b'dat', OF_DATA, False),
    (b'data', {}, True), (b'data', {'checksum': OF_DATA['os_hash_value']}, True),
    (b'Data', {'checksum': OF_DATA['os_hash_value']}, False)])
def test_download(cloud, images, data, content, properties, good):
    serve(cloud, **properties)
    data(content)
    written = io.BytesIO()
    if good:
        images.download(IMAGE_ID, written)
    else:
        with pytest.raises(errors.ImageDownloadFailed, match='it is damaged or cut off'):
            images.download(IMAGE_ID, written)
    assert written.getvalue() == content


@pytest.mark.parametrize('status', [200, 204])
def test_an_image_without_data(cloud, images, data, status):
    serve(cloud, **GOOD)
    data(b'', status_code=status)
    with pytest.raises(errors.ImageDownloadFailed, match=f'^Image {IMAGE_ID} has no data.$'):
        images.download(IMAGE_ID, io.BytesIO())


def test_data_that_is_refused(cloud, images, data):
    serve(cloud)
    data(b'', status_code=403)
    with pytest.raises(errors.ImageNotAuthorized):
        images.download(IMAGE_ID, io.BytesIO())
    serve(cloud, status='queued')
    with pytest.raises(errors.ImageUnacceptable):
        images.download(IMAGE_ID, io.BytesIO())


def test_data_may_be_larger_than_other_answers(server, cloud, monkeypatch):
    monkeypatch.setattr('osc_imgurl.http.answer.MAX_ANSWER', 3)
    cloud.mock.get(f'{server.url}/v2/images/{IMAGE_ID}/file', real_http=True)
    server.plan.append((200, {'Content-Type': 'application/octet-stream'}, b'data'))
    service = ImageService(cloud.session(), endpoint=server.url)
    assert b''.join(service.data(Image(IMAGE_ID))) == b'data'


def test_data_from_a_byte_on(cloud, images):
    cloud.mock.get(DATA, status_code=206, content=b'ta', headers={'Content-Range': 'bytes 2-3/4'})
    assert b''.join(images.data(Image(IMAGE_ID), 2)) == b'ta'
    assert cloud.mock.last_request.headers['Range'] == 'bytes=2-'


@pytest.mark.parametrize(('status', 'given'), [
    (200, None), (206, None), (206, 'bytes 1-3/4'), (206, 'bytes 20-30/40'),
    (200, 'bytes 2-3/4')])
def test_data_that_does_not_begin_there(cloud, images, status, given):
    cloud.mock.get(DATA, status_code=status, content=b'data',
                   headers={'Content-Range': given} if given else {})
    with pytest.raises(errors.ImageDownloadFailed, match='does not let Glance read on from byte 2'):
        list(images.data(Image(IMAGE_ID), 2))


def test_data_that_is_cut_off(server, cloud):
    """A real connection that ends before the announced length; no hash is needed to see it."""
    cloud.mock.get(f'{server.url}/v2/images/{IMAGE_ID}/file', real_http=True)
    cloud.mock.get(f'{server.url}/v2/images/{IMAGE_ID}', json={'id': IMAGE_ID, 'status': 'active'})
    server.plan = [(200, {'Content-Type': 'application/octet-stream', 'Content-Length': '9',
                          'Connection': 'close'}, b'x')]
    with pytest.raises(errors.GlanceFailed, match=r'^Glance at .* sent .* it is cut off'):
        ImageService(cloud.session(), endpoint=server.url).download(IMAGE_ID, io.BytesIO())


@pytest.mark.parametrize(('schemes', 'scheme', 'wanted'), [
    (['file'], 'file', b'of the file'), (['ssh', 'file'], 'file', b'of the file'),
    ([], 'file', b'of Glance'), (['http'], 'file', b'of Glance'),
    (['file'], 'http', b'of Glance'), (['http'], 'http', b'of Glance')])
def test_an_image_in_a_file(cloud, data, tmp_path, schemes, scheme, wanted):
    (tmp_path / 'image').write_bytes(b'of the file')
    serve(cloud, direct_url=f'{scheme}://{tmp_path}/image')
    data(b'of Glance')
    written = io.BytesIO()
    ImageService(cloud.session(), allowed_direct_url_schemes=iter(schemes)).download(
        IMAGE_ID, written)
    assert written.getvalue() == wanted


# Changes

@pytest.fixture
def schema(cloud):
    cloud.mock.get('http://glance/v2/schemas/image', json={
        'name': 'image', 'properties': {
            'id': {'type': 'string'}, 'status': {'type': 'string'},
            'name': {'type': ['null', 'string'], 'is_base': True},
            'disk_format': {'type': 'string', 'enum': ['raw', 'qcow2']}},
        'additionalProperties': {'type': 'string'}})


def test_create(cloud, images, schema):
    cloud.mock.post('http://glance/v2/images', json={'id': IMAGE_ID, 'status': 'queued'})
    serve(cloud)
    uploaded = cloud.mock.put(f'http://glance/v2/images/{IMAGE_ID}/file')
    assert images.create({'name': 'cirros'}).id == IMAGE_ID
    assert not uploaded.called
    assert images.create({'name': 'cirros', 'color': 'blue'}, io.BytesIO(b'')).status == 'active'
    assert uploaded.called
    posted = [each.json() for each in cloud.mock.request_history
              if (each.method, each.path) == ('POST', '/v2/images')]
    assert posted == [{'name': 'cirros'}, {'name': 'cirros', 'color': 'blue'}]


def test_what_glance_refuses(cloud, images, schema):
    with pytest.raises(errors.InvalidParameterValue, match="'floppy' is not one of"):
        images.create({'disk_format': 'floppy'})
    cloud.mock.post('http://glance/v2/images', status_code=403)
    with pytest.raises(errors.ImageNotAuthorized, match='for image cirros with'):
        images.create({'name': 'cirros'})
    with pytest.raises(errors.ImageNotAuthorized, match='for image None with'):
        images.create({})
    serve(cloud)
    for method, call in (('PATCH', lambda: images.update(IMAGE_ID, {'name': 'x'})),
                         ('DELETE', lambda: images.delete(IMAGE_ID))):
        cloud.mock.request(method, f'http://glance/v2/images/{IMAGE_ID}', status_code=403)
        with pytest.raises(errors.ImageNotAuthorized, match=f'for image {IMAGE_ID} with'):
            call()
    cloud.mock.patch(f'http://glance/v2/images/{IMAGE_ID}', json={'id': IMAGE_ID})
    cloud.mock.put(f'http://glance/v2/images/{IMAGE_ID}/file', status_code=409)
    with pytest.raises(errors.InvalidParameterValue, match='refuses this: HTTP '):
        images.update(IMAGE_ID, {}, io.BytesIO(b'x'))


@pytest.mark.parametrize(('purge', 'removed'), [({}, []), ({'purge_props': False}, []),
                                                ({'purge_props': True}, ['/color'])])
def test_update(cloud, images, schema, purge, removed):
    serve(cloud, name='cirros', color='blue', shape='round')
    patched = cloud.mock.patch(f'http://glance/v2/images/{IMAGE_ID}', json={'id': IMAGE_ID})
    uploaded = cloud.mock.put(f'http://glance/v2/images/{IMAGE_ID}/file')
    assert images.update(IMAGE_ID, {'shape': 'square'}, **purge).id == IMAGE_ID
    changes = json.loads(patched.last_request.text)
    assert [each['path'] for each in changes if each['op'] == 'remove'] == removed
    assert [(each['path'], each['value']) for each in changes if each['op'] == 'replace'] == [
        ('/shape', 'square')]
    assert not uploaded.called
    images.update(IMAGE_ID, {}, io.BytesIO(b'data'))
    assert uploaded.called


def test_delete(cloud, images, listed):
    listed([{'id': IMAGE_ID, **OWN}])
    deleted = cloud.mock.delete(f'http://glance/v2/images/{IMAGE_ID}', status_code=204)
    images.delete('cirros')
    assert deleted.called


class Listing:
    """So many images, given as Glance gives them; what is asked for is kept."""

    def __init__(self, count):
        self.ids = [str(number) for number in range(count)]
        self.asked = []
        self.second = threading.Event()

    def __call__(self, url):
        path, _, query = url.partition('?')
        query = urllib.parse.parse_qs(query)
        size, marker = int(query.pop('limit')[0]), query.pop('marker', [None])[0]
        self.asked.append((size, marker))
        assert (path, threading.current_thread().daemon) == ('/v2/images', True)
        if len(self.asked) == 2:
            self.second.set()
        start = self.ids.index(marker) + 1 if marker else 0
        shown = [{'id': each} for each in self.ids[start:start + size]]
        more = {'next': '/v2/images?...'} if len(shown) == size else {}
        return {'images': shown, **more, 'schema': 'x'}


@pytest.mark.parametrize(('count', 'limit', 'marker', 'asked'), [
    (0, None, None, [(25, None)]),
    (24, None, None, [(25, None)]),
    (30, None, None, [(25, None), (100, '24')]),
    (3000, None, None, [(25, None), (100, '24'), (400, '124'), (1000, '524'), (1000, '1524'),
                        (1000, '2524')]),
    (3000, 0, None, []),
    (3000, 1, None, [(1, None)]),
    (3000, 25, None, [(25, None)]),
    (3000, 26, None, [(25, None), (1, '24')]),
    (3000, 600, None, [(25, None), (100, '24'), (400, '124'), (75, '524')]),
    (30, 100, None, [(25, None), (75, '24')]),
    (30, None, '27', [(25, '27')]),
    (3000, 3, '1000', [(3, '1000')]),
])
def test_what_is_asked_for(count, limit, marker, asked):
    listing = Listing(count)
    found = [image['id'] for page in read_pages(listing, {}, limit, marker) for image in page]
    start = listing.ids.index(marker) + 1 if marker else 0
    assert found == listing.ids[start:][:limit]
    assert listing.asked == asked


def test_the_next_page_is_on_its_way_while_one_is_in_use():
    listing = Listing(3000)
    read = read_pages(listing, {})
    assert listing.asked == []
    assert len(next(read)) == 25
    assert listing.second.wait(10)
    assert len(next(read)) == 100


def test_filters_are_quoted():
    asked = []
    filters = {'name': 'a b&c=ü', 'tag': ['x', 'y'], 'os_hidden': 'true'}
    assert list(read_pages(lambda url: asked.append(url) or {'images': []}, filters)) == [[]]
    assert asked == ['/v2/images?name=a+b%26c%3D%C3%BC&tag=x&tag=y&os_hidden=true&limit=25']


@pytest.mark.parametrize('error', [ValueError('x'), KeyboardInterrupt()])
def test_what_fails_fails_here(error):
    def get(url):
        raise error

    with pytest.raises(type(error)):
        next(read_pages(get, {}))


@pytest.mark.parametrize('page', [
    None, [], {'next': 'x'}, {'images': None}, {'images': [], 'next': 'x'},
    {'images': [5], 'next': 'x'}, {'images': [{}], 'next': 'x'}, {'images': {'id': 1}, 'next': 'x'},
    {'images': [{'id': []}], 'next': 'x'}])
def test_what_is_no_list(page):
    with pytest.raises(GlanceFailed, match=r'^Glance answers something else than a list of images'):
        list(read_pages(lambda url: page, {}))


@pytest.mark.parametrize('ids', [
    itertools.repeat('x'), itertools.cycle('xy'), map(str, itertools.count())])
def test_a_list_that_does_not_end(monkeypatch, ids):
    monkeypatch.setattr('osc_imgurl.glance.client.MOST_PAGES', 50)
    with pytest.raises(GlanceFailed, match=r'^Glance answers with a list that does not end\.'):
        list(read_pages(lambda url: {'images': [{'id': next(ids)}], 'next': 'x'}, {}))


def test_more_than_was_asked_for():
    page = {'images': [{'id': name} for name in 'abcde'], 'next': 'x'}
    assert list(read_pages(lambda url: page, {}, limit=3)) == [page['images'][:3]]


CHUNKS = [b'first', b'', b'second']
WHOLE = b''.join(CHUNKS)


def digest(algorithm, data=WHOLE):
    return hashlib.new(algorithm, data).hexdigest()


@pytest.mark.parametrize('chunks', [[], [b''], [b'', b'']])
def test_no_data(chunks):
    properties = {'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512', b'')}
    with pytest.raises(errors.ImageDownloadFailed, match='Image 3a1f has no data'):
        copy_verified(chunks, io.BytesIO(), Image('3a1f', properties=properties))


@pytest.mark.parametrize(('properties', 'damaged'), [
    ({}, None),
    ({'checksum': digest('md5')}, None),
    ({'checksum': digest('md5', b'other')}, 'md5'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512')}, None),
    ({'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512', b'first')}, 'sha512'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512').upper()}, None),
    ({'checksum': digest('md5').upper()}, None),
    # The better one of two counts.
    ({'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512'),
      'checksum': digest('md5', b'other')}, None),
    ({'os_hash_algo': 'sha512', 'os_hash_value': digest('sha512', b'first'),
      'checksum': digest('md5')}, 'sha512'),
    # An algorithm that this machine does not have, one with hashes of any length, and what is no
    # hash: they say nothing.
    ({'os_hash_algo': 'sha7', 'os_hash_value': 'x', 'checksum': digest('md5')}, None),
    ({'os_hash_algo': 'sha7', 'os_hash_value': 'x', 'checksum': digest('md5', b'other')}, 'md5'),
    ({'os_hash_algo': 'shake_128', 'os_hash_value': digest('sha256')}, None),
    ({'os_hash_algo': 'shake_128', 'os_hash_value': 'x', 'checksum': digest('md5', b'other')},
     'md5'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': 'x', 'checksum': digest('md5', b'other')}, 'md5'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': None, 'checksum': digest('md5')}, None),
    ({'os_hash_algo': None, 'os_hash_value': 'x', 'checksum': digest('md5', b'other')}, 'md5'),
    ({'os_hash_algo': 'sha512', 'os_hash_value': None}, None),
])
def test_data_is_verified_and_written(properties, damaged):
    written = io.BytesIO()
    image = Image('3a1f', properties=properties)
    if damaged:
        with pytest.raises(ImageDownloadFailed) as caught:
            copy_verified(iter(CHUNKS), written, image)
        assert str(caught.value) == (
            f'The data of image 3a1f is not what its {damaged} says: it is damaged or cut off.'
            ' Do not use it.')
    else:
        copy_verified(iter(CHUNKS), written, image)
    assert written.getvalue() == WHOLE


def test_a_connection_that_breaks():
    def chunks():
        yield CHUNKS[0]
        raise requests.exceptions.ChunkedEncodingError('Connection broken')

    written = io.BytesIO()
    with pytest.raises(GlanceFailed, match='sent an invalid answer: it is cut off'):
        copy_verified(chunks(), written, Image('3a1f'))
    assert written.getvalue() == CHUNKS[0]


def test_a_file(tmp_path):
    path = tmp_path / 'an image'
    content = bytes(range(256)) * 10_000
    path.write_bytes(content)
    place = parse(f'file://{tmp_path}/an%20image')
    chunks = list(file_chunks(place, Image('3a1f')))
    assert b''.join(chunks) == content
    assert [len(chunk) for chunk in chunks] == [1 << 20, 1 << 20, len(content) - (2 << 20)]
    path.unlink()
    with pytest.raises(ImageDownloadFailed) as caught:
        list(file_chunks(place, Image('3a1f')))
    assert str(caught.value) == (
        f'Image 3a1f cannot be read from {path}: No such file or directory.')
