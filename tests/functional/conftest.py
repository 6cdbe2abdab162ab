"""Real clouds for the functional tests, and the real ``openstack`` command.

Each cloud is one of tools/cloud's, on free ports and in a folder of its own.
"""

import dataclasses
import json
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile

import openstack
import pytest
import requests
import yaml
from openstack.config import OpenStackConfig

from . import commands
from .commands import OPENSTACK

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE_META = {'disk_format': 'raw', 'container_format': 'bare', 'visibility': 'public'}


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command printed; ``text`` is both streams."""

    stdout: str
    stderr: str
    code: int

    @property
    def text(self):
        return self.stdout + self.stderr


@dataclasses.dataclass
class Cloud:
    """A running cloud, and how to use it."""

    folder: pathlib.Path
    home: pathlib.Path
    secrets: list
    ports: dict

    def openstack(self, *arguments, cloud='glance', stdin='', env=None, true_process=False):
        """Run openstack as a user would; no secret may be in what it prints."""
        env = {**commands.ENVIRONMENT, 'HOME': str(self.home),
               'OS_CLIENT_CONFIG_FILE': str(self.folder / 'clouds.yaml'),
               **({'OS_CLOUD': cloud} if cloud else {}), **(env or {})}
        if true_process:
            done = subprocess.run([OPENSTACK, *arguments], input=stdin, capture_output=True,
                                  text=True, check=False, cwd=self.home, env=env)
        else:
            done = commands.run(arguments, stdin=stdin, cwd=self.home, env=env)
        result = Result(done.stdout, done.stderr, done.returncode)
        for secret in self.secrets:
            assert secret not in result.text, 'a secret was printed'
        assert not re.search('temp_url_sig=[^*]', result.stderr), 'a signature was printed'
        # How every Fernet token begins.
        assert 'gAAAA' not in result.text, 'a token was printed'
        return result

    def rows(self, *arguments, **kwargs):
        """Run a command that must succeed, and return its rows."""
        result = self.openstack(*arguments, '-f', 'json', **kwargs)
        assert result.code == 0, result.text
        return json.loads(result.stdout)

    def create(self, image, *arguments, **kwargs):
        return self.rows('image', 'temp', 'url', 'create', image, *arguments, **kwargs)

    def refused(self, image, *arguments, **kwargs):
        """Run a create that must fail with one clear line, and return the line."""
        result = self.openstack('image', 'temp', 'url', 'create', image, *arguments, **kwargs)
        assert (result.code, result.stdout) == (1, '')
        lines = [line for line in result.stderr.strip().splitlines()
                 if not line.startswith('Copying ')]
        assert len(lines) == 1, result.stderr
        assert 'Traceback' not in lines[0]
        return lines[0]

    def config(self, **entries):
        """Write a clouds.yaml whose clouds have more entries, and return what points there."""
        config = yaml.safe_load((self.folder / 'clouds.yaml').read_text())
        for cloud in config['clouds'].values():
            cloud.update(entries)
        path = self.home / 'clouds.yaml'
        path.write_text(yaml.safe_dump(config))
        return {'OS_CLIENT_CONFIG_FILE': str(path)}

    def sdk(self, cloud='glance'):
        config = OpenStackConfig(config_files=[str(self.folder / 'clouds.yaml')],
                                 load_envvars=False)
        return openstack.connection.Connection(config=config.get_one(cloud))

    def upload(self, name, data=None, *, cloud='glance', store=None, **meta):
        """Create an image, with data where data is given, and return its ID."""
        session = self.sdk(cloud).image
        made = session.post('/images', json={'name': name, **IMAGE_META, **meta})
        assert made.status_code == 201, made.text
        image_id = made.json()['id']
        if data is not None:
            headers = {'Content-Type': 'application/octet-stream'}
            if store:
                headers['X-Image-Meta-Store'] = store
            put = session.put(f'/images/{image_id}/file', data=data, headers=headers)
            assert put.status_code == 204, put.text
        return image_id

    def set_key(self, value, *, cloud='glance', container=None, slot=''):
        """Set a temporary URL key; it is a secret from then on."""
        self.secrets.append(value)
        level = 'Container' if container else 'Account'
        set_to = self.sdk(cloud).object_store.post(
            f'/{container or ""}', headers={f'X-{level}-Meta-Temp-URL-Key{slot}': value})
        assert set_to.status_code == 204, set_to.text


def tool(command, folder, *options):
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/cloud', command, '--dir', folder, *options],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope='module')
def make_cloud(tmp_path_factory):
    """Return a function that returns a new cloud, which ends with the module.

    Its servers are forked from processes that all workers share and that end with the run.
    """
    folders = []

    def make(*options):
        base = tmp_path_factory.mktemp('cloud')
        (base / 'home').mkdir()
        folders.append(base / 'cloud')
        tool('up', folders[-1], '--fork-from', pathlib.Path(tempfile.gettempdir()) / 'forking',
             *options)
        settings = json.loads((folders[-1] / 'settings.json').read_text())
        return Cloud(folders[-1], base / 'home', list(settings['passwords'].values()),
                     settings['ports'])

    yield make
    for folder in folders:
        tool('wipe', folder)


@pytest.fixture(scope='module')
def cloud(make_cloud):
    """A cloud as it comes, with a key; modules that need another have their own."""
    made = make_cloud()
    made.set_key('a key')
    return made


@pytest.fixture(scope='module')
def image(cloud, data):
    """The ID of a small image, cirros."""
    return cloud.upload('cirros', data)


def download(url, **options):
    """Return what anybody gets from a URL, without a token."""
    answer = requests.get(url, timeout=30, **options)
    assert answer.status_code == 200, answer.text
    return answer.content


def programs(environment):
    """Return the folder with the programs of an environment."""
    done = subprocess.run([sys.executable, ROOT / 'tools/make_venv.py', environment],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return pathlib.Path(done.stdout.strip()) / 'bin'


@pytest.fixture(scope='session')
def ironic_python():
    """Return the Python of an environment with Ironic."""
    return programs('ironic') / 'python'


@pytest.fixture(scope='session')
def consumers():
    """Return the folder with the programs that take what ``export`` prints."""
    return programs('consumers')


@pytest.fixture
def key_file(tmp_path):
    """Return a function that writes a key file and returns its path."""
    def write(text, mode=0o600):
        path = tmp_path / 'key'
        path.write_text(text)
        path.chmod(mode)
        return str(path)
    return write


@pytest.fixture(scope='session')
def data():
    """The content of a small image."""
    return secrets.token_bytes(300_000)
