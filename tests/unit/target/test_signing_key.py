"""Which key signs a URL, and whether an account's keys can be those of the images."""

import pytest

from osc_imgurl.errors import (
    SET_KEY,
    MissingParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
)
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import ACCOUNT_SLOTS, CONTAINER_SLOTS
from osc_imgurl.target.resolve import Target, find_key, keeps_images
from osc_imgurl.tempurl.endpoint import Endpoint
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

from ..stubs import IMAGE_ID, OFFLINE, OTHER_ID, Glance, Store, image

C2, C1 = CONTAINER_SLOTS
A2, A1 = ACCOUNT_SLOTS
ONE, TWO = Key(b'one'), Key(b'two')
TARGET = Target(Endpoint('http://swift'), ObjectPath('AUTH_p', 'glance', IMAGE_ID))
GATEWAY = Target(Endpoint('http://rgw/swift', False), ObjectPath(None, 'glance', IMAGE_ID))


@pytest.mark.parametrize(('place', 'container', 'account', 'ask_container', 'found', 'asked'), [
    (TARGET, {C2: ONE, C1: TWO}, {A1: TWO}, True, (C2, ONE), ['container_keys']),
    (TARGET, {C1: TWO}, {A1: ONE}, True, (C1, TWO), ['container_keys']),
    (TARGET, {}, {A2: ONE, A1: TWO}, True, (A2, ONE), ['container_keys', 'account_keys']),
    (TARGET, {}, {A1: TWO}, True, (A1, TWO), ['container_keys', 'account_keys']),
    (TARGET, {C1: ONE}, {A1: TWO}, False, (A1, TWO), ['account_keys']),
    # A gateway ignores the keys of a container.
    (GATEWAY, {C1: ONE}, {A1: TWO}, True, (A1, TWO), ['account_keys']),
])
def test_the_first_key_of_the_slots(place, container, account, ask_container, found, asked):
    store = Store(container=container, account=account)
    assert find_key(place, store, ask_container) == found
    assert store.asked == asked


def test_the_slots_of_the_place_are_looked_at():
    store = Store()
    store.answers['container_keys'] = lambda account, container: {
        C1: ONE} if (account, container) == ('AUTH_p', 'glance') else {}
    assert find_key(TARGET, store) == (C1, ONE)
    store.answers.update({'container_keys': {}, 'account_keys': lambda account: {
        A1: TWO} if account == 'AUTH_p' else {}})
    assert find_key(TARGET, store) == (A1, TWO)


@pytest.mark.parametrize(('place', 'answers', 'kind', 'message', 'names'), [
    (TARGET, {}, MissingParameterValue,
     'There is no temporary URL key on account AUTH_p, nor on the container glance.',
     (SET_KEY, 'key_file')),
    (GATEWAY, {}, MissingParameterValue,
     'There is no temporary URL key on this account, nor on the container glance.',
     (SET_KEY, 'key_file')),
    (TARGET, {'account_keys': None}, MissingParameterValue,
     'There is no temporary URL key on account AUTH_p, nor on the container glance.',
     (SET_KEY, 'key_file')),
    (TARGET, {'container_keys': None, 'account_keys': {A1: ONE}}, MissingParameterValue,
     'There is no container glance in account AUTH_p, where the image should be.',
     ('account', 'key_file')),
    (TARGET, {'container_keys': ObjectStoreNotAuthorized('HTTP 403.')}, ObjectStoreNotAuthorized,
     'HTTP 403. The keys of account AUTH_p are shown to its owner only.', ('key_file',)),
    (GATEWAY, {'account_keys': ObjectStoreNotAuthorized('HTTP 403.')}, ObjectStoreNotAuthorized,
     'HTTP 403. The keys of this account are shown to its owner only.', ('key_file',)),
    (TARGET, {'account_keys': ObjectStoreFailed('HTTP 500.')}, ObjectStoreFailed, 'HTTP 500.', ()),
])
def test_no_key(place, answers, kind, message, names):
    store = Store()
    store.answers.update(answers)
    with pytest.raises(kind) as raised:
        find_key(place, store)
    assert (type(raised.value), raised.value.problem, raised.value.names) == (kind, message, names)


def test_with_nobody_to_ask_for_the_key():
    with pytest.raises(MissingParameterValue, match='Swift shows no key') as raised:
        find_key(TARGET, OFFLINE)
    assert (raised.value.remedy, raised.value.names) == ('Give it.', ('key_file',))


def holding(*containers):
    return Store(objects={('AUTH_p', container, 'x'): 1 for container in containers})


SINGLE = image(f'swift+config://ref1/images/{IMAGE_ID}')
MULTI = image(f'swift+http://swift/v1/AUTH_x/images/{IMAGE_ID}')
FILE = image('file:///x', id=OTHER_ID)
HIDDEN = image()


@pytest.mark.parametrize(('containers', 'images', 'wanted'), [
    (['glance'], [SINGLE], True),
    (['other', 'glance_3a1'], [], True),
    # The container of a location.
    (['images'], [SINGLE], True),
    (['images'], [FILE, SINGLE], True),
    (['images'], [MULTI], True),
    # There are images, and none of them is here.
    (['other'], [SINGLE], False),
    (['glances', 'my_glance'], [SINGLE], False),
    ([], [SINGLE], False),
    (['other'], [HIDDEN], False),
    # A multi-tenant store makes the first container with the first image.
    (['other'], [MULTI], None),
    (['other'], [SINGLE, MULTI], None),
    # There is no image by which to know.
    (['other'], [], None),
    (['other'], [FILE], None),
    (['images'], [FILE], None),
    (['images'], [image(f'swift+config://ref1/images/{IMAGE_ID}', status='queued')], None),
])
def test_whether_glance_keeps_images_in_an_account(containers, images, wanted):
    assert keeps_images('AUTH_p', Settings(), Glance(*images), holding(*containers)) is wanted


def test_the_settings_name_glances_containers():
    settings = Settings(container='images')
    assert keeps_images('AUTH_p', settings, Glance(SINGLE), holding('images_3a1')) is True
    assert keeps_images('AUTH_x', settings, Glance(MULTI), holding('images_3a1')) is None


def test_no_more_images_are_asked_for_than_one_page():
    seen = [image(f'swift+config://ref1/images/{number}', id=str(number)) for number in range(25)]
    last = image('swift+config://ref1/last/25', id='25')
    assert keeps_images('AUTH_p', Settings(), Glance(*seen, last), holding('last')) is False
    assert keeps_images('AUTH_p', Settings(), Glance(*seen[1:], last), holding('last')) is True
