"""openstack image temp url key ..."""

import json

import pytest
import requests

from osc_imgurl.tempurl.key import Key

from .conftest import download

KEY = ['image', 'temp', 'url', 'key']
ACCOUNT, CONTAINER = 'X-Account-Meta-Temp-Url-Key', 'X-Container-Meta-Temp-Url-Key'


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


def change(cloud, *arguments, ends=0, **kwargs):
    """Change keys; return the rows of the cached URLs that end.

    Nothing else is said, but of so many keys that they are gone.
    """
    result = cloud.openstack(*KEY, *arguments, '-f', 'json', **kwargs)
    said = result.stderr.splitlines()
    assert (result.code, len(said)) == (0, ends)
    assert all('no URL that it has signed works any more' in line for line in said)
    return json.loads(result.stdout)


def force(cloud, *arguments, **kwargs):
    """Change keys so that URLs end; return the rows of those, and what is said."""
    result = cloud.openstack(*KEY, *arguments, '--force', '-f', 'json', **kwargs)
    assert result.code == 0
    return json.loads(result.stdout), result.stderr


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
    change(cloud, 'set', '--key-file', key_file('the second key\n'), '--slot', '2')
    assert keys(cloud) == ['the first key', 'the second key']
    assert 'is a key in slot account key already' in fails(
        cloud, 'set', '--key-file', '-', stdin='another key')
    url = cloud.create(image, '--cache', '--key-file', '-', stdin='the first key')
    rows, said = force(cloud, 'set', '--key-file', '-', stdin='another key')
    row, = rows
    assert row.pop('remaining').startswith('0:')
    first = Key(b'the first key').fingerprint
    assert row == {'image_id': image, 'method': 'GET', 'container': 'glance', 'key': first,
                   'ended': True, 'expires_at': url['expires_at']}
    assert f'The key {first} is gone from account AUTH_' in said and len(said.splitlines()) == 1
    assert status(url['url']) == 401
    assert keys(cloud) == ['another key', 'the second key']
    assert change(cloud, 'set', '--generate', '--container', 'glance') == []
    generated, other = keys(cloud, 'glance')
    assert len(generated) == 43 and other is None
    assert download(cloud.create(image)['url']) == data
    # The key that is there already may be set again, and one that the other slot has is not lost.
    change(cloud, 'set', '--key-file', '-', stdin='another key')
    change(cloud, 'set', '--key-file', '-', '--slot', '2', stdin='the second key')
    change(cloud, 'unset', ends=1)
    change(cloud, 'set', '--key-file', '-', stdin='the second key')
    change(cloud, 'set', '--key-file', '-', stdin='another key')
    assert keys(cloud) == ['another key', 'the second key']
    assert 'Say which key to set' in fails(cloud, 'set')


def test_unset_and_the_cache(cloud, image, data):
    made = cloud.create(image, '--cache')
    url, name = made['url'], Key(b'the first key').fingerprint
    assert cloud.create(image, '--cache')['cached'] is True
    line = fails(cloud, 'unset')
    assert f'URLs of the key {name} would stop working: the cache has 1 of them' in line
    assert made['expires_at'] in line and '--force' in line
    assert status(url) == 200
    rows, said = force(cloud, 'unset')
    assert [(row['image_id'], row['key'], row['ended']) for row in rows] == [(image, name, True)]
    assert f'The key {name} is gone' in said
    assert keys(cloud) == [None, None]
    assert status(url) == 401
    assert cloud.rows('image', 'temp', 'url', 'cache', 'list') == []
    assert 'no temporary URL key on account' in cloud.refused(image)
    assert ('There is no key in slot account key. See which slots have one'
            ' (openstack image temp url key list).') in fails(cloud, 'unset')
    assert 'Set one (openstack image temp url key set --generate)' in fails(cloud, 'rotate')
    change(cloud, 'set', '--generate')
    keys(cloud)
    assert download(cloud.create(image)['url']) == data


def test_rotate(cloud, image, data):
    old = cloud.create(image, '--cache')
    row, = change(cloud, 'rotate')
    assert row.pop('remaining').startswith('0:')
    assert row == {'image_id': image, 'method': 'GET', 'container': 'glance',
                   'key': Key(b'the first key').fingerprint, 'ended': False,
                   'expires_at': old['expires_at']}
    first, second = keys(cloud)
    assert first == 'the first key' and len(second) == 43
    # New URLs have the new key, and the old ones are good until the rotation is finished.
    new = cloud.create(image, '--cache')
    assert new['cached'] is False
    assert download(old['url']) == download(new['url']) == data
    line = fails(cloud, 'rotate', '--finish')
    assert 'the cache has 1 of them' in line and old['expires_at'] in line
    rows, said = force(cloud, 'rotate', '--finish')
    assert [(row['expires_at'], row['ended']) for row in rows] == [(old['expires_at'], True)]
    assert f'The key {Key(b"the first key").fingerprint} is gone' in said
    assert keys(cloud) == [second, None]
    assert (status(old['url']), status(new['url'])) == (401, 200)
    assert [entry['expires_at'] for entry in cloud.rows('image', 'temp', 'url', 'cache', 'list')
            ] == [new['expires_at']]
    assert 'No rotation is under way' in fails(cloud, 'rotate', '--finish')


def test_finish_when_no_url_ends(cloud, image):
    """Of another container or account the cache may know URLs of the same key."""
    cloud.create(image, '--cache', '--no-check', '--key-file', '-', '--account', 'AUTH_other',
                 stdin='the first key')
    change(cloud, 'rotate', '--key-file', '-', stdin='the second key')
    cloud.create(image, '--cache')
    assert change(cloud, 'rotate', '--finish', ends=1) == []
    assert keys(cloud) == ['the second key', None]
    accounts = [row['account'] for row in cloud.rows('image', 'temp', 'url', 'cache', 'list')]
    assert 'AUTH_other' in accounts and len(accounts) > 1


def test_rotate_again_before_the_end(cloud, image, data):
    first, second = (cloud.create(image, '--key-file', '-', '--cache', '--no-check', stdin=key)
                     for key in ('the first key', 'the second key'))
    change(cloud, 'rotate', '--key-file', '-', stdin='the second key')
    line = fails(cloud, 'rotate')
    name = Key(b'the first key').fingerprint
    assert f'the one in slot account key ({name}) would stop working' in line
    assert '--finish' in line and '--force' in line
    assert download(first['url']) == download(second['url']) == data
    rows, said = force(cloud, 'rotate', '--key-file', '-', stdin='the third key')
    assert keys(cloud) == ['the second key', 'the third key']
    assert {(row['key'], row['ended']) for row in rows} == {
        (name, True), (Key(b'the second key').fingerprint, False)}
    assert f'The key {name} is gone' in said
    assert status(first['url']) == 401 and download(second['url']) == data
    assert 'set already' in fails(cloud, 'rotate', '--key-file', '-', stdin='the third key')


def test_an_odd_key_that_another_client_has_set(cloud, image, data):
    """It signs as Swift has it; only to move it to another slot is refused."""
    odd = 'a\tkey \x0b with %41 ü'.encode().decode('latin-1')
    cloud.set_key(odd)
    assert download(cloud.create(image)['url']) == data
    change(cloud, 'rotate')
    first, _ = keys(cloud)
    assert first == odd
    change(cloud, 'rotate', '--finish', ends=1)
    cloud.set_key(odd, slot='-2')
    change(cloud, 'unset', ends=1)
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


def test_the_file_of_the_settings_may_be_the_one_to_be_made(cloud, image, data, tmp_path):
    path = tmp_path / 'key'
    env = cloud.config(image_temp_url={'key_file': str(path)})
    change(cloud, 'rotate', '--generate', '--key-file', str(path), env=env)
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
    for arguments in (['list'], ['set', '--key-file', '-', '--slot', '2'], ['unset']):
        result = cloud.openstack('--debug', *KEY, *arguments, stdin='a secret key')
        assert result.code == 0
        assert 'Swift request: HEAD' in result.stderr
        assert 'a secret key' not in result.text
