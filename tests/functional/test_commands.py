"""A command that runs in the tests' process does and prints the same as in one of its own."""

import json
import locale
import logging
import os
import pathlib
import subprocess
import sys
import time
import warnings

import pytest

from . import commands

KEY = 'a key'
URL = ('https://swift.example.com/v1/AUTH_x/glance/3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
       '?temp_url_sig=5a1f6de093c44b44bf4f9a3b3aa2c6c55a1f6de093c44b44bf4f9a3b3aa2c6c5'
       '&temp_url_expires=1000000000')
SHOW = ['image', 'temp', 'url', 'show', '-f', 'json', '-c', 'account', '-c', 'signature']
CLOUDS = 'clouds: {%s: {auth_type: none, endpoint: "http://127.0.0.1:1", region_name: %s}}'
SHOW_CLOUD = ['configuration', 'show', '-f', 'json']


@pytest.fixture
def both(tmp_path):
    """Return a function that runs a command in both ways, and what it does in each."""
    (tmp_path / 'key').write_text(KEY)
    (tmp_path / 'key').chmod(0o600)

    def run(*arguments, stdin='', **env):
        env = {**commands.ENVIRONMENT, 'HOME': str(tmp_path), **env}
        true = subprocess.run([commands.OPENSTACK, *arguments], input=stdin, capture_output=True,
                              text=True, check=False, cwd=tmp_path, env=env)
        here = commands.run(arguments, stdin=stdin, cwd=tmp_path, env=env)
        return [(done.returncode, done.stdout, done.stderr) for done in (true, here)]

    return run


@pytest.mark.parametrize(('command', 'code', 'stdin'), [
    ([*SHOW, '-', '--key-file', 'key'], 0, URL),
    ([*SHOW, 'cirros'], 1, ''),
    (['--debug', *SHOW, URL, '--key-file', 'key'], 0, ''),
    ([*SHOW, '--no-such-option'], 2, ''),
    (['image', 'temp', 'url', 'create', '--help'], 0, ''),
])
def test_the_same_output(both, command, code, stdin):
    true, here = both(*command, stdin=stdin)
    assert true[0] == code and true[1] + true[2]
    if command[0] == '--debug':
        # OpenStackClient prints its options in the order of a set, another in each interpreter.
        true, here = ((*done[:2], [sorted(line.split(' ')) for line in done[2].splitlines()])
                      for done in (true, here))
    assert here == true


def test_the_same_clouds_yaml_is_found(both, tmp_path):
    """In the user's folder and in the working directory."""
    user = tmp_path / '.config/openstack'
    user.mkdir(parents=True)
    (user / 'clouds.yaml').write_text(CLOUDS % ('mine', 'here'))
    true, here = both(*SHOW_CLOUD, OS_CLOUD='mine')
    assert here == true and json.loads(true[1])['region_name'] == 'here'
    (tmp_path / 'clouds.yaml').write_text(CLOUDS % ('mine', 'nearer'))
    true, here = both(*SHOW_CLOUD, OS_CLOUD='mine')
    assert here == true and json.loads(true[1])['region_name'] == 'nearer'


def test_nothing_of_a_command_is_left(tmp_path):
    def state():
        return (pathlib.Path.cwd(), dict(os.environ), locale.setlocale(locale.LC_ALL), sys.argv[:],
                time.tzname, sys.stdin, sys.stdout, sys.stderr, warnings.filters[:],
                logging.root.level, logging.root.handlers[:],
                {name: (log.level, log.filters[:], log.handlers[:], log.disabled)
                 for name, log in logging.root.manager.loggerDict.items()
                 if isinstance(log, logging.Logger)})

    def run(*options):
        commands.run([*options, *SHOW, 'cirros'], cwd=tmp_path, env={
            **commands.ENVIRONMENT, 'HOME': str(tmp_path), 'TZ': 'Asia/Tokyo'})

    # What it imports stays.
    run()
    before = state()
    for options in ([], ['--debug'], ['--log-file', 'log'], ['--quiet']):
        run(*options)
        assert state() == before


def test_each_command_is_its_own_users(cloud, image):
    others = cloud.upload('private', b'x', cloud='admin', visibility='private')
    for user, sees in (('demo', False), ('admin', True), ('demo', False)):
        found = cloud.rows('image', 'list', cloud=user)
        assert (others in [row['ID'] for row in found]) == sees
