"""openstack image temp url create, on a single-tenant store with one container."""

import datetime
import hashlib
import json
import os
import pty
import re
import sqlite3
import termios
import time

import pytest
import requests
import yaml

from . import commands
from .conftest import download

FACTS = ('size', 'virtual_size', 'disk_format', 'container_format', 'checksum', 'os_hash_algo',
         'os_hash_value')


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud()
    cloud.set_key('the account key')
    return cloud


def test_row_of_an_image_by_name(cloud, image, data):
    before = time.time()
    row = cloud.create('cirros')
    assert list(row) == ['url', 'expires_at', 'expires', 'method', 'digest', 'image_id',
                         'image_name', 'endpoint', 'account', 'container', 'object', 'copied',
                         'link', 'cached', *FACTS]
    storage_url = cloud.sdk().object_store.get_endpoint()
    assert f'{row["endpoint"]}/v1/{row["account"]}' == storage_url
    assert (row['image_id'], row['object'], row['image_name']) == (image, image, 'cirros')
    assert (row['method'], row['digest'], row['container']) == ('GET', 'sha256', 'glance')
    expires = datetime.datetime.fromisoformat(row['expires_at']).timestamp()
    assert before - 1 <= expires - 1200 <= time.time()
    assert f'temp_url_expires={row["expires"]}' in row['url']
    assert row['expires'] == expires
    assert download(row['url']) == data
    assert {name: row[name] for name in FACTS} == {
        'size': len(data), 'virtual_size': row['virtual_size'], 'disk_format': 'raw',
        'container_format': 'bare', 'checksum': hashlib.md5(data).hexdigest(),  # noqa: S324
        'os_hash_algo': 'sha512', 'os_hash_value': hashlib.sha512(data).hexdigest()}


@pytest.mark.parametrize(('columns', 'heads'), [
    ([], ['Field', 'expires_at', 'expires']), (['-c', 'url'], []),
    (['-c', 'url', '-c', 'method'], ['Field', 'method'])])
def test_the_url_has_a_line_of_its_own_on_a_terminal(cloud, image, data, columns, heads):
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    process = commands.start(
        ['image', 'temp', 'url', 'create', image, *columns], stdout=terminal, cwd=cloud.home,
        env={**commands.ENVIRONMENT, 'OS_CLOUD': 'glance',
             'OS_CLIENT_CONFIG_FILE': str(cloud.folder / 'clouds.yaml')})
    os.close(terminal)
    assert process.stderr.read() == ''
    process.communicate()
    *table, url = os.read(controller, 10_000).decode().splitlines()
    os.close(controller)
    assert [line.split()[1] for line in table if line[0] == '|'][:3] == heads
    assert all(len(line) <= 80 and 'temp_url_sig' not in line for line in table)
    assert download(url) == data


def test_how_much_is_asked_for_a_url(cloud, image):
    result = cloud.openstack('--debug', 'image', 'temp', 'url', 'create', image)
    asked = re.findall(r'^https?://(\S+) "([A-Z]+ \S+)', result.text, re.MULTILINE)
    account = cloud.sdk().object_store.get_endpoint().rpartition('/')[2]
    swift, *_ = (server for server, each in asked if f'/{account}' in each)
    assert sorted(each.partition('?')[0] for _, each in asked) == [
        'GET /info', f'GET /v2/images/{image}', 'GET /v3', f'HEAD /v1/{account}',
        f'HEAD /v1/{account}/glance', f'HEAD /v1/{account}/glance/{image}',
        'POST /v3/auth/tokens']
    # The URL is tried on a connection that is open.
    assert len(re.findall(rf'Starting new HTTP connection \(\d+\): {swift}', result.text)) <= 3


@pytest.mark.parametrize('reference', ['{}', 'glance://anywhere/{}', 'glance://{}'])
def test_image_by_id_and_href(cloud, image, data, reference):
    assert download(cloud.create(reference.format(image))['url']) == data


def test_key_file_and_standard_input(cloud, image, data, key_file):
    for key, options in (('the account key\n', {}), ('', {'stdin': 'the account key\n'})):
        file = key_file(key) if key else '-'
        assert download(cloud.create(image, '--key-file', file, **options)['url']) == data


def test_a_readable_key_file_costs_a_warning(cloud, image, data, key_file):
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '-f', 'value', '-c', 'url',
                             '--key-file', key_file('the account key', 0o644))
    assert download(result.stdout.strip()) == data
    assert 'Other users can read the key file' in result.stderr


@pytest.mark.parametrize('text', [' the account key', 'the account key \n', 'the account key\t',
                                  'the account\nkey', 'the account key\x1b'])
def test_a_key_that_swift_does_not_keep_is_refused(cloud, image, key_file, text):
    cloud.secrets.append('the account\nkey')
    path = key_file(text)
    for debug in ([], ['--debug']):
        result = cloud.openstack('image', 'temp', 'url', 'create', image, '--key-file', path,
                                 *debug)
        assert result.code == 1 and f'Invalid key (in {path}): it has a ' in result.stderr
    assert '(on standard input): it has a ' in cloud.refused(image, '--key-file', '-', stdin=text)


def test_a_readable_config_file_with_a_key_costs_a_warning(cloud, image, data, tmp_path):
    config = tmp_path / 'ironic.conf'
    config.write_text('[glance]\nswift_temp_url_key = the account key\n')
    config.chmod(0o644)
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '-f', 'value', '-c', 'url',
                             '--config-file', str(config))
    assert download(result.stdout.strip()) == data
    assert f'Other users can read the config file {config}' in result.stderr


def test_told_values_are_not_looked_up(cloud, image, key_file):
    account = cloud.create(image)['account']
    log = cloud.openstack('--debug', 'image', 'temp', 'url', 'create', image, '--account',
                          account, '--key-file', key_file('the account key')).stderr
    assert 'Swift request: HEAD' not in log
    assert log.count('Glance request: ') == 1


def test_no_request_without_authentication(cloud, image, data, key_file):
    """Everything is told and nobody is asked."""
    row = cloud.create(image)
    told = [image, '--os-auth-type', 'none', '--endpoint-url', row['endpoint'] + '/',
            '--account', row['account'], '--key-file', key_file('the account key')]
    result = cloud.openstack('--debug', 'image', 'temp', 'url', 'create', *told, '-f', 'json',
                             '--filename', 'auto', cloud=None)
    row = json.loads(result.stdout)
    assert 'HTTP connection' not in result.stderr and 'request: ' not in result.stderr
    assert (row['digest'], row['image_name']) == ('sha256', None)
    assert {row[name] for name in FACTS} == {None}
    assert f'&filename={image}' in row['url']
    assert download(row['url']) == data
    for option, wanted in (('--endpoint-url', 'Give it (--endpoint-url).'),
                           ('--account', 'Give it (--account).'),
                           ('--key-file', 'Give it (--key-file).')):
        at = told.index(option)
        line = cloud.refused(*told[:at], *told[at + 2:], cloud=None)
        assert wanted in line
    assert 'use the image\'s ID' in cloud.refused('cirros', *told[1:], cloud=None)


def test_settings_from_environment_clouds_yaml_and_config_file(cloud, image, tmp_path, key_file):
    def lifetime(*options, **kwargs):
        before = time.time()
        row = cloud.create(image, *options, **kwargs)
        left = datetime.datetime.fromisoformat(row['expires_at']).timestamp() - before
        return round(left / 3600)

    config = tmp_path / 'ironic.conf'
    config.write_text('[glance]\nswift_temp_url_duration = 7200\n'
                      'swift_temp_url_key = the account key\n')
    clouds = tmp_path / 'clouds.yaml'
    clouds.write_text((cloud.folder / 'clouds.yaml').read_text().replace(
        '  glance:\n', '  glance:\n    image_temp_url:\n      duration: 3h\n'))
    from_clouds_yaml = {'OS_CLIENT_CONFIG_FILE': str(clouds)}
    from_environment = {**from_clouds_yaml, 'OSC_IMGURL_DURATION': '4h'}
    file = ('--config-file', str(config))
    assert lifetime(*file) == 2
    assert lifetime(*file, env=from_clouds_yaml) == 3
    assert lifetime(*file, env=from_environment) == 4
    assert lifetime(*file, '--duration', '5h', env=from_environment) == 5


def test_a_variable_breaks_no_command_of_others(cloud, image, tmp_path):
    """openstacksdk makes a cloud of OS_* variables, which counts where nobody names another."""
    clouds = yaml.safe_load((cloud.folder / 'clouds.yaml').read_text())['clouds']
    (tmp_path / 'clouds.yaml').write_text(
        yaml.safe_dump({'clouds': {'glance': clouds['glance']}}))
    one = {'OS_CLIENT_CONFIG_FILE': str(tmp_path / 'clouds.yaml')}
    show = ['image', 'show', image, '-f', 'value', '-c', 'id']

    def run(command, **env):
        return cloud.openstack(*command, cloud=None, true_process=True, env={**one, **env})

    assert run(show, OS_IMAGE_TEMP_URL_DURATION='4h').code == 1
    shown = run(show, OSC_IMGURL_DURATION='4h')
    assert (shown.code, shown.stdout, shown.stderr) == (0, f'{image}\n', '')
    line = cloud.refused(image, env={'OS_IMAGE_TEMP_URL_DURATION': '4h'})
    assert 'set OSC_IMGURL_DURATION instead' in line
    assert 'OSC_IMGURL_DURATION' not in run(['--debug', *show], OSC_IMGURL_DURATION='4h').text


def test_the_commands_are_there_whatever_version_of_glance_is_asked_for(cloud, image, data):
    for version in ('1', '2', '2.16'):
        row = cloud.create(image, env={'OS_IMAGE_API_VERSION': version})
        assert download(row['url']) == data


def test_a_raw_key_is_refused_where_it_would_be_printed(cloud, image, tmp_path):
    line = cloud.refused(image, env={'OSC_IMGURL_KEY': 'not looked at'})
    assert 'OpenStackClient prints' in line and '--key-file' in line
    clouds = tmp_path / 'clouds.yaml'
    clouds.write_text((cloud.folder / 'clouds.yaml').read_text().replace(
        '  glance:\n', '  glance:\n    image_temp_url:\n      key: not looked at\n'))
    line = cloud.refused(image, env={'OS_CLIENT_CONFIG_FILE': str(clouds)})
    assert 'OpenStackClient prints' in line and 'clouds.yaml' in line


@pytest.mark.parametrize(('options', 'wanted'), [
    (['--duration', '0'], "Invalid duration '0' (--duration)"),
    (['--duration=-5'], "Invalid duration '-5' (--duration)"),
    (['--duration', 'soon'], "Invalid duration 'soon' (--duration)"),
    (['--duration', '60', '--expected-download-start-delay', '61'],
     'shorter than the expected download start delay (61 s)'),
    (['--expires-at', '2020-01-01T00:00:00Z'], 'is in the past'),
    (['--expires-at', 'tomorrow'], 'Give a time such as 2030-01-31T18:00:00Z (--expires-at).'),
    (['--expires-at', '99999999999999'], 'lies beyond the year 9999. Give a time such as'),
    (['--multiple-containers-seed=-1'], 'expected an integer from 0 to 32'),
    (['--multiple-containers-seed', '33'], 'expected an integer from 0 to 32'),
    (['--multiple-containers-seed', 'x'], 'expected an integer from 0 to 32'),
    (['--endpoint-type', 'radosgw', '--endpoint-url', 'http://127.0.0.1:1/other'],
     'it must be /swift or empty'),
    (['--endpoint-type', 'ceph'], 'expected one of swift, radosgw'),
    (['--endpoint-url', 'swift.example.com'], 'expected a URL such as'),
    (['--digest', 'md5'], 'expected one of sha1, sha256, sha512'),
    (['--method', 'PATCH'], 'use one of GET, HEAD, PUT, POST, DELETE'),
    (['--ip-range', 'here'], "The IP range 'here' is invalid"),
    (['--ip-range', '10.1.2.3/8'], 'has host bits set'),
    (['--key-file', '/nonexistent/key'], 'cannot be read: No such file or directory'),
    (['--key-file', '/'], 'cannot be read: Is a directory'),
    (['--key-file', '/dev/null'], 'it is empty'),
    (['--config-file', '/nonexistent.conf'], 'does not exist'),
])
def test_bad_options(cloud, image, options, wanted):
    assert wanted in cloud.refused(image, *options)


def test_traceback_with_debug_only(cloud, image):
    command = ['image', 'temp', 'url', 'create', image, '--digest', 'md5']
    result = cloud.openstack('--debug', *command)
    assert result.code == 1
    assert 'Traceback' in result.stderr and 'InvalidParameterValue' in result.stderr


def test_images_that_have_no_url(cloud, data):
    queued = cloud.upload('queued')
    assert 'is queued' in cloud.refused('queued')
    saving = cloud.upload('saving')
    # Glance has one thread here and would answer nothing while an upload is under way.
    with sqlite3.connect(cloud.folder / 'glance/glance.db', timeout=30) as database:
        database.execute('UPDATE images SET status = ? WHERE id = ?', ('saving', saving))
    assert 'is saving' in cloud.refused(saving)
    deactivated = cloud.upload('deactivated', data)
    cloud.sdk().image.deactivate_image(deactivated)
    line = cloud.refused(deactivated)
    assert line.startswith(f'Image deactivated ({deactivated}) is deactivated')
    assert '--activate' in line
    cloud.sdk().image.delete_image(queued)
    assert 'No image has the ID' in cloud.refused(queued)
    assert 'No image has the name' in cloud.refused('nobody has this name')
    assert 'No image has the ID' in cloud.refused('3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5')
    assert 'has no image ID' in cloud.refused('glance://host/cirros')


def test_a_name_that_two_images_have(cloud, data):
    ids = {cloud.upload('twins', data) for _ in range(2)}
    line = cloud.refused('twins')
    assert '2 images have the name' in line
    assert all(image_id in line for image_id in ids)


@pytest.mark.parametrize('name', [
    'two words', '"quoted"', "it's", '100%', '%41', 'why?', '#1', 'ünïcödé', 'a&b=c', 'a/b',
    'in:a,b', 'ubuntu:22.04', 'eq:a/b', 'in:"a"', '2026-01-01T00:00:00Z'])
def test_difficult_names(cloud, data, name):
    image_id = cloud.upload(name, data)
    row = cloud.create(name)
    assert (row['image_id'], row['image_name']) == (image_id, name)


def test_a_private_image_of_others_is_not_found(cloud, data):
    image_id = cloud.upload('private', data, cloud='admin', visibility='private')
    assert 'may not see it' in cloud.refused(image_id, cloud='demo')


def test_credentials_that_may_not_read_the_keys(cloud, image):
    account = cloud.create(image)['account']
    for user in ('demo', 'admin'):
        line = cloud.refused(image, '--account', account, cloud=user)
        assert f'The keys of account {account} are shown to its owner only' in line
        assert '--key-file' in line
    line = cloud.refused(image, cloud='demo')
    assert 'There is no container glance in account' in line


def test_others_can_sign_with_a_told_account_and_key(cloud, image, data, key_file):
    account = cloud.create(image)['account']
    url = cloud.create(image, '--account', account, '--key-file', key_file('the account key'),
                       cloud='demo')['url']
    assert download(url) == data


def test_an_image_that_is_not_in_swift(cloud, data):
    image_id = cloud.upload('in files', data, store='file1')
    line = cloud.refused('in files')
    assert f'({image_id}) is not in Swift but in file (store file1)' in line
    assert 'image save' in line
    row = cloud.rows('image', 'location', 'show', 'in files')
    assert (row['scheme'], row['container'], row['stores']) == ('file', None, ['file1'])
    assert row['direct_read_allowed'] is False
    clouds_yaml = {'OSC_IMGURL_ALLOWED_DIRECT_URL_SCHEMES': 'http,file'}
    row = cloud.rows('image', 'location', 'show', 'in files', env=clouds_yaml)
    assert row['direct_read_allowed'] is True


def test_the_location_counts_and_a_warning_says_so(cloud, image, data):
    command = ['image', 'temp', 'url', 'create', image, '-f', 'value', '-c', 'url']
    result = cloud.openstack(*command, env={'OSC_IMGURL_CONTAINER': 'elsewhere'})
    assert download(result.stdout.strip()) == data
    assert 'The image lies in container glance by its own location' in result.stderr
    result = cloud.openstack(*command, '--container', 'glance', '--multiple-containers-seed', '0')
    assert result.stderr == ''


def test_location_show(cloud, image):
    row = cloud.rows('image', 'location', 'show', 'cirros', cloud='demo')
    url = f'swift+config://ref1/glance/{image}'
    endpoint = f'http://127.0.0.1:{cloud.ports["proxy"]}'
    assert row == {
        'image_id': image, 'image_name': 'cirros', 'status': 'active', 'stores': ['swift1'],
        'source': 'locations', 'direct_url': url, 'locations': [url], 'trusted': url,
        'targets': [f'swift1: {endpoint}/v1/{row["account"]}/glance/{image}'],
        'untrusted': [], 'scheme': 'swift+config',
        'account': row['account'], 'container': 'glance', 'object': image,
        'container_by_rule': 'glance', 'container_agrees': True, 'direct_read_allowed': False}
    row = cloud.rows('image', 'location', 'show', image, '--multiple-containers-seed', '3')
    assert row['container_by_rule'] == f'glance_{image[:3]}'
    assert row['container_agrees'] is False
    assert row['container'] == 'glance'


def test_location_show_of_a_queued_image(cloud):
    image_id = cloud.upload('without data')
    row = cloud.rows('image', 'location', 'show', 'without data')
    assert (row['status'], row['source'], row['scheme']) == ('queued', 'settings', None)
    assert (row['locations'], row['container'], row['object']) == ([], 'glance', image_id)


def test_the_shell_formatters_own_prefix(cloud, image):
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '-f', 'shell', '--prefix',
                             'my_', '--variable', 'container', '--variable', 'size')
    assert (result.stdout, result.stderr) == ('my_container=glance\nmy_size=300000\n', '')


@pytest.mark.parametrize(('method', 'can'), [
    ('PUT', 'replace'), ('POST', 'change the metadata of, and so remove,'), ('DELETE', 'remove')])
def test_what_a_url_for_another_method_allows(cloud, image, method, can):
    result = cloud.openstack('image', 'temp', 'url', 'create', image, '--method', method,
                             '--no-check', '-f', 'value', '-c', 'method')
    assert (result.code, result.stdout) == (0, f'{method}\n')
    assert result.stderr == f'Anyone with this URL can {can} the object until it expires\n'


def test_a_file_name_that_comes_from_the_image(cloud, data):
    image_id = cloud.upload('../a "b"\nü', data)
    answer = requests.get(cloud.create(image_id, '--filename', 'auto')['url'], timeout=30)
    assert answer.content == data
    assert answer.headers['Content-Disposition'].endswith(
        "filename*=UTF-8''_._a%20_b__%C3%BC.raw")


def test_formats(cloud, image):
    command = ['image', 'temp', 'url', 'create', image, '-c', 'container', '-c', 'object']
    wanted = {
        'json': f'{{\n  "container": "glance",\n  "object": "{image}"\n}}',
        'yaml': f'container: glance\nobject: {image}\n',
        'value': f'glance\n{image}\n',
        'shell': f'container=glance\nobject={image}\n',
    }
    for name, text in wanted.items():
        result = cloud.openstack(*command, '-f', name)
        assert (result.code, result.stdout.strip()) == (0, text.strip())
    assert f'| object    | {image} |' in cloud.openstack(*command).stdout


@pytest.mark.parametrize(('command', 'example'), [
    (['image', 'temp', 'url', 'create'],
     'printf \'url = "%s"\\n\' "$url" | curl -fo cirros.img -K -'),
    (['image', 'location', 'show'],
     'openstack image location show cirros -c scheme -c container -c object'),
])
def test_help(cloud, command, example):
    result = cloud.openstack(*command, '--help')
    assert result.code == 0
    # An example stands in lines of its own, to be copied.
    assert example in [line.partition('Example: ')[2] or line
                       for line in result.stdout.splitlines()]
    text = ' '.join(result.stdout.split())
    assert '<image>' in text and '--multiple-containers-seed <n>' in text


def test_no_secret_in_debug_output(cloud, image):
    """Cloud.openstack asserts it; this sees to it that there was something to be printed."""
    for command in (['image', 'temp', 'url', 'create'], ['image', 'location', 'show']):
        result = cloud.openstack('--debug', *command, image)
        assert result.code == 0
        assert 'Glance request: GET' in result.stderr
