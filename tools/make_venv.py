#!/usr/bin/env python3
"""Make one of the project's virtual environments and print its folder.

    tools/make_venv.py client    the plugin (in place), the OpenStack client, the test tools
    tools/make_venv.py plugin    what a user installs: the plugin and what it needs
    tools/make_venv.py bare      what the plugin needs, without it
    tools/make_venv.py cloud     Keystone, Glance and Swift, for tools/cloud
    tools/make_venv.py cloud-oldest   an old Swift and Glance, likewise
    tools/make_venv.py ironic    Ironic, whose URLs ours are compared with, and which takes them
    tools/make_venv.py consumers what takes what ``export`` prints: Ansible, sushy-tools and others
    tools/make_venv.py peers     those whose tests run against our library

An environment is made once, and again when what it is made from has changed.
"""

import argparse
import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENVIRONMENTS = {
    'client': ('-r', 'requirements.txt', '-r', 'test-requirements.txt', '-e', '.'),
    'plugin': ('-r', 'requirements.txt', '.'),
    'bare': ('-r', 'requirements.txt'),
    'cloud': ('-r', 'tools/cloud-requirements.txt'),
    'cloud-oldest': ('-r', 'tools/cloud-oldest-requirements.txt'),
    'ironic': ('-r', 'tools/ironic-requirements.txt'),
    'consumers': ('-r', 'tools/consumers-requirements.txt'),
    'peers': ('-r', 'tools/peers-requirements.txt'),
}
SOURCES = {
    'client': ('requirements.txt', 'test-requirements.txt', 'setup.cfg', 'setup.py',
               'pyproject.toml'),
    'plugin': ('requirements.txt', 'setup.cfg', 'setup.py', 'pyproject.toml',
               'osc_imgurl/**/*.py'),
    'bare': ('requirements.txt',),
    'cloud': ('tools/cloud-requirements.txt',),
    'cloud-oldest': ('tools/cloud-oldest-requirements.txt',),
    'ironic': ('tools/ironic-requirements.txt',),
    'consumers': ('tools/consumers-requirements.txt',),
    'peers': ('tools/ironic-requirements.txt', 'tools/peers-requirements.txt'),
}


def fingerprint(name):
    digest = hashlib.sha256(sys.version.encode())
    for pattern in SOURCES[name]:
        for source in sorted(ROOT.glob(pattern)):
            digest.update(source.read_bytes())
    return digest.hexdigest()


def ensure(name):
    """Return the folder of the environment, made or renewed where needed."""
    folder = ROOT / '.venvs' / name
    stamp = folder / 'made-from'
    folder.parent.mkdir(exist_ok=True)
    with open(folder.with_suffix('.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = fingerprint(name)
        if stamp.exists() and stamp.read_text() == wanted:
            return folder
        print(f'Installing the {name} environment ...', file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        python = folder / 'bin' / 'python'
        # uv does in seconds what takes pip minutes.
        subprocess.run([python, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', 'uv'],
                       check=True, stdout=sys.stderr)
        subprocess.run([python, '-m', 'uv', 'pip', 'install', '-q', '--compile-bytecode',
                        '--python', python, *ENVIRONMENTS[name]],
                       check=True, cwd=ROOT, stdout=sys.stderr)
        # What a build leaves in the checkout would be found in place of what is installed.
        for leftover in ('build', 'osc_imgurl.egg-info'):
            shutil.rmtree(ROOT / leftover, ignore_errors=True)
        stamp.write_text(wanted)
    return folder


if __name__ == '__main__':
    if sys.version_info < (3, 11):
        sys.exit('Python 3.11 or newer is needed; this is ' + sys.version.split()[0])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', choices=ENVIRONMENTS)
    print(ensure(parser.parse_args().name))
