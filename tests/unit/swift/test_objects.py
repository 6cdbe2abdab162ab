"""A container of the session's own account, of a Swift that is a stub."""

import pytest

from osc_imgurl.errors import (
    InvalidParameterValue,
    ObjectStoreFailed,
    ObjectStoreFull,
    ObjectStoreNotAuthorized,
)
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.swift.objects import Container, Listed

URL = 'http://swift/v1/AUTH_p/copies'
SWIFT = {'X-Trans-Id': 'tx1'}


@pytest.fixture
def container(cloud):
    return Container(ObjectStore(cloud.session()), 'copies', 'AUTH_p')


def test_a_container(cloud, container):
    cloud.mock.head(URL, [{'headers': SWIFT, 'status_code': 404},
                          {'headers': {**SWIFT, 'X-Container-Read': 'x'}}])
    cloud.mock.put(URL, headers=SWIFT, status_code=201)
    assert container.headers() is None
    container.create()
    assert container.headers()['X-Container-Read'] == 'x'
    assert cloud.asked == [f'HEAD {URL}', f'PUT {URL}', f'HEAD {URL}']


def test_an_object(cloud, container):
    url = f'{URL}/a/b%20c'
    cloud.mock.put(url, [{'headers': {**SWIFT, 'ETag': 'e'}, 'status_code': 201},
                         {'headers': SWIFT, 'status_code': 412}])
    for method in 'HEAD', 'POST', 'DELETE':
        cloud.mock.register_uri(method, url, [{'headers': SWIFT, 'status_code': 204},
                                              {'headers': SWIFT, 'status_code': 404}])
    assert container.put('a/b c', b'data', {'X-Delete-At': '9'}, 'multipart-manifest=put')[
        'ETag'] == 'e'
    sent = cloud.mock.last_request
    assert (sent.body, sent.headers['X-Delete-At'], sent.query) == (
        b'data', b'9', 'multipart-manifest=put')
    # A condition is not met.
    assert container.put('a/b c', b'', {'If-None-Match': '*'}) is None
    assert container.head('a/b c')['X-Trans-Id'] == 'tx1' and container.head('a/b c') is None
    assert container.post('a/b c', {'X-Delete-At': '7'}) is True
    assert cloud.mock.last_request.headers['X-Delete-At'] == b'7'
    assert container.post('a/b c', {}) is False
    assert (container.delete('a/b c'), container.delete('a/b c')) == (True, False)


def pages(cloud, *shown):
    cloud.mock.get(URL, [{'headers': SWIFT, 'json': page} for page in shown])


def row(name):
    return {'name': name, 'bytes': 5, 'hash': 'e'}


def test_a_list_is_read_page_by_page(cloud, container):
    pages(cloud, [row('p/a'), {'subdir': 'p/x/'}, row('p/b')], [row('p/c')], [])
    assert list(container.list('p/', after='p/0')) == [
        Listed(f'p/{name}', 5, 'e') for name in 'abc']
    assert [request.qs['marker'] for request in cloud.mock.request_history
            if request.method == 'GET' and request.netloc == 'swift'] == [
        ['p/0'], ['p/b'], ['p/c']]
    assert cloud.mock.last_request.qs['prefix'] == ['p/']


def test_a_list_of_no_container(cloud, container):
    cloud.mock.get(URL, headers=SWIFT, status_code=404)
    assert list(container.list()) == []


@pytest.mark.parametrize('page', [
    {}, [1], [{'name': 'p/a'}], [{**row('p/a'), 'bytes': 'x'}], [row('p/\ud800')],
    # Another prefix, twice the same, and one from before.
    [row('q/a')], [row('p/a'), row('p/a')], [row('p/0')]])
def test_what_is_no_list(cloud, container, page):
    pages(cloud, page)
    if page == {}:
        cloud.mock.get(URL, headers=SWIFT, text='<html>')
    with pytest.raises(ObjectStoreFailed, match=f'What answers at {URL} lists other things'):
        list(container.list('p/', after='p/0'))


def test_a_list_that_does_not_end(cloud, container, monkeypatch):
    monkeypatch.setattr('osc_imgurl.swift.objects.MOST_PAGES', 2)
    pages(cloud, [row('a')], [row('b')], [row('c')])
    with pytest.raises(ObjectStoreFailed, match='does not end'):
        list(container.list())


def test_the_segments_of_a_large_object(cloud, container):
    cloud.mock.get(f'{URL}/x?multipart-manifest=get', [
        {'headers': SWIFT, 'json': [{'name': '/copies/.segments/1'}, {'name': '/other/2'}]},
        {'headers': SWIFT, 'status_code': 404}, {'headers': SWIFT, 'text': 'the data'}])
    assert container.manifest('x') == {'.segments/1', '/other/2'}
    assert container.manifest('x') == set()
    assert container.manifest('x') is None


@pytest.mark.parametrize(('status', 'error', 'said'), [
    (413, ObjectStoreFull, 'a quota|the quota'), (507, ObjectStoreFull, 'its disks are full'),
    (403, ObjectStoreNotAuthorized, 'HTTP 403'), (500, ObjectStoreFailed, 'HTTP 500')])
@pytest.mark.parametrize(('method', 'call'), [
    ('PUT', lambda container: container.put('x', b'', {})),
    ('POST', lambda container: container.post('x', {})),
    ('DELETE', lambda container: container.delete('x'))])
def test_an_answer_that_is_none(cloud, container, status, error, said, method, call):
    cloud.mock.register_uri(method, f'{URL}/x', status_code=status, headers=SWIFT)
    with pytest.raises(error, match=said):
        call(container)


@pytest.mark.parametrize('name', ['.', '..', 'a/../b', './a'])
def test_a_name_that_leads_elsewhere(container, name):
    with pytest.raises(InvalidParameterValue, match=r'has a part \. or \.\.'):
        container.delete(name)
