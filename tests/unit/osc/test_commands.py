"""What each command asks, prints, and answers, by its options."""

import dataclasses
import pathlib
import re
import stat
import time
import types

import pytest
from openstack import exceptions
from openstack.config import loader
from osc_lib.exceptions import CommandError

from osc_imgurl.copies.copy import Copy, to_headers
from osc_imgurl.settings.table import BY_NAME
from osc_imgurl.tempurl.options import format_expires
from osc_imgurl.tempurl.signing import Key, Parameters, sign, sign_path, verify
from osc_imgurl.tempurl.url import ObjectPath, parse

from .conftest import GLANCE, IMAGE, IMAGE_ID, KERNEL_ID, KEY, SWIFT, TRANSACTION

CREATE, LIST = 'image temp url create', 'image temp url list'
FACTS = {'size': 5, 'virtual_size': None, 'disk_format': 'qcow2', 'container_format': 'bare',
         'checksum': 'c' * 32, 'os_hash_algo': 'sha256', 'os_hash_value': 'd' * 64}
OFFLINE = ('--endpoint-url', 'http://proxy', '--account', 'AUTH_p')


@pytest.fixture
def offline(openstack, tmp_path):
    """Nobody is asked; what names the key, and all else that is needed."""
    openstack.configuration['auth_type'] = 'none'
    (tmp_path / 'key').write_bytes(KEY.value)
    return '--key-file', str(tmp_path / 'key'), *OFFLINE


def refused(openstack, *arguments):
    with pytest.raises(CommandError) as caught:
        openstack(*arguments)
    return str(caught.value)


# create

def test_create(openstack):
    row = openstack.rows(CREATE, 'cirros')
    url = parse(row.pop('url'))
    assert verify(url, KEY, time.time()).valid
    expires = row.pop('expires')
    assert 1190 < expires - time.time() <= 1200
    assert row == {
        'expires_at': format_expires(expires), 'method': 'GET', 'digest': 'sha256',
        'image_id': IMAGE_ID, 'image_name': 'cirros', 'endpoint': 'http://swift',
        'account': 'AUTH_p', 'container': 'glance', 'object': IMAGE_ID, 'copied': False,
        'link': None, 'cached': False, **FACTS}


def test_create_takes_the_options_of_a_url(openstack, cloud):
    url = parse(openstack.rows(
        CREATE, 'cirros', '--method', 'PUT', '--expires-at', '2099-01-31T18:00:00Z', '--ip-range',
        '203.0.113.0/24', '--iso8601', '--filename', 'auto', '--inline', '--object-prefix', '3a',
        '--digest', 'sha512', '--no-check')['url'])
    assert (url.expires, url.ip_range, url.filename, url.inline, url.prefix, url.digest) == (
        4073565600, '203.0.113.0/24', 'cirros.qcow2', True, '3a', 'sha512')
    assert verify(url, KEY, time.time()).method == 'PUT'
    assert not any('temp_url_sig' in asked for asked in cloud.asked)


def test_create_signs_another_object_explicitly(openstack):
    row = openstack.rows(CREATE, 'cirros', '--object', 'x', '--no-check')
    assert (row['object'], row['image_id']) == ('x', IMAGE_ID)


def test_create_knows_a_url_again_until_it_is_refreshed(openstack):
    for _ in range(2):
        row = openstack.rows(CREATE, 'cirros', '--cache', '--expires-at', '2099-01-31')
    assert row['cached'] is True
    assert openstack.rows(CREATE, 'cirros', '--cache', '--expires-at', '2099-01-31',
                          '--refresh')['cached'] is False


def test_create_without_authentication(openstack, cloud, offline):
    row = openstack.rows(CREATE, IMAGE_ID, *offline, '--no-check')
    assert (row['endpoint'], row['image_name'], row['size']) == ('http://proxy', None, None)
    assert cloud.asked == []


def test_an_error_speaks_of_options(openstack):
    assert refused(openstack, CREATE, 'cirros', '--expires-at', '1').endswith('(--expires-at).')


def test_a_clouds_yaml_that_others_may_have_written_names_no_key_file(openstack, monkeypatch,
                                                                      tmp_path):
    (tmp_path / 'key').write_bytes(KEY.value)
    openstack.configuration['image_temp_url'] = {'key_file': str(tmp_path / 'key')}
    openstack.path = str(tmp_path / 'clouds.yaml')
    assert f'is not accepted from {openstack.path}' in refused(openstack, CREATE, 'cirros')
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', openstack.path)
    assert verify(parse(openstack.rows(CREATE, 'cirros')['url']), KEY, time.time()).valid
    monkeypatch.delenv('OS_CLIENT_CONFIG_FILE')
    openstack.path = str(pathlib.Path(loader.CONFIG_HOME, 'clouds.yaml'))
    assert verify(parse(openstack.rows(CREATE, 'cirros')['url']), KEY, time.time()).valid


# show

def test_show(openstack, offline):
    url = openstack.rows(CREATE, IMAGE_ID, *offline, '--no-check', '--expires-at', '2099-01-31',
                         '--method', 'PUT', '--ip-range', '203.0.113.0/24', '--filename', 'a.img',
                         '--inline')['url']
    row = openstack.rows('image temp url show', url, *offline[:2])
    assert re.fullmatch(r'\d+ days?, .*', row.pop('remaining'))
    assert 0 < row.pop('remaining_seconds') < row['expires']
    assert row == {
        'endpoint': 'http://proxy', 'account': 'AUTH_p', 'container': 'glance', 'object': IMAGE_ID,
        'copied': False, 'link': None, 'image_id': IMAGE_ID, 'method': 'PUT',
        'expires_at': '2099-01-31T00:00:00Z', 'expires': 4073500800, 'digest': 'sha256',
        'ip_range': '203.0.113.0/24', 'prefix': None, 'filename': 'a.img', 'inline': True,
        'signature': f'of the key {KEY.fingerprint} (--key-file)'}


@pytest.mark.parametrize(('options', 'old', 'new', 'said'), [
    ((), 'GET', 'GET', 'not verified: no key is given (--key-file)'),
    (('--key-file', 'key'), 'expires=4', 'expires=5',
     f'not of the key {KEY.fingerprint} (--key-file), or the URL has been altered')])
def test_what_show_says_of_a_signature(openstack, offline, monkeypatch, tmp_path, options, old, new,
                                       said):
    monkeypatch.chdir(tmp_path)
    url = openstack.rows(CREATE, IMAGE_ID, *offline, '--no-check', '--expires-at', '2099-01-31')
    row = openstack.rows('image temp url show', url['url'].replace(old, new), *options)
    assert (row['method'], row['signature']) == (None, said)


def test_show_says_which_path_was_signed(openstack, offline):
    path = ObjectPath('AUTH_p', 'glance', 'a b')
    url = sign(Parameters('http://swift', path, 4073500800), KEY)
    url = dataclasses.replace(url, signature=sign_path(
        KEY, '/v1/AUTH_p/glance/a%20b', url.expires)).url
    row = openstack.rows('image temp url show', url, *offline[:2])
    assert (row['method'], row['signature']) == (
        'GET', f'of the key {KEY.fingerprint} (--key-file), but for another path:'
               ' /v1/AUTH_p/glance/a%20b')


def test_show_knows_a_copy_and_an_object_that_is_no_image(openstack, offline):
    for container, name, copied, image_id in (
            ('image-temp-urls', f'{IMAGE_ID}/{"0" * 16}', True, IMAGE_ID),
            ('image-temp-urls', f'{IMAGE_ID}/x', False, None),
            ('glance', f'{IMAGE_ID}/{"0" * 16}', False, None),
            # Earlier copies.
            ('image-temp-urls', IMAGE_ID, True, IMAGE_ID), ('image-temp-urls', 'x', False, None),
            ('glance', IMAGE_ID, False, IMAGE_ID)):
        url = f'http://swift/v1/AUTH_p/{container}/{name}?temp_url_sig={"0" * 40}' \
              '&temp_url_expires=1'
        row = openstack.rows('image temp url show', url)
        assert (row['copied'], row['image_id']) == (copied, image_id)


# list

def test_list(openstack, cloud):
    rows = openstack.rows(LIST)
    assert [[*row] for row in rows] == [['image_id', 'image_name', 'expires_at', 'url']] * 2
    assert [row['image_id'] for row in rows] == [IMAGE_ID, KERNEL_ID]
    assert all(verify(parse(row['url']), KEY, time.time()).valid for row in rows)
    assert cloud.asked[0] == f'GET {GLANCE}?sort=name%3Aasc&limit=25'
    assert openstack.code == 0


def test_list_all_columns(openstack):
    row = openstack.rows(LIST, 'cirros', '--long')[0]
    assert [*row][4:] == ['method', 'digest', 'endpoint', 'account', 'container', 'object',
                          'copied', 'link', 'cached', 'owner', 'visibility', 'expires', *FACTS]
    assert row.items() >= {**FACTS, 'owner': 'p', 'visibility': 'public', 'method': 'GET'}.items()


def test_list_boot_images(openstack):
    rows = openstack.rows(LIST, 'cirros', '--with-boot-images')
    assert [*rows[0]] == ['image_id', 'image_name', 'role', 'parent', 'expires_at', 'url']
    assert [(row['image_name'], row['role'], row['parent']) for row in rows] == [
        ('cirros', 'image', None), ('vmlinuz', 'kernel', IMAGE_ID)]


def test_a_boot_image_without_a_url_says_for_which_image(openstack, cloud):
    cloud.mock.get(f'{GLANCE}?id=in%3A{KERNEL_ID}', json={'images': []})
    cloud.mock.get(f'{GLANCE}/{KERNEL_ID}', status_code=404)
    row = openstack.rows(LIST, 'cirros', '--with-boot-images', '--with-errors')[1]
    assert (row['image_id'], row['role'], row['parent'], row['url']) == (
        KERNEL_ID, 'kernel', IMAGE_ID, None)
    assert f'names {KERNEL_ID} as its kernel' in row['error']


def found(**fields):
    """Return what finds something of these fields in Keystone."""
    return lambda name, **given: types.SimpleNamespace(**fields)


def failing(error):
    def fail(name, **given):
        raise error
    return fail


@pytest.mark.parametrize(('find', 'owner'), [
    (found(id='the ID'), 'the+ID'), (failing(exceptions.ForbiddenException()), 'somebody')])
def test_images_of_a_project(openstack, cloud, find, owner):
    """Keystone is a stub: who may not look a project up gives its ID."""
    openstack.identity = types.SimpleNamespace(find_project=find)
    openstack(LIST, '--project', 'somebody')
    asked = next(asked for asked in cloud.asked if asked.startswith(f'GET {GLANCE}?'))
    assert f'&owner={owner}' in asked


@pytest.mark.parametrize('error', [exceptions.NotFoundException('x'),
                                   exceptions.DuplicateResource('x')])
def test_a_project_that_is_not_known(openstack, cloud, error):
    openstack.identity = types.SimpleNamespace(find_project=failing(error))
    assert refused(openstack, LIST, '--project', 'somebody').startswith(
        'There is no project somebody, or there are several')
    assert cloud.asked == []


def test_a_projects_domain(openstack):
    given = {}

    def find_project(name, ignore_missing, **within):
        given.update(within)
        return types.SimpleNamespace(id='p')

    openstack.identity = types.SimpleNamespace(find_project=find_project,
                                               find_domain=found(id='the domain'))
    openstack(LIST, '--project', 'somebody', '--project-domain', 'theirs')
    assert given == {'domain_id': 'the domain'}


@pytest.mark.parametrize(('options', 'query'), [
    (('--public',), 'visibility=public'), (('--private',), 'visibility=private'),
    (('--community',), 'visibility=community'), (('--shared',), 'visibility=shared'),
    (('--all',), 'visibility=all'), (('--name', 'cirros'), 'name=cirros'),
    (('--status', 'queued'), 'status=queued'), (('--hidden',), 'os_hidden=true'),
    (('--member-status', 'PENDING'), 'member_status=pending'),
    (('--tag', 'a', '--tag', 'b'), 'tag=a&tag=b'), (('--property', 'os=linux'), 'os=linux'),
    (('--limit', '1'), 'limit=1'), (('--max-items', '1'), 'limit=1'),
    (('--limit', '1', '--max-items', '2'), 'limit=1'),
    (('--limit', '2', '--max-items', '1'), 'limit=1'), (('--limit', '0'), 'limit=25'),
    (('--max-items', '0'), 'limit=25'), (('--limit', '0', '--max-items', '1'), 'limit=1'),
    (('--marker', IMAGE_ID), f'marker={IMAGE_ID}'),
    (('--sort', 'size:desc'), 'sort=size%3Adesc')])
def test_filters(openstack, cloud, options, query):
    openstack(LIST, *options)
    asked = next(asked for asked in cloud.asked if asked.startswith(f'GET {GLANCE}?'))
    assert query in asked and asked.count('&') <= 3


@pytest.mark.parametrize(('options', 'said'), [
    (('cirros', '--public'), 'Name images or give filters'),
    (('cirros', '--limit', '1'), 'Name images or give filters'),
    (('cirros', '--marker', 'x'), 'Name images or give filters'),
    (('cirros', '--marker', ''), 'Name images or give filters'),
    (('cirros', '--property', 'os='), 'Name images or give filters'),
    (('cirros', '--max-items', '1'), 'Name images or give filters'),
    (('--limit', '-1'), 'A negative number of images cannot be listed. Use 0 for no limit (--lim'),
    (('--max-items', '-1'), 'A negative number of images cannot be listed.'),
    (('--filename', 'x'), 'All images would be saved under the same name.')])
def test_what_a_list_refuses(openstack, cloud, options, said):
    assert refused(openstack, LIST, *options).startswith(said)
    assert cloud.asked == []


@pytest.mark.parametrize('option', [
    '--name', '--status', '--project', '--project-domain', '--tag'])
def test_an_empty_filter_is_not_all_images(openstack, cloud, option):
    assert refused(openstack, LIST, '--tag', 'a', option, '') == (
        f'The value of {option} is empty. Give one, or leave the option out.')
    assert cloud.asked == []


@pytest.mark.parametrize('command', [
    (LIST, '--marker', ''), (LIST, ''), ('image temp url link list', '--image', ''),
    ('image temp url link revoke', '--image', '')])
def test_an_empty_name_is_not_all_images(openstack, cloud, caplog, command):
    if command[1]:
        assert 'The name of the image is empty.' in refused(openstack, *command)
    else:
        assert openstack.rows(*command) == []
        assert 'The name of the image is empty.' in caplog.text
    assert cloud.asked == []


def test_an_empty_property_is_a_filter(openstack, cloud):
    openstack(LIST, '--property', 'os=')
    assert any('os=&' in asked for asked in cloud.asked)


def test_a_list_goes_on_behind_an_image_without_a_url(openstack, cloud, caplog):
    cloud.mock.get(GLANCE, json={'images': [{**IMAGE, 'status': 'queued'}, {**IMAGE}]})
    for options, rows in (((), 1), (('--with-errors',), 2), (('--fail-fast',), 0)):
        assert len(openstack.rows(LIST, *options)) == rows
        assert openstack.code == 1
    row = openstack.rows(LIST, '--with-errors')[0]
    assert (row['image_id'], row['image_name'], row['url']) == (IMAGE_ID, 'cirros', None)
    assert 'queued' in row['error'] and row['error'] in caplog.messages[0]


def test_an_interrupt_has_the_exit_status_of_one(openstack, cloud):
    cloud.mock.get(GLANCE, [{'json': {'images': [IMAGE], 'next': '/v2/images?marker=x'}},
                            {'exc': KeyboardInterrupt}])
    assert [row['image_id'] for row in openstack.rows(LIST)] == [IMAGE_ID]
    assert openstack.code == 130


def test_an_image_that_is_not_there_is_named_once(openstack, cloud, caplog):
    for query in 'name=x', 'os_hidden=true&name=x':
        cloud.mock.get(f'{GLANCE}?{query}', json={'images': []})
    assert openstack.rows(LIST, 'x', 'cirros', '--no-check')[0]['image_id'] == IMAGE_ID
    message, = caplog.messages
    assert message.count('x') >= 1 and not message.startswith('x: ')


def test_a_list_reads_a_file(openstack, tmp_path):
    (tmp_path / 'images').write_text(f'# ours\n\n {KERNEL_ID} \n')
    rows = openstack.rows(LIST, 'cirros', '--from-file', str(tmp_path / 'images'))
    assert [row['image_id'] for row in rows] == [IMAGE_ID, KERNEL_ID]


def test_a_list_checks_where_that_is_asked_for(openstack, cloud):
    cloud.mock.head(f'{SWIFT}/glance/{IMAGE_ID}', status_code=404, headers=TRANSACTION)
    assert [row['image_id'] for row in openstack.rows(LIST, '--check')] == [KERNEL_ID]
    assert openstack.code == 1


# key

KEYS = 'image temp url key'


def test_the_keys(openstack, cloud):
    cloud.mock.head(f'{SWIFT}/glance', headers={
        **TRANSACTION, 'X-Container-Object-Count': '2', 'X-Container-Meta-Temp-URL-Key-2': 'two'})
    account = [('account key', True, KEY.fingerprint), ('account key 2', False, None)]
    assert [tuple(row.values()) for row in openstack.rows(f'{KEYS} list')] == account
    rows = openstack.rows(f'{KEYS} list', '--container', 'glance')
    assert [tuple(row.values()) for row in rows] == [
        *account, ('container key', False, None),
        ('container key 2', True, Key(b'two').fingerprint)]


def posted(cloud):
    """Return the keys that were set, by header."""
    return {name.lower(): value.decode() for request in cloud.mock.request_history
            for name, value in request.headers.items() if 'temp-url-key' in name.lower()}


def test_a_key_from_a_file_is_set(openstack, cloud, tmp_path):
    (tmp_path / 'key').write_bytes(b'new\n')
    assert openstack.rows(f'{KEYS} set', '--slot', '2', '--key-file', str(tmp_path / 'key')) == {
        'slot': 'account key 2', 'fingerprint': Key(b'new').fingerprint, 'account': 'AUTH_p',
        'container': None, 'finish_at': None}
    assert posted(cloud) == {'x-account-meta-temp-url-key-2': 'new'}


def test_a_new_key_is_kept_in_a_file(openstack, cloud, tmp_path):
    path = tmp_path / 'new'
    openstack(f'{KEYS} rotate', '--generate', '--key-file', str(path))
    assert path.read_text().strip() in posted(cloud).values()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(('arguments', 'said'), [
    (('set',), 'Say which key to set'),
    (('set', '--generate'), '--force'),
    (('set', '--slot', '2', '--generate', '--key-file', '-'), 'A new key is never printed'),
    (('rotate', '--finish', '--generate'), 'The end of a rotation needs no key'),
    (('rotate', '--finish', '--key-file', 'x'), 'The end of a rotation needs no key')])
def test_what_the_keys_refuse(openstack, cloud, arguments, said):
    message = refused(openstack, f'{KEYS} {arguments[0]}', *arguments[1:])
    assert said in message and posted(cloud) == {}


def test_a_key_is_removed_by_force(openstack, cloud):
    assert '--force' in refused(openstack, f'{KEYS} unset') and posted(cloud) == {}
    assert openstack(f'{KEYS} unset', '--force') == ''
    assert posted(cloud) == {'x-remove-account-meta-temp-url-key': 'x'}


@pytest.mark.parametrize('command', [
    ('list',), ('set', '--slot', '2', '--generate'), ('unset', '--force'), ('rotate',),
    ('rotate', '--finish', '--force')])
def test_an_empty_variable_is_not_the_account(openstack, cloud, command):
    said = refused(openstack, f'{KEYS} {command[0]}', *command[1:], '--container', '')
    assert said.startswith('The name of the container is empty.') and '--container' in said
    assert posted(cloud) == {}


@pytest.mark.parametrize('command', [('rotate',), ('set', '--slot', '2', '--generate')])
def test_a_rotation(openstack, cloud, command):
    row = openstack.rows(f'{KEYS} {command[0]}', *command[1:], '--longest', '7d')
    (slot, new), = posted(cloud).items()
    assert slot == 'x-account-meta-temp-url-key-2' and new != KEY.value.decode()
    post, = (each for each in cloud.mock.request_history
             if (each.method, each.url) == ('POST', SWIFT))
    began, of = post.headers['X-Account-Meta-Temp-Url-Rotation'].decode().split()
    assert of == KEY.fingerprint and abs(int(began) - time.time()) < 60
    assert row == {'slot': 'account key 2', 'fingerprint': Key(new.encode()).fingerprint,
                   'account': 'AUTH_p', 'container': None,
                   'finish_at': format_expires(int(began) + 7 * 86400)}


@pytest.mark.parametrize('longest', ['x', '999999999999'])
def test_the_longest_duration(openstack, cloud, capsys, longest):
    with pytest.raises(SystemExit):
        openstack(f'{KEYS} rotate', '--longest', longest)
    assert 'argument --longest: expected a' in capsys.readouterr().err
    assert posted(cloud) == {}


@pytest.mark.parametrize(('containers', 'warned'), [
    ('glance', False), ('glance_3a1', False), ('other', True), ('', True)])
def test_a_key_that_signs_no_image(openstack, cloud, caplog, containers, warned):
    cloud.mock.get(SWIFT, headers=TRANSACTION, text=containers)
    openstack(f'{KEYS} set', '--generate', '--slot', '2')
    assert any('Glance keeps no image in account AUTH_p' in message
               for message in caplog.messages) is warned


# cache

CACHE = 'image temp url cache'


def test_the_cache(openstack):
    made = openstack.rows(CREATE, 'cirros', '--cache')
    openstack.rows(CREATE, 'cirros', '--cache', '--method', 'PUT')
    assert {row['method'] for row in openstack.rows(f'{CACHE} list')} == {'GET', 'PUT'}
    rows = openstack.rows(f'{CACHE} list', '--long')
    row = next(row for row in rows if row['method'] == 'GET')
    assert 1190 < row.pop('remaining_seconds') <= 1200
    assert re.fullmatch(r'0:(19:5\d|20:00)', row.pop('remaining'))
    assert row == {'image_id': IMAGE_ID, 'method': 'GET', 'account': 'AUTH_p',
                   'container': 'glance', 'expires_at': made['expires_at'],
                   'expires': made['expires'], 'key_fingerprint': KEY.fingerprint}
    assert 'key_fingerprint' not in openstack.rows(f'{CACHE} list')[0]
    info = openstack.rows(f'{CACHE} show')
    assert (pathlib.Path(info['path']).stat().st_size, 2, 'sqlite') == (
        info['size'], info['entries'], info['backend'])


def test_what_is_deleted_from_the_cache(openstack, caplog):
    def left():
        return [row['image_id'] for row in openstack.rows(f'{CACHE} list')]

    for image in IMAGE_ID, KERNEL_ID:
        openstack.rows(CREATE, image, '--cache')
    for arguments in ((), (IMAGE_ID, '--all'), (IMAGE_ID, '--expired')):
        assert refused(openstack, f'{CACHE} delete', *arguments).startswith('Say what to delete')
    openstack(f'{CACHE} delete', '--expired')
    assert sorted(left()) == [IMAGE_ID, KERNEL_ID]
    openstack(f'{CACHE} delete', 'x', IMAGE_ID, 'y', 'x')
    assert openstack.code == 1 and left() == [KERNEL_ID]
    assert caplog.messages == [
        f'The cache has no URL for {name}. Give the ID, as cache list shows it.' for name in 'xy']
    openstack(f'{CACHE} delete', '--all')
    assert left() == []


@pytest.mark.parametrize('what', [IMAGE_ID, '--all', '--expired'])
def test_a_shared_cache_is_its_servers(openstack, monkeypatch, what):
    pytest.importorskip('redis')
    monkeypatch.setenv(BY_NAME['cache_backend'].environment, 'dogpile.cache.redis')
    said = refused(openstack, f'{CACHE} delete', what)
    assert said.startswith('Only the server of dogpile.cache.redis can delete') and '\n' not in said


# check, settings, location, copies

CHECK = 'image temp url check'


def test_a_check(openstack, cloud):
    rows = openstack.rows(CHECK, 'cirros')
    assert {row['result'] for row in rows} == {'pass', 'skipped'} and openstack.code == 0
    assert [*rows[0]] == ['check', 'result', 'detail', 'remedy']
    url = openstack.rows(CREATE, 'cirros')['url']
    assert openstack.rows(CHECK, url.replace('http', 'HTTP', 1))[-1]['check'] == 'request'
    assert openstack.code == 0
    cloud.mock.head(f'{SWIFT}/glance/{IMAGE_ID}', status_code=404, headers=TRANSACTION)
    failed = next(row for row in openstack.rows(CHECK, url) if row['result'] == 'fail')
    assert failed['check'] == 'object' and openstack.code == 1


def test_a_url_without_a_host_goes_nowhere(openstack, cloud):
    path = openstack.rows(CREATE, 'cirros')['url'].removeprefix('http://swift')
    before = len(cloud.mock.request_history)
    for command, said in (
            (CHECK, 'Put scheme and host in front'), ('image temp url show', 'Put scheme and host'),
            (CREATE, 'This is a temporary URL, and not an image.')):
        assert said in refused(openstack, command, path)
    asked = cloud.mock.request_history[before:]
    assert not any('temp_url_sig' in each.url or 'images' in each.url for each in asked)


def test_a_check_of_other_methods_and_objects(openstack):
    rows = {row['check']: row for row in openstack.rows(CHECK, 'cirros', '--method', 'DELETE')}
    assert rows['method']['remedy'] == 'Use one of these (--method).'
    rows = {row['check']: row for row in openstack.rows(CHECK, 'cirros', '--object', KERNEL_ID)}
    assert rows['object']['result'] == 'pass'


def test_a_check_of_an_image_that_is_not_there(openstack, cloud, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a url').touch()
    look = 'Look for it: openstack image list.'
    for name, remedy in (('another', look), ('o' * 300, look), (
            'a url', "If the URL is in the file of that name: use - < 'a url'")):
        cloud.mock.get(f'{GLANCE}?name={name}', json={'images': []})
        row, = openstack.rows(CHECK, name)
        assert (row['check'], row['result'], row['remedy']) == ('image', 'fail', remedy)
        assert openstack.code == 1
    cloud.mock.get(f'{GLANCE}?name=a url', status_code=500)
    row, = openstack.rows(CHECK, 'a url')
    assert 'file' not in row['remedy']


def test_the_settings(openstack, cloud, monkeypatch):
    monkeypatch.setenv(BY_NAME['duration'].environment, '60')
    cloud.mock.head(f'{SWIFT}/x', status_code=404, headers=TRANSACTION)
    rows = {row['setting']: (row['value'], row['source'])
            for row in openstack.rows('image temp url settings list', '--container', 'x')}
    assert rows['container'] == ('x', '--container')
    assert rows['duration'][0] == 60
    assert rows['account'] == ('AUTH_p', 'catalog')


def test_a_location(openstack):
    row = openstack.rows('image location show', 'cirros')
    assert [*row] == ['image_id', 'image_name', 'status', 'stores', 'source', 'direct_url',
                      'locations', 'targets', 'trusted', 'untrusted', 'scheme', 'account',
                      'container', 'object', 'container_by_rule', 'container_agrees',
                      'direct_read_allowed']
    assert (row['image_id'], row['image_name'], row['status'], row['direct_url'],
            row['trusted']) == (IMAGE_ID, 'cirros', 'active', None, None)


COPY = 'image temp url copy'
COPIES = f'{SWIFT}/image-temp-urls'
# The kernel's has a name of earlier copies; 'gone' is an image that Glance has deleted.
GONE_ID = '0' * 8 + KERNEL_ID[8:]
COPIED = {f'{IMAGE_ID}/{"0" * 16}': 'cirros', KERNEL_ID: 'vmlinuz', f'{GONE_ID}/{"1" * 16}': 'gone',
          f'{GONE_ID}/{"2" * 16}': 'gone'}


@pytest.fixture
def copies(openstack, cloud):
    """Each image has a copy, and that which is gone two."""
    cloud.mock.get(COPIES, headers=TRANSACTION, json=lambda request, _: [
        {'name': name, 'bytes': 5, 'hash': 'c' * 32} for name in sorted(COPIED)
        if name > request.qs['marker'][0] and name.startswith(request.qs['prefix'][0])])
    for name, image_name in COPIED.items():
        copy = Copy('image-temp-urls', name, image_name, 5, f'md5:{"c" * 32}', 4073500800)
        cloud.mock.head(f'{COPIES}/{name}', headers={
            **TRANSACTION, **to_headers(copy), 'Content-Length': '5'})
        cloud.mock.delete(f'{COPIES}/{name}', status_code=204, headers=TRANSACTION)

@pytest.mark.parametrize('arguments', [(), ('cirros', '--all')])
def test_copies_are_not_deleted_by_mistake(openstack, cloud, arguments):
    assert refused(openstack, f'{COPY} delete', *arguments) == (
        'Say what to delete: either images or --all.')
    assert cloud.asked == []


@pytest.mark.parametrize('arguments', [
    (LIST,), (f'{COPY} list',), (f'{KEYS} list',), (CHECK, 'cirros'),
    ('image location show', 'cirros')])
def test_what_needs_somebody_to_ask(openstack, cloud, arguments):
    openstack.configuration['auth_type'] = 'none'
    assert 'use credentials instead of --os-auth-type none' in refused(openstack, *arguments)
    assert cloud.asked == []


def test_export(openstack):
    text = openstack('image temp url export', 'cirros', '--for', 'curl')
    assert f'url = "{SWIFT}/glance/{IMAGE_ID}?temp_url_sig=' in text
    openstack.configuration['auth_type'] = 'none'
    assert 'use credentials instead' in refused(
        openstack, 'image temp url export', 'cirros', '--for', 'curl')


def test_the_copies(openstack, copies):
    rows = openstack.rows(f'{COPY} list')
    assert [*rows[0]] == ['image_id', 'image_name', 'size', 'hash', 'delete_at', 'container']
    assert [tuple(row.values()) for row in rows] == [
        (name[:36], COPIED[name], 5, f'md5:{"c" * 32}', '2099-01-31T00:00:00Z', 'image-temp-urls')
        for name in sorted(COPIED)]


@pytest.mark.parametrize(('arguments', 'deleted'), [
    (('cirros',), ['cirros']), ((IMAGE_ID, KERNEL_ID), ['cirros', 'vmlinuz']),
    ((f'glance://glance/{IMAGE_ID}',), ['cirros']), (('gone', 'vmlinuz'), ['gone', 'vmlinuz']),
    ((GONE_ID,), ['gone']), (('--all',), ['cirros', 'gone', 'vmlinuz'])])
def test_copies_are_deleted(openstack, cloud, copies, arguments, deleted):
    openstack(f'{COPY} delete', *arguments)
    assert openstack.code == 0
    assert sorted(asked for asked in cloud.asked if asked.startswith('DELETE')) == [
        f'DELETE {COPIES}/{name}' for name in sorted(COPIED) if COPIED[name] in deleted]


def test_a_copy_that_stays(openstack, cloud, copies, caplog):
    cloud.mock.delete(f'{COPIES}/{IMAGE_ID}/{"0" * 16}', status_code=403, headers=TRANSACTION)
    openstack(f'{COPY} delete', 'cirros', KERNEL_ID)
    assert openstack.code == 1
    message, = caplog.messages
    assert IMAGE_ID in message
    assert f'DELETE {COPIES}/{KERNEL_ID}' in cloud.asked
