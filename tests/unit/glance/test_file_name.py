"""The name of a file from that of an image, which any user wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osc_imgurl.glance.file_name import file_name
from osc_imgurl.glance.image import Image

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'


def named(name, disk_format='qcow2'):
    return file_name(Image(IMAGE_ID, name, properties={'disk_format': disk_format}))


@pytest.mark.parametrize(('name', 'saved'), [
    ('cirros', 'cirros.qcow2'),
    ('Debian 12 (Bookworm) ü', 'Debian 12 (Bookworm) ü.qcow2'),
    ('cirros.img', 'cirros.img.qcow2'),
    ('cirros.qcow2', 'cirros.qcow2'),
    (None, f'{IMAGE_ID}.qcow2'), ('', f'{IMAGE_ID}.qcow2'), ('  ', f'{IMAGE_ID}.qcow2'),
    ('.qcow2', f'{IMAGE_ID}.qcow2'),
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


def test_what_no_terminal_shows():
    assert named('a\u034fb\ufe0fc\u3164') == 'a_b_c_.qcow2'


@pytest.mark.parametrize('disk_format', [None, '', 5, ['raw'], '../x', 'r aw', 'raw\n', 'x' * 21])
def test_no_disk_format(disk_format):
    assert named('cirros', disk_format) == 'cirros'
    assert file_name(Image(IMAGE_ID)) == IMAGE_ID


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
