"""Links named by IDs and URLs, and which key signs the URL of one."""

import dataclasses
import re

import pytest

from osc_imgurl.errors import (
    ImageUnacceptable,
    ImgurlError,
    InvalidParameterValue,
    MissingParameterValue,
)
from osc_imgurl.links.link import LinkOptions, new_link
from osc_imgurl.links.links import LinkMaker, Links
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities, KeySlot
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.target.resolve import Target
from osc_imgurl.target.store import Store
from osc_imgurl.tempurl.endpoint import Endpoint
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key, Parameters, sign
from osc_imgurl.tempurl.url import ObjectPath

from .. import stubs
from ..stubs import IMAGE_ID, NOW, OFFLINE, image

KEY, OTHER = Key(b'a key'), Key(b'another key')
END = int(NOW) + 60
LINKS = sorted((new_link(image(), KEY, LinkOptions(), END, NOW) for _ in range(3)),
               key=lambda link: link.name)
CONTAINER = 'http://swift/v1/AUTH_p/image-temp-url-links'
TRANSACTION = {'X-Trans-Id': 'tx'}
PATH = ObjectPath('AUTH_p', 'glance', IMAGE_ID)


def listing(*links):
    return [{'name': link.name, 'bytes': 0, 'hash': '', 'content_type': link.content_type}
            for link in links]


@pytest.fixture
def links(cloud):
    """Three links, of which all but the last are listed by now."""
    cloud.mock.get(CONTAINER, [{'json': listing(*LINKS[:2]), 'headers': TRANSACTION},
                               {'json': [], 'headers': TRANSACTION}])
    for link in LINKS:
        cloud.mock.delete(f'{CONTAINER}/{link.name}', status_code=204, headers=TRANSACTION)
        cloud.mock.head(f'{CONTAINER}/{link.name}?symlink=get', headers={
            **TRANSACTION, 'Content-Type': link.content_type, 'X-Delete-At': str(END)})
    return Links(Settings(), ObjectStore(cloud.session()))


def url(link, account='AUTH_p', container='image-temp-url-links'):
    path = ObjectPath(account, container, link.name)
    return sign(Parameters('http://swift', path, link.signed_until), KEY).url


def asked(cloud, method):
    return [each.removeprefix(f'{method} {CONTAINER}') for each in cloud.asked
            if each.startswith(method)]


def test_all_and_those_of_an_image(cloud, links):
    assert list(links.listed()) == LINKS[:2]
    list(links.listed(IMAGE_ID))
    first, _, of_image, *_ = asked(cloud, 'GET')
    assert 'prefix=&' in first and f'prefix={IMAGE_ID}%2F' in of_image


def test_by_ids_and_urls(cloud, links):
    """One listing is enough; it is not needed for a URL."""
    assert links.revoke([url(LINKS[2])]) == []
    assert asked(cloud, 'GET') == []
    assert links.revoke([LINKS[0].id.upper(), LINKS[1].id, LINKS[0].id]) == []
    assert asked(cloud, 'DELETE') == [f'/{LINKS[number].name}' for number in (2, 0, 1)]
    assert len(asked(cloud, 'GET')) == 2


def test_another_object_with_the_same_id(cloud, links):
    """Both are revoked: no answer hides that the real link still works."""
    planted = dataclasses.replace(LINKS[0], image_id='f' * 8 + IMAGE_ID[8:])
    cloud.mock.get(CONTAINER, [{'json': listing(LINKS[0], planted), 'headers': TRANSACTION},
                               {'json': [], 'headers': TRANSACTION}])
    cloud.mock.delete(f'{CONTAINER}/{planted.name}', status_code=204, headers=TRANSACTION)
    assert planted.name != LINKS[0].name and links.revoke([LINKS[0].id]) == []
    assert asked(cloud, 'DELETE') == [f'/{LINKS[0].name}', f'/{planted.name}']


def test_none_of_an_image(cloud, links):
    cloud.mock.get(CONTAINER, json=[], headers=TRANSACTION)
    found, = links.revoke_all(IMAGE_ID)
    assert f'There is no link to image {IMAGE_ID}' in str(found)


@pytest.mark.parametrize(('reference', 'error'), [
    ('0' * 32, 'There is no link 0000'), ('', 'There is no link'),
    (url(LINKS[0], account='AUTH_q'), f'There is no link {LINKS[0].id}'),
    (url(LINKS[0], container='image-temp-url-links-' + '0' * 32), 'There is no link'),
    (url(LINKS[0], container='glance'), 'can be neither extended nor revoked'),
    ('https://swift/', 'not a temporary URL')],
    ids=['ID', 'nothing', 'account', 'container', 'no link', 'no URL'])
def test_what_is_not_there(cloud, links, reference, error):
    """The others are revoked."""
    found, = links.revoke([reference, LINKS[1].id])
    assert isinstance(found, InvalidParameterValue) and error in str(found)
    assert 'temp_url_sig=' not in str(found)
    assert asked(cloud, 'DELETE') == [f'/{LINKS[1].name}']


def test_what_has_just_ended(cloud, links):
    cloud.mock.delete(f'{CONTAINER}/{LINKS[0].name}', status_code=404, headers=TRANSACTION)
    found, = links.revoke([LINKS[0].id])
    assert f'There is no link {LINKS[0].id}' in str(found)
    # Of all, what is gone is gone.
    cloud.mock.get(CONTAINER, [{'json': listing(*LINKS[:2]), 'headers': TRANSACTION},
                               {'json': [], 'headers': TRANSACTION}])
    assert links.revoke_all() == []


def test_extend(cloud, links):
    name = f'{CONTAINER}/{LINKS[0].name}'
    headers = {**TRANSACTION, 'X-Delete-At': str(END + 60)}
    cloud.mock.head(f'{name}?symlink=get', headers=headers)
    cloud.mock.post(name, status_code=307, headers=TRANSACTION)
    cloud.mock.post(f'{CONTAINER}/{LINKS[1].name}', status_code=500, headers=TRANSACTION)
    error, extended, failed = links.extend(['x', LINKS[0].id, LINKS[1].id], END + 60, NOW)
    assert extended == LINKS[0].until(END + 60, NOW)
    assert 'There is no link x' in str(error) and isinstance(failed, ImgurlError)


def key(account=None, container=None, given=None, target='AUTH_p'):
    """Return the key of a link, where such keys are set."""
    store = stubs.Store(
        account={KeySlot('account', 1): account} if account else {},
        container={KeySlot('container', 1): container} if container else {})
    settings = Settings(key=given) if given else Settings()
    return LinkMaker(Settings(), LinkOptions()).key(
        Target(Endpoint('http://swift'), ObjectPath(target, 'glance', IMAGE_ID)),
        Store(settings, store))


def test_only_a_key_of_the_account_signs():
    assert key(KEY) == key(KEY, OTHER) == key(KEY, given=KEY) == KEY


@pytest.mark.parametrize(('keys', 'error', 'words'), [
    ({'container': KEY}, MissingParameterValue,
     "The container's key is not a key of account AUTH_p"),
    ({'account': KEY, 'given': OTHER}, MissingParameterValue, 'The given key is not a key of'),
    ({'account': KEY, 'target': 'AUTH_q'}, ImageUnacceptable, 'The image is in account AUTH_q')])
def test_which_key_does_not(keys, error, words):
    with pytest.raises(error, match=words):
        key(**keys)


def test_what_no_link_allows():
    with pytest.raises(InvalidParameterValue, match='A URL for PUT'):
        LinkMaker(Settings(), LinkOptions()).make(
            image(), Parameters('http://swift', PATH, END, URLOptions('PUT')), KEY,
            stubs.Store(), supported=Capabilities(), now=NOW)


def test_nobody_to_ask():
    with pytest.raises(MissingParameterValue, match='and so authentication'):
        LinkMaker(Settings(), LinkOptions()).make(
            image(), Parameters('http://swift', PATH, END), KEY, OFFLINE,
            supported=Capabilities(), now=NOW)


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
def test_the_url_of_a_link(cloud, method):
    """Its signature outlives it."""
    of_image = f'http://swift/v1/AUTH_p/glance/{IMAGE_ID}'
    cloud.mock.head(of_image, headers={**TRANSACTION, 'Content-Length': '5'})
    cloud.mock.head(CONTAINER, headers=TRANSACTION)
    made = re.compile(f'{CONTAINER}/')
    cloud.mock.put(made, status_code=201, headers=TRANSACTION)
    cloud.mock.head(made, headers={**TRANSACTION, 'Content-Length': '5'})
    options = URLOptions(method, filename='x')
    link, parameters, to_know = LinkMaker(Settings(), LinkOptions('for Bob', '30d')).make(
        image(size=5), Parameters('http://swift', PATH, END, options, 'sha512'), KEY,
        ObjectStore(cloud.session()), supported=Capabilities(symlink=True), now=NOW)
    assert (link.expires, link.note, to_know) == (END, 'for Bob', [])
    assert parameters == Parameters(
        'http://swift', ObjectPath('AUTH_p', 'image-temp-url-links', link.name),
        int(NOW) + 30 * 86400, options, 'sha512')
