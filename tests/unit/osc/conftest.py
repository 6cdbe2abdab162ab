"""The commands, on the stub of a cloud: options in, rows out."""

import io
import json
import types
from importlib.metadata import entry_points

import pytest
from keystoneauth1.session import Session
from openstack.config.cloud_region import CloudRegion
from requests.structures import CaseInsensitiveDict

from osc_imgurl.tempurl.signing import Key

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
KERNEL_ID = '7bd1c4d2-0e57-4a8c-8d0c-5f6f6f1f8a11'
KEY = Key(b'a key')
GLANCE, SWIFT = 'http://glance/v2/images', 'http://swift/v1/AUTH_p'
TRANSACTION = {'X-Trans-Id': 'tx1'}
IMAGE = {'id': IMAGE_ID, 'name': 'cirros', 'status': 'active', 'size': 5, 'disk_format': 'qcow2',
         'container_format': 'bare', 'owner': 'p', 'visibility': 'public',
         'kernel_id': KERNEL_ID, 'checksum': 'c' * 32, 'os_hash_algo': 'sha256',
         'os_hash_value': 'd' * 64}
KERNEL = {**IMAGE, 'id': KERNEL_ID, 'name': 'vmlinuz', 'kernel_id': None, 'disk_format': 'aki',
          'container_format': 'aki'}


@pytest.fixture
def openstack(cloud, naps, monkeypatch, tmp_path):
    """Return what runs commands. Glance has an image and its kernel, and Swift a key."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    for image in IMAGE, KERNEL:
        cloud.mock.get(f'{GLANCE}/{image["id"]}', json=image)
        cloud.mock.head(f'{SWIFT}/glance/{image["id"]}',
                        headers={**TRANSACTION, 'Content-Length': '5', 'ETag': 'c' * 32})
    cloud.mock.get(GLANCE, json={'images': [IMAGE, KERNEL]})
    cloud.mock.get(f'{GLANCE}?name=cirros', json={'images': [IMAGE]})
    cloud.mock.head(f'{SWIFT}/glance', headers={**TRANSACTION, 'X-Container-Object-Count': '2'})
    account = CaseInsensitiveDict({**TRANSACTION, 'X-Account-Container-Count': '1',
                                   'X-Account-Meta-Temp-URL-Key': KEY.value.decode()})

    def show(request, context):
        context.headers.update(account)

    def change(request, context):
        context.status_code = 204
        context.headers.update(TRANSACTION)
        for name, value in request.headers.items():
            if name.lower().startswith('x-remove-'):
                account.pop(name.lower().replace('x-remove-', 'x-'), None)
            elif 'temp-url-key' in name.lower():
                account[name] = value.decode() if isinstance(value, bytes) else value

    cloud.mock.head(SWIFT, text=show)
    cloud.mock.post(SWIFT, text=change)
    cloud.mock.get(SWIFT, headers=TRANSACTION, text='glance\n')
    cloud.mock.get(f'{SWIFT}/image-temp-url-links', headers=TRANSACTION, status_code=404)
    cloud.mock.get(f'{GLANCE}/{IMAGE_ID}/locations', status_code=403)
    cloud.mock.get('http://swift/info', json={'swift': {}, 'tempurl': {
        'methods': ['GET', 'HEAD', 'PUT'], 'allowed_digests': ['sha1', 'sha256', 'sha512']}})
    return OpenStack(cloud)


class OpenStack:
    """Runs a command; ``configuration`` is that of the cloud in clouds.yaml, of that path.

    ``identity`` is Keystone, as openstacksdk has it.
    """

    def __init__(self, cloud):
        self.cloud = cloud
        self.configuration = {}
        self.path = None
        self.identity = None
        self.code = None
        self.stderr = io.StringIO()

    def __call__(self, name, *arguments):
        """Run a command, and return what it prints."""
        stdout = io.StringIO()
        # As openstacksdk keeps what it has read from clouds.yaml.
        config = types.SimpleNamespace(
            cloud_config={'clouds': {'cloud': self.configuration}}, config_filename=self.path,
            _load_secure_file=lambda: (None, {}))
        region = CloudRegion('cloud', config={'interface': 'public', **self.configuration},
                             openstack_config=config)
        manager = types.SimpleNamespace(
            session=Session() if self.configuration.get('auth_type') == 'none'
            else self.cloud.session(),
            get_configuration=lambda: self.configuration, _cli_options=region,
            sdk_connection=types.SimpleNamespace(identity=self.identity))
        app = types.SimpleNamespace(client_manager=manager, stdout=stdout, stderr=self.stderr,
                                    options=types.SimpleNamespace(verbose_level=1))
        entry, = entry_points(group='openstack.extension', name=name.replace(' ', '_'))
        command = entry.load()(app, None)
        self.code = command.run(command.get_parser(name).parse_args(arguments))
        return stdout.getvalue()

    def rows(self, name, *arguments):
        return json.loads(self(name, *arguments, '-f', 'json'))
