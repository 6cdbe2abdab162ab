"""The container for copies: made, given a key, and cleared, in a Swift that is a stub."""

import concurrent.futures
import dataclasses
import json
import threading

import pytest

from osc_imgurl.copies.container import CopyContainer
from osc_imgurl.copies.copy import Copy, to_headers
from osc_imgurl.copies.segments import FOLDER
from osc_imgurl.errors import (
    InvalidParameterValue,
    MissingParameterValue,
    ObjectStoreNotAuthorized,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.tempurl.signing import Key

from ..stubs import IMAGE_ID, OTHER_ID

NAME = 'image-temp-urls'
# All projects of a gateway share the names of containers.
IN_GATEWAY = f'{NAME}-p'
OLD = {'Date': 'Thu, 26 Nov 2026 10:00:10 GMT', 'Last-Modified': 'Thu, 26 Nov 2026 10:00:00 GMT'}
SWIFT = {'X-Trans-Id': 'tx1'}
KEY_HEADER = 'X-Container-Meta-Temp-URL-Key'
END = 2_000_000_000


@pytest.fixture
def stub(cloud, naps):
    return Stub(cloud)


class Stub:
    """A container, by what it answers; nobody waits."""

    def __init__(self, cloud, storage_url='http://swift/v1/AUTH_p'):
        self.cloud, self.mock = cloud, cloud.mock
        name = NAME if storage_url.endswith('AUTH_p') else IN_GATEWAY
        self.url = f'{storage_url}/{name}'
        self.account_url = storage_url
        self.copies = CopyContainer(
            Settings(), ObjectStore(cloud.session(), storage_url=storage_url))
        self.target = self.copies.target(IMAGE_ID)
        self.mock.put(self.url, status_code=201, headers=SWIFT)
        self.mock.post(self.url, status_code=204, headers=SWIFT)

    def container(self, status=200, **headers):
        """Say what Swift shows of the container, now and after its key is set."""
        self.mock.head(self.url, status_code=status, headers={**SWIFT, **headers})

    def holds(self, *names, **headers):
        """Say which objects there are; each is a copy that ends, or a segment."""
        def listing(request, _):
            start, prefix = request.qs['marker'][0], request.qs['prefix'][0]
            return [{'name': name, 'bytes': 5, 'hash': 'e'} for name in sorted(names)
                    if name > start and name.startswith(prefix)]

        self.mock.get(self.url, headers=SWIFT, json=listing)
        for name in names:
            copy = Copy(NAME, name, None, 5, 'md5:00', END)
            self.mock.head(f'{self.url}/{name}', headers={
                **SWIFT, 'Content-Length': '5', **to_headers(copy), **headers})
            for method in 'POST', 'DELETE':
                self.mock.register_uri(method, f'{self.url}/{name}', headers=SWIFT,
                                       status_code=204)

    def asked(self, *methods):
        return [each for each in self.cloud.asked if each.split()[0] in methods]


def test_a_container_is_made_and_gets_a_key(stub):
    stub.mock.head(stub.url, [{'status_code': 404, 'headers': SWIFT},
                              {'headers': {**SWIFT, KEY_HEADER: 'k'}}])
    stub.copies.prepare(stub.target)
    assert stub.asked('PUT', 'POST') == [f'PUT {stub.url}', f'POST {stub.url}']
    sent = [value for name, value in stub.mock.last_request.headers.items()
            if name.lower() == KEY_HEADER.lower()]
    assert len(sent) == 1 and len(sent[0]) >= 32
    assert stub.copies.key(stub.target) == Key(b'k')


def test_threads_make_one_container_and_one_key(stub):
    stub.mock.head(stub.url, [{'status_code': 404, 'headers': SWIFT},
                              {'headers': {**SWIFT, KEY_HEADER: 'k'}}])
    begun = threading.Barrier(4)

    def prepare(_):
        begun.wait(30)
        stub.copies.prepare(stub.target)
        return stub.copies.key(stub.target)

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        assert set(threads.map(prepare, range(4))) == {Key(b'k')}
    assert stub.asked('PUT', 'POST') == [f'PUT {stub.url}', f'POST {stub.url}']


def test_a_key_that_is_there_stays(stub):
    stub.container(**OLD, **{f'{KEY_HEADER}-2': 'two'})
    for _ in range(2):
        stub.copies.prepare(stub.target)
    assert stub.asked('PUT', 'POST') == []
    assert stub.copies.key(stub.target) == Key(b'two')
    assert stub.asked('HEAD') == [f'HEAD {stub.url}']


@pytest.mark.parametrize('times', [
    {**OLD, 'Date': OLD['Last-Modified']},
    {**OLD, 'Date': 'Thu, 26 Nov 2026 10:00:02 GMT'}])
def test_a_key_that_was_set_just_now_is_looked_up_again(stub, naps, times):
    """Another process may be setting another."""
    stub.mock.head(stub.url, [{'headers': {**SWIFT, **times, KEY_HEADER: 'first'}},
                              {'headers': {**SWIFT, KEY_HEADER: 'second'}}])
    stub.copies.prepare(stub.target)
    assert stub.copies.key(stub.target) == Key(b'second')
    assert 0 < naps[-1] <= 2


@pytest.mark.parametrize('times', [{}, {**OLD, 'Date': 'yesterday'}])
def test_a_server_that_does_not_say_when(stub, times):
    stub.container(**times, **{KEY_HEADER: 'k'})
    stub.copies.prepare(stub.target)
    assert stub.copies.key(stub.target) == Key(b'k') and len(stub.asked('HEAD')) == 1


@pytest.mark.parametrize(('answer', 'largest'), [
    ({'status_code': 412}, None), ({'status_code': 500}, None), ({'text': '<html>'}, None),
    ({'json': {'swift': {'max_file_size': 7}}}, 7)])
def test_a_cluster_that_does_not_say_what_it_supports(stub, answer, largest):
    stub.mock.get('http://swift/info', **answer)
    assert stub.copies.capabilities().max_object_size == largest


@pytest.mark.parametrize(('header', 'use'), [
    ('X-Container-Read', 'read'), ('X-Container-Write', 'change')])
def test_a_container_that_others_may_use_is_a_warning(stub, caplog, header, use):
    stub.container(**OLD, **{KEY_HEADER: 'k', header: '.r:*'})
    stub.copies.prepare(stub.target)
    assert caplog.messages == [f'Others may {use} what is in the container {NAME}, where copies'
                               f' are kept: its {header} is .r:*']


def test_without_rights_there_is_no_container(stub):
    stub.container(403)
    with pytest.raises(ObjectStoreNotAuthorized, match='The copy would go there') as caught:
        stub.copies.prepare(stub.target)
    assert caught.value.names == ('copy_container',)


@pytest.mark.parametrize('status', [200, 403])
def test_another_projects_container_in_a_gateway(cloud, naps, status):
    stub = Stub(cloud, 'http://rgw/swift/v1')
    stub.mock.head(stub.account_url, headers={**SWIFT, 'X-Account-Meta-Temp-URL-Key': 'k'})
    stub.mock.get(stub.account_url, headers=SWIFT, text='other\n')
    stub.container(status)
    with pytest.raises(InvalidParameterValue, match=f'{IN_GATEWAY} is another project\'s'):
        stub.copies.prepare(stub.target)


def test_in_a_gateway_the_accounts_key_signs(cloud, naps):
    stub = Stub(cloud, 'http://rgw/swift/v1')
    stub.mock.head(stub.account_url, headers={**SWIFT, 'X-Account-Meta-Temp-URL-Key': 'k'})
    stub.mock.get(stub.account_url, headers=SWIFT, text=f'{IN_GATEWAY}\n')
    stub.container()
    stub.copies.prepare(stub.target)
    assert stub.asked('POST') == [] and stub.copies.key(stub.target) == Key(b'k')
    stub.mock.head(stub.account_url, headers=SWIFT)
    with pytest.raises(MissingParameterValue):
        Stub(cloud, 'http://rgw/swift/v1').copies.prepare(stub.target)


FIRST, SECOND = (f'{IMAGE_ID}/{digit * 16}' for digit in '01')
SEGMENTS = [f'{FOLDER}{IMAGE_ID}/{"0" * 16}/0000000{number}' for number in (1, 2)]
OTHERS = f'{FOLDER}{OTHER_ID}/{"0" * 16}/00000001'


def deleted(stub):
    return [each.removeprefix(f'DELETE {stub.url}/') for each in stub.asked('DELETE')]


def test_a_copy_is_deleted_with_its_segments(stub):
    stub.holds(IMAGE_ID, OTHER_ID, *SEGMENTS, OTHERS, 'x')
    assert stub.copies.delete_all([IMAGE_ID]) == []
    assert deleted(stub) == [IMAGE_ID, *SEGMENTS]


def test_what_is_left_of_a_copy_is_deleted(stub):
    stub.holds(*SEGMENTS)
    stub.copies.delete(IMAGE_ID)
    assert deleted(stub) == SEGMENTS


def test_all_copies_of_an_image_are_deleted(stub):
    """That of the name that earlier ones have, too."""
    stub.holds(IMAGE_ID, FIRST, SECOND, f'{OTHER_ID}/{"0" * 16}', *SEGMENTS, f'{IMAGE_ID}/x',
               f'{IMAGE_ID}x')
    stub.copies.delete(IMAGE_ID)
    assert deleted(stub) == [IMAGE_ID, FIRST, SECOND, *SEGMENTS]


def test_what_is_no_copy_of_an_image_stays(stub):
    stub.holds(FIRST)
    stub.mock.head(f'{stub.url}/{FIRST}', headers={**SWIFT, 'Content-Length': '5'})
    with pytest.raises(InvalidParameterValue, match='There is no copy of image'):
        stub.copies.delete(IMAGE_ID)
    assert deleted(stub) == []


def test_a_copy_without_segments_is_deleted(stub):
    stub.holds(IMAGE_ID)
    stub.copies.delete(IMAGE_ID)
    assert deleted(stub) == [IMAGE_ID]


def test_what_is_not_deleted_is_an_error_for_each(stub):
    stub.holds(IMAGE_ID)
    error, = stub.copies.delete_all([OTHER_ID, IMAGE_ID])
    assert str(error) == f'There is no copy of image {OTHER_ID} in the container {NAME}.'
    assert deleted(stub) == [IMAGE_ID]


def test_all_copies_are_deleted_and_nothing_else(stub):
    stub.holds(IMAGE_ID, OTHER_ID, *SEGMENTS, OTHERS, 'x', f'{FOLDER}x')
    assert stub.copies.clear() == []
    assert sorted(deleted(stub)) == sorted([IMAGE_ID, OTHER_ID, *SEGMENTS, OTHERS])
    assert set(deleted(stub)[:2]) == {IMAGE_ID, OTHER_ID}


@pytest.mark.parametrize(('found', 'wanted', 'posted'), [
    ('9', 10, True), ('10', 10, False), ('11', 10, False), (None, 10, False)])
def test_a_segment_lives_longer_and_never_shorter(stub, found, wanted, posted):
    ends = {'X-Delete-At': found} if found else {}
    stub.mock.head(f'{stub.url}/x', [{'headers': {**SWIFT, **ends}},
                                     {'headers': {**SWIFT, 'X-Delete-At': str(wanted)}}])
    stub.mock.post(f'{stub.url}/x', headers=SWIFT, status_code=202)
    assert stub.copies.extend_all(['x'], wanted) is True
    assert bool(stub.asked('POST')) is posted


def test_a_segment_that_is_gone(stub):
    stub.mock.head(f'{stub.url}/x', status_code=404, headers=SWIFT)
    assert stub.copies.extend_all(['x'], END) is False


def test_which_copy_all_processes_use(stub, naps):
    """The oldest, and of two of the same moment the first by its name."""
    stub.holds(IMAGE_ID, FIRST, SECOND, **OLD)
    for name, stamp in ((IMAGE_ID, '3.00000'), (FIRST, '2.00000'), (SECOND, '1.00000')):
        stub.mock.head(f'{stub.url}/{name}', headers={
            **SWIFT, **OLD, 'X-Timestamp': stamp, 'Content-Length': '5',
            **to_headers(Copy(NAME, name, None, 5, 'md5:00', END))})
    assert [copy.name for copy in stub.copies.copies_that_stay(IMAGE_ID)] == [
        SECOND, FIRST, IMAGE_ID]
    assert naps == []
    stub.holds(SECOND, FIRST)
    assert [copy.name for copy in stub.copies.copies_that_stay(IMAGE_ID)] == [FIRST, SECOND]


def test_a_copy_that_may_be_withdrawn_is_looked_at_again(stub, naps):
    """Its process has just made it, and may find an older one."""
    new = {**OLD, 'Date': OLD['Last-Modified']}
    stub.holds(FIRST, SECOND, **new)
    stub.mock.head(f'{stub.url}/{FIRST}', [
        {'headers': {**SWIFT, **new, 'Content-Length': '5',
                     **to_headers(Copy(NAME, FIRST, None, 5, 'md5:00', END))}},
        {'status_code': 404, 'headers': SWIFT}])
    assert [copy.name for copy in stub.copies.copies_that_stay(IMAGE_ID)] == [SECOND]
    assert naps == [2]
    # One's own is not.
    assert [copy.name for copy in stub.copies.copies_that_stay(IMAGE_ID, SECOND)] == [SECOND]
    assert naps == [2]


def test_a_name_is_a_copys_or_an_images(stub):
    """Of an image that Glance has deleted, the copy knows the name."""
    stub.holds(FIRST, OTHER_ID, **to_headers(Copy(NAME, FIRST, 'deleted', 5, 'md5:00', END)))
    stub.mock.head(f'{stub.url}/{OTHER_ID}', headers={
        **SWIFT, 'Content-Length': '5', **to_headers(Copy(NAME, OTHER_ID, 'b', 5, 'md5:00', END))})

    def image_id(reference):
        return stub.copies.image_id(reference, lambda name: Image(f'found {name}'))

    assert image_id('deleted') == IMAGE_ID and image_id('c') == 'found c'
    assert image_id('b') == image_id(OTHER_ID) == image_id(f'glance://x/{OTHER_ID}') == OTHER_ID


def test_a_name_that_copies_of_several_images_have(stub):
    stub.holds(FIRST, OTHER_ID, **to_headers(Copy(NAME, FIRST, 'cirros', 5, 'md5:00', END)))
    with pytest.raises(InvalidParameterValue) as caught:
        stub.copies.image_id('cirros', None)
    assert str(caught.value) == (
        f"Copies of several images have the name 'cirros': {IMAGE_ID}, {OTHER_ID}. Name one by its"
        ' ID.')


def test_an_object_that_is_no_copy_is_left_alone(stub):
    stub.mock.head(f'{stub.url}/{IMAGE_ID}', headers={**SWIFT, 'Content-Length': '5'})
    with pytest.raises(InvalidParameterValue, match='is no copy that this command has made'):
        stub.copies.find(IMAGE_ID)


def test_a_copy_is_extended_with_all_that_is_said_of_it(stub):
    stub.holds(IMAGE_ID)
    copy = stub.copies.find(IMAGE_ID)
    stub.mock.head(f'{stub.url}/{IMAGE_ID}', [
        {'headers': {**SWIFT, 'X-Delete-At': str(END)}},
        {'headers': {**SWIFT, 'X-Delete-At': str(END + 3600)}}])
    assert stub.copies.extend(copy, END) == dataclasses.replace(copy, delete_at=END + 3600)
    sent = {name: str(value) for name, value in stub.mock.request_history[-2].headers.items()}
    assert json.dumps(sent).count('md5:00') == 1 and str(END + 3600) in json.dumps(sent)
