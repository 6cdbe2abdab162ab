"""Copies that take longer than their URLs live, and others that live longer than they do.

Swift is a dictionary here, and time passes when it is written to: no real one takes hours.
"""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import json
import threading

import pytest

from osc_imgurl.copies import copier, segments
from osc_imgurl.copies.container import CopyContainer
from osc_imgurl.copies.copier import Copier, make_copier, no_progress, or_copied
from osc_imgurl.copies.copy import DELETE_AT, Copy, image_hash, to_headers
from osc_imgurl.errors import (
    ImageUnacceptable,
    InvalidParameterValue,
    MissingParameterValue,
    ObjectStoreFailed,
    ObjectStoreNotAuthorized,
)
from osc_imgurl.glance.image import Image, OfflineImages
from osc_imgurl.glance.location import parse
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities, StoredObject
from osc_imgurl.swift.endpoint import OfflineSwift
from osc_imgurl.swift.objects import Listed
from osc_imgurl.target.resolve import Target
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.endpoint import Endpoint
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import ObjectPath

from ..stubs import IMAGE_ID, MD5, Glance, Store, image

DATA = bytes(range(50))
IMAGE = Image(IMAGE_ID, status='active', properties={
    'size': len(DATA), 'os_hash_algo': 'sha512', 'os_hash_value': hashlib.sha512(DATA).hexdigest()})
MINUTE = 60
DURATION = 20 * MINUTE
SEGMENT = 10


class Swift:
    """A container in which each object is gone when its time has come; to write takes a while."""

    name = 'copies'

    def __init__(self, now, takes):
        self.now, self.takes, self.objects = now, takes, {}

    def time(self):
        return self.now

    def put(self, name, data, headers, query=''):
        data = b''.join(data) if not isinstance(data, bytes) else data
        self.now += self.takes
        if query:
            assert query == 'multipart-manifest=put'
            parts = json.loads(data)
            assert all(self.head(part['path'].removeprefix('/copies/')) for part in parts)
            data = b'x' * sum(part['size_bytes'] for part in parts)
        self.objects[name] = {**headers, 'Content-Length': str(len(data)), 'ETag': md5(data),
                              'X-Timestamp': f'{self.now:.5f}'}
        return self.objects[name]

    def head(self, name):
        found = self.objects.get(name)
        return found if found and int(found[DELETE_AT]) > self.now else None

    def post(self, name, headers):
        found = self.head(name)
        if found:
            found.update(headers)
        return found is not None

    def list(self, prefix):
        return [Listed(name, int(found['Content-Length']), found['ETag'])
                for name, found in self.objects.items() if name.startswith(prefix)]

    def delete(self, name):
        return self.objects.pop(name, None) is not None

    def manifest(self, name):
        return set()


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class InMemory(CopyContainer):
    def __init__(self, container):
        super().__init__(Settings(), OfflineSwift())
        self.container = container
        self.prepared = []

    def target(self, name):
        return Target(Endpoint('http://swift'), ObjectPath('AUTH_x', 'copies', name))

    def prepare(self, place):
        self.prepared.append(place)

    def key(self, place):
        return Key(b'a key')

    def capabilities(self):
        return Capabilities(max_object_size=SEGMENT)


class Images:
    def __init__(self, *locations):
        self.locations = locations

    def find_id(self, image_id):
        return dataclasses.replace(IMAGE, locations=self.locations)

    def data(self, image, start=0):
        yield DATA[start:]


@pytest.fixture
def swift(monkeypatch):
    made = Swift(2_000_000_000, 25 * MINUTE)
    monkeypatch.setattr(copier.time, 'time', made.time)
    return made


SAME_MD5, NO_MD5, SEGMENTED = (StoredObject(5, *more) for more in (
    (MD5,), (None,), (None, True)))
SHUT = ObjectStoreNotAuthorized('HTTP 403.')


@pytest.mark.parametrize(('endpoint', 'guessed', 'found', 'needed'), [
    ('http://swift', (), SEGMENTED, False), ('http://swift', (), None, False),
    ('http://swift', ('account',), SAME_MD5, False), ('http://swift', ('account',), NO_MD5, True),
    ('http://swift', ('account',), None, True),
    # A gateway sends wrong ranges of a segmented image, wherever it is.
    ('http://rgw/swift', (), SEGMENTED, True), ('http://rgw/swift', ('account',), SEGMENTED, True),
    ('http://rgw/swift', (), NO_MD5, False), ('http://rgw/swift', (), None, False),
    ('http://rgw/swift', ('account',), NO_MD5, True),
    # Who has a key, and may not look, knows of none.
    ('http://rgw/swift', (), SHUT, False)])
def test_when_a_copy_is_needed(endpoint, guessed, found, needed):
    target = Target(Endpoint(endpoint), ObjectPath('AUTH_p', 'glance', IMAGE_ID), guessed)
    store = Store()
    store.answers['find_object'] = found
    copier = Copier(Settings(), Images(), InMemory(None))
    assert copier.needed(image(size=5), target, URLOptions(), store) is needed
    assert not copier.needed(image(size=5), target, URLOptions(object='other'), store)


def test_what_may_not_be_seen_needs_a_copy_where_it_was_guessed():
    target = Target(Endpoint('http://rgw/swift'), ObjectPath('AUTH_p', 'glance', IMAGE_ID),
                    ('account',))
    store = Store()
    store.answers['find_object'] = SHUT
    with pytest.raises(ObjectStoreNotAuthorized):
        Copier(Settings(), Images(), InMemory(None)).needed(
            image(size=5), target, URLOptions(), store)


def ensure(swift):
    """Copy the image, and return when its URL expires."""
    return Copier(Settings(), Images(), InMemory(swift)).ensure(
        IMAGE, URLOptions(), lambda: int(swift.now) + DURATION)[2]


def copies(swift, image_id=IMAGE_ID):
    """Return the names of an image's copies."""
    return [name for name in swift.objects if name.startswith(image_id)]


def ends(swift):
    return {name: int(found[DELETE_AT]) for name, found in swift.objects.items()}


def test_a_copy_may_take_longer_than_its_url_lives(swift):
    begun = swift.now
    expires = ensure(swift)
    # Two hours for five segments; then its name.
    assert expires == begun + 5 * swift.takes + DURATION
    assert len(swift.objects) == 6
    assert set(ends(swift).values()) == {expires + 60 * MINUTE}


def test_a_copy_is_in_the_container_that_is_made_for_it(swift):
    container = InMemory(swift)
    made = Copier(Settings(), Images(), container)
    made.ensure(IMAGE, URLOptions(), lambda: int(swift.now) + DURATION)
    assert container.prepared == [made.target(IMAGE)]


def test_a_gateway_shows_what_has_ended(swift, monkeypatch):
    swift.takes = 1
    ensure(swift)
    written, first = swift.now, copies(swift)
    # One that lives serves again.
    ensure(swift)
    assert (swift.now, copies(swift)) == (written, first)
    monkeypatch.setattr(swift, 'head', swift.objects.get)
    swift.now += 600 * MINUTE
    assert ensure(swift) > swift.now
    _, second = copies(swift)
    assert int(swift.objects[second][DELETE_AT]) > swift.now


OTHERS = f'{IMAGE_ID}/{"0" * 16}'


@pytest.mark.parametrize('older', [True, False])
def test_of_two_copies_that_are_made_at_once_all_use_the_older(swift, monkeypatch, older):
    put = swift.put

    def put_together(name, data, headers, query=''):
        if query and older:
            put(OTHERS, DATA, headers)
        stored = put(name, data, headers, query)
        if query and not older:
            put(OTHERS, DATA, headers)
        return stored

    monkeypatch.setattr(swift, 'put', put_together)
    swift.takes = 1
    target, _, _ = Copier(Settings(), Images(), InMemory(swift)).ensure(
        IMAGE, URLOptions(), lambda: int(swift.now) + DURATION)
    assert (target.path.object == OTHERS) is older
    # What is withdrawn goes with its segments; the other process withdraws its own.
    assert target.path.object in swift.objects
    assert len(swift.objects) == (1 if older else 7)


def test_a_copy_may_not_be_listed_yet(swift, monkeypatch):
    """Swift's listings may lag behind."""
    monkeypatch.setattr(swift, 'list', lambda prefix: [])
    swift.takes = 1
    ensure(swift)
    assert len(copies(swift)) == 1


@pytest.mark.parametrize('other', [{'size': 1}, {'hash': 'sha512:00'}])
def test_what_is_not_the_images_data_is_no_copy_of_it(swift, other):
    copy = Copy('copies', OTHERS, None, len(DATA), image_hash(IMAGE), swift.now + 6000 * MINUTE)
    copy = dataclasses.replace(copy, **other)
    swift.takes = 1
    swift.put(OTHERS, b'x' * copy.size, to_headers(copy))
    ensure(swift)
    assert len(copies(swift)) == 2


def test_threads_copy_an_image_once(swift):
    swift.takes = 1
    copier, begun = Copier(Settings(), Images(), InMemory(swift)), threading.Barrier(4)

    def ensure(_):
        begun.wait(30)
        return copier.ensure(IMAGE, URLOptions(), lambda: int(swift.now) + DURATION)[0].path.object

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        assert set(threads.map(ensure, range(4))) == set(copies(swift))
    assert len(swift.objects) == 6


def test_progress_is_shown_until_there_is_a_copy(swift):
    swift.takes, said = 1, []

    @contextlib.contextmanager
    def progress(image):
        said.append(f'begins {image.id}')
        yield said.append
        said.append(len(copies(swift)))

    copier = Copier(Settings(), Images(), InMemory(swift), progress)
    for _ in range(2):
        copier.ensure(IMAGE, URLOptions(), lambda: int(swift.now) + DURATION)
    assert said == [f'begins {IMAGE_ID}', 10, 20, 30, 40, 50, 1]


def test_a_copy_of_the_old_name_serves(swift):
    copy = Copy('copies', IMAGE_ID, None, len(DATA), image_hash(IMAGE), swift.now + 6000 * MINUTE)
    swift.put(IMAGE_ID, DATA, to_headers(copy))
    ensure(swift)
    assert list(swift.objects) == [IMAGE_ID]


def test_no_name_is_used_twice(swift):
    """A URL of a copy that was deleted opens none that is made later."""
    swift.takes, names = 1, set()
    for _ in range(3):
        ensure(swift)
        name, = copies(swift)
        names.add(name)
        swift.delete(name)
    assert len(names) == 3


def test_a_copy_that_is_deleted_at_once(swift, monkeypatch):
    put = swift.put

    def put_in_vain(name, data, headers, query=''):
        stored = put(name, data, headers, query)
        if query:
            swift.delete(name)
        return stored

    monkeypatch.setattr(swift, 'put', put_in_vain)
    swift.takes = 1
    with pytest.raises(ObjectStoreFailed, match='was deleted while it was made'):
        ensure(swift)


def test_a_segment_takes_too_long(swift):
    swift.takes = 81 * MINUTE
    with pytest.raises(ObjectStoreFailed, match='was deleted while it was made'):
        ensure(swift)
    assert copies(swift) == []


@pytest.mark.parametrize(('deleted', 'said'), [
    (True, 'was deleted while it was made'), (False, 'HTTP 400')])
def test_a_copy_that_cannot_be_named(swift, monkeypatch, deleted, said):
    put = swift.put

    def refuse(name, data, headers, query=''):
        if not query:
            return put(name, data, headers)
        if deleted:
            swift.delete(next(iter(swift.objects)))
        raise ObjectStoreFailed('HTTP 400.')

    monkeypatch.setattr(swift, 'put', refuse)
    swift.takes = 1
    with pytest.raises(ObjectStoreFailed, match=said):
        ensure(swift)
    assert copies(swift) == []


@pytest.mark.parametrize(('moment', 'takes'), [
    ('a segment', 1), ('a segment', 25 * MINUTE), ('the name', 1)])
def test_a_reused_segment_goes_as_a_third_process_is_faster(swift, monkeypatch, moment, takes):
    reused, put = f'{segments.folder(IMAGE_ID)}{"0" * 16}/00000000', swift.put
    swift.put(reused, DATA[:SEGMENT], {DELETE_AT: str(swift.now + 50 * 60 * MINUTE)})
    swift.takes = takes

    def put_meanwhile(name, data, headers, query=''):
        if query if moment == 'the name' else name.endswith('/00000001'):
            copy = Copy('copies', OTHERS, None, len(DATA), image_hash(IMAGE),
                        swift.now + 50 * 60 * MINUTE)
            put(OTHERS, DATA, to_headers(copy))
            swift.delete(reused)
            if query:
                raise ObjectStoreFailed('HTTP 400.')
        return put(name, data, headers, query)

    monkeypatch.setattr(swift, 'put', put_meanwhile)
    ensure(swift)
    assert list(swift.objects) == [OTHERS]


def test_what_others_need_for_longer_is_kept_for_longer(swift):
    """One of the segments is another copy's, which is under way."""
    name = f'{segments.folder(IMAGE_ID)}{"0" * 16}/00000001'
    swift.takes = 1
    others_end = str(swift.now + 50 * 60 * MINUTE)
    swift.put(name, DATA[SEGMENT:2 * SEGMENT], {DELETE_AT: others_end})
    expires = ensure(swift)
    assert ends(swift).pop(name) == int(others_end)
    assert {end for each, end in ends(swift).items() if each != name} == {expires + 60 * MINUTE}
    # A URL that lives longer moves what ends before it, and nothing else.
    swift.now += 10 * MINUTE
    later = ensure(swift)
    assert later > expires + 9 * MINUTE
    assert ends(swift).pop(name) == int(others_end)
    assert {end for each, end in ends(swift).items() if each != name} == {later + 60 * MINUTE}


@pytest.mark.parametrize(('request_', 'said'), [
    (URLOptions('PUT'), 'would let others change the copy'),
    (URLOptions('delete'), 'would let others change the copy'),
    (URLOptions(prefix=''), 'would open other copies'),
    (URLOptions(prefix=IMAGE_ID), 'would open other copies')])
def test_a_url_reads_its_copy_and_nothing_else(swift, request_, said):
    with pytest.raises(InvalidParameterValue, match=said):
        Copier(Settings(), Images(), InMemory(swift)).ensure(IMAGE, request_, lambda: 0)
    assert not swift.objects


def test_a_url_that_expires_while_its_image_is_copied(swift):
    """What has been copied stays, and the next goes on from there."""
    expires = swift.now + 60 * MINUTE

    def ensure(expires):
        def given():
            if swift.now >= expires:
                raise InvalidParameterValue('The expiry is in the past.')
            return expires
        return Copier(Settings(), Images(), InMemory(swift)).ensure(IMAGE, URLOptions(), given)[2]

    with pytest.raises(InvalidParameterValue, match='It takes longer to copy image'):
        ensure(expires)
    left = set(swift.objects)
    assert left and not copies(swift)
    later = swift.now + 600 * MINUTE
    assert ensure(later) == later
    assert left < set(swift.objects) and len(swift.objects) == 6


def test_nobody_to_ask_copies_nothing():
    glance, store = Glance(), Store()
    assert make_copier(Settings(copy=True), Cloud(), no_progress) is None
    assert make_copier(Settings(copy=True), Cloud(glance), no_progress) is None
    assert make_copier(Settings(copy=True), Cloud(OfflineImages(), store), no_progress) is None
    assert make_copier(Settings(), Cloud(glance, store), no_progress) is None
    assert make_copier(Settings(copy=True), Cloud(glance, store), no_progress) is not None


@pytest.mark.parametrize(('algorithm', 'value'), [
    (None, None), ('sha512', None), (None, 'd' * 128)])
def test_without_a_hash_an_image_is_copied_only_where_that_is_asked_for(swift, algorithm, value):
    unhashed = Image(IMAGE_ID, status='active', properties={
        'size': len(DATA), 'os_hash_algo': algorithm, 'os_hash_value': value})
    expires = int(swift.now) + 600 * MINUTE
    with pytest.raises(ImageUnacceptable, match='cannot be verified') as caught:
        Copier(Settings(), Images(), InMemory(swift)).ensure(
            unhashed, URLOptions(), lambda: expires)
    assert caught.value.names == ('copy_unverified',) and not swift.objects
    Copier(Settings(copy_unverified=True), Images(), InMemory(swift)).ensure(
        unhashed, URLOptions(), lambda: expires)
    name, = copies(swift)
    assert swift.objects[name]['X-Object-Meta-Image-Hash'].startswith('sha512:')


def test_an_image_without_data_is_copied(swift):
    empty = Image(IMAGE_ID, status='active', properties={
        'size': 0, 'checksum': md5(b'')})
    Copier(Settings(), NoData(), InMemory(swift)).ensure(
        empty, URLOptions(), lambda: int(swift.now) + DURATION)
    name, = copies(swift)
    assert {name: found['ETag'] for name, found in swift.objects.items()} == {name: md5(b'')}


class NoData:
    def data(self, image, start=0):
        yield from ()


LATER = 'or have the image copied into your own account.'


@pytest.mark.parametrize(('request_', 'copy', 'store', 'problem', 'remedy'), [
    (URLOptions(), False, Store(), 'No key.', f'Set one, {LATER}'),
    (URLOptions(), False, OfflineSwift(), 'No key.', 'Set one.'),
    (URLOptions(), False, Store(None), 'No key.', 'Set one.'),
    (URLOptions(object='x'), False, Store(), 'No key.', 'Set one.'),
    (URLOptions(object='x'), True, Store(),
     'No key. It is not copied: another object is given.', 'Set one.')])
def test_an_error_says_that_the_image_can_be_copied(request_, copy, store, problem, remedy):
    error = or_copied(MissingParameterValue('No key.', 'Set one.', 'key_file'), image(), request_,
                      Settings(copy=copy), store)
    assert isinstance(error, MissingParameterValue)
    assert (error.problem, error.remedy) == (problem, remedy)
    assert error.names == (('key_file', 'copy') if remedy.endswith(LATER) else ('key_file',))


def test_a_location_that_changes_while_the_image_is_copied(swift):
    """Its owner may write one after the image was found, and Glance might send our token there."""
    images = Images(parse('ftp://elsewhere/x'))
    with pytest.raises(ImageUnacceptable, match='Glance may send your token to the host in'):
        Copier(Settings(), images, InMemory(swift)).ensure(
            IMAGE, URLOptions(), lambda: int(swift.now) + DURATION)
    assert not swift.objects
