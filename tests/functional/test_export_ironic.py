"""What ``export --for ironic`` prints, set on a node of a real Ironic that validates it."""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import openstack
import pytest
import requests

from .conftest import download
from .links import extend, links, revoke, swift_time

pytestmark = pytest.mark.extra
# API and conductor in one process, with hardware that does nothing. What a node is to deploy is
# validated as for any other, and the conductor downloads it, for the machine to have it from there.
CONFIG = """\
[DEFAULT]
auth_strategy = noauth
rpc_transport = none
host = localhost
my_ip = 127.0.0.1
state_path = {folder}
enabled_hardware_types = fake-hardware
enabled_deploy_interfaces = direct
enabled_boot_interfaces = fake
enabled_management_interfaces = fake
enabled_power_interfaces = fake
enabled_network_interfaces = noop
enabled_bios_interfaces = no-bios
enabled_console_interfaces = no-console
enabled_firmware_interfaces = no-firmware
enabled_inspect_interfaces = no-inspect
enabled_raid_interfaces = no-raid
enabled_rescue_interfaces = no-rescue
enabled_storage_interfaces = noop
enabled_vendor_interfaces = no-vendor
[api]
host_ip = 127.0.0.1
port = {port}
[agent]
image_download_source = local
[conductor]
automated_clean = false
[database]
connection = sqlite:///{folder}/ironic.db
[deploy]
http_root = {folder}/http
http_url = {http_url}
[oslo_concurrency]
lock_path = {folder}/locks
[pxe]
tftp_root = {folder}/tftp
images_path = {folder}/images
instance_master_path = {folder}/instances
tftp_master_path = {folder}/masters
[service_catalog]
auth_type = none
endpoint_override = http://127.0.0.1:{port}
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('ironic')


@pytest.fixture(scope='module')
def http_url(folder):
    """Where machines would get what the conductor has downloaded; it asks for that itself."""
    server = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), functools.partial(Handler, directory=folder / 'http'))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope='module')
def ironic(ironic_python, folder, http_url):
    """A client of a running Ironic."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    config, url = folder / 'ironic.conf', f'http://127.0.0.1:{port}'
    config.write_text(CONFIG.format(folder=folder, port=port, http_url=http_url))
    with open(folder / 'log', 'w') as log:
        process = subprocess.Popen(
            [ironic_python, pathlib.Path(__file__).with_name('ironic_server.py'), config],
            cwd=folder, env={'HOME': str(folder), 'PATH': '/usr/bin:/bin'},
            stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f'{url}/v1/drivers', timeout=30).json()['drivers']:
                    break
            time.sleep(.1)
        else:
            pytest.fail((folder / 'log').read_text())
        yield openstack.connect(load_yaml_config=False, load_envvars=False, auth_type='none',
                                baremetal_endpoint_override=url).baremetal
    finally:
        # Its worker with it: nothing that they could still write is needed.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def node(ironic):
    return ironic.create_node(driver='fake-hardware')


@pytest.fixture
def other_node(ironic):
    return ironic.create_node(driver='fake-hardware')


def export(cloud, image, *options, user='glance'):
    """Return the ``instance_info`` that is printed."""
    result = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', 'ironic', *options,
                             cloud=user)
    assert result.code == 0, result.stderr
    return json.loads(result.stdout)


def validate(ironic, node, instance_info):
    """Set what a node is to deploy; return whether Ironic would, and the reason why not."""
    node = ironic.update_node(node, instance_info=instance_info)
    deploy = ironic.validate_node(node, required=())['deploy']
    return deploy.result, deploy.reason


def reach(ironic, node, target, *states):
    """Have a node go to a state, and return it when it is in one of some."""
    ironic.set_node_provision_state(node, target)
    deadline = time.monotonic() + 60
    while (node := ironic.get_node(node)).provision_state not in states:
        assert time.monotonic() < deadline, node.provision_state
        time.sleep(.05)
    return node


def deploy(ironic, node):
    """Return a node that waits for its machine to boot, or for which the deployment has failed."""
    reach(ironic, node, 'manage', 'manageable')
    reach(ironic, node, 'provide', 'available')
    return reach(ironic, node, 'active', 'wait call-back', 'deploy failed')


def test_a_whole_disk(ironic, node, cloud, image, folder, data):
    info = export(cloud, image)
    assert validate(ironic, node, info) == (True, None)
    deployed = deploy(ironic, node)
    assert (deployed.provision_state, deployed.last_error) == ('wait call-back', None)
    assert deployed.driver_internal_info['is_whole_disk_image']
    assert (folder / 'http/agent_images' / node.id).read_bytes() == data


def test_a_fleet(ironic, consumers, cloud, image, folder, tmp_path):
    """Each of twenty nodes has a URL of its own, and one of them can be revoked."""
    # A name may begin with a dash.
    named = [ironic.create_node(driver='fake-hardware', name=name)
             for name in ('-node', *(f'node-{number}' for number in range(18)))]
    nodes = [*named, ironic.create_node(driver='fake-hardware')]
    words = [each.name or each.id for each in nodes]
    lines = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', 'ironic',
                            '--revocable', '--node', *words[1:], 'no; touch ran',
                            f'--node={words[0]}')
    assert (lines.code, lines.stderr) == (0, '')
    done = subprocess.run(
        ['sh'], input=lines.stdout, cwd=tmp_path, text=True, capture_output=True, check=False,
        env={'PATH': f'{consumers}:/usr/bin:/bin', 'HOME': str(tmp_path), 'OS_AUTH_TYPE': 'none',
             'OS_ENDPOINT': ironic.get_endpoint()})
    error, = done.stderr.splitlines()
    assert 'no; touch ran' in error and not (tmp_path / 'ran').exists()
    urls = {}
    for node, word in zip(nodes, words, strict=True):
        urls[word] = ironic.get_node(node).instance_info['image_source']
        result = ironic.validate_node(node, required=())['deploy']
        assert (result.result, result.reason) == (True, None)
    assert len(set(urls.values())) == len(nodes) == 20
    made = {link['note']: link['link'] for link in links(cloud, '--image', image, '--long')}
    assert made.keys() == {*words, 'no; touch ran'}
    revoke(cloud, made['node-3'])
    assert [word for word, url in urls.items()
            if requests.head(url, timeout=30).status_code == 404] == ['node-3']
    deployed = deploy(ironic, named[1])
    assert (deployed.provision_state, deployed.last_error) == ('wait call-back', None)
    revoke(cloud, '--image', image)


def test_a_fleet_with_one_url(ironic, consumers, cloud, image, tmp_path):
    nodes = [ironic.create_node(driver='fake-hardware') for _ in range(2)]
    lines = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', 'ironic', '--node',
                            *(node.id for node in nodes))
    subprocess.run(['sh', '-e'], input=lines.stdout, text=True, check=True, env={
        'PATH': f'{consumers}:/usr/bin:/bin', 'HOME': str(tmp_path), 'OS_AUTH_TYPE': 'none',
        'OS_ENDPOINT': ironic.get_endpoint()})
    first, second = (ironic.get_node(node).instance_info for node in nodes)
    assert first == second and ironic.validate_node(nodes[0], required=())['deploy'].result


def test_a_copy(ironic, node, cloud, folder, data):
    """Of an image in files, made by somebody who does not own Glance's account."""
    info = export(cloud, cloud.upload('in files', data, store='file1'), '--copy', user='demo')
    assert validate(ironic, node, info) == (True, None)
    deployed = deploy(ironic, node)
    assert (deployed.provision_state, deployed.last_error) == ('wait call-back', None)
    assert (folder / 'http/agent_images' / node.id).read_bytes() == data


def test_a_link(ironic, node, other_node, cloud, image, folder, data):
    """It is extended when nodes have it, outlives twice its first life, and is revoked.

    Whether the URL works, Ironic validates when it deploys: ``node validate`` is content with the
    hash.
    """
    life = 8
    info = export(cloud, image, '--revocable', '--duration', str(life))
    assert [validate(ironic, each, info) for each in (node, other_node)] == [(True, None)] * 2
    first, = links(cloud, '--long')
    extend(cloud, '-', '--duration', '1h', stdin=info['image_source'])
    while swift_time(info['image_source']) <= first['expires'] + life:
        time.sleep(.1)
    deployed = deploy(ironic, node)
    assert (deployed.provision_state, deployed.last_error) == ('wait call-back', None)
    assert deployed.instance_info['image_source'] == info['image_source']
    assert (folder / 'http/agent_images' / node.id).read_bytes() == data
    revoke(cloud, first['link'])
    deployed = deploy(ironic, other_node)
    assert deployed.provision_state == 'deploy failed'
    assert 'HTTP code 404' in deployed.last_error


def test_a_partition(ironic, node, cloud, data):
    """It has a kernel and a ramdisk; how large it is to be is the node's business."""
    boot = {f'{name}_id': cloud.upload(name, data[:1000]) for name in ('kernel', 'ramdisk')}
    info = export(cloud, cloud.upload('partition', data, **boot))
    assert [download(info[name]) for name in ('kernel', 'ramdisk')] == [data[:1000]] * 2
    assert validate(ironic, node, {**info, 'root_gb': 1}) == (True, None)
    deployed = deploy(ironic, node)
    assert (deployed.provision_state, deployed.last_error) == ('wait call-back', None)
    assert not deployed.driver_internal_info['is_whole_disk_image']


def test_no_hash(ironic, node, cloud, image):
    info = {name: value for name, value in export(cloud, image).items() if 'hash' not in name}
    result, reason = validate(ironic, node, info)
    assert not result and 'image_os_hash_value' in reason


@pytest.mark.parametrize(('name', 'altered', 'error'), [
    ('image_source', lambda url: url.replace('sig=', 'sig=0'), 'HTTP code 401'),
    ('image_os_hash_value', lambda value: value[::-1], 'checksum is invalid'),
])
def test_what_is_altered(ironic, node, cloud, image, name, altered, error):
    """``node validate`` does not find out; the deployment does."""
    info = export(cloud, image)
    info[name] = altered(info[name])
    assert validate(ironic, node, info) == (True, None)
    deployed = deploy(ironic, node)
    assert deployed.provision_state == 'deploy failed'
    assert error in deployed.last_error
