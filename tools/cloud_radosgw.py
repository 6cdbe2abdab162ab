"""A RADOS Gateway in place of Swift: the smallest Ceph there is, with its data in memory."""

import shutil
import subprocess
import uuid

import cloud_config

# An OSD listens on several ports.
OSD_PORTS = 10
PROGRAMS = ('ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw')


def missing():
    """Return the names of the programs that are not installed."""
    return [program for program in PROGRAMS if not shutil.which(program)]


def write(folder, settings):
    base = folder / 'ceph'
    (base / 'osd').mkdir(parents=True)
    ports = settings.ports
    frontend, verified = f'endpoint=127.0.0.1:{ports["radosgw"]}', 'true'
    if settings.tls:
        certificate, key = cloud_config.certificate(folder)
        frontend = f'ssl_{frontend} ssl_certificate={certificate} ssl_private_key={key}'
        # It trusts the system's authorities, and cannot be told of another.
        verified = 'false'
    cloud_config.write_file(base / 'ceph.conf', f"""\
[global]
fsid = {uuid.uuid4()}
mon initial members = a
mon host = v2:127.0.0.1:{ports['mon']}/0
auth cluster required = none
auth service required = none
auth client required = none
# Without it radosgw hangs where there is no authentication.
ms mon client mode = crc
ms bind ipv6 = false
ms bind port min = {ports['osd']}
ms bind port max = {ports['osd'] + OSD_PORTS - 1}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd objectstore = memstore
# A fast one would not write down what is in memory.
osd fast shutdown = false
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
run dir = {base}
admin socket = {base}/$name.sock
pid file =
log file = {folder}/log/$name.log
mon cluster log file = {folder}/log/ceph.log
[mon.a]
mon data = {base}/mon
[osd.0]
osd data = {base}/osd
[client.rgw.a]
rgw data = {base}/rgw
rgw frontends = beast {frontend}
rgw enable apis = s3, swift, swift_auth, admin
rgw s3 auth use keystone = true
rgw rados pool pg num min = 1
rgw swift account in url = {str(settings.account_in_url).lower()}
rgw keystone url = {settings.url('keystone')}
rgw keystone verify ssl = {verified}
rgw keystone api version = 3
rgw keystone admin user = glance
rgw keystone admin password = {settings.passwords['glance']}
rgw keystone admin domain = Default
rgw keystone admin project = service
rgw keystone accepted roles = admin, member
""")


def commands(folder):
    """Return what runs each of the servers, in the order in which they start."""
    config = ['-c', folder / 'ceph/ceph.conf']
    return {'mon': ['ceph-mon', *config, '-i', 'a', '-f'],
            'osd': ['ceph-osd', *config, '-i', '0', '-f'],
            'radosgw': ['radosgw', *config, '-n', 'client.rgw.a', '-f']}


def prepare(folder, settings, server, log):
    """Make what a server needs before it starts for the first time."""
    base = folder / 'ceph'

    def run(*command):
        subprocess.run(command, check=True, cwd=base, stdout=log, stderr=log)

    config = ['-c', base / 'ceph.conf']
    if server == 'mon':
        fsid = (base / 'ceph.conf').read_text().partition('fsid = ')[2].split()[0]
        run('monmaptool', '--create', '--fsid', fsid, '--addv', 'a',
            f'[v2:127.0.0.1:{settings.ports["mon"]}]', 'monmap')
        run('ceph-mon', *config, '-i', 'a', '--mkfs', '--monmap', 'monmap')
    elif server == 'osd':
        osd = str(uuid.uuid4())
        run('ceph', *config, '--connect-timeout', '30', 'osd', 'new', osd)
        run('ceph-osd', *config, '-i', '0', '--mkfs', '--osd-uuid', osd)
