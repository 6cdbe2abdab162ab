"""openstack image temp url export, and what takes what it prints: aria2c, curl, qemu-img.

Ironic and iPXE have modules of their own.
"""

import json
import re
import secrets
import shlex
import shutil
import stat
import subprocess
import time
from xml.etree import ElementTree

import pytest
import requests
import yaml

from ..conftest import leave_out
from .conftest import ROOT, download
from .proxy import proxy

# The name of a file in no folder, in quotes of no language, and on no single line.
NAME = '../it\'s "$(touch ran)" `touch ran` & ]]> ${mac}\n#'

# What Glance looks at, at the place where it looks.
ISO = b'CD001'.rjust(32_774, b'\0').ljust(40_000, b'\0')


@pytest.fixture(scope='module')
def image(cloud, data):
    return cloud.upload('cirros', data)


@pytest.fixture(scope='module')
def altered(cloud, data):
    """An image whose object somebody has overwritten, with as many bytes."""
    made = cloud.upload('altered', data)
    put = cloud.sdk().object_store.put(f'/glance/{made}', data=secrets.token_bytes(len(data)))
    assert put.status_code == 201, put.text
    return made


@pytest.fixture
def export(cloud):
    """Return a function that returns what the command prints for a consumer, and that alone."""
    def export(image, consumer, *options):
        result = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', consumer,
                                 *options)
        assert (result.code, result.stderr) == (0, ''), result.text
        return result.stdout
    return export


@pytest.fixture
def refused(cloud):
    """Return a function that returns the one line that the command ends with."""
    def refused(image, consumer, *options, **kwargs):
        result = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', consumer,
                                 *options, **kwargs)
        assert (result.code, result.stdout) == (1, '')
        line, = result.stderr.splitlines()
        return line
    return refused


def run(command, folder, text=''):
    """Run a program, and return its exit status."""
    return subprocess.run(command, input=text, cwd=folder, text=True, capture_output=True,
                          check=False, timeout=60).returncode


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.extra
@pytest.mark.needs('aria2c')
def test_aria2c_takes_the_metalink_and_refuses_altered_data(export, image, altered, data,
                                                            tmp_path):
    for name, status in ((image, 0), (altered, 32)):
        (tmp_path / 'metalink').write_text(export(name, 'metalink', '--no-check'))
        assert run(['aria2c', '--no-conf', '-M', 'metalink'], tmp_path) == status
        (tmp_path / 'metalink').unlink()
    # What is no image keeps the file beside it that says so to aria2c.
    assert files(tmp_path)['cirros.raw'] == data
    assert files(tmp_path).keys() <= {'cirros.raw', 'altered.raw', 'altered.raw.aria2'}


@pytest.mark.needs('dash', 'curl')
class TestCurl:
    def test_the_image_gets_its_name(self, export, image, data, tmp_path):
        lines = export(image, 'curl')
        # Not the image's first bytes: that a download goes on is seen in what comes of it.
        part = tmp_path / f'{image}.part'
        part.write_bytes(bytes(1000))
        assert (run(['dash'], tmp_path, lines), files(tmp_path)) == (1, {})
        part.write_bytes(data[:1000])
        assert (run(['dash'], tmp_path, lines), files(tmp_path)) == (0, {'cirros.raw': data})
        # All had come, and something ended the lines before they gave it its name.
        (tmp_path / 'cirros.raw').rename(part)
        assert (run(['dash'], tmp_path, lines), files(tmp_path)) == (0, {'cirros.raw': data})
        assert (run(['dash'], tmp_path, lines), files(tmp_path)) == (1, {'cirros.raw': data})

    def test_an_altered_image_has_no_name(self, export, altered, tmp_path):
        assert run(['dash'], tmp_path, export(altered, 'curl', '--no-check')) == 1
        assert files(tmp_path) == {}

    def test_nor_has_what_has_another_hash(self, export, image, data, tmp_path):
        lines = export(image, 'curl')
        value = json.loads(export(image, 'ironic'))['image_os_hash_value']
        assert run(['dash'], tmp_path, lines.replace(value, '0' * len(value))) == 1
        assert files(tmp_path) == {}

    def test_an_expired_url_gives_nothing(self, export, image, tmp_path):
        lines = export(image, 'curl', '--duration', '1', '--no-check')
        expires = int(lines.partition('temp_url_expires=')[2].partition('"')[0])
        while time.time() <= expires + 1:
            time.sleep(0.1)
        assert run(['dash'], tmp_path, lines) != 0
        assert files(tmp_path) == {}


@pytest.mark.extra
@pytest.mark.needs('qemu-img')
def test_qemu_img_reads_the_image_through_its_url(cloud, export, data, tmp_path):
    disk = data.ljust(1 << 20, b'\0')
    (tmp_path / 'raw').write_bytes(disk)
    qemu_img('convert', '-O', 'qcow2', 'raw', 'qcow2', folder=tmp_path)
    image = cloud.upload('disk', (tmp_path / 'qcow2').read_bytes(), disk_format='qcow2')
    volume = yaml.safe_load(export(image, 'cdi'))['spec']
    assert volume['storage']['resources']['requests']['storage'] == str(1 << 20)
    source = json.dumps({'driver': 'qcow2', 'file': {
        'driver': 'http', 'url': volume['source']['http']['url']}})
    seen = json.loads(qemu_img('info', '--output', 'json', f'json:{source}', folder=tmp_path))
    assert seen['virtual-size'] == 1 << 20
    qemu_img('convert', '-O', 'raw', f'json:{source}', 'back', folder=tmp_path)
    assert (tmp_path / 'back').read_bytes() == disk


def qemu_img(*arguments, folder):
    done = subprocess.run([shutil.which('qemu-img'), *arguments], cwd=folder, text=True,
                          capture_output=True, check=False)
    if 'block-curl not found' in done.stderr:
        leave_out('not installed: qemu-block-extra')
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_several_images(cloud, image, data, tmp_path):
    """In one text, or a file each; what fails stops no other."""
    other = cloud.upload('other', data[:1000])
    lines = cloud.openstack('image', 'temp', 'url', 'export', image, other, '--for', 'curl').stdout
    assert (run(['sh'], tmp_path, lines), files(tmp_path)) == (
        0, {'cirros.raw': data, 'other.raw': data[:1000]})
    folder = tmp_path / 'folder'
    arguments = ('image', 'temp', 'url', 'export', '--for', 'metal3', '--directory', str(folder),
                 image, 'nobody', other)
    result = cloud.openstack(*arguments)
    paths = [folder / f'{name}.raw.yaml' for name in ('cirros', 'other')]
    assert (result.code, result.stdout.splitlines()) == (1, [str(path) for path in paths])
    assert 'nobody' in result.stderr and len(result.stderr.splitlines()) == 1
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *paths)] == [
        0o700, 0o600, 0o600]
    assert [download(yaml.safe_load(path.read_text())['spec']['image']['url'])
            for path in paths] == [data, data[:1000]]
    again = cloud.openstack(*arguments)
    assert (again.code, again.stdout, again.stderr.count('it exists')) == (1, '', 2)


def test_nodes_and_their_links(cloud, export, image):
    """Without Ironic: each node's URL can live longer, and ends alone."""
    nodes = ['a', "it's; touch ran"]
    lines = export(image, 'ironic', '--revocable', '--longest', '2d', '--node', *nodes)
    commands = [shlex.split(line) for line in lines.splitlines()]
    assert [command[-1] for command in commands] == nodes
    urls = [command[4].removeprefix('--instance-info=image_source=') for command in commands]
    links = {link['note']: link['link'] for link in cloud.rows(
        'image', 'temp', 'url', 'link', 'list', '--image', image, '--long')}
    assert links.keys() == set(nodes)
    cloud.rows('image', 'temp', 'url', 'link', 'extend', links['a'], '--duration', '1d')
    assert cloud.openstack('image', 'temp', 'url', 'link', 'revoke', links['a']).code == 0
    assert [requests.head(url, timeout=30).status_code for url in urls] == [404, 200]


def test_terraform_gets_an_object_of_strings(cloud, image, data):
    """Its data source ``external`` refuses any other. It writes its question first."""
    manual = (ROOT / 'doc/source/user/hand-over.rst').read_text()
    openstack, *arguments = json.loads(re.search(r'program = (\[[^]]*\])', manual)[1])
    assert openstack == 'openstack'
    result = cloud.openstack(*arguments, stdin='{}')
    told = json.loads(result.stdout)
    assert result.code == 0 and {type(value) for value in told.values()} == {str}
    assert set(re.findall(r'result\.(\w+)', manual)) <= told.keys()
    assert download(told['url']) == data
    assert json.loads(cloud.openstack(*arguments, stdin='{}').stdout) == told


def test_any_name_is_quoted(cloud, export, data, tmp_path):
    image = cloud.upload(NAME, data)
    url = json.loads(export(image, 'ironic'))['image_source']
    assert download(url) == data
    host = yaml.safe_load(export(image, 'metal3'))['spec']['image']
    assert (host['format'], host['checksumType'], len(host['checksum'])) == ('raw', 'sha512', 128)
    assert download(host['url']) == data
    file, = ElementTree.fromstring(export(image, 'metalink').encode())  # noqa: S314
    assert '/' not in file.attrib['name'] and file.attrib['name'].isprintable()
    assert run(['sh'], tmp_path, export(image, 'curl')) == 0
    assert files(tmp_path) == {file.attrib['name']: data}


@pytest.mark.parametrize('image_id', ['x; touch PWNED; :', '$(touch PWNED)', '../x', None])
@pytest.mark.parametrize('consumer', ['curl', 'metalink'])
def test_an_id_that_is_none(cloud, image, image_id, consumer):
    """Whoever answers in Glance's place may answer anything."""
    shown = cloud.sdk().image.get(f'/images/{image}').json()
    hostile = json.dumps({'images': [{**shown, 'id': image_id, 'name': ''}]}).encode()
    with proxy('http://nowhere') as server:
        server.plan = [(200, {'Content-Type': 'application/json'}, hostile)] * 2
        result = cloud.openstack(
            'image', 'temp', 'url', 'export', 'cirros', '--for', consumer,
            env=cloud.config(image_endpoint_override=server.url))
    assert (result.code, result.stdout) == (1, '') and 'Traceback' not in result.stderr
    assert server.requests[0] == 'GET /v2/images'


def test_an_image_that_lacks_something(cloud, image, data, refused):
    assert f'({image}) has no kernel' in refused('cirros', 'ipxe')
    iso = cloud.upload('live', ISO, disk_format='iso')
    assert f'({iso}) has the disk format iso' in refused('live', 'cdi')
    assert 'A URL for PUT downloads nothing' in refused('cirros', 'metal3', '--method', 'PUT')
    assert 'Leave it out (--object-prefix).' in refused('cirros', 'curl', '--object-prefix', 'x')
    assert 'Only Glance has the images' in refused(
        image, 'ironic', '--os-auth-type', 'none', cloud=None)
    boot = {'kernel_id': cloud.upload('kernel', data, visibility='private')}
    naming = cloud.upload('naming', data, cloud='demo', visibility='private', **boot)
    for consumer in ('ironic', 'ipxe'):
        line = refused(naming, consumer)
        assert f'({naming}) names {boot["kernel_id"]} as its kernel. The owner of' in line
        assert line.endswith("Correct the image's property kernel_id.")
