"""The lines with curl, run by a shell. tests/functional runs them with curl itself."""

import hashlib
import shlex
import subprocess

import pytest

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.curl import CONSUMER

from ..stubs import IMAGE_ID, OTHER_ID
from .given import DATA, NAMES, URL, handover

# In place of curl: it keeps how it is called, and answers at once, so that many names can be tried.
CURL = """#!/bin/sh
printf '%s\\n' "$@" > {folder}/arguments
cat > {folder}/input
printf '%s' {data} > "$4"
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs lines, and returns their exit status and the files then there."""
    programs, here = tmp_path / 'bin', tmp_path / 'here'
    programs.mkdir()
    here.mkdir()
    curl = programs / 'curl'
    curl.write_text(CURL.format(folder=tmp_path, data=shlex.quote(DATA.decode())))
    curl.chmod(0o755)

    def run(lines, shell='sh'):
        done = subprocess.run(
            [shell], input=lines.encode(), capture_output=True, check=False, cwd=here,
            env={'PATH': f'{programs}:/usr/bin:/bin'})
        assert not done.stdout
        return done.returncode, {
            path.name: path.read_bytes() for path in here.iterdir() if path.exists()}

    return run


@pytest.mark.parametrize('name', NAMES)
def test_any_name_is_that_of_a_file_here(run, name):
    assert run(CONSUMER.write(handover(name=name))) == (0, {handover(name=name).file_name: DATA})


@pytest.mark.parametrize('name', [
    each for each in NAMES
    if each.isprintable() and each not in ('', '..') and len(each.encode()) < 256])
def test_a_name_that_the_url_gives_the_file_is_kept(run, name):
    lines = CONSUMER.write(handover(saved_as=name))
    assert run(lines) == (0, {name.replace('/', '_'): DATA})


@pytest.mark.parametrize('image_id', ['x; touch PWNED; :', '$(touch PWNED)', "'; touch PWNED; '"])
@pytest.mark.parametrize('shell', ['dash', 'bash'])
def test_nothing_in_the_lines_runs(run, tmp_path, image_id, shell):
    lines = CONSUMER.write(handover(id=image_id, name='', urls={'image': f'{URL}&x=\\"'}))
    code, files = run(lines, shell)
    assert (code, list(files.values())) == (0, [DATA]) and 'PWNED' not in files
    assert (tmp_path / 'input').read_text() == f'url = "{URL}&x=\\\\\\""\n'


def test_no_list_of_processes_shows_the_url(run, tmp_path):
    run(CONSUMER.write(handover()))
    assert (tmp_path / 'input').read_text() == f'url = "{URL}"\n'
    assert 'temp_url_sig' not in (tmp_path / 'arguments').read_text()


@pytest.mark.parametrize('algorithm', ['sha224', 'sha256', 'sha384'])
def test_each_hash_is_verified_by_its_program(run, algorithm):
    value = hashlib.new(algorithm, DATA).hexdigest()
    lines = CONSUMER.write(handover(os_hash_algo=algorithm, os_hash_value=value))
    assert run(lines) == (0, {'cirros.qcow2': DATA})


def test_other_data_has_no_name(run):
    lines = CONSUMER.write(handover(os_hash_value='0' * 128))
    assert run(lines) == (1, {})


def test_a_file_that_is_there_stays(run, tmp_path):
    (tmp_path / 'here/cirros.qcow2').write_bytes(b'mine')
    assert run(CONSUMER.write(handover())) == (1, {'cirros.qcow2': b'mine'})
    assert not (tmp_path / 'input').exists()


def test_nothing_is_downloaded_where_nothing_verifies_it(run, tmp_path):
    lines = CONSUMER.write(handover()).replace('sha512sum', 'no-such-program')
    assert run(lines) == (1, {})
    # Nor is what was downloaded before lost.
    (tmp_path / f'here/{IMAGE_ID}.part').write_bytes(DATA)
    assert run(lines) == (1, {f'{IMAGE_ID}.part': DATA})


def test_a_link_to_nothing_is_not_replaced(run, tmp_path):
    link = tmp_path / 'here/cirros.qcow2'
    link.symlink_to('nowhere')
    assert run(CONSUMER.write(handover())) == (1, {}) and link.is_symlink()


def test_a_failure_ends_no_shell_into_which_the_lines_are_pasted(run, tmp_path):
    lines = CONSUMER.write(handover(os_hash_value='0' * 128))
    assert run(lines + 'touch after\n') == (0, {'after': b''})


@pytest.mark.parametrize('algorithm', [None, 'md5', 'sha1', 'blake2b'])
def test_without_a_hash_that_a_program_is_there_for(algorithm):
    with pytest.raises(ImageUnacceptable, match='no hash'):
        CONSUMER.write(handover(os_hash_algo=algorithm))


def test_what_is_wrong_with_one_image_keeps_no_other_from_its_download(run):
    lines = CONSUMER.write(handover(name='a', os_hash_value='0' * 128),
                           handover(name='b', id=OTHER_ID))
    assert run(lines + 'touch after\n') == (0, {'b.qcow2': DATA, 'after': b''})
    assert run(lines) == (1, {'b.qcow2': DATA, 'after': b''})


def test_several_images(run):
    lines = CONSUMER.write(handover(name='a'), handover(name='b', id=OTHER_ID))
    assert run(lines) == (0, {'a.qcow2': DATA, 'b.qcow2': DATA})
