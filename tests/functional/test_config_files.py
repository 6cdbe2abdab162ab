"""Which files may name a file to read, and the server that gets its content. No cloud is needed."""

import json
import socket
import subprocess

import pytest
import yaml

from ..unit.conftest import Server
from . import commands
from .silent import silent_server

pytest.importorskip('redis')

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
KEY = 'the signing key'
TOKEN = 'the vault token'
COMMAND = ['--os-auth-type', 'none', 'image', 'temp', 'url']
CREATE = ['create', IMAGE_ID, '--endpoint-url', 'http://127.0.0.1:1', '--account', 'AUTH_x',
          '--cache', '-f', 'value', '-c', 'url']
SETTINGS = ['settings', 'list', '-f', 'json']


@pytest.fixture
def home(tmp_path):
    """A home with the files of a user, and a folder of somebody else's."""
    for name, content in (('key', KEY), ('.vault-token', TOKEN)):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    (tmp_path / '.config/openstack').mkdir(parents=True)
    (tmp_path / 'theirs').mkdir()
    return tmp_path


@pytest.fixture
def redis():
    """A server that takes whatever is sent to it: its port, and its connections."""
    with silent_server() as (port, accepted):
        yield port, accepted


def entry(path, **settings):
    """Write the entry of a cloud into a file."""
    path.write_text(yaml.safe_dump({'clouds': {'mine': settings}}))


def run(home, *arguments, folder='theirs', true_process=False, **env):
    env = {**commands.ENVIRONMENT, 'HOME': str(home), 'OS_CLOUD': 'mine', **env}
    command, options = [*COMMAND, *arguments], {'cwd': home / folder, 'env': env}
    done = (subprocess.run([commands.OPENSTACK, *command], capture_output=True, text=True,
                           check=False, **options)
            if true_process else commands.run(command, **options))
    assert KEY not in done.stdout + done.stderr and TOKEN not in done.stdout + done.stderr
    return done


def refused(home, *arguments, **options):
    done = run(home, *arguments, **options)
    assert (done.returncode, done.stdout) == (1, '')
    line, = done.stderr.splitlines()
    assert 'is not accepted from' in line
    return line


def sources(home, **options):
    done = run(home, *SETTINGS, **options)
    assert (done.stderr, done.returncode) == ('', 0)
    return {row['setting']: row['source'] for row in json.loads(done.stdout)}


def stealing(home, port):
    return {'cache_enabled': True, 'cache_backend': 'dogpile.cache.redis',
            'cache_arguments': {'host': '127.0.0.1', 'port': port},
            'cache_password_file': str(home / '.vault-token')}


@pytest.mark.parametrize('place', ['server', 'file'])
def test_a_profile_sends_no_file_away(home, redis, place):
    """A vendor's profile, from its server or from a file of the current directory."""
    profile = {'image_temp_url': stealing(home, redis[0])}
    with Server() as vendor:
        vendor.plan = [(200, {'Content-Type': 'application/json'},
                        json.dumps({'name': 'vendor', 'profile': profile}).encode())] * 9
        entry(home / '.config/openstack/clouds.yaml',
              profile=vendor.url if place == 'server' else 'vendor')
        (home / 'theirs/clouds-public.yaml').write_text(
            yaml.safe_dump({'public-clouds': {'vendor': profile}}))
        done = run(home, *CREATE, '--key-file', str(home / 'key'), true_process=True)
        assert bool(vendor.requests) == (place == 'server')
    assert done.stdout.startswith('http://127.0.0.1:1/v1/AUTH_x/glance/')
    assert f'image_temp_url of the profile {vendor.url if place == "server" else "vendor"}' in (
        done.stderr)
    assert (done.returncode, redis[1]) == (0, [])


def test_a_profile_is_no_entry(home):
    entry(home / '.config/openstack/clouds.yaml', profile='vendor')
    (home / 'theirs/clouds-public.yaml').write_text(yaml.safe_dump({'public-clouds': {
        'vendor': {'image_temp_url': {'duration': '1h'}}}}))
    done = run(home, *SETTINGS)
    row, = (row for row in json.loads(done.stdout) if row['setting'] == 'duration')
    assert (row['value'], row['source']) == (1200, 'default')


@pytest.mark.parametrize('name', ['clouds.yaml', 'clouds.yml', 'clouds.json', 'secure.yaml'])
def test_the_current_directory_sends_no_file_away(home, redis, name):
    entry(home / '.config/openstack/clouds.yaml', image_temp_url={'key_file': str(home / 'key')})
    path = home / 'theirs' / name
    settings = {'image_temp_url': stealing(home, redis[0])}
    path.write_text(json.dumps({'clouds': {'mine': settings}}))
    line = refused(home, *CREATE, true_process=True)
    assert str(path) in line and 'OS_CLIENT_CONFIG_FILE' in line
    assert redis[1] == []


@pytest.mark.parametrize(('setting', 'store'), [
    ('key_file', False), ('key_file', True), ('cache_password_file', False)])
def test_no_oracle(home, setting, store):
    """What is said does not depend on the file that is named."""
    lines = set()
    (home / 'bad').write_bytes(b'\0')
    for file in ('key', 'bad', 'missing', '.config'):
        given = {setting: str(home / file)}
        entry(home / 'theirs/clouds.yaml',
              image_temp_url={'stores': {'west': given}} if store else given)
        lines.add(refused(home, *SETTINGS))
    line, = lines
    where = f'image_temp_url.{"stores.west." if store else ""}{setting} in clouds.yaml'
    assert where in line


@pytest.mark.parametrize(('setting', 'value'), [
    ('cache_backend', 'dogpile.cache.redis'), ('cache_arguments', {'host': '127.0.0.1'})])
def test_the_server_that_gets_the_content(home, setting, value):
    """The user says which password, and the current directory to which server it goes."""
    entry(home / 'theirs/clouds.yaml', image_temp_url={setting: value})
    line = refused(home, *CREATE, OSC_IMGURL_CACHE_PASSWORD_FILE=str(home / '.vault-token'))
    assert f'image_temp_url.{setting} in clouds.yaml' in line


def test_what_else_the_current_directory_may_say(home):
    entry(home / 'theirs/clouds.yaml', image_temp_url={
        'container': 'images', 'key_file': str(home / 'missing')})
    given = sources(home, OSC_IMGURL_KEY_FILE=str(home / 'key'))
    assert given['container'] == 'image_temp_url.container in clouds.yaml'
    assert given['key'] == 'OSC_IMGURL_KEY_FILE'
    assert run(home, *CREATE, '--key-file', str(home / 'key')).returncode == 0


@pytest.mark.parametrize(('file', 'folder', 'env'), [
    ('.config/openstack/clouds.yaml', 'theirs', {}),
    ('.config/openstack/secure.yaml', 'theirs', {}),
    ('.config/openstack/clouds.yaml', '.config/openstack', {}),
    ('.config/openstack/clouds.yaml', 'linked', {}),
    ('.config/openstack/clouds.yaml', 'real', {}),
    ('xdg/openstack/clouds.yaml', 'theirs', {'XDG_CONFIG_HOME': '{home}/xdg'}),
    ('xdg/openstack/clouds.yaml', 'theirs', {'XDG_CONFIG_DIRS': '{home}/xdg'}),
    ('theirs/clouds.yaml', 'theirs', {'OS_CLIENT_CONFIG_FILE': 'clouds.yaml'}),
    ('theirs/x', 'theirs', {'OS_CLIENT_CONFIG_FILE': '{home}/theirs/x'}),
    ('theirs/secure.yaml', 'theirs', {'OS_CLIENT_SECURE_FILE': 'secure.yaml'}),
])
def test_files_that_count(home, file, folder, env):
    (home / 'linked').symlink_to(home / '.config/openstack')
    if folder == 'real':
        (home / '.config').rename(home / 'real')
        (home / '.config').symlink_to(home / 'real')
        folder = 'real/openstack'
    (home / file).parent.mkdir(parents=True, exist_ok=True)
    entry(home / file, image_temp_url={'key_file': str(home / 'key')})
    if file.endswith('secure.yaml'):
        entry(home / '.config/openstack/clouds.yaml', region_name='x')
    given = sources(home, folder=folder,
                    **{name: value.format(home=home) for name, value in env.items()})
    assert given['key'] == 'image_temp_url.key_file in clouds.yaml'


def test_settings_in_the_order_of_their_values(home):
    """Numbers, texts, nothing."""
    done = run(home, *SETTINGS, '--sort-column', 'value', OS_CLOUD='', true_process=True)
    assert (done.returncode, done.stderr) == (0, '')
    values = [row['value'] for row in json.loads(done.stdout)]
    kinds = [2 if value is None else isinstance(value, str) for value in values]
    assert len(values) > 20 and set(kinds) == {False, True, 2} and kinds == sorted(kinds)
    numbers, texts = ([value for value, each in zip(values, kinds, strict=True) if each is kind]
                      for kind in (False, True))
    assert (numbers, texts) == (sorted(numbers), sorted(texts))


def test_a_file_that_is_named_and_missing(home):
    """openstacksdk reads the next one then."""
    entry(home / 'theirs/clouds.yaml', image_temp_url={'key_file': str(home / 'key')})
    refused(home, *SETTINGS, OS_CLIENT_CONFIG_FILE=str(home / 'missing.yaml'))


def test_settings_of_a_region(home):
    entry(home / '.config/openstack/clouds.yaml', image_temp_url={'container': 'common'}, regions=[
        'east', {'name': 'west', 'values': {'image-temp-url': {'key_file': str(home / 'key')}}}])
    assert sources(home, OS_REGION_NAME='west')['key'] == (
        'image_temp_url.key_file in clouds.yaml')
    assert sources(home, OS_REGION_NAME='east')['container'] == (
        'image_temp_url.container in clouds.yaml')


def test_no_other_source_of_a_config_file(home):
    """Neither the environment nor a server that the file names; that gets no connection."""
    with socket.create_server(('127.0.0.1', 0)) as listening:
        listening.setblocking(False)
        uri = f'http://127.0.0.1:{listening.getsockname()[1]}/'
        (home / 'ironic.conf').write_text(
            '[DEFAULT]\nconfig_source = remote\n[remote]\ndriver = remote_file\n'
            f'uri = {uri}\n[glance]\nswift_container = images\nswift_temp_url_key = {KEY}\n')
        (home / 'ironic.conf').chmod(0o600)
        arguments = [*CREATE, '--config-file', str(home / 'ironic.conf')]
        made = run(home, *arguments, true_process=True, OS_CLOUD='')
        altered = run(home, *arguments, OS_CLOUD='', OS_GLANCE__SWIFT_TEMP_URL_KEY='another',
                      OS_GLANCE__SWIFT_CONTAINER='other', OS_DEFAULT__CONFIG_SOURCE='remote')
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert (made.returncode, made.stderr) == (0, '')
    assert '/images/' in made.stdout and altered.stdout == made.stdout
