"""The same ironic.conf, the same clock: Ironic's URL and ours, byte for byte."""

import dataclasses
import json
import pathlib
import subprocess

import pytest

from osc_imgurl import Client
from osc_imgurl.settings import sources

pytestmark = pytest.mark.extra
NOW = 2_000_000_000
ENDPOINT = 'https://swift.example.com'
GIVEN_KEY = {'swift_temp_url_key': 'a key of Ironic'}


@pytest.fixture(scope='module')
def hidden(make_cloud):
    """A sharded store that shows no locations: nothing but the settings tells the container."""
    cloud = make_cloud('--seed', '3', '--hide-locations')
    cloud.set_key('the first key')
    cloud.set_key('the second key', slot='-2')
    return cloud


@pytest.fixture(scope='module')
def image(hidden, data):
    return hidden.upload('cirros', data)


def write_config(cloud, path, **settings):
    auth = cloud.sdk().config.config['auth']
    lines = [f'{name} = {auth[name]}' for name in (
        'auth_url', 'username', 'password', 'project_name', 'user_domain_name',
        'project_domain_name')]
    lines.append('auth_type = password')
    glance = [f'{name} = {value}' for name, value in settings.items()]
    path.write_text('\n'.join(['[glance]', *lines, *glance, '[swift]', *lines, '']))
    return str(path)


def theirs(cloud, python, image_id, *configs):
    done = subprocess.run(
        [python, pathlib.Path(__file__).with_name('ironic_urls.py'), str(NOW), image_id, *configs],
        capture_output=True, text=True, check=False, cwd=cloud.home,
        env={'HOME': str(cloud.home), 'PATH': '/usr/bin:/bin'})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours(cloud, image_id, config, **options):
    settings = sources.load({'digest': 'sha1', **options}, {}, {}, [config])
    settings = dataclasses.replace(settings, check=False)
    client = Client(cloud.sdk().session, settings, clock=lambda: NOW)
    return client.create(image_id).url


def test_equal(hidden, image, ironic_python, tmp_path):
    account = hidden.sdk().object_store.get_endpoint().rpartition('/')[2]
    sharded = {'swift_store_multiple_containers_seed': 3}
    table = [
        # Endpoint, account and key found.
        sharded,
        {**sharded, 'swift_endpoint_url': ENDPOINT},
        {**sharded, 'swift_account': account},
        {**sharded, 'swift_account_prefix': 'AUTH'},
        {**sharded, 'swift_account_prefix': 'AUTH_'},
        {**sharded, 'swift_temp_url_duration': 86400,
         'swift_temp_url_expected_download_start_delay': 600},
        # The key told; then any account will do.
        {**sharded, **GIVEN_KEY},
        {**GIVEN_KEY, 'swift_account': 'AUTH_another', 'swift_endpoint_url': ENDPOINT},
        {**GIVEN_KEY, 'swift_account_prefix': 'KEY', 'swift_endpoint_url': ENDPOINT},
        {**GIVEN_KEY, 'swift_account_prefix': 'KEY_', 'swift_endpoint_url': ENDPOINT},
        {**GIVEN_KEY, 'swift_account_prefix': '', 'swift_endpoint_url': ENDPOINT},
        {**GIVEN_KEY, 'swift_container': 'images', 'swift_api_version': 'v1.0'},
        *({**GIVEN_KEY, 'swift_store_multiple_containers_seed': seed}
          for seed in (0, 1, 3, 8, 9, 14, 32)),
    ]
    configs = [write_config(hidden, tmp_path / f'{number}.conf', **settings)
               for number, settings in enumerate(table)]
    wanted = theirs(hidden, ironic_python, image, *configs)
    assert len(wanted) == len(table)
    for settings, config, url in zip(table, configs, wanted, strict=True):
        assert ours(hidden, image, config) == url, settings


def test_the_digest_differs(hidden, image, ironic_python, tmp_path):
    """SHA-1 is deprecated in Swift, and operators turn it off: ours is the cluster's best."""
    config = write_config(hidden, tmp_path / 'conf', swift_store_multiple_containers_seed=3)
    url, = theirs(hidden, ironic_python, image, config)
    assert url == ours(hidden, image, config)
    better = ours(hidden, image, config, digest=None)
    assert len(better.partition('sig=')[2].partition('&')[0]) == 64
    assert better.partition('?')[0] == url.partition('?')[0]


def test_the_quoting_differs(hidden, image, ironic_python, tmp_path):
    """Ironic puts a path into the URL as it is; a space makes it no URL. The signature is one."""
    config = write_config(hidden, tmp_path / 'conf', **GIVEN_KEY, swift_container='my images')
    url, = theirs(hidden, ironic_python, image, config)
    assert '/my images/' in url
    assert ours(hidden, image, config) == url.replace('/my images/', '/my%20images/')


def test_the_location_differs(make_cloud, data, ironic_python, tmp_path):
    """Ironic trusts its configuration; the image's own location knows better."""
    cloud = make_cloud('--seed', '3')
    cloud.set_key('a key')
    image = cloud.upload('cirros', data)
    right = write_config(cloud, tmp_path / 'right', swift_store_multiple_containers_seed=3)
    wrong = write_config(cloud, tmp_path / 'wrong', swift_store_multiple_containers_seed=5)
    with_right, with_wrong = theirs(cloud, ironic_python, image, right, wrong)
    assert with_right != with_wrong
    assert ours(cloud, image, wrong) == ours(cloud, image, right) == with_right
