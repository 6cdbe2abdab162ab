"""What ``export --for ipxe`` prints boots a machine without a disk, at the second attempt."""

import contextlib
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys

import make_venv
import pytest

from ..conftest import leave_out
from .conftest import ROOT
from .proxy import proxy
from .test_leave_nothing import LONGEST, wait_until

pytestmark = pytest.mark.extra
NOT_THERE = 77
# A busy machine's emulated timer may be late.
PARAMETERS = 'console=ttyS0 quiet panic=1 no_timer_check'


def boot(*arguments):
    """Run tools/boot and return what it prints."""
    done = subprocess.run([sys.executable, ROOT / 'tools/boot', *arguments],
                          capture_output=True, text=True, check=False)
    if done.returncode == NOT_THERE:
        leave_out(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(('store', 'options', 'user'), [
    (None, [], 'glance'), ('file1', ['--copy'], 'demo')], ids=['in Swift', 'copies'])
def test_a_machine_boots(request, tmp_path, store, options, user):
    line = f'the ramdisk {secrets.token_hex(8)} runs'
    boot('files', tmp_path, line)
    # Not before it is known that nothing is missing.
    cloud = request.getfixturevalue('cloud')
    # Glance looks into a raw image, and refuses a kernel for it.
    named = {f'{name}_id': cloud.upload(name, (tmp_path / name).read_bytes(),
                                        disk_format=form, container_format=form, store=store)
             for name, form in (('kernel', 'aki'), ('ramdisk', 'ari'))}
    image = cloud.upload('deploy', b'not asked for', store=store, **named)
    with proxy(cloud.sdk().object_store.get_endpoint().partition('/v1/')[0]) as swift:
        exported = cloud.openstack(
            'image', 'temp', 'url', 'export', image, '--for', 'ipxe',
            '--kernel-parameters', PARAMETERS,
            '--endpoint-url', swift.url.replace('127.0.0.1', '10.0.2.2'), *options, cloud=user)
        assert exported.code == 0, exported.stderr
        script = tmp_path / 'boot.ipxe'
        script.write_text(exported.stdout)
        swift.plan.append((503, {}))
        console = boot('start', script)
    assert line in console.splitlines(), console
    assert PARAMETERS in console
    # A copy's name is the image's ID and something behind it.
    asked = [next(each for each in named.values() if f'/{each}' in request)
             for request in swift.requests]
    assert asked == [named['kernel_id'], named['kernel_id'], named['ramdisk_id']]


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_a_demonstration_that_is_killed(tmp_path, number):
    """Its machine and its files end with it; its cloud stays."""
    stamp = ROOT / '.venvs/client/made-from'
    assert stamp.read_text() == make_venv.fingerprint('client'), 'run tools/make_venv.py client'
    checkout, temporary = tmp_path / 'checkout', tmp_path / 'temporary'
    temporary.mkdir()
    shutil.copytree(ROOT / 'tools', checkout / 'tools')
    for path in ROOT.iterdir():
        if path.name not in ('tools', '.cloud', '.cloud.lock'):
            (checkout / path.name).symlink_to(path)
    run = subprocess.Popen(
        [checkout / 'tools/demo', '--boot'], stdout=subprocess.PIPE, text=True,
        env={**os.environ, 'TMPDIR': str(temporary)})
    try:
        assert any(line.startswith('iPXE') for line in run.stdout)
        assert len(processes(temporary)) > 1 and list(temporary.iterdir())
        run.send_signal(number)
        run.wait()
        assert wait_until(
            lambda: not processes(temporary) and not list(temporary.iterdir()), LONGEST)
        status = subprocess.run([checkout / 'tools/cloud', 'status'], check=False)
        assert status.returncode == 0
    finally:
        run.kill()
        subprocess.run([checkout / 'tools/cloud', 'wipe'], check=True)


def processes(folder):
    """Return the command lines that name a folder."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().decode())
    return [command for command in found if str(folder) in command]
