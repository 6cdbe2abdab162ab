"""What an object store answers about links that no local cloud can be made to answer."""

import pytest
from requests.structures import CaseInsensitiveDict

from osc_imgurl.errors import (
    ImageUnacceptable,
    ImgurlError,
    InvalidParameterValue,
    ObjectMismatch,
    ObjectStoreFailed,
)
from osc_imgurl.links.link import LinkOptions, new_link
from osc_imgurl.links.link_container import LinkContainer, discard, living
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.endpoint import OfflineSwift
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

from ..stubs import IMAGE_ID, MD5, NOW, image

END = int(NOW) + 60
LINK = new_link(image(), Key(b'a key'), LinkOptions(), END, NOW)
CONTAINER = 'http://swift/v1/AUTH_p/image-temp-url-links'
URL = f'{CONTAINER}/{LINK.name}'
OBJECT = f'http://swift/v1/AUTH_p/glance/{IMAGE_ID}'
PATH = ObjectPath('AUTH_p', 'glance', IMAGE_ID)
TRANSACTION = {'X-Trans-Id': 'tx'}
OF_LINK = {**TRANSACTION, 'Content-Type': LINK.content_type, 'X-Delete-At': str(END)}


@pytest.fixture
def swift(cloud):
    """A Swift with an image of five bytes."""
    cloud.mock.head(OBJECT, headers={**TRANSACTION, 'Content-Length': '5', 'ETag': MD5})
    cloud.mock.head(CONTAINER, headers=TRANSACTION)
    cloud.mock.put(URL, status_code=201, headers=TRANSACTION)
    cloud.mock.head(URL, headers={**OF_LINK, 'Content-Length': '5'})
    cloud.mock.delete(URL, status_code=204, headers=TRANSACTION)
    return ObjectStore(cloud.session())


def make(swift, symlink=True):
    return LinkContainer(Settings(), swift).make(
        LINK, image(size=5), PATH, Capabilities(symlink=symlink))


def sent(cloud, method):
    return [CaseInsensitiveDict({name: value.decode() if isinstance(value, bytes) else value
                                 for name, value in each.headers.items()})
            for each in cloud.mock.request_history
            if each.method == method and 'keystone' not in each.netloc]


def test_a_symbolic_link(cloud, swift):
    assert make(swift) == []
    put, = sent(cloud, 'PUT')
    assert (put['X-Symlink-Target'], put['X-Symlink-Target-Etag'], put['X-Delete-At'],
            put['If-None-Match'], put['Content-Type']) == (
        f'glance/{IMAGE_ID}', MD5, str(END), '*', LINK.content_type)


def make_known(swift):
    """Make a link to an image of which Glance shows the MD5."""
    return LinkContainer(Settings(), swift).make(
        LINK, image(size=5), PATH, Capabilities(symlink=True, static_links=True))


def test_an_object_whose_data_swift_has_compared(cloud, swift):
    """Two requests are enough."""
    assert make_known(swift) == []
    put, = sent(cloud, 'PUT')
    assert put['X-Symlink-Target-Etag'] == MD5
    assert [each for each in cloud.asked if 'keystone' not in each] == [
        f'HEAD {CONTAINER}', f'PUT {URL}']


def test_an_object_with_another_etag(cloud, swift):
    """It is in segments, and its length is compared."""
    cloud.mock.head(OBJECT, headers={**TRANSACTION, 'Content-Length': '5',
                                     'X-Object-Manifest': 'glance/segments-'})
    cloud.mock.put(URL, [{'status_code': status, 'headers': TRANSACTION} for status in (409, 201)])
    assert make_known(swift) == []
    first, second = sent(cloud, 'PUT')
    assert 'X-Symlink-Target-Etag' in first and 'X-Symlink-Target-Etag' not in second
    assert cloud.asked[-1] == f'HEAD {URL}'


@pytest.mark.parametrize('symlink', [True, False])
def test_an_object_with_other_data(cloud, swift, symlink):
    """It has the image's size, and may be another user's: nothing links to it."""
    cloud.mock.head(OBJECT, headers={**TRANSACTION, 'Content-Length': '5', 'ETag': '0' * 32})
    cloud.mock.put(URL, status_code=409, headers=TRANSACTION)
    with pytest.raises(ObjectMismatch, match='is not the data of image') as caught:
        LinkContainer(Settings(), swift).make(
            LINK, image(size=5), PATH, Capabilities(symlink=symlink, static_links=symlink))
    assert caught.value.names == ('copy',)
    # The first is refused, and there is no second.
    assert len(sent(cloud, 'PUT')) == symlink


def test_an_object_with_other_data_that_is_given_explicitly(cloud, swift):
    path = ObjectPath('AUTH_p', 'glance', 'other')
    cloud.mock.head(f'{OBJECT.removesuffix(IMAGE_ID)}other', headers={
        **TRANSACTION, 'Content-Length': '5', 'ETag': '0' * 32})
    assert LinkContainer(Settings(), swift).make(
        LINK, image(size=5), path, Capabilities(symlink=True)) == []


def test_a_manifest(cloud, swift):
    cloud.mock.head(OBJECT, headers={**TRANSACTION, 'Content-Length': '5',
                                     'X-Object-Manifest': 'glance/segments-'})
    make(swift, symlink=False)
    put, = sent(cloud, 'PUT')
    assert put['X-Object-Manifest'] == 'glance/segments-' and put['X-Delete-At'] == str(END)


def test_a_put_that_was_made_again(cloud, swift):
    """The first was carried out, and its answer was lost."""
    cloud.mock.put(URL, status_code=412, headers=TRANSACTION)
    assert make(swift) == []


def test_a_store_that_only_seems_to_make_links(cloud, swift):
    cloud.mock.head(URL, headers={**OF_LINK, 'Content-Length': '0'})
    with pytest.raises(ObjectMismatch, match='gives 0 bytes, and the image has 5') as caught:
        make(swift)
    assert caught.value.names == ('copy',)
    assert len(sent(cloud, 'DELETE')) == 1


def test_an_object_that_is_gone(cloud, swift):
    cloud.mock.head(OBJECT, status_code=404, headers=TRANSACTION)
    with pytest.raises(ObjectStoreFailed, match='There is no object'):
        make(swift)
    assert sent(cloud, 'PUT') == []


def test_a_static_large_object(cloud, swift):
    """Tools that delete the link would delete its segments."""
    cloud.mock.head(OBJECT, headers={**TRANSACTION, 'Content-Length': '5',
                                     'X-Static-Large-Object': 'True'})
    with pytest.raises(ImageUnacceptable) as caught:
        make(swift)
    assert caught.value.names == ('copy',) and sent(cloud, 'PUT') == []


def test_the_container_is_made_once(cloud, swift):
    cloud.mock.head(CONTAINER, [{'status_code': 404, 'headers': TRANSACTION},
                                {'headers': TRANSACTION}])
    cloud.mock.put(CONTAINER, status_code=201, headers=TRANSACTION)
    links = LinkContainer(Settings(), swift)
    for _ in range(2):
        links.make(LINK, image(size=5), PATH, Capabilities(symlink=True))
    assert cloud.asked.count(f'PUT {CONTAINER}') == 1
    assert cloud.asked.count(f'HEAD {CONTAINER}') == 2


@pytest.mark.parametrize('status', [307, 202])
def test_extend(cloud, swift, status):
    """Swift redirects a POST to the target of a link, where nobody goes."""
    later = END + 60
    cloud.mock.head(f'{URL}?symlink=get', [
        {'headers': OF_LINK}, {'headers': {**OF_LINK, 'X-Delete-At': str(later)}}])
    cloud.mock.post(URL, status_code=status, headers={**TRANSACTION, 'Location': OBJECT})
    assert LinkContainer(Settings(), swift).extend(LINK, later, NOW).expires == later
    post, = sent(cloud, 'POST')
    assert post['X-Delete-At'] == str(later) and f'end={later};' in post['Content-Type']
    assert f'POST {OBJECT}' not in cloud.asked


def test_extended_by_two_at_once(cloud, swift):
    cloud.mock.head(f'{URL}?symlink=get', headers=OF_LINK)
    cloud.mock.post(URL, status_code=307, headers=TRANSACTION)
    with pytest.raises(ObjectStoreFailed, match='another process has just changed it'):
        LinkContainer(Settings(), swift).extend(LINK, END + 60, NOW)


@pytest.mark.parametrize(('head', 'post'), [(404, 307), (200, 404)])
def test_a_link_that_ends_while_it_is_extended(cloud, swift, head, post):
    cloud.mock.head(f'{URL}?symlink=get', status_code=head, headers=OF_LINK)
    cloud.mock.post(URL, status_code=post, headers=TRANSACTION)
    with pytest.raises(InvalidParameterValue, match='There is no link'):
        LinkContainer(Settings(), swift).extend(LINK, END + 60, NOW)


def test_discard(cloud, swift):
    cloud.mock.delete(URL, status_code=500, headers=TRANSACTION)
    discard(LINK, Settings(), swift)
    assert len(sent(cloud, 'DELETE')) == 1
    discard(LINK, Settings(), OfflineSwift())


def test_living(cloud, swift):
    listed = [{'name': name, 'bytes': 0, 'hash': '', 'content_type': content_type}
              for name, content_type in ((LINK.name, LINK.content_type), ('x', 'text/plain'))]
    listed.sort(key=lambda each: each['name'])
    for now, wanted in ((NOW, [LINK]), (END, [])):
        cloud.mock.get(CONTAINER, [{'json': listed, 'headers': TRANSACTION},
                                   {'json': [], 'headers': TRANSACTION}])
        assert list(living(Settings(), swift, now)) == wanted


def test_a_gateway_that_ignores_the_end(cloud):
    """Its copy would live for ever."""
    for catalog in cloud.catalog:
        for each in catalog['endpoints']:
            each['url'] = each['url'].replace('swift/v1/AUTH_p', 'swift/swift/v1')
    base, container = 'http://swift/swift/v1', 'image-temp-url-links-p'
    headers = {'X-Trans-Id': 'tx', 'Content-Length': '5'}
    cloud.mock.get(base, text=f'{container}\n', headers=TRANSACTION)
    cloud.mock.head(f'{base}/glance/{IMAGE_ID}', headers=headers)
    cloud.mock.head(f'{base}/{container}', headers=TRANSACTION)
    url = f'{base}/{container}/{LINK.name}'
    cloud.mock.put(url, status_code=201, headers=TRANSACTION)
    cloud.mock.head(url, headers=headers)
    cloud.mock.delete(url, status_code=204, headers=TRANSACTION)
    path = ObjectPath(None, 'glance', IMAGE_ID)
    with pytest.raises(ImgurlError, match='ends at no time'):
        LinkContainer(Settings(), ObjectStore(cloud.session())).make(
            LINK, image(size=5), path, Capabilities())
    put, = sent(cloud, 'PUT')
    assert put['X-Copy-From'] == f'/glance/{IMAGE_ID}'
    assert len(sent(cloud, 'DELETE')) == 1
