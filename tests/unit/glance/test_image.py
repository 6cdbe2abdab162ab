"""Which project may see an image, what a server of another kind may answer, and a file's name.

Glance here is a stub: no real one gives an image without an owner, or another than was asked for.
"""

import dataclasses
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1.session import Session

from osc_imgurl import batch
from osc_imgurl.errors import GlanceFailed, ImageUnacceptable
from osc_imgurl.glance.image import Image, file_name, may_see, validate_active
from osc_imgurl.glance.image_service import ImageService
from osc_imgurl.glance.location import parse

KERNEL = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
MACHINE = '7f0d2c1e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'
MD5 = '5d41402abc4b2a76b9719d911017c592'


@pytest.mark.parametrize(('visibility', 'owner', 'project', 'members', 'seen'), [
    ('private', 'p', 'p', (), True),
    ('private', 'p', 'q', (), False),
    # Who has been a member while it was shared sees no private image.
    ('private', 'p', 'q', ('q',), False),
    ('shared', 'p', 'q', ('q',), True),
    ('shared', 'p', 'q', ('r',), False),
    ('shared', 'p', 'p', (), True),
    ('public', 'p', 'q', (), True),
    ('community', 'p', 'q', (), True),
    ('public', None, None, (), True),
    ('private', None, None, (), False),
    ('shared', None, None, (None,), False),
    (None, None, None, (), False),
    (None, 'p', 'p', (), True),
    ('hidden', 'p', 'q', ('q',), False),
])
def test_may_see(visibility, owner, project, members, seen):
    assert may_see(project, Image(KERNEL, owner=owner, visibility=visibility), members) is seen


SHA512 = '8' * 128


@pytest.mark.parametrize(('shown', 'size'), [
    (None, None), (0, 0), (5, 5), (-1, None), (True, None), (5.0, None), ('5', None)])
def test_sizes(shown, size):
    for name in ('size', 'virtual_size'):
        assert getattr(Image(KERNEL), name) is None
        found = getattr(Image(KERNEL, properties={name: shown}), name)
        assert (found, type(found)) == (size, type(size))


@pytest.mark.parametrize(('shown', 'text'), [
    (None, None), ('', None), ('raw', 'raw'), (5, None), (['raw'], None), ({'raw': 1}, None)])
def test_formats(shown, text):
    for name in ('disk_format', 'container_format'):
        assert getattr(Image(KERNEL), name) is None
        assert getattr(Image(KERNEL, properties={name: shown}), name) == text


@pytest.mark.parametrize(('algorithm', 'value', 'known'), [
    ('sha512', SHA512, ('sha512', SHA512)),
    ('sha256', 'ABCDEF01' * 8, ('sha256', 'abcdef01' * 8)),
    ('sha512', SHA512[1:], (None, None)),
    ('sha512', f'{SHA512[1:]}g', (None, None)),
    ('sha512', f'{SHA512}\n', (None, None)),
    ('sha512', None, (None, None)),
    ('sha512', 8, (None, None)),
    (None, SHA512, (None, None)),
    (['sha512'], SHA512, (None, None)),
    ('rot13', SHA512, (None, None)),
    # It may have any length.
    ('shake_128', '', (None, None)),
    ('shake_128', SHA512, (None, None)),
])
def test_hashes(algorithm, value, known):
    image = Image(KERNEL, properties={'os_hash_algo': algorithm, 'os_hash_value': value})
    assert (image.os_hash_algo, image.os_hash_value) == known
    assert image.hash == (known if known[0] else None)


@pytest.mark.parametrize(('shown', 'checksum'), [
    (None, None), ('8' * 32, '8' * 32), ('8' * 31, None), (SHA512, None), (8, None)])
def test_checksums(shown, checksum):
    image = Image(KERNEL, properties={'checksum': shown})
    assert image.checksum == checksum
    assert image.hash == (('md5', checksum) if checksum else None)


SWIFT, RBD = (f'{start}/{KERNEL}' for start in ('swift+config://ref1/glance', 'rbd://fsid/images'))


@pytest.mark.parametrize(('direct_url', 'locations', 'shown'), [
    (None, [], []), (SWIFT, [], [SWIFT]), (RBD, [], [RBD]), (RBD, [SWIFT, RBD], [SWIFT, RBD])])
def test_shown_locations(direct_url, locations, shown):
    image = Image(KERNEL, direct_url=direct_url and parse(direct_url),
                  locations=tuple(map(parse, locations)))
    assert [place.url for place in image.shown_locations] == shown


def test_only_an_active_image_can_be_downloaded():
    image = Image(KERNEL, status='active')
    validate_active(image)
    with pytest.raises(ImageUnacceptable, match=f'^Image {KERNEL} is saving, and'):
        validate_active(dataclasses.replace(image, status='saving'))


class NoProject(Session):
    def get_project_id(self):
        return None


class Glance(ImageService):
    """A Glance that answers what it is made with."""

    def __init__(self, **answers):
        super().__init__(NoProject(), endpoint='http://glance')
        self.answers = answers

    def _get(self, url, image=''):
        found = [body for start, body in self.answers.items() if start in url]
        return {'images': found} if '?id=' in url else found[0]


def boot(kernel, **machine):
    glance = Glance(**{KERNEL: {'id': KERNEL, **kernel},
                       MACHINE: {'id': MACHINE, **machine}})
    return list(batch.with_boot_images([batch.Found(glance.find(MACHINE))], glance))[1:]


@pytest.mark.parametrize('owner', [{}, {'owner': None}, {'owner': ''}, {'owner': 5},
                                   {'owner': ['p']}])
def test_an_owner_that_is_not_known_is_nobodys_equal(owner):
    failure, = boot({'visibility': 'private', **owner}, kernel_id=KERNEL, **owner)
    assert f'Image {MACHINE} names {KERNEL} as its kernel' in str(failure.error)
    found, = boot({'visibility': 'public', **owner}, kernel_id=KERNEL, **owner)
    assert (found.image.id, found.role, found.parent) == (KERNEL, 'kernel', MACHINE)


@pytest.mark.parametrize('visibility', [['public'], {'public': 1}, 1, True, 'Public'])
def test_a_visibility_of_another_shape_opens_nothing(visibility):
    failure, = boot({'visibility': visibility, 'owner': 'p'}, kernel_id=KERNEL, owner='q')
    assert isinstance(failure, batch.Failure)


@pytest.mark.parametrize('value', [5, True, ['x'], [KERNEL], {'id': KERNEL}, f'{KERNEL}\n',
                                   f' {KERNEL}', f'{KERNEL}/../x'])
def test_a_property_of_another_shape_names_no_image(value):
    kernel, ramdisk = boot({}, kernel_id=value, ramdisk_id=value)
    assert 'That is no image ID' in str(kernel.error)
    assert (kernel.role, ramdisk.role) == ('kernel', 'ramdisk')
    assert kernel.parent == ramdisk.parent == MACHINE


@pytest.mark.parametrize('value', [None, '', 0, False, [], {}])
def test_an_empty_property_names_none(value):
    assert boot({}, kernel_id=value) == []


def test_an_answer_of_another_image():
    glance = Glance(**{KERNEL: {'id': MACHINE, 'visibility': 'public'}})
    with pytest.raises(GlanceFailed, match=f'answers with another image than {KERNEL}'):
        glance.find(KERNEL)
    # As MySQL does, to which capitals are the same.
    assert Glance(**{KERNEL.upper(): {'id': KERNEL}}).find(KERNEL.upper()).id == KERNEL


def test_a_session_without_a_project_owns_nothing(caplog):
    caplog.set_level(logging.WARNING)
    glance = Glance(images={'images': [{'id': KERNEL, 'name': 'x', 'owner': None}]})
    assert glance.find('x').id == KERNEL
    assert 'its owner is not known, and its visibility not known' in caplog.text


@pytest.mark.parametrize(('size', 'md5', 'same'), [
    (5, MD5, True), (None, MD5, True), (5, '0' * 32, False), (None, '0' * 32, False),
    (4, MD5, False), (4, None, False), (5, None, None), (None, None, None)])
def test_has_data(size, md5, same):
    image = Image('x', properties={'size': 5, 'checksum': MD5})
    assert image.has_data(size, md5) is same
    unknown = Image('x', properties={'size': None, 'checksum': None})
    assert unknown.has_data(size, md5) is None


def test_no_bytes_are_no_bytes():
    image = Image('x', properties={'size': 0, 'checksum': None})
    assert (image.has_data(0, None), image.has_data(1, MD5)) == (True, False)


def named(name, disk_format='qcow2'):
    return file_name(Image(KERNEL, name, properties={'disk_format': disk_format}))


@pytest.mark.parametrize(('name', 'saved'), [
    ('cirros', 'cirros.qcow2'),
    ('Debian 12 (Bookworm) ü', 'Debian 12 (Bookworm) ü.qcow2'),
    ('cirros.img', 'cirros.img.qcow2'),
    ('cirros.qcow2', 'cirros.qcow2'),
    (None, f'{KERNEL}.qcow2'), ('', f'{KERNEL}.qcow2'), ('  ', f'{KERNEL}.qcow2'),
    ('.qcow2', f'{KERNEL}.qcow2'),
    ('../../etc/passwd', '_._.._etc_passwd.qcow2'),
    ('C:\\x', 'C__x.qcow2'),
    ('.bashrc', '_bashrc.qcow2'), ('..', '_..qcow2'), ('-rf', '_rf.qcow2'), (' -x', '_x.qcow2'),
    ('two\nlines\x1b[2J\0', 'two_lines_[2J_.qcow2'),
    ('\u202egpj.exe\ud800', '_gpj.exe_.qcow2'),
    ('"$(id)" `id` *?<>|', '__(id)_ _id_ _____.qcow2'),
])
def test_a_name(name, saved):
    assert named(name) == saved


@pytest.mark.parametrize(('image_id', 'saved'), [
    ('x; touch PWNED; :', 'x_ touch PWNED_ _.qcow2'), ('../$(id)\n', '_.__(id)_.qcow2')])
def test_what_is_no_id(image_id, saved):
    assert file_name(Image(image_id, properties={'disk_format': 'qcow2'})) == saved


@pytest.mark.parametrize('name', [
    '9a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5', '9A1F6DE0-93c4-4b44-bf4f-9a3b3aa2c6c5',
    ' 9a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5', '9a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5.qcow2'])
def test_no_name_is_anothers_id(name):
    assert named(name) == f'{KERNEL}.qcow2'


def test_what_no_terminal_shows():
    assert named('a\u034fb\ufe0fc\u3164') == 'a_b_c_.qcow2'


@pytest.mark.parametrize('disk_format', [None, '', 5, ['raw'], '../x', 'r aw', 'raw\n', 'x' * 21])
def test_no_disk_format(disk_format):
    assert named('cirros', disk_format) == 'cirros'
    assert file_name(Image(KERNEL)) == KERNEL


@pytest.mark.parametrize(('name', 'saved'), [
    ('a' * 255, 'a' * 234 + '.qcow2'), ('ü' * 255, 'ü' * 117 + '.qcow2'),
    ('a' + 'ü' * 255, 'a' + 'ü' * 116 + '.qcow2'), ('a' * 234, 'a' * 234 + '.qcow2')])
def test_a_long_name(name, saved):
    assert named(name) == saved


@given(st.text(), st.text())
def test_any_name_is_that_of_one_file_in_one_folder(name, disk_format):
    saved = named(name, disk_format)
    assert saved.isprintable() and saved[0] not in '.-'
    assert not set(saved) & set('/\\')
    assert 0 < len(saved.encode()) <= 240
