"""Files that hold a secret: what is read, what is written, and who is warned."""

import io
import os
import pathlib
import resource

import pytest

from osc_imgurl.errors import InvalidParameterValue, ObjectStoreFailed, OutcomeUnknown
from osc_imgurl.settings import secret_file


@pytest.mark.parametrize(('content', 'text'), [
    (b'', ''), (b'a key', 'a key'), (b'a key X\r\n\n', 'a key X'), (b'\na\nkey ', '\na\nkey '),
    (b'\xc3\xbc\xff', 'ü\udcff')])
def test_what_is_in_a_file(tmp_path, monkeypatch, caplog, content, text):
    path = tmp_path / 'secret'
    path.write_bytes(content)
    path.chmod(0o600)
    assert secret_file.read(str(path), 'key file') == text
    monkeypatch.setattr('sys.stdin', io.TextIOWrapper(io.BytesIO(content)))
    assert secret_file.read('-', 'key file') == text
    assert not caplog.records


def test_a_file_that_cannot_be_read(tmp_path):
    for path in (str(tmp_path / 'none'), ''):
        with pytest.raises(FileNotFoundError):
            secret_file.read(path, 'key file')
    with pytest.raises(IsADirectoryError):
        secret_file.read(str(tmp_path), 'key file')


@pytest.mark.parametrize(('mode', 'able', 'better'), [
    (0o640, 'read', '600'), (0o604, 'read', '600'), (0o620, 'change', '600'),
    (0o702, 'change', '700'), (0o644, 'read', '600'), (0o666, 'read and change', '600'),
    (0o642, 'read and change', '600'), (0o611, None, None), (0o700, None, None)])
def test_who_is_warned_of_a_file_of_ones_own(tmp_path, caplog, mode, able, better):
    path = tmp_path / 'secret'
    path.write_text('the secret')
    path.chmod(mode)
    secret_file.read(str(path), 'key file')
    assert [record.getMessage() for record in caplog.records] == ([] if able is None else [
        f'Other users can {able} the key file {path}, and so the secret in it:'
        f' chmod {better} {path}'])


@pytest.mark.parametrize(('mode', 'able', 'better'), [
    (0o660, None, None), (0o644, 'read', '640'), (0o662, 'change', '660'),
    (0o666, 'read and change', '660'), (0o771, None, None)])
def test_who_is_warned_of_a_services_file(tmp_path, caplog, mode, able, better):
    path = tmp_path / 'service.conf'
    path.touch()
    path.chmod(mode)
    secret_file.warn_of_config_file(str(path))
    assert [record.getMessage() for record in caplog.records] == ([] if able is None else [
        f'Other users can {able} the config file {path}, and so the secret in it:'
        f' chmod {better} {path}'])


def test_nobody_is_warned_of_what_is_no_file(caplog):
    """A pipe or a terminal lets everybody write, and holds nothing."""
    assert secret_file.read('/dev/null', 'key file') == ''
    assert not caplog.records


@pytest.fixture
def strict_umask():
    before = os.umask(0o777)
    yield
    os.umask(before)


@pytest.fixture
def full_disk():
    """No file can grow: to the program that is a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures('strict_umask')
def test_a_new_file(tmp_path):
    path = tmp_path / 'key'
    with secret_file.created(str(path), b'a key\xff'):
        assert path.read_bytes() == b'a key\xff\n'
        assert path.stat().st_mode & 0o7777 == 0o600
    assert path.read_bytes() == b'a key\xff\n'


def test_a_new_file_goes_where_the_body_fails(tmp_path):
    path = tmp_path / 'key'
    for gone in (False, True):
        with pytest.raises(ObjectStoreFailed) as caught, (
                secret_file.created(str(path), b'a new key')):
            if gone:
                path.unlink()
            raise ObjectStoreFailed('Swift refuses it.', 'Ask.', 'force')
        assert str(caught.value) == (
            f'Swift refuses it. The file {path} is removed again. Ask (force).')
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('error', [OutcomeUnknown('Nobody knows.'), KeyboardInterrupt()])
def test_a_new_file_stays_where_its_secret_may_be_in_use(tmp_path, caplog, error):
    path = tmp_path / 'key'
    with pytest.raises(type(error)) as caught, secret_file.created(str(path), b'a new key'):
        raise error
    said = f'The file {path} is kept'
    assert (said in str(caught.value)) != (said in caplog.text)
    assert path.read_bytes() == b'a new key\n'


@pytest.mark.parametrize('make', [
    pathlib.Path.touch, pathlib.Path.mkdir, lambda path: path.symlink_to('elsewhere'), os.mkfifo])
def test_what_is_there_already_stays(tmp_path, make):
    path = tmp_path / 'key'
    make(path)
    with pytest.raises(InvalidParameterValue, match='cannot be written: File exists'), (
            secret_file.created(str(path), b'a key')):
        pytest.fail('the body ran')
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(InvalidParameterValue, match='cannot be written: No such file'), (
            secret_file.created(str(tmp_path / 'none/key'), b'a key')):
        pytest.fail('the body ran')


@pytest.mark.usefixtures('full_disk')
def test_a_file_on_a_full_disk_is_removed(tmp_path):
    with pytest.raises(InvalidParameterValue, match='cannot be written: File too large'), (
            secret_file.created(str(tmp_path / 'key'), b'a key')):
        pytest.fail('the body ran')
    assert not list(tmp_path.iterdir())
