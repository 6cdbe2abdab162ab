"""What attacker write does nothing to a terminal, a log or a shell, and is exact where it can be.

Names of images, containers and objects, a server's headers and its error bodies.
"""

import contextlib
import csv
import io
import json
import subprocess
import time
import urllib.parse

import pytest
import yaml

from osc_imgurl.tempurl.signing import Key, Parameters, sign
from osc_imgurl.tempurl.url import ObjectPath

from .proxy import proxy

CREATE = ['image', 'temp', 'url', 'create']
LIST = ['image', 'temp', 'url', 'list']
CHECK = ['image', 'temp', 'url', 'check']
KEY = 'the account key of what is printed'
NAME = ('-n $(touch stolen)`touch stolen` ${HOME} \\ \\\\ \\$(touch stolen) "double" \'single\''
        ' \'"\'"\'$(touch stolen) !! * ~ # ; touch stolen & blåbær \x1b[31m\x1b]0;title\x07'
        ' \x9b2J \u202egpj\u2028 tab\tend\nsecond line\n')
SHOWN = (r'''-n $(touch stolen)`touch stolen` ${HOME} \ \\ \$(touch stolen) "double" 'single' '''
         r"""'"'"'$(touch stolen) !! * ~ # ; touch stolen & blåbær \x1b[31m\x1b]0;title\x07 """
         r"""\x9b2J \u202egpj\u2028 tab\tend\nsecond line\n""")


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud()
    cloud.set_key(KEY)
    return cloud


@pytest.fixture(scope='module')
def image(cloud, data):
    return cloud.upload(NAME, data)


@pytest.fixture
def glance(cloud):
    """A proxy in front of Glance, and the environment of a user who goes through it."""
    with proxy(cloud.sdk().image.get_endpoint().rpartition('/v2')[0]) as server:
        yield server, cloud.config(image_endpoint_override=server.url)


def harmless(text):
    """Say whether a text has no character but newlines that a terminal would not just show."""
    return all(line.isprintable() for line in text.split('\n'))


def test_a_name_in_tables_and_lines(cloud, image):
    for command in ([*CREATE, image], [*LIST, image], ['image', 'location', 'show', image]):
        result = cloud.openstack(*command)
        assert (result.code, result.stderr) == (0, '')
        assert harmless(result.stdout) and f' {SHOWN} ' in result.stdout
        result = cloud.openstack(*command, '-f', 'value', '-c', 'image_name')
        assert result.stdout == SHOWN + '\n'


@pytest.mark.parametrize('env', [
    {'PYTHONIOENCODING': 'ascii'}, {'PYTHONIOENCODING': 'latin-1'},
    {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}], ids=str)
def test_a_name_that_the_encoding_does_not_have(cloud, data, tmp_path, env):
    """A true process: the encoding is chosen when Python starts."""
    image = cloud.upload('snow ☃ and 雪', data)
    shown = r'snow \u2603 and \u96ea'
    for command in ([*CREATE, image], [*LIST, image], [*LIST, image, '-f', 'csv'],
                    [*CREATE, image, '-f', 'shell'], [*LIST, image, '-f', 'value', '--long']):
        result = cloud.openstack(*command, env=env, true_process=True)
        assert (result.code, result.stderr) == (0, '') and shown in result.stdout
    for consumer in ('curl', 'metalink'):
        result = cloud.openstack('image', 'temp', 'url', 'export', image, '--for', consumer,
                                 env=env, true_process=True)
        assert (result.code, result.stderr) == (0, '')
    log = tmp_path / 'log'
    result = cloud.openstack('--log-file', str(log), *LIST, image, 'no 雪', '-f', 'value', env=env,
                             true_process=True)
    assert result.code == 1 and image in result.stdout and 'Logging error' not in result.stderr
    assert "No image has the name 'no " in log.read_text()


def test_a_name_is_exact_in_what_machines_read(cloud, image):
    read = {'json': json.loads, 'yaml': yaml.safe_load,
            'csv': lambda text: list(csv.DictReader(io.StringIO(text), escapechar='\\'))}
    for formatter, load in read.items():
        row, = load(cloud.openstack(*LIST, image, '-f', formatter).stdout)
        assert row['image_name'] == NAME
    assert cloud.create(image)['image_name'] == NAME


@pytest.mark.parametrize('shell', ['dash', 'bash'])
def test_a_name_is_exact_in_a_shell(cloud, image, tmp_path, shell):
    url = cloud.create(image)['url']
    for command in ([*CREATE, image], ['image', 'location', 'show', image],
                    ['image', 'temp', 'url', 'show', url]):
        wanted = cloud.rows(*command)
        output = cloud.openstack(*command, '-f', 'shell').stdout
        values = ' '.join(f'"${name}"' for name in wanted)
        done = subprocess.run(
            [shell, '-euc', f'eval "$1"; printf "%s\\0" {values}', shell, output],
            capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (done.stderr, done.returncode) == ('', 0)
        read = dict(zip(wanted, done.stdout.split('\0'), strict=False))
        for column in ('url', 'expires_at', 'expires', 'remaining', 'remaining_seconds',
                       'signature'):
            # These change with the moment.
            assert (read.pop(column, None) is None) == (wanted.pop(column, None) is None)
        assert read == {name: '' if value is None else str(value)
                        for name, value in wanted.items()}
        assert list(tmp_path.iterdir()) == []


def test_variables_of_a_shell(cloud, image):
    result = cloud.openstack(
        'image', 'location', 'show', image, '-f', 'shell', '--prefix', 'my_', '--variable',
        'container', '--variable', 'account')
    account = cloud.create(image)['account']
    assert result.stdout == f'my_account={account}\nmy_container=glance\n'


def test_names_of_container_and_object(cloud):
    name = '\x1b[2J\u202e\n"\'$(id)'
    store = cloud.sdk().object_store
    storage_url = store.get_endpoint()
    quoted = urllib.parse.quote(name)
    for path in (quoted, f'{quoted}/{quoted}'):
        assert store.put(f'/{path}', data=b'x').status_code in (201, 202)
    endpoint, _, account = storage_url.partition('/v1/')
    url = sign(Parameters(endpoint, ObjectPath(account, name, name), int(time.time()) + 600),
               Key(KEY.encode())).url
    result = cloud.openstack(*CHECK, url)
    assert result.code == 0 and harmless(result.text)
    assert r'''the object is in \x1b[2J\u202e\n"'$(id) ''' in result.stdout
    result = cloud.openstack('image', 'temp', 'url', 'show', url)
    assert harmless(result.text) and r'\x1b[2J\u202e\n' in result.stdout
    result = cloud.openstack(*CHECK, url.replace('?', '-?'))
    assert result.code == 1 and harmless(result.text)


def test_names_in_messages(cloud, image, data):
    queued = cloud.upload(f'queued {NAME}')
    result = cloud.openstack(*CREATE, image, '--container', NAME)
    assert (result.stdout, result.code, harmless(result.stderr)) == ('', 1, True)
    warning, error = result.stderr.splitlines()
    assert SHOWN in warning and f'There is no container {SHOWN} in account' in error
    line = cloud.refused(f'none {NAME}')
    assert harmless(line)
    result = cloud.openstack(*LIST, f'none {NAME}', f'queued {NAME}', image, '-f', 'value', '-c',
                             'image_id')
    assert (result.stdout, result.code) == (f'{image}\n', 1)
    assert harmless(result.stderr)
    for line, named in zip(result.stderr.splitlines(), ('none ', queued), strict=True):
        assert named in line


HEADER = 'Evil/1.0 \x1b]0;owned\x07\x1b[2J \x9b31m \x85forged line \x7f'
HEADER_SHOWN = r'Evil/1.0 \x1b]0;owned\x07\x1b[2J \x9b31m \x85forged line \x7f'


def test_headers_of_a_server(cloud, image):
    with proxy('http://nowhere') as server:
        named = '--endpoint-url', server.url
        url = cloud.create(image, '--no-check', *named)['url']
        for status, name in ((404, 'Server'), (500, 'X-Trans-Id')):
            server.plan = [(status, {name: HEADER})] * 3
            result = cloud.openstack(*CHECK, url, *named)
            assert result.code == 1 and harmless(result.text)
            assert HEADER_SHOWN in result.stdout
            server.plan = [(status, {name: HEADER})] * 3
            result = cloud.openstack('--debug', *CHECK, '-', *named, stdin=url)
            assert result.code == 1 and harmless(result.text)
        assert f'Response: 500, {HEADER_SHOWN}' in result.stderr


PAGE = '<html><h1>\x1b[31mProxy\u202e says\x9b no</h1>\r\n<p>\x07\nforged line</p>' + 'x' * 100_000


@pytest.mark.parametrize(('status', 'kind'), [
    (403, 'text/html'), (400, 'text/plain'), (409, 'application/json')])
def test_the_body_of_an_error(cloud, image, glance, status, kind):
    server, env = glance
    body = json.dumps({'error': {'message': PAGE}}) if 'json' in kind else PAGE
    step = (status, {'Content-Type': f'{kind}; charset=utf-8'}, body.encode())
    server.plan = [step]
    line = cloud.refused(image, env=env)
    assert harmless(line) and len(line) < 600 and r'\x1b[31mProxy' in line
    server.plan = [step]
    result = cloud.openstack('--debug', *CREATE, image, env=env)
    assert result.code == 1 and 'Traceback' in result.stderr
    assert harmless(result.text)


def test_headers_of_glance_in_debug_output(cloud, image, glance):
    server, env = glance
    headers = {'X-Openstack-Request-Id': HEADER, 'Content-Type': 'application/json'}
    server.plan = [(200, headers, json.dumps({'id': image, 'status': HEADER}).encode())]
    result = cloud.openstack('--debug', *CREATE, image, env=env)
    assert result.code == 1 and harmless(result.text)
    assert f'Glance response: 200, {HEADER_SHOWN}' in result.stderr
    assert f'is {HEADER_SHOWN}, and only an active image' in result.stderr


@contextlib.contextmanager
def catalog(cloud, url):
    """Have a region in Keystone's catalog whose object store is at a URL."""
    identity = cloud.sdk('admin').identity
    services = {each['type']: each['id'] for each in identity.get('/services').json()['services']}
    glance = cloud.sdk().image.get_endpoint().rpartition('/v2')[0]
    region = identity.post('/regions', json={'region': {'id': 'odd'}})
    assert region.status_code == 201, region.text
    made = []
    for kind, where in (('image', glance), ('object-store', url)):
        endpoint = identity.post('/endpoints', json={'endpoint': {
            'interface': 'public', 'region_id': 'odd', 'service_id': services[kind],
            'url': where}})
        assert endpoint.status_code == 201, endpoint.text
        made.append(f'/endpoints/{endpoint.json()["endpoint"]["id"]}')
    try:
        yield cloud.config(region_name='odd')
    finally:
        for path in (*made, '/regions/odd'):
            assert identity.delete(path).status_code == 204


@pytest.mark.parametrize('odd', [
    'http://127.0.0.1:1/a b', 'http://127.0.0.1:1/\x1b[31m', 'http://127.0.0.1:1\n/x',
    'http://user:pw@127.0.0.1:1', 'http://127.0.0.1:1/"x"', 'http://127.0.0.1:99999'])
def test_the_catalog_names_a_url_that_is_none(cloud, image, odd):
    with catalog(cloud, f'{odd}/v1/AUTH_%(tenant_id)s') as env:
        line = cloud.refused(image, env=env)
        assert 'object store is invalid' in line and 'pw' not in line and harmless(line)


def test_the_catalog_may_shout(cloud, image, data):
    storage_url = cloud.sdk().object_store.get_endpoint()
    endpoint = storage_url.partition('/v1/')[0].replace('http:', 'HTTP:')
    with catalog(cloud, f'{endpoint}/v1/AUTH_%(tenant_id)s') as env:
        made = cloud.create(image, '--check', env=env)
        assert made['endpoint'] == storage_url.partition('/v1/')[0]
        rows = cloud.rows(*CHECK, made['url'].replace('http:', 'HTTP:'), env=env)
        assert {row['result'] for row in rows} == {'pass', 'skipped'}


def test_whoever_gives_an_endpoint_that_is_none(cloud, image, tmp_path):
    odd = 'http://h/"\x1b[31m'
    config = tmp_path / 'ironic.conf'
    config.write_text(f'[glance]\nswift_endpoint_url = {odd}\n')
    for options, env in (
            (['--endpoint-url', odd], {}), (['--config-file', str(config)], {}),
            ([], {'OSC_IMGURL_ENDPOINT_URL': odd}),
            ([], cloud.config(image_temp_url={'endpoint_url': odd})),
            ([], cloud.config(object_store_endpoint_override=f'{odd}/v1/AUTH_x'))):
        line = cloud.refused(image, *options, env=env)
        assert "the character '\"' does not belong into a URL" in line and harmless(line)
    result = cloud.openstack('image', 'temp', 'url', 'show', f'{odd}/v1/AUTH_x/glance/x'
                             '?temp_url_sig=1&temp_url_expires=1')
    assert result.code == 1 and r"'\x1b' does not belong into a URL" in result.stderr
