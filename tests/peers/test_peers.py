"""The tests of others run against our library: their assertions, on what ours says.

What does not apply, and why, is in ``peers.py``.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tarfile

import pytest

from .peers import PEERS

pytestmark = pytest.mark.extra
ROOT = pathlib.Path(__file__).resolve().parents[2]


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stdout


@pytest.fixture(scope='module')
def python():
    """Return the Python of an environment with the others."""
    folder = output(sys.executable, 'tools/make_venv.py', 'peers').strip()
    return pathlib.Path(folder) / 'bin/python'


@pytest.fixture
def source(python, tmp_path):
    """Return a function that returns the folder of an sdist, downloaded once."""
    def unpacked(release):
        folder = python.parents[1] / 'sdists' / release
        if not folder.exists():
            name = release.partition('==')[0]
            output(python, '-m', 'pip', 'download', '-q', '--no-deps', '--no-binary', name, '-d',
                   tmp_path, release)
            archive, = tmp_path.glob('*.tar.gz')
            with tarfile.open(archive) as tar:
                tar.extractall(tmp_path / 'unpacked', filter='data')
            folder.parent.mkdir(exist_ok=True)
            only, = (tmp_path / 'unpacked').iterdir()
            shutil.move(only, folder)
        return folder
    return unpacked


@pytest.mark.parametrize('name', PEERS)
def test_their_tests_pass(python, source, tmp_path, name):
    peer, report = PEERS[name], tmp_path / 'report'
    folder = source(peer.sdist) if peer.sdist else output(
        python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))').strip()
    output(python, '-m', 'tests.peers.run', name, folder, report)
    done = json.loads(report.read_text())
    assert done and {test: failures for test, failures in done.items() if failures} == {}
