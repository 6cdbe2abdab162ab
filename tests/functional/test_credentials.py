"""Application credentials, a trust, and credentials without a project."""

import pytest

from .conftest import download
from .credentials import odd_credentials

NOT_ALLOWED = 'Glance at {glance} does not allow this with these credentials: HTTP {status}'
NOT_SHOWN = 'The keys of account {account} are shown to its owner only.'
NO_CATALOG = 'Credentials that are not scoped to a project see no catalog: name one.'
NO_PROJECT = 'These credentials are not scoped to a project, and so have no account.'


@pytest.fixture(scope='module')
def credentials(cloud):
    return odd_credentials(cloud)


@pytest.mark.parametrize('name', [
    'unrestricted', 'restricted', 'one role of two', 'rules for both', 'trust'])
def test_credentials_that_make_a_url(cloud, credentials, image, data, name):
    assert download(cloud.create(image, cloud=name, env=credentials)['url']) == data


@pytest.mark.parametrize(('name', 'said'), [
    ('rules for images', NOT_SHOWN), ('rules for objects', NOT_ALLOWED),
    ('domain', NOT_ALLOWED), ('system', NOT_ALLOWED), ('unscoped', NO_CATALOG)])
def test_credentials_that_do_not(cloud, credentials, image, name, said):
    account = cloud.create(image)['account']
    glance = f'http://127.0.0.1:{cloud.ports["glance"]}'
    said = said.format(account=account, glance=glance,
                       status=401 if name.startswith('rules') else 403)
    line = cloud.refused('cirros', cloud=name, env=credentials)
    assert said in line


def test_rules_for_images_and_a_given_key(cloud, credentials, image, data, key_file):
    row = cloud.create(image, '--key-file', key_file('a key'), cloud='rules for images',
                       env=credentials)
    assert download(row['url']) == data


@pytest.mark.parametrize('name', ['domain', 'system', 'unscoped'])
def test_keys_without_a_project(cloud, credentials, name):
    result = cloud.openstack('image', 'temp', 'url', 'key', 'list', cloud=name, env=credentials)
    assert (result.code, result.stdout) == (1, '')
    assert result.stderr.splitlines() == [
        f'{NO_PROJECT} Use a project\'s, or give the account (--account).']
