"""Installed as users do: from wheel and sdist, with pipx, old and new, beside other plugins."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import requests

from .conftest import ROOT

pytestmark = pytest.mark.extra
UV = pathlib.Path(sys.executable).parent / 'uv'
ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
OURS = ('image location show', *(f'image temp url {name}' for name in (
    'cache delete', 'cache list', 'cache show', 'check', 'copy delete', 'copy list', 'create',
    'export', 'key list', 'key rotate', 'key set', 'key unset', 'link extend', 'link list',
    'link revoke', 'list', 'settings list', 'show')))


def run(*command, cwd, **env):
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False,
        env={**{name: value for name, value in os.environ.items()
                if not name.startswith('OS_') and name != 'VIRTUAL_ENV'}, **env})
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope='module')
def dist(tmp_path_factory):
    """Build wheel and sdist from a copy: a build leaves things behind."""
    folder = tmp_path_factory.mktemp('dist')
    copy = folder / 'copy'
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(
        '.venvs', '.boot', '.cloud*', '.tox'))
    run(UV, 'build', '-q', copy, '--out-dir', folder / 'dist', cwd=folder)
    wheel, = (folder / 'dist').glob('*.whl')
    sdist, = (folder / 'dist').glob('*.tar.gz')
    return wheel, sdist


@pytest.fixture
def install(tmp_path):
    """Return a function that makes an environment and returns its `openstack`."""
    def make(*what):
        run(UV, 'venv', '-q', '--python', sys.executable, 'venv', cwd=tmp_path)
        run(UV, 'pip', 'install', '-q', *what, cwd=tmp_path,
            VIRTUAL_ENV=str(tmp_path / 'venv'))
        return tmp_path / 'venv/bin/openstack'
    return make


@pytest.fixture
def without_git(tmp_path):
    """Return the source as ``git archive`` gives it."""
    return shutil.copytree(ROOT, tmp_path / 'source', ignore=shutil.ignore_patterns(
        '.git', '.venvs', '.boot', '.cloud*', '.tox'))


def sign_offline(openstack, home):
    """Make a URL without a cloud, and look at it."""
    (home / 'key').write_text('a key')
    (home / 'key').chmod(0o600)
    made = run(openstack, '--os-auth-type', 'none', 'image', 'temp', 'url', 'create', ID,
               '--endpoint-url', 'https://swift.example.com', '--account', 'AUTH_x',
               '--key-file', 'key', '-f', 'value', '-c', 'url', cwd=home, HOME=str(home))
    assert made.stderr == ''
    url = made.stdout.strip()
    assert url.startswith(f'https://swift.example.com/v1/AUTH_x/glance/{ID}?temp_url_sig=')
    shown = run(openstack, 'image', 'temp', 'url', 'show', url, '--key-file', 'key',
                '-f', 'value', '-c', 'method', cwd=home, HOME=str(home))
    assert (shown.stdout, shown.stderr) == ('GET\n', '')


def commands(openstack, home):
    listed = run(openstack, 'command', 'list', '-f', 'value', '-c', 'Commands', '--os-auth-type',
                 'none', cwd=home, HOME=str(home))
    return re.findall(r"'([^']*)'", listed.stdout) or listed.stdout.splitlines()


def test_the_wheel_beside_other_plugins(dist, install, tmp_path):
    openstack = install(dist[0], 'python-ironicclient', 'osc-placement')
    sign_offline(openstack, tmp_path)
    found = commands(openstack, tmp_path)
    assert [found.count(name) for name in OURS] == [1] * len(OURS)
    assert {'baremetal node list', 'resource provider list', 'image show'} <= set(found)


def test_a_source_tree_without_git(without_git, install, tmp_path):
    openstack = install(without_git)
    sign_offline(openstack, tmp_path)
    shown = run(UV, 'pip', 'show', 'osc-imgurl', cwd=tmp_path,
                VIRTUAL_ENV=str(tmp_path / 'venv'))
    assert 'Version: 1.0.0\n' in shown.stdout


def test_wheel_and_sdist_have_the_version_of_setup_cfg(dist):
    assert [path.name for path in dist] == [
        'osc_imgurl-1.0.0-py3-none-any.whl', 'osc_imgurl-1.0.0.tar.gz']


def test_the_man_page(dist, install, tmp_path):
    """Man finds it beside the command."""
    openstack = install(dist[0])
    page = openstack.parents[1] / 'share/man/man1/openstack-image-temp-url.1'
    assert page.read_bytes() == (ROOT / 'doc' / page.name).read_bytes()


def test_the_sdist_with_the_oldest_that_is_admitted(dist, install, make_cloud, data, tmp_path):
    """On the real servers too."""
    openstack = install('--resolution', 'lowest-direct', dist[1])
    sign_offline(openstack, tmp_path)
    cloud = make_cloud()
    image = cloud.upload('cirros', data)

    def use(*arguments):
        return run(openstack, *arguments, cwd=tmp_path, HOME=str(tmp_path), OS_CLOUD='glance',
                   OS_CLIENT_CONFIG_FILE=str(cloud.folder / 'clouds.yaml'))

    url = use('image', 'temp', 'url', 'create', 'cirros', '-f', 'value', '-c', 'url')
    assert url.stderr == ''
    assert requests.get(url.stdout.strip(), timeout=30).content == data
    assert use('image', 'temp', 'url', 'check', 'cirros').stderr == ''
    listed = use('image', 'temp', 'url', 'list', '--check', '-f', 'value', '-c', 'image_id')
    assert listed.stdout == f'{image}\n'
    assert 'True' in use('image', 'temp', 'url', 'key', 'list').stdout


def test_pipx(dist, install, tmp_path):
    install('pipx')
    pipx, env = tmp_path / 'venv/bin/pipx', {
        'PIPX_HOME': str(tmp_path / 'pipx'), 'PIPX_BIN_DIR': str(tmp_path / 'bin'),
        'PIPX_MAN_DIR': str(tmp_path / 'man'), 'HOME': str(tmp_path)}
    run(pipx, 'install', 'python-openstackclient', cwd=tmp_path, **env)
    run(pipx, 'inject', 'python-openstackclient', dist[0], cwd=tmp_path, **env)
    sign_offline(tmp_path / 'bin/openstack', tmp_path)
