"""What Ignition, cloud-init, a Redfish service and Ansible make of what ``export`` prints."""

import contextlib
import functools
import json
import os
import pathlib
import secrets
import socket
import stat
import subprocess
import tempfile
import time

import pytest
import requests

from ..conftest import leave_out
from .conftest import ROOT
from .test_export import ISO, files

pytestmark = pytest.mark.extra
CONFIG = {'ignition': {'version': '3.1.0'},
          'storage': {'files': [{'path': '/etc/motd', 'contents': {'source': 'data:,hello'}}]}}
USER_DATA = b'#cloud-config\nhostname: '
# Prints the parts that cloud-init makes of the user data on its standard input. It keeps below a
# folder what it is to know at the next boot.
PROCESS = """\
import sys
from cloudinit import helpers, user_data
paths = helpers.Paths({'cloud_dir': sys.argv[1], 'run_dir': sys.argv[1]})
for part in user_data.UserDataProcessor(paths).process(sys.stdin.buffer.read()).get_payload():
    print(part.get_content_type(), part.get_payload(decode=True).decode(), sep='\\n', end='')
"""
PLAYBOOK = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.import_tasks: images.yaml
"""


@functools.cache
def package(name):
    """Return a folder with the files of Debian's package, which is downloaded once."""
    kept = ROOT / '.debian'
    if not (kept / name).exists():
        kept.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept) as folder:
            try:
                subprocess.run(['apt-get', 'download', '-q', name], cwd=folder, check=True,
                               capture_output=True)
            except (FileNotFoundError, subprocess.CalledProcessError) as error:
                leave_out(f'{error} ("apt-get update" may help)')
            downloaded, = pathlib.Path(folder).glob('*.deb')
            subprocess.run(['dpkg-deb', '-x', downloaded, f'{folder}/unpacked'], check=True)
            pathlib.Path(folder, 'unpacked').rename(kept / name)
    return kept / name


@pytest.fixture
def export(cloud):
    """Return a function that returns what the command prints, and that alone."""
    def export(*arguments):
        result = cloud.openstack('image', 'temp', 'url', 'export', *arguments)
        assert (result.code, result.stderr) == (0, ''), result.text
        return result.stdout
    return export


def alter(cloud, image, data):
    """Overwrite the object of an image, as somebody with rights in the account may."""
    put = cloud.sdk().object_store.put(f'/glance/{image}', data=data)
    assert put.status_code == 201, put.text


class TestIgnition:
    def fetch(self, folder, pointer):
        """Return exit status, log and configuration that Ignition fetches."""
        (folder / 'pointer').write_text(pointer)
        program = package('ignition') / 'usr/lib/dracut/modules.d/30ignition/ignition'
        done = subprocess.run(
            [program, '-platform', 'file', '-stage', 'fetch', '-root', folder / 'root',
             '-config-cache', folder / 'fetched', '-state-file', folder / 'state', '-neednet',
             folder / 'neednet', '-log-to-stdout'], capture_output=True, text=True, check=False,
            env={'IGNITION_CONFIG_FILE': str(folder / 'pointer')})
        fetched = folder / 'fetched'
        return done.returncode, done.stdout, fetched.exists() and json.loads(fetched.read_text())

    def test_it_fetches_and_verifies_the_configuration(self, cloud, export, tmp_path):
        image = cloud.upload('config.ign', json.dumps(CONFIG).encode())
        pointer = export(image, '--for', 'ignition')
        validate = package('ignition') / 'usr/bin/ignition-validate'
        assert subprocess.run([validate, '-'], input=pointer.encode(), check=False).returncode == 0
        code, log, fetched = self.fetch(tmp_path, pointer)
        assert code == 0, log
        assert fetched['storage']['files'][0]['path'] == '/etc/motd'

    def test_it_refuses_another(self, cloud, export, tmp_path):
        image = cloud.upload('altered.ign', json.dumps(CONFIG).encode())
        pointer = export(image, '--for', 'ignition')
        alter(cloud, image, json.dumps(CONFIG).replace('hello', 'jello'))
        code, log, fetched = self.fetch(tmp_path, pointer)
        assert (code, fetched) == (1, False) and 'hash verification failed' in log


class TestCloudInit:
    def process(self, consumers, user_data, folder):
        return subprocess.run(
            [consumers / 'python', '-c', PROCESS, folder], input=user_data, text=True,
            capture_output=True, check=False,
            env={'PYTHONPATH': str(package('cloud-init') / 'usr/lib/python3/dist-packages')})

    def test_it_includes_each_image(self, cloud, export, consumers, tmp_path):
        for name in 'ab':
            cloud.upload(f'data {name}', USER_DATA + f'{name}\n'.encode())
        done = self.process(consumers, export('data a', 'data b', '--for', 'cloud-init'), tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout == ''.join(
            f'text/cloud-config\n{USER_DATA.decode()}{name}\n' for name in 'ab')

    def test_it_boots_again_without_the_url(self, cloud, export, consumers, tmp_path):
        cloud.upload('data', USER_DATA + b'c\n')
        user_data = export('data', '--for', 'cloud-init', '--revocable')
        first = self.process(consumers, user_data, tmp_path / 'one')
        assert first.stdout.endswith('hostname: c\n'), first.stderr
        revoked = cloud.openstack('image', 'temp', 'url', 'link', 'revoke', '-',
                                  stdin=user_data.splitlines()[1])
        assert revoked.code == 0, revoked.text
        assert self.process(consumers, user_data, tmp_path / 'one').stdout == first.stdout
        assert '404' in self.process(consumers, user_data, tmp_path / 'two').stderr


class TestRedfish:
    @pytest.fixture
    def media(self, consumers, tmp_path):
        """The URL of the virtual CD of a machine, in an emulated BMC that downloads what it is to
        insert."""
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        with open(tmp_path / 'log', 'w') as log:
            process = subprocess.Popen(
                [consumers / 'sushy-emulator', '--fake', '--port', str(port)], stdout=log,
                stderr=log, cwd=tmp_path, env={'TMPDIR': str(tmp_path), 'HOME': str(tmp_path)})
        url = f'http://127.0.0.1:{port}'
        try:
            deadline = time.monotonic() + 60
            system = None
            while not system and time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(requests.ConnectionError):
                    found = requests.get(f'{url}/redfish/v1/Systems', timeout=30).json()
                    system = found['Members'][0]['@odata.id']
                time.sleep(.1)
            assert system, (tmp_path / 'log').read_text()
            yield f'{url}{system}/VirtualMedia/Cd'
        finally:
            process.kill()
            process.wait()

    def insert(self, media, body):
        return requests.post(f'{media}/Actions/VirtualMedia.InsertMedia', data=body, timeout=60,
                             headers={'Content-Type': 'application/json'})

    @pytest.mark.parametrize('options', [[], ['--revocable']])
    def test_a_bmc_inserts_it(self, cloud, export, media, tmp_path, options):
        name, data = f'live {secrets.token_hex(4)}', ISO + secrets.token_bytes(100)
        cloud.upload(name, data, disk_format='iso')
        body = export(name, '--for', 'redfish', *options)
        url = json.loads(body)['Image']
        assert url.endswith(f'&filename={name.replace(" ", "%20")}.iso')
        inserted = self.insert(media, body)
        assert inserted.status_code == 204, inserted.text
        shown = requests.get(media, timeout=30).json()
        assert (shown['Image'], shown['Inserted'], shown['WriteProtected']) == (url, True, True)
        # What it has downloaded.
        stored, = tmp_path.rglob(shown['ImageName'])
        assert (shown['ImageName'], stored.read_bytes()) == (f'{name}.iso', data)

    def test_an_altered_url(self, cloud, export, media):
        cloud.upload('iso', ISO, disk_format='iso')
        refused = self.insert(media, export('iso', '--for', 'redfish').replace('sig=', 'sig=0'))
        assert refused.status_code == 400 and 'got error 401' in refused.text


class TestAnsible:
    @pytest.fixture
    def run(self, consumers, tmp_path):
        """Return a function that runs tasks, and returns exit status, output and the files."""
        home, here = tmp_path / 'home', tmp_path / 'here'
        home.mkdir()
        here.mkdir()

        def run(tasks):
            written = {'playbook.yaml': PLAYBOOK, 'images.yaml': tasks}
            for name, text in written.items():
                (here / name).write_text(text)
            done = subprocess.run(
                [consumers / 'ansible-playbook', '-vvv', 'playbook.yaml'], cwd=here,
                capture_output=True, text=True, check=False,
                env={'HOME': str(home), 'LC_ALL': 'C.UTF-8',
                     'PATH': f'{consumers}:{os.environ["PATH"]}'})
            assert 'temp_url_sig' not in done.stdout + done.stderr
            there = files(here)
            return done.returncode, done.stdout, {
                name: there[name] for name in there.keys() - written}

        return run

    def test_it_downloads_each_image(self, cloud, export, run, data, tmp_path):
        names = ['{{ lookup("pipe", "touch ran") }} {% raw %}', "it's: # $HOME"]
        images = [cloud.upload(name, data + name.encode()) for name in names]
        tasks = export(*images, '--for', 'ansible')
        code, output, there = run(tasks)
        assert code == 0, output
        assert sorted(there.values()) == sorted(data + name.encode() for name in names)
        assert any(name.startswith('{{ lookup(') for name in there)
        for name in there:
            assert stat.S_IMODE((tmp_path / 'here' / name).stat().st_mode) == 0o600
        code, output, again = run(tasks.replace('temp_url_sig=', 'temp_url_sig=0'))
        assert (code, again) == (0, there) and 'changed=0' in output

    def test_it_refuses_another(self, cloud, export, run, data):
        image = cloud.upload('another', data)
        tasks = export(image, '--for', 'ansible')
        alter(cloud, image, data[::-1])
        code, output, there = run(tasks)
        assert (code, there) == (2, {}) and 'failed=1' in output
