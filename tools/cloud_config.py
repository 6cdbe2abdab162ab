"""The configuration files of the local cloud: settings in, files written."""

import base64
import dataclasses
import pathlib
import secrets
import shutil

SWIFT = ('account', 'container', 'object', 'proxy')
RADOSGW = ('mon', 'osd', 'radosgw')
# A second proxy of the same Swift, which the catalog has in a region of its own.
WEST = 'west'
SERVERS = ('keystone', 'glance', *SWIFT, WEST, *RADOSGW)
# What clients see, and so what can speak TLS.
PUBLIC = ('keystone', 'glance', 'proxy', WEST, 'radosgw')
STORES = ('config-file', 'credentials', 'multi-tenant')


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a local cloud is made from; kept in its folder as settings.json."""

    store: str
    seed: int
    large_object_size: int | None
    digests: str
    tempurl: bool
    show_locations: bool
    ports: dict
    passwords: dict
    methods: str = 'GET HEAD PUT POST DELETE'
    swift_clock: int = 0
    max_object_size: int | None = None
    radosgw: bool = False
    account_in_url: bool = False
    oldest: bool = False
    reseller_prefix: str = 'AUTH'
    two_stores: bool = False
    tls: bool = False
    symlink: bool = True
    s3_store: bool = False

    def url(self, server, path=''):
        scheme = 'https' if self.tls and server in PUBLIC else 'http'
        return f'{scheme}://127.0.0.1:{self.ports[server]}{path}'

    def storage_url(self, project_id, proxy='proxy'):
        """Return the object store's endpoint for a project, as it is in the catalog."""
        if not self.radosgw:
            prefix = f'{self.reseller_prefix}_' if self.reseller_prefix else ''
            return self.url(proxy, f'/v1/{prefix}{project_id}')
        return self.url('radosgw', '/swift/v1' + (
            f'/AUTH_{project_id}' if self.account_in_url else ''))

    @property
    def catalog(self):
        """The URL of each service."""
        return {'identity': self.url('keystone', '/v3'), 'image': self.url('glance'),
                'object-store': self.storage_url('%(project_id)s')}


def write(folder: pathlib.Path, venv: pathlib.Path, settings: Settings):
    for name in ('log', 'run', 'keystone', 'glance/staging', 'glance/tasks', 'glance/images',
                 'swift/devices/d1', 'tls'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _keystone(folder, settings)
    _glance(folder, venv, settings)
    if not settings.radosgw:
        _swift(folder, settings)
    _clouds_yaml(folder, settings)


def write_file(path, text):
    path.touch(mode=0o600)
    path.write_text(text)


def authority(folder):
    """Return the file with the cloud's certificate authority."""
    return folder / 'tls/ca.pem'


def certificate(folder):
    """Return the files with the certificate of all its servers, and with its key."""
    return folder / 'tls/server.pem', folder / 'tls/server.key'


def _with_tls(settings, text):
    return text if settings.tls else ''


def _gunicorn(folder, server, app, settings):
    # One thread: SQLite answers "database is locked" to parallel writers.
    # The arguments are in a file because oslo.config reads sys.argv.
    write_file(folder / server / 'gunicorn.py', f"""\
wsgi_app = '{app}'
bind = '127.0.0.1:{settings.ports[server]}'
worker_class = 'gthread'
workers = 1
threads = 1
timeout = 120
# Longer than a busy client needs from one request to the next.
keepalive = 60
control_socket_disable = True
accesslog = '-'
""" + _with_tls(settings, f"""\
certfile = '{certificate(folder)[0]}'
keyfile = '{certificate(folder)[1]}'
"""))


def _authtoken(folder, settings, service_type):
    return _with_tls(settings, f'cafile = {authority(folder)}\n') + f"""\
# Access rules of application credentials name it.
service_type = {service_type}
www_authenticate_uri = {settings.url('keystone', '/v3')}
auth_url = {settings.url('keystone', '/v3')}
auth_type = password
project_domain_name = Default
user_domain_name = Default
project_name = service
username = glance
password = {settings.passwords['glance']}
"""


def _keystone(folder, settings):
    base = folder / 'keystone'
    write_file(base / 'keystone.conf', f"""\
[DEFAULT]
use_stderr = true
[database]
connection = sqlite:///{base}/keystone.db
sqlite_synchronous = false
[cache]
# One process is all of Keystone here: what it has read it may remember.
enabled = true
backend = oslo_cache.dict
[token]
provider = fernet
[fernet_tokens]
key_repository = {base}/fernet
[fernet_receipts]
key_repository = {base}/fernet
[credential]
key_repository = {base}/credential
[identity]
password_hash_rounds = 4
""")
    # The primary key and the next, as fernet_setup and credential_setup make them.
    for repository in ('fernet', 'credential'):
        (base / repository).mkdir(mode=0o700)
        for number in ('0', '1'):
            write_file(base / repository / number,
                       base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    _gunicorn(folder, 'keystone', 'keystone.wsgi.api:application', settings)


def _glance(folder, venv, settings):
    base = folder / 'glance'
    store = {
        'config-file': f"""\
swift_store_config_file = {base}/swift-store.conf
default_swift_reference = ref1
""",
        'credentials': f"""\
swift_store_auth_address = {settings.url('keystone', '/v3')}
swift_store_auth_version = 3
swift_store_user = service:glance
swift_store_key = {settings.passwords['glance']}
""",
        'multi-tenant': f"""\
swift_store_multi_tenant = true
swift_store_auth_address = {settings.url('keystone', '/v3')}
swift_store_auth_version = 3
swift_store_use_trusts = false
""",
    }[settings.store]
    store += 'swift_store_create_container_on_put = true\n'
    store += _with_tls(settings, f'swift_store_cacert = {authority(folder)}\n')
    if settings.large_object_size:
        store += f"""\
swift_store_large_object_size = {settings.large_object_size}
swift_store_large_object_chunk_size = {settings.large_object_size}
"""
    containers = 'swift_store_container = {}\nswift_store_multiple_containers_seed = {}\n'
    store, either = store + containers.format('glance', settings.seed), store
    # Both of Glance's forms are in use somewhere: named backends, whose images carry `stores`,
    # and the plain one.
    if settings.two_stores:
        enabled = 'enabled_backends = east:swift, west:swift\n'
        stores = '[glance_store]\ndefault_backend = east\n' + ''.join(
            f'[{name}]\n{either}{containers.format(f"{name}-images", seed)}'
            f'swift_store_region = {region}\n'
            for name, seed, region in (('east', settings.seed, 'RegionOne'),
                                       ('west', settings.seed + 3, 'West')))
    elif settings.s3_store:
        enabled = 'enabled_backends = s31:s3, swift1:swift, file1:file\n'
        stores = (f'[glance_store]\ndefault_backend = s31\n[s31]\n{_s3(folder, settings)}'
                  f'[swift1]\n{store}[file1]\nfilesystem_store_datadir = {base}/images\n')
    elif settings.store == 'credentials':
        enabled, stores = '', f'[glance_store]\nstores = swift\ndefault_store = swift\n{store}'
    else:
        enabled = 'enabled_backends = swift1:swift, file1:file\n'
        stores = (f'[glance_store]\ndefault_backend = swift1\n[swift1]\n{store}'
                  f'[file1]\nfilesystem_store_datadir = {base}/images\n')
    write_file(base / 'glance-api.conf', f"""\
[DEFAULT]
use_stderr = true
show_image_direct_url = {settings.show_locations}
show_multiple_locations = {settings.show_locations}
enabled_import_methods = [glance-direct,web-download,copy-image]
node_staging_uri = file://{base}/staging
{enabled}
[database]
connection = sqlite:///{base}/glance.db
sqlite_synchronous = false
[paste_deploy]
flavor = keystone
config_file = {base}/glance-api-paste.ini
[keystone_authtoken]
{_authtoken(folder, settings, 'image')}
[import_filtering_opts]
allowed_hosts = [127.0.0.1]
allowed_ports = []
{stores}
[os_glance_staging_store]
filesystem_store_datadir = {base}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {base}/tasks
""")
    write_file(base / 'swift-store.conf', f"""\
[ref1]
auth_version = 3
auth_address = {settings.url('keystone', '/v3')}
user = service:glance
key = {settings.passwords['glance']}
user_domain_id = default
project_domain_id = default
""")
    # Old releases want it there, and have no module for their WSGI application.
    shutil.copy(venv / 'etc/glance/glance-api-paste.ini', base)
    _gunicorn(folder, 'glance', 'glance.common.wsgi_app:init_app()' if settings.oldest
              else 'glance.wsgi.api:application', settings)


def _s3(folder, settings):
    return f"""\
s3_store_host = {settings.url('radosgw')}
s3_store_access_key = {settings.passwords['s3_access_key']}
s3_store_secret_key = {settings.passwords['s3_secret_key']}
s3_store_bucket = glance-s3
s3_store_create_bucket_on_put = true
s3_store_bucket_url_format = path
s3_store_large_object_size = 10
s3_store_large_object_chunk_size = 5
""" + _with_tls(settings, f's3_store_cacert = {authority(folder)}\n')


def _swift(folder, settings):
    base = folder / 'swift'
    write_file(base / 'swift.conf', f"""\
[swift-hash]
swift_hash_path_prefix = local
swift_hash_path_suffix = {settings.passwords['hash_path']}
""" + (f'[swift-constraints]\nmax_file_size = {settings.max_object_size}\n'
       if settings.max_object_size else ''))

    tls = _with_tls(settings, f"""\
cert_file = {certificate(folder)[0]}
key_file = {certificate(folder)[1]}
""")

    def server(name):
        return f"""\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {settings.ports[name]}
swift_dir = {base}
devices = {base}/devices
mount_check = false
workers = 0
log_address = {folder}/log/none
""" + (tls if name in PUBLIC else '')

    for name in ('account', 'container', 'object'):
        write_file(base / f'{name}.conf', server(name) + f"""\
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
""")
    for proxy in ('proxy', WEST) if settings.two_stores else ('proxy',):
        write_file(base / f'{proxy}.conf', server(proxy) + _proxy(folder, settings))


def _proxy(folder, settings):
    tempurl = 'tempurl ' if settings.tempurl else ''
    symlink = ' symlink' if settings.symlink else ''
    return f"""\
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging listing_formats bulk {tempurl}\
authtoken keystoneauth copy container_quotas account_quotas slo dlo versioned_writes{symlink}\
 proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempurl]
use = egg:swift#tempurl
allowed_digests = {settings.digests}
methods = {settings.methods}
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
{_authtoken(folder, settings, 'object-store')}
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
reseller_prefix = {settings.reseller_prefix}
""" + ''.join(f'[filter:{name}]\nuse = egg:swift#{name.replace("-", "_")}\n' for name in (
        'catch_errors', 'gatekeeper', 'healthcheck', 'proxy-logging', 'listing_formats', 'bulk',
        'copy', 'container_quotas', 'account_quotas', 'slo', 'dlo', 'versioned_writes', 'symlink'))


def _clouds_yaml(folder, settings):
    trusted = _with_tls(settings, f'    cacert: {authority(folder)}\n')
    clouds = {'admin': 'admin', 'glance': 'service', 'demo': 'demo', 'reader': 'demo'}
    write_file(folder / 'clouds.yaml', 'clouds:\n' + ''.join(f"""\
  {user}:
    auth:
      auth_url: {settings.url('keystone', '/v3')}
      username: {user}
      password: {settings.passwords[user]}
      project_name: {project}
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    identity_api_version: 3
{trusted}""" for user, project in clouds.items()))
