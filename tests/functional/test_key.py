"""openstack image temp url key ..."""

import concurrent.futures
import datetime
import json
import threading
import time

import pytest
import requests

from osc_imgurl.tempurl.signing import Key

from .conftest import download
from .proxy import proxy

KEY = ['image', 'temp', 'url', 'key']
ACCOUNT, CONTAINER = 'X-Account-Meta-Temp-Url-Key', 'X-Container-Meta-Temp-Url-Key'
COLUMNS = ['slot', 'fingerprint', 'account', 'container', 'finish_at']


@pytest.fixture(scope='module')
def cloud(make_cloud):
    return make_cloud()


@pytest.fixture(autouse=True)
def clean(cloud, image):
    """Begin each test with one key in the account's first slot, and none elsewhere."""
    cloud.set_key('the first key')
    store = cloud.sdk().object_store
    store.post('/', headers={'X-Remove-Account-Meta-Temp-URL-Key-2': 'x'})
    store.post('/glance', headers={'X-Remove-Container-Meta-Temp-URL-Key': 'x',
                                   'X-Remove-Container-Meta-Temp-URL-Key-2': 'x'})


def keys(cloud, container=''):
    """Return what is really in the two slots; secrets from then on."""
    headers = cloud.sdk().object_store.head(f'/{container}').headers
    name = CONTAINER if container else ACCOUNT
    found = [headers.get(name), headers.get(name + '-2')]
    cloud.secrets.extend(filter(None, found))
    return found


def rotation(cloud, container=''):
    """Return what really says when a rotation began."""
    level = 'Container' if container else 'Account'
    return cloud.sdk().object_store.head(f'/{container}').headers.get(
        f'X-{level}-Meta-Temp-Url-Rotation')


def change(cloud, *arguments, ends=0, **kwargs):
    """Change keys; return the row that is printed.

    Nothing else is said, but of so many keys that they are gone.
    """
    printed = [] if arguments[0] == 'unset' else ['-f', 'json']
    result = cloud.openstack(*KEY, *arguments, *printed, **kwargs)
    said = result.stderr.splitlines()
    assert (result.code, len(said)) == (0, ends), result.text
    assert all('the URLs signed with it stop working' in line for line in said)
    if not printed:
        assert result.stdout == ''
        return None
    row = json.loads(result.stdout)
    assert list(row) == COLUMNS
    return row


def fails(cloud, *arguments, user='glance', stdin=''):
    before = keys(cloud), keys(cloud, 'glance')
    result = cloud.openstack(*KEY, *arguments, cloud=user, stdin=stdin)
    assert (result.code, result.stdout) == (1, '')
    assert len(result.stderr.splitlines()) == 1
    assert (keys(cloud), keys(cloud, 'glance')) == before
    return result.stderr


def status(url):
    return requests.get(url, timeout=30).status_code


def test_list(cloud):
    name = Key(b'the first key').fingerprint
    rows = [{'slot': 'account key', 'set': True, 'fingerprint': name},
            {'slot': 'account key 2', 'set': False, 'fingerprint': None}]
    assert cloud.rows(*KEY, 'list') == rows
    cloud.set_key('a container key', container='glance', slot='-2')
    rows += [{'slot': 'container key', 'set': False, 'fingerprint': None},
             {'slot': 'container key 2', 'set': True,
              'fingerprint': Key(b'a container key').fingerprint}]
    assert cloud.rows(*KEY, 'list', '--container', 'glance') == rows


def test_set(cloud, image, data, key_file):
    change(cloud, 'set', '--key-file', key_file('the second long key\n'), '--slot', '2')
    assert keys(cloud) == ['the first key', 'the second long key']
    assert 'is a key in slot account key already' in fails(
        cloud, 'set', '--key-file', '-', stdin='another long key')
    url = cloud.create(image, '--key-file', '-', stdin='the first key')
    row = change(cloud, 'set', '--key-file', '-', '--force', stdin='another long key', ends=1)
    assert row == {'slot': 'account key', 'fingerprint': Key(b'another long key').fingerprint,
                   'account': url['account'], 'container': None, 'finish_at': None}
    assert status(url['url']) == 401
    assert keys(cloud) == ['another long key', 'the second long key']
    row = change(cloud, 'set', '--generate', '--container', 'glance')
    assert (row['slot'], row['container']) == ('container key', 'glance')
    generated, other = keys(cloud, 'glance')
    assert len(generated) == 43 and other is None
    assert download(cloud.create(image)['url']) == data
    # The key that is there already may be set again, and one that the other slot has is not lost.
    change(cloud, 'set', '--key-file', '-', stdin='another long key')
    change(cloud, 'set', '--key-file', '-', '--slot', '2', stdin='the second long key')
    change(cloud, 'unset', '--force', ends=1)
    change(cloud, 'set', '--key-file', '-', stdin='the second long key')
    change(cloud, 'set', '--key-file', '-', stdin='another long key')
    assert keys(cloud) == ['another long key', 'the second long key']
    assert 'Say which key to set' in fails(cloud, 'set')


def test_unset(cloud, image, data):
    """The URLs of a key end by force only, whether or not it is the only one, or in use."""
    url, name = cloud.create(image)['url'], Key(b'the first key').fingerprint
    line = fails(cloud, 'unset')
    assert f'signed with the key in slot account key ({name}) would stop working' in line
    assert 'key rotate' in line and '--force' in line
    change(cloud, 'set', '--key-file', '-', '--slot', '2', stdin='the second long key')
    for slot in '1', '2':
        assert '--force' in fails(cloud, 'unset', '--slot', slot)
    assert status(url) == 200
    change(cloud, 'unset', '--force', ends=1)
    assert keys(cloud) == [None, 'the second long key']
    assert status(url) == 401
    change(cloud, 'set', '--key-file', '-', stdin='the second long key')
    # The other slot has it too.
    change(cloud, 'unset', '--slot', '2')
    change(cloud, 'unset', '--force', ends=1)
    assert keys(cloud) == [None, None]
    assert 'no temporary URL key on account' in cloud.refused(image)
    assert ('There is no key in slot account key. List the keys'
            ' (openstack image temp url key list).') in fails(cloud, 'unset')
    assert 'Set one (openstack image temp url key set --generate)' in fails(cloud, 'rotate')
    change(cloud, 'set', '--generate')
    keys(cloud)
    assert download(cloud.create(image)['url']) == data


@pytest.mark.parametrize('container', ['', 'glance'])
def test_rotate(cloud, image, data, container):
    """The old key goes when the longest URL that it has signed has expired."""
    of = ['--container', container] if container else []
    if container:
        cloud.set_key('the first key', container=container)
    duration = 5
    old = cloud.create(image, '--duration', str(duration))
    before = time.time()
    row = change(cloud, 'rotate', *of, '--longest', str(duration))
    finish_at = datetime.datetime.fromisoformat(row['finish_at']).timestamp()
    assert before + duration < finish_at < time.time() + duration + 1
    first, second = keys(cloud, container)
    assert first == 'the first key' and len(second) == 43
    assert row == {
        'slot': 'container key 2' if container else 'account key 2',
        'fingerprint': Key(second.encode()).fingerprint, 'account': old['account'],
        'container': container or None, 'finish_at': row['finish_at']}
    # New URLs have the new key, and the old ones work until the rotation is finished.
    new = cloud.create(image)
    assert download(old['url']) == download(new['url']) == data
    line = fails(cloud, 'rotate', *of, '--finish', '--longest', '1h')
    name = Key(b'the first key').fingerprint
    assert f'URLs of the key {name} may work until 20' in line and '--force' in line
    line = fails(cloud, 'rotate', *of, '--finish')
    assert f'The key {name} was rotated out at 20' in line and '(--longest, --force)' in line
    time.sleep(max(0, finish_at - time.time()) + 1)
    assert change(cloud, 'rotate', *of, '--finish', '--longest', str(duration), ends=1) == {
        **row, 'slot': row['slot'].removesuffix(' 2'), 'finish_at': None}
    assert keys(cloud, container) == [second, None] and rotation(cloud, container) is None
    assert (status(old['url']), status(new['url'])) == (401, 200)
    assert 'There is no rotation to finish' in fails(cloud, 'rotate', *of, '--finish')


def test_rotate_early_by_force(cloud, image):
    old = cloud.create(image)
    row = change(cloud, 'rotate')
    assert row['finish_at'] is None
    keys(cloud)
    change(cloud, 'rotate', '--finish', '--force', ends=1)
    assert keys(cloud)[1] is None and status(old['url']) == 401


def test_a_key_that_is_set_beside_another_begins_a_rotation(cloud, image, data):
    old = cloud.create(image)
    row = change(cloud, 'set', '--key-file', '-', '--slot', '2', '--longest', '1h',
                 stdin='the second long key')
    assert row['finish_at'] > old['expires_at']
    assert 'may work until' in fails(cloud, 'rotate', '--finish', '--longest', '1h')
    assert download(old['url']) == data


@pytest.mark.parametrize('slot', ['', '-2'])
def test_a_rotation_that_another_program_changes(cloud, slot):
    """Whether URLs of the key in slot 1 still work is known if it was rotated out by us only."""
    change(cloud, 'rotate')
    keys(cloud)
    cloud.set_key('a key of another program', slot=slot)
    if slot:
        assert 'may work until' in fails(cloud, 'rotate', '--finish', '--longest', '1h')
    else:
        line = fails(cloud, 'rotate', '--finish', '--longest', '1s')
        assert 'is unknown: another program set the keys' in line and '--force' in line
        change(cloud, 'rotate', '--finish', '--force', ends=1)


def test_a_key_that_is_in_use_again_was_not_rotated_out(cloud):
    change(cloud, 'rotate')
    keys(cloud)
    assert rotation(cloud)
    change(cloud, 'unset', '--slot', '2', '--force', ends=1)
    assert rotation(cloud) is None
    cloud.set_key('a key of another program', slot='-2')
    assert 'is unknown' in fails(cloud, 'rotate', '--finish', '--longest', '1s')


def test_rotate_again_before_the_end(cloud, image, data):
    first, second = (cloud.create(image, '--key-file', '-', '--no-check', stdin=key)
                     for key in ('the first key', 'the second long key'))
    change(cloud, 'rotate', '--key-file', '-', stdin='the second long key')
    line = fails(cloud, 'rotate')
    name = Key(b'the first key').fingerprint
    assert f'the one in slot account key ({name}) would stop working' in line
    assert '--finish --longest <duration>' in line and '--force' in line
    assert download(first['url']) == download(second['url']) == data
    change(cloud, 'rotate', '--key-file', '-', '--force', stdin='the third long key', ends=1)
    assert keys(cloud) == ['the second long key', 'the third long key']
    assert rotation(cloud).endswith(Key(b'the second long key').fingerprint)
    assert status(first['url']) == 401 and download(second['url']) == data
    assert 'set already' in fails(cloud, 'rotate', '--key-file', '-', stdin='the third long key')


def test_the_longest_duration_is_one(cloud):
    before = keys(cloud)
    for given, why in (('soon', 'expected a time of at least 1 s'),
                       ('999999999999', 'expected a time of at most')):
        result = cloud.openstack(*KEY, 'rotate', '--longest', given)
        assert (result.code, result.stdout) == (2, '') and why in result.stderr
    assert keys(cloud) == before


def test_an_odd_key_that_another_client_has_set(cloud, image, data):
    """It signs as Swift has it; only to move it to another slot is refused."""
    odd = 'a\tkey \x0b with %41 ü'.encode().decode('latin-1')
    cloud.set_key(odd)
    assert download(cloud.create(image)['url']) == data
    change(cloud, 'rotate')
    first, _ = keys(cloud)
    assert first == odd
    change(cloud, 'rotate', '--finish', '--force', ends=1)
    cloud.set_key(odd, slot='-2')
    change(cloud, 'unset', '--force', ends=1)
    assert 'has a control character' in fails(cloud, 'rotate')
    assert download(cloud.create(image)['url']) == data


@pytest.mark.parametrize('text', [' a new key', 'a new key ', '\ta new key', 'a new\nkey'])
def test_a_key_that_swift_does_not_keep_is_refused(cloud, text, key_file):
    for command in (['set', '--slot', '2'], ['rotate']):
        path = key_file(text)
        assert f'Invalid key (in {path}): it has a ' in fails(
            cloud, *command, '--key-file', path)
        result = cloud.openstack('--debug', *KEY, *command, '--key-file', path)
        assert result.code == 1 and 'a new' not in result.text


def test_hand_over_a_key(cloud, image, data, tmp_path):
    """The new key is in a file of its own, and never printed; who gets the file can sign."""
    path = tmp_path / 'handed over'
    for command in (['set', '--container', 'glance'], ['rotate']):
        result = cloud.openstack('--debug', *KEY, *command, '--generate', '--key-file', str(path))
        assert result.code == 0
        *_, key = filter(None, keys(cloud, 'glance' if '--container' in command else ''))
        assert key not in result.text
        assert path.read_text() == key + '\n'
        assert path.stat().st_mode & 0o777 == 0o600
        account = cloud.create(image)['account']
        url = cloud.create(image, '--account', account, '--key-file', str(path), cloud='demo')
        assert download(url['url']) == data
        path.unlink()


def test_a_key_file_that_cannot_be_made(cloud, tmp_path):
    there, link = tmp_path / 'there', tmp_path / 'link'
    there.write_text('precious')
    link.symlink_to(tmp_path / 'nothing')
    for path, why in ((there, 'File exists'), (link, 'File exists'),
                      (tmp_path / 'no/folder', 'No such file or directory')):
        for command in (['set', '--slot', '2'], ['rotate']):
            line = fails(cloud, *command, '--generate', '--key-file', str(path))
            assert f'The file {path} cannot be written: {why}' in line
    assert there.read_text() == 'precious' and sorted(tmp_path.iterdir()) == [link, there]
    assert 'never printed' in fails(cloud, 'rotate', '--generate', '--key-file', '-')
    assert 'needs no key' in fails(cloud, 'rotate', '--finish', '--generate')


def test_no_key_file_is_left_of_a_key_that_swift_refuses(cloud, tmp_path):
    """Swift takes no more than 90 items of metadata."""
    path = tmp_path / 'key'
    store = cloud.sdk().object_store
    assert store.put('/full', headers={
        f'X-Container-Meta-{number}': 'x' for number in range(90)}).status_code == 201
    line = fails(cloud, 'set', '--container', 'full', '--generate', '--key-file', str(path))
    assert 'HTTP 400' in line
    assert not path.exists()
    store.delete('/full')


def test_the_file_of_the_settings_may_be_the_one_to_be_made(cloud, image, data):
    env = cloud.config(image_temp_url={'key_file': '~/new-key'})
    change(cloud, 'rotate', '--generate', '--key-file', '~/new-key', env=env)
    assert (cloud.home / 'new-key').exists()
    keys(cloud)
    assert download(cloud.create(image, env=env)['url']) == data


def test_an_account_without_images_costs_a_warning(cloud, image):
    """In a single-tenant store an end user's own key signs nothing of Glance's."""
    for command in (['set', '--generate'], ['rotate'], ['set', '--generate', '--slot', '1',
                                                        '--force']):
        result = cloud.openstack(*KEY, *command, cloud='demo')
        assert result.code == 0
        assert 'Glance keeps no image in account AUTH_' in result.stderr
    change(cloud, 'rotate')


def test_with_nobody_to_ask(cloud):
    line = fails(cloud, '--os-auth-type', 'none', 'list', user=None)
    assert 'use credentials instead of --os-auth-type none' in line


def test_who_may_not(cloud):
    account = 'AUTH_' + cloud.sdk().session.get_project_id()
    line = fails(cloud, 'list', '--account', account, user='demo')
    assert 'does not show' in line and 'HTTP 403' in line
    assert 'There is no container nothing of account' in fails(
        cloud, 'list', '--container', 'nothing')


def test_no_key_in_debug_output(cloud):
    keys(cloud)
    for arguments in (['list'], ['set', '--key-file', '-', '--slot', '2'], ['unset', '--force']):
        result = cloud.openstack('--debug', *KEY, *arguments, stdin='a secret key')
        assert result.code == 0
        assert 'Swift request: HEAD' in result.stderr
        assert 'a secret key' not in result.text


@pytest.fixture
def swift(cloud):
    """A proxy in front of Swift; ``env`` makes commands use it."""
    endpoint, _, path = cloud.sdk().object_store.get_endpoint().partition('/v1/')
    with proxy(endpoint) as swift:
        swift.storage_url = f'{swift.url}/v1/{path}'
        swift.env = cloud.config(object_store_endpoint_override=swift.storage_url,
                                 image_temp_url={'num_retries': 0})
        yield swift


def at_once(cloud, commands, **kwargs):
    with concurrent.futures.ThreadPoolExecutor(len(commands)) as threads:
        return list(threads.map(
            lambda command: cloud.openstack(*KEY, *command, true_process=True, **kwargs),
            commands))


@pytest.mark.parametrize('command', ['set', 'rotate'])
def test_two_at_the_very_same_time(cloud, swift, tmp_path, command):
    """Both look at the keys before either changes them; what is written last is set."""
    if command == 'rotate':
        cloud.set_key('the first container key', container='glance')
    swift.only, swift.together = '/glance', threading.Barrier(2)
    paths = [tmp_path / 'one', tmp_path / 'two']
    results = at_once(cloud, [(command, '--generate', '--container', 'glance', '--key-file',
                               str(path)) for path in paths], env=swift.env)
    new = keys(cloud, 'glance')[command == 'rotate']
    assert sorted(result.code for result in results) == [0, 1]
    won, lost = sorted(zip(results, paths, strict=True), key=lambda each: each[0].code)
    assert won[1].read_text() == f'{new}\n' and not lost[1].exists()
    line, = lost[0].stderr.splitlines()
    assert 'Another process changed the keys of container glance' in line
    assert Key(new.encode()).fingerprint in line
    assert f'the new key is not set. The file {lost[1]} is removed again.' in line
    assert '(openstack image temp url key list)' in line


def test_a_given_key_that_another_overwrites(cloud, swift):
    swift.only, swift.together = '/glance', threading.Barrier(2)
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        given = {key: threads.submit(cloud.openstack, *KEY, 'set', '--container', 'glance',
                                     '--key-file', '-', stdin=key, env=swift.env,
                                     true_process=True)
                 for key in ('one of two given keys', 'the other given key')}
    assert [key for key, result in given.items() if result.result().code == 0] == [
        keys(cloud, 'glance')[0]]


def test_many_rotations_at_once(cloud, tmp_path):
    """One of them sets its key; of the others no file is left."""
    paths = [tmp_path / str(number) for number in range(8)]
    results = at_once(cloud, [('rotate', '--generate', '--key-file', str(path)) for path in paths])
    first, second = keys(cloud)
    assert first == 'the first key'
    assert [path.read_text() for path in paths if path.exists()] == [f'{second}\n']
    assert [result.code for result in results] == [0 if path.exists() else 1 for path in paths]
    assert all(len(result.stderr.splitlines()) == 1 for result in results if result.code)


def test_many_forced_at_once(cloud, tmp_path):
    paths = [tmp_path / str(number) for number in range(8)]
    results = at_once(cloud, [('set', '--generate', '--force', '--key-file', str(path))
                              for path in paths])
    first, _ = keys(cloud)
    won = [path.read_text() for path, result in zip(paths, results, strict=True)
           if result.code == 0]
    # One that is done may be overwritten by a later one: that is what --force says.
    assert f'{first}\n' in won
    assert [path.exists() for path in paths] == [result.code == 0 for result in results]


def test_keys_that_change_before_anything_is_written(cloud, swift, tmp_path):
    path = tmp_path / 'key'

    def meanwhile(body):
        cloud.set_key('of another process', slot='-2')
        return [body]

    swift.plan = [meanwhile]
    result = cloud.openstack(*KEY, 'rotate', '--generate', '--key-file', str(path), env=swift.env)
    assert result.code == 1 and 'now), and nothing is changed.' in result.stderr
    assert keys(cloud) == ['the first key', 'of another process'] and not path.exists()


def test_the_answer_is_lost(cloud, swift, tmp_path):
    """Swift has set the key; that is seen afterwards."""
    path = tmp_path / 'key'
    swift.plan = [None, None, 'lose']
    change(cloud, 'rotate', '--generate', '--key-file', str(path), env=swift.env)
    assert path.read_text() == f'{keys(cloud)[1]}\n'


@pytest.mark.parametrize('command', ['set', 'rotate'])
@pytest.mark.parametrize(('steps', 'is_set'), [
    (['lose', 'drop'], True), (['lose', (503, {})], True), (['drop'], False),
    ([(502, {})], False), ([(200, {})], False)])
def test_what_may_be_set_is_kept(cloud, swift, tmp_path, command, steps, is_set):
    path = tmp_path / 'key'
    swift.plan = [None, None, *steps]
    result = cloud.openstack(*KEY, command, '--generate', '--key-file', str(path), '--slot', '2',
                             env=swift.env) if command == 'set' else cloud.openstack(
        *KEY, command, '--generate', '--key-file', str(path), env=swift.env)
    assert (result.code, len(result.stderr.splitlines())) == (1, 1)
    key = path.read_text().strip()
    cloud.secrets.append(key)
    assert (key in keys(cloud)) is is_set
    assert f'the new one ({Key(key.encode()).fingerprint})' in result.stderr
    assert f'The file {path} is kept. List the keys, and compare' in result.stderr
    assert '(openstack image temp url key list)' in result.stderr


@pytest.mark.parametrize('status', [403, 429])
def test_a_refusal_may_answer_the_second_of_two_requests(cloud, swift, tmp_path, status):
    """The first has set the key, and its answer is lost."""
    path = tmp_path / 'key'
    swift.env = cloud.config(object_store_endpoint_override=swift.storage_url,
                             image_temp_url={'num_retries': 1})
    swift.plan = [None, None, 'lose', (status, {'X-Trans-Id': 'tx'})]
    change(cloud, 'rotate', '--generate', '--key-file', str(path), env=swift.env)
    assert path.read_text() == f'{keys(cloud)[1]}\n'


@pytest.mark.parametrize('status', [400, 403, 413])
def test_what_is_refused_goes(cloud, swift, tmp_path, status):
    path = tmp_path / 'key'
    swift.plan = [None, None, (status, {'X-Trans-Id': 'tx'})]
    result = cloud.openstack(*KEY, 'rotate', '--generate', '--key-file', str(path), env=swift.env)
    assert result.code == 1 and f'HTTP {status}' in result.stderr
    assert f'The file {path} is removed again.' in result.stderr and not path.exists()


@pytest.mark.parametrize('what', [
    ['set', '--generate', '--slot', '2'], ['rotate', '--generate'], ['set'], ['rotate'],
    ['rotate', '--finish']])
def test_a_path_that_is_empty(cloud, what):
    """As of a variable that is not set; no key is set then of which there is no file."""
    fails(cloud, *what, '--key-file', '')


def test_a_short_key(cloud):
    for key, warned in (('fifteen bytes..', True), ('sixteen bytes...', False)):
        result = cloud.openstack(*KEY, 'set', '--key-file', '-', '--slot', '2', '--force',
                                 stdin=key)
        assert result.code == 0
        assert ('fewer than 16 bytes' in result.stderr) is warned
    # It was set by somebody else, and is moved only.
    cloud.set_key('short', slot='-2')
    result = cloud.openstack(*KEY, 'rotate', '--finish', '--force')
    assert result.code == 0 and 'fewer' not in result.stderr
